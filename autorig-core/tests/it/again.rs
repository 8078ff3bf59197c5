//! Restarting, making another, removing, editing, and the log of it all.

use std::time::Duration;

use autorig_core::{
    Error,
    task::{
        EventKind, NewTask, Owner, RetryPolicy, TaskId, TaskStatus, Visibility,
        lifecycle::{RESTART_AFTER, TASK_LIMIT},
    },
};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use crate::support::{World, create, file, keyed, soon, upload};

fn nobody() -> TaskId {
    TaskId(uuid::Uuid::nil())
}

/// A task that fails at its first attempt, for good.
async fn failed(world: &World) -> TaskId {
    world.worker.then(async |_, events, _| {
        file(&events, "prepared_glb").await?;
        Err(Error::input("no_character", "no character found", "send one"))
    });
    let id = world.create().await.id;
    world.until_status(id, TaskStatus::Error).await;
    id
}

#[tokio::test]
async fn a_restarted_task_runs_again_under_its_id_and_is_heard_to_its_real_end() {
    let world = World::new().await;
    world.start().await;
    let id = failed(&world).await;
    let early = world.tasks().restart(id, false).await.unwrap_err();
    assert_eq!((early.code.as_ref(), early.retry_after), ("restart_too_soon", Some(RESTART_AFTER)));
    world.clock.advance(RESTART_AFTER);
    let anew = world.tasks().restart(id, false).await.unwrap().unwrap();
    assert_eq!((anew.status, anew.error, anew.files.len()), (TaskStatus::Created, None, 0));
    let done = world.until_status(id, TaskStatus::Done).await;
    assert_eq!((done.attempt, done.failures, done.files.len()), (2, 0, 3));
    assert_eq!(world.results().await.len(), 3, "nothing of the first attempt is left");
    let heard: Vec<_> = soon("the end", world.tasks().events(id, 0).try_collect()).await.unwrap();
    let ends = heard.iter().filter(|event| event.kind.is_terminal()).count();
    assert_eq!((ends, &heard.last().unwrap().kind), (1, &EventKind::Done), "the first end was none");
    let refused = world.tasks().restart(id, true).await.unwrap_err();
    assert_eq!(refused.code, "task_not_restartable");
    assert_eq!(world.tasks().restart(nobody(), true).await.unwrap(), None);
}

#[tokio::test]
async fn a_stuck_task_is_taken_from_its_worker() {
    let world = World::new().await;
    world.worker.then(async |_, _, cancel| {
        cancel.cancelled().await;
        Err(Error::cancelled())
    });
    world.start().await;
    let id = world.create().await.id;
    world.until_status(id, TaskStatus::Processing).await;
    let early = world.tasks().restart(id, false).await.unwrap_err();
    assert_eq!((early.code.as_ref(), early.retry_after), ("restart_too_soon", Some(TASK_LIMIT)));
    world.tasks().restart(id, true).await.unwrap().unwrap();
    let done = world.until_status(id, TaskStatus::Done).await;
    assert_eq!((done.attempt, done.failures), (2, 0));
}

#[tokio::test]
async fn a_task_without_its_upload_is_neither_restarted_nor_made_again() {
    let world = World::new().await;
    world.start().await;
    let id = failed(&world).await;
    let task = world.task(id).await;
    world.blobs.delete(&task.input.blob).await.unwrap();
    assert_eq!(world.tasks().restart(id, true).await.unwrap_err().code, "input_gone");
    let another = NewTask::another(&task, Owner::local(), Value::Null);
    assert_eq!(create(&world, another).await.unwrap_err().code, "input_gone");
}

#[tokio::test]
async fn another_task_has_the_same_input_and_options_but_for_those_that_are_given() {
    let world = World::new().await;
    world.start().await;
    let mut new = NewTask::rig(upload("hero.glb", b"glTF model"));
    new.params = json!({"mode": "rig_only", "influences": 8});
    new.visibility = Visibility::Private;
    let first = create(&world, new).await.unwrap().task;
    let first = world.until_status(first.id, TaskStatus::Done).await;
    let mut another = NewTask::another(&first, Owner::local(), json!({"influences": 2}));
    another.idempotency_key = Some("again".to_owned());
    let second = create(&world, another).await.unwrap().task;
    assert_ne!((second.id, &second.input.blob), (first.id, &first.input.blob));
    assert_eq!((&second.input.name, &second.input.sha256), (&first.input.name, &first.input.sha256));
    assert_eq!((second.visibility, &second.params["mode"]), (Visibility::Private, &json!("rig_only")));
    assert_eq!(second.params["influences"], 2);
    let mut same = NewTask::another(&first, Owner::local(), json!({"influences": 2}));
    same.idempotency_key = Some("again".to_owned());
    let replay = create(&world, same).await.unwrap();
    assert_eq!((replay.task.id, replay.replayed), (second.id, true));
    assert!(world.tasks().delete(first.id).await.unwrap());
    world.until_status(second.id, TaskStatus::Done).await;
    for wrong in [json!({"influences": 99}), json!([1])] {
        let wrong = NewTask::another(&first, Owner::local(), wrong);
        assert_eq!(create(&world, wrong).await.unwrap_err().code, "invalid_option");
    }
}

#[tokio::test]
async fn a_deleted_task_leaves_nothing_and_is_stopped_first() {
    let world = World::new().await;
    world.worker.then(async |_, events, cancel| {
        file(&events, "prepared_glb").await?;
        cancel.cancelled().await;
        // A worker that is slow to stop.
        file(&events, "rigged_glb").await?;
        Err(Error::cancelled())
    });
    world.start().await;
    let id = create(&world, keyed("k", upload("a.glb", b"glTF"))).await.unwrap().task.id;
    world.until(id, "a file", |task| task.files.len() == 1).await;
    assert!(world.tasks().delete(id).await.unwrap());
    assert!(!world.tasks().delete(id).await.unwrap());
    assert_eq!(world.tasks().get(id).await.unwrap(), None);
    soon("the files to go", async {
        while !(world.results().await.is_empty() && world.uploads().await.is_empty()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let again = create(&world, keyed("k", upload("a.glb", b"glTF"))).await.unwrap_err();
    assert_eq!(again.code, "idempotency_key_reused");
    let next = world.create().await;
    world.until_status(next.id, TaskStatus::Done).await;
}

#[tokio::test]
async fn the_log_tells_everything_or_its_end() {
    let world = World::new().await;
    world.worker.then(async |_, _, _| Err(Error::temporary("worker_lost", "it went away", "wait")));
    world.start().await;
    let id = world.create().await.id;
    world.until(id, "the failure", |task| task.failures == 1).await;
    soon("the retry", async {
        while world.task(id).await.status != TaskStatus::Done {
            world.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    })
    .await;
    let log = world.tasks().log(id, None).await.unwrap().unwrap();
    let names: Vec<_> = log.iter().map(|event| event.kind.name()).collect();
    assert_eq!(names[..4], ["queued", "stage", "log", "queued"]);
    assert_eq!(names.last(), Some(&"done"));
    let EventKind::Log { message } = &log[2].kind else { panic!("a line") };
    assert_eq!(message, "attempt 1 failed: it went away (worker_lost)");
    let tail = world.tasks().log(id, Some(2)).await.unwrap().unwrap();
    assert_eq!(tail, log[log.len() - 2..]);
    assert_eq!(world.tasks().log(id, Some(0)).await.unwrap().unwrap(), []);
    assert_eq!(world.tasks().log(nobody(), None).await.unwrap(), None);
}

#[tokio::test]
async fn what_people_see_of_a_task_can_be_changed_at_any_time() {
    let world = World::new().await;
    let id = world.create().await.id;
    let edited = world.tasks().edit(id, Some(" Hero "), Some(Visibility::Private)).await.unwrap().unwrap();
    assert_eq!((edited.visibility, edited.version), (Visibility::Private, 1));
    assert_eq!(world.task(id).await.title.as_deref(), Some("Hero"));
    world.tasks().cancel(id).await.unwrap();
    let edited = world.tasks().edit(id, None, Some(Visibility::Public)).await.unwrap().unwrap();
    assert_eq!((edited.visibility, edited.status), (Visibility::Public, TaskStatus::Cancelled));
    assert_eq!(edited.title.as_deref(), Some("Hero"));
    assert_eq!(world.tasks().edit(id, Some(""), None).await.unwrap().unwrap().title, None);
    for wrong in ["a\nb", &"x".repeat(201)] {
        assert_eq!(world.tasks().edit(id, Some(wrong), None).await.unwrap_err().code, "invalid_title");
    }
    assert_eq!(world.tasks().edit(nobody(), None, None).await.unwrap(), None);
}

#[tokio::test]
async fn a_dead_letter_is_listed_and_replayed_with_all_its_retries() {
    let world = World::with(|builder| {
        let once = vec![Duration::from_secs(1)];
        builder.retry(RetryPolicy { temporary: once.clone(), rate_limit: once.clone(), unknown: once })
    })
    .await;
    world.start().await;
    for _ in 0..2 {
        world.worker.then(async |_, _, _| Err(Error::temporary("worker_crashed", "it is gone", "wait")));
    }
    let id = world.create().await.id;
    world.until(id, "the retry", |task| task.failures == 1).await;
    assert!(world.tasks().dead_letters(None, 5).await.unwrap().items.is_empty(), "it has not given up");
    soon("the end", async {
        while !world.task(id).await.status.is_terminal() {
            world.clock.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
    })
    .await;
    let letters = world.tasks().dead_letters(None, 5).await.unwrap().items;
    assert_eq!(letters.iter().map(|task| (task.id, task.failures)).collect::<Vec<_>>(), [(id, 2)]);
    world.tasks().replay(id).await.unwrap().unwrap();
    let done = world.until_status(id, TaskStatus::Done).await;
    assert_eq!((done.attempt, done.failures), (3, 0));
    assert!(world.tasks().dead_letters(None, 5).await.unwrap().items.is_empty());
    assert_eq!(world.tasks().replay(id).await.unwrap_err().code, "task_not_restartable");
    assert_eq!(world.tasks().replay(nobody()).await.unwrap(), None);
}
