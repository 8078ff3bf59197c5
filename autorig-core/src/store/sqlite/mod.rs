//! State in one SQLite file: WAL, one writer, several readers.
//!
//! SQLite lets one connection write at a time and is not fair between several, so there is exactly one
//! writer here, and waiting for it is first come, first served.

use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::sql::{Database, SqlStore, failed, migrate};
use crate::Result;

/// How a [`SqlStore`] on SQLite is opened.
#[derive(Debug)]
pub struct SqliteStore;

/// How long a statement waits for another process (a backup, a shell) that holds the file.
const BUSY: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

impl SqliteStore {
    /// Opens a database file, making it or bringing it up to date.
    ///
    /// # Errors
    /// `newer_database` when a newer version of this program has written it; `store_unavailable`.
    pub async fn open(path: &Path) -> Result<SqlStore> {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let writer = pool(1, options.clone()).await?;
        migrate(
            &Database::Sqlite { readers: writer.clone(), writer: writer.clone() },
            &path.display().to_string(),
        )
        .await?;
        let readers = pool(READERS, options.pragma("query_only", "on")).await?;
        Ok(SqlStore { database: Database::Sqlite { writer, readers } })
    }

    /// A database in memory, gone when the store is dropped: for tests and for programs that keep nothing.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn in_memory() -> Result<SqlStore> {
        let options = SqliteConnectOptions::from_str("sqlite::memory:").map_err(failed)?;
        // An in-memory database belongs to its connection, so there is only one, for all.
        let writer = pool(1, options).await?;
        let database = Database::Sqlite { readers: writer.clone(), writer };
        migrate(&database, ":memory:").await?;
        Ok(SqlStore { database })
    }
}

async fn pool(connections: u32, options: SqliteConnectOptions) -> Result<SqlitePool> {
    let options = options
        .journal_mode(SqliteJournalMode::Wal)
        // A task that was accepted survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .foreign_keys(true);
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(failed)
}
