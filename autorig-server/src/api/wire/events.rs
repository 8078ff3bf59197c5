//! What live events carry.

use autorig_core::task::EventKind;
use chrono::{DateTime, Utc};
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
        EventKind::Done => EndEvent { status: Status::Done }.to_json_string(),
        EventKind::Cancelled => EndEvent { status: Status::Cancelled }.to_json_string(),
        EventKind::Error(error) => TaskErrorView::from(error).to_json_string(),
    }
}
