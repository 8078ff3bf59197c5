//! Who does the work: the trait, the job, and what a worker tells while it works.
//!
//! A worker knows nothing of HTTP, tasks or stores. It gets a [`Job`], tells [`JobEvent`]s, and ends with
//! `Ok` or with an [`Error`] whose class decides about another attempt.

pub mod converter;
pub mod embedded;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    blob::{BlobStore, ByteStream},
    task::{Deliverable, InputFile, Stage, TaskId},
};

pub use converter::ConverterPool;
pub use embedded::{ChildWorker, InProcessWorker};

/// One attempt at one task.
#[derive(Clone)]
pub struct Job {
    /// Which task.
    pub task: TaskId,
    /// Which attempt.
    pub attempt: u32,
    /// What is to be done.
    pub kind: String,
    /// The checked options.
    pub params: Value,
    /// What to work on.
    pub input: InputFile,
    /// Where the input's bytes are.
    pub blobs: Arc<dyn BlobStore>,
    /// The files that the task makes.
    pub files: Vec<Deliverable>,
    /// Fires when this process shuts down. `cancel` fires then as well, but what works on the task elsewhere may go
    /// on: the next process takes it up.
    pub shutdown: CancellationToken,
    /// What was last kept of the task with [`JobEvent::Checkpoint`], by whichever attempt.
    pub checkpoint: Option<Value>,
}

/// What a worker tells.
#[derive(Debug, Clone)]
pub enum JobEvent {
    /// It got further.
    Progress {
        /// What it is doing.
        stage: Stage,
        /// Part of the whole, 0 to 1.
        fraction: f32,
    },
    /// It made a file.
    File {
        /// Which.
        key: String,
        /// Its bytes.
        content: FileContent,
    },
    /// It wants this back, should it have to begin again: in another attempt, after a crash of this process.
    Checkpoint(Value),
}

/// A made file's bytes.
#[derive(Debug, Clone)]
pub enum FileContent {
    /// A file of this machine; the worker may remove it once [`Events::send`] has returned.
    Path(PathBuf),
    /// In memory.
    Bytes(Bytes),
    /// Still arriving.
    Stream(Arriving),
}

/// Bytes that can be taken once.
#[derive(Clone)]
pub struct Arriving(Arc<Mutex<Option<ByteStream>>>);

impl Arriving {
    /// Bytes on their way.
    pub fn new(body: ByteStream) -> Self {
        Self(Arc::new(Mutex::new(Some(body))))
    }

    /// The bytes; `None` the second time.
    pub fn take(&self) -> Option<ByteStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Arriving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Arriving")
    }
}

/// Where a worker tells its events; waits when the core is behind.
#[derive(Debug, Clone)]
pub struct Events(mpsc::Sender<Delivery>);

/// An event on its way. The sender of a file or a checkpoint waits until its delivery is dropped, so that the
/// file may be removed and the next step begun afterwards.
#[derive(Debug)]
pub struct Delivery {
    /// What is told.
    pub event: JobEvent,
    _taken: Option<oneshot::Sender<()>>,
}

impl Events {
    /// A place to tell events, and where they arrive.
    pub fn channel(capacity: usize) -> (Self, mpsc::Receiver<Delivery>) {
        let (sender, receiver) = mpsc::channel(capacity);
        (Self(sender), receiver)
    }

    /// Tells an event; returns for a file or a checkpoint when the core has stored it.
    ///
    /// # Errors
    /// `cancelled` when nobody listens any more: the job should end.
    pub async fn send(&self, event: JobEvent) -> Result<()> {
        let (delivery, taken) = Delivery::new(event);
        self.0.send(delivery).await.map_err(|_| Error::cancelled())?;
        if let Some(taken) = taken {
            // An error says that the delivery was dropped, which is what is waited for.
            let _ = taken.await;
        }
        Ok(())
    }

    /// [`Events::send`] for a thread outside of the runtime.
    ///
    /// # Errors
    /// `cancelled` when nobody listens any more: the job should end.
    pub fn send_blocking(&self, event: JobEvent) -> Result<()> {
        let (delivery, taken) = Delivery::new(event);
        self.0.blocking_send(delivery).map_err(|_| Error::cancelled())?;
        if let Some(taken) = taken {
            let _ = taken.blocking_recv();
        }
        Ok(())
    }
}

impl Delivery {
    fn new(event: JobEvent) -> (Self, Option<oneshot::Receiver<()>>) {
        if matches!(event, JobEvent::Progress { .. }) {
            return (Self { event, _taken: None }, None);
        }
        let (sender, receiver) = oneshot::channel();
        (Self { event, _taken: Some(sender) }, Some(receiver))
    }
}

/// How much one machine takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// It answers.
    pub online: bool,
    /// Jobs it takes now.
    pub free: usize,
    /// Jobs it does at once.
    pub total: usize,
}

/// Does jobs.
#[async_trait]
pub trait Worker: Send + Sync + 'static {
    /// A name for logs and lists.
    fn name(&self) -> &str;

    /// How many jobs it does at once.
    fn slots(&self) -> usize;

    /// The kinds of jobs it does.
    fn kinds(&self) -> Vec<String>;

    /// The machines behind it, where it is more than one.
    fn machines(&self) -> Option<Vec<Places>> {
        None
    }

    /// Keeps its own view of the world up to date until `stop` fires; calls `changed` when it can take more or
    /// less than before.
    async fn watch(&self, changed: &(dyn Fn() + Send + Sync), stop: CancellationToken) {
        let _ = changed;
        stop.cancelled().await;
    }

    /// Does a job. It must end soon after `cancel` fires, and leave nothing behind.
    ///
    /// # Errors
    /// What stopped it; `cancelled` when `cancel` did.
    async fn run(&self, job: Job, events: Events, cancel: CancellationToken) -> Result<()>;
}
