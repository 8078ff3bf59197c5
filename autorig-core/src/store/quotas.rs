//! What an owner may create: counted, and taken one at a time.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Result,
    clock::Time,
    task::{Owner, TaskId},
};

/// How many tasks an owner may create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Waiting or worked on at once; 0 for any number.
    pub at_once: u32,
    /// In 24 hours; 0 for any number.
    pub a_day: u32,
    /// Between two of them.
    pub apart: Duration,
}

/// Which part of a quota is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsedUp {
    /// As many as may be are waiting or worked on.
    AtOnce,
    /// As many as may be were created in the last 24 hours; the first of them leaves after this time.
    ADay(Duration),
    /// The last one was created a moment ago; the next may be after this time.
    Apart(Duration),
}

/// Counts what owners create.
#[async_trait]
pub trait Quotas: Send + Sync + 'static {
    /// Takes a place for a task that is about to be created; `Some` when there is none. Two calls for one owner are
    /// counted one after the other, on whichever nodes.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn take_place(
        &self,
        owner: &Owner,
        task: TaskId,
        now: Time,
        quota: &Quota,
    ) -> Result<Option<UsedUp>>;

    /// The task exists: from now on it is counted by itself.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn place_used(&self, task: TaskId) -> Result<()>;

    /// The task came to nothing: the place is free again.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn give_place_back(&self, task: TaskId) -> Result<()>;
}
