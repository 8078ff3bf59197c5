//! Tasks for workers that come and ask: machines behind a firewall lease a task over the network, say how
//! far they got, hand in files and end it (`spec.md` §4.10).
//!
//! A lease is `(task, attempt)` and belongs to the key whose worker took it. It ends by itself when the worker
//! gives no sign of life; whoever speaks under an ended lease is refused with `lease_lost`, and nothing
//! changes.

use std::{fmt, ops::Range, str::FromStr, sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::{
    hold::{Held, Hold},
    kind::Deliverable,
    model::{InputFile, Stage, Task, TaskError, TaskId, TaskStatus},
    service::Inner,
};
use crate::{Class, Error, Kind, Result, blob::ByteStream, clock::Time, store::Claim};

/// A worker as leases know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkerName(String);

/// Longest name a worker may give itself.
const MAX_NAME: usize = 64;

impl WorkerName {
    /// The worker that calls itself `name` and was let in as `key`: two keys' workers never share a lease,
    /// whatever they call themselves.
    ///
    /// # Errors
    /// `invalid_worker_name`.
    pub fn new(key: &str, name: &str) -> Result<Self> {
        let fine = (1..=MAX_NAME).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if fine {
            return Ok(Self(format!("{}{name}", prefix(key))));
        }
        Err(Error::usage(
            "invalid_worker_name",
            format!("a worker's name has 1 to {MAX_NAME} letters, digits, `-`, `_` or `.`"),
            "give the worker another name; its machine's name is a good one",
        ))
    }

    /// As stores and logs have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the names of all workers of a key begin with.
fn prefix(key: &str) -> String {
    format!("pull:{key}:")
}

/// Names one attempt at one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseId {
    /// Which task.
    pub task: TaskId,
    /// Which attempt.
    pub attempt: u32,
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.task, self.attempt)
    }
}

impl FromStr for LeaseId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (task, attempt) = text.split_once('.')?;
            Some(Self { task: task.parse().ok()?, attempt: attempt.parse().ok()? })
        };
        parse().ok_or_else(lost)
    }
}

/// A task in a worker's hands.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// What to name in every call about it.
    pub id: LeaseId,
    /// The task: its kind, options and input.
    pub task: Task,
    /// It ends then, unless the worker says something before.
    pub until: Time,
    /// How often the worker should say something.
    pub heartbeat: Duration,
}

/// How a worker says that it could not do a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Decides whether it is tried again.
    pub class: Class,
    /// Stable code, `snake_case`; `worker_failed` when left out.
    pub code: Option<String>,
    /// What happened.
    pub message: String,
    /// What the user can do.
    pub remedy: Option<String>,
    /// When the other side said to come back.
    pub retry_after: Option<Duration>,
}

/// What is kept of a worker's words.
const MAX_WORDS: usize = 2000;

impl Failure {
    fn into_error(self) -> Error {
        let good = |code: &String| {
            (1..=64).contains(&code.len())
                && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let code = self.code.filter(good).unwrap_or_else(|| "worker_failed".to_owned());
        let short = |text: String| text.chars().take(MAX_WORDS).collect::<String>();
        let remedy = self.remedy.map_or_else(
            || "it is tried again by itself where that can help; otherwise send another file".to_owned(),
            short,
        );
        let error = TaskError { class: self.class, code, message: short(self.message), remedy };
        let error = Error::from(error);
        match self.retry_after {
            Some(after) => error.with_retry_after(after),
            None => error,
        }
    }
}

/// What workers that lease tasks do with them. Cheap to clone.
#[derive(Clone)]
pub struct Leases {
    pub(crate) inner: Arc<Inner>,
}

/// A worker without a task that has not asked for so long is away.
pub(crate) const AWAY: TimeDelta = TimeDelta::seconds(90);
/// A task that another process has made is seen after this time at the latest.
const POLL: Duration = Duration::from_secs(2);

impl Leases {
    /// A task of one of these kinds; waits for one up to `wait`. `slots` is how many tasks the worker does at
    /// once, so that people can be told how long they wait.
    ///
    /// # Errors
    /// `unknown_kind`, `store_unavailable`.
    pub async fn acquire(
        &self,
        worker: &WorkerName,
        slots: u32,
        kinds: &[String],
        wait: Duration,
    ) -> Result<Option<Lease>> {
        for kind in kinds {
            self.inner.kind(kind)?;
        }
        self.inner.store.worker_seen(worker.as_str(), slots, self.inner.clock.now()).await?;
        let end = self.inner.clock.now() + wait;
        loop {
            let mut bell = self.inner.hub.listen_to_queue();
            if let Some(lease) = self.claim(worker, kinds).await? {
                return Ok(Some(lease));
            }
            let now = self.inner.clock.now();
            if now >= end {
                return Ok(None);
            }
            let due = self.inner.store.next_due(now).await?.unwrap_or(end);
            let look_again = due.min(now + POLL).min(end);
            tokio::select! {
                _ = bell.changed() => {}
                () = self.inner.clock.sleep_until(look_again) => {}
            }
        }
    }

    async fn claim(&self, worker: &WorkerName, kinds: &[String]) -> Result<Option<Lease>> {
        let now = self.inner.clock.now();
        let until = now + self.inner.settings.lease;
        let claim = Claim {
            node: worker.as_str().to_owned(),
            kinds: kinds.to_vec(),
            limit: 1,
            per_owner: self.inner.settings.per_owner,
            now,
            lease_until: until,
        };
        let Some(task) = self.inner.store.claim(&claim).await?.pop() else { return Ok(None) };
        tracing::info!(task = %task.id, attempt = task.attempt, worker = worker.as_str(), "task leased");
        self.inner.hub.changed(task.id);
        self.inner.hub.queue_moved();
        let id = LeaseId { task: task.id, attempt: task.attempt };
        Ok(Some(Lease { id, task, until, heartbeat: self.inner.settings.heartbeat }))
    }

    /// The files that a task of this kind and these options makes.
    ///
    /// # Errors
    /// `unknown_kind`.
    pub fn files(&self, task: &Task) -> Result<Vec<Deliverable>> {
        Ok(self.inner.kind(&task.kind)?.deliverables(&task.params))
    }

    /// The input of a leased task.
    ///
    /// # Errors
    /// `lease_lost`, `store_unavailable`.
    pub async fn input(&self, key: &str, id: LeaseId) -> Result<InputFile> {
        Ok(self.hold(key, id).await?.task.input)
    }

    /// The bytes of the input of a leased task, whole or in part.
    ///
    /// # Errors
    /// `lease_lost`, `store_unavailable`, `io_error`; `internal` when the input's bytes are gone.
    pub async fn open_input(&self, key: &str, id: LeaseId, range: Option<Range<u64>>) -> Result<ByteStream> {
        let hold = self.hold(key, id).await?;
        let blob = self.inner.blobs.get(&hold.task.input.blob, range).await?;
        Ok(blob.ok_or_else(|| Error::internal("the stored input is gone"))?.body)
    }

    /// The model that a link of a converter's job stands for.
    ///
    /// # Errors
    /// `invalid_signature`, `store_unavailable`.
    pub async fn linked_input(&self, token: &str) -> Result<InputFile> {
        let links = self.inner.links.as_ref().ok_or_else(links_are_off)?;
        let id = links.open(token, self.inner.clock.as_ref())?;
        Ok(self.inner.store.task(id).await?.ok_or_else(links_are_off)?.input)
    }

    /// The bytes of a model that [`Leases::linked_input`] has found, whole or in part.
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`; `internal` when the input's bytes are gone.
    pub async fn open_linked(&self, input: &InputFile, range: Option<Range<u64>>) -> Result<ByteStream> {
        let blob = self.inner.blobs.get(&input.blob, range).await?;
        Ok(blob.ok_or_else(|| Error::internal("the stored input is gone"))?.body)
    }

    /// Says how far the worker got, in parts of the whole, or only that it lives; answers until when the lease
    /// now holds.
    ///
    /// # Errors
    /// `lease_lost`: stop working on it; `store_unavailable`.
    pub async fn progress(&self, key: &str, id: LeaseId, at: Option<(Stage, f32)>) -> Result<Time> {
        let hold = self.hold(key, id).await?;
        if let Some((stage, fraction)) = at {
            kept(hold.advance(stage, super::attempt::percent(fraction)).await?)?;
        }
        kept(hold.renew().await?)?;
        Ok(self.inner.clock.now() + self.inner.settings.lease)
    }

    /// Stores a file of the task; sent again, it replaces what was sent before.
    ///
    /// # Errors
    /// `lease_lost`, `unknown_file`, `limit_file_size`, the body's own error, `store_unavailable`, `io_error`.
    pub async fn add_file(&self, key: &str, id: LeaseId, file: &str, body: ByteStream) -> Result<()> {
        let hold = self.hold(key, id).await?;
        if !self.files(&hold.task)?.iter().any(|known| known.key == file) {
            let shown: String = file.chars().take(64).collect();
            return Err(Error::usage(
                "unknown_file",
                format!("the task makes no file `{shown}`"),
                "send only files whose keys the lease names",
            ));
        }
        // A large file takes longer to arrive than a lease holds.
        let beating = async {
            loop {
                self.inner.clock.sleep(self.inner.settings.heartbeat).await;
                match hold.renew().await {
                    Ok(Held::Yes) => {}
                    Ok(Held::Lost) => return,
                    Err(error) => tracing::warn!(%error, "a heartbeat could not be stored"),
                }
            }
        };
        tokio::select! {
            held = hold.add_file(file, body) => kept(held?),
            () = beating => Err(lost()),
        }
    }

    /// Ends the task: every required file was handed in.
    ///
    /// # Errors
    /// `lease_lost`, `store_unavailable`.
    pub async fn complete(&self, key: &str, id: LeaseId) -> Result<()> {
        self.end(key, id, Ok(())).await
    }

    /// Ends the attempt: it failed.
    ///
    /// # Errors
    /// `lease_lost`, `store_unavailable`.
    pub async fn fail(&self, key: &str, id: LeaseId, failure: Failure) -> Result<()> {
        self.end(key, id, Err(failure.into_error())).await
    }

    /// Gives the task back unfinished, through no fault of its own: the worker is being shut down.
    ///
    /// # Errors
    /// `lease_lost`, `store_unavailable`.
    pub async fn release(&self, key: &str, id: LeaseId) -> Result<()> {
        let hold = self.hold(key, id).await?;
        let held = hold.release().await?;
        hold.tidy().await;
        kept(held)
    }

    async fn end(&self, key: &str, id: LeaseId, result: Result<()>) -> Result<()> {
        let hold = self.hold(key, id).await?;
        let held = hold.conclude(result).await?;
        hold.tidy().await;
        kept(held)
    }

    /// The hold of a worker of this key that still has it.
    async fn hold(&self, key: &str, id: LeaseId) -> Result<Hold> {
        let task = self.inner.store.task(id.task).await?.ok_or_else(lost)?;
        let holds = task.status == TaskStatus::Processing
            && task.attempt == id.attempt
            && task.lease_owner.as_deref().is_some_and(|owner| owner.starts_with(&prefix(key)));
        if !holds {
            return Err(lost());
        }
        let worker = task.lease_owner.clone().unwrap_or_default();
        Ok(Hold { inner: self.inner.clone(), task, worker })
    }
}

fn kept(held: Held) -> Result<()> {
    match held {
        Held::Yes => Ok(()),
        Held::Lost => Err(lost()),
    }
}

/// As for a link that was not made here, which it cannot have been.
fn links_are_off() -> Error {
    Error::new(
        Class::UserViolation,
        Kind::Denied,
        "invalid_signature",
        "the link was not made by this server, or its task is gone",
        "use the link of the job unchanged",
    )
}

fn lost() -> Error {
    Error::conflict(
        "lease_lost",
        "this lease has ended: the task was cancelled, or given to another worker",
        "stop working on the task and lease another",
    )
}
