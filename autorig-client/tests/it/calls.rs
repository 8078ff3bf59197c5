//! Single calls: what is sent, what is repeated, what an answer becomes.

use std::time::Duration;

use autorig_client::{Client, Error, NewTask, RetryPolicy, Status, TaskOptions};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{body_json, body_string_contains, header, method, path, query_param},
};

use crate::client;

fn created() -> Value {
    json!({
        "task_id": "t1", "status": "created",
        "urls": { "self": "/api/task/t1", "events": "/e", "cancel": "/c", "page": "/task?id=t1" },
    })
}

fn keys(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| request.headers["idempotency-key"].to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_repeated_under_the_same_key() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(503).insert_header("Retry-After", "0"))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    Mock::given(path("/api/task/create"))
        .and(body_string_contains("name=\"options\""))
        .and(body_string_contains("{\"influences\":8,\"rest_pose\":\"t_pose\"}"))
        .and(body_string_contains("filename=\"hero.glb\""))
        .and(body_string_contains("glTF!"))
        .respond_with(ResponseTemplate::new(202).set_body_json(created()))
        .mount(&server)
        .await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hero.glb"), "glTF!").unwrap();
    let options =
        TaskOptions { influences: Some(8), rest_pose: Some("t_pose".to_owned()), ..TaskOptions::default() };
    let task = NewTask::file(folder.path().join("hero.glb")).options(options);

    let created = client(&server.uri()).create(&task).await.unwrap();
    assert_eq!((created.task_id.as_str(), created.urls.page.as_str()), ("t1", "/task?id=t1"));
    let requests = server.received_requests().await.unwrap();
    let keys = keys(&requests);
    assert_eq!(keys.len(), 3);
    assert!(!keys[0].is_empty() && keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test]
async fn two_creates_have_two_keys_unless_the_caller_says_otherwise() {
    let server = MockServer::start().await;
    Mock::given(body_json(json!({ "link": "https://example.org/a.glb" })))
        .respond_with(ResponseTemplate::new(202).set_body_json(created()))
        .mount(&server)
        .await;
    let client = client(&server.uri());
    let task = NewTask::link("https://example.org/a.glb");
    client.create(&task).await.unwrap();
    client.create(&task).await.unwrap();
    client.create(&task.clone().idempotency_key("mine")).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let keys = keys(&requests);
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[2], "mine");
}

#[tokio::test]
async fn a_refusal_is_typed_and_not_repeated() {
    let server = MockServer::start().await;
    let problem = json!({
        "type": "about:blank", "title": "Refused", "status": 422, "code": "unknown_option",
        "detail": "there is no option `fingerz`", "remedy": "see the documentation", "retryable": false,
        "request_id": "r1", "instance": "/api/task/create",
    });
    let answer = ResponseTemplate::new(422).set_body_raw(problem.to_string(), "application/problem+json");
    Mock::given(method("POST")).respond_with(answer).expect(1).mount(&server).await;
    let error = client(&server.uri()).create(&NewTask::bytes("a.glb", "x")).await.unwrap_err();
    assert_eq!((error.code(), error.status()), ("unknown_option", Some(422)));
    assert_eq!(error.to_string(), "there is no option `fingerz`");
    assert_eq!(error.remedy(), "see the documentation");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_page_in_the_place_of_an_answer_is_named_as_such() {
    let server = MockServer::start().await;
    Mock::given(path("/api/queue/status"))
        .respond_with(ResponseTemplate::new(200).set_body_string("<html>"))
        .mount(&server)
        .await;
    let client = client(&server.uri());
    let error = client.queue_status().await.unwrap_err();
    assert!(matches!(error, Error::UnexpectedAnswer { status: Some(200), .. }));
    assert_eq!(client.get("missing").await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn waiting_ends_with_the_task_or_with_the_callers_patience() {
    let server = MockServer::start().await;
    let state =
        |status: &str| ResponseTemplate::new(200).set_body_json(json!({ "id": "t1", "status": status }));
    Mock::given(path("/api/task/t1"))
        .and(query_param("wait", "0"))
        .respond_with(state("processing"))
        .mount(&server)
        .await;
    Mock::given(path("/api/task/t1")).respond_with(state("processing")).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/api/task/t1")).respond_with(state("error")).mount(&server).await;
    let client = client(&server.uri());
    let error = client.wait("t1", Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), "timeout");
    let task = client.wait("t1", Duration::from_secs(60)).await.unwrap();
    assert_eq!(task.status, Status::Error);
}

#[tokio::test]
async fn lists_and_counts_are_read_and_the_key_is_sent() {
    let server = MockServer::start().await;
    Mock::given(path("/api/history"))
        .and(query_param("limit", "2"))
        .and(query_param("cursor", "a b"))
        .and(header("authorization", "Bearer ark_test_1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(
            json!({ "items": [{ "id": "t1", "status": "done", "name": "hero" }], "next": "c" }),
        ))
        .mount(&server)
        .await;
    Mock::given(path("/api/queue/status"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "queued": 3, "processing": 1, "workers_online": 1, "workers_free": 0, "workers_total": 1,
            "estimated_wait_seconds": 12,
        })))
        .mount(&server)
        .await;
    let client =
        Client::builder(server.uri()).api_key("ark_test_1").retry(RetryPolicy::NEVER).build().unwrap();
    let page = client.history(Some(2), Some("a b")).await.unwrap();
    assert_eq!((page.items[0].id.as_str(), page.next.as_deref()), ("t1", Some("c")));
    assert_eq!(page.items[0].other["name"], "hero");
    assert_eq!(client.queue_status().await.unwrap().queued, 3);
}

#[tokio::test]
async fn no_server_is_a_network_error_with_a_remedy() {
    let error = client("http://127.0.0.1:1").queue_status().await.unwrap_err();
    assert_eq!(error.code(), "network");
    assert!(error.is_retryable() && !error.remedy().is_empty());
}

#[test]
fn a_system_without_certificates_still_reaches_plain_http() {
    let same = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "calls::lists_and_counts_are_read_and_the_key_is_sent"])
        .envs([("SSL_CERT_FILE", "/missing"), ("SSL_CERT_DIR", "/missing")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&same.stdout);
    assert!(same.status.success() && said.contains("1 passed"), "{said}");
}
