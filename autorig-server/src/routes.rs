//! Which paths the API answers to, and by which methods; read from the API description itself, so that it
//! cannot disagree with it.

use poem_openapi::OpenApi;

/// Paths with their methods.
#[derive(Debug, Clone)]
pub(crate) struct Routes(Vec<(Vec<String>, String)>);

impl Routes {
    /// The routes of an API.
    pub(crate) fn of<T: OpenApi>() -> Self {
        let paths = T::meta().into_iter().flat_map(|api| api.paths);
        Self(paths.map(|path| (segments(&path.path), methods(&path.operations))).collect())
    }

    /// True when some operation has this path, whatever the method.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.allow(path).is_some()
    }

    /// The `Allow` header of a path.
    pub(crate) fn allow(&self, path: &str) -> Option<String> {
        let wanted = segments(path);
        let found = self.0.iter().find(|(pattern, _)| {
            pattern.len() == wanted.len()
                && pattern
                    .iter()
                    .zip(&wanted)
                    .all(|(p, w)| p == w || p.starts_with('{') || p.starts_with(':'))
        });
        found.map(|(_, methods)| methods.clone())
    }
}

fn segments(path: &str) -> Vec<String> {
    path.trim_matches('/').split('/').map(str::to_owned).collect()
}

fn methods(operations: &[poem_openapi::registry::MetaOperation]) -> String {
    let mut methods: Vec<&str> = operations.iter().map(|o| o.method.as_str()).collect();
    if methods.contains(&"GET") && !methods.contains(&"HEAD") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.join(", ")
}
