//! What live events carry.

use autorig_core::task::{EventKind, TaskEvent};
use chrono::{DateTime, SecondsFormat, Utc};
use poem_openapi::Object;

use super::{Stage, Status, TaskErrorView, file_url};

/// Data of the event `queued`.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct QueuedEvent {
    /// 1 is next; null when it just left the queue.
    pub position: Option<u64>,
    /// The earliest next attempt, after one failed.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// Data of the events `stage` (a stage begins) and `progress` (it got further).
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct StageEvent {
    /// Which stage.
    pub stage: Stage,
    /// Per cent of the whole, 0 to 100.
    pub progress: u8,
}

/// Data of the event `file`: it can be downloaded now.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct FileEvent {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Where it is.
    pub url: String,
}

/// Data of the event `log`: whoever works on the task has something to say.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct LogEvent {
    /// One line.
    pub message: String,
}

/// Data of the events `done` and `cancelled`, the last ones of a task.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct EndEvent {
    /// What the task has become.
    pub status: Status,
}

/// An event's data as JSON.
pub(crate) fn event_data(id: impl std::fmt::Display, kind: &EventKind) -> String {
    use poem_openapi::types::ToJSON;
    match kind {
        EventKind::Queued { position, next_attempt_at } => {
            QueuedEvent { position: *position, next_attempt_at: *next_attempt_at }.to_json_string()
        }
        EventKind::Stage { stage, progress } | EventKind::Progress { stage, progress } => {
            StageEvent { stage: (*stage).into(), progress: *progress }.to_json_string()
        }
        EventKind::File { key, name, size } => {
            FileEvent { key: key.clone(), name: name.clone(), size: *size, url: file_url(id, key) }
                .to_json_string()
        }
        EventKind::Log { message } => LogEvent { message: message.clone() }.to_json_string(),
        EventKind::Done => EndEvent { status: Status::Done }.to_json_string(),
        EventKind::Cancelled => EndEvent { status: Status::Cancelled }.to_json_string(),
        EventKind::Error(error) => TaskErrorView::from(error).to_json_string(),
    }
}

/// One line of a task's log.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct LogLine {
    /// The event's id; grows within the task.
    pub id: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What happened: the event's name.
    pub event: String,
    /// The same in words.
    pub text: String,
}

/// What has happened to a task, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct TaskLog {
    /// The task.
    pub task_id: String,
    /// What happened.
    pub lines: Vec<LogLine>,
}

impl TaskLog {
    pub(crate) fn of(id: impl std::fmt::Display, events: &[TaskEvent]) -> Self {
        let line = |event: &TaskEvent| LogLine {
            id: event.id,
            at: event.at,
            event: event.kind.name().to_owned(),
            text: words(&event.kind),
        };
        Self { task_id: id.to_string(), lines: events.iter().map(line).collect() }
    }
}

fn words(kind: &EventKind) -> String {
    match kind {
        EventKind::Queued { next_attempt_at: None, .. } => "waits for a worker".to_owned(),
        EventKind::Queued { next_attempt_at: Some(at), .. } => {
            format!("waits for the next attempt at {}", at.to_rfc3339_opts(SecondsFormat::Secs, true))
        }
        EventKind::Stage { stage, progress } => format!("{stage} begins ({progress} %)"),
        EventKind::Progress { stage, progress } => format!("{stage} ({progress} %)"),
        EventKind::File { name, size, .. } => format!("{name} is ready ({size} bytes)"),
        EventKind::Log { message } => message.clone(),
        EventKind::Done => "done".to_owned(),
        EventKind::Error(error) => format!("failed: {} ({}); {}", error.message, error.code, error.remedy),
        EventKind::Cancelled => "cancelled".to_owned(),
    }
}
