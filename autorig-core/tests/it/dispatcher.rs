//! What happens by itself: hand-out, retries, leases, cancelling, crashes.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use autorig_core::{
    Class, Error, Kind,
    store::{Claim, SqliteStore, Store, Tasks},
    task::{Stage, TaskStatus},
};
use tokio::sync::{Notify, oneshot};

use crate::support::{World, everything, file, progress, soon};

fn failing(class: Class) -> Error {
    Error::new(class, Kind::Internal, "scripted", "it failed", "wait")
}

/// Waits until the clock has a sleeper, that is, until the dispatcher waits for time to pass.
async fn advance(world: &World, seconds: u64) {
    soon("the dispatcher to wait", async {
        while world.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    world.clock.advance(Duration::from_secs(seconds));
}

#[tokio::test]
async fn a_task_is_handed_out_at_once_and_done_once() {
    let world = World::new().await;
    world.start().await;
    let task = world.create().await;
    let done = world.until_status(task.id, TaskStatus::Done).await;
    assert_eq!((done.attempt, done.failures, done.progress, done.error), (1, 0, 100, None));
    assert_eq!(*world.worker.attempts.lock().unwrap(), [(task.id, 1)]);
    assert_eq!(world.results().await.len(), 3);
}

#[tokio::test]
async fn tasks_created_before_the_start_are_done_in_their_order() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.create().await.id);
        world.clock.advance(Duration::from_secs(1));
    }
    world.start().await;
    world.until_status(ids[2], TaskStatus::Done).await;
    let order: Vec<_> = world.worker.attempts.lock().unwrap().iter().map(|(id, _)| *id).collect();
    assert_eq!(order, ids);
}

#[tokio::test]
async fn a_temporary_failure_is_tried_four_more_times_and_then_told() {
    let world = World::new().await;
    for _ in 0..5 {
        world.worker.then(|_, events, _| async move {
            file(&events, "prepared_glb").await?;
            Err(failing(Class::Temporary))
        });
    }
    world.start().await;
    let task = world.create().await;
    for (failures, delay) in [(1, 5), (2, 10), (3, 20), (4, 40)] {
        let waiting = world
            .until(task.id, "the retry", |task| {
                task.failures == failures && task.status == TaskStatus::Created
            })
            .await;
        let at = waiting.next_attempt_at.unwrap();
        let wait = (at - waiting.created_at).num_milliseconds();
        assert!(waiting.files.is_empty(), "files of a failed attempt are let go");
        assert!(wait >= delay * 1000, "attempt {failures} waits {wait} ms");
        // The jitter adds at most a tenth.
        advance(&world, u64::try_from(delay + delay / 10 + 1).unwrap()).await;
    }
    let failed = world.until_status(task.id, TaskStatus::Error).await;
    assert_eq!((failed.attempt, failed.failures), (5, 5));
    assert_eq!(failed.error.unwrap().code, "scripted");
    soon("tidying", async {
        while world.results().await.len() != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_users_fault_and_an_empty_purse_are_final_at_once() {
    for class in [Class::UserViolation, Class::Billing] {
        let world = World::new().await;
        world.worker.then(move |_, _, _| async move { Err(failing(class)) });
        world.start().await;
        let task = world.create().await;
        let failed = world.until_status(task.id, TaskStatus::Error).await;
        assert_eq!((failed.attempt, failed.error.unwrap().class), (1, class));
    }
}

#[tokio::test]
async fn a_worker_that_panics_or_forgets_a_file_is_an_error_of_ours() {
    let world = World::new().await;
    world.worker.then(|_, _, _| async { panic!("a defect") });
    world.worker.then(|_, events, _| async move { file(&events, "rigged_glb").await });
    world.worker.then(|_, events, _| async move { file(&events, "nonsense").await });
    world.start().await;
    let task = world.create().await;
    for (failures, code, word) in
        [(1, "worker_panicked", "defect"), (2, "internal", "report_json"), (3, "internal", "nonsense")]
    {
        let waiting = world
            .until(task.id, "the retry", |task| {
                task.failures == failures && task.status == TaskStatus::Created
            })
            .await;
        assert_eq!(waiting.error, None, "told only after the last attempt");
        let error = waiting.last_failure.unwrap();
        assert_eq!((error.class, error.code.as_str()), (Class::Unknown, code));
        assert!(error.message.contains(word), "{error:?}");
        advance(&world, 30).await;
    }
    let done = world.until_status(task.id, TaskStatus::Done).await;
    assert_eq!((done.attempt, done.last_failure), (4, None));
    assert!(done.files.iter().all(|file| file.blob.contains("/4/")));
}

#[tokio::test]
async fn progress_never_falls_and_is_kept_no_more_often_than_useful() {
    let world = World::new().await;
    let clock = world.clock.clone();
    world.worker.then(move |_, events, _| async move {
        progress(&events, Stage::Read, 0.10).await?;
        progress(&events, Stage::Read, 0.11).await?;
        clock.advance(Duration::from_millis(150));
        progress(&events, Stage::Read, 0.05).await?;
        progress(&events, Stage::Read, 0.12).await?;
        progress(&events, Stage::Skeleton, 0.02).await?;
        progress(&events, Stage::Analyse, f32::NAN).await?;
        clock.advance(Duration::from_millis(150));
        progress(&events, Stage::Skeleton, 7.0).await?;
        everything(&events).await
    });
    let task = world.create().await;
    let mut events = world.tasks().events(task.id, 0);
    world.start().await;
    let mut seen = Vec::new();
    soon("the end", async {
        use autorig_core::task::EventKind;
        use futures_util::StreamExt;
        while let Some(event) = events.next().await {
            if let EventKind::Stage { stage, progress } | EventKind::Progress { stage, progress } =
                event.unwrap().kind
            {
                seen.push((stage, progress));
            }
        }
    })
    .await;
    assert!(seen.is_sorted(), "{seen:?}");
    let done = world.until_status(task.id, TaskStatus::Done).await;
    assert_eq!(done.timings.values().sum::<u64>(), 300, "{:?}", done.timings);
}

#[tokio::test]
async fn a_lease_without_a_sign_of_life_ends_and_the_late_worker_changes_nothing() {
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    let world = World::over(store.clone(), |builder| builder).await;
    let task = world.create().await;
    // Another node takes the task and is never heard of again.
    let now = autorig_core::clock::Clock::now(world.clock.as_ref());
    let claim = Claim {
        node: "elsewhere".to_owned(),
        kinds: vec!["rig".to_owned()],
        limit: 1,
        per_owner: None,
        now,
        lease_until: now + Duration::from_secs(60),
    };
    assert_eq!(store.claim(&claim).await.unwrap().len(), 1);
    world.start().await;
    advance(&world, 30).await;
    assert_eq!(world.task(task.id).await.status, TaskStatus::Processing);
    advance(&world, 31).await;
    let done = world.until_status(task.id, TaskStatus::Done).await;
    assert_eq!((done.attempt, done.failures), (2, 1));
    assert!(!store.renew(task.id, 1, now).await.unwrap());
}

#[tokio::test]
async fn heartbeats_keep_a_long_rig_alive() {
    let world = World::new().await;
    let (go, gone) = oneshot::channel::<()>();
    world.worker.then(|_, events, _| async move {
        gone.await.unwrap();
        everything(&events).await
    });
    world.start().await;
    let task = world.create().await;
    let begun = world.until_status(task.id, TaskStatus::Processing).await;
    let mut lease = begun.lease_until.unwrap();
    // It is claimed before it begins, and only then does its heart beat.
    soon("the worker", async {
        while world.worker.attempts.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for _ in 0..12 {
        advance(&world, 20).await;
        lease = soon("the heartbeat", async {
            loop {
                let task = world.task(task.id).await;
                assert_eq!(task.attempt, 1);
                match task.lease_until {
                    Some(until) if until > lease => break until,
                    _ => tokio::task::yield_now().await,
                }
            }
        })
        .await;
    }
    go.send(()).unwrap();
    assert_eq!(world.until_status(task.id, TaskStatus::Done).await.attempt, 1);
}

#[tokio::test]
async fn an_attempt_that_lost_its_task_is_stopped_and_its_files_removed() {
    let world = World::new().await;
    let stopped = Arc::new(Notify::new());
    let told = stopped.clone();
    world.worker.then(|_, events, cancel| async move {
        file(&events, "prepared_glb").await?;
        cancel.cancelled().await;
        told.notify_one();
        // A late worker goes on as if nothing had happened.
        everything(&events).await
    });
    world.start().await;
    let task = world.create().await;
    world.until(task.id, "the file", |task| !task.files.is_empty()).await;
    // Another node believes the lease has ended.
    let error = autorig_core::task::TaskError::from(&failing(Class::Temporary));
    let at = autorig_core::clock::Clock::now(world.clock.as_ref());
    let event = autorig_core::task::lifecycle::Event::Retry { attempt: 1, error, at };
    world.store.apply(task.id, &event, at, &[]).await.unwrap();
    advance(&world, 20).await;
    soon("the stop", stopped.notified()).await;
    let done = world.until_status(task.id, TaskStatus::Done).await;
    assert_eq!(done.attempt, 2);
    let results = world.results().await;
    assert!(results.len() == 3 && results.iter().all(|blob| blob.contains("/2/")), "{results:?}");
}

#[tokio::test]
async fn cancelling_stops_the_worker_and_frees_its_slot() {
    let world = World::new().await;
    let stopped = Arc::new(Mutex::new(false));
    let told = stopped.clone();
    world.worker.then(|_, _, cancel| async move {
        cancel.cancelled().await;
        *told.lock().unwrap() = true;
        Err(Error::cancelled())
    });
    world.start().await;
    let task = world.create().await;
    world.until_status(task.id, TaskStatus::Processing).await;
    let cancelled = world.tasks().cancel(task.id).await.unwrap().unwrap();
    assert_eq!(cancelled.status, TaskStatus::Cancelled);
    let next = world.create().await;
    world.until_status(next.id, TaskStatus::Done).await;
    assert!(*stopped.lock().unwrap());
    let again = world.tasks().cancel(task.id).await.unwrap().unwrap();
    assert_eq!(again, cancelled, "cancelling twice changes nothing");
    assert_eq!(world.tasks().cancel(next.id).await.unwrap_err().code, "task_finished");
    assert_eq!(world.task(task.id).await, cancelled);
    assert_eq!(*world.worker.attempts.lock().unwrap(), [(task.id, 1), (next.id, 1)]);
}

#[tokio::test]
async fn every_worker_gets_what_it_has_room_for() {
    let second = crate::support::Scripted::new();
    let other = second.clone();
    let world = World::with(|builder| builder.worker(other)).await;
    world.worker.then(|_, _, _| pending());
    // Both wait before the start, so that one round hands out both: the first worker takes the older one.
    let stuck = world.create().await;
    let next = world.create().await;
    world.start().await;
    world.until_status(next.id, TaskStatus::Done).await;
    world.until_status(stuck.id, TaskStatus::Processing).await;
    assert_eq!(*second.attempts.lock().unwrap(), [(next.id, 1)]);
    assert_eq!(world.tasks().queue_status().await.unwrap().workers_total, 2);
}

#[tokio::test]
async fn a_waiting_task_can_be_cancelled() {
    let world = World::new().await;
    let task = world.create().await;
    world.tasks().cancel(task.id).await.unwrap();
    world.start().await;
    let next = world.create().await;
    world.until_status(next.id, TaskStatus::Done).await;
    assert_eq!(world.task(task.id).await.attempt, 0);
    let nobody = autorig_core::task::TaskId(uuid::Uuid::nil());
    assert!(world.tasks().cancel(nobody).await.unwrap().is_none());
}

#[tokio::test]
async fn after_a_crash_the_next_start_goes_on_at_once() {
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    let crashed = World::over(store.clone(), |builder| builder.node("me")).await;
    crashed.worker.then(|_, _, _| pending());
    crashed.start().await;
    let task = crashed.create().await;
    crashed.until_status(task.id, TaskStatus::Processing).await;
    // A crash: nothing is said, nothing is given back.
    drop(crashed);
    assert_eq!(store.held_by("me").await.unwrap().len(), 1);
    let next = World::over(store, |builder| builder.node("me")).await;
    next.start().await;
    let done = next.until_status(task.id, TaskStatus::Done).await;
    assert_eq!((done.attempt, done.failures), (2, 1));
    assert_eq!(*next.worker.attempts.lock().unwrap(), [(task.id, 2)]);
}

#[tokio::test]
async fn a_task_that_crashes_every_server_is_given_up() {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().await.unwrap());
    let mut id = None;
    for _ in 0..5 {
        let world = World::over(store.clone(), |builder| builder).await;
        world.worker.then(|_, _, _| pending());
        world.start().await;
        let id = match id {
            Some(id) => id,
            None => *id.insert(world.create().await.id),
        };
        world.until_status(id, TaskStatus::Processing).await;
    }
    let world = World::over(store, |builder| builder).await;
    world.start().await;
    let given_up = world.until_status(id.unwrap(), TaskStatus::Error).await;
    assert_eq!((given_up.failures, given_up.error.unwrap().code.as_str()), (5, "worker_lost"));
}

#[tokio::test]
async fn a_shutdown_waits_then_gives_back_without_counting_a_failure() {
    let world = World::new().await;
    world.worker.then(|_, events, cancel| async move {
        file(&events, "prepared_glb").await?;
        cancel.cancelled().await;
        Err(Error::cancelled())
    });
    world.start().await;
    let task = world.create().await;
    world.until(task.id, "the file", |task| !task.files.is_empty()).await;
    soon("the shutdown", world.autorig.shutdown(Duration::ZERO)).await;
    let released = world.task(task.id).await;
    assert_eq!((released.status, released.failures, released.attempt), (TaskStatus::Created, 0, 1));
    assert!(released.files.is_empty() && world.results().await.is_empty());
}

#[tokio::test]
async fn a_shutdown_lets_what_is_nearly_done_finish() {
    let world = World::new().await;
    let (go, gone) = oneshot::channel::<()>();
    world.worker.then(|_, events, _| async move {
        gone.await.unwrap();
        everything(&events).await
    });
    world.start().await;
    let task = world.create().await;
    world.until_status(task.id, TaskStatus::Processing).await;
    let shutdown = world.autorig.shutdown(Duration::from_secs(60));
    let finish = async {
        tokio::task::yield_now().await;
        go.send(()).unwrap();
    };
    soon("the shutdown", async { tokio::join!(shutdown, finish) }).await;
    assert_eq!(world.task(task.id).await.status, TaskStatus::Done);
    let waiting = world.create().await;
    assert_eq!(world.task(waiting.id).await.status, TaskStatus::Created, "nothing is handed out any more");
}

#[tokio::test]
async fn the_estimate_is_measured_from_recent_tasks() {
    let world = World::new().await;
    let clock = world.clock.clone();
    world.worker.then(move |_, events, _| async move {
        clock.advance(Duration::from_secs(10));
        everything(&events).await
    });
    world.start().await;
    let first = world.create().await;
    world.until_status(first.id, TaskStatus::Done).await;
    soon("the slot to be free", async {
        while world.tasks().queue_status().await.unwrap().workers_free == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let idle = world.tasks().queue_status().await.unwrap();
    assert_eq!((idle.estimated_wait_seconds, idle.workers_online, idle.workers_total), (Some(0), 1, 1));
    world.worker.then(|_, _, _| pending());
    let busy = world.create().await;
    world.until_status(busy.id, TaskStatus::Processing).await;
    let waiting = world.create().await;
    soon("the slot to be taken", async {
        while world.tasks().queue_status().await.unwrap().workers_free > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let position = world.tasks().queue_position(waiting.id).await.unwrap().unwrap();
    assert_eq!((position.position, position.estimated_wait_seconds), (1, Some(5)));
    let status = world.tasks().queue_status().await.unwrap();
    assert_eq!((status.queued, status.processing, status.estimated_wait_seconds), (1, 1, Some(15)));
}
