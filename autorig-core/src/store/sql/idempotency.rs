//! Idempotent calls.

use async_trait::async_trait;
use chrono::TimeDelta;

use super::{SqlStore, Transaction, retried, values};
use crate::{
    Result,
    clock::Time,
    store::{Begun, CallKey, FinishedCall, Idempotency, idempotency_key_running},
    task::Task,
};

/// A call that has finished is kept so long after its task was made.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

#[async_trait]
impl Idempotency for SqlStore {
    async fn begin_call(&self, call: &CallKey, node: &str, now: Time, expires: Time) -> Result<Begun> {
        loop {
            if let Some(begun) = retried(|| self.try_begin_call(call, node, now, expires)).await? {
                return Ok(begun);
            }
        }
    }

    async fn renew_call(&self, call: &CallKey, node: &str, expires: Time) -> Result<()> {
        let sql = "UPDATE idempotency SET expires_at = $4 \
                   WHERE scope = $1 AND key = $2 AND node = $3 AND fingerprint IS NULL";
        self.database.execute(sql, values![&call.scope, &call.key, node, expires]).await.map(drop)
    }

    async fn abandon_call(&self, call: &CallKey) -> Result<()> {
        let sql = "DELETE FROM idempotency WHERE scope = $1 AND key = $2 AND fingerprint IS NULL";
        self.database.execute(sql, values![&call.scope, &call.key]).await?;
        Ok(())
    }

    async fn abandon_calls_of(&self, node: &str) -> Result<u64> {
        let sql = "DELETE FROM idempotency WHERE node = $1 AND fingerprint IS NULL";
        self.database.execute(sql, values![node]).await
    }
}

impl SqlStore {
    /// `None` when the call that was in the way has been forgotten in the same moment.
    async fn try_begin_call(
        &self,
        call: &CallKey,
        node: &str,
        now: Time,
        expires: Time,
    ) -> Result<Option<Begun>> {
        let mut transaction = self.database.begin().await?;
        transaction.execute("DELETE FROM idempotency WHERE expires_at <= $1", values![now]).await?;
        let begun = transaction
            .execute(
                "INSERT INTO idempotency (scope, key, node, expires_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (scope, key) DO NOTHING",
                values![&call.scope, &call.key, node, expires],
            )
            .await?;
        if begun == 1 {
            transaction.commit().await?;
            return Ok(Some(Begun::First));
        }
        let known = transaction
            .fetch_optional(
                "SELECT fingerprint, task_id FROM idempotency WHERE scope = $1 AND key = $2",
                values![&call.scope, &call.key],
            )
            .await?;
        transaction.commit().await?;
        let Some(row) = known else { return Ok(None) };
        Ok(Some(match row.optional_text("fingerprint")? {
            None => Begun::Running,
            Some(fingerprint) => Begun::Finished { fingerprint, task: row.task_id("task_id")? },
        }))
    }
}

/// Notes the end of a call within the transaction that makes its task.
pub(super) async fn finish(to: &mut Transaction, finished: &FinishedCall, task: &Task) -> Result<()> {
    let kept = to
        .execute(
            "INSERT INTO idempotency (scope, key, node, fingerprint, task_id, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (scope, key) DO UPDATE SET \
             fingerprint = excluded.fingerprint, task_id = excluded.task_id, expires_at = excluded.expires_at \
             WHERE idempotency.node = excluded.node AND idempotency.fingerprint IS NULL",
            values![
                &finished.call.scope,
                &finished.call.key,
                &finished.node,
                &finished.fingerprint,
                task.id,
                task.created_at + REMEMBERED
            ],
        )
        .await?;
    if kept == 1 { Ok(()) } else { Err(idempotency_key_running()) }
}
