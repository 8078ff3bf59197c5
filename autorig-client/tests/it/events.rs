//! Events that go on after a lost connection.

use autorig_client::{EventKind, Events, Status};

use crate::{
    client,
    script::{Script, answer, stream},
};

async fn collect(mut events: Events) -> Vec<String> {
    let mut kinds = Vec::new();
    while let Some(event) = events.next().await.unwrap() {
        kinds.push(match event.kind {
            EventKind::Queued { position } => format!("queued {}", position.unwrap()),
            EventKind::Stage { stage, progress } => format!("stage {stage} {progress}"),
            EventKind::Progress { progress, .. } => format!("progress {progress}"),
            EventKind::File { key, .. } => format!("file {key}"),
            EventKind::Done { status } => format!("done {status}"),
            EventKind::Error(error) => format!("error {}", error.code),
            other => format!("{other:?}"),
        });
    }
    assert!(events.next().await.unwrap().is_none(), "the end is the end");
    kinds
}

#[tokio::test]
async fn a_lost_connection_is_resumed_after_the_last_event() {
    let first = "id: 1\nevent: queued\ndata: {\"position\": 1}\n\n\
                 id: 2\nevent: stage\ndata: {\"stage\": \"read\", \"progress\": 0}\n\nid: 3\nevent: sta";
    let second = "id: 3\nevent: stage\ndata: {\"stage\": \"skin\", \"progress\": 60.5}\n\n: beat\n\n\
                  id: 4\nevent: file\ndata: {\"key\": \"rigged_glb\", \"name\": \"a\", \"size\": 1, \"url\": \"/\"}\n\n\
                  id: 5\nevent: done\ndata: {\"status\": \"done\"}\n\n";
    let task = br#"{"id": "t", "status": "processing"}"#;
    let script =
        Script::start(vec![stream(first), answer("200 OK", "", task.len(), task), stream(second)]).await;
    let kinds = collect(client(&script.url).events("t")).await;
    assert_eq!(kinds, ["queued 1", "stage read 0", "stage skin 60.5", "file rigged_glb", "done done"]);
    let requests = script.requests();
    assert!(!requests[0].contains("last-event-id"));
    assert!(requests[2].contains("last-event-id: 2"));
}

#[tokio::test]
async fn a_failure_and_a_cancel_are_ends() {
    let error = "event: error\ndata: {\"class\": \"user_violation\", \"code\": \"no_geometry\", \
                 \"message\": \"m\", \"remedy\": \"r\"}\n\nevent: stage\ndata: {\"stage\": \"read\"}\n\n";
    let script = Script::start(vec![stream(error), stream("event: cancelled\ndata: {}\n\n")]).await;
    let client = client(&script.url);
    assert_eq!(collect(client.events("t")).await, ["error no_geometry"]);
    let event = client.events("t").next().await.unwrap().unwrap();
    assert_eq!(event.kind, EventKind::Done { status: Status::Cancelled });
}

#[tokio::test]
async fn a_server_that_only_hangs_up_is_given_up() {
    let script = Script::start(vec![stream("id: 1\nev"); 3]).await;
    let mut events = client(&script.url).events("t");
    assert!(events.next().await.is_err());
}
