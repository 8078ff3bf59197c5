//! One job on one machine: the pre-step, the job itself, then looking again and again which files there are.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::{
    ConverterPool, Handle,
    protocol::{Checkpoint, ConvertAnswer, ConvertRequest, PreStepAnswer, PreStepRequest, TaskAnswer},
};
use crate::{
    Error, Result,
    clock::Time,
    outbound::Url,
    task::{Deliverable, Stage},
    worker::{Arriving, Events, FileContent, Job, JobEvent},
};

/// Looks at a job that fail in a row before the machine is given up.
const MISSES: u32 = 5;
/// The file that shows a model before it is rigged.
const PREPARED: &str = "prepared_glb";
/// Largest file of a result.
const MAX_FILE: u64 = 4 << 30;

pub(super) struct Following<'a> {
    pub(super) pool: &'a ConverterPool,
    pub(super) handle: &'a Handle,
    pub(super) job: &'a Job,
    pub(super) events: &'a Events,
    pub(super) checkpoint: Checkpoint,
}

/// A file that is still to come.
struct Pending {
    file: Deliverable,
    url: Url,
}

impl Following<'_> {
    pub(super) async fn run(mut self) -> Result<()> {
        let accepted = match self.checkpoint.job.clone() {
            Some(job) => job,
            None => self.begin().await?,
        };
        let begun = Begun { job: accepted.worker_task_id.clone(), following: &self, over: false };
        let result = self.follow(&accepted).await;
        begun.end(&result);
        if result.is_err() {
            // Another attempt begins anew, elsewhere if it must.
            self.checkpoint.job = None;
            self.keep().await?;
        }
        result
    }

    async fn begin(&mut self) -> Result<ConvertAnswer> {
        let input = self.pool.links.link(self.job, self.pool.clock.as_ref())?;
        let input_url = match self.needs_pre_step() {
            true => self.pre_step(input).await?,
            false => input.to_string(),
        };
        let mode = self.job.params.get("mode").and_then(|mode| mode.as_str()).map(str::to_owned);
        let request = ConvertRequest {
            input_url,
            input_name: Some(self.job.input.name.clone()),
            mode,
            options: self.job.params.clone(),
        };
        let url = self.handle.url(&["api-converter-glb"]);
        let id = self.call_id("rig");
        let _turn = self.turn().await;
        let answer: ConvertAnswer =
            self.pool.peer.post(&url, Some(&id), &request, self.pool.times.call).await?;
        drop(_turn);
        self.checkpoint.job = Some(answer.clone());
        self.keep().await?;
        Ok(answer)
    }

    /// FBX is turned into GLB first, unless the machine says that it reads FBX.
    fn needs_pre_step(&self) -> bool {
        let is_fbx = self.job.input.name.to_lowercase().ends_with(".fbx");
        let reads = self.handle.state(|state| {
            let formats = state.queue.as_ref().and_then(|queue| queue.formats.as_ref());
            formats.is_some_and(|formats| formats.iter().any(|format| format.eq_ignore_ascii_case("fbx")))
        });
        is_fbx && !reads
    }

    async fn pre_step(&mut self, input: Url) -> Result<String> {
        if let Some(done) = &self.checkpoint.pre_step {
            return Ok(done.output_url.clone());
        }
        self.events.send(JobEvent::Progress { stage: Stage::Convert, fraction: 0.0 }).await?;
        let url = self.handle.url(&["api-converter-glb-to-fbx"]);
        let request = PreStepRequest { input_url: input.to_string() };
        let id = self.call_id("pre");
        let answer: PreStepAnswer =
            self.pool.peer.post(&url, Some(&id), &request, self.pool.times.pre_step).await?;
        let output_url = self.absolute(&answer.output_url)?.to_string();
        self.checkpoint.pre_step = Some(PreStepAnswer { output_url: output_url.clone() });
        self.keep().await?;
        self.show_prepared(&output_url).await;
        Ok(output_url)
    }

    /// The turned model is what the page shows until there is more; without it the job goes on as well.
    async fn show_prepared(&self, url: &str) {
        if !self.job.files.iter().any(|file| file.key == PREPARED) {
            return;
        }
        let Ok(url) = Url::parse(url) else { return };
        let body = match self.pool.peer.open(&url, MAX_FILE).await {
            Ok(Some(body)) => body,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%error, "the turned model could not be fetched");
                return;
            }
        };
        let content = FileContent::Stream(Arriving::new(body));
        // Nobody listens only when the attempt is over, which the next event finds out.
        let _ = self.events.send(JobEvent::File { key: PREPARED.to_owned(), content }).await;
    }

    /// The same for every try of one attempt, so that a repeated call begins nothing twice.
    fn call_id(&self, what: &str) -> String {
        format!("{}.{}.{what}", self.job.task, self.job.attempt)
    }

    async fn keep(&self) -> Result<()> {
        let value = serde_json::to_value(&self.checkpoint)
            .map_err(|error| Error::internal(format!("keeping a checkpoint: {error}")))?;
        self.events.send(JobEvent::Checkpoint(value)).await
    }

    /// Waits for one's turn to call the machine.
    async fn turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        // It is never closed.
        self.handle.calls.acquire().await.ok()
    }

    async fn follow(&self, accepted: &ConvertAnswer) -> Result<()> {
        let mut pending = self.pending(accepted)?;
        let total = pending.len().max(1);
        let mut done_at: Option<Time> = None;
        let mut misses = 0;
        loop {
            let told = match self.look(accepted).await {
                Ok(told) => {
                    misses = 0;
                    Some(told)
                }
                Err(error) if misses + 1 < MISSES && error.is_retryable() => {
                    misses += 1;
                    None
                }
                Err(error) => return Err(error),
            };
            self.fetch_ready(&mut pending).await?;
            let stage = told.as_ref().and_then(|told| told.stage.as_deref()?.parse().ok());
            let fraction = (total - pending.len()) as f32 / total as f32;
            let stage = stage.unwrap_or(Stage::Read);
            self.events.send(JobEvent::Progress { stage, fraction }).await?;
            if let Some(told) = told {
                let over = self.is_over(told, &mut pending, &mut done_at)?;
                if over {
                    return Ok(());
                }
            }
            self.pool.clock.sleep(self.pool.times.poll).await;
        }
    }

    async fn look(&self, accepted: &ConvertAnswer) -> Result<TaskAnswer> {
        let url = self.handle.url(&["api-task", &accepted.worker_task_id]);
        let _turn = self.turn().await;
        let told = self.pool.peer.get(&url, self.pool.times.call).await?;
        told.ok_or_else(|| {
            Error::new(
                crate::Class::Unknown,
                crate::Kind::Unavailable,
                "worker_lost",
                "the converter knows nothing of the job any more",
                "it is tried again by itself",
            )
        })
    }

    /// Whether nothing more is to come.
    fn is_over(
        &self,
        told: TaskAnswer,
        pending: &mut Vec<Pending>,
        done_at: &mut Option<Time>,
    ) -> Result<bool> {
        match told.status.as_str() {
            "error" => Err(told.error.map_or_else(
                || {
                    Error::temporary(
                        "worker_failed",
                        "the converter failed without a reason",
                        "it is tried again",
                    )
                },
                Error::from,
            )),
            "cancelled" => Err(Error::temporary(
                "worker_lost",
                "the job was stopped at the converter",
                "it is tried again",
            )),
            "done" => {
                if let Some(made) = &told.outputs {
                    // What it has not made will not come.
                    let made: BTreeSet<&str> = made.iter().map(|url| last_segment(url)).collect();
                    pending.retain(|one| one.file.required || made.contains(last_segment(one.url.path())));
                }
                let now = self.pool.clock.now();
                let since = *done_at.get_or_insert(now);
                let waited = (now - since).to_std().unwrap_or_default() >= self.pool.times.optional;
                if waited && !pending.is_empty() {
                    if let Some(missing) = pending.iter().find(|one| one.file.required) {
                        let message = format!("the converter was done without `{}`", missing.file.key);
                        return Err(Error::temporary(
                            "worker_failed",
                            message,
                            "it is tried again by itself",
                        ));
                    }
                    let keys: Vec<&str> = pending.iter().map(|one| one.file.key).collect();
                    tracing::warn!(task = %self.job.task, ?keys, "optional files did not come");
                }
                Ok(pending.is_empty() || waited)
            }
            _ => Ok(false),
        }
    }

    /// Stores the files that are there, a few at a time.
    async fn fetch_ready(&self, pending: &mut Vec<Pending>) -> Result<()> {
        let looks = pending.iter().map(|one| self.is_there(one));
        let ready: BTreeSet<&str> = join_all(looks).await.into_iter().flatten().collect();
        let mut stored = BTreeSet::new();
        for one in pending.iter().filter(|one| ready.contains(one.file.key)) {
            let _turn = self.turn().await;
            if let Some(body) = self.pool.peer.open(&one.url, MAX_FILE).await? {
                let content = FileContent::Stream(Arriving::new(body));
                self.events.send(JobEvent::File { key: one.file.key.to_owned(), content }).await?;
                stored.insert(one.file.key);
            }
        }
        pending.retain(|one| !stored.contains(one.file.key));
        Ok(())
    }

    /// The key of a file that is there.
    async fn is_there(&self, one: &Pending) -> Option<&'static str> {
        let _turn = self.turn().await;
        match self.pool.peer.size(&one.url, self.pool.times.call).await {
            Ok(size) => size.map(|_| one.file.key),
            // Looked at again the next time; whether the machine is gone is decided by the job's status.
            Err(error) => {
                tracing::debug!(%error, "a file could not be looked at");
                None
            }
        }
    }

    /// Which file is where: by the end of its name, the longest that fits.
    fn pending(&self, accepted: &ConvertAnswer) -> Result<Vec<Pending>> {
        let mut pending = Vec::new();
        for text in &accepted.output_urls {
            let url = self.absolute(text)?;
            let name = last_segment(url.path()).to_owned();
            let fits = self.job.files.iter().filter(|file| name.ends_with(file.suffix));
            if let Some(file) = fits.max_by_key(|file| file.suffix.len()) {
                pending.push(Pending { file: *file, url });
            }
        }
        match self
            .job
            .files
            .iter()
            .find(|file| file.required && !pending.iter().any(|one| one.file.key == file.key))
        {
            Some(missing) => {
                let message = format!("the converter does not make `{}`", missing.key);
                Err(Error::temporary(
                    "worker_failed",
                    message,
                    "check that the converter's version is this one",
                ))
            }
            None => Ok(pending),
        }
    }

    /// A link of the machine; it may be relative to its address, and leads to nowhere else.
    fn absolute(&self, link: &str) -> Result<Url> {
        let url =
            self.handle.url(&[""]).join(link).ok().filter(|url| url.origin() == self.handle.base.origin());
        url.ok_or_else(|| {
            Error::temporary(
                "peer_answer",
                "the converter's links lead elsewhere",
                "check its public address",
            )
        })
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Tells the machine to stop when nobody wants the job any more.
struct Begun<'a, 'b> {
    job: String,
    following: &'b Following<'a>,
    over: bool,
}

impl Begun<'_, '_> {
    /// The machine's own end needs no word from us.
    fn end(mut self, result: &Result<()>) {
        self.over = result.is_ok();
    }
}

impl Drop for Begun<'_, '_> {
    fn drop(&mut self) {
        if self.over || self.following.job.shutdown.is_cancelled() {
            return;
        }
        let (peer, time) = (self.following.pool.peer.clone(), self.following.pool.times.call);
        let url = self.following.handle.url(&["api-task", &self.job]);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // It may have stopped by itself, or be gone.
                if let Err(error) = peer.delete(&url, time).await {
                    tracing::debug!(%error, "a converter could not be told to stop");
                }
            });
        }
    }
}
