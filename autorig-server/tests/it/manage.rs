//! Beginning anew, making another, editing, removing, and the log.

use std::sync::Arc;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{PuppetWorker, Setup, TestServer, problem, sse};

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

async fn call(server: &TestServer, method: Method, path: &str, body: Option<Value>) -> Response {
    let request = server.http.request(method, format!("{}{path}", server.url));
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.unwrap()
}

#[tokio::test]
async fn another_task_is_made_of_the_same_upload_with_other_options() {
    let server = TestServer::start().await;
    let first = server.create("hero.glb", b"x".to_vec()).await;
    server.finished(&first).await;
    let path = format!("/api/task/{first}/retry");
    let again = async || {
        let body = json!({"influences": 2, "visibility": "private"});
        server.post(&path).header("idempotency-key", "k").json(&body).send().await.unwrap()
    };
    let answer = again().await;
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let second: Value = answer.json().await.unwrap();
    let second = second["task_id"].as_str().unwrap();
    assert_eq!(location, format!("/api/task/{second}"));
    let replay = again().await;
    assert_eq!(replay.headers()["idempotent-replayed"], "true");
    let task = server.finished(second).await;
    assert_eq!((&task["status"], &task["visibility"]), (&json!("done"), &json!("private")));
    assert_eq!((&task["name"], &task["total_count"]), (&json!("hero"), &json!(3)));
    let plain = server.post(&path).send().await.unwrap();
    assert_eq!(plain.status(), 202, "no body changes nothing");
    assert_eq!(server.history().await.len(), 3);
}

#[tokio::test]
async fn another_task_with_a_wrong_option_is_refused_by_its_name() {
    let server = TestServer::start().await;
    let first = server.create("hero.glb", b"x".to_vec()).await;
    let path = format!("/api/task/{first}/retry");
    let retry = async |body: Value| call(&server, Method::POST, &path, Some(body)).await;
    assert_eq!(problem(retry(json!({"colour": 1})).await, 422, "unknown_option").await["param"], "colour");
    problem(retry(json!({"influences": 99})).await, 422, "invalid_option").await;
    problem(retry(json!({"visibility": "secret"})).await, 422, "invalid_option").await;
    problem(retry(json!([1])).await, 400, "invalid_json").await;
    let text = server.post(&path).header("content-type", "text/plain").body("x").send().await.unwrap();
    problem(text, 415, "unsupported_media_type").await;
    assert_eq!(server.history().await.len(), 1);
}

#[tokio::test]
async fn a_task_that_is_done_is_not_restarted_and_a_local_one_that_works_is_at_once() {
    let (worker, strings) = PuppetWorker::held();
    let server = Setup { worker: Arc::new(worker), ..Setup::default() }.start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    let path = format!("/api/task/{id}/restart");
    let mut events = sse::Stream::open(&server, &id, None).await;
    while events.next().await.unwrap().name != "stage" {}
    let anew: Value = call(&server, Method::POST, &path, None).await.json().await.unwrap();
    assert_eq!(anew["status"], "created");
    strings.step();
    strings.step();
    assert_eq!(server.finished(&id).await["attempt"], 2);
    problem(call(&server, Method::POST, &path, None).await, 409, "task_not_restartable").await;
}

#[tokio::test]
async fn a_removed_task_is_gone_with_everything() {
    let server = TestServer::start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    server.finished(&id).await;
    let path = format!("/api/task/{id}");
    let answer = call(&server, Method::DELETE, &path, None).await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (204, String::new()));
    problem(call(&server, Method::DELETE, &path, None).await, 404, "task_not_found").await;
    problem(server.get(&format!("{path}/events")).send().await.unwrap(), 404, "task_not_found").await;
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn who_may_see_a_task_is_chosen_with_it_and_edited_later() {
    let server = TestServer::start().await;
    let form = reqwest::multipart::Form::new()
        .text("visibility", "private")
        .part("file", reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("a.glb"));
    let made: Value =
        server.post("/api/task/create").multipart(form).send().await.unwrap().json().await.unwrap();
    let id = made["task_id"].as_str().unwrap();
    assert_eq!(server.finished(id).await["visibility"], "private");
    let path = format!("/api/task/{id}");
    let etag = server.get(&path).send().await.unwrap().headers()["etag"].clone();
    let edit = async |body: Value| call(&server, Method::PATCH, &path, Some(body)).await;
    let edited: Value = edit(json!({"visibility": "public"})).await.json().await.unwrap();
    assert_eq!(edited["visibility"], "public");
    let held = server.get(&path).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(held.status(), 200, "the tag has changed with it");
    let same: Value = edit(json!({})).await.json().await.unwrap();
    assert_eq!(same["visibility"], "public");
    assert_eq!(edit(json!({"visibility": "secret"})).await.status(), 400);
    assert_eq!(edit(json!({"status": "done"})).await.status(), 400, "nothing else can be edited");
}

#[tokio::test]
async fn the_log_says_in_words_what_has_happened() {
    let server = TestServer::start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    server.finished(&id).await;
    let log = async |query: &str| -> Value {
        let path = format!("/api/task/{id}/progress_log{query}");
        server.get(&path).send().await.unwrap().json().await.unwrap()
    };
    let all = log("").await;
    assert_eq!(all["task_id"], id);
    let lines = all["lines"].as_array().unwrap();
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!((events[0], events[1], events[events.len() - 1]), ("queued", "stage", "done"));
    assert_eq!(lines[0]["text"], "waits for a worker");
    assert!(lines.iter().any(|line| line["text"].as_str().unwrap().starts_with("a_rigged.glb is ready (")));
    assert_eq!(log("?tail=2").await["lines"], json!(lines[lines.len() - 2..]));
    let answer = server.get(&format!("/api/task/{id}/progress_log?tail=-1")).send().await.unwrap();
    problem(answer, 400, "invalid_parameter").await;
}

#[tokio::test]
async fn nothing_can_be_done_with_a_task_that_does_not_exist() {
    let server = TestServer::start().await;
    for id in [NOBODY, "x"] {
        for (method, rest) in [
            (Method::POST, "/restart"),
            (Method::POST, "/retry"),
            (Method::POST, "/cancel"),
            (Method::DELETE, ""),
            (Method::GET, "/progress_log"),
        ] {
            let answer = call(&server, method, &format!("/api/task/{id}{rest}"), None).await;
            problem(answer, 404, "task_not_found").await;
        }
        let answer = call(&server, Method::PATCH, &format!("/api/task/{id}"), Some(json!({}))).await;
        problem(answer, 404, "task_not_found").await;
    }
}
