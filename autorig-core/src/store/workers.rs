//! What workers leave behind: how far they are with a task, and when they were last seen.

use async_trait::async_trait;
use serde_json::Value;

use crate::{Result, clock::Time, task::TaskId};

/// A worker that comes and asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenWorker {
    /// Its name; leases of tasks carry it.
    pub name: String,
    /// Tasks it does at once.
    pub slots: u32,
    /// Tasks it has now.
    pub busy: u32,
}

/// Checkpoints and workers.
#[async_trait]
pub trait Workers: Send + Sync + 'static {
    /// Keeps what a worker needs to go on with a task, replacing what it kept before; false when this attempt
    /// no longer holds the task.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn keep_checkpoint(&self, id: TaskId, attempt: u32, value: &Value) -> Result<bool>;

    /// What was kept of a task last, by whichever attempt.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn checkpoint(&self, id: TaskId) -> Result<Option<Value>>;

    /// Notes that a worker was here.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn worker_seen(&self, name: &str, slots: u32, now: Time) -> Result<()>;

    /// Workers that were here since a moment or have a task, by name.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn workers_seen(&self, since: Time) -> Result<Vec<SeenWorker>>;
}
