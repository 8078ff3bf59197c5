//! Messages that commit with their cause.

use async_trait::async_trait;
use serde_json::Value;

use crate::{Result, clock::Time};

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
