//! Everything the core keeps, in SQL, written once for SQLite and PostgreSQL.
//!
//! [`Database`] and [`Transaction`] run statements with `$1` placeholders, which both databases accept, over
//! our own [`Value`]s and [`Row`]s, so that an aggregate's file reads the same for both. Where the dialects
//! differ a statement is given [twice](Sql::each).
//!
//! | | SQLite | PostgreSQL |
//! | --- | --- | --- |
//! | a moment | `INTEGER`, µs since the epoch | `timestamptz` |
//! | an id | `TEXT` | `uuid` |
//! | JSON | `TEXT` | `jsonb` |
//! | a number | `INTEGER` | `bigint` |
//! | yes or no | `INTEGER` 0 or 1 | `boolean` |
//! | a writer | the only one, by `BEGIN IMMEDIATE` | one of many: it locks the rows it is going to change |

mod blobs;
mod database;
mod idempotency;
mod keys;
mod migrations;
mod nodes;
mod outbox;
mod queue;
mod quotas;
mod row;
mod task_rows;
mod tasks;
mod uploads;
mod value;
mod workers;

use async_trait::async_trait;

use super::Store;
use crate::{Error, Result};

pub(crate) use database::{Database, Dialect, Sql, Transaction, failed, is_duplicate, retried};
pub(crate) use migrations::migrate;
pub(crate) use row::Row;
pub(crate) use value::{Value, values};

/// The store, on SQLite ([`super::SqliteStore`]) or PostgreSQL ([`super::PostgresStore`]). Cheap to clone.
#[derive(Debug, Clone)]
pub struct SqlStore {
    pub(crate) database: Database,
}

impl SqlStore {
    /// Closes the connections; calls after it fail with `store_unavailable`.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn ping(&self) -> Result<()> {
        if let Database::Sqlite { .. } = self.database {
            // Taking the write lock shows that the file can be written.
            self.database.begin().await?.commit().await?;
        }
        let read_only = Sql::each(
            "SELECT 'off' AS read_only",
            // A standby that was not promoted answers, but keeps nothing.
            "SELECT current_setting('transaction_read_only') AS read_only",
        );
        let row = self.database.fetch_optional(read_only, values![]).await?;
        match row.map(|row| row.text("read_only")).transpose()?.as_deref() {
            Some("off") => Ok(()),
            _ => Err(Error::temporary(
                "store_unavailable",
                "the database can be read but not written",
                "point `database_url` at the primary server",
            )),
        }
    }
}
