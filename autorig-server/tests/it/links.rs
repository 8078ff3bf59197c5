//! A link instead of a file. The stand-in for the internet listens on 127.0.0.1, which a test has to allow.

use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use crate::support::{Setup, TestServer, problem};

/// A server that may reach 127.0.0.1 and no other private address, and the web it sees.
async fn with_web() -> (TestServer, MockServer) {
    let server =
        Setup { outbound_allow: vec!["127.0.0.1".to_owned()], upload_limit: 100_000, ..Setup::default() };
    (server.start().await, MockServer::start().await)
}

async fn link(server: &TestServer, link: &str) -> reqwest::Response {
    server.post("/api/task/create").json(&json!({"link": link})).send().await.unwrap()
}

async fn page(web: &MockServer, at: &str, answer: ResponseTemplate) -> String {
    Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(web).await;
    format!("{}{at}", web.uri())
}

#[tokio::test]
async fn a_link_to_a_model_becomes_a_task_like_a_file() {
    let (server, web) = with_web().await;
    let model = ResponseTemplate::new(200).set_body_raw(&b"glTF model"[..], "model/gltf-binary");
    let url = page(&web, "/my%20hero.glb", model).await;
    let body = json!({"link": url, "influences": 4});
    let answer = server.post("/api/task/create").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let id = answer.json::<Value>().await.unwrap()["task_id"].as_str().unwrap().to_owned();
    let task = server.finished(&id).await;
    assert_eq!((&task["status"], &task["title"]), (&json!("done"), &json!("my hero")));
}

#[tokio::test]
async fn a_link_may_come_in_a_form_too() {
    let (server, web) = with_web().await;
    let url =
        page(&web, "/a.glb", ResponseTemplate::new(200).set_body_raw(&b"glTF"[..], "model/gltf-binary"))
            .await;
    let form = reqwest::multipart::Form::new().text("link", url).text("mode", "full");
    let answer = server.post("/api/task/create").multipart(form).send().await.unwrap();
    assert_eq!(answer.status(), 202);
}

#[tokio::test]
async fn a_link_to_a_private_address_is_refused() {
    let server = TestServer::start().await;
    for private in [
        "http://127.0.0.1:1/a.glb",
        "http://localhost:1/a.glb",
        "http://10.0.0.1/a.glb",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.glb",
        "http://[::ffff:127.0.0.1]/a.glb",
        "http://2130706433/a.glb",
    ] {
        problem(link(&server, private).await, 422, "link_forbidden_address").await;
    }
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_link_that_redirects_to_a_private_address_is_refused() {
    let (server, web) = with_web().await;
    for (at, target) in
        [("/a", "http://10.0.0.1/a.glb"), ("/b", "http://[::1]/a.glb"), ("/c", "file:///etc/passwd")]
    {
        let url = page(&web, at, ResponseTemplate::new(302).insert_header("location", target)).await;
        problem(link(&server, &url).await, 422, "link_redirects_to_forbidden").await;
    }
    server.assert_nothing_is_left().await;
    server.assert_still_serves().await;
}

#[tokio::test]
async fn a_link_to_a_page_is_refused() {
    let (server, web) = with_web().await;
    let html = ResponseTemplate::new(200).set_body_raw("<!doctype html><p>download here", "text/html");
    let url = page(&web, "/model", html).await;
    problem(link(&server, &url).await, 422, "link_is_a_page").await;
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_link_that_leads_nowhere_says_so() {
    let (server, web) = with_web().await;
    problem(link(&server, &format!("{}/none.glb", web.uri())).await, 422, "link_status").await;
    for nonsense in ["", "not a link", "ftp://example.org/a.glb", "file:///etc/passwd"] {
        problem(link(&server, nonsense).await, 422, "link_invalid").await;
    }
    let dead = format!("http://127.0.0.1:{}/a.glb", free_port());
    let body = problem(link(&server, &dead).await, 422, "link_unreachable").await;
    assert_eq!(body["retryable"], true);
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_file_behind_a_link_has_the_same_limit() {
    let (server, web) = with_web().await;
    let large = ResponseTemplate::new(200).set_body_raw(vec![7; 100_001], "model/gltf-binary");
    let url = page(&web, "/large.glb", large).await;
    problem(link(&server, &url).await, 413, "link_too_large").await;
    server.assert_nothing_is_left().await;
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
