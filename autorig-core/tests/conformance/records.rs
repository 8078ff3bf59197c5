//! Every store: uploads, and who refers to which stored file.

use std::time::Duration;

use autorig_core::{
    clock::{Clock, ManualClock, Time},
    store::{
        Applied, CallKey, Message, PostgresSettings, PostgresStore, SqlStore, SqliteStore, Store, Upload,
    },
    task::{
        Owner, OwnerKind, Task,
        lifecycle::{Event, Trigger},
    },
};
use uuid::Uuid;

use crate::{
    cluster::TestDatabase,
    lifecycle::{event, failure, task, task_file},
};

fn now() -> Time {
    ManualClock::default().now()
}

fn after(seconds: u64) -> Time {
    now() + Duration::from_secs(seconds)
}

fn upload(id: u128, sha256: Option<&str>) -> Upload {
    let id = Uuid::from_u128(id);
    Upload {
        id,
        owner: Owner::local(),
        name: "hero.glb".to_owned(),
        size: 10,
        sha256: sha256.map(str::to_owned),
        received: 0,
        complete: false,
        blob: format!("uploads/{id}"),
        token: format!("token of {id}"),
        created_at: now(),
        touched_at: now(),
    }
}

async fn complete(store: &dyn Store, id: u128, sha256: &str) -> Upload {
    let upload = store.insert_upload(&upload(id, None)).await.unwrap();
    store.finish_upload(upload.id, &upload.blob, sha256, now()).await.unwrap().unwrap()
}

/// A task of the file that something else has brought.
fn task_of(id: u128, blob: &str) -> Task {
    let mut task = task(now(), id);
    task.input.blob = blob.to_owned();
    task
}

async fn doomed(store: &dyn Store) -> Vec<String> {
    let mut keys = store.doomed_blobs(100).await.unwrap();
    keys.sort();
    keys
}

async fn assert_counted(store: &dyn Store) {
    assert_eq!(store.miscounted_blobs(10).await.unwrap().keys, Vec::<String>::new());
}

async fn an_upload_reads_back_as_it_was_written(store: &dyn Store) {
    let mut written = upload(1, Some("ab"));
    written.owner = Owner { kind: OwnerKind::User, id: "né".to_owned() };
    written.size = (1 << 53) + 1;
    assert_eq!(store.insert_upload(&written).await.unwrap(), written);
    assert_eq!(store.upload(written.id).await.unwrap(), Some(written.clone()));
    assert_eq!(store.upload_by_token(&written.token).await.unwrap(), None, "it is not complete");
    assert_eq!(store.upload(Uuid::from_u128(9)).await.unwrap(), None);
    let done = store.finish_upload(written.id, &written.blob, "cd", after(5)).await.unwrap().unwrap();
    assert_eq!((done.received, done.complete, done.touched_at), (written.size, true, after(5)));
    assert_eq!(done.sha256.as_deref(), Some("cd"));
    assert_eq!(store.upload_by_token(&written.token).await.unwrap(), Some(done));
}

async fn an_upload_moves_on_only_from_where_it_is(store: &dyn Store) {
    let id = store.insert_upload(&upload(1, None)).await.unwrap().id;
    assert!(store.advance_upload(id, 0, 4, after(1)).await.unwrap());
    assert!(!store.advance_upload(id, 0, 5, after(2)).await.unwrap(), "a late writer");
    assert!(store.advance_upload(id, 4, 10, after(3)).await.unwrap());
    let there = store.upload(id).await.unwrap().unwrap();
    assert_eq!((there.received, there.complete, there.touched_at), (10, false, after(3)));
    let blob = there.blob;
    store.finish_upload(id, &blob, "ab", after(4)).await.unwrap();
    assert!(!store.advance_upload(id, 10, 10, after(5)).await.unwrap(), "it is complete");
}

async fn a_file_lives_as_long_as_something_refers_to_it(store: &dyn Store) {
    let upload = complete(store, 1, "ab").await;
    let tasks = [task_of(11, &upload.blob), task_of(12, &upload.blob)];
    for task in &tasks {
        store.insert(task, None, &[]).await.unwrap();
    }
    assert_counted(store).await;
    assert!(store.remove_upload(upload.id, now()).await.unwrap());
    assert!(!store.remove_upload(upload.id, now()).await.unwrap());
    let removed = store.remove(tasks[0].id, None, now()).await.unwrap().unwrap();
    assert_eq!((removed.task.id, removed.released), (tasks[0].id, vec![]));
    assert!(doomed(store).await.is_empty());
    let removed = store.remove(tasks[1].id, None, now()).await.unwrap().unwrap();
    assert_eq!(removed.released, std::slice::from_ref(&upload.blob));
    assert!(store.remove(tasks[1].id, None, now()).await.unwrap().is_none());
    assert_eq!(doomed(store).await, std::slice::from_ref(&upload.blob));
    let late = store.insert(&task_of(13, &upload.blob), None, &[]).await.unwrap_err();
    assert_eq!(late.code, "input_gone");
    let keys = [upload.blob.clone(), "uploads/other".to_owned()];
    assert_eq!(store.unrecorded_among(&keys).await.unwrap(), ["uploads/other"]);
    store.forget_blobs(&keys).await.unwrap();
    assert_eq!(store.unrecorded_among(&keys).await.unwrap(), keys);
    let late = store.insert(&task_of(13, &upload.blob), None, &[]).await.unwrap_err();
    assert_eq!(late.code, "input_gone");
    assert_counted(store).await;
}

async fn files_of_an_older_revision_stay_until_the_task_goes(store: &dyn Store) {
    let made = task(now(), 1);
    store.insert(&made, None, &[]).await.unwrap();
    for (trigger, attempt) in [
        (Trigger::Claim, 0),
        (Trigger::AddFile, 1),
        (Trigger::Complete, 1),
        (Trigger::Correct, 0),
        (Trigger::Claim, 0),
        (Trigger::AddFile, 2),
        (Trigger::Complete, 2),
    ] {
        let applied = store.apply(made.id, &event(trigger, attempt, now(), 0), now(), &[]).await.unwrap();
        assert!(matches!(applied, Applied::Done(_)), "{trigger:?}: {applied:?}");
        assert_counted(store).await;
    }
    assert!(doomed(store).await.is_empty());
    let old = store.old_files(made.id, 1).await.unwrap();
    assert_eq!(old.iter().map(|file| file.blob.as_str()).collect::<Vec<_>>(), ["tasks/x/1/0"]);
    let mut released = store.remove(made.id, None, now()).await.unwrap().unwrap().released;
    released.sort();
    assert_eq!(released, ["tasks/x/1/0", "tasks/x/2/0", &made.input.blob]);
    assert_counted(store).await;
}

async fn files_of_a_task_are_referred_to_while_it_has_them(store: &dyn Store) {
    let made = task(now(), 1);
    store.insert(&made, None, &[]).await.unwrap();
    let claim = |node: &str| autorig_core::store::Claim {
        node: node.to_owned(),
        kinds: vec!["rig".to_owned()],
        limit: 1,
        now: now(),
        lease_until: after(60),
        per_owner: None,
    };
    store.claim(&claim("a")).await.unwrap();
    for (index, key) in [(9, "prepared_glb"), (0, "rigged_glb")] {
        let file = task_file(index, key, &format!("tasks/1/1/{key}"));
        store.apply(made.id, &Event::AddFile { attempt: 1, file }, now(), &[]).await.unwrap();
    }
    // The same file again, under the same key, is no second reference.
    let file = task_file(9, "prepared_glb", "tasks/1/1/prepared_glb");
    store.apply(made.id, &Event::AddFile { attempt: 1, file }, now(), &[]).await.unwrap();
    assert_counted(store).await;
    assert_eq!(store.recorded_blobs("", 10).await.unwrap().len(), 3);
    assert_eq!(store.recorded_blobs("tasks/1/1/prepared_glb", 1).await.unwrap(), ["tasks/1/1/rigged_glb"]);
    let retry = Event::Retry { attempt: 1, error: failure(), at: now() };
    store.apply(made.id, &retry, now(), &[]).await.unwrap();
    assert_eq!(doomed(store).await, ["tasks/1/1/prepared_glb", "tasks/1/1/rigged_glb"]);
    let some = ["tasks/1/1/rigged_glb".to_owned(), made.input.blob.clone()];
    assert_eq!(store.doomed_among(&some).await.unwrap(), some[..1]);
    store.forget_blobs(&some).await.unwrap();
    assert_eq!(store.recorded_blobs("", 10).await.unwrap(), [made.input.blob]);
    assert_counted(store).await;
}

async fn an_owner_has_the_same_bytes_once(store: &dyn Store) {
    let first = complete(store, 1, "ab").await;
    let told = store.insert_upload(&upload(2, Some("ab"))).await.unwrap();
    assert_eq!((told.complete, told.received, &told.blob), (true, 10, &first.blob));
    let sent = complete(store, 3, "ab").await;
    assert_eq!(sent.blob, first.blob);
    assert_eq!(doomed(store).await, [upload(3, None).blob]);
    let mut theirs = upload(4, Some("ab"));
    theirs.owner.id = "other".to_owned();
    assert!(!store.insert_upload(&theirs).await.unwrap().complete);
    let mut longer = upload(5, Some("ab"));
    longer.size = 11;
    assert!(!store.insert_upload(&longer).await.unwrap().complete);
    assert_counted(store).await;
    assert_eq!(store.recorded_blobs("", 10).await.unwrap(), [first.blob], "the others are on their way");
}

async fn uploads_are_forgotten_by_their_age_in_batches(store: &dyn Store) {
    for id in 1..=3 {
        store.insert_upload(&upload(id, None)).await.unwrap();
    }
    let kept = complete(store, 4, "ab").await;
    store.advance_upload(Uuid::from_u128(3), 0, 1, after(50)).await.unwrap();
    assert_eq!(store.expire_uploads(after(10), None, after(60), 1).await.unwrap(), 1);
    assert_eq!(store.expire_uploads(after(10), None, after(60), 9).await.unwrap(), 1);
    assert_eq!(store.expire_uploads(after(10), None, after(60), 9).await.unwrap(), 0);
    assert!(store.upload(kept.id).await.unwrap().is_some());
    assert_eq!(store.expire_uploads(after(10), Some(now()), after(60), 9).await.unwrap(), 1);
    assert_eq!(doomed(store).await.len(), 3);
    assert_counted(store).await;
}

async fn finished_tasks_and_their_logs_are_found_by_their_age(store: &dyn Store) {
    for (id, kind, end) in
        [(1, OwnerKind::Local, 10), (2, OwnerKind::Local, 20), (3, OwnerKind::Anonymous, 10)]
    {
        let mut made = task(now(), id);
        made.owner.kind = kind;
        store.insert(&made, None, &[]).await.unwrap();
        store.apply(made.id, &Event::Cancel, after(end), &[]).await.unwrap();
    }
    let waiting = task(now(), 4);
    store.insert(&waiting, None, &[]).await.unwrap();
    let ids = [task(now(), 1).id, task(now(), 2).id];
    let finished = |before, limit| store.finished_tasks(OwnerKind::Local, before, limit);
    assert_eq!(finished(after(15), 9).await.unwrap(), ids[..1]);
    assert_eq!(finished(after(20), 1).await.unwrap(), ids[..1]);
    assert_eq!(finished(after(20), 9).await.unwrap(), ids);
    assert!(store.remove(ids[1], Some(after(19)), after(30)).await.unwrap().is_none(), "it ended later");
    assert!(
        store.remove(waiting.id, Some(after(99)), after(99)).await.unwrap().is_none(),
        "it has not ended"
    );
    for (limit, cleaned) in [(1, 1), (9, 1), (9, 0)] {
        assert_eq!(store.expire_logs(OwnerKind::Local, after(20), limit).await.unwrap(), cleaned);
    }
    for id in ids {
        let left = store.events(id, 0, 9).await.unwrap();
        assert_eq!(left.iter().map(|event| event.id).collect::<Vec<_>>(), [2], "how it ended is still told");
    }
    assert_eq!(store.events(task(now(), 3).id, 0, 9).await.unwrap().len(), 2);
    assert_eq!(store.events(waiting.id, 0, 9).await.unwrap().len(), 1);
}

async fn delivered_messages_and_expired_calls_are_forgotten(store: &dyn Store) {
    let message = |id: &str| Message {
        topic: "task.done".to_owned(),
        dedup_id: id.to_owned(),
        payload: serde_json::json!({}),
    };
    store.insert(&task(now(), 1), None, &[message("a"), message("b"), message("c")]).await.unwrap();
    store.message_delivered("a", after(1)).await.unwrap();
    store.message_delivered("b", after(9)).await.unwrap();
    let call = CallKey { scope: "local:local".to_owned(), key: "k".to_owned() };
    store.begin_call(&call, "node", now(), after(5)).await.unwrap();
    assert_eq!(store.expire_records(after(5), after(4), 9).await.unwrap(), 1);
    assert_eq!(store.expire_records(after(5), after(5), 9).await.unwrap(), 1);
    assert_eq!(store.pending_messages(9).await.unwrap(), [message("c")]);
}

/// References that end and begin at the same time meet on the record of the file.
async fn a_file_is_never_shared_once_it_is_doomed(store: &dyn Store) {
    for round in 0..10_u128 {
        let upload = complete(store, 100 + round, &format!("sum {round}")).await;
        let late = task_of(1000 + round, &upload.blob);
        let (inserted, removed) =
            tokio::join!(store.insert(&late, None, &[]), store.remove_upload(upload.id, now()));
        assert!(removed.unwrap());
        let is_doomed = doomed(store).await.contains(&upload.blob);
        assert_eq!(inserted.is_ok(), !is_doomed, "{inserted:?}");
    }
    assert_counted(store).await;
}

macro_rules! suite {
    ($name:ident, $make:expr; $($test:ident)+) => {
        mod $name {
            $(#[tokio::test]
            async fn $test() {
                let (store, _guard) = $make.await;
                super::$test(&store).await;
            })+
        }
    };
    ($name:ident, $make:expr) => {
        suite! { $name, $make;
            an_upload_reads_back_as_it_was_written
            an_upload_moves_on_only_from_where_it_is
            a_file_lives_as_long_as_something_refers_to_it
            files_of_a_task_are_referred_to_while_it_has_them
            files_of_an_older_revision_stay_until_the_task_goes
            an_owner_has_the_same_bytes_once
            uploads_are_forgotten_by_their_age_in_batches
            finished_tasks_and_their_logs_are_found_by_their_age
            delivered_messages_and_expired_calls_are_forgotten
            a_file_is_never_shared_once_it_is_doomed
        }
    };
}

async fn file() -> (SqlStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SqliteStore::open(&folder.path().join("test.db")).await.unwrap(), folder)
}

async fn postgres() -> (SqlStore, TestDatabase) {
    let database = TestDatabase::new().await;
    (PostgresStore::connect(&database.url, PostgresSettings::default()).await.unwrap(), database)
}

suite!(sqlite, super::file());
suite!(postgres, super::postgres());
