//! Looking at a task, waiting for it, stopping it, listing.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::support::{PATIENCE, PuppetWorker, Setup, Strings, TestServer, problem};

async fn held() -> (TestServer, Strings) {
    let (worker, strings) = PuppetWorker::held();
    (Setup { worker: Arc::new(worker), ..Setup::default() }.start().await, strings)
}

/// The task once it has this many files.
async fn with_files(server: &TestServer, id: &str, count: u64) -> Value {
    let wait = async {
        loop {
            let task = server.task(id).await;
            if task["ready_count"] == count {
                return task;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

#[tokio::test]
async fn a_task_tells_everything_about_itself() {
    let server = TestServer::start().await;
    let id = server.create("hero.glb", b"x".to_vec()).await;
    let task = server.finished(&id).await;
    let mut keys: Vec<&String> = task.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "attempt",
            "created_at",
            "error",
            "files",
            "finished_at",
            "id",
            "kind",
            "name",
            "next_attempt_at",
            "owner",
            "pre_step",
            "progress",
            "quality",
            "queue",
            "ready_count",
            "revision",
            "stage",
            "started_at",
            "status",
            "timings",
            "title",
            "total_count",
            "urls",
            "video_ready",
            "visibility",
        ]
    );
    assert_eq!(
        (&task["status"], &task["progress"], &task["stage"]),
        (&json!("done"), &json!(100), &json!("export"))
    );
    assert_eq!((&task["ready_count"], &task["total_count"]), (&json!(3), &json!(3)));
    assert_eq!(
        (&task["queue"], &task["error"], &task["pre_step"], &task["quality"]),
        (&Value::Null, &Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(task["owner"], json!({"author_id": "local", "nickname": null}));
    assert_eq!(
        (&task["kind"], &task["visibility"], &task["revision"]),
        (&json!("rig"), &json!("unlisted"), &json!(1))
    );
    for time in ["created_at", "started_at", "finished_at"] {
        let text = task[time].as_str().unwrap();
        assert!(text.contains('T') && (text.ends_with('Z') || text.ends_with("+00:00")), "{time}: {text}");
    }
    let files: Vec<_> = task["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["index"].as_u64().unwrap(), f["key"].as_str().unwrap(), f["name"].as_str().unwrap()))
        .collect();
    assert_eq!(
        files,
        [
            (0, "rigged_glb", "hero_rigged.glb"),
            (9, "prepared_glb", "hero_model_prepared.glb"),
            (13, "report_json", "hero_report.json"),
        ]
    );
    let file = &task["files"][0];
    assert_eq!(
        (&file["price"], &file["purchased"], &file["may_download"]),
        (&json!(0), &json!(true), &json!(true))
    );
    assert_eq!((&file["mime"], file["sha256"].as_str().unwrap().len()), (&json!("model/gltf-binary"), 64));
    assert_eq!(file["url"], format!("/api/task/{id}/files/rigged_glb"));
}

#[tokio::test]
async fn a_task_that_has_not_changed_is_not_sent_again() {
    let (server, strings) = held().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    strings.step();
    with_files(&server, &id, 1).await;
    let answer = server.get(&format!("/api/task/{id}")).send().await.unwrap();
    let etag = answer.headers()["etag"].clone();
    assert_eq!(answer.headers()["cache-control"], "no-cache");
    let again = server.get(&format!("/api/task/{id}")).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["etag"], etag);
    assert_eq!(again.text().await.unwrap(), "");
    strings.step();
    server.finished(&id).await;
    let changed = server.get(&format!("/api/task/{id}")).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    assert_ne!(changed.headers()["etag"], etag);
}

#[tokio::test]
async fn whoever_waits_with_an_etag_is_answered_at_the_next_change() {
    let (server, strings) = held().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    strings.step();
    with_files(&server, &id, 1).await;
    let path = format!("/api/task/{id}");
    let etag = server.get(&path).send().await.unwrap().headers()["etag"].clone();
    let waiting = server.get(&format!("{path}?wait=30")).header("if-none-match", &etag).send();
    let (answer, ()) = tokio::join!(waiting, async { strings.step() });
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 200);
    assert_ne!(answer.headers()["etag"], etag);
}

#[tokio::test]
async fn whoever_waits_in_vain_gets_what_there_is() {
    let (server, _strings) = held().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    let answer = server.get(&format!("/api/task/{id}?wait=1")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let task: Value = answer.json().await.unwrap();
    assert_eq!(task["status"], "processing");
    let etag = server.get(&format!("/api/task/{id}")).send().await.unwrap().headers()["etag"].clone();
    let held =
        server.get(&format!("/api/task/{id}?wait=1")).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(held.status(), 304);
}

#[tokio::test]
async fn whoever_waits_without_an_etag_is_answered_when_it_is_over() {
    let (server, strings) = held().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    strings.step();
    strings.step();
    let task: Value =
        server.get(&format!("/api/task/{id}?wait=30")).send().await.unwrap().json().await.unwrap();
    assert_eq!(task["status"], "done");
}

#[tokio::test]
async fn a_waiting_task_knows_its_place_in_the_queue() {
    let (server, strings) = held().await;
    let first = server.create("a.glb", b"x".to_vec()).await;
    strings.step();
    with_files(&server, &first, 1).await;
    let second = server.create("b.glb", b"x".to_vec()).await;
    let third = server.create("c.glb", b"x".to_vec()).await;
    assert_eq!(server.task(&second).await["queue"]["position"], 1);
    assert_eq!(server.task(&third).await["queue"]["position"], 2);
    let queue: Value = server.get("/api/queue/status").send().await.unwrap().json().await.unwrap();
    assert_eq!(
        queue,
        json!({"queued": 2, "processing": 1, "workers_online": 1, "workers_free": 0, "workers_total": 1,
               "estimated_wait_seconds": null})
    );
    for _ in 0..5 {
        strings.step();
    }
    server.finished(&third).await;
}

#[tokio::test]
async fn a_task_can_be_stopped_once_and_stays_so() {
    let (server, strings) = held().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    strings.step();
    with_files(&server, &id, 1).await;
    for _ in 0..2 {
        let answer = server.post(&format!("/api/task/{id}/cancel")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], "cancelled");
    }
    // The one worker is free again.
    let next = server.create("b.glb", b"x".to_vec()).await;
    strings.step();
    strings.step();
    assert_eq!(server.finished(&next).await["status"], "done");
    problem(server.post(&format!("/api/task/{next}/cancel")).send().await.unwrap(), 409, "task_finished")
        .await;
}

#[tokio::test]
async fn the_history_is_newest_first_and_comes_in_pages() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(server.create(&format!("hero {n}.glb"), b"x".to_vec()).await);
    }
    ids.reverse();
    let (mut found, mut path) = (Vec::new(), "/api/history?limit=2".to_owned());
    loop {
        let page: Value = server.get(&path).send().await.unwrap().json().await.unwrap();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/history?limit=2&cursor={next}");
    }
    assert_eq!(found, ids);
    let newest = &server.history().await[0];
    let mut keys: Vec<&String> = newest.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        ["created_at", "error", "finished_at", "id", "progress", "stage", "status", "title", "urls"]
    );
    assert_eq!(newest["title"], "hero 4");
    assert_eq!(newest["urls"]["page"], format!("/task?id={}", ids[0]));
}

#[tokio::test]
async fn the_server_stops_although_someone_waits() {
    let (server, _strings) = held().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    let waiting = tokio::spawn(server.get(&format!("/api/task/{id}?wait=60")).send());
    let mut events = crate::support::sse::Stream::open(&server, &id, None).await;
    assert_eq!(events.next().await.unwrap().name, "queued");
    let begun = std::time::Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(30));
    events.rest().await;
    drop(waiting.await);
}

#[tokio::test]
async fn the_next_start_finishes_what_the_last_one_could_not_and_only_once() {
    let (server, strings) = held().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    strings.step();
    with_files(&server, &id, 1).await;
    let mut before = crate::support::sse::Stream::open(&server, &id, None).await;
    let seen = loop {
        let event = before.next().await.unwrap();
        if event.name == "file" {
            break event.id;
        }
    };
    let folder = server.stop().await;
    let server = Setup::default().start_in(folder).await;
    // A listener that comes back to the new server hears the rest of the story.
    let rest = crate::support::sse::Stream::open(&server, &id, Some(&seen)).await.rest().await;
    assert_eq!(rest.last().unwrap().name, "done");
    let task = server.task(&id).await;
    assert_eq!((&task["status"], &task["ready_count"]), (&json!("done"), &json!(3)));
    assert_eq!(rest.iter().filter(|event| event.name == "done").count(), 1);
}
