//! Tasks and their events in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};

use super::{
    SqliteStore, calls, failed, outbox,
    rows::{self, INSERT, Reader, UPDATE, bind_task, int, micros, select_tasks},
};
use crate::{
    Error, Result,
    clock::Time,
    store::{Applied, Claim, Counts, FinishedCall, Message, Tasks},
    task::{
        EventKind, Owner, Task, TaskEvent, TaskId,
        lifecycle::{self, Event, Outcome},
    },
};

#[async_trait]
impl Tasks for SqliteStore {
    async fn insert(&self, task: &Task, call: Option<&FinishedCall>, messages: &[Message]) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let insert = bind_task(sqlx::query(INSERT), task)?.execute(&mut *transaction).await;
        insert.map_err(|error| match &error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => {
                Error::internal(format!("there is a task {} already", task.id))
            }
            _ => failed(error),
        })?;
        let kind = EventKind::Queued { position: None, next_attempt_at: None };
        let event = TaskEvent { id: task.version, at: task.created_at, kind };
        rows::insert_event(&mut transaction, task.id, &event).await?;
        if let Some(call) = call {
            calls::finish(&mut transaction, call, task).await?;
        }
        outbox::insert(&mut transaction, messages, task.created_at).await?;
        transaction.commit().await.map_err(failed)
    }

    async fn task(&self, id: TaskId) -> Result<Option<Task>> {
        let mut reader = self.readers.acquire().await.map_err(failed)?;
        load(&mut reader, id).await
    }

    async fn apply(&self, id: TaskId, event: &Event, now: Time, messages: &[Message]) -> Result<Applied> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let Some(task) = load(&mut transaction, id).await? else { return Ok(Applied::Missing) };
        let outcome = match lifecycle::apply(&task, event, now) {
            Ok(outcome) => outcome,
            Err(refused) => return Ok(Applied::Refused(refused)),
        };
        save(&mut transaction, &task, &outcome, now).await?;
        outbox::insert(&mut transaction, messages, now).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Applied::Done(Box::new(outcome)))
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let waiting = sqlx::query(select_tasks!(
            "WHERE t.status = 'created' AND (t.next_attempt_at IS NULL OR t.next_attempt_at <= ?1) \
             AND t.kind IN (SELECT value FROM json_each(?2)) ORDER BY t.created_at, t.id LIMIT ?3"
        ))
        .bind(micros(claim.now))
        .bind(rows::json(&claim.kinds)?)
        .bind(i64::from(claim.limit))
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
        let mut claimed = Vec::with_capacity(waiting.len());
        for row in &waiting {
            let task = rows::task(row)?;
            let event = Event::Claim { node: claim.node.clone(), lease_until: claim.lease_until };
            let outcome = lifecycle::apply(&task, &event, claim.now)
                .map_err(|refused| Error::internal(format!("claiming task {}: {refused}", task.id)))?;
            save(&mut transaction, &task, &outcome, claim.now).await?;
            claimed.push(outcome.task);
        }
        transaction.commit().await.map_err(failed)?;
        Ok(claimed)
    }

    async fn renew(&self, id: TaskId, attempt: u32, until: Time) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE tasks SET lease_until = ?3 WHERE id = ?1 AND attempt = ?2 AND status = 'processing'",
        )
        .bind(id.to_string())
        .bind(i64::from(attempt))
        .bind(micros(until))
        .execute(&self.writer)
        .await
        .map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }

    async fn expired(&self, now: Time) -> Result<Vec<Task>> {
        let rows = sqlx::query(select_tasks!(
            "WHERE t.status = 'processing' AND t.lease_until <= ?1 ORDER BY t.lease_until"
        ))
        .bind(micros(now))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(rows::task).collect()
    }

    async fn held_by(&self, node: &str) -> Result<Vec<Task>> {
        let rows = sqlx::query(select_tasks!(
            "WHERE t.status = 'processing' AND t.lease_owner = ?1 ORDER BY t.created_at, t.id"
        ))
        .bind(node.to_owned())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(rows::task).collect()
    }

    async fn next_due(&self, now: Time) -> Result<Option<Time>> {
        let row = sqlx::query(
            "SELECT min(due) AS due FROM (\
             SELECT min(next_attempt_at) AS due FROM tasks WHERE status = 'created' AND next_attempt_at > ?1 \
             UNION ALL SELECT min(lease_until) FROM tasks WHERE status = 'processing' AND lease_until > ?1)",
        )
        .bind(micros(now))
        .fetch_one(&self.readers)
        .await
        .map_err(failed)?;
        Reader(&row).optional_time("due")
    }

    async fn list(&self, owner: &Owner, before: Option<(Time, TaskId)>, limit: u32) -> Result<Vec<Task>> {
        let (at, id) = match before {
            Some((at, id)) => (micros(at), id.to_string()),
            None => (i64::MAX, String::new()),
        };
        let rows = sqlx::query(select_tasks!(
            "WHERE t.owner_type = ?1 AND t.owner_id = ?2 AND (t.created_at, t.id) < (?3, ?4) \
             ORDER BY t.created_at DESC, t.id DESC LIMIT ?5"
        ))
        .bind(owner.kind.as_str())
        .bind(owner.id.clone())
        .bind(at)
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(rows::task).collect()
    }

    async fn events(&self, id: TaskId, after: u64, limit: u32) -> Result<Vec<TaskEvent>> {
        let rows = sqlx::query(
            "SELECT id, at, body FROM task_events WHERE task_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        )
        .bind(id.to_string())
        .bind(int(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(rows::event).collect()
    }

    async fn counts(&self) -> Result<Counts> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM tasks WHERE status = 'created') AS queued, \
             (SELECT count(*) FROM tasks WHERE status = 'processing') AS processing",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(failed)?;
        let row = Reader(&row);
        Ok(Counts { queued: row.unsigned("queued")?, processing: row.unsigned("processing")? })
    }

    async fn ahead_of(&self, id: TaskId) -> Result<Option<u64>> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM tasks o WHERE o.status = 'created' \
             AND (o.created_at, o.id) < (t.created_at, t.id)) AS ahead \
             FROM tasks t WHERE t.id = ?1 AND t.status = 'created'",
        )
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(|row| Reader(&row).unsigned("ahead")).transpose()
    }

    async fn recent_durations(&self, limit: u32) -> Result<Vec<Duration>> {
        let rows = sqlx::query(
            "SELECT finished_at - started_at AS took FROM tasks \
             WHERE status = 'done' AND started_at IS NOT NULL ORDER BY finished_at DESC LIMIT ?1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let took: i64 = row.try_get("took").map_err(failed)?;
                Ok(Duration::from_micros(u64::try_from(took).unwrap_or(0)))
            })
            .collect()
    }
}

async fn load(from: &mut SqliteConnection, id: TaskId) -> Result<Option<Task>> {
    let row = sqlx::query(select_tasks!("WHERE t.id = ?1"))
        .bind(id.to_string())
        .fetch_optional(from)
        .await
        .map_err(failed)?;
    row.as_ref().map(rows::task).transpose()
}

/// Writes what has changed, with the events that tell of it.
async fn save(to: &mut SqliteConnection, before: &Task, outcome: &Outcome, now: Time) -> Result<()> {
    let after = &outcome.task;
    bind_task(sqlx::query(UPDATE), after)?.execute(&mut *to).await.map_err(failed)?;
    if before.files != after.files {
        sqlx::query("DELETE FROM task_files WHERE task_id = ?1")
            .bind(after.id.to_string())
            .execute(&mut *to)
            .await
            .map_err(failed)?;
        for file in &after.files {
            rows::insert_file(to, after.id, file).await?;
        }
    }
    if after.status.is_terminal() {
        // Nobody resumes in the middle of a finished task, and these are most of its events.
        sqlx::query("DELETE FROM task_events WHERE task_id = ?1 AND kind = 'progress'")
            .bind(after.id.to_string())
            .execute(&mut *to)
            .await
            .map_err(failed)?;
    }
    for (id, kind) in (before.version + 1..).zip(&outcome.events) {
        let event = TaskEvent { id, at: now, kind: kind.clone() };
        rows::insert_event(to, after.id, &event).await?;
    }
    Ok(())
}
