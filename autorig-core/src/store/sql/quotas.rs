//! What owners create.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;

use super::{SqlStore, Transaction, retried, values};
use crate::{
    Result,
    clock::Time,
    store::{Quota, Quotas, UsedUp},
    task::{Owner, TaskId},
};

/// What a day's number is counted over.
const DAY: TimeDelta = TimeDelta::hours(24);
/// A place whose task was not created for so long was lost in a crash.
const LOST: TimeDelta = TimeDelta::hours(1);

#[async_trait]
impl Quotas for SqlStore {
    async fn take_place(
        &self,
        owner: &Owner,
        task: TaskId,
        now: Time,
        quota: &Quota,
    ) -> Result<Option<UsedUp>> {
        retried(|| async {
            let mut transaction = self.database.begin().await?;
            lock(&mut transaction, owner, now).await?;
            transaction.execute("DELETE FROM task_starts WHERE at <= $1", values![now - DAY]).await?;
            if let Some(used_up) = used_up(&mut transaction, owner, now, quota).await? {
                return Ok(Some(used_up));
            }
            let sql = "INSERT INTO task_starts (task_id, owner_type, owner_id, at, pending) VALUES ($1, $2, $3, $4, $5)";
            let values = values![task, owner.kind.as_str(), &owner.id, now, true];
            transaction.execute(sql, values).await?;
            transaction.commit().await?;
            Ok(None)
        })
        .await
    }

    async fn place_used(&self, task: TaskId) -> Result<()> {
        let sql = "UPDATE task_starts SET pending = $2 WHERE task_id = $1";
        self.database.execute(sql, values![task, false]).await.map(drop)
    }

    async fn give_place_back(&self, task: TaskId) -> Result<()> {
        let sql = "DELETE FROM task_starts WHERE task_id = $1 AND pending = $2";
        self.database.execute(sql, values![task, true]).await.map(drop)
    }
}

/// Nobody else counts this owner's creations until the transaction ends: the row is changed, and so it is locked.
async fn lock(on: &mut Transaction, owner: &Owner, now: Time) -> Result<()> {
    let sql = "INSERT INTO owner_locks (owner_type, owner_id, at) VALUES ($1, $2, $3) \
               ON CONFLICT (owner_type, owner_id) DO UPDATE SET at = excluded.at";
    on.execute(sql, values![owner.kind.as_str(), &owner.id, now]).await.map(drop)
}

async fn used_up(on: &mut Transaction, owner: &Owner, now: Time, quota: &Quota) -> Result<Option<UsedUp>> {
    let (kind, id) = (owner.kind.as_str(), &owner.id);
    let sql = "SELECT count(*) AS count, min(at) AS first, max(at) AS last FROM task_starts \
               WHERE owner_type = $1 AND owner_id = $2";
    let Some(row) = on.fetch_optional(sql, values![kind, id]).await? else { return Ok(None) };
    let left =
        |end: Option<Time>| end.and_then(|end| (end - now).to_std().ok()).filter(|left| !left.is_zero());
    let next = row.optional_time("last")?.map(|last| last + quota.apart);
    if let Some(wait) = left(next) {
        return Ok(Some(UsedUp::Apart(wait)));
    }
    if quota.a_day > 0 && row.unsigned::<u32>("count")? >= quota.a_day {
        let wait =
            left(row.optional_time("first")?.map(|first| first + DAY)).unwrap_or(Duration::from_secs(1));
        return Ok(Some(UsedUp::ADay(wait)));
    }
    if quota.at_once == 0 {
        return Ok(None);
    }
    let sql = "SELECT (SELECT count(*) FROM tasks WHERE owner_type = $1 AND owner_id = $2 \
               AND status IN ('created', 'processing')) \
               + (SELECT count(*) FROM task_starts WHERE owner_type = $1 AND owner_id = $2 \
               AND pending = $3 AND at > $4) AS open";
    let row = on.fetch_optional(sql, values![kind, id, true, now - LOST]).await?;
    let open: u32 = row.map_or(Ok(0), |row| row.unsigned("open"))?;
    Ok((open >= quota.at_once).then_some(UsedUp::AtOnce))
}
