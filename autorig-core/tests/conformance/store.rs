//! Every store.

use std::time::Duration;

use autorig_core::{
    clock::{Clock, ManualClock, Time},
    store::{
        Applied, Begun, CallKey, Claim, FinishedCall, Message, Outbox, PostgresSettings, PostgresStore,
        SqlStore, SqliteStore, Store, Tasks,
    },
    task::{
        EventKind, Owner, OwnerKind, Stage, Task, TaskId, TaskStatus, Visibility,
        lifecycle::{Event, Outcome, Refused, Trigger},
    },
};

use super::keys::{
    a_key_is_used_revoked_once_and_rotated_while_it_is_good,
    a_key_reads_back_by_its_id_its_hash_and_its_owner, an_admin_link_is_used_once_and_ends_the_others,
};
use super::quotas::{
    a_place_without_a_task_is_given_back_or_lost_in_time, an_owner_gets_as_many_places_as_the_quota_says,
    many_at_once_get_no_more_places_than_there_are,
};
use crate::cluster::TestDatabase;
use crate::lifecycle::{event, failure, task, task_file};

pub(super) fn now() -> Time {
    ManualClock::default().now()
}

pub(super) fn after(seconds: u64) -> Time {
    now() + Duration::from_secs(seconds)
}

async fn insert(store: &dyn Store, id: u128, created: Time) -> Task {
    let task = task(created, id);
    store.insert(&task, None, &[]).await.unwrap();
    task
}

async fn claim_at(store: &dyn Store, node: &str, limit: u32, at: Time) -> Vec<Task> {
    let lease_until = at + Duration::from_secs(60);
    let kinds = vec!["rig".to_owned()];
    let claim = Claim { node: node.to_owned(), kinds, limit, per_owner: None, now: at, lease_until };
    store.claim(&claim).await.unwrap()
}

pub(super) async fn done(store: &dyn Store, id: TaskId, event: &Event, at: Time) -> Outcome {
    match store.apply(id, event, at, &[]).await.unwrap() {
        Applied::Done(outcome) => *outcome,
        other => panic!("{event:?}: {other:?}"),
    }
}

async fn a_task_reads_back_as_it_was_written(store: &dyn Store) {
    let mut written = task(now(), 1);
    written.params = serde_json::json!({"joints": [{"name": "hüfte", "position": [0.1, 1e300, -2.5]}]});
    written.visibility = Visibility::Private;
    written.owner = Owner { kind: OwnerKind::User, id: "né".to_owned() };
    written.input.size = (1 << 53) + 1;
    store.insert(&written, None, &[]).await.unwrap();
    assert_eq!(store.task(written.id).await.unwrap(), Some(written));
}

async fn what_is_not_there_is_none_and_no_error(store: &dyn Store) {
    let id = task(now(), 9).id;
    assert_eq!(store.task(id).await.unwrap(), None);
    assert_eq!(store.ahead_of(id).await.unwrap(), None);
    assert_eq!(store.events(id, 0, 10).await.unwrap(), []);
    assert_eq!(store.apply(id, &Event::Cancel, now(), &[]).await.unwrap(), Applied::Missing);
    assert!(!store.renew(id, 1, now()).await.unwrap());
    assert_eq!(store.next_due(now()).await.unwrap(), None);
    assert_eq!(store.recent_durations(5).await.unwrap(), Vec::<Duration>::new());
    assert!(!store.message_delivered("x", now()).await.unwrap());
    store.ping().await.unwrap();
}

async fn a_nul_in_a_text_is_replaced(store: &dyn Store) {
    let mut written = task(now(), 1);
    written.input.name = "a\0b".to_owned();
    written.params = serde_json::json!({"name\0": ["\0"]});
    store.insert(&written, None, &[]).await.unwrap();
    let read = store.task(written.id).await.unwrap().unwrap();
    assert_eq!(read.input.name, "a\u{fffd}b");
    assert_eq!(read.params, serde_json::json!({"name\u{fffd}": ["\u{fffd}"]}));
}

async fn changes_of_one_task_at_once_lose_nothing(store: &dyn Store) {
    let id = insert(store, 1, now()).await.id;
    claim_at(store, "node", 1, now()).await;
    let adds = (0..20_u32).map(|index| async move {
        let file = task_file(index, &format!("f{index}"), &format!("tasks/1/1/f{index}"));
        done(store, id, &Event::AddFile { attempt: 1, file }, now()).await
    });
    futures_util::future::join_all(adds).await;
    let task = store.task(id).await.unwrap().unwrap();
    assert_eq!(task.files.iter().map(|file| file.index).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    assert_eq!(store.events(id, 0, 100).await.unwrap().len(), 22);
}

async fn an_id_is_used_once(store: &dyn Store) {
    let task = insert(store, 1, now()).await;
    assert_eq!(store.insert(&task, None, &[]).await.unwrap_err().code, "internal");
}

async fn a_whole_life_reads_back_with_its_events_in_order(store: &dyn Store) {
    let id = insert(store, 1, now()).await.id;
    claim_at(store, "node", 1, after(1)).await;
    let steps = [
        Event::Advance { attempt: 1, stage: Stage::Read, progress: 5 },
        Event::AddFile { attempt: 1, file: task_file(9, "prepared_glb", "tasks/1/1/prepared_glb") },
        Event::Advance { attempt: 1, stage: Stage::Skin, progress: 60 },
        Event::AddFile { attempt: 1, file: task_file(0, "rigged_glb", "tasks/1/1/rigged_glb") },
    ];
    for (seconds, step) in (2..).zip(&steps) {
        done(store, id, step, after(seconds)).await;
    }
    let names: Vec<&str> =
        store.events(id, 0, 100).await.unwrap().iter().map(|event| event.kind.name()).collect();
    assert_eq!(names, ["queued", "stage", "progress", "file", "stage", "file"]);
    let last = done(store, id, &Event::Complete { attempt: 1 }, after(9)).await.task;
    assert_eq!(store.task(id).await.unwrap(), Some(last.clone()));
    assert_eq!(last.files.iter().map(|file| file.index).collect::<Vec<_>>(), [0, 9]);
    let events = store.events(id, 0, 100).await.unwrap();
    assert!(events.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(events.last().unwrap().id, last.version);
    assert_eq!(events.last().unwrap().kind, EventKind::Done);
    assert!(!events.iter().any(|event| event.kind.name() == "progress"), "of no use after the end");
    let rest = store.events(id, 4, 1).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].id, 5);
    assert_eq!(store.recent_durations(5).await.unwrap(), [Duration::from_secs(8)]);
}

async fn a_refused_event_changes_nothing(store: &dyn Store) {
    let before = insert(store, 1, now()).await;
    let message = Message { topic: "t".to_owned(), dedup_id: "m".to_owned(), payload: serde_json::json!(1) };
    let early = store.apply(before.id, &Event::Complete { attempt: 0 }, after(1), &[message]).await.unwrap();
    let refused = Refused::Illegal { from: TaskStatus::Created, on: Trigger::Complete };
    assert_eq!(early, Applied::Refused(refused));
    assert_eq!(store.task(before.id).await.unwrap(), Some(before));
    assert_eq!(store.pending_messages(10).await.unwrap(), []);
}

async fn a_late_worker_cannot_overwrite_a_newer_one(store: &dyn Store) {
    let id = insert(store, 1, now()).await.id;
    claim_at(store, "slow", 1, now()).await;
    done(store, id, &event(Trigger::Retry, 1, now(), 0), now()).await;
    claim_at(store, "fast", 1, after(10)).await;
    for trigger in [Trigger::Advance, Trigger::AddFile, Trigger::Complete, Trigger::Retry, Trigger::Fail] {
        let late = store.apply(id, &event(trigger, 1, after(11), 50), after(11), &[]).await.unwrap();
        assert_eq!(late, Applied::Refused(Refused::Stale { spoke: 1, current: 2 }), "{trigger:?}");
    }
    assert!(!store.renew(id, 1, after(99)).await.unwrap());
    assert!(store.renew(id, 2, after(99)).await.unwrap());
    assert_eq!(store.task(id).await.unwrap().unwrap().lease_until, Some(after(99)));
}

async fn a_removed_task_is_gone_with_its_files_and_events(store: &dyn Store) {
    let (gone, stays) = (insert(store, 1, now()).await.id, insert(store, 2, now()).await.id);
    claim_at(store, "node", 1, after(1)).await;
    done(store, gone, &event(Trigger::AddFile, 1, after(2), 1), after(2)).await;
    let removed = store.remove(gone, None, now()).await.unwrap().unwrap().task;
    assert_eq!((removed.id, removed.files.len()), (gone, 1), "as it was");
    assert_eq!(store.task(gone).await.unwrap(), None);
    assert_eq!(store.events(gone, 0, 10).await.unwrap(), []);
    assert_eq!(store.remove(gone, None, now()).await.unwrap(), None);
    assert_eq!(store.counts().await.unwrap().queued, 1);
    assert!(store.task(stays).await.unwrap().is_some());
    store.forget_blobs(&store.doomed_blobs(10).await.unwrap()).await.unwrap();
    insert(store, 1, after(3)).await;
    assert_eq!(store.task(gone).await.unwrap().unwrap().files, []);
}

async fn claims_take_the_oldest_that_is_due_and_of_a_wanted_kind(store: &dyn Store) {
    for (id, seconds) in [(1, 1), (2, 2), (3, 3)] {
        insert(store, id, after(seconds)).await;
    }
    let mut other = task(now(), 4);
    other.kind = "other".to_owned();
    store.insert(&other, None, &[]).await.unwrap();
    let ids = |tasks: Vec<Task>| tasks.iter().map(|task| task.id.0.as_u128()).collect::<Vec<_>>();
    let first = claim_at(store, "node", 2, after(5)).await;
    assert!(first.iter().all(|task| task.attempt == 1 && task.lease_until == Some(after(65))));
    assert_eq!(store.task(first[0].id).await.unwrap().as_ref(), Some(&first[0]));
    assert_eq!(ids(first), [1, 2]);
    assert_eq!(ids(claim_at(store, "node", 2, after(5)).await), [3]);
    assert!(claim_at(store, "node", 2, after(5)).await.is_empty());
    let failed = task(now(), 1).id;
    done(store, failed, &event(Trigger::Retry, 1, after(6), 0), after(6)).await;
    assert_eq!(store.next_due(after(6)).await.unwrap(), Some(after(11)));
    assert!(claim_at(store, "node", 2, after(10)).await.is_empty());
    assert_eq!(ids(claim_at(store, "node", 2, after(11)).await), [1]);
}

async fn no_two_claims_get_the_same_task(store: &dyn Store) {
    for id in 0..40 {
        insert(store, id + 1, now()).await;
    }
    let claims = (0..8).map(|node| async move {
        let mut got = Vec::new();
        let name = format!("node{node}");
        while let [task] = claim_at(store, &name, 1, now()).await.as_slice() {
            assert_eq!(task.lease_owner.as_deref(), Some(name.as_str()));
            got.push(task.id);
        }
        got
    });
    let mut all = futures_util::future::join_all(claims).await.concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 40);
}

async fn leases_end_and_are_found_by_time_and_by_node(store: &dyn Store) {
    let first = insert(store, 1, now()).await.id;
    let second = insert(store, 2, after(1)).await.id;
    claim_at(store, "a", 1, after(1)).await;
    claim_at(store, "b", 1, after(11)).await;
    let ids = |tasks: Vec<Task>| tasks.iter().map(|task| task.id).collect::<Vec<_>>();
    assert!(store.expired(after(60)).await.unwrap().is_empty());
    assert_eq!(store.next_due(after(20)).await.unwrap(), Some(after(61)));
    assert_eq!(ids(store.expired(after(61)).await.unwrap()), [first]);
    assert_eq!(store.next_due(after(61)).await.unwrap(), Some(after(71)));
    assert_eq!(ids(store.held_by("b").await.unwrap()), [second]);
    assert!(store.held_by("c").await.unwrap().is_empty());
}

async fn a_list_is_the_owners_newest_first_page_by_page(store: &dyn Store) {
    for id in 1..=5_u128 {
        // Two share their moment: the id decides.
        insert(store, id, after(u64::try_from(id).unwrap() / 2)).await;
    }
    let mut others = task(after(9), 7);
    others.owner.id = "other".to_owned();
    store.insert(&others, None, &[]).await.unwrap();
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = store.list(&Owner::local(), before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.created_at, last.id));
        seen.extend(page.iter().map(|task| task.id.0.as_u128()));
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}

async fn the_queue_is_counted_and_positions_follow_the_age(store: &dyn Store) {
    let tasks = [insert(store, 1, now()).await, insert(store, 2, after(1)).await];
    assert_eq!(store.counts().await.unwrap().queued, 2);
    assert_eq!(store.ahead_of(tasks[0].id).await.unwrap(), Some(0));
    assert_eq!(store.ahead_of(tasks[1].id).await.unwrap(), Some(1));
    claim_at(store, "node", 1, after(2)).await;
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.queued, counts.processing), (1, 1));
    assert_eq!(store.ahead_of(tasks[0].id).await.unwrap(), None);
    assert_eq!(store.ahead_of(tasks[1].id).await.unwrap(), Some(0));
}

async fn files_of_a_failed_attempt_are_let_go(store: &dyn Store) {
    let id = insert(store, 1, now()).await.id;
    claim_at(store, "node", 1, now()).await;
    let file = task_file(9, "prepared_glb", "tasks/1/1/prepared_glb");
    done(store, id, &Event::AddFile { attempt: 1, file }, now()).await;
    let at = after(5);
    let outcome = done(store, id, &Event::Retry { attempt: 1, error: failure(), at }, now()).await;
    assert_eq!(outcome.released, ["tasks/1/1/prepared_glb"]);
    let task = store.task(id).await.unwrap().unwrap();
    assert_eq!((task.files.len(), task.error, task.last_failure), (0, None, Some(failure())));
}

async fn a_call_happens_once_and_is_forgotten_in_time(store: &dyn Store) {
    let call = CallKey { scope: "local:local".to_owned(), key: "k".to_owned() };
    let other = CallKey { scope: "user:7".to_owned(), key: "k".to_owned() };
    let begin = |call: CallKey, at: Time| async move {
        store.begin_call(&call, "node", at, at + Duration::from_secs(100)).await.unwrap()
    };
    assert_eq!(begin(call.clone(), now()).await, Begun::First);
    assert_eq!(begin(call.clone(), now()).await, Begun::Running);
    assert_eq!(begin(other.clone(), now()).await, Begun::First, "callers' keys do not meet");
    store.abandon_call(&call).await.unwrap();
    assert_eq!(begin(call.clone(), now()).await, Begun::First, "a call that came to nothing may be repeated");
    let made = task(now(), 1);
    let finished =
        |node: &str| FinishedCall { call: call.clone(), node: node.to_owned(), fingerprint: "f".to_owned() };
    let lost = store.insert(&task(now(), 2), Some(&finished("elsewhere")), &[]).await.unwrap_err();
    assert_eq!(lost.code, "idempotency_key_running", "it is another node's by now");
    assert_eq!(store.task(task(now(), 2).id).await.unwrap(), None);
    let finished = finished("node");
    store.insert(&made, Some(&finished), &[]).await.unwrap();
    let known = Begun::Finished { fingerprint: "f".to_owned(), task: made.id };
    assert_eq!(begin(call.clone(), after(1)).await, known);
    let twice = store.insert(&task(now(), 3), Some(&finished), &[]).await.unwrap_err();
    assert_eq!(twice.code, "idempotency_key_running");
    store.abandon_call(&call).await.unwrap();
    assert_eq!(begin(call.clone(), after(1)).await, known, "what is finished stays");
    store.renew_call(&other, "elsewhere", after(500)).await.unwrap();
    store.renew_call(&other, "node", after(200)).await.unwrap();
    assert_eq!(begin(other.clone(), after(199)).await, Begun::Running, "it gave a sign of life");
    assert_eq!(begin(other.clone(), after(200)).await, Begun::First, "it gave none");
    assert_eq!(store.abandon_calls_of("elsewhere").await.unwrap(), 0);
    assert_eq!(store.abandon_calls_of("node").await.unwrap(), 1);
    assert_eq!(begin(other, after(1)).await, Begun::First);
    assert_eq!(begin(call.clone(), after(100)).await, known, "a finished call is remembered for a day");
    assert_eq!(begin(call, after(24 * 3600)).await, Begun::First);
}

async fn messages_commit_with_their_cause_and_are_delivered_once(store: &dyn Store) {
    let message = |id: &str| Message {
        topic: "task.done".to_owned(),
        dedup_id: id.to_owned(),
        payload: serde_json::json!({"task": id}),
    };
    let made = task(now(), 1);
    store.insert(&made, None, &[message("a")]).await.unwrap();
    store.apply(made.id, &Event::Cancel, now(), &[message("b"), message("a")]).await.unwrap();
    assert_eq!(store.pending_messages(10).await.unwrap(), [message("a"), message("b")]);
    assert_eq!(store.pending_messages(1).await.unwrap(), [message("a")]);
    assert!(store.message_delivered("a", now()).await.unwrap());
    assert!(!store.message_delivered("a", now()).await.unwrap());
    assert_eq!(store.pending_messages(10).await.unwrap(), [message("b")]);
}

async fn checkpoints_are_kept_by_the_holder_and_outlive_its_attempt(store: &dyn Store) {
    let id = insert(store, 1, now()).await.id;
    let word = |n: u32| serde_json::json!({"machine": "a", "n": n});
    assert!(!store.keep_checkpoint(id, 1, &word(0)).await.unwrap());
    claim_at(store, "node", 1, now()).await;
    assert!(store.keep_checkpoint(id, 1, &word(1)).await.unwrap());
    assert!(store.keep_checkpoint(id, 1, &word(2)).await.unwrap());
    assert_eq!(store.checkpoint(id).await.unwrap(), Some(word(2)));
    done(store, id, &Event::Release { attempt: 1 }, now()).await;
    claim_at(store, "node", 1, now()).await;
    assert!(!store.keep_checkpoint(id, 1, &word(3)).await.unwrap());
    assert_eq!(store.checkpoint(id).await.unwrap(), Some(word(2)));
    assert_eq!(store.checkpoint(task(now(), 9).id).await.unwrap(), None);
}

async fn workers_are_known_as_long_as_they_come_back(store: &dyn Store) {
    insert(store, 1, now()).await;
    store.worker_seen("pull:k:b", 2, now()).await.unwrap();
    store.worker_seen("pull:k:a", 1, now()).await.unwrap();
    claim_at(store, "pull:k:b", 1, now()).await;
    store.worker_seen("pull:k:b", 3, after(60)).await.unwrap();
    let seen = store.workers_seen(now()).await.unwrap();
    let found: Vec<_> = seen.iter().map(|w| (w.name.as_str(), w.slots, w.busy)).collect();
    assert_eq!(found, [("pull:k:a", 1, 0), ("pull:k:b", 3, 1)]);
    assert_eq!(store.workers_seen(after(1)).await.unwrap().len(), 1);
}

/// Runs each case over one store: `cases! { name, store; case case … }`.
macro_rules! cases {
    ($name:ident, $make:expr; $($test:ident)+) => {
        mod $name {
            $(#[tokio::test]
            async fn $test() {
                let (store, _guard) = $make.await;
                super::$test(&store).await;
            })+
        }
    };
}
pub(super) use cases;

macro_rules! store_suite {
    ($name:ident, $make:expr) => {
        cases! { $name, $make;
            a_task_reads_back_as_it_was_written
            what_is_not_there_is_none_and_no_error
            a_nul_in_a_text_is_replaced
            changes_of_one_task_at_once_lose_nothing
            an_id_is_used_once
            a_whole_life_reads_back_with_its_events_in_order
            a_refused_event_changes_nothing
            a_late_worker_cannot_overwrite_a_newer_one
            a_removed_task_is_gone_with_its_files_and_events
            claims_take_the_oldest_that_is_due_and_of_a_wanted_kind
            no_two_claims_get_the_same_task
            leases_end_and_are_found_by_time_and_by_node
            a_list_is_the_owners_newest_first_page_by_page
            the_queue_is_counted_and_positions_follow_the_age
            files_of_a_failed_attempt_are_let_go
            a_call_happens_once_and_is_forgotten_in_time
            messages_commit_with_their_cause_and_are_delivered_once
            checkpoints_are_kept_by_the_holder_and_outlive_its_attempt
            workers_are_known_as_long_as_they_come_back
            a_key_reads_back_by_its_id_its_hash_and_its_owner
            a_key_is_used_revoked_once_and_rotated_while_it_is_good
            an_admin_link_is_used_once_and_ends_the_others
            an_owner_gets_as_many_places_as_the_quota_says
            a_place_without_a_task_is_given_back_or_lost_in_time
            many_at_once_get_no_more_places_than_there_are
        }
    };
}

pub(super) async fn file() -> (SqlStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SqliteStore::open(&folder.path().join("test.db")).await.unwrap(), folder)
}

pub(super) async fn memory() -> (SqlStore, ()) {
    (SqliteStore::in_memory().await.unwrap(), ())
}

pub(super) async fn postgres() -> (SqlStore, TestDatabase) {
    let database = TestDatabase::new().await;
    (PostgresStore::connect(&database.url, PostgresSettings::default()).await.unwrap(), database)
}

store_suite!(sqlite_file, super::file());
store_suite!(sqlite_in_memory, super::memory());
store_suite!(postgres, super::postgres());

#[tokio::test]
async fn nodes_that_open_an_empty_postgres_at_once_agree_on_its_schema() {
    let database = TestDatabase::new().await;
    let open = |_| PostgresStore::connect(&database.url, PostgresSettings { connections: 1 });
    let stores = futures_util::future::try_join_all((0..3).map(open)).await.unwrap();
    let task = insert(&stores[0], 1, now()).await;
    assert_eq!(stores[2].task(task.id).await.unwrap(), Some(task));
}

#[tokio::test]
async fn a_postgres_of_a_newer_version_is_refused() {
    let (store, database) = postgres().await;
    store.close().await;
    sqlx::raw_sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (999, 'later', true, '', 0)",
    )
    .execute(&mut database.connect().await)
    .await
    .unwrap();
    let error = PostgresStore::connect(&database.url, PostgresSettings::default()).await.unwrap_err();
    assert_eq!(error.code, "newer_database");
}

#[tokio::test]
async fn a_postgres_connection_that_was_cut_fails_once_and_is_made_again() {
    let (store, database) = postgres().await;
    let task = insert(&store, 1, now()).await;
    database.cut().await;
    let cut = store.task(task.id).await;
    assert!(cut.as_ref().is_ok_and(Option::is_some) || cut.is_err_and(|e| e.code == "store_unavailable"));
    // One call may find a connection that is dead; each dead one is found once.
    for _ in 0..PostgresSettings::default().connections {
        if store.task(task.id).await.is_ok() {
            break;
        }
    }
    assert_eq!(store.task(task.id).await.unwrap(), Some(task));
}

#[tokio::test]
async fn a_postgres_that_is_not_there_is_unavailable_and_its_password_stays_secret() {
    let url = "postgres://me:hunter2@127.0.0.1:1/none";
    let error = PostgresStore::connect(url, PostgresSettings::default()).await.unwrap_err();
    assert_eq!(error.code, "store_unavailable");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let error = PostgresStore::connect("postgres://me:hunter2@:x/", PostgresSettings::default()).await;
    let error = error.unwrap_err();
    assert_eq!(error.code, "invalid_config");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_sqlite_file_opens_again_with_everything_in_it() {
    let (store, folder) = file().await;
    let task = insert(&store, 1, now()).await;
    store.close().await;
    assert_eq!(store.task(task.id).await.unwrap_err().code, "store_unavailable");
    let again = SqliteStore::open(&folder.path().join("test.db")).await.unwrap();
    assert_eq!(again.task(task.id).await.unwrap(), Some(task));
}

#[tokio::test]
async fn a_sqlite_file_of_a_newer_version_is_refused() {
    let (store, folder) = file().await;
    store.close().await;
    let path = folder.path().join("test.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (999, 'later', 1, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert_eq!(error.code, "newer_database");
    assert!(error.message.contains("999"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    std::fs::write(&path, "not a database, but long enough to look at: ".repeat(100)).unwrap();
    assert_eq!(SqliteStore::open(&path).await.unwrap_err().code, "store_unavailable");
}

#[tokio::test]
async fn a_sqlite_file_copied_to_a_postgres_reads_the_same_and_goes_on() {
    let (store, folder) = file().await;
    let first = insert(&store, 1, now()).await.id;
    claim_at(&store, "node", 1, after(1)).await;
    let add = Event::AddFile { attempt: 1, file: task_file(9, "prepared_glb", "tasks/1/1/prepared_glb") };
    done(&store, first, &add, after(2)).await;
    let message =
        Message { topic: "t".to_owned(), dedup_id: "m".to_owned(), payload: serde_json::json!([1]) };
    store.apply(first, &Event::Complete { attempt: 1 }, after(3), &[message]).await.unwrap();
    let waiting = insert(&store, 2, after(4)).await.id;
    let before = (store.task(first).await.unwrap(), store.events(first, 0, 99).await.unwrap());
    store.close().await;
    let database = TestDatabase::new().await;
    let path = folder.path().join("test.db");
    let copied = autorig_core::store::copy(&path, &database.url).await.unwrap();
    let rows = |name: &str| copied.iter().find(|table| table.name == name).unwrap().rows;
    assert_eq!((rows("tasks"), rows("task_files"), rows("task_events"), rows("outbox")), (2, 1, 5, 1));
    let copy = PostgresStore::connect(&database.url, PostgresSettings::default()).await.unwrap();
    assert_eq!((copy.task(first).await.unwrap(), copy.events(first, 0, 99).await.unwrap()), before);
    assert_eq!(claim_at(&copy, "node", 9, after(5)).await[0].id, waiting);
    // The numbers of messages go on after those that were copied.
    let next = Message { topic: "t".to_owned(), dedup_id: "n".to_owned(), payload: serde_json::json!(2) };
    copy.apply(waiting, &Event::Cancel, after(6), &[next]).await.unwrap();
    assert_eq!(copy.pending_messages(9).await.unwrap().len(), 2);
    let again = autorig_core::store::copy(&path, &database.url).await.unwrap_err();
    assert_eq!(again.code, "database_not_empty");
}
