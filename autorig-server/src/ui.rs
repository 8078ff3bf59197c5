//! The web UI: the files that `npm run build` put into `static/dist`, embedded in release builds and read
//! from that folder in debug builds. Without them the server works all the same and says how to make them.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use poem::{Request, Response, http::header};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::{
    assets::{ASK, Asset, FOREVER, Shelf, mime_of},
    middleware::headers::CSP_PAGE,
    problem::Problem,
};

#[derive(RustEmbed)]
#[folder = "../static/dist"]
#[allow_missing = true]
struct Built;

/// Shown in place of the pages while there are none.
const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>AutoRig</title></head>
<body>
<h1>AutoRig is running</h1>
<p>This server was built without its web pages. To build them:</p>
<pre>cd static
npm ci
npm run build</pre>
<p>then start the server again (a release build of it has to be built again, too).
The <a href=\"/docs\">API</a> works without them.</p>
</body>
</html>
";

/// The page that models are put into.
const VIEWER: &str = "standalone";

/// The viewer page that models are put into, as `npm run build` has made it; `None` where it was not built.
pub fn viewer_template() -> Option<Arc<str>> {
    let file = Built::get(&format!("{VIEWER}.html"))?;
    std::str::from_utf8(&file.data).ok().map(Arc::from)
}

/// Where the pages come from.
#[derive(Clone, Default)]
pub struct Ui(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    Built,
    Files(Arc<BTreeMap<String, Bytes>>),
}

impl Ui {
    /// The pages built into this crate; what [`Ui::default`] gives.
    pub fn built() -> Self {
        Self::default()
    }

    /// Pages of your own, by path without a leading slash: `index.html` is `/`, `task.html` is `/task`.
    pub fn from_files(files: BTreeMap<String, Bytes>) -> Self {
        Self(Source::Files(Arc::new(files)))
    }

    fn get(&self, path: &str) -> Option<(Bytes, [u8; 32])> {
        match &self.0 {
            Source::Built => {
                let file = Built::get(path)?;
                let bytes = match file.data {
                    Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    Cow::Owned(bytes) => Bytes::from(bytes),
                };
                Some((bytes, file.metadata.sha256_hash()))
            }
            Source::Files(files) => {
                let bytes = files.get(path)?.clone();
                let hash = Sha256::digest(&bytes).into();
                Some((bytes, hash))
            }
        }
    }

    fn find(&self, path: &str) -> Option<Asset> {
        let clean = path.trim_start_matches('/');
        let hostile = clean.split('/').any(|part| part.starts_with('.')) || clean.contains(['\\', '\0', '%']);
        if hostile {
            return None;
        }
        // The template of viewer pages is no page by itself.
        if clean.trim_end_matches(".html") == VIEWER {
            return None;
        }
        let name = if clean.is_empty() { "index".to_owned() } else { clean.to_owned() };
        let page = format!("{name}.html");
        let (found, (bytes, hash)) = [name, page].into_iter().find_map(|name| {
            let file = self.get(&name)?;
            Some((name, file))
        })?;
        // The page build puts a hash of the contents into the names of what lies in `assets/`.
        let cache = if found.starts_with("assets/") { FOREVER } else { ASK };
        Some(Asset { bytes, hash, mime: mime_of(&found), cache, policy: CSP_PAGE })
    }

    /// Answers a path that is no API call.
    pub(crate) async fn serve(&self, shelf: &Shelf, req: &Request) -> Result<Response, Problem> {
        let path = req.uri().path();
        if let Some(asset) = self.find(path) {
            return shelf.serve(req, asset).await;
        }
        if matches!(path, "/" | "/task") {
            return shelf.serve(req, page(NOT_BUILT)).await;
        }
        let is_browser =
            req.header(header::ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"));
        if is_browser && let Some(asset) = self.find("/404") {
            let mut response = shelf.serve(req, asset).await?;
            response.set_status(poem::http::StatusCode::NOT_FOUND);
            return Ok(response);
        }
        Err(Problem::no_such_route())
    }
}

fn page(html: &'static str) -> Asset {
    Asset {
        bytes: Bytes::from_static(html.as_bytes()),
        hash: Sha256::digest(html).into(),
        mime: "text/html; charset=utf-8",
        cache: ASK,
        policy: CSP_PAGE,
    }
}
