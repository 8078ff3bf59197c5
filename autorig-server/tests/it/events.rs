//! Following a task live.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use crate::support::{
    PuppetWorker, Setup, TestServer, problem, puppet_content,
    sse::{Event, Stream},
};

fn names(events: &[Event]) -> Vec<&str> {
    let mut names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    // How often progress is told is the core's choice; a place in the queue is told whenever it changes.
    names.retain(|name| *name != "progress");
    names.dedup();
    names
}

#[tokio::test]
async fn the_story_is_told_from_the_beginning_to_the_end() {
    let server = TestServer::start().await;
    let id = server.create("hero.glb", b"x".to_vec()).await;
    let events = Stream::open(&server, &id, None).await.rest().await;
    assert_eq!(names(&events), ["queued", "stage", "file", "stage", "file", "done"]);
    let ids: Vec<u64> = events.iter().map(|event| event.id.parse().unwrap()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    let file = events.iter().find(|event| event.name == "file").unwrap();
    assert_eq!(
        file.data,
        json!({
            "key": "prepared_glb",
            "name": "hero_model_prepared.glb",
            "size": puppet_content("prepared_glb").len(),
            "url": format!("/api/task/{id}/files/prepared_glb"),
        })
    );
    let stage = events.iter().find(|event| event.name == "stage").unwrap();
    assert_eq!(stage.data["stage"], "read");
    assert!(stage.data["progress"].is_u64());
    assert_eq!(events.last().unwrap().data, json!({"status": "done"}));
}

#[tokio::test]
async fn whoever_comes_late_hears_the_same_and_whoever_comes_back_only_the_rest() {
    let server = TestServer::start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    server.finished(&id).await;
    let all = Stream::open(&server, &id, None).await.rest().await;
    assert!(all.len() > 3);
    for (heard, event) in all.iter().enumerate().take(all.len() - 1) {
        let rest = Stream::open(&server, &id, Some(&event.id)).await.rest().await;
        assert_eq!(rest, all[heard + 1..], "after {}", event.id);
    }
    for nonsense in ["", "x", "-1"] {
        assert_eq!(Stream::open(&server, &id, Some(nonsense)).await.rest().await, all);
    }
}

#[tokio::test]
async fn a_browser_that_has_heard_everything_is_told_not_to_come_back() {
    let server = TestServer::start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    server.finished(&id).await;
    let last = Stream::open(&server, &id, None).await.rest().await.pop().unwrap();
    for seen in [last.id.as_str(), "999999"] {
        let answer =
            server.get(&format!("/api/task/{id}/events")).header("last-event-id", seen).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }
}

#[tokio::test]
async fn events_come_as_they_happen() {
    let (worker, strings) = PuppetWorker::held();
    let server = Setup { worker: Arc::new(worker), ..Setup::default() }.start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    let mut stream = Stream::open(&server, &id, None).await;
    assert_eq!(stream.next().await.unwrap().name, "queued");
    strings.step();
    while stream.next().await.unwrap().name != "file" {}
    // Nothing follows before the worker goes on.
    assert_eq!(server.task(&id).await["ready_count"], 1);
    strings.step();
    let rest = stream.rest().await;
    assert_eq!(names(&rest), ["stage", "file", "done"]);
}

#[tokio::test]
async fn a_silent_stream_is_kept_open_by_comments() {
    let (worker, _strings) = PuppetWorker::held();
    let setup = Setup { worker: Arc::new(worker), heartbeat: Duration::from_millis(50), ..Setup::default() };
    let server = setup.start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    let mut stream = Stream::open(&server, &id, None).await;
    stream.comment().await;
}

#[tokio::test]
async fn a_stop_is_the_last_thing_that_is_told() {
    let (worker, strings) = PuppetWorker::held();
    let server = Setup { worker: Arc::new(worker), ..Setup::default() }.start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    let mut stream = Stream::open(&server, &id, None).await;
    strings.step();
    while stream.next().await.unwrap().name != "file" {}
    server.post(&format!("/api/task/{id}/cancel")).send().await.unwrap();
    let last = stream.rest().await.pop().unwrap();
    assert_eq!((last.name.as_str(), last.data), ("cancelled", json!({"status": "cancelled"})));
}

#[tokio::test]
async fn a_stream_of_no_task_is_a_problem_and_no_stream() {
    let server = TestServer::start().await;
    problem(server.get("/api/task/x/events").send().await.unwrap(), 404, "task_not_found").await;
}
