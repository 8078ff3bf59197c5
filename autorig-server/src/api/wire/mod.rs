//! The API's own structs, and how core's plain data becomes one of them.
//!
//! A field of these never changes its meaning; core's types may.

mod account;
mod events;
mod names;

use std::collections::BTreeMap;

use autorig_core::task::{
    Page, QueuePosition, QueueStatus, Task, TaskError, TaskFile, TaskQuality, kind::safe_stem,
};
use chrono::{DateTime, Utc};
use poem_openapi::Object;

pub(crate) use account::{KeyList, KeyView, MadeKeyView, Me, Scope};
pub(crate) use events::{EndEvent, FileEvent, LogEvent, QueuedEvent, StageEvent, TaskLog, event_data};
pub(crate) use names::{ErrorClass, Stage, Status, Visibility};

/// Where to go on with a task. Paths are relative to the server.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct TaskUrls {
    /// The task itself.
    #[oai(rename = "self")]
    pub own: String,
    /// Its live events.
    pub events: String,
    /// POST here stops it.
    pub cancel: String,
    /// The page that shows it.
    pub page: String,
}

impl TaskUrls {
    pub(crate) fn of(id: impl std::fmt::Display) -> Self {
        Self {
            own: format!("/api/task/{id}"),
            events: format!("/api/task/{id}/events"),
            cancel: format!("/api/task/{id}/cancel"),
            page: format!("/task?id={id}"),
        }
    }
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "TaskError")]
pub(crate) struct TaskErrorView {
    /// What it means.
    pub class: ErrorClass,
    /// Stable machine-readable code.
    pub code: String,
    /// What happened, to which thing.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl From<&TaskError> for TaskErrorView {
    fn from(error: &TaskError) -> Self {
        Self {
            class: error.class.into(),
            code: error.code.clone(),
            message: error.message.clone(),
            remedy: error.remedy.clone(),
        }
    }
}

/// A file that a task has made.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "TaskFile")]
pub(crate) struct FileView {
    /// Its fixed place.
    pub index: u32,
    /// Its stable key.
    pub key: String,
    /// The name to save it under.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// Media type.
    pub mime: String,
    /// Credits it costs; 0 on a local server.
    pub price: u32,
    /// It is paid for, or free.
    pub purchased: bool,
    /// The caller may download it now.
    pub may_download: bool,
    /// Where it is.
    pub url: String,
}

impl FileView {
    pub(crate) fn of(id: impl std::fmt::Display, file: &TaskFile) -> Self {
        Self {
            index: file.index,
            key: file.key.clone(),
            name: file.name.clone(),
            size: file.size,
            sha256: file.sha256.clone(),
            mime: file.mime.clone(),
            price: 0,
            purchased: true,
            may_download: true,
            url: file_url(id, &file.key),
        }
    }
}

pub(crate) fn file_url(id: impl std::fmt::Display, key: &str) -> String {
    format!("/api/task/{id}/files/{key}")
}

/// A task's place among those that wait.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "QueuePosition")]
pub(crate) struct QueuePlace {
    /// 1 is next.
    pub position: u64,
    /// Measured from recent tasks; null before any was done.
    pub estimated_wait_seconds: Option<u64>,
}

/// A conversion before the rig.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct PreStep {
    /// Where the conversion is in its life.
    pub status: Status,
    /// Its result.
    pub output_url: Option<String>,
    /// Why it failed.
    pub error: Option<TaskErrorView>,
}

impl PreStep {
    /// Where the pre-step of a task is; it has a stage of its own, so the task says it all.
    fn of(task: &Task) -> Option<Self> {
        use autorig_core::task::{Stage as CoreStage, TaskStatus};
        let now = task.stage == Some(CoreStage::Convert);
        if !now && !task.timings.contains_key(CoreStage::Convert.as_str()) {
            return None;
        }
        let status = match task.status {
            _ if !now => TaskStatus::Done,
            ended => ended,
        };
        let prepared = task.file("prepared_glb").map(|_| format!("/api/task/{}/prepared.glb", task.id));
        let error = task.error.as_ref().filter(|_| now).map(Into::into);
        Some(Self { status: status.into(), output_url: prepared, error })
    }
}

/// What the automatic check of the result says.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct Quality {
    /// `good`, `review` or `poor`.
    pub verdict: String,
    /// Codes of the reasons why it is not better, the worst first; the report has their numbers and joints.
    pub reasons: Vec<String>,
}

impl From<TaskQuality> for Quality {
    fn from(quality: TaskQuality) -> Self {
        Self { verdict: quality.verdict.as_str().to_owned(), reasons: quality.reasons }
    }
}

/// Whose task it is.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "TaskOwner")]
pub(crate) struct OwnerView {
    /// Public id of the author.
    pub author_id: String,
    /// What the author is called.
    pub nickname: Option<String>,
}

/// A task: one model on its way to a rigged character.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "Task")]
pub(crate) struct TaskView {
    /// Its id.
    pub id: String,
    /// What is done: `rig`.
    pub kind: String,
    /// The input's name without extension, made safe; what its files begin with.
    pub name: String,
    /// What to show people as its name.
    pub title: String,
    /// Where it is in its life.
    pub status: Status,
    /// What is being done; where it stopped, afterwards.
    pub stage: Option<Stage>,
    /// Per cent of the whole, 0 to 100; never falls within one attempt.
    pub progress: u8,
    /// Its place in the queue, while it waits.
    pub queue: Option<QueuePlace>,
    /// Files made so far.
    pub ready_count: u32,
    /// Files there will be.
    pub total_count: u32,
    /// Files made so far, by place.
    pub files: Vec<FileView>,
    /// The conversion before the rig, if there is one.
    pub pre_step: Option<PreStep>,
    /// The preview video exists.
    pub video_ready: bool,
    /// The automatic check of the result.
    pub quality: Option<Quality>,
    /// Why it failed, or why the last attempt did while it waits for the next.
    pub error: Option<TaskErrorView>,
    /// How often a worker has taken it.
    pub attempt: u32,
    /// Not before this moment will it be tried again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// 1, and one more after each correction.
    pub revision: u32,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whose it is.
    pub owner: OwnerView,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When the current or last attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it became done, error or cancelled.
    pub finished_at: Option<DateTime<Utc>>,
    /// Milliseconds spent in each stage.
    pub timings: BTreeMap<String, u64>,
    /// Where to go on.
    pub urls: TaskUrls,
}

impl TaskView {
    pub(crate) fn of(task: &Task, queue: Option<QueuePosition>, quality: Option<TaskQuality>) -> Self {
        let id = task.id;
        Self {
            id: id.to_string(),
            kind: task.kind.clone(),
            name: safe_stem(&task.input.name),
            title: title(task),
            status: task.status.into(),
            stage: task.stage.map(Into::into),
            progress: task.progress,
            queue: queue.map(|q| QueuePlace {
                position: q.position,
                estimated_wait_seconds: q.estimated_wait_seconds,
            }),
            ready_count: task.ready_count(),
            total_count: task.total_count,
            files: task.files.iter().map(|file| FileView::of(id, file)).collect(),
            pre_step: PreStep::of(task),
            video_ready: task.file("video").is_some(),
            quality: quality.map(Into::into),
            error: task.error.as_ref().map(Into::into),
            attempt: task.attempt,
            next_attempt_at: task.next_attempt_at,
            revision: task.revision,
            visibility: task.visibility.into(),
            owner: OwnerView { author_id: task.owner.id.clone(), nickname: None },
            created_at: task.created_at,
            started_at: task.started_at,
            finished_at: task.finished_at,
            timings: task.timings.clone(),
            urls: TaskUrls::of(id),
        }
    }
}

/// What its owner calls it, or the input's name without folders and extension, as a person wrote it.
fn title(task: &Task) -> String {
    if let Some(title) = &task.title {
        return title.clone();
    }
    let input = &task.input.name;
    let name = input.rsplit(['/', '\\']).next().unwrap_or(input);
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// A task in a list.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct TaskSummary {
    /// Its id.
    pub id: String,
    /// What to show people as its name.
    pub title: String,
    /// Where it is in its life.
    pub status: Status,
    /// What is being done; where it stopped, afterwards.
    pub stage: Option<Stage>,
    /// Per cent of the whole, 0 to 100.
    pub progress: u8,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it became done, error or cancelled.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<TaskErrorView>,
    /// Where to go on.
    pub urls: TaskUrls,
}

impl From<&Task> for TaskSummary {
    fn from(task: &Task) -> Self {
        Self {
            id: task.id.to_string(),
            title: title(task),
            status: task.status.into(),
            stage: task.stage.map(Into::into),
            progress: task.progress,
            created_at: task.created_at,
            finished_at: task.finished_at,
            error: task.error.as_ref().map(Into::into),
            urls: TaskUrls::of(task.id),
        }
    }
}

/// The caller's tasks, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct History {
    /// One page of them.
    pub items: Vec<TaskSummary>,
    /// Pass it as `cursor` to get the next page; null on the last.
    pub next: Option<String>,
}

impl From<Page<Task>> for History {
    fn from(page: Page<Task>) -> Self {
        Self { items: page.items.iter().map(Into::into).collect(), next: page.next }
    }
}

/// The answer to a new task.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct Created {
    /// The task's id.
    pub task_id: String,
    /// `created`, or what it has become when the call is a replay.
    pub status: Status,
    /// Where to go on.
    pub urls: TaskUrls,
}

/// Who waits, who works.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "QueueStatus")]
pub(crate) struct QueueView {
    /// Tasks that wait for a worker.
    pub queued: u64,
    /// Tasks a worker holds.
    pub processing: u64,
    /// Workers that answer.
    pub workers_online: u32,
    /// Workers with a free slot.
    pub workers_free: u32,
    /// Workers there are.
    pub workers_total: u32,
    /// How long a task created now would wait; null before any was done.
    pub estimated_wait_seconds: Option<u64>,
}

impl From<QueueStatus> for QueueView {
    fn from(queue: QueueStatus) -> Self {
        Self {
            queued: queue.queued,
            processing: queue.processing,
            workers_online: queue.workers_online,
            workers_free: queue.workers_free,
            workers_total: queue.workers_total,
            estimated_wait_seconds: queue.estimated_wait_seconds,
        }
    }
}
