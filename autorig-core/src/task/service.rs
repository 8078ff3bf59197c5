//! What callers do with tasks.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::DateTime;
use futures_util::stream::{self, BoxStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    counted::Counted,
    create::{self, Created, NewTask},
    dispatcher::DispatcherSettings,
    events::{Hub, Wake},
    kind::TaskKind,
    lifecycle::{Event, Refused},
    listen::Listening,
    model::{
        Owner, Page, QueuePosition, QueueStatus, Task, TaskEvent, TaskFile, TaskId, TaskStatus, Visibility,
    },
};
use crate::{
    Class, Error, Kind, Result,
    blob::{BlobStore, ByteStream, Presented},
    clock::{Clock, Ids, Time},
    outbound::Outbound,
    store::{Applied, Quota, Removed, Store},
    upload::Writers,
    worker::{Places, converter::InputLinks},
};

/// What the service and the dispatcher share.
pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) outbound: Outbound,
    pub(crate) kinds: Vec<Arc<dyn TaskKind>>,
    /// How converter machines fetch models, when there are any.
    pub(crate) links: Option<InputLinks>,
    pub(crate) limits: ServiceLimits,
    pub(crate) settings: DispatcherSettings,
    pub(crate) node: String,
    pub(crate) hub: Arc<Hub>,
    /// Rung when a task waits to be handed out.
    pub(crate) wake: Wake,
    /// Free and all slots of each worker, kept by the dispatcher.
    pub(crate) slots: watch::Sender<Vec<Places>>,
    /// Who writes which upload.
    pub(crate) writers: Writers,
    /// How to stop the attempts that run here.
    pub(crate) running: Mutex<HashMap<(TaskId, u32), CancellationToken>>,
    /// The last long count of the queue, see [`Inner::counts`].
    pub(crate) counted: Arc<Counted>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ServiceLimits {
    pub(crate) upload_bytes: u64,
    pub(crate) quota: Quota,
}

impl Inner {
    pub(crate) fn kind(&self, name: &str) -> Result<&Arc<dyn TaskKind>> {
        self.kinds.iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
            let shown: String = name.chars().take(64).collect();
            Error::usage(
                "unknown_kind",
                format!("there is no task kind `{shown}`"),
                format!("use one of {}", known.join(", ")),
            )
        })
    }

    /// Removes the bytes that a task has let go of which is in no store any more, and those that a worker put for it
    /// too late. How many it had let go of.
    pub(crate) async fn discard(&self, removed: &Removed) -> Result<u64> {
        let reaped = self.reap_some(&removed.released).await;
        let left = self.blobs.list(&format!("tasks/{}/", removed.task.id)).await?;
        for blob in self.store.unrecorded_among(&left).await? {
            self.blobs.delete(&blob).await?;
        }
        Ok(reaped)
    }

    /// Applies an event, tells listeners and removes the blobs it has let go.
    pub(crate) async fn apply(&self, id: TaskId, event: &Event) -> Result<Applied> {
        let applied = self.store.apply(id, event, self.clock.now(), &[]).await?;
        if let Applied::Done(outcome) = &applied {
            if !outcome.events.is_empty() {
                self.hub.changed(id);
            }
            self.reap_some(&outcome.released).await;
        }
        Ok(applied)
    }
}

/// Creates tasks, tells about them, stops them. Cheap to clone.
#[derive(Clone)]
pub struct TaskService {
    pub(crate) inner: Arc<Inner>,
}

/// A file of a task, opened.
pub struct OpenFile {
    /// Which file; `sha256` makes a strong ETag.
    pub file: TaskFile,
    /// The part that `body` holds.
    pub range: Range<u64>,
    /// The bytes.
    pub body: ByteStream,
}

/// Most items of a page.
pub(super) const MAX_PAGE: u32 = 100;
/// A change that another process made is seen after this time at the latest.
pub(super) const POLL: Duration = Duration::from_secs(2);
/// Longest title.
const MAX_TITLE: usize = 200;
/// Events of a log that are read at once.
const LOG_BATCH: u32 = 500;
/// The queue estimate is the mean of so many tasks.
const MEASURED_TASKS: u32 = 20;

impl TaskService {
    /// Creates a task. An upload is stored as it arrives, a link is fetched; when either fails nothing stays.
    ///
    /// # Errors
    /// `unknown_option`, `invalid_option`, `unknown_kind`, `limit_file_size`, `empty_file`, the body's own
    /// error, `link_…` (see [`crate::outbound`]), `idempotency_key_reused`, `idempotency_key_running`,
    /// `invalid_idempotency_key`; `limit_concurrent`, `limit_daily`, `limit_too_fast`, with the time to wait.
    pub async fn create(&self, new: NewTask) -> Result<Created> {
        create::create(self, new).await
    }

    /// The task of this id.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn get(&self, id: TaskId) -> Result<Option<Task>> {
        self.inner.store.task(id).await
    }

    /// The task as soon as its `version` differs from `seen`, or it is finished, or `timeout` has passed.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn wait(&self, id: TaskId, seen: Option<u64>, timeout: Duration) -> Result<Option<Task>> {
        let mut bell = self.inner.hub.listen(id);
        let mut end = self.inner.clock.sleep(timeout);
        loop {
            let task = self.get(id).await?;
            match &task {
                Some(found) if Some(found.version) == seen && !found.status.is_terminal() => {}
                _ => return Ok(task),
            }
            tokio::select! {
                () = &mut end => return Ok(task),
                _ = bell.changed() => {}
                () = self.inner.clock.sleep(POLL) => {}
            }
        }
    }

    /// A task's events after the id `after` (0 for all), then those to come; ends after the last one.
    /// Without such a task the stream is empty: look with [`TaskService::get`] first.
    pub fn events(&self, id: TaskId, after: u64) -> BoxStream<'static, Result<TaskEvent>> {
        let state = Listening::new(self.clone(), id, after);
        Box::pin(stream::unfold(state, |mut state| async move { Some((state.next().await?, state)) }))
    }

    /// A task's files made so far; `None` without such a task.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn files(&self, id: TaskId) -> Result<Option<Vec<TaskFile>>> {
        Ok(self.get(id).await?.map(|task| task.files))
    }

    /// Opens a file of a task, whole or in part; `None` when there is no such task or file.
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`; `internal` when the file's bytes are gone.
    pub async fn open_file(
        &self,
        id: TaskId,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<OpenFile>> {
        let Some(task) = self.get(id).await? else { return Ok(None) };
        let Some(file) = task.file(key) else { return Ok(None) };
        self.open(file, range).await.map(Some)
    }

    /// Opens a file that a task has, or had in an older revision.
    ///
    /// # Errors
    /// `io_error`; `internal` when the file's bytes are gone.
    pub async fn open(&self, file: &TaskFile, range: Option<Range<u64>>) -> Result<OpenFile> {
        match self.inner.blobs.get(&file.blob, range).await? {
            Some(blob) => Ok(OpenFile { file: file.clone(), range: blob.range, body: blob.body }),
            None => Err(Error::internal(format!("the bytes of `{}` are gone from the storage", file.name))),
        }
    }

    /// An owner's tasks, newest first.
    ///
    /// # Errors
    /// `invalid_cursor`, `store_unavailable`.
    pub async fn history(&self, owner: &Owner, cursor: Option<&str>, limit: u32) -> Result<Page<Task>> {
        let before = cursor.map(read_cursor).transpose()?;
        let limit = limit.clamp(1, MAX_PAGE);
        let mut items = self.inner.store.list(owner, before, limit + 1).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|task| write_cursor(task.created_at, task.id));
        Ok(Page { items, next })
    }

    /// Who waits, who works.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn queue_status(&self) -> Result<QueueStatus> {
        let counts = self.inner.counts().await?;
        let places = self.places().await?;
        let count = |wanted: fn(&Places) -> bool| {
            u32::try_from(places.iter().filter(|one| wanted(one)).count()).unwrap_or(u32::MAX)
        };
        Ok(QueueStatus {
            queued: counts.queued,
            processing: counts.processing,
            workers_online: count(|one| one.online),
            workers_free: count(|one| one.free > 0),
            workers_total: count(|_| true),
            estimated_wait_seconds: self.estimate(counts.queued, &places).await?,
        })
    }

    /// Where a task stands in the queue; `None` when it does not wait.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn queue_position(&self, id: TaskId) -> Result<Option<QueuePosition>> {
        let Some(ahead) = self.inner.store.ahead_of(id).await? else { return Ok(None) };
        let estimated_wait_seconds = self.estimate(ahead, &self.places().await?).await?;
        Ok(Some(QueuePosition { position: ahead + 1, estimated_wait_seconds }))
    }

    /// Stops a task; a worker that holds it is stopped too. `None` when there is no such task; one that is
    /// cancelled already stays so.
    ///
    /// # Errors
    /// `task_finished` when it is done or failed; `store_unavailable`.
    pub async fn cancel(&self, id: TaskId) -> Result<Option<Task>> {
        match self.inner.apply(id, &Event::Cancel).await? {
            Applied::Missing => Ok(None),
            Applied::Done(outcome) => {
                self.stop_attempts(&outcome.task);
                self.inner.hub.queue_moved();
                Ok(Some(outcome.task))
            }
            Applied::Refused(_) => match self.get(id).await? {
                Some(task) if task.status == TaskStatus::Cancelled => Ok(Some(task)),
                Some(task) => Err(Error::conflict(
                    "task_finished",
                    format!("the task is already `{}`", task.status),
                    "create a new task instead",
                )),
                None => Ok(None),
            },
        }
    }

    /// Begins a task anew under its id: one that has failed, or one that is stuck. `None` when there is no such
    /// task. Its owner waits for [`lifecycle::RESTART_AFTER`](super::lifecycle::RESTART_AFTER); `forced` is
    /// the admins' way.
    ///
    /// # Errors
    /// `restart_too_soon` with the time to wait, `task_not_restartable`, `input_gone`; `store_unavailable`.
    pub async fn restart(&self, id: TaskId, forced: bool) -> Result<Option<Task>> {
        let Some(task) = self.get(id).await? else { return Ok(None) };
        if self.inner.blobs.size(&task.input.blob).await?.is_none() {
            return Err(input_gone());
        }
        match self.inner.apply(id, &Event::Restart { forced }).await? {
            Applied::Missing => Ok(None),
            Applied::Done(outcome) => {
                self.stop_attempts(&outcome.task);
                self.inner.wake.notify_one();
                self.inner.hub.queue_moved();
                Ok(Some(outcome.task))
            }
            Applied::Refused(Refused::TooSoon { at }) => {
                let left = (at - self.inner.clock.now()).to_std().unwrap_or_default();
                Err(too_soon(left))
            }
            Applied::Refused(_) => Err(Error::conflict(
                "task_not_restartable",
                format!("the task is `{}`, and only one that has failed begins anew", task.status),
                "make another of it with `retry`",
            )),
        }
    }

    /// Removes a task with its files, its input and its events; one that is worked on is stopped first. False
    /// when there is no such task.
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`.
    pub async fn delete(&self, id: TaskId) -> Result<bool> {
        // A worker that holds it loses it, here or on another node.
        if let Applied::Done(outcome) = self.inner.apply(id, &Event::Cancel).await? {
            self.stop_attempts(&outcome.task);
        }
        let now = self.inner.clock.now();
        let Some(removed) = self.inner.store.remove(id, None, now).await? else { return Ok(false) };
        self.inner.hub.changed(id);
        self.inner.hub.queue_moved();
        // The task is gone whatever becomes of this; what a crash leaves now belongs to nobody, and a sweep takes it.
        self.inner.discard(&removed).await?;
        Ok(true)
    }

    /// Changes what people see of a task; what is `None` stays. An empty title takes the title away. `None` when there is
    /// no such task.
    ///
    /// # Errors
    /// `invalid_title`; `store_unavailable`.
    pub async fn edit(
        &self,
        id: TaskId,
        title: Option<&str>,
        visibility: Option<Visibility>,
    ) -> Result<Option<Task>> {
        let title = title.map(clean_title).transpose()?;
        match self.inner.apply(id, &Event::Edit { title, visibility }).await? {
            Applied::Done(outcome) => Ok(Some(outcome.task)),
            Applied::Missing | Applied::Refused(_) => Ok(None),
        }
    }

    /// A task's events so far, oldest first; the last `tail` of them when a number is given. `None` when there is
    /// no such task. Those of progress within a stage are kept only while the task is not finished.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn log(&self, id: TaskId, tail: Option<usize>) -> Result<Option<Vec<TaskEvent>>> {
        if self.get(id).await?.is_none() {
            return Ok(None);
        }
        let (mut after, mut kept) = (0, VecDeque::new());
        loop {
            let events = self.inner.store.events(id, after, LOG_BATCH).await?;
            let Some(last) = events.last() else { return Ok(Some(kept.into())) };
            after = last.id;
            kept.extend(events);
            let excess = tail.map_or(0, |tail| kept.len().saturating_sub(tail));
            kept.drain(..excess);
        }
    }

    /// Answers when the store can be used.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn ping(&self) -> Result<()> {
        self.inner.store.ping().await
    }

    /// Answers when the files can be reached.
    ///
    /// # Errors
    /// `io_error`, `storage_unavailable`, `storage_denied`.
    pub async fn ping_storage(&self) -> Result<()> {
        self.inner.blobs.ping().await
    }

    /// An address of the storage itself from which anyone gets this file for `ttl`; `None` when it has none.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn file_address(
        &self,
        file: &TaskFile,
        disposition: String,
        ttl: Duration,
    ) -> Result<Option<String>> {
        let shown = Presented { disposition, mime: file.mime.clone() };
        self.inner.blobs.presign_get(&file.blob, &shown, ttl).await
    }

    /// Every machine that works for this server: those it hands tasks to, and those that come and ask.
    async fn places(&self) -> Result<Vec<Places>> {
        // A machine with nothing but this one's own turned off is none.
        let mut places: Vec<Places> =
            self.inner.slots.borrow().iter().filter(|one| one.total > 0 || !one.online).copied().collect();
        let since = self.inner.clock.now() - super::leases::AWAY;
        for worker in self.inner.store.workers_seen(since).await? {
            let total = worker.slots as usize;
            places.push(Places { online: true, free: total.saturating_sub(worker.busy as usize), total });
        }
        places.extend(self.inner.places_of_others().await?);
        Ok(places)
    }

    /// The names of the files that a task makes or has made, those required first.
    ///
    /// # Errors
    /// `unknown_kind`.
    pub fn planned_names(&self, task: &Task) -> Result<Vec<String>> {
        let files = self.inner.kind(&task.kind)?.deliverables(&task.params);
        Ok(files.iter().map(|file| file.file_name(&task.input.name)).collect())
    }

    /// How long the last tasks took on average, in seconds; `None` before any was done.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn mean_seconds(&self) -> Result<Option<f64>> {
        let durations = self.inner.store.recent_durations(MEASURED_TASKS).await?;
        let sum: f64 = durations.iter().map(Duration::as_secs_f64).sum();
        Ok((!durations.is_empty()).then(|| sum / durations.len() as f64))
    }

    /// Stops what runs here of the attempts there were when the task was as it is told; one that began since,
    /// after a restart, goes on. A worker of another node is called, or notices by itself.
    fn stop_attempts(&self, told: &Task) {
        let running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .iter()
            .filter(|((task, attempt), _)| *task == told.id && *attempt <= told.attempt)
            .for_each(|(_, attempt)| attempt.cancel());
    }

    /// How long a task waits behind `ahead` others.
    async fn estimate(&self, ahead: u64, places: &[Places]) -> Result<Option<u64>> {
        let free: usize = places.iter().map(|one| one.free).sum();
        let total: usize = places.iter().map(|one| one.total).sum();
        if (free as u64) > ahead {
            return Ok(Some(0));
        }
        let durations = self.inner.store.recent_durations(MEASURED_TASKS).await?;
        let count = u32::try_from(durations.len()).unwrap_or(u32::MAX);
        if count == 0 || total == 0 {
            return Ok(None);
        }
        let mean = durations.iter().sum::<Duration>() / count;
        // Every slot works off its share of those ahead, and of those being done half on average.
        let rounds = (ahead as f64 / total as f64) + 0.5;
        Ok(Some(mean.mul_f64(rounds).as_secs_f64().ceil() as u64))
    }
}

fn clean_title(title: &str) -> Result<Option<String>> {
    let title = title.trim();
    if title.chars().count() > MAX_TITLE || title.chars().any(char::is_control) {
        return Err(Error::usage(
            "invalid_title",
            format!("the title is longer than {MAX_TITLE} characters or has control characters"),
            "give it a shorter one, in one line",
        ));
    }
    Ok((!title.is_empty()).then(|| title.to_owned()))
}

pub(super) fn input_gone() -> Error {
    Error::conflict(
        "input_gone",
        "the task's upload was removed after its retention time",
        "send the model again as a new task",
    )
}

fn too_soon(left: Duration) -> Error {
    Error::new(
        Class::RateLimit,
        Kind::Conflict,
        "restart_too_soon",
        "the task has failed only just now, or is still being worked on",
        "wait as long as Retry-After says, then restart it",
    )
    .with_retry_after(left.max(Duration::from_secs(1)))
}

pub(super) fn write_cursor(at: Time, id: TaskId) -> String {
    format!("{}.{id}", at.timestamp_micros())
}

pub(super) fn read_cursor(cursor: &str) -> Result<(Time, TaskId)> {
    let parse = || {
        let (at, id) = cursor.split_once('.')?;
        Some((DateTime::from_timestamp_micros(at.parse().ok()?)?, id.parse().ok()?))
    };
    parse().ok_or_else(|| {
        Error::usage(
            "invalid_cursor",
            "the cursor is not one that this server gave",
            "pass the `next` of the previous page unchanged",
        )
    })
}
