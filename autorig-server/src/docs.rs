//! `/docs`: the API document to browse and to try out, without anything loaded from elsewhere.
//!
//! poem-openapi carries Swagger UI as one page with everything inline. It is taken apart here, so that the
//! page can have a policy that forbids inline scripts.

use bytes::Bytes;
use poem::{Request, Response};
use sha2::{Digest, Sha256};

use crate::{
    assets::{ASK, Asset, Shelf, mime_of},
    problem::Problem,
};

/// Swagger UI sets `style` attributes; scripts stay our own files only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>AutoRig API</title>
<link rel=\"stylesheet\" href=\"/docs/ui.css\">
</head>
<body>
<div id=\"ui\"></div>
<noscript>This page needs JavaScript; the document itself is <a href=\"/openapi.json\">/openapi.json</a>.</noscript>
<script src=\"/docs/ui.js\"></script>
<script src=\"/docs/start.js\"></script>
</body>
</html>
";

const START: &str =
    "SwaggerUIBundle({ dom_id: '#ui', url: '/openapi.json', deepLinking: true, validatorUrl: null });\n";

/// The parts of the page.
pub(crate) struct Docs {
    files: [(&'static str, Asset); 4],
    document: Asset,
}

impl Docs {
    /// Takes the bundled page apart. `bundle` is poem-openapi's own page, `document` the API document.
    pub(crate) fn new(bundle: &str, document: String) -> Self {
        let style = between(bundle, "<style charset=\"UTF-8\">", "</style>").to_owned();
        let script = between(bundle, "<script charset=\"UTF-8\">", "</script>").to_owned();
        Self {
            files: [
                ("/docs", asset("ui.html", PAGE.into())),
                ("/docs/ui.css", asset("ui.css", style.into())),
                ("/docs/ui.js", asset("ui.js", script.into())),
                ("/docs/start.js", asset("start.js", START.into())),
            ],
            document: asset("openapi.json", document.into()),
        }
    }

    /// Answers `/docs…` and `/openapi.json`.
    pub(crate) async fn serve(&self, shelf: &Shelf, req: &Request) -> Result<Response, Problem> {
        let path = req.uri().path().trim_end_matches('/');
        let found = if path == "/openapi.json" {
            Some(&self.document)
        } else {
            self.files.iter().find(|(name, _)| *name == path).map(|(_, asset)| asset)
        };
        match found {
            Some(asset) => shelf.serve(req, asset.clone()).await,
            None => Err(Problem::no_such_route()),
        }
    }
}

fn asset(name: &str, bytes: Bytes) -> Asset {
    Asset { hash: Sha256::digest(&bytes).into(), bytes, mime: mime_of(name), cache: ASK, policy: POLICY }
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    let after = text.split_once(open).map_or("", |(_, after)| after);
    after.split_once(close).map_or("", |(inside, _)| inside)
}
