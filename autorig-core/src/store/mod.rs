//! Where state is kept: small traits by aggregate, object-safe, each implementation in a folder of its own.
//!
//! Rules every store keeps, checked by `tests/conformance`: not found is `Ok(None)`; one call is one
//! transaction; a task changes only through [`crate::task::lifecycle::apply`]; a state change, its events and the
//! messages it causes commit together.

pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    Result,
    clock::Time,
    task::{
        Owner, Task, TaskEvent, TaskId,
        lifecycle::{Event, Outcome, Refused},
    },
};

pub use sqlite::SqliteStore;

/// Everything the core keeps.
#[async_trait]
pub trait Store: Tasks + Idempotency + Outbox {
    /// Answers when the store can be read and written.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn ping(&self) -> Result<()>;
}

/// Which tasks a worker wants.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who takes them.
    pub node: String,
    /// Of these kinds.
    pub kinds: Vec<String>,
    /// At most so many.
    pub limit: u32,
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
    /// `store_unavailable`; `internal` when the id exists.
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

    /// Claims waiting tasks, oldest first; no two claims get the same one.
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

    /// How many tasks wait and are worked on.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn counts(&self) -> Result<Counts>;

    /// How many waiting tasks come before this one; `None` when it does not wait.
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

/// A call that is repeated under the same key must happen once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallKey {
    /// Whose key it is: keys of different callers do not meet.
    pub scope: String,
    /// The key the caller chose.
    pub key: String,
}

/// The end of an idempotent call, kept with what it made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedCall {
    /// Which call.
    pub call: CallKey,
    /// Fingerprint of what was asked.
    pub fingerprint: String,
}

/// What a call finds when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is the first: go on, then finish or abandon it.
    First,
    /// The first is still running.
    Running,
    /// The first has finished and made this task.
    Finished {
        /// Fingerprint of what was asked then.
        fingerprint: String,
        /// What it made.
        task: TaskId,
    },
}

/// Remembers idempotent calls.
#[async_trait]
pub trait Idempotency: Send + Sync + 'static {
    /// Begins a call, forgetting calls that expired before `now`.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn begin_call(&self, call: &CallKey, node: &str, now: Time, expires: Time) -> Result<Begun>;

    /// Forgets a call that came to nothing, so that it may be made again; finished ones stay.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn abandon_call(&self, call: &CallKey) -> Result<()>;

    /// Forgets every unfinished call of a node, after it has crashed.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn abandon_calls_of(&self, node: &str) -> Result<u64>;
}

/// A message that a change causes, delivered after it at least once.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What it is about: `task.done`.
    pub topic: String,
    /// Two messages of one id are one message.
    pub dedup_id: String,
    /// What it says.
    pub payload: Value,
}

/// Messages that wait for delivery.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Messages not yet delivered, oldest first.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn pending_messages(&self, limit: u32) -> Result<Vec<Message>>;

    /// Notes that a message was delivered; false when it was before.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn message_delivered(&self, dedup_id: &str, now: Time) -> Result<bool>;
}
