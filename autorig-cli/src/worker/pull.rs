//! The loop of a worker that asks for work: lease, fetch, rig, hand in.

use std::{sync::Arc, time::Duration};

use autorig_client::{Client, Lease, LeaseFailure, Made};
use autorig_core::{
    Error, Result as CoreResult,
    blob::{BlobStore, LocalBlobs},
    task::{InputFile, RigKind, TaskKind},
    worker::{Events, FileContent, Job, JobEvent, Worker},
};
use futures_util::{StreamExt, TryStreamExt, stream::FuturesUnordered};
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::failure::Result;

/// How long one call waits for a task.
const WAIT: Duration = Duration::from_secs(30);
/// Longest pause after the server could not be reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Progress is told at most this often; new stages always.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);
/// Events the engine may be ahead of the network.
const EVENT_BUFFER: usize = 64;

/// Works for a server.
pub(super) struct Puller {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) kinds: Vec<String>,
    pub(super) slots: usize,
    pub(super) worker: Arc<dyn Worker>,
    /// Where models are kept while they are rigged.
    pub(super) blobs: Arc<LocalBlobs>,
}

/// How the work on a lease ended.
enum End {
    /// The worker has ended.
    Worker(CoreResult<()>),
    /// The server no longer wants it.
    Lost,
    /// This process must stop now.
    Abort,
}

impl Puller {
    /// Leases and rigs in every slot. After `drain` it takes nothing more and finishes what it has; after
    /// `abort` it gives that back.
    ///
    /// # Errors
    /// The server's refusal of the key or the name; a server that is away is waited for.
    pub(super) async fn run(&self, drain: CancellationToken, abort: CancellationToken) -> Result<()> {
        let mut slots: FuturesUnordered<_> = (0..self.slots).map(|_| self.slot(&drain, &abort)).collect();
        let mut result = Ok(());
        while let Some(ended) = slots.next().await {
            if ended.is_err() {
                // One key serves every slot.
                drain.cancel();
                result = result.and(ended);
            }
        }
        result
    }

    async fn slot(&self, drain: &CancellationToken, abort: &CancellationToken) -> Result<()> {
        let mut pause = Duration::from_secs(1);
        loop {
            let leased = tokio::select! {
                () = drain.cancelled() => return Ok(()),
                leased = self.client.lease(&self.name, self.slots, &self.kinds, WAIT) => leased,
            };
            match leased {
                Ok(Some(lease)) => {
                    pause = Duration::from_secs(1);
                    self.serve(&lease, abort).await;
                }
                Ok(None) => pause = Duration::from_secs(1),
                Err(autorig_client::Error::Problem(problem)) if !problem.retryable => {
                    return Err(autorig_client::Error::Problem(problem).into());
                }
                Err(error) => {
                    tracing::warn!(%error, "no task could be leased; trying again");
                    tokio::select! {
                        () = drain.cancelled() => return Ok(()),
                        () = sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Works on a task and tells the server its end. What cannot be told ends with the lease.
    async fn serve(&self, lease: &Lease, abort: &CancellationToken) {
        tracing::info!(task = lease.task_id, attempt = lease.attempt, "leased");
        let end = self.work(lease, abort).await;
        if let Err(error) = self.blobs.delete(&blob(lease)).await {
            tracing::warn!(%error, "a fetched model could not be removed");
        }
        let told = match end {
            End::Lost => {
                tracing::info!(task = lease.task_id, "the lease was lost; the task is dropped");
                return;
            }
            End::Abort => self.client.lease_release(lease).await,
            End::Worker(Ok(())) => self.client.lease_complete(lease).await,
            End::Worker(Err(error)) => self.client.lease_fail(lease, &failure(&error)).await,
        };
        if let Err(error) = told {
            tracing::warn!(%error, task = lease.task_id, "the end of a task could not be told");
        }
    }

    async fn work(&self, lease: &Lease, abort: &CancellationToken) -> End {
        let stop = CancellationToken::new();
        let doing = self.rig(lease, stop.clone());
        tokio::pin!(doing);
        let mut beat = interval(Duration::from_secs(lease.heartbeat_seconds.max(1)));
        beat.tick().await;
        loop {
            let why = tokio::select! {
                end = &mut doing => return end,
                () = abort.cancelled() => End::Abort,
                _ = beat.tick() => match self.client.lease_progress(lease, None).await {
                    Err(error) if error.is_lease_lost() => End::Lost,
                    Err(error) => {
                        tracing::warn!(%error, "a sign of life could not be given");
                        continue;
                    }
                    Ok(()) => continue,
                },
            };
            stop.cancel();
            doing.await;
            return why;
        }
    }

    async fn rig(&self, lease: &Lease, stop: CancellationToken) -> End {
        let fetched = tokio::select! {
            fetched = self.fetch(lease) => fetched,
            () = stop.cancelled() => return End::Abort,
        };
        let job = match fetched {
            Ok(job) => job,
            Err(End::Lost) => return End::Lost,
            Err(end) => return end,
        };
        let (events, arriving) = Events::channel(EVENT_BUFFER);
        let running = self.worker.run(job, events, stop.clone());
        let telling = self.tell(lease, arriving, &stop);
        let (result, told) = tokio::join!(running, telling);
        match told {
            Ok(()) => End::Worker(result),
            Err(end) => end,
        }
    }

    /// The leased model, fetched and checked, as a job.
    async fn fetch(&self, lease: &Lease) -> Result<Job, End> {
        let task = lease.task_id.parse().map_err(|error| End::Worker(Err(error)))?;
        let body = self.client.lease_input(lease).await.map_err(|error| network(&error))?;
        let body = body.map_err(|error| unreachable(&error)).boxed();
        let blob = blob(lease);
        let stored = self.blobs.put(&blob, body, lease.input.size).await;
        let meta = stored.map_err(|error| End::Worker(Err(error)))?;
        if meta.sha256 != lease.input.sha256 {
            let what = "the model that arrived is not the one the server announced";
            return Err(End::Worker(Err(Error::temporary("corrupt_download", what, RETRIED))));
        }
        let input = InputFile { blob, name: lease.input.name.clone(), size: meta.size, sha256: meta.sha256 };
        Ok(Job {
            task,
            attempt: lease.attempt,
            kind: lease.kind.clone(),
            params: lease.params.clone(),
            input,
            blobs: self.blobs.clone(),
            files: RigKind.deliverables(&lease.params),
            shutdown: CancellationToken::new(),
            checkpoint: None,
        })
    }

    /// Tells the server what the worker tells; stops the worker when nobody listens any more.
    async fn tell(
        &self,
        lease: &Lease,
        mut arriving: Receiver<autorig_core::worker::Delivery>,
        stop: &CancellationToken,
    ) -> Result<(), End> {
        let mut end = Ok(());
        let mut last: Option<(&'static str, Instant)> = None;
        while let Some(delivery) = arriving.recv().await {
            if end.is_err() {
                // The rest is only taken off, so that the worker never waits for room.
                continue;
            }
            let told = match &delivery.event {
                JobEvent::Progress { stage, fraction } => {
                    let stage = stage.as_str();
                    let now = Instant::now();
                    if last.is_some_and(|(told, at)| told == stage && now - at < PROGRESS_EVERY) {
                        continue;
                    }
                    last = Some((stage, now));
                    match self.client.lease_progress(lease, Some((stage, *fraction))).await {
                        // The next one tells as much.
                        Err(error) if !error.is_lease_lost() => Ok(()),
                        told => told,
                    }
                }
                JobEvent::File { key, content } => {
                    let made = match content {
                        FileContent::Path(path) => Made::Path(path.clone()),
                        FileContent::Bytes(bytes) => Made::Bytes(bytes.clone()),
                        FileContent::Stream(_) => {
                            // Only a pool of machines streams, and this worker rigs by itself.
                            end =
                                Err(End::Worker(Err(Error::internal("a streamed file cannot be handed on"))));
                            continue;
                        }
                    };
                    self.client.lease_file(lease, key, &made).await
                }
                // It lives as long as this process; another one begins anew.
                JobEvent::Checkpoint(_) => Ok(()),
            };
            if let Err(error) = told {
                stop.cancel();
                end = Err(network(&error));
            }
        }
        end
    }
}

const RETRIED: &str = "it is tried again by itself";

/// Where a leased model is kept.
fn blob(lease: &Lease) -> String {
    format!("inputs/{}", lease.lease)
}

/// A call that failed for good ends the attempt.
fn network(error: &autorig_client::Error) -> End {
    if error.is_lease_lost() { End::Lost } else { End::Worker(Err(unreachable(error))) }
}

fn unreachable(error: &autorig_client::Error) -> Error {
    Error::temporary("worker_network", format!("between the worker and the server: {error}"), RETRIED)
}

fn failure(error: &Error) -> LeaseFailure {
    LeaseFailure {
        class: error.class.as_str().to_owned(),
        code: error.code.to_string(),
        message: error.message.clone(),
        remedy: error.remedy.clone(),
        retry_after_seconds: error.retry_after.map(|after| after.as_secs()),
    }
}
