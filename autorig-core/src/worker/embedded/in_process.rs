//! The engine in a thread of this process: for embedding programs that trust their inputs.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::job::{RigJob, Sink, perform};
use crate::{
    Class, Error, Kind, Result,
    task::{RigOptions, Stage},
    worker::{Events, FileContent, Job, JobEvent, Worker},
};

/// Rigs in threads of this process, at most `slots` at once. A defect of the engine is caught; running out
/// of memory is not: a server takes [`super::ChildWorker`].
#[derive(Debug, Clone)]
pub struct InProcessWorker {
    slots: usize,
    threads: Option<usize>,
    viewer_template: Option<Arc<str>>,
}

impl InProcessWorker {
    /// A worker that does so many rigs at once.
    pub fn new(slots: usize) -> Self {
        Self { slots, threads: None, viewer_template: None }
    }

    /// Limits the threads of one rig; all cores otherwise.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The built viewer page that models are put into; without it there are no viewer pages.
    #[must_use]
    pub fn viewer_template(mut self, template: Arc<str>) -> Self {
        self.viewer_template = Some(template);
        self
    }
}

#[async_trait]
impl Worker for InProcessWorker {
    fn name(&self) -> &str {
        "in-process"
    }

    fn slots(&self) -> usize {
        self.slots
    }

    fn kinds(&self) -> Vec<String> {
        vec!["rig".to_owned()]
    }

    async fn run(&self, job: Job, events: Events, cancel: CancellationToken) -> Result<()> {
        let rig = RigJob {
            name: job.input.name.clone(),
            bytes: read_input(&job).await?,
            options: RigOptions::parse(job.params)?,
            threads: self.threads,
            viewer_template: self.viewer_template.clone(),
        };
        let stop = Arc::new(AtomicBool::new(false));
        // Dropping this future stops the thread as well.
        let _stop = StopOnDrop(stop.clone());
        let (sender, receiver) = oneshot::channel();
        std::thread::Builder::new()
            .name("autorig-rig".to_owned())
            .spawn(move || {
                let result = perform(rig, &mut Channel { events, stop });
                // Nobody waits for it after a cancel.
                let _ = sender.send(result);
            })
            .map_err(|error| Error::io("starting a thread", error))?;
        tokio::select! {
            // The sender is dropped without a word when the thread panics.
            result = receiver => result.unwrap_or_else(|_| Err(panicked())),
            () = cancel.cancelled() => Err(Error::cancelled()),
        }
    }
}

async fn read_input(job: &Job) -> Result<Vec<u8>> {
    let blob = job.blobs.get(&job.input.blob, None).await?;
    let mut body = blob.ok_or_else(|| Error::internal("the stored input is gone"))?.body;
    let mut bytes = Vec::with_capacity(usize::try_from(job.input.size).unwrap_or(0));
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Channel {
    events: Events,
    stop: Arc<AtomicBool>,
}

impl Sink for Channel {
    fn progress(&mut self, stage: Stage, fraction: f32) -> Result<()> {
        self.events.send_blocking(JobEvent::Progress { stage, fraction })
    }

    fn file(&mut self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let content = FileContent::Bytes(bytes.into());
        self.events.send_blocking(JobEvent::File { key: key.to_owned(), content })
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn panicked() -> Error {
    Error::new(
        Class::Unknown,
        Kind::Internal,
        "worker_panicked",
        "the engine stopped with a defect of ours",
        "try again; if it stays, report it with the file that causes it",
    )
}
