//! State in a PostgreSQL database, which any number of nodes may share.

use std::{str::FromStr, time::Duration};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::sql::{Database, SqlStore, failed, migrate};
use crate::{Error, Result};

/// How a [`SqlStore`] on PostgreSQL is opened.
#[derive(Debug)]
pub struct PostgresStore;

/// How one node uses the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresSettings {
    /// Most connections at once.
    pub connections: u32,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self { connections: 16 }
    }
}

/// How long a call waits for a free connection, or for one to be made.
const ACQUIRE: Duration = Duration::from_secs(10);
/// A connection that was idle for longer is asked whether it is still there before it is used.
const DOUBTFUL: Duration = Duration::from_secs(5);
/// A connection that nobody needs is closed after this time.
const IDLE: Duration = Duration::from_secs(300);

impl PostgresStore {
    /// Connects to a database, `postgres://user:password@host/name?sslmode=…`, and brings it up to date. Of
    /// several nodes that start at once one does it, and the others wait.
    ///
    /// # Errors
    /// `invalid_config` when the address is none; `newer_database` when a newer version of this program has
    /// written it; `store_unavailable`.
    pub async fn connect(url: &str, settings: PostgresSettings) -> Result<SqlStore> {
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            // The parser's own words may repeat the password.
            Error::usage(
                "invalid_config",
                "database_url is not an address of a PostgreSQL database",
                "write it as postgres://user:password@host:5432/name",
            )
        })?;
        let options = options.application_name("autorig");
        let name = options.get_database().unwrap_or("postgres").to_owned();
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(IDLE)
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    if about.idle_for > DOUBTFUL {
                        sqlx::Connection::ping(connection).await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await
            .map_err(failed)?;
        let database = Database::Postgres(pool);
        migrate(&database, &name).await?;
        Ok(SqlStore { database })
    }
}
