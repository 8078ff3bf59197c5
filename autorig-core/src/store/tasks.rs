//! Tasks and their events.

use std::time::Duration;

use async_trait::async_trait;

use super::{FinishedCall, Message};
use crate::{
    Result,
    clock::Time,
    task::{
        Owner, Task, TaskEvent, TaskFile, TaskId,
        lifecycle::{Event, Outcome, Refused},
    },
};

/// Up to here [`Tasks::ahead_of`] counts; beyond, it estimates: counting a million tasks takes longer than
/// anybody who asks would wait.
pub const EXACT_AHEAD: u32 = 10_000;

/// Which tasks a worker wants.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who takes them.
    pub node: String,
    /// Of these kinds.
    pub kinds: Vec<String>,
    /// At most so many.
    pub limit: u32,
    /// No owner has more than so many in work, but for the owner of local mode; `None` for no limit.
    pub per_owner: Option<u32>,
    /// The time now: what waits for later is left.
    pub now: Time,
    /// Until when they are held, unless renewed.
    pub lease_until: Time,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Applied {
    /// It was applied and committed.
    Done(Box<Outcome>),
    /// The lifecycle refused it; nothing has changed.
    Refused(Refused),
    /// There is no such task.
    Missing,
}

/// A task that was removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Removed {
    /// As it was.
    pub task: Task,
    /// Blobs that nothing refers to any more.
    pub released: Vec<String>,
}

/// How many tasks wait and how many are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Waiting, those between two attempts included.
    pub queued: u64,
    /// Held by a worker.
    pub processing: u64,
}

/// Tasks and their events.
#[async_trait]
pub trait Tasks: Send + Sync + 'static {
    /// Keeps a new task, its first event (`queued`, id 1), the end of the idempotent call that makes it and
    /// the messages it causes.
    ///
    /// # Errors
    /// `store_unavailable`; `internal` when the id exists; `idempotency_key_running` when the call was forgotten
    /// meanwhile, since its node gave no sign of life, and another of its key has begun or ended; `input_gone` when
    /// its input is that of something else and has been removed.
    async fn insert(&self, task: &Task, call: Option<&FinishedCall>, outbox: &[Message]) -> Result<()>;

    /// The task of this id.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn task(&self, id: TaskId) -> Result<Option<Task>>;

    /// Applies an event by [`crate::task::lifecycle::apply`] in one transaction, with its events and messages.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn apply(&self, id: TaskId, event: &Event, now: Time, outbox: &[Message]) -> Result<Applied>;

    /// Removes a task with its files' records and its events, and lets go of its blobs; `None` when there is none, or
    /// when it was not finished before a moment that is given.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn remove(&self, id: TaskId, finished: Option<Time>, now: Time) -> Result<Option<Removed>>;

    /// Claims waiting tasks; no two claims get the same one. Those that are due again come first; then the higher
    /// priority, and within one owners take turns, each one's oldest first.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>>;

    /// Extends a lease; false when this attempt no longer holds the task.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn renew(&self, id: TaskId, attempt: u32, until: Time) -> Result<bool>;

    /// Tasks whose lease has ended at `now`.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn expired(&self, now: Time) -> Result<Vec<Task>>;

    /// Tasks that a node holds.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn held_by(&self, node: &str) -> Result<Vec<Task>>;

    /// The earliest moment after `now` at which something becomes due: a next attempt or the end of a lease.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn next_due(&self, now: Time) -> Result<Option<Time>>;

    /// An owner's tasks, newest first, older than `before`.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn list(&self, owner: &Owner, before: Option<(Time, TaskId)>, limit: u32) -> Result<Vec<Task>>;

    /// A task's events after an id, in order, at most `limit`.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn events(&self, id: TaskId, after: u64, limit: u32) -> Result<Vec<TaskEvent>>;

    /// The files of a result that a correction has replaced, by place; those of the newest are the task's own.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn old_files(&self, id: TaskId, revision: u32) -> Result<Vec<TaskFile>>;

    /// How many tasks wait and are worked on.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn counts(&self) -> Result<Counts>;

    /// Tasks that failed for good through no fault of their senders, latest first, before `before`
    /// (when it failed and its id).
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn dead_letters(&self, before: Option<(Time, TaskId)>, limit: u32) -> Result<Vec<Task>>;

    /// How many waiting tasks come before this one, exact up to [`EXACT_AHEAD`]; `None` when it does not wait.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn ahead_of(&self, id: TaskId) -> Result<Option<u64>>;

    /// How long the last done tasks took from their start, newest first.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn recent_durations(&self, limit: u32) -> Result<Vec<Duration>>;
}
