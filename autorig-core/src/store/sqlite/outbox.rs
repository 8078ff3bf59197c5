//! Messages that wait for delivery, in SQLite.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{
    SqliteStore, failed,
    rows::{self, Reader, micros},
};
use crate::{
    Result,
    clock::Time,
    store::{Message, Outbox},
};

#[async_trait]
impl Outbox for SqliteStore {
    async fn pending_messages(&self, limit: u32) -> Result<Vec<Message>> {
        let rows = sqlx::query(
            "SELECT dedup_id, topic, payload FROM outbox WHERE delivered_at IS NULL ORDER BY seq LIMIT ?1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let row = Reader(row);
                Ok(Message {
                    topic: row.get("topic")?,
                    dedup_id: row.get("dedup_id")?,
                    payload: row.json("payload")?,
                })
            })
            .collect()
    }

    async fn message_delivered(&self, dedup_id: &str, now: Time) -> Result<bool> {
        let done =
            sqlx::query("UPDATE outbox SET delivered_at = ?2 WHERE dedup_id = ?1 AND delivered_at IS NULL")
                .bind(dedup_id.to_owned())
                .bind(micros(now))
                .execute(&self.writer)
                .await
                .map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }
}

/// Keeps messages within the transaction that causes them; one that is there already is not kept twice.
pub(super) async fn insert(to: &mut SqliteConnection, messages: &[Message], now: Time) -> Result<()> {
    for message in messages {
        sqlx::query(
            "INSERT INTO outbox (dedup_id, topic, payload, created_at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (dedup_id) DO NOTHING",
        )
        .bind(message.dedup_id.clone())
        .bind(message.topic.clone())
        .bind(rows::json(&message.payload)?)
        .bind(micros(now))
        .execute(&mut *to)
        .await
        .map_err(failed)?;
    }
    Ok(())
}
