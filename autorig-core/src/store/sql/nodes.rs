//! Nodes that share the database.

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use sqlx::postgres::PgListener;

use super::{Database, Dialect, SqlStore, failed, values};
use crate::{
    Result,
    clock::Time,
    store::{NodeReport, Nodes},
};

/// Where nodes call out.
const CHANNEL: &str = "autorig";

#[async_trait]
impl Nodes for SqlStore {
    fn is_shared(&self) -> bool {
        self.database.dialect() == Dialect::Postgres
    }

    async fn call_out(&self, words: &str) -> Result<()> {
        if self.is_shared() {
            self.database.execute("SELECT pg_notify($1, $2)", values![CHANNEL, words]).await?;
        }
        Ok(())
    }

    async fn hear(&self) -> Result<BoxStream<'static, Option<String>>> {
        let Database::Postgres(pool) = &self.database else { return Ok(stream::pending().boxed()) };
        let mut listener = PgListener::connect_with(pool).await.map_err(failed)?;
        listener.listen(CHANNEL).await.map_err(failed)?;
        Ok(stream::unfold(listener, |mut listener| async move {
            match listener.try_recv().await {
                Ok(said) => Some((said.map(|said| said.payload().to_owned()), listener)),
                Err(error) => {
                    tracing::warn!(%error, "listening to other nodes was interrupted");
                    None
                }
            }
        })
        .boxed())
    }

    async fn report_node(&self, report: &NodeReport, forgotten: Time) -> Result<()> {
        self.database
            .execute(
                "INSERT INTO nodes (node, slots, slots_free, at) VALUES ($1, $2, $3, $4) ON CONFLICT (node) \
                 DO UPDATE SET slots = excluded.slots, slots_free = excluded.slots_free, at = excluded.at",
                values![&report.node, report.slots, report.slots_free, report.at],
            )
            .await?;
        self.database.execute("DELETE FROM nodes WHERE at < $1", values![forgotten]).await?;
        Ok(())
    }

    async fn remove_node(&self, node: &str) -> Result<()> {
        self.database.execute("DELETE FROM nodes WHERE node = $1", values![node]).await.map(drop)
    }

    async fn nodes(&self, since: Time) -> Result<Vec<NodeReport>> {
        let sql = "SELECT node, slots, slots_free, at FROM nodes WHERE at >= $1 ORDER BY node";
        let rows = self.database.fetch_all(sql, values![since]).await?;
        rows.iter()
            .map(|row| {
                Ok(NodeReport {
                    node: row.text("node")?,
                    slots: row.unsigned("slots")?,
                    slots_free: row.unsigned("slots_free")?,
                    at: row.time("at")?,
                })
            })
            .collect()
    }
}
