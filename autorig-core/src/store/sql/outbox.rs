//! Messages that wait for delivery.

use async_trait::async_trait;

use super::{SqlStore, Transaction, Value, values};
use crate::{
    Result,
    clock::Time,
    store::{Message, Outbox},
};

#[async_trait]
impl Outbox for SqlStore {
    async fn pending_messages(&self, limit: u32) -> Result<Vec<Message>> {
        let sql =
            "SELECT dedup_id, topic, payload FROM outbox WHERE delivered_at IS NULL ORDER BY seq LIMIT $1";
        let rows = self.database.fetch_all(sql, values![limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(Message {
                    topic: row.text("topic")?,
                    dedup_id: row.text("dedup_id")?,
                    payload: row.json("payload")?,
                })
            })
            .collect()
    }

    async fn message_delivered(&self, dedup_id: &str, now: Time) -> Result<bool> {
        let sql = "UPDATE outbox SET delivered_at = $2 WHERE dedup_id = $1 AND delivered_at IS NULL";
        Ok(self.database.execute(sql, values![dedup_id, now]).await? == 1)
    }
}

/// Keeps messages within the transaction that causes them; one that is there already is not kept twice.
pub(super) async fn insert(to: &mut Transaction, messages: &[Message], now: Time) -> Result<()> {
    for message in messages {
        to.execute(
            "INSERT INTO outbox (dedup_id, topic, payload, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (dedup_id) DO NOTHING",
            values![&message.dedup_id, &message.topic, Value::json(&message.payload)?, now],
        )
        .await?;
    }
    Ok(())
}
