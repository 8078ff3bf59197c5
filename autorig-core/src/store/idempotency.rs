//! Calls that are repeated under one key and happen once.

use async_trait::async_trait;

use crate::{Error, Result, clock::Time, task::TaskId};

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
    /// The node that has made it.
    pub node: String,
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

    /// Says that a call is still running, so that it is not forgotten before `expires`.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn renew_call(&self, call: &CallKey, node: &str, expires: Time) -> Result<()>;

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

/// Another call of the same key is at work.
pub(crate) fn idempotency_key_running() -> Error {
    Error::conflict(
        "idempotency_key_running",
        "the first call with this idempotency key is still running",
        "wait a moment and send the same call again",
    )
}
