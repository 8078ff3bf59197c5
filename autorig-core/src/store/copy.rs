//! Moving from one machine to many: everything of a SQLite file into an empty PostgreSQL.

use std::path::Path;

use chrono::DateTime;
use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, PgPool, Postgres, Row, Sqlite, SqlitePool, Transaction,
    postgres::PgArguments,
    query::Query,
    sqlite::SqliteRow,
    types::{Json, Uuid},
};

use super::{
    PostgresSettings, PostgresStore, SqliteStore,
    sql::{Database, SqlStore, failed},
};
use crate::{Error, Result};

/// What was copied of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// Its rows, counted on both sides.
    pub rows: u64,
}

/// Copies every table of a SQLite file into a PostgreSQL database that has no tasks, in one transaction, and counts
/// both sides before it commits. The file must not be in use by a running server.
///
/// # Errors
/// `database_not_empty` when there are tasks already; `newer_database`, `invalid_config`, `store_unavailable`;
/// `internal` when the counts differ: then nothing was copied.
pub async fn copy(from: &Path, to: &str) -> Result<Vec<CopiedTable>> {
    if !from.is_file() {
        return Err(Error::usage(
            "invalid_config",
            format!("there is no database `{}`", from.display()),
            "name the data directory whose database is to be copied",
        ));
    }
    let source = SqliteStore::open(from).await?;
    let target = PostgresStore::connect(to, PostgresSettings::default()).await?;
    let copied = copy_all(&source, &target).await;
    source.close().await;
    target.close().await;
    copied
}

async fn copy_all(source: &SqlStore, target: &SqlStore) -> Result<Vec<CopiedTable>> {
    let (Database::Sqlite { readers, .. }, Database::Postgres(pool)) = (&source.database, &target.database)
    else {
        return Err(Error::internal("a copy goes from SQLite to PostgreSQL"));
    };
    let mut transaction = pool.begin().await.map_err(failed)?;
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    if there > 0 {
        return Err(Error::conflict(
            "database_not_empty",
            format!("the database to copy into has {there} tasks already"),
            "create an empty database and copy into that",
        ));
    }
    let mut copied = Vec::new();
    for name in tables(pool).await? {
        let rows = copy_table(&name, readers, &mut transaction).await?;
        copied.push(CopiedTable { name, rows });
    }
    transaction.commit().await.map_err(failed)?;
    Ok(copied)
}

/// Every table, those before that others refer to.
async fn tables(pool: &PgPool) -> Result<Vec<String>> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() \
         AND table_type = 'BASE TABLE' AND table_name <> '_sqlx_migrations' ORDER BY table_name",
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    let references: Vec<(String, String)> = sqlx::query_as(
        "SELECT f.relname::text, t.relname::text FROM pg_constraint c JOIN pg_class f ON f.oid = c.conrelid \
         JOIN pg_class t ON t.oid = c.confrelid \
         WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace",
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    let mut ordered: Vec<String> = Vec::with_capacity(names.len());
    while ordered.len() < names.len() {
        let ready = names.iter().find(|name| {
            !ordered.contains(name)
                && references.iter().all(|(from, to)| from != *name || to == *name || ordered.contains(to))
        });
        match ready {
            Some(name) => ordered.push(name.clone()),
            None => return Err(Error::internal("the tables refer to each other in a circle")),
        }
    }
    Ok(ordered)
}

/// A column: its name and PostgreSQL's name of its type.
type Column = (String, String);

async fn copy_table(name: &str, from: &SqlitePool, to: &mut Transaction<'_, Postgres>) -> Result<u64> {
    let columns: Vec<Column> = sqlx::query_as(
        "SELECT column_name::text, udt_name::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position",
    )
    .bind(name.to_owned())
    .fetch_all(&mut **to)
    .await
    .map_err(failed)?;
    let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("${place}")).collect();
    let names = names.join(", ");
    let read = format!("SELECT {names} FROM \"{name}\"");
    let write =
        format!("INSERT INTO \"{name}\" ({names}) OVERRIDING SYSTEM VALUE VALUES ({})", places.join(", "));
    // What is put into these statements are the schema's own names.
    let mut rows = sqlx::query(AssertSqlSafe(read)).fetch(from);
    let mut copied = 0;
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let mut insert = sqlx::query(AssertSqlSafe(write.clone()));
        for (column, kind) in &columns {
            insert = bind(insert, &row, column, kind)?;
        }
        insert.execute(&mut **to).await.map_err(failed)?;
        copied += 1;
    }
    let there: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM \"{name}\"")))
        .fetch_one(&mut **to)
        .await
        .map_err(failed)?;
    if u64::try_from(there) != Ok(copied) {
        return Err(Error::internal(format!("of {copied} rows of `{name}` {there} arrived")));
    }
    restart_numbers(name, to).await?;
    Ok(copied)
}

/// Numbers that the database gives go on after the largest that was copied.
async fn restart_numbers(name: &str, to: &mut Transaction<'_, Postgres>) -> Result<()> {
    let numbered: Vec<String> = sqlx::query_scalar(
        "SELECT column_name::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = $1 AND is_identity = 'YES'",
    )
    .bind(name.to_owned())
    .fetch_all(&mut **to)
    .await
    .map_err(failed)?;
    for column in numbered {
        let set = format!(
            "SELECT setval(pg_get_serial_sequence('{name}', '{column}'), \
             (SELECT coalesce(max(\"{column}\"), 0) + 1 FROM \"{name}\"), false)"
        );
        sqlx::query(AssertSqlSafe(set)).execute(&mut **to).await.map_err(failed)?;
    }
    Ok(())
}

/// Binds a column's value as PostgreSQL has it; the types are those of the table in `sql/`.
fn bind<'q>(
    to: Query<'q, Postgres, PgArguments>,
    row: &SqliteRow,
    column: &str,
    kind: &str,
) -> Result<Query<'q, Postgres, PgArguments>> {
    let strange = || Error::internal(format!("`{column}` holds a value that is no {kind}"));
    let text = || get::<String>(row, column);
    let number = || get::<i64>(row, column);
    Ok(match kind {
        "text" => to.bind(text()?),
        "int8" => to.bind(number()?),
        "bool" => to.bind(number()?.map(|value| value != 0)),
        "bytea" => to.bind(get::<Vec<u8>>(row, column)?),
        "uuid" => to.bind(text()?.map(|id| id.parse::<Uuid>().map_err(|_| strange())).transpose()?),
        "timestamptz" => {
            to.bind(number()?.map(|at| DateTime::from_timestamp_micros(at).ok_or_else(strange)).transpose()?)
        }
        "jsonb" => to.bind(
            text()?
                .map(|json| serde_json::from_str::<serde_json::Value>(&json).map(Json).map_err(|_| strange()))
                .transpose()?,
        ),
        other => return Err(Error::internal(format!("a copy knows no type `{other}`"))),
    })
}

fn get<T>(row: &SqliteRow, column: &str) -> Result<Option<T>>
where
    T: for<'r> sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(column).map_err(failed)
}
