//! A local server answers to this machine's own pages and programs only.

use crate::support::{TestServer, problem, raw};

#[tokio::test]
async fn a_page_that_points_its_own_name_at_this_machine_gets_nothing() {
    let server = TestServer::start().await;
    for path in ["/", "/api/history", "/health", "/docs"] {
        let answer = server.get(path).header("host", "evil.example").send().await.unwrap();
        problem(answer, 403, "host_not_allowed").await;
    }
    let answer = server.get("/health").header("host", "localhost:1234").send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let server = TestServer::start().await;
    let answer = raw::send(&server, b"GET /health HTTP/1.0\r\n\r\n".to_vec()).await.unwrap();
    assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("host_missing")));
}

#[tokio::test]
async fn another_site_can_neither_create_nor_cancel() {
    let server = TestServer::start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    for path in ["/api/task/create".to_owned(), format!("/api/task/{id}/cancel")] {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
            let answer = server.post(&path).header("origin", origin).send().await.unwrap();
            problem(answer, 403, "origin_not_allowed").await;
        }
        let answer = server.post(&path).header("sec-fetch-site", "cross-site").send().await.unwrap();
        problem(answer, 403, "origin_not_allowed").await;
    }
    assert_eq!(server.history().await.len(), 1);
}

#[tokio::test]
async fn our_own_page_may_do_everything() {
    let server = TestServer::start().await;
    let form = reqwest::multipart::Form::new()
        .part("file", reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("a.glb"));
    let answer = server
        .post("/api/task/create")
        .header("origin", &server.url)
        .header("sec-fetch-site", "same-origin")
        .multipart(form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 202);
}
