//! Workers that come and ask, over HTTP.

use std::sync::Arc;

use autorig_core::worker::InProcessWorker;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Setup, TestServer, problem};

/// A server that does not rig itself.
async fn server() -> TestServer {
    Setup { worker: Arc::new(InProcessWorker::new(0)), ..Setup::default() }.start().await
}

async fn lease(server: &TestServer) -> Value {
    let request = json!({"name": "box-1", "kinds": ["rig"], "wait_seconds": 30});
    let answer = server.post("/api/worker/lease").json(&request).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

async fn post(server: &TestServer, lease: &Value, what: &str, body: Value) -> reqwest::Response {
    let path = format!("/api/worker/{}/{what}", lease["lease"].as_str().unwrap());
    server.post(&path).json(&body).send().await.unwrap()
}

async fn put(server: &TestServer, lease: &Value, key: &str, body: &str) -> reqwest::Response {
    let url = format!("{}/api/worker/{}/files/{key}", server.url, lease["lease"].as_str().unwrap());
    server
        .http
        .put(url)
        .header("content-type", "application/octet-stream")
        .body(body.to_owned())
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_task_is_leased_worked_on_and_done() {
    let server = server().await;
    let id = server.create("hero.glb", b"the model".to_vec()).await;
    let lease = lease(&server).await;
    assert_eq!(lease["task_id"], id.as_str());
    assert_eq!((&lease["kind"], &lease["params"]["mode"]), (&json!("rig"), &json!("rig_only")));
    assert!(lease["files"].as_array().unwrap().contains(&json!({"key": "rigged_glb", "required": true})));
    let input = server.get(lease["input"]["url"].as_str().unwrap());
    let part = input.header("range", "bytes=4-8").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.text().await.unwrap(), "model");
    let held = post(&server, &lease, "progress", json!({"stage": "skin", "fraction": 0.5})).await;
    assert_eq!(held.status(), StatusCode::OK);
    assert_eq!(server.task(&id).await["stage"], "skin");
    assert_eq!(post(&server, &lease, "progress", json!({})).await.status(), StatusCode::OK);
    for key in ["rigged_glb", "report_json"] {
        assert_eq!(put(&server, &lease, key, key).await.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(post(&server, &lease, "complete", Value::Null).await.status(), StatusCode::NO_CONTENT);
    let done = server.finished(&id).await;
    assert_eq!((&done["status"], &done["ready_count"]), (&json!("done"), &json!(2)));
    let file = server.get(&format!("/api/task/{id}/files/rigged_glb")).send().await.unwrap();
    assert_eq!(file.text().await.unwrap(), "rigged_glb");
}

#[tokio::test]
async fn a_failure_carries_the_workers_words() {
    let server = server().await;
    let id = server.create("chair.glb", b"x".to_vec()).await;
    let lease = lease(&server).await;
    let failure = json!({"class": "user_violation", "code": "no_character_found", "message": "a chair"});
    assert_eq!(post(&server, &lease, "fail", failure).await.status(), StatusCode::NO_CONTENT);
    let task = server.finished(&id).await;
    assert_eq!(task["status"], "error");
    assert_eq!(
        (&task["error"]["code"], &task["error"]["message"]),
        (&json!("no_character_found"), &json!("a chair"))
    );
}

#[tokio::test]
async fn a_task_given_back_is_leased_again() {
    let server = server().await;
    server.create("hero.glb", b"x".to_vec()).await;
    let first = lease(&server).await;
    assert_eq!(post(&server, &first, "release", Value::Null).await.status(), StatusCode::NO_CONTENT);
    let second = lease(&server).await;
    assert_eq!((&second["task_id"], &second["attempt"]), (&first["task_id"], &json!(2)));
    let answer = post(&server, &first, "progress", json!({})).await;
    problem(answer, 409, "lease_lost").await;
}

#[tokio::test]
async fn without_a_task_there_is_nothing() {
    let server = server().await;
    let answer = server.post("/api/worker/lease").json(&json!({"name": "box-1"})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_wrong_call_is_refused_by_what_is_wrong_with_it() {
    let server = server().await;
    for (body, status, code) in [
        (json!({"name": "a b"}), 422, "invalid_worker_name"),
        (json!({"name": "a", "kinds": ["cake"]}), 422, "unknown_kind"),
        (json!({"name": "a", "kinds": []}), 400, "invalid_json"),
        (json!({}), 400, "invalid_json"),
        (json!([]), 400, "invalid_json"),
        (Value::Null, 400, "invalid_json"),
    ] {
        let answer = server.post("/api/worker/lease").json(&body).send().await.unwrap();
        problem(answer, status, code).await;
    }
    let long = server.post("/api/worker/lease").body(vec![b' '; 1 << 20]).send().await.unwrap();
    problem(long, 413, "limit_body").await;
    server.create("hero.glb", b"x".to_vec()).await;
    let lease = lease(&server).await;
    let answer = put(&server, &lease, "passwd", "x").await;
    problem(answer, 422, "unknown_file").await;
}
