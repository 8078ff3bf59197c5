//! A store that fails between any two steps: nothing is lost, nothing is half-made, nothing happens twice.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use autorig_core::{
    Error, Result,
    account::{ApiKey, KeyId, Session},
    clock::Time,
    store::{
        Applied, Begun, BlobRecords, CallKey, Claim, Counts, FinishedCall, Idempotency, Keys, Message,
        Miscounts, Nodes, Outbox, Quota, Quotas, Removed, SeenWorker, SqlStore, SqliteStore, Store, Tasks,
        Upload, Uploads, UsedUp, Workers,
    },
    task::{
        Owner, OwnerKind, Task, TaskEvent, TaskFile, TaskId, TaskStatus,
        lifecycle::{Event, Trigger},
    },
};

use uuid::Uuid;

use crate::support::{World, create, keyed, soon, upload};
use crate::sweep::Life;

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    /// Nothing has happened.
    Before,
    /// It has happened, but the answer is lost.
    After,
}

/// A call that can fail.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Call {
    Insert,
    Claim,
    Apply(Trigger),
}

/// SQLite, failing as the test says, each time once; or for good, when a process dies.
pub(crate) struct Faulty {
    inner: SqlStore,
    plan: Mutex<Vec<(Call, When)>>,
    life: Option<Arc<Life>>,
}

/// A store of a process that may die.
pub(crate) struct Mortal;

impl Mortal {
    pub(crate) fn over(inner: SqlStore, life: Arc<Life>) -> Arc<Faulty> {
        Arc::new(Faulty { inner, plan: Mutex::default(), life: Some(life) })
    }
}

impl Faulty {
    async fn new(plan: &[(Call, When)]) -> Arc<Self> {
        let inner = SqliteStore::in_memory().await.unwrap();
        Arc::new(Self { inner, plan: Mutex::new(plan.to_vec()), life: None })
    }

    async fn write<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match &self.life {
            Some(life) => life.step(work).await,
            None => work.await,
        }
    }

    async fn call<T>(&self, call: Call, work: impl Future<Output = Result<T>>) -> Result<T> {
        let work = self.write(work);
        let when = {
            let mut plan = self.plan.lock().unwrap();
            plan.iter().position(|(planned, _)| *planned == call).map(|at| plan.remove(at).1)
        };
        let lost = || Error::temporary("store_unavailable", "scripted", "wait");
        match when {
            None => work.await,
            Some(When::Before) => Err(lost()),
            Some(When::After) => {
                work.await?;
                Err(lost())
            }
        }
    }

    fn all_happened(&self) -> bool {
        self.plan.lock().unwrap().is_empty()
    }
}

#[async_trait]
impl Store for Faulty {
    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }
}

#[async_trait]
impl Tasks for Faulty {
    async fn insert(&self, task: &Task, call: Option<&FinishedCall>, messages: &[Message]) -> Result<()> {
        self.call(Call::Insert, self.inner.insert(task, call, messages)).await
    }
    async fn task(&self, id: TaskId) -> Result<Option<Task>> {
        self.inner.task(id).await
    }
    async fn apply(&self, id: TaskId, event: &Event, now: Time, messages: &[Message]) -> Result<Applied> {
        self.call(Call::Apply(event.trigger()), self.inner.apply(id, event, now, messages)).await
    }
    async fn remove(&self, id: TaskId, finished: Option<Time>, now: Time) -> Result<Option<Removed>> {
        self.write(self.inner.remove(id, finished, now)).await
    }
    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>> {
        self.call(Call::Claim, self.inner.claim(claim)).await
    }
    async fn renew(&self, id: TaskId, attempt: u32, until: Time) -> Result<bool> {
        self.inner.renew(id, attempt, until).await
    }
    async fn expired(&self, now: Time) -> Result<Vec<Task>> {
        self.inner.expired(now).await
    }
    async fn held_by(&self, node: &str) -> Result<Vec<Task>> {
        self.inner.held_by(node).await
    }
    async fn next_due(&self, now: Time) -> Result<Option<Time>> {
        self.inner.next_due(now).await
    }
    async fn list(&self, owner: &Owner, before: Option<(Time, TaskId)>, limit: u32) -> Result<Vec<Task>> {
        self.inner.list(owner, before, limit).await
    }
    async fn events(&self, id: TaskId, after: u64, limit: u32) -> Result<Vec<TaskEvent>> {
        self.inner.events(id, after, limit).await
    }
    async fn old_files(&self, id: TaskId, revision: u32) -> Result<Vec<TaskFile>> {
        self.inner.old_files(id, revision).await
    }
    async fn counts(&self) -> Result<Counts> {
        self.inner.counts().await
    }
    async fn ahead_of(&self, id: TaskId) -> Result<Option<u64>> {
        self.inner.ahead_of(id).await
    }
    async fn dead_letters(&self, before: Option<(Time, TaskId)>, limit: u32) -> Result<Vec<Task>> {
        self.inner.dead_letters(before, limit).await
    }
    async fn recent_durations(&self, limit: u32) -> Result<Vec<Duration>> {
        self.inner.recent_durations(limit).await
    }
}

impl Nodes for Faulty {}

#[async_trait]
impl Uploads for Faulty {
    async fn insert_upload(&self, upload: &Upload) -> Result<Upload> {
        self.write(self.inner.insert_upload(upload)).await
    }
    async fn upload(&self, id: Uuid) -> Result<Option<Upload>> {
        self.inner.upload(id).await
    }
    async fn upload_by_token(&self, token: &str) -> Result<Option<Upload>> {
        self.inner.upload_by_token(token).await
    }
    async fn advance_upload(&self, id: Uuid, from: u64, received: u64, now: Time) -> Result<bool> {
        self.write(self.inner.advance_upload(id, from, received, now)).await
    }
    async fn finish_upload(&self, id: Uuid, blob: &str, sha256: &str, now: Time) -> Result<Option<Upload>> {
        self.write(self.inner.finish_upload(id, blob, sha256, now)).await
    }
    async fn remove_upload(&self, id: Uuid, now: Time) -> Result<bool> {
        self.write(self.inner.remove_upload(id, now)).await
    }
    async fn expire_uploads(
        &self,
        incomplete: Time,
        complete: Option<Time>,
        now: Time,
        limit: u32,
    ) -> Result<u64> {
        self.write(self.inner.expire_uploads(incomplete, complete, now, limit)).await
    }
}

#[async_trait]
impl BlobRecords for Faulty {
    async fn doomed_blobs(&self, limit: u32) -> Result<Vec<String>> {
        self.inner.doomed_blobs(limit).await
    }
    async fn doomed_among(&self, keys: &[String]) -> Result<Vec<String>> {
        self.inner.doomed_among(keys).await
    }
    async fn forget_blobs(&self, keys: &[String]) -> Result<()> {
        self.write(self.inner.forget_blobs(keys)).await
    }
    async fn unrecorded_among(&self, keys: &[String]) -> Result<Vec<String>> {
        self.inner.unrecorded_among(keys).await
    }
    async fn recorded_blobs(&self, after: &str, limit: u32) -> Result<Vec<String>> {
        self.inner.recorded_blobs(after, limit).await
    }
    async fn miscounted_blobs(&self, limit: u32) -> Result<Miscounts> {
        self.inner.miscounted_blobs(limit).await
    }
    async fn finished_tasks(&self, owner: OwnerKind, before: Time, limit: u32) -> Result<Vec<TaskId>> {
        self.inner.finished_tasks(owner, before, limit).await
    }
    async fn expire_logs(&self, owner: OwnerKind, before: Time, limit: u32) -> Result<u64> {
        self.write(self.inner.expire_logs(owner, before, limit)).await
    }
    async fn expire_records(&self, delivered: Time, now: Time, limit: u32) -> Result<u64> {
        self.write(self.inner.expire_records(delivered, now, limit)).await
    }
}

#[async_trait]
impl Idempotency for Faulty {
    async fn begin_call(&self, call: &CallKey, node: &str, now: Time, expires: Time) -> Result<Begun> {
        self.inner.begin_call(call, node, now, expires).await
    }
    async fn renew_call(&self, call: &CallKey, node: &str, expires: Time) -> Result<()> {
        self.inner.renew_call(call, node, expires).await
    }
    async fn abandon_call(&self, call: &CallKey) -> Result<()> {
        self.inner.abandon_call(call).await
    }
    async fn abandon_calls_of(&self, node: &str) -> Result<u64> {
        self.inner.abandon_calls_of(node).await
    }
}

#[async_trait]
impl Workers for Faulty {
    async fn keep_checkpoint(&self, id: TaskId, attempt: u32, value: &serde_json::Value) -> Result<bool> {
        self.inner.keep_checkpoint(id, attempt, value).await
    }
    async fn checkpoint(&self, id: TaskId) -> Result<Option<serde_json::Value>> {
        self.inner.checkpoint(id).await
    }
    async fn worker_seen(&self, name: &str, slots: u32, now: Time) -> Result<()> {
        self.inner.worker_seen(name, slots, now).await
    }
    async fn workers_seen(&self, since: Time) -> Result<Vec<SeenWorker>> {
        self.inner.workers_seen(since).await
    }
}

#[async_trait]
impl Outbox for Faulty {
    async fn pending_messages(&self, limit: u32) -> Result<Vec<Message>> {
        self.inner.pending_messages(limit).await
    }
    async fn message_delivered(&self, dedup_id: &str, now: Time) -> Result<bool> {
        self.inner.message_delivered(dedup_id, now).await
    }
}

#[tokio::test]
async fn a_task_that_could_not_be_kept_leaves_no_upload_and_may_be_sent_again() {
    let store = Faulty::new(&[(Call::Insert, When::Before)]).await;
    let world = World::over(store, |builder| builder).await;
    let failed = create(&world, keyed("k", upload("a.glb", b"model"))).await.unwrap_err();
    assert_eq!(failed.code, "store_unavailable");
    assert!(world.uploads().await.is_empty());
    let again = soon("the key to be free", async {
        loop {
            if let Ok(created) = create(&world, keyed("k", upload("a.glb", b"model"))).await {
                break created;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!again.replayed);
}

#[tokio::test]
async fn a_task_whose_answer_was_lost_is_there_and_the_same_call_finds_it() {
    let store = Faulty::new(&[(Call::Insert, When::After)]).await;
    let world = World::over(store, |builder| builder).await;
    create(&world, keyed("k", upload("a.glb", b"model"))).await.unwrap_err();
    assert_eq!(world.uploads().await.len(), 1);
    let again = create(&world, keyed("k", upload("a.glb", b"model"))).await.unwrap();
    assert!(again.replayed);
    world.start().await;
    world.until_status(again.task.id, TaskStatus::Done).await;
}

#[tokio::test]
async fn whatever_step_the_store_fails_at_the_task_is_done_once_with_its_own_files() {
    for call in [
        Call::Claim,
        Call::Apply(Trigger::Advance),
        Call::Apply(Trigger::AddFile),
        Call::Apply(Trigger::Complete),
    ] {
        for when in [When::Before, When::After] {
            let store = Faulty::new(&[(call, when)]).await;
            let world = World::over(store.clone(), |builder| builder).await;
            world.start().await;
            let task = world.create().await;
            let done = soon("the end", async {
                loop {
                    let task = world.task(task.id).await;
                    if task.status.is_terminal() {
                        break task;
                    }
                    // Time passes: pauses, retries and leases end.
                    world.clock.advance(Duration::from_secs(1));
                    tokio::task::yield_now().await;
                }
            })
            .await;
            assert_eq!(done.status, TaskStatus::Done, "{call:?} {when:?}: {done:?}");
            assert!(store.all_happened(), "{call:?} {when:?}");
            let own = format!("/{}/", done.attempt);
            soon("tidying", async {
                loop {
                    let results = world.results().await;
                    if results.len() == 3 && results.iter().all(|blob| blob.contains(&own)) {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            })
            .await;
            let ends = store.inner.events(task.id, 0, 500).await.unwrap();
            assert_eq!(ends.iter().filter(|event| event.kind.is_terminal()).count(), 1);
        }
    }
}

#[async_trait]
impl Keys for Faulty {
    async fn insert_key(&self, key: &ApiKey, hash: &str) -> Result<()> {
        self.inner.insert_key(key, hash).await
    }
    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>> {
        self.inner.key(id).await
    }
    async fn key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>> {
        self.inner.key_by_hash(hash).await
    }
    async fn keys(&self, owner: Option<&Owner>) -> Result<Vec<ApiKey>> {
        self.inner.keys(owner).await
    }
    async fn key_used(&self, id: KeyId, at: Time) -> Result<()> {
        self.inner.key_used(id, at).await
    }
    async fn revoke_key(&self, id: KeyId, at: Time) -> Result<bool> {
        self.inner.revoke_key(id, at).await
    }
    async fn rotate_key(&self, old: KeyId, end: Time, new: &ApiKey, hash: &str) -> Result<bool> {
        self.inner.rotate_key(old, end, new, hash).await
    }
    async fn insert_admin_link(&self, hash: &str, now: Time, expires: Time) -> Result<()> {
        self.inner.insert_admin_link(hash, now, expires).await
    }
    async fn use_admin_link(&self, hash: &str, now: Time, session: &Session, cookie: &str) -> Result<bool> {
        self.inner.use_admin_link(hash, now, session, cookie).await
    }
    async fn admin_link_used(&self) -> Result<bool> {
        self.inner.admin_link_used().await
    }
    async fn session(&self, hash: &str, now: Time) -> Result<Option<Session>> {
        self.inner.session(hash, now).await
    }
    async fn end_session(&self, hash: &str) -> Result<bool> {
        self.inner.end_session(hash).await
    }
}

#[async_trait]
impl Quotas for Faulty {
    async fn take_place(
        &self,
        owner: &Owner,
        id: TaskId,
        now: Time,
        quota: &Quota,
    ) -> Result<Option<UsedUp>> {
        self.inner.take_place(owner, id, now, quota).await
    }
    async fn place_used(&self, task: TaskId) -> Result<()> {
        self.inner.place_used(task).await
    }
    async fn give_place_back(&self, task: TaskId) -> Result<()> {
        self.inner.give_place_back(task).await
    }
}
