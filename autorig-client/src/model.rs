//! What the server answers. Fields a newer server adds are ignored, names it adds are kept as text.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a task is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Waits for a worker, also between two attempts.
    Created,
    /// A worker has it.
    Processing,
    /// Every required file exists.
    Done,
    /// It failed for good.
    Error,
    /// It was stopped on request.
    Cancelled,
    /// One that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl Status {
    /// Nothing more happens by itself.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Done | Self::Error | Self::Cancelled)
    }

    /// The name in the API.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::Processing => "processing",
            Self::Done => "done",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Answer to a create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Names the task from now on.
    pub task_id: String,
    /// Where it is.
    pub status: Status,
    /// Where to look next.
    pub urls: Urls,
}

/// Where a task is found, relative to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Urls {
    /// The task as JSON.
    #[serde(rename = "self")]
    pub this: String,
    /// Its server-sent events.
    pub events: String,
    /// Where a POST cancels it.
    pub cancel: String,
    /// Its page for people.
    pub page: String,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// `rig`.
    #[serde(default)]
    pub kind: String,
    /// The name of its input, made safe.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it is in its life.
    pub status: Status,
    /// Which try this is, from 1; 0 before the first.
    #[serde(default)]
    pub attempt: u32,
    /// What is being done now.
    #[serde(default)]
    pub stage: Option<String>,
    /// 0 to 100, of the current attempt.
    #[serde(default)]
    pub progress: f64,
    /// Its place in the queue while it waits.
    #[serde(default)]
    pub queue: Option<Queue>,
    /// Files that exist.
    #[serde(default)]
    pub ready_count: u32,
    /// Files there will be.
    #[serde(default)]
    pub total_count: u32,
    /// The files that exist.
    #[serde(default)]
    pub files: Vec<File>,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<TaskError>,
    /// Counts up with every correction.
    #[serde(default)]
    pub revision: u32,
    /// `public`, `unlisted` or `private`.
    #[serde(default)]
    pub visibility: Option<String>,
    /// When it was made, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When its work began, RFC 3339.
    #[serde(default)]
    pub started_at: Option<String>,
    /// When it ended, RFC 3339.
    #[serde(default)]
    pub finished_at: Option<String>,
    /// How long things took.
    #[serde(default)]
    pub timings: Value,
    /// Everything else the server said.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Task {
    /// The file of that key.
    pub fn file(&self, key: &str) -> Option<&File> {
        self.files.iter().find(|file| file.key == key)
    }
}

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// How many are before it, counted from 1.
    #[serde(default)]
    pub position: Option<u64>,
    /// A guess.
    #[serde(default)]
    pub estimated_wait_seconds: Option<f64>,
}

/// A file of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Its fixed place.
    #[serde(default)]
    pub index: u32,
    /// Its stable key, `rigged_glb`.
    pub key: String,
    /// The name to save it under.
    pub name: String,
    /// Bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// SHA-256 of its bytes, lower-case hex.
    #[serde(default)]
    pub sha256: Option<String>,
    /// MIME type.
    #[serde(default)]
    pub mime: Option<String>,
    /// Credits it costs.
    #[serde(default)]
    pub price: i64,
    /// The caller may have it.
    #[serde(default)]
    pub may_download: Option<bool>,
    /// Where it is, relative to the server.
    pub url: String,
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// `user_violation`, `temporary`, …
    pub class: String,
    /// Stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    #[serde(default)]
    pub remedy: String,
}

/// One page of the caller's tasks, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The tasks.
    pub items: Vec<TaskSummary>,
    /// The cursor of the next page.
    #[serde(default)]
    pub next: Option<String>,
}

/// A task in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Its id.
    #[serde(alias = "task_id")]
    pub id: String,
    /// Where it is in its life.
    pub status: Status,
    /// Everything else the server said.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// How busy the server is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QueueStatus {
    /// Tasks that wait.
    pub queued: u64,
    /// Tasks being worked on.
    pub processing: u64,
    /// Workers that answer.
    pub workers_online: u64,
    /// Workers with a free place.
    pub workers_free: u64,
    /// Workers in all.
    pub workers_total: u64,
    /// What a new task would wait.
    #[serde(default)]
    pub estimated_wait_seconds: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_a_newer_server_is_kept_and_is_not_an_end() {
        let status: Status = serde_json::from_str("\"paused\"").unwrap();
        assert_eq!(status, Status::Other("paused".to_owned()));
        assert!(!status.is_terminal());
        let status: Status = serde_json::from_str("\"done\"").unwrap();
        assert_eq!(status, Status::Done);
    }
}
