//! The pages and the browsable API document.

use std::collections::BTreeMap;

use crate::support::{Setup, TestServer, problem};

async fn with_pages() -> TestServer {
    let pages = [
        ("index.html", "<!doctype html><title>home</title>"),
        ("task.html", "<!doctype html><title>task</title>"),
        ("404.html", "<!doctype html><title>lost</title>"),
        (
            "assets/main-a1b2c3.js",
            "console.log('a script that is long enough to be packed, packed, packed, packed')",
        ),
        (".env", "secret"),
    ];
    let pages = pages.map(|(path, text)| (path.to_owned(), bytes::Bytes::from(text)));
    Setup { pages: BTreeMap::from(pages), ..Setup::default() }.start().await
}

#[tokio::test]
async fn the_pages_have_their_paths() {
    let server = with_pages().await;
    for (path, title) in
        [("/", "home"), ("/index.html", "home"), ("/task?id=1", "task"), ("/task.html", "task")]
    {
        let answer = server.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(answer.headers()["cache-control"], "no-cache");
        assert!(answer.text().await.unwrap().contains(title), "{path}");
    }
}

#[tokio::test]
async fn a_page_may_run_and_load_our_own_files_only() {
    let server = with_pages().await;
    let answer = server.get("/").send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "img-src 'self' blob: data:;",
        "connect-src 'self' blob:;",
        "worker-src 'self' blob:;",
    ] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn what_has_a_hash_in_its_name_is_kept_for_good_and_packed() {
    let server = with_pages().await;
    let path = "/assets/main-a1b2c3.js";
    let plain = server.get(path).send().await.unwrap();
    assert_eq!(plain.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(plain.headers()["content-type"], "text/javascript; charset=utf-8");
    let length = plain.text().await.unwrap().len();
    for (accepted, encoding) in [("br, gzip", "br"), ("gzip", "gzip")] {
        for _ in 0..2 {
            let packed = server.get(path).header("accept-encoding", accepted).send().await.unwrap();
            assert_eq!(packed.headers()["content-encoding"], encoding);
            assert!(packed.bytes().await.unwrap().len() < length);
        }
    }
}

#[tokio::test]
async fn a_page_that_has_not_changed_is_not_sent_again() {
    let server = with_pages().await;
    let etag = server.get("/").send().await.unwrap().headers()["etag"].clone();
    let again = server.get("/").header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
}

#[tokio::test]
async fn a_browser_that_is_lost_sees_a_page_and_a_program_a_problem() {
    let server = with_pages().await;
    let answer = server.get("/nowhere").header("accept", "text/html").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains("lost"));
    problem(server.get("/nowhere").send().await.unwrap(), 404, "route_not_found").await;
    let api = server.get("/api/nowhere").header("accept", "text/html").send().await.unwrap();
    problem(api, 404, "route_not_found").await;
}

#[tokio::test]
async fn hidden_files_and_ways_out_of_the_folder_do_not_exist() {
    let server = with_pages().await;
    for path in ["/.env", "/assets/../.env", "/%2eenv", "/assets%2f..%2f.env", "/..%2f..%2fCargo.toml"] {
        assert_eq!(server.get(path).send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_server_without_pages_says_how_to_build_them() {
    let server = TestServer::start().await;
    for path in ["/", "/task?id=1"] {
        let text = server.get(path).send().await.unwrap().text().await.unwrap();
        assert!(text.contains("npm run build"), "{text}");
    }
}

#[tokio::test]
async fn the_document_can_be_browsed_without_anything_from_elsewhere() {
    let server = TestServer::start().await;
    let answer = server.get("/docs").send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self';"), "{policy}");
    let page = answer.text().await.unwrap();
    assert!(!page.contains("://"), "{page}");
    for path in ["/docs/ui.js", "/docs/ui.css", "/docs/start.js", "/openapi.json"] {
        assert!(page.contains(path) || path == "/openapi.json", "{path}");
        let file = server.get(path).send().await.unwrap();
        assert_eq!(file.status(), 200, "{path}");
        assert!(!file.bytes().await.unwrap().is_empty(), "{path}");
    }
    let script = server.get("/docs/ui.js").send().await.unwrap().text().await.unwrap();
    assert!(script.contains("SwaggerUIBundle"));
}
