//! Idempotent calls in SQLite.

use async_trait::async_trait;
use chrono::TimeDelta;
use sqlx::SqliteConnection;

use super::{
    SqliteStore, failed,
    rows::{Reader, micros},
};
use crate::{
    Result,
    clock::Time,
    store::{Begun, CallKey, FinishedCall, Idempotency},
    task::Task,
};

/// A call that finishes without having begun is kept so long.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

#[async_trait]
impl Idempotency for SqliteStore {
    async fn begin_call(&self, call: &CallKey, node: &str, now: Time, expires: Time) -> Result<Begun> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        sqlx::query("DELETE FROM idempotency WHERE expires_at <= ?1")
            .bind(micros(now))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let known = sqlx::query("SELECT fingerprint, task_id FROM idempotency WHERE scope = ?1 AND key = ?2")
            .bind(call.scope.clone())
            .bind(call.key.clone())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        if let Some(row) = known {
            let row = Reader(&row);
            return Ok(match row.get::<Option<String>>("fingerprint")? {
                None => Begun::Running,
                Some(fingerprint) => Begun::Finished { fingerprint, task: row.id("task_id")? },
            });
        }
        sqlx::query("INSERT INTO idempotency (scope, key, node, expires_at) VALUES (?1, ?2, ?3, ?4)")
            .bind(call.scope.clone())
            .bind(call.key.clone())
            .bind(node.to_owned())
            .bind(micros(expires))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Begun::First)
    }

    async fn abandon_call(&self, call: &CallKey) -> Result<()> {
        sqlx::query("DELETE FROM idempotency WHERE scope = ?1 AND key = ?2 AND fingerprint IS NULL")
            .bind(call.scope.clone())
            .bind(call.key.clone())
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn abandon_calls_of(&self, node: &str) -> Result<u64> {
        let done = sqlx::query("DELETE FROM idempotency WHERE node = ?1 AND fingerprint IS NULL")
            .bind(node.to_owned())
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected())
    }
}

/// Notes the end of a call within the transaction that makes its task.
pub(super) async fn finish(to: &mut SqliteConnection, finished: &FinishedCall, task: &Task) -> Result<()> {
    sqlx::query(
        "INSERT INTO idempotency (scope, key, fingerprint, task_id, expires_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, task_id = excluded.task_id",
    )
    .bind(finished.call.scope.clone())
    .bind(finished.call.key.clone())
    .bind(finished.fingerprint.clone())
    .bind(task.id.to_string())
    .bind(micros(task.created_at + REMEMBERED))
    .execute(to)
    .await
    .map_err(failed)?;
    Ok(())
}
