//! A core with everything outside of it under the test's control.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use autorig_core::{
    AutoRig, Builder, Result,
    blob::{BlobStore, LocalBlobs, bytes_body},
    clock::{ManualClock, SequentialIds},
    store::{SqliteStore, Store},
    task::{Created, Input, NewTask, Stage, Task, TaskId, TaskService, TaskStatus},
    worker::{Events, FileContent, Job, JobEvent, Worker},
};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

/// A test that waits longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Fails instead of hanging.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited too long for {what}"),
    }
}

type Step = Box<dyn FnOnce(Job, Events, CancellationToken) -> BoxFuture<'static, Result<()>> + Send>;

/// A worker that does what the test says, one step an attempt; afterwards it makes everything.
#[derive(Default)]
pub(crate) struct Scripted {
    steps: Mutex<VecDeque<Step>>,
    pub(crate) attempts: Mutex<Vec<(TaskId, u32)>>,
    pub(crate) slots: usize,
}

impl Scripted {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { slots: 1, ..Self::default() })
    }

    pub(crate) fn then<F>(
        self: &Arc<Self>,
        step: impl FnOnce(Job, Events, CancellationToken) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let step: Step = Box::new(move |job, events, cancel| Box::pin(step(job, events, cancel)));
        self.steps.lock().unwrap().push_back(step);
    }
}

#[async_trait]
impl Worker for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn slots(&self) -> usize {
        self.slots
    }

    fn kinds(&self) -> Vec<String> {
        vec!["rig".to_owned()]
    }

    async fn run(&self, job: Job, events: Events, cancel: CancellationToken) -> Result<()> {
        self.attempts.lock().unwrap().push((job.task, job.attempt));
        let step = self.steps.lock().unwrap().pop_front();
        match step {
            Some(step) => step(job, events, cancel).await,
            None => everything(&events).await,
        }
    }
}

pub(crate) async fn file(events: &Events, key: &str) -> Result<()> {
    let content = FileContent::Bytes(format!("bytes of {key}").into());
    events.send(JobEvent::File { key: key.to_owned(), content }).await
}

pub(crate) async fn progress(events: &Events, stage: Stage, fraction: f32) -> Result<()> {
    events.send(JobEvent::Progress { stage, fraction }).await
}

/// What a rig that works tells.
pub(crate) async fn everything(events: &Events) -> Result<()> {
    progress(events, Stage::Read, 0.1).await?;
    file(events, "prepared_glb").await?;
    progress(events, Stage::Skin, 0.6).await?;
    file(events, "rigged_glb").await?;
    file(events, "report_json").await
}

/// The parts of a core.
pub(crate) struct World {
    pub(crate) autorig: AutoRig,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) worker: Arc<Scripted>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(more: impl FnOnce(Builder) -> Builder) -> Self {
        let store = Arc::new(SqliteStore::in_memory().await.unwrap());
        Self::over(store, more).await
    }

    pub(crate) async fn over(store: Arc<dyn Store>, more: impl FnOnce(Builder) -> Builder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs: Arc<dyn BlobStore> = Arc::new(LocalBlobs::open(folder.path()).await.unwrap());
        let clock = Arc::new(ManualClock::default());
        let worker = Scripted::new();
        let builder = AutoRig::builder()
            .store(store.clone())
            .blobs(blobs.clone())
            .worker(worker.clone())
            .clock(clock.clone())
            .ids(Arc::new(SequentialIds::default()));
        let autorig = more(builder).build().await.unwrap();
        Self { autorig, store, blobs, clock, worker, _folder: folder }
    }

    pub(crate) fn tasks(&self) -> &TaskService {
        self.autorig.tasks()
    }

    pub(crate) async fn start(&self) {
        self.autorig.start().await.unwrap();
    }

    pub(crate) async fn create(&self) -> Task {
        self.tasks().create(NewTask::rig(upload("hero.glb", b"glTF model"))).await.unwrap().task
    }

    pub(crate) async fn task(&self, id: TaskId) -> Task {
        self.tasks().get(id).await.unwrap().unwrap()
    }

    /// The task as soon as it is as wanted.
    pub(crate) async fn until(&self, id: TaskId, what: &str, wanted: impl Fn(&Task) -> bool) -> Task {
        soon(what, async {
            let mut seen = None;
            loop {
                let task = self.tasks().wait(id, seen, PATIENCE).await.unwrap().unwrap();
                if wanted(&task) {
                    return task;
                }
                assert!(!task.status.is_terminal(), "waiting for {what}, it ended: {task:?}");
                seen = Some(task.version);
            }
        })
        .await
    }

    pub(crate) async fn until_status(&self, id: TaskId, status: TaskStatus) -> Task {
        self.until(id, status.as_str(), |task| task.status == status).await
    }

    /// Every stored blob of the tasks.
    pub(crate) async fn results(&self) -> Vec<String> {
        self.blobs.list("tasks/").await.unwrap()
    }

    pub(crate) async fn uploads(&self) -> Vec<String> {
        self.blobs.list("uploads/").await.unwrap()
    }
}

pub(crate) fn upload(name: &str, bytes: &[u8]) -> Input {
    Input::Upload { name: name.to_owned(), body: bytes_body(bytes.to_vec()) }
}

pub(crate) fn keyed(key: &str, input: Input) -> NewTask {
    NewTask { idempotency_key: Some(key.to_owned()), ..NewTask::rig(input) }
}

pub(crate) async fn create(world: &World, new: NewTask) -> Result<Created> {
    world.tasks().create(new).await
}
