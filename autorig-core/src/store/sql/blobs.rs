//! The records of stored files: how many things refer to each.
//!
//! [`keep`], [`share`] and [`release`] run within the transaction that makes or ends a reference, so that a
//! count is right at every commit. The count, not a look at who refers, decides: two transactions that end and
//! make a reference at the same time meet on the row.

use async_trait::async_trait;

use super::{Row, SqlStore, Transaction, Value, retried, values};
use crate::{
    Error, Result,
    clock::Time,
    store::{BlobRecords, Miscounts},
    task::{OwnerKind, TaskId},
};

/// A statement over a list of keys, given as a JSON array.
macro_rules! among {
    ($head:literal, $tail:literal) => {
        $crate::store::sql::Sql::each(
            concat!($head, "(SELECT value FROM json_each($1))", $tail),
            concat!($head, "(SELECT jsonb_array_elements_text($1))", $tail),
        )
    };
}
/// Records a file that has just been put, with its first reference.
pub(super) async fn keep(to: &mut Transaction, key: &str) -> Result<()> {
    let sql = "INSERT INTO blobs (key, refs) VALUES ($1, 1) \
               ON CONFLICT (key) DO UPDATE SET refs = blobs.refs + 1 WHERE blobs.refs > 0";
    if to.execute(sql, values![key]).await? == 1 { Ok(()) } else { Err(gone(key)) }
}

/// One more reference to a file there is; false when its last one has ended.
pub(super) async fn share(to: &mut Transaction, key: &str) -> Result<bool> {
    let sql = "UPDATE blobs SET refs = refs + 1 WHERE key = $1 AND refs > 0";
    Ok(to.execute(sql, values![key]).await? == 1)
}

/// Ends one reference to each file; those that nothing refers to now are doomed, and answered.
pub(super) async fn release<'a>(
    to: &mut Transaction,
    keys: impl IntoIterator<Item = &'a str>,
    now: Time,
) -> Result<Vec<String>> {
    // One order for all, so that no two transactions wait for each other.
    let mut keys: Vec<&str> = keys.into_iter().collect();
    keys.sort_unstable();
    let mut doomed = Vec::new();
    for key in keys {
        let sql = "UPDATE blobs SET refs = refs - 1, doomed_at = CASE WHEN refs = 1 THEN $2 END \
                   WHERE key = $1 AND refs > 0 RETURNING refs";
        let left = to.fetch_optional(sql, values![key, now]).await?;
        if left.map(|row| row.int("refs")).transpose()? == Some(0) {
            doomed.push(key.to_owned());
        }
    }
    Ok(doomed)
}

pub(super) fn gone(key: &str) -> Error {
    Error::conflict(
        "input_gone",
        format!("the file `{key}` has been removed"),
        "send the model again as a new task",
    )
}

#[async_trait]
impl BlobRecords for SqlStore {
    async fn doomed_blobs(&self, limit: u32) -> Result<Vec<String>> {
        let sql = "SELECT key FROM blobs WHERE doomed_at IS NOT NULL ORDER BY doomed_at, key LIMIT $1";
        keys(&self.database.fetch_all(sql, values![limit]).await?)
    }

    async fn doomed_among(&self, some: &[String]) -> Result<Vec<String>> {
        let sql = among!("SELECT key FROM blobs WHERE doomed_at IS NOT NULL AND key IN ", " ORDER BY key");
        keys(&self.database.fetch_all(sql, values![Value::json(&some)?]).await?)
    }

    async fn forget_blobs(&self, some: &[String]) -> Result<()> {
        let sql = among!("DELETE FROM blobs WHERE doomed_at IS NOT NULL AND key IN ", "");
        self.database.execute(sql, values![Value::json(&some)?]).await.map(|_| ())
    }

    async fn unrecorded_among(&self, some: &[String]) -> Result<Vec<String>> {
        let sql = among!("SELECT key FROM blobs WHERE key IN ", "");
        let known = keys(&self.database.fetch_all(sql, values![Value::json(&some)?]).await?)?;
        let known: std::collections::BTreeSet<String> = known.into_iter().collect();
        Ok(some.iter().filter(|key| !known.contains(*key)).cloned().collect())
    }

    async fn recorded_blobs(&self, after: &str, limit: u32) -> Result<Vec<String>> {
        let sql = "SELECT b.key FROM blobs b WHERE b.key > $1 AND b.refs > 0 \
                   AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.blob = b.key AND u.received < u.size) \
                   ORDER BY b.key LIMIT $2";
        keys(&self.database.fetch_all(sql, values![after, limit]).await?)
    }

    async fn miscounted_blobs(&self, limit: u32) -> Result<Miscounts> {
        let sql = "SELECT coalesce(b.key, r.key) AS key FROM blobs b FULL JOIN (\
                   SELECT held.key, count(*) AS refs FROM (\
                   SELECT input_blob AS key FROM tasks UNION ALL SELECT blob FROM task_files \
                   UNION ALL SELECT blob FROM task_old_files \
                   UNION ALL SELECT blob FROM uploads) AS held GROUP BY held.key) AS r ON r.key = b.key \
                   WHERE coalesce(b.refs, -1) <> coalesce(r.refs, 0) ORDER BY 1 LIMIT $1";
        Ok(Miscounts { keys: keys(&self.database.fetch_all(sql, values![limit]).await?)? })
    }

    async fn finished_tasks(&self, owner: OwnerKind, before: Time, limit: u32) -> Result<Vec<TaskId>> {
        let sql = "SELECT id FROM tasks WHERE owner_type = $1 AND finished_at <= $2 \
                   ORDER BY finished_at LIMIT $3";
        let rows = self.database.fetch_all(sql, values![owner.as_str(), before, limit]).await?;
        rows.iter().map(|row| row.task_id("id")).collect()
    }

    async fn expire_logs(&self, owner: OwnerKind, before: Time, limit: u32) -> Result<u64> {
        retried(|| self.try_expire_logs(owner, before, limit)).await
    }

    async fn expire_records(&self, delivered: Time, now: Time, limit: u32) -> Result<u64> {
        let sql = "DELETE FROM outbox WHERE seq IN \
                   (SELECT seq FROM outbox WHERE delivered_at <= $1 ORDER BY delivered_at LIMIT $2)";
        let messages = self.database.execute(sql, values![delivered, limit]).await?;
        let calls = "DELETE FROM idempotency WHERE expires_at <= $1";
        Ok(messages + self.database.execute(calls, values![now]).await?)
    }
}

impl SqlStore {
    async fn try_expire_logs(&self, owner: OwnerKind, before: Time, limit: u32) -> Result<u64> {
        let mark = format!("logs:{}", owner.as_str());
        let mut transaction = self.database.begin().await?;
        let since = transaction.fetch_optional("SELECT at FROM sweep_marks WHERE name = $1", values![&mark]);
        let since = since.await?.map(|row| row.time("at")).transpose()?.unwrap_or(Time::UNIX_EPOCH);
        // Tasks that ended in the same moment as the last one are cleaned with it.
        let bound = transaction
            .fetch_optional(
                "SELECT max(finished_at) AS bound FROM (SELECT finished_at FROM tasks WHERE owner_type = $1 \
                 AND finished_at > $2 AND finished_at <= $3 ORDER BY finished_at LIMIT $4) AS batch",
                values![owner.as_str(), since, before, limit],
            )
            .await?;
        let Some(bound) = bound.map(|row| row.optional_time("bound")).transpose()?.flatten() else {
            return Ok(0);
        };
        let count = "SELECT count(*) AS n FROM tasks WHERE owner_type = $1 \
                     AND finished_at > $2 AND finished_at <= $3";
        let count = transaction.fetch_optional(count, values![owner.as_str(), since, bound]).await?;
        // The last event stays: who listens to a finished task is told how it ended.
        transaction
            .execute(
                "DELETE FROM task_events WHERE task_id IN (SELECT id FROM tasks WHERE owner_type = $1 \
                 AND finished_at > $2 AND finished_at <= $3) \
                 AND id < (SELECT version FROM tasks WHERE tasks.id = task_events.task_id)",
                values![owner.as_str(), since, bound],
            )
            .await?;
        let sql = "INSERT INTO sweep_marks (name, at) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET at = excluded.at";
        transaction.execute(sql, values![&mark, bound]).await?;
        transaction.commit().await?;
        count.map_or(Ok(0), |row| row.unsigned("n"))
    }
}

fn keys(rows: &[Row]) -> Result<Vec<String>> {
    rows.iter().map(|row| row.text("key")).collect()
}
