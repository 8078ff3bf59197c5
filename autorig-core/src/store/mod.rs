//! Where state is kept: small traits by aggregate, object-safe, one file each.
//!
//! Rules every store keeps, checked by `tests/conformance`: not found is `Ok(None)`; one call is one
//! transaction; a task changes only through [`crate::task::lifecycle::apply`]; a state change, its events and the
//! messages it causes commit together.
//!
//! [`SqlStore`] is the one implementation, written once in `sql/` over a small layer that runs the same
//! statements on both databases; `sqlite/` and `postgres/` hold how to open each and where the two differ.

mod copy;
mod idempotency;
mod keys;
mod nodes;
mod outbox;
pub mod postgres;
mod quotas;
mod sql;
pub mod sqlite;
mod tasks;
mod uploads;
mod workers;

use async_trait::async_trait;

use crate::Result;

pub use copy::{CopiedTable, copy};
pub(crate) use idempotency::idempotency_key_running;
pub use idempotency::{Begun, CallKey, FinishedCall, Idempotency};
pub use keys::Keys;
pub use nodes::{NodeReport, Nodes};
pub use outbox::{Message, Outbox};
pub use postgres::{PostgresSettings, PostgresStore};
pub use quotas::{Quota, Quotas, UsedUp};
pub use sql::SqlStore;
pub use sqlite::SqliteStore;
pub use tasks::{Applied, Claim, Counts, EXACT_AHEAD, Removed, Tasks};
pub use uploads::{BlobRecords, Miscounts, Upload, Uploads};
pub use workers::{SeenWorker, Workers};

/// Everything the core keeps.
#[async_trait]
pub trait Store:
    Tasks + Idempotency + Outbox + Keys + Uploads + BlobRecords + Workers + Nodes + Quotas
{
    /// Answers when the store can be read and written.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn ping(&self) -> Result<()>;
}
