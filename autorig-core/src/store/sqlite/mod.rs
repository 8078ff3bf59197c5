//! State in one SQLite file: WAL, one writer, several readers.
//!
//! SQLite lets one connection write at a time and is not fair between several, so there is exactly one
//! writer here, and waiting for it is first come, first served.

mod calls;
mod outbox;
mod rows;
mod tasks;

use std::{path::Path, str::FromStr, time::Duration};

use async_trait::async_trait;
use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::Store;
use crate::{Error, Result};

/// The SQLite store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// How long a statement waits for another process (a backup, a shell) that holds the file.
const BUSY: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

impl SqliteStore {
    /// Opens a database file, making it or bringing it up to date.
    ///
    /// # Errors
    /// `newer_database` when a newer version of this program has written it; `store_unavailable`.
    pub async fn open(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let writer = pool(1, options.clone()).await?;
        migrator().run(&writer).await.map_err(|error| migration_failed(path, error))?;
        let readers = pool(READERS, options.pragma("query_only", "on")).await?;
        Ok(Self { writer, readers })
    }

    /// A database in memory, gone when the store is dropped: for tests and for programs that keep nothing.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn in_memory() -> Result<Self> {
        let options = SqliteConnectOptions::from_str("sqlite::memory:").map_err(failed)?;
        // An in-memory database belongs to its connection, so there is only one, for all.
        let writer = pool(1, options).await?;
        migrator().run(&writer).await.map_err(|error| migration_failed(Path::new(":memory:"), error))?;
        Ok(Self { readers: writer.clone(), writer })
    }

    /// Closes the file; calls after it fail with `store_unavailable`.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<()> {
        // Taking the write lock shows that the file can be written.
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        transaction.rollback().await.map_err(failed)?;
        sqlx::query("SELECT 1").execute(&self.readers).await.map_err(failed)?;
        Ok(())
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

/// Every migration, oldest first. An applied file is never edited: its checksum is kept.
fn migrator() -> Migrator {
    let files = [(1, "init", include_str!("../../../migrations/sqlite/0001_init.sql"))];
    let migrations = files.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.into())
}

fn migration_failed(path: &Path, error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => Error::usage(
            "newer_database",
            format!(
                "the database `{}` has schema {version}, which this version does not know",
                path.display()
            ),
            "start the newer version of autorig that wrote it, or choose another data directory",
        ),
        MigrateError::VersionMismatch(version) => Error::usage(
            "changed_database",
            format!("schema {version} of the database `{}` is not the one of this version", path.display()),
            "start the version of autorig that wrote it, or choose another data directory",
        ),
        MigrateError::Execute(error) => failed(error),
        other => Error::temporary(
            "store_unavailable",
            format!("the database `{}` could not be brought up to date: {other}", path.display()),
            "check that the file is a database of autorig and that the disk is not full",
        ),
    }
}

/// Every failure of SQLite: disk full, locked, not a database, closed.
fn failed(error: sqlx::Error) -> Error {
    Error::temporary(
        "store_unavailable",
        format!("the database does not answer: {error}"),
        "try again in a moment; if it stays, look at the server's log",
    )
    .with_source(error)
}
