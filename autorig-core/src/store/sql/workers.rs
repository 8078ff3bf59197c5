//! What workers leave behind.

use async_trait::async_trait;
use serde_json::Value as Json;

use super::{SqlStore, Value, values};
use crate::{
    Result,
    clock::Time,
    store::{SeenWorker, Workers},
    task::TaskId,
};

#[async_trait]
impl Workers for SqlStore {
    async fn keep_checkpoint(&self, id: TaskId, attempt: u32, value: &Json) -> Result<bool> {
        let sql = "INSERT INTO task_checkpoints (task_id, value) SELECT id, $3 FROM tasks \
                   WHERE id = $1 AND attempt = $2 AND status = 'processing' \
                   ON CONFLICT (task_id) DO UPDATE SET value = excluded.value";
        Ok(self.database.execute(sql, values![id, attempt, Value::json(value)?]).await? == 1)
    }

    async fn checkpoint(&self, id: TaskId) -> Result<Option<Json>> {
        let sql = "SELECT value FROM task_checkpoints WHERE task_id = $1";
        let row = self.database.fetch_optional(sql, values![id]).await?;
        row.map(|row| row.json("value")).transpose()
    }

    async fn worker_seen(&self, name: &str, slots: u32, now: Time) -> Result<()> {
        let sql = "INSERT INTO workers (name, slots, seen_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, seen_at = excluded.seen_at";
        self.database.execute(sql, values![name, slots, now]).await?;
        Ok(())
    }

    async fn workers_seen(&self, since: Time) -> Result<Vec<SeenWorker>> {
        let sql = "SELECT w.name, w.slots, (SELECT count(*) FROM tasks t \
                   WHERE t.status = 'processing' AND t.lease_owner = w.name) AS busy \
                   FROM workers w WHERE w.seen_at >= $1 OR EXISTS (SELECT 1 FROM tasks h \
                   WHERE h.status = 'processing' AND h.lease_owner = w.name) ORDER BY w.name";
        let rows = self.database.fetch_all(sql, values![since]).await?;
        rows.iter()
            .map(|row| {
                Ok(SeenWorker {
                    name: row.text("name")?,
                    slots: row.unsigned("slots")?,
                    busy: row.unsigned("busy")?,
                })
            })
            .collect()
    }
}
