//! The queue: whose turn it is.
//!
//! Fair queueing by start times (Goyal, Vin, Cheng: "Start-time Fair Queuing", 1996, with tasks of one size): a
//! task gets its turn when it begins to wait, the larger of its owner's last turn plus one and the turn at the
//! head of the queue. Claims then follow `(rank, turn, age)`, which serves owners round robin and one owner's
//! tasks oldest first, without counting anybody's tasks.

use std::collections::HashMap;

use super::{
    Dialect, Row, Sql, SqlStore, Transaction, Value, retried,
    task_rows::{self as rows, select_tasks},
    tasks::save,
    values,
};
use crate::{
    Error, Result,
    store::{Claim, EXACT_AHEAD},
    task::{
        Task, TaskId,
        lifecycle::{self, Event},
    },
};

/// Gives a task that has begun to wait its turn.
const GIVE_TURN: &str = "UPDATE tasks SET turn = (SELECT max(v) FROM (SELECT 0 AS v \
    UNION ALL SELECT (SELECT o.turn + 1 FROM tasks o WHERE o.status = 'created' AND o.next_attempt_at IS NULL \
        AND o.owner_key = $2 AND o.kind = $3 AND o.rank = $4 AND o.id <> $1 ORDER BY o.turn DESC LIMIT 1) \
    UNION ALL SELECT (SELECT h.turn FROM tasks h WHERE h.status = 'created' AND h.next_attempt_at IS NULL \
        AND h.kind = $3 AND h.rank = $4 AND h.id <> $1 ORDER BY h.turn LIMIT 1)) AS turns) WHERE id = $1";

/// A task that waits again, having had its turn, goes to the head of the queue.
const GIVE_HEAD: &str = "UPDATE tasks SET turn = coalesce((SELECT h.turn FROM tasks h WHERE h.status = 'created' \
    AND h.next_attempt_at IS NULL AND h.kind = $2 AND h.rank = $3 AND h.id <> $1 ORDER BY h.turn LIMIT 1), 0) \
    WHERE id = $1";

/// How many of the first waiting tasks are looked at for one whose owner may have another.
const WINDOW: u32 = 256;
/// One claim at a time counts the tasks of owners: this names the lock.
const CLAIM_LOCK: i64 = 0x6175_746f_7269_6701;

/// Gives a task its turn within the transaction in which it begins to wait.
pub(super) async fn give_turn(to: &mut Transaction, task: &Task) -> Result<()> {
    let values = values![task.id, owner_key(task), &task.kind, rank(task)];
    to.execute(GIVE_TURN, values).await.map(drop)
}

/// Gives a task that waits again its turn: the one that is being served, so that the queue does not go back.
pub(super) async fn give_turn_again(to: &mut Transaction, task: &Task) -> Result<()> {
    to.execute(GIVE_HEAD, values![task.id, &task.kind, rank(task)]).await.map(drop)
}

/// How databases order priorities: the lower the sooner.
pub(super) fn rank(task: &Task) -> i64 {
    -i64::from(task.priority)
}

fn owner_key(task: &Task) -> String {
    format!("{}:{}", task.owner.kind, task.owner.id)
}

impl SqlStore {
    pub(super) async fn claim_tasks(&self, claim: &Claim) -> Result<Vec<Task>> {
        retried(|| self.try_claim(claim)).await
    }

    async fn try_claim(&self, claim: &Claim) -> Result<Vec<Task>> {
        let mut transaction = self.database.begin().await?;
        let waiting = match claim.per_owner {
            None => first_waiting(&mut transaction, claim).await?,
            Some(most) => first_allowed(&mut transaction, claim, most).await?,
        };
        let mut claimed = Vec::with_capacity(waiting.len());
        for task in waiting {
            let event = Event::Claim { node: claim.node.clone(), lease_until: claim.lease_until };
            let outcome = lifecycle::apply(&task, &event, claim.now)
                .map_err(|refused| Error::internal(format!("claiming task {}: {refused}", task.id)))?;
            save(&mut transaction, &task, &outcome, claim.now).await?;
            claimed.push(outcome.task);
        }
        transaction.commit().await?;
        Ok(claimed)
    }
}

impl SqlStore {
    pub(super) async fn tasks_ahead(&self, id: TaskId) -> Result<Option<u64>> {
        let sql = "SELECT kind, rank, turn, created_at, next_attempt_at FROM tasks \
                   WHERE id = $1 AND status = 'created'";
        let Some(row) = self.database.fetch_optional(sql, values![id]).await? else { return Ok(None) };
        if row.optional_time("next_attempt_at")?.is_some() {
            // It is tried again as soon as it is due, before those that wait for their first turn.
            return Ok(Some(0));
        }
        let (kind, rank, turn) = (row.text("kind")?, row.int("rank")?, row.int("turn")?);
        let sql = "SELECT count(*) AS ahead FROM (SELECT 1 FROM tasks WHERE status = 'created' \
                   AND next_attempt_at IS NULL AND kind = $1 \
                   AND (rank, turn, created_at, id) < ($2, $3, $4, $5) LIMIT $6) AS nearer";
        let values = values![&kind, rank, turn, row.time("created_at")?, id, EXACT_AHEAD + 1];
        let near: u64 = match self.database.fetch_optional(sql, values).await? {
            Some(row) => row.unsigned("ahead")?,
            None => 0,
        };
        if near <= u64::from(EXACT_AHEAD) {
            return Ok(Some(near));
        }
        self.far_ahead(&kind, rank, turn).await.map(Some)
    }

    /// Beyond what is counted, turns tell how far back it is: owners take them at the same pace.
    async fn far_ahead(&self, kind: &str, rank: i64, turn: i64) -> Result<u64> {
        let sql = "SELECT (SELECT turn FROM tasks WHERE status = 'created' AND next_attempt_at IS NULL AND kind = $1 \
                       AND rank = $2 ORDER BY turn LIMIT 1) AS head, \
                   (SELECT turn FROM tasks WHERE status = 'created' AND next_attempt_at IS NULL AND kind = $1 \
                       AND rank = $2 ORDER BY turn DESC LIMIT 1) AS tail";
        let Some(row) = self.database.fetch_optional(sql, values![kind, rank]).await? else { return Ok(0) };
        let (Some(head), Some(tail)) = (row.optional_int("head")?, row.optional_int("tail")?) else {
            return Ok(u64::from(EXACT_AHEAD));
        };
        let queued = self.queued_about().await?;
        let part = (turn - head) as f64 / (tail - head).max(1) as f64;
        Ok(((queued as f64 * part.clamp(0.0, 1.0)) as u64).max(u64::from(EXACT_AHEAD)))
    }

    /// How many tasks wait, roughly: PostgreSQL keeps statistics; SQLite counts quickly.
    async fn queued_about(&self) -> Result<u64> {
        let sql = Sql::each(
            "SELECT count(*) AS queued FROM tasks WHERE status = 'created' AND next_attempt_at IS NULL",
            "SELECT greatest(reltuples, 0)::bigint AS queued FROM pg_class WHERE oid = 'tasks_ready'::regclass",
        );
        self.database.fetch_optional(sql, values![]).await?.map_or(Ok(0), |row| row.unsigned("queued"))
    }
}

/// The first tasks that wait: those that are due again, then by turn.
async fn first_waiting(from: &mut Transaction, claim: &Claim) -> Result<Vec<Task>> {
    let due = select_tasks!(
        "WHERE t.status = 'created' AND t.next_attempt_at <= $1 AND t.kind = $2 ORDER BY t.next_attempt_at LIMIT $3",
        "WHERE t.status = 'created' AND t.next_attempt_at <= $1 AND t.kind = $2 ORDER BY t.next_attempt_at LIMIT $3 \
         FOR UPDATE OF t SKIP LOCKED"
    );
    let ready = select_tasks!(
        "WHERE t.status = 'created' AND t.next_attempt_at IS NULL AND t.kind = $1 \
         ORDER BY t.rank, t.turn, t.created_at, t.id LIMIT $2",
        "WHERE t.status = 'created' AND t.next_attempt_at IS NULL AND t.kind = $1 \
         ORDER BY t.rank, t.turn, t.created_at, t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED"
    );
    let mut found = Vec::new();
    for kind in &claim.kinds {
        let left = left(claim, &found);
        found.extend(tasks(&from.fetch_all(due, values![claim.now, kind, left]).await?)?);
    }
    for kind in &claim.kinds {
        let left = left(claim, &found);
        if left > 0 {
            found.extend(tasks(&from.fetch_all(ready, values![kind, left]).await?)?);
        }
    }
    Ok(found)
}

/// The first tasks that wait and whose owners have fewer than `most` in work.
async fn first_allowed(from: &mut Transaction, claim: &Claim, most: u32) -> Result<Vec<Task>> {
    if from.dialect() == Dialect::Postgres {
        // Two claims that count at the same time would each give an owner his last place.
        from.execute("SELECT pg_advisory_xact_lock($1)", values![CLAIM_LOCK]).await?;
    }
    let mut places = Places::of(from, most).await?;
    let mut chosen = Vec::new();
    for kind in &claim.kinds {
        let due = "SELECT id, owner_key FROM tasks WHERE status = 'created' AND next_attempt_at <= $1 AND kind = $2 \
                   ORDER BY next_attempt_at LIMIT $3";
        let window = from.fetch_all(due, values![claim.now, kind, WINDOW]).await?;
        places.choose(&window, claim.limit, &mut chosen)?;
    }
    for kind in &claim.kinds {
        let ready = "SELECT id, owner_key FROM tasks WHERE status = 'created' AND next_attempt_at IS NULL \
                     AND kind = $1 ORDER BY rank, turn, created_at, id LIMIT $2";
        let window = from.fetch_all(ready, values![kind, WINDOW]).await?;
        places.choose(&window, claim.limit, &mut chosen)?;
        if window.len() == WINDOW as usize && chosen.len() < claim.limit as usize {
            let others = heads_of_others(from, kind, &places).await?;
            places.choose(&others, claim.limit, &mut chosen)?;
        }
    }
    let mut found = Vec::with_capacity(chosen.len());
    for id in chosen {
        let sql = select_tasks!(
            "WHERE t.id = $1 AND t.status = 'created'",
            "WHERE t.id = $1 AND t.status = 'created' FOR UPDATE OF t SKIP LOCKED"
        );
        found.extend(tasks(&from.fetch_all(sql, values![id]).await?)?);
    }
    Ok(found)
}

/// The first task of each owner who may have another one, when those at the head of the queue may not. It walks
/// from owner to owner along an index, whatever number of tasks they have.
async fn heads_of_others(from: &mut Transaction, kind: &str, places: &Places) -> Result<Vec<Row>> {
    macro_rules! heads {
        ($not_full:literal) => {
            concat!(
                "WITH RECURSIVE owners (k) AS (\
                 SELECT min(owner_key) FROM tasks WHERE status = 'created' AND next_attempt_at IS NULL \
                 UNION ALL SELECT (SELECT min(n.owner_key) FROM tasks n WHERE n.status = 'created' \
                     AND n.next_attempt_at IS NULL AND n.owner_key > owners.k) FROM owners WHERE owners.k IS NOT NULL\
                 ) SELECT t.id, t.owner_key FROM owners JOIN tasks t ON t.id = (\
                 SELECT h.id FROM tasks h WHERE h.status = 'created' AND h.next_attempt_at IS NULL \
                     AND h.owner_key = owners.k AND h.kind = $1 ORDER BY h.rank, h.turn LIMIT 1) \
                 WHERE owners.k IS NOT NULL AND owners.k NOT IN (",
                $not_full,
                ") ORDER BY t.rank, t.turn, t.created_at, t.id LIMIT $3"
            )
        };
    }
    let sql =
        Sql::each(heads!("SELECT value FROM json_each($2)"), heads!("SELECT jsonb_array_elements_text($2)"));
    from.fetch_all(sql, values![kind, Value::json(&places.full())?, WINDOW]).await
}

/// How many tasks each owner has in work, and how many are allowed.
struct Places {
    most: u32,
    taken: HashMap<String, u32>,
}

/// The owner of local mode has no limit: it is his machine.
const UNLIMITED: &str = "local:local";

impl Places {
    async fn of(from: &mut Transaction, most: u32) -> Result<Self> {
        let sql =
            "SELECT owner_key, count(*) AS held FROM tasks WHERE status = 'processing' GROUP BY owner_key";
        let rows = from.fetch_all(sql, values![]).await?;
        let taken = rows.iter().map(|row| Ok((row.text("owner_key")?, row.unsigned("held")?)));
        Ok(Self { most, taken: taken.collect::<Result<_>>()? })
    }

    /// Owners who may have no more.
    fn full(&self) -> Vec<&str> {
        let full =
            self.taken.iter().filter(|(owner, held)| owner.as_str() != UNLIMITED && **held >= self.most);
        full.map(|(owner, _)| owner.as_str()).collect()
    }

    /// Takes those of the candidates whose owners may have another, until there are `limit`.
    fn choose(&mut self, candidates: &[Row], limit: u32, chosen: &mut Vec<TaskId>) -> Result<()> {
        for row in candidates {
            if chosen.len() >= limit as usize {
                break;
            }
            let id = row.task_id("id")?;
            let owner = row.text("owner_key")?;
            let unlimited = owner == UNLIMITED;
            let taken = self.taken.entry(owner).or_default();
            if (unlimited || *taken < self.most) && !chosen.contains(&id) {
                *taken += 1;
                chosen.push(id);
            }
        }
        Ok(())
    }
}

fn left(claim: &Claim, found: &[Task]) -> u32 {
    claim.limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX))
}

fn tasks(rows: &[Row]) -> Result<Vec<Task>> {
    rows.iter().map(rows::task).collect()
}
