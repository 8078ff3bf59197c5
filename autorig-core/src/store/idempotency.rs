//! Calls that are repeated under one key and happen once.

use async_trait::async_trait;

use crate::{Result, clock::Time, task::TaskId};

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
