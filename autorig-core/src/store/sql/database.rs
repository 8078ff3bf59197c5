//! Statements on either database: pools, transactions, errors.

use sqlx::{
    Executor, PgPool, Postgres, Sqlite, SqlitePool, postgres::PgArguments, query::Query,
    sqlite::SqliteArguments,
};

use super::{
    row::Row,
    value::{self, Value},
};
use crate::{Error, Result};

/// A statement with `$1`, `$2`, … for its values: the same text for both databases, or one for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Sql {
    /// Where the dialects differ.
    pub(crate) const fn each(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Self {
        Self { sqlite: both, postgres: both }
    }
}

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// The connections to one database. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// One writer, first come, first served, and several readers.
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    /// Connections that do both.
    Postgres(PgPool),
}

impl Database {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Every row of a statement that only reads.
    pub(crate) async fn fetch_all(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite { readers, .. } => sqlite_rows(readers, sql.into(), values).await,
            Self::Postgres(pool) => postgres_rows(pool, sql.into(), values).await,
        }
    }

    /// The row of a statement that only reads, if there is one.
    pub(crate) async fn fetch_optional(
        &self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Option<Row>> {
        match self {
            Self::Sqlite { readers, .. } => sqlite_row(readers, sql.into(), values).await,
            Self::Postgres(pool) => postgres_row(pool, sql.into(), values).await,
        }
    }

    /// Runs a statement that writes, as a transaction of its own; how many rows it has changed.
    pub(crate) async fn execute(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<u64> {
        match self {
            Self::Sqlite { writer, .. } => sqlite_execute(writer, sql.into(), values).await,
            Self::Postgres(pool) => postgres_execute(pool, sql.into(), values).await,
        }
    }

    /// Begins a transaction that writes. What is not committed when it is dropped has not happened.
    pub(crate) async fn begin(&self) -> Result<Transaction> {
        match self {
            // Taken at once: a transaction that reads first and writes later fails when another wrote between.
            Self::Sqlite { writer, .. } => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Transaction::Sqlite).map_err(failed)
            }
            Self::Postgres(pool) => pool.begin().await.map(Transaction::Postgres).map_err(failed),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A unit of work.
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Every row of a statement.
    pub(crate) async fn fetch_all(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(to) => sqlite_rows(&mut **to, sql.into(), values).await,
            Self::Postgres(to) => postgres_rows(&mut **to, sql.into(), values).await,
        }
    }

    /// The row of a statement, if there is one.
    pub(crate) async fn fetch_optional(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Option<Row>> {
        match self {
            Self::Sqlite(to) => sqlite_row(&mut **to, sql.into(), values).await,
            Self::Postgres(to) => postgres_row(&mut **to, sql.into(), values).await,
        }
    }

    /// Runs a statement; how many rows it has changed.
    pub(crate) async fn execute(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<u64> {
        match self {
            Self::Sqlite(to) => sqlite_execute(&mut **to, sql.into(), values).await,
            Self::Postgres(to) => postgres_execute(&mut **to, sql.into(), values).await,
        }
    }

    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(to) => to.commit().await.map_err(failed),
            Self::Postgres(to) => to.commit().await.map_err(failed),
        }
    }
}

/// Runs a unit of work again that the database has given up in favour of another one: a deadlock or a
/// failure to serialise. Nothing of it has happened then.
pub(crate) async fn retried<T, F: Future<Output = Result<T>>>(work: impl Fn() -> F) -> Result<T> {
    const TIMES: usize = 5;
    for _ in 1..TIMES {
        match work().await {
            Err(error) if is_conflict(&error) => tracing::debug!(%error, "a unit of work runs again"),
            ended => return ended,
        }
    }
    work().await
}

/// True for a deadlock and for a failure to serialise.
fn is_conflict(error: &Error) -> bool {
    database_code(error).is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01"))
}

/// True when a row of this key is there already.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    match cause(error) {
        Some(sqlx::Error::Database(cause)) => cause.is_unique_violation(),
        _ => false,
    }
}

fn database_code(error: &Error) -> Option<std::borrow::Cow<'_, str>> {
    cause(error)?.as_database_error()?.code()
}

fn cause(error: &Error) -> Option<&sqlx::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

/// Every failure of a database: gone, full, locked, closed, not a database.
pub(crate) fn failed(error: sqlx::Error) -> Error {
    Error::temporary(
        "store_unavailable",
        format!("the database does not answer: {error}"),
        "try again in a moment; if it stays, look at the server's log",
    )
    .with_source(error)
}

fn sqlite_query(sql: Sql, values: Vec<Value>) -> Result<Query<'static, Sqlite, SqliteArguments>> {
    Ok(sqlx::query_with(sql.sqlite, value::sqlite(values).map_err(failed)?))
}

fn postgres_query(sql: Sql, values: Vec<Value>) -> Result<Query<'static, Postgres, PgArguments>> {
    Ok(sqlx::query_with(sql.postgres, value::postgres(values).map_err(failed)?))
}

macro_rules! runs {
    ($database:ty, $query:ident, $row:path, $all:ident, $optional:ident, $execute:ident) => {
        async fn $all<'e>(
            on: impl Executor<'e, Database = $database>,
            sql: Sql,
            values: Vec<Value>,
        ) -> Result<Vec<Row>> {
            let rows = $query(sql, values)?.fetch_all(on).await.map_err(failed)?;
            Ok(rows.into_iter().map($row).collect())
        }

        async fn $optional<'e>(
            on: impl Executor<'e, Database = $database>,
            sql: Sql,
            values: Vec<Value>,
        ) -> Result<Option<Row>> {
            let row = $query(sql, values)?.fetch_optional(on).await.map_err(failed)?;
            Ok(row.map($row))
        }

        async fn $execute<'e>(
            on: impl Executor<'e, Database = $database>,
            sql: Sql,
            values: Vec<Value>,
        ) -> Result<u64> {
            let done = $query(sql, values)?.execute(on).await.map_err(failed)?;
            Ok(done.rows_affected())
        }
    };
}

runs!(Sqlite, sqlite_query, Row::Sqlite, sqlite_rows, sqlite_row, sqlite_execute);
runs!(Postgres, postgres_query, Row::Postgres, postgres_rows, postgres_row, postgres_execute);
