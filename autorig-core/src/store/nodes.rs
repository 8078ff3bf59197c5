//! Nodes that share a store: who is there, and how they call each other.

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::{Result, clock::Time};

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReport {
    /// Its name.
    pub node: String,
    /// Jobs it does at once.
    pub slots: u32,
    /// Jobs it could begin now.
    pub slots_free: u32,
    /// When it said so.
    pub at: Time,
}

/// Nodes that share a store. A store of one process keeps the defaults: there is nobody else.
#[async_trait]
pub trait Nodes: Send + Sync + 'static {
    /// True when other processes may use the same store.
    fn is_shared(&self) -> bool {
        false
    }

    /// Calls out to every node, this one too. It is at most a hint: whoever misses it looks by itself soon.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn call_out(&self, _words: &str) -> Result<()> {
        Ok(())
    }

    /// What nodes call out from now on; `None` where something may have been missed. It ends when the
    /// connection is lost.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn hear(&self) -> Result<BoxStream<'static, Option<String>>> {
        Ok(stream::pending().boxed())
    }

    /// Keeps what a node says of itself, and forgets nodes that have said nothing since `forgotten`.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn report_node(&self, _report: &NodeReport, _forgotten: Time) -> Result<()> {
        Ok(())
    }

    /// Forgets a node that is being shut down.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn remove_node(&self, _node: &str) -> Result<()> {
        Ok(())
    }

    /// Nodes that have said something since then.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn nodes(&self, _since: Time) -> Result<Vec<NodeReport>> {
        Ok(Vec::new())
    }
}
