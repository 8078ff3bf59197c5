//! One attempt: a worker runs, its events become state, its end decides what comes next.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use tokio_util::{io::ReaderStream, sync::CancellationToken};

use super::{
    hold::{Held, Hold},
    model::{Stage, TaskId},
    service::Inner,
};
use crate::{
    Error, Kind, Result,
    blob::{ByteStream, bytes_body},
    clock::Time,
    worker::{Events, FileContent, Job, JobEvent, Worker},
};

/// Events a worker may be ahead of the core.
const EVENT_BUFFER: usize = 64;
/// Progress is kept at most this often; stages and files always.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

pub(super) struct Attempt {
    pub(super) hold: Hold,
    pub(super) worker: Arc<dyn Worker>,
    /// Fires when the owner cancels the task.
    pub(super) cancel: CancellationToken,
    /// Fires when this process shuts down.
    pub(super) abort: CancellationToken,
}

/// How an attempt ended, as far as the core is concerned.
enum End {
    /// The worker has ended.
    Worker(Result<()>),
    /// The attempt no longer holds the task: say nothing more about it.
    Lost,
    /// This process shuts down.
    Shutdown,
}

impl Attempt {
    pub(super) async fn run(self) {
        let (id, attempt) = (self.hold.task.id, self.hold.task.attempt);
        tracing::debug!(task = %id, attempt, worker = self.worker.name(), "attempt begins");
        let end = self.work().await;
        if let Err(error) = self.conclude(end).await {
            // The lease ends by itself, and the sweep takes the task back.
            tracing::error!(%error, task = %id, attempt, "the end of an attempt could not be stored");
        }
        self.hold.tidy().await;
        self.hold.inner.hub.queue_moved();
    }

    async fn work(&self) -> End {
        let stop = self.cancel.child_token();
        let (events, mut arriving) = Events::channel(EVENT_BUFFER);
        let task = &self.hold.task;
        let (checkpoint, files) = match self.hold.begin().await {
            Ok(found) => found,
            Err(error) => return End::Worker(Err(error)),
        };
        let job = Job {
            task: task.id,
            attempt: task.attempt,
            kind: task.kind.clone(),
            params: task.params.clone(),
            input: task.input.clone(),
            blobs: self.hold.inner.blobs.clone(),
            files,
            shutdown: self.abort.clone(),
            checkpoint,
        };
        let running = AssertUnwindSafe(self.worker.run(job, events, stop.clone())).catch_unwind();
        let listening = async {
            let mut told = Told::default();
            let mut end = None;
            while let Some(delivery) = arriving.recv().await {
                // After the end the rest is only taken off, so that the worker never waits for room.
                if end.is_none()
                    && let Err(reason) = self.take(&delivery.event, &mut told).await
                {
                    end = Some(reason);
                    stop.cancel();
                }
            }
            end
        };
        tokio::pin!(running, listening);
        let beat = self.beat();
        tokio::pin!(beat);
        let (mut ended, mut heard, mut lost) = (None, None, None);
        while ended.is_none() || heard.is_none() {
            tokio::select! {
                result = &mut running, if ended.is_none() => {
                    ended = Some(result.unwrap_or_else(|_| Err(panicked())));
                }
                // The channel closes after the worker has ended, so everything it told has been taken then.
                end = &mut listening, if heard.is_none() => heard = Some(end),
                () = &mut beat, if lost.is_none() => {
                    lost = Some(End::Lost);
                    stop.cancel();
                }
                () = self.abort.cancelled(), if lost.is_none() => {
                    lost = Some(End::Shutdown);
                    stop.cancel();
                }
            }
        }
        // Once told to stop, the worker's own word does not count any more.
        lost.or(heard.flatten()).unwrap_or_else(|| End::Worker(ended.unwrap_or(Ok(()))))
    }

    /// Keeps the lease alive; ends when it is lost.
    async fn beat(&self) {
        loop {
            self.hold.inner.clock.sleep(self.hold.inner.settings.heartbeat).await;
            match self.hold.renew().await {
                Ok(Held::Yes) => {}
                Ok(Held::Lost) => return,
                Err(error) => {
                    tracing::warn!(%error, task = %self.hold.task.id, "a heartbeat could not be stored");
                }
            }
        }
    }

    async fn take(&self, event: &JobEvent, told: &mut Told) -> Result<(), End> {
        let failed = |error| End::Worker(Err(error));
        let held = match event {
            JobEvent::Progress { stage, fraction } => {
                let (stage, progress) = (*stage, percent(*fraction));
                if !told.is_news(stage, progress, self.hold.inner.clock.now()) {
                    return Ok(());
                }
                self.hold.advance(stage, progress).await.map_err(failed)?
            }
            JobEvent::File { key, content } => {
                let body = body(content).await.map_err(failed)?;
                self.hold.add_file(key, body).await.map_err(failed)?
            }
            JobEvent::Checkpoint(value) => self.hold.keep_checkpoint(value).await.map_err(failed)?,
        };
        match held {
            Held::Yes => Ok(()),
            Held::Lost => Err(End::Lost),
        }
    }

    async fn conclude(&self, end: End) -> Result<()> {
        let held = match end {
            End::Lost => return Ok(()),
            End::Shutdown => self.hold.release().await?,
            // The status is `cancelled` already.
            End::Worker(_) if self.cancel.is_cancelled() => return Ok(()),
            End::Worker(result) => self.hold.conclude(result).await?,
        };
        if held == Held::Lost {
            let (id, attempt) = (self.hold.task.id, self.hold.task.attempt);
            tracing::info!(task = %id, attempt, "an attempt ended after it had lost its task");
        }
        Ok(())
    }
}

impl Inner {
    /// Removes the blobs of an attempt that its task does not refer to.
    pub(super) async fn tidy(&self, id: TaskId, attempt: u32) -> Result<()> {
        let blobs = self.blobs.list(&format!("tasks/{id}/{attempt}/")).await?;
        if blobs.is_empty() {
            return Ok(());
        }
        let task = self.store.task(id).await?;
        for blob in blobs {
            let kept = task.as_ref().is_some_and(|task| task.files.iter().any(|file| file.blob == blob));
            if !kept {
                self.blobs.delete(&blob).await?;
            }
        }
        Ok(())
    }
}

/// What was last told of the progress.
#[derive(Default)]
struct Told {
    last: Option<(Stage, u8, Time)>,
}

impl Told {
    /// True when it is worth keeping; then it is taken as told.
    fn is_news(&mut self, stage: Stage, progress: u8, now: Time) -> bool {
        let news = match self.last {
            None => true,
            Some((known, _, _)) if stage > known => true,
            Some((_, told, at)) => {
                progress > told && (now - at).to_std().is_ok_and(|gone| gone >= PROGRESS_EVERY)
            }
        };
        if news {
            self.last = Some((stage, progress, now));
        }
        news
    }
}

/// 100 is kept for a task that is done.
pub(super) fn percent(fraction: f32) -> u8 {
    // `as` saturates, and makes 0 of NaN.
    ((fraction * 100.0) as u8).min(99)
}

async fn body(content: &FileContent) -> Result<ByteStream> {
    let path = match content {
        FileContent::Bytes(bytes) => return Ok(bytes_body(bytes.clone())),
        FileContent::Stream(arriving) => {
            return arriving.take().ok_or_else(|| Error::internal("a file's bytes were taken twice"));
        }
        FileContent::Path(path) => path,
    };
    let file = tokio::fs::File::open(path)
        .await
        .map_err(|error| Error::io(format!("reading `{}`", path.display()), error))?;
    let pieces = ReaderStream::with_capacity(file, 1 << 18)
        .map(|piece: std::io::Result<Bytes>| piece.map_err(|error| Error::io("reading a made file", error)));
    Ok(Box::pin(pieces))
}

fn panicked() -> Error {
    Error::new(
        crate::Class::Unknown,
        Kind::Internal,
        "worker_panicked",
        "the worker stopped with a defect of ours",
        "try again; if it stays, report it with the file that causes it",
    )
}
