//! Which paths the API answers to, and by which methods; read from the API description itself, so that it
//! cannot disagree with it.

use poem::http::Method;
use poem_openapi::OpenApi;

/// Paths with their calls.
#[derive(Debug, Clone)]
pub(crate) struct Routes(Vec<Route>);

#[derive(Debug, Clone)]
struct Route {
    segments: Vec<String>,
    /// Methods with the names of their calls.
    calls: Vec<(String, String)>,
}

/// One call of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// Its name in the API document.
    pub(crate) operation: String,
    /// What the path has in the place of `{id}`.
    pub(crate) id: Option<String>,
}

impl Routes {
    /// The routes of an API.
    pub(crate) fn of<T: OpenApi>() -> Self {
        let paths = T::meta().into_iter().flat_map(|api| api.paths);
        let route = |path: poem_openapi::registry::MetaPath| Route {
            segments: segments(&path.path),
            calls: path
                .operations
                .iter()
                .map(|call| (call.method.to_string(), call.operation_id.unwrap_or_default().to_owned()))
                .collect(),
        };
        let mut routes: Vec<Route> = Vec::new();
        for route in paths.map(route) {
            match routes.iter_mut().find(|known| known.segments == route.segments) {
                Some(known) => known.calls.extend(route.calls),
                None => routes.push(route),
            }
        }
        // As the router does, a path that is named goes before one that is a pattern.
        routes.sort_by_key(|route| route.segments.iter().filter(|segment| is_pattern(segment)).count());
        Self(routes)
    }

    /// True when some operation has this path, whatever the method.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// The `Allow` header of a path.
    pub(crate) fn allow(&self, path: &str) -> Option<String> {
        self.find(path).map(|(route, _)| route.methods())
    }

    /// The call that a request makes, if the API has it.
    pub(crate) fn call(&self, method: &Method, path: &str) -> Option<Call> {
        let (route, wanted) = self.find(path)?;
        let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
        let (_, operation) = route.calls.iter().find(|(known, _)| *known == method.as_str())?;
        let id = route.segments.iter().position(|segment| matches!(segment.as_str(), "{id}" | ":id"));
        let id = id.and_then(|at| wanted.get(at)).cloned();
        Some(Call { operation: operation.clone(), id })
    }

    fn find(&self, path: &str) -> Option<(&Route, Vec<String>)> {
        let wanted = segments(path);
        let fits = |route: &&Route| {
            route.segments.len() == wanted.len()
                && route
                    .segments
                    .iter()
                    .zip(&wanted)
                    .all(|(known, given)| known == given || is_pattern(known))
        };
        self.0.iter().find(fits).map(|route| (route, wanted.clone()))
    }
}

impl Route {
    fn methods(&self) -> String {
        let mut methods: Vec<&str> = self.calls.iter().map(|(method, _)| method.as_str()).collect();
        if methods.contains(&"GET") && !methods.contains(&"HEAD") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.join(", ")
    }
}

fn is_pattern(segment: &str) -> bool {
    segment.starts_with(['{', ':'])
}

fn segments(path: &str) -> Vec<String> {
    path.trim_matches('/').split('/').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Api;

    #[test]
    fn a_request_is_the_call_that_the_router_makes_of_it() {
        let routes = Routes::of::<Api>();
        let call = |method: Method, path: &str| {
            routes.call(&method, path).map(|call| (call.operation, call.id.unwrap_or_default()))
        };
        let named = |operation: &str, id: &str| Some((operation.to_owned(), id.to_owned()));
        assert_eq!(call(Method::GET, "/api/task/1"), named("get_task", "1"));
        assert_eq!(call(Method::HEAD, "/api/task/1/"), named("get_task", "1"));
        assert_eq!(call(Method::DELETE, "/api/task/1"), named("delete_task", "1"));
        assert_eq!(call(Method::POST, "/api/task/create"), named("create_task", ""));
        assert_eq!(call(Method::DELETE, "/api/task/create"), None, "it is no id");
        assert_eq!(call(Method::GET, "/api/task/1/files/vrm"), named("download_file", "1"));
        assert_eq!(call(Method::GET, "/api/nothing"), None);
        assert_eq!(routes.allow("/api/task/1").as_deref(), Some("DELETE, GET, HEAD, PATCH"));
    }
}
