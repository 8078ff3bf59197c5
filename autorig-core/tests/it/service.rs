//! Creating tasks and reading them back.

use std::{sync::Arc, time::Duration};

use autorig_core::{
    Error,
    task::{EventKind, Input, NewTask, Owner, OwnerKind, TaskId, TaskStatus},
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Notify;

use crate::support::{World, create, keyed, soon, upload};

#[tokio::test]
async fn an_upload_becomes_a_waiting_task() {
    let world = World::new().await;
    let task = world.create().await;
    assert_eq!((task.status, task.attempt, task.version, task.total_count), (TaskStatus::Created, 0, 1, 16));
    assert_eq!((task.input.name.as_str(), task.input.size), ("hero.glb", 10));
    assert_eq!(task.params["influences"], 4, "left-out options are filled in");
    assert_eq!(world.task(task.id).await, task);
    assert_eq!(world.uploads().await, [task.input.blob]);
    let queue = world.tasks().queue_status().await.unwrap();
    assert_eq!((queue.queued, queue.processing, queue.estimated_wait_seconds), (1, 0, None));
    assert_eq!(world.tasks().queue_position(task.id).await.unwrap().unwrap().position, 1);
}

#[tokio::test]
async fn a_bad_call_is_refused_and_leaves_nothing() {
    let world = World::new().await;
    let cut = || {
        let body =
            stream::iter([Ok(Bytes::from_static(b"glTF")), Err(Error::upload_cut_off("test"))]).boxed();
        Input::Upload { name: "hero.glb".to_owned(), body }
    };
    let with = |params| NewTask { params, ..NewTask::rig(upload("hero.glb", b"x")) };
    let calls = [
        ("upload_cut_off", NewTask::rig(cut())),
        ("upload_cut_off", keyed("k", cut())),
        ("empty_file", NewTask::rig(upload("hero.glb", b""))),
        ("unknown_option", with(serde_json::json!({"colour": "red"}))),
        ("invalid_option", with(serde_json::json!({"influences": 9}))),
        ("unknown_kind", NewTask { kind: "bake".to_owned(), ..NewTask::rig(upload("a", b"x")) }),
        ("invalid_idempotency_key", keyed("", upload("a", b"x"))),
        ("invalid_idempotency_key", keyed(&"k".repeat(256), upload("a", b"x"))),
        ("link_invalid", NewTask::rig(Input::Link("file:///etc/passwd".to_owned()))),
        ("link_invalid", NewTask::rig(Input::Link("not a link".to_owned()))),
        ("link_forbidden_address", NewTask::rig(Input::Link("http://127.0.0.1:1/a.glb".to_owned()))),
    ];
    for (code, new) in calls {
        let error = create(&world, new).await.unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(!error.remedy.is_empty());
    }
    let owner = Owner::local();
    assert!(world.tasks().history(&owner, None, 10).await.unwrap().items.is_empty());
    assert!(world.uploads().await.is_empty());
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused() {
    let world = World::with(|builder| builder.upload_limit(4)).await;
    let error = create(&world, NewTask::rig(upload("a.glb", b"12345"))).await.unwrap_err();
    assert_eq!(error.code, "limit_file_size");
    create(&world, NewTask::rig(upload("a.glb", b"1234"))).await.unwrap();
}

#[tokio::test]
async fn the_same_call_twice_makes_one_task() {
    let world = World::new().await;
    let first = create(&world, keyed("k", upload("a.glb", b"model"))).await.unwrap();
    let second = create(&world, keyed("k", upload("a.glb", b"model"))).await.unwrap();
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!(first.task, second.task);
    let stranger = Owner { kind: OwnerKind::Anonymous, id: "s".to_owned() };
    let other = NewTask { owner: stranger, ..keyed("k", upload("a.glb", b"model")) };
    assert!(!create(&world, other).await.unwrap().replayed, "another caller's key is another key");
    assert_eq!(world.uploads().await.len(), 2);
}

#[tokio::test]
async fn an_idempotency_key_for_something_else_is_refused() {
    let world = World::new().await;
    create(&world, keyed("k", upload("a.glb", b"model"))).await.unwrap();
    let options = serde_json::json!({"influences": 8});
    for other in [
        keyed("k", upload("a.glb", b"other")),
        keyed("k", upload("b.glb", b"model")),
        NewTask { params: options, ..keyed("k", upload("a.glb", b"model")) },
    ] {
        assert_eq!(create(&world, other).await.unwrap_err().code, "idempotency_key_reused");
    }
    assert_eq!(world.uploads().await.len(), 1);
}

#[tokio::test]
async fn a_second_call_while_the_first_runs_is_told_to_wait_and_a_failed_first_may_be_repeated() {
    let world = World::new().await;
    let begun = Arc::new(Notify::new());
    let told = begun.clone();
    let body = stream::once(async move {
        told.notify_one();
        Ok(Bytes::from_static(b"half"))
    });
    let body = body.chain(stream::pending()).boxed();
    let slow = keyed("k", Input::Upload { name: "a.glb".to_owned(), body });
    let tasks = world.tasks().clone();
    let first = tokio::spawn(async move { tasks.create(slow).await });
    soon("the first call to begin", begun.notified()).await;
    let second = create(&world, keyed("k", upload("a.glb", b"model"))).await;
    assert_eq!(second.unwrap_err().code, "idempotency_key_running");
    first.abort();
    let created = soon("the key to be free again", async {
        loop {
            match create(&world, keyed("k", upload("a.glb", b"model"))).await {
                Ok(created) => break created,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    assert!(!created.replayed);
    assert_eq!(world.uploads().await, [created.task.input.blob]);
}

#[tokio::test]
async fn history_is_the_owners_newest_first_with_a_cursor() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(1));
        made.push(world.create().await.id);
    }
    made.reverse();
    let owner = Owner::local();
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = world.tasks().history(&owner, cursor.as_deref(), 2).await.unwrap();
        seen.extend(page.items.iter().map(|task| task.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, made);
    for wrong in ["", "x", "1.x", "9999999999999999999999.0"] {
        let error = world.tasks().history(&owner, Some(wrong), 2).await.unwrap_err();
        assert_eq!(error.code, "invalid_cursor");
    }
}

#[tokio::test]
async fn a_task_is_followed_from_the_queue_to_its_end() {
    let world = World::new().await;
    let ahead = world.create().await;
    let task = world.create().await;
    let mut events = world.tasks().events(task.id, 0);
    let first = soon("the first event", events.next()).await.unwrap().unwrap();
    assert_eq!(first.id, 1);
    assert_eq!(first.kind, EventKind::Queued { position: Some(2), next_attempt_at: None });
    world.tasks().cancel(ahead.id).await.unwrap();
    let moved = soon("the new position", events.next()).await.unwrap().unwrap();
    assert_eq!(moved.kind, EventKind::Queued { position: Some(1), next_attempt_at: None });
    assert_eq!(moved.id, 1, "a position is no event of its own to resume from");
    world.start().await;
    let rest: Vec<_> = soon("the end", events.try_collect()).await.unwrap();
    let kinds: Vec<&str> = rest.iter().map(|event| event.kind.name()).collect();
    assert_eq!(kinds.first(), Some(&"stage"));
    assert_eq!(kinds.iter().filter(|kind| **kind == "file").count(), 3);
    assert_eq!(kinds.last(), Some(&"done"));
    assert!(rest.is_sorted_by(|a, b| a.id < b.id));
    let file = rest.iter().find(|event| event.kind.name() == "file").unwrap();
    let resumed: Vec<_> =
        soon("the end", world.tasks().events(task.id, file.id).try_collect()).await.unwrap();
    assert_eq!(resumed.first().unwrap().id, rest[rest.iter().position(|e| e.id > file.id).unwrap()].id);
    assert_eq!(resumed.last().unwrap().kind, EventKind::Done);
    let end = rest.last().unwrap().id;
    let none: Vec<_> = soon("the end", world.tasks().events(task.id, end).try_collect()).await.unwrap();
    assert!(none.is_empty(), "nothing after the end");
    let unknown = world.tasks().events(TaskId(uuid::Uuid::nil()), 0);
    assert!(soon("the end", unknown.try_collect::<Vec<_>>()).await.unwrap().is_empty());
}

#[tokio::test]
async fn results_can_be_read_whole_and_in_part() {
    let world = World::new().await;
    world.start().await;
    let task = world.create().await;
    let task = world.until_status(task.id, TaskStatus::Done).await;
    let keys: Vec<_> = task.files.iter().map(|file| (file.index, file.key.as_str())).collect();
    assert_eq!(keys, [(0, "rigged_glb"), (9, "prepared_glb"), (13, "report_json")]);
    assert_eq!(task.files[1].name, "hero_model_prepared.glb");
    let open = world.tasks().open_file(task.id, "rigged_glb", Some(6..8)).await.unwrap().unwrap();
    let bytes: Vec<Bytes> = open.body.try_collect().await.unwrap();
    assert_eq!((bytes.concat().as_slice(), open.file.size), (&b"of"[..], 19));
    assert!(world.tasks().open_file(task.id, "vrm", None).await.unwrap().is_none());
    let nobody = TaskId(uuid::Uuid::nil());
    assert!(world.tasks().open_file(nobody, "vrm", None).await.unwrap().is_none());
    world.blobs.delete(&task.files[0].blob).await.unwrap();
    assert!(world.tasks().open_file(task.id, "rigged_glb", None).await.is_err());
}

#[tokio::test]
async fn waiting_ends_with_a_change_or_with_its_time() {
    let world = World::new().await;
    let task = world.create().await;
    let unseen = world.tasks().wait(task.id, None, Duration::from_secs(30)).await.unwrap();
    assert_eq!(unseen.unwrap().version, 1);
    let tasks = world.tasks().clone();
    let waiting = tokio::spawn(async move { tasks.wait(task.id, Some(1), Duration::from_secs(30)).await });
    soon("the wait to begin", async {
        while world.clock.sleepers() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(soon("the time to pass", waiting).await.unwrap().unwrap().unwrap().version, 1);
    let tasks = world.tasks().clone();
    let waiting = tokio::spawn(async move { tasks.wait(task.id, Some(1), Duration::from_secs(30)).await });
    world.tasks().cancel(task.id).await.unwrap();
    let changed = soon("the change", waiting).await.unwrap().unwrap().unwrap();
    assert_eq!((changed.version, changed.status), (2, TaskStatus::Cancelled));
    let nobody = world.tasks().wait(TaskId(uuid::Uuid::nil()), Some(1), Duration::from_secs(30)).await;
    assert_eq!(nobody.unwrap(), None);
}

#[tokio::test]
async fn a_builder_without_a_store_says_what_is_missing() {
    let error = autorig_core::AutoRig::builder().build().await.err().unwrap();
    assert_eq!(error.code, "incomplete_builder");
}
