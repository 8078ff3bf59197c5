//! Workers that come and ask for tasks.

use std::time::Duration;

use autorig_core::{
    Class, Error,
    blob::bytes_body,
    task::{Failure, Lease, Leases, Stage, TaskId, TaskStatus, WorkerName},
};
use futures_util::{StreamExt, TryStreamExt};

use crate::support::{World, soon};

const KEY: &str = "key";
const NOW: Duration = Duration::ZERO;

fn worker(key: &str) -> WorkerName {
    WorkerName::new(key, "box-1").unwrap()
}

fn rig() -> Vec<String> {
    vec!["rig".to_owned()]
}

async fn lease(world: &World) -> Option<Lease> {
    world.autorig.leases().acquire(&worker(KEY), 1, &rig(), NOW).await.unwrap()
}

async fn hand_in(leases: &Leases, lease: &Lease, keys: &[&str]) {
    for key in keys {
        let bytes = bytes_body(format!("bytes of {key}"));
        leases.add_file(KEY, lease.id, key, bytes).await.unwrap();
    }
}

fn failure(class: Class) -> Failure {
    Failure { class, code: None, message: "it failed".to_owned(), remedy: None, retry_after: None }
}

async fn code(world: &World, lease: &Lease) -> String {
    let error = world.autorig.leases().progress(KEY, lease.id, None).await.unwrap_err();
    error.code.into_owned()
}

#[tokio::test]
async fn a_leased_task_is_done_once_its_files_are_handed_in() {
    let world = World::new().await;
    let task = world.create().await;
    let leases = world.autorig.leases();
    let lease = lease(&world).await.unwrap();
    assert_eq!((lease.id.task, lease.id.attempt), (task.id, 1));
    let input = leases.input(KEY, lease.id).await.unwrap();
    let bytes: Vec<_> = leases.open_input(KEY, lease.id, None).await.unwrap().try_collect().await.unwrap();
    assert_eq!((input.name.as_str(), bytes.concat().as_slice()), ("hero.glb", b"glTF model".as_slice()));
    leases.progress(KEY, lease.id, Some((Stage::Skin, 0.5))).await.unwrap();
    let half = world.task(task.id).await;
    assert_eq!((half.stage, half.progress), (Some(Stage::Skin), 50));
    hand_in(&leases, &lease, &["rigged_glb", "report_json"]).await;
    leases.complete(KEY, lease.id).await.unwrap();
    let done = world.task(task.id).await;
    assert_eq!((done.status, done.files.len()), (TaskStatus::Done, 2));
    assert_eq!(code(&world, &lease).await, "lease_lost");
}

#[tokio::test]
async fn without_a_required_file_it_is_not_done() {
    let world = World::new().await;
    let task = world.create().await;
    let leases = world.autorig.leases();
    let lease = lease(&world).await.unwrap();
    hand_in(&leases, &lease, &["rigged_glb"]).await;
    leases.complete(KEY, lease.id).await.unwrap();
    let task = world.task(task.id).await;
    assert_eq!((task.status, task.failures), (TaskStatus::Created, 1));
    assert!(task.last_failure.unwrap().message.contains("report_json"));
    assert!(world.results().await.is_empty());
}

#[tokio::test]
async fn a_lease_without_a_sign_of_life_goes_to_another_and_its_words_count_no_more() {
    let world = World::new().await;
    let task = world.create().await;
    let leases = world.autorig.leases();
    let lost = lease(&world).await.unwrap();
    hand_in(&leases, &lost, &["rigged_glb"]).await;
    world.clock.advance(Duration::from_secs(61));
    world.start().await;
    let done = world.until_status(task.id, TaskStatus::Done).await;
    assert_eq!(done.attempt, 2);
    let before = world.results().await;
    assert_eq!(code(&world, &lost).await, "lease_lost");
    for result in [
        leases.add_file(KEY, lost.id, "rigged_glb", bytes_body("late")).await,
        leases.complete(KEY, lost.id).await,
        leases.fail(KEY, lost.id, failure(Class::UserViolation)).await,
        leases.release(KEY, lost.id).await,
    ] {
        assert_eq!(result.unwrap_err().code, "lease_lost");
    }
    assert_eq!(world.task(task.id).await, done);
    assert_eq!(world.results().await, before);
}

#[tokio::test]
async fn signs_of_life_keep_a_lease() {
    let world = World::new().await;
    let task = world.create().await;
    let lease = lease(&world).await.unwrap();
    world.start().await;
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(40));
        let until = world.autorig.leases().progress(KEY, lease.id, None).await.unwrap();
        assert_eq!(world.task(task.id).await.lease_until, Some(until));
    }
    assert_eq!(world.task(task.id).await.attempt, 1);
}

#[tokio::test]
async fn a_cancelled_task_is_heard_of_at_the_next_word() {
    let world = World::new().await;
    let task = world.create().await;
    let lease = lease(&world).await.unwrap();
    world.tasks().cancel(task.id).await.unwrap();
    assert_eq!(code(&world, &lease).await, "lease_lost");
}

#[tokio::test]
async fn a_failure_is_tried_again_as_its_class_says() {
    for (class, status) in [
        (Class::UserViolation, TaskStatus::Error),
        (Class::Billing, TaskStatus::Error),
        (Class::Temporary, TaskStatus::Created),
        (Class::RateLimit, TaskStatus::Created),
    ] {
        let world = World::new().await;
        let task = world.create().await;
        let lease = lease(&world).await.unwrap();
        world.autorig.leases().fail(KEY, lease.id, failure(class)).await.unwrap();
        let task = world.task(task.id).await;
        assert_eq!((task.status, task.failures), (status, 1), "{class:?}");
        let told = task.error.or(task.last_failure).unwrap();
        assert_eq!((told.class, told.code.as_str()), (class, "worker_failed"));
    }
}

#[tokio::test]
async fn a_task_given_back_has_not_failed_and_can_be_leased_at_once() {
    let world = World::new().await;
    let task = world.create().await;
    let first = lease(&world).await.unwrap();
    hand_in(&world.autorig.leases(), &first, &["rigged_glb"]).await;
    world.autorig.leases().release(KEY, first.id).await.unwrap();
    assert!(world.results().await.is_empty());
    let second = lease(&world).await.unwrap();
    assert_eq!((second.id.task, second.id.attempt, second.task.failures), (task.id, 2, 0));
}

#[tokio::test]
async fn a_waiting_worker_gets_a_task_as_soon_as_there_is_one() {
    let world = World::new().await;
    let leases = world.autorig.leases();
    let (me, kinds) = (worker(KEY), rig());
    let waiting = leases.acquire(&me, 1, &kinds, Duration::from_secs(30));
    let (leased, task) = soon("the lease", futures_util::future::join(waiting, world.create())).await;
    assert_eq!(leased.unwrap().unwrap().id.task, task.id);
}

#[tokio::test]
async fn no_two_workers_get_the_same_task() {
    let world = World::new().await;
    let task = world.create().await;
    assert_eq!(lease(&world).await.unwrap().id.task, task.id);
    assert!(lease(&world).await.is_none());
}

#[tokio::test]
async fn a_worker_of_another_key_cannot_touch_a_lease() {
    let world = World::new().await;
    world.create().await;
    let lease = lease(&world).await.unwrap();
    let leases = world.autorig.leases();
    for other in ["kez", "ke", "key:box", ""] {
        let error = leases.progress(other, lease.id, None).await.unwrap_err();
        assert_eq!(error.code, "lease_lost", "{other}");
    }
    let mut invented = lease.id;
    invented.task = TaskId(uuid::Uuid::nil());
    assert_eq!(leases.complete(KEY, invented).await.unwrap_err().code, "lease_lost");
}

#[tokio::test]
async fn what_no_task_makes_and_what_breaks_off_is_not_kept() {
    let world = World::new().await;
    let task = world.create().await;
    let leases = world.autorig.leases();
    let lease = lease(&world).await.unwrap();
    let error = leases.add_file(KEY, lease.id, "../passwd", bytes_body("x")).await.unwrap_err();
    assert_eq!(error.code, "unknown_file");
    let cut = futures_util::stream::iter([Ok("half".into()), Err(Error::upload_cut_off("gone"))]).boxed();
    let error = leases.add_file(KEY, lease.id, "rigged_glb", cut).await.unwrap_err();
    assert_eq!(error.code, "upload_cut_off");
    assert!(world.results().await.is_empty());
    // The worker may send it again.
    hand_in(&leases, &lease, &["rigged_glb", "rigged_glb"]).await;
    assert_eq!(world.task(task.id).await.files.len(), 1);
}

#[test]
fn names_and_leases_that_are_none_are_refused() {
    for name in ["", "a b", "a:b", "ä", &"x".repeat(65)] {
        assert_eq!(WorkerName::new(KEY, name).unwrap_err().code, "invalid_worker_name", "{name}");
    }
    for lease in ["", "1", "x.1", "00000000-0000-0000-0000-000000000000.x"] {
        assert_eq!(lease.parse::<autorig_core::task::LeaseId>().unwrap_err().code, "lease_lost", "{lease}");
    }
}
