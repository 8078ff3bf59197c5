//! Tasks and their events.

use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use uuid::Uuid;

use super::{
    Dialect, Row, SqlStore, Transaction, blobs, idempotency, is_duplicate, outbox, queue, retried,
    task_rows::{self as rows, INSERT, UPDATE, select_tasks, task_values},
    values,
};
use crate::{
    Error, Result,
    clock::Time,
    store::{Applied, Claim, Counts, FinishedCall, Message, Removed, Tasks},
    task::{
        EventKind, Owner, Task, TaskEvent, TaskFile, TaskId, TaskStatus,
        lifecycle::{self, Event, Outcome},
    },
};

#[async_trait]
impl Tasks for SqlStore {
    async fn insert(&self, task: &Task, call: Option<&FinishedCall>, messages: &[Message]) -> Result<()> {
        retried(|| self.try_insert(task, call, messages)).await
    }

    async fn task(&self, id: TaskId) -> Result<Option<Task>> {
        let row = self.database.fetch_optional(select_tasks!("WHERE t.id = $1"), values![id]).await?;
        row.as_ref().map(rows::task).transpose()
    }

    async fn apply(&self, id: TaskId, event: &Event, now: Time, messages: &[Message]) -> Result<Applied> {
        retried(|| self.try_apply(id, event, now, messages)).await
    }

    async fn remove(&self, id: TaskId, finished: Option<Time>, now: Time) -> Result<Option<Removed>> {
        retried(|| self.try_remove(id, finished, now)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>> {
        self.claim_tasks(claim).await
    }

    async fn renew(&self, id: TaskId, attempt: u32, until: Time) -> Result<bool> {
        let sql =
            "UPDATE tasks SET lease_until = $3 WHERE id = $1 AND attempt = $2 AND status = 'processing'";
        Ok(self.database.execute(sql, values![id, attempt, until]).await? == 1)
    }

    async fn expired(&self, now: Time) -> Result<Vec<Task>> {
        let sql =
            select_tasks!("WHERE t.status = 'processing' AND t.lease_until <= $1 ORDER BY t.lease_until");
        tasks(&self.database.fetch_all(sql, values![now]).await?)
    }

    async fn held_by(&self, node: &str) -> Result<Vec<Task>> {
        let sql =
            select_tasks!("WHERE t.status = 'processing' AND t.lease_owner = $1 ORDER BY t.created_at, t.id");
        tasks(&self.database.fetch_all(sql, values![node]).await?)
    }

    async fn next_due(&self, now: Time) -> Result<Option<Time>> {
        let row = self
            .database
            .fetch_optional(
                "SELECT min(due) AS due FROM (\
                 SELECT min(next_attempt_at) AS due FROM tasks WHERE status = 'created' AND next_attempt_at > $1 \
                 UNION ALL SELECT min(lease_until) FROM tasks WHERE status = 'processing' AND lease_until > $1\
                 ) AS waits",
                values![now],
            )
            .await?;
        row.map_or(Ok(None), |row| row.optional_time("due"))
    }

    async fn list(&self, owner: &Owner, before: Option<(Time, TaskId)>, limit: u32) -> Result<Vec<Task>> {
        let sql = select_tasks!(
            "WHERE t.owner_type = $1 AND t.owner_id = $2 AND (t.created_at, t.id) < ($3, $4) \
             ORDER BY t.created_at DESC, t.id DESC LIMIT $5"
        );
        let (at, id) = before.unwrap_or((end_of_time(), TaskId(Uuid::max())));
        let values = values![owner.kind.as_str(), &owner.id, at, id, limit];
        tasks(&self.database.fetch_all(sql, values).await?)
    }

    async fn events(&self, id: TaskId, after: u64, limit: u32) -> Result<Vec<TaskEvent>> {
        let sql = "SELECT id, at, body FROM task_events WHERE task_id = $1 AND id > $2 ORDER BY id LIMIT $3";
        let rows = self.database.fetch_all(sql, values![id, after, limit]).await?;
        rows.iter().map(rows::event).collect()
    }

    async fn old_files(&self, id: TaskId, revision: u32) -> Result<Vec<TaskFile>> {
        let sql = "SELECT file_index, key, name, size, sha256, mime, blob FROM task_old_files \
                   WHERE task_id = $1 AND revision = $2 ORDER BY file_index";
        let rows = self.database.fetch_all(sql, values![id, revision]).await?;
        rows.iter().map(rows::old_file).collect()
    }

    async fn counts(&self) -> Result<Counts> {
        let sql = "SELECT (SELECT count(*) FROM tasks WHERE status = 'created') AS queued, \
                   (SELECT count(*) FROM tasks WHERE status = 'processing') AS processing";
        let Some(row) = self.database.fetch_optional(sql, values![]).await? else {
            return Ok(Counts::default());
        };
        Ok(Counts { queued: row.unsigned("queued")?, processing: row.unsigned("processing")? })
    }

    async fn ahead_of(&self, id: TaskId) -> Result<Option<u64>> {
        self.tasks_ahead(id).await
    }

    async fn dead_letters(&self, before: Option<(Time, TaskId)>, limit: u32) -> Result<Vec<Task>> {
        let sql = select_tasks!(
            "WHERE t.dead_letter = 1 AND (t.finished_at, t.id) < ($1, $2) \
             ORDER BY t.finished_at DESC, t.id DESC LIMIT $3",
            "WHERE t.dead_letter AND (t.finished_at, t.id) < ($1, $2) \
             ORDER BY t.finished_at DESC, t.id DESC LIMIT $3"
        );
        let (at, id) = before.unwrap_or((end_of_time(), TaskId(Uuid::max())));
        tasks(&self.database.fetch_all(sql, values![at, id, limit]).await?)
    }

    async fn recent_durations(&self, limit: u32) -> Result<Vec<Duration>> {
        let sql = "SELECT started_at, finished_at FROM tasks \
                   WHERE status = 'done' AND started_at IS NOT NULL ORDER BY finished_at DESC LIMIT $1";
        let rows = self.database.fetch_all(sql, values![limit]).await?;
        rows.iter()
            .map(|row| Ok((row.time("finished_at")? - row.time("started_at")?).to_std().unwrap_or_default()))
            .collect()
    }
}

impl SqlStore {
    async fn try_insert(&self, task: &Task, call: Option<&FinishedCall>, messages: &[Message]) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        if let Err(error) = transaction.execute(INSERT, task_values(task)?).await {
            return Err(if is_duplicate(&error) {
                Error::internal(format!("there is a task {} already", task.id))
            } else {
                error
            });
        }
        queue::give_turn(&mut transaction, task).await?;
        hold_input(&mut transaction, task).await?;
        let kind = EventKind::Queued { position: None, next_attempt_at: None };
        let event = TaskEvent { id: task.version, at: task.created_at, kind };
        rows::insert_event(&mut transaction, task.id, &event).await?;
        if let Some(call) = call {
            idempotency::finish(&mut transaction, call, task).await?;
        }
        outbox::insert(&mut transaction, messages, task.created_at).await?;
        transaction.commit().await
    }

    async fn try_apply(&self, id: TaskId, event: &Event, now: Time, messages: &[Message]) -> Result<Applied> {
        let mut transaction = self.database.begin().await?;
        let Some(task) = load_to_change(&mut transaction, id).await? else { return Ok(Applied::Missing) };
        let mut outcome = match lifecycle::apply(&task, event, now) {
            Ok(outcome) => outcome,
            Err(refused) => return Ok(Applied::Refused(refused)),
        };
        outcome.released = save(&mut transaction, &task, &outcome, now).await?;
        outbox::insert(&mut transaction, messages, now).await?;
        transaction.commit().await?;
        Ok(Applied::Done(Box::new(outcome)))
    }

    async fn try_remove(&self, id: TaskId, finished: Option<Time>, now: Time) -> Result<Option<Removed>> {
        let mut transaction = self.database.begin().await?;
        let Some(task) = load_to_change(&mut transaction, id).await? else { return Ok(None) };
        if finished.is_some_and(|before| task.finished_at.is_none_or(|at| at > before)) {
            return Ok(None);
        }
        let old =
            transaction.fetch_all("SELECT blob FROM task_old_files WHERE task_id = $1", values![id]).await?;
        let old: Vec<String> = old.iter().map(|row| row.text("blob")).collect::<Result<_>>()?;
        // Files and events go with it.
        transaction.execute("DELETE FROM tasks WHERE id = $1", values![id]).await?;
        let held = task.files.iter().map(|file| &file.blob).chain([&task.input.blob]).chain(&old);
        let released = blobs::release(&mut transaction, held.map(String::as_str), now).await?;
        transaction.commit().await?;
        Ok(Some(Removed { task, released }))
    }
}

fn tasks(rows: &[Row]) -> Result<Vec<Task>> {
    rows.iter().map(rows::task).collect()
}

/// Later than any task, and a moment that both databases can hold.
fn end_of_time() -> Time {
    const YEAR_9999: i64 = 253_370_764_800;
    DateTime::from_timestamp(YEAR_9999, 0).unwrap_or_default()
}

/// A task that nobody else changes until the transaction ends.
async fn load_to_change(from: &mut Transaction, id: TaskId) -> Result<Option<Task>> {
    if from.dialect() == Dialect::Postgres {
        // First the lock, then a look with a fresh snapshot: a statement that waits for the lock would see the
        // new row with the files from before.
        from.fetch_optional("SELECT id FROM tasks WHERE id = $1 FOR UPDATE", values![id]).await?;
    }
    let row = from.fetch_optional(select_tasks!("WHERE t.id = $1"), values![id]).await?;
    row.as_ref().map(rows::task).transpose()
}

/// Notes that the task refers to its input: a file that was put for it, or one that something else refers to.
async fn hold_input(to: &mut Transaction, task: &Task) -> Result<()> {
    let blob = &task.input.blob;
    if *blob == task.own_input() {
        return blobs::keep(to, blob).await;
    }
    if blobs::share(to, blob).await? { Ok(()) } else { Err(blobs::gone(blob)) }
}

/// Writes what has changed, with the events that tell of it; blobs that nothing refers to now.
pub(super) async fn save(
    to: &mut Transaction,
    before: &Task,
    outcome: &Outcome,
    now: Time,
) -> Result<Vec<String>> {
    let after = &outcome.task;
    to.execute(UPDATE, task_values(after)?).await?;
    if after.status == TaskStatus::Created && before.status != TaskStatus::Created {
        queue::give_turn_again(to, after).await?;
    }
    if let Some(old) = &outcome.archived {
        rows::insert_old_files(to, after.id, old).await?;
    }
    if before.files != after.files {
        to.execute("DELETE FROM task_files WHERE task_id = $1", values![after.id]).await?;
        for file in &after.files {
            rows::insert_file(to, after.id, file).await?;
        }
    }
    let released = move_references(to, before, outcome, now).await?;
    if after.status.is_terminal() {
        // Nobody resumes in the middle of a finished task, and these are most of its events.
        to.execute("DELETE FROM task_events WHERE task_id = $1 AND kind = 'progress'", values![after.id])
            .await?;
    }
    for (id, kind) in (before.version + 1..).zip(&outcome.events) {
        let event = TaskEvent { id, at: now, kind: kind.clone() };
        rows::insert_event(to, after.id, &event).await?;
    }
    Ok(released)
}

/// References of files that came and went; blobs that nothing refers to now.
async fn move_references(
    to: &mut Transaction,
    before: &Task,
    outcome: &Outcome,
    now: Time,
) -> Result<Vec<String>> {
    let blobs_of = |files: &[TaskFile]| -> std::collections::BTreeSet<String> {
        files.iter().map(|file| file.blob.clone()).collect()
    };
    let old = blobs_of(&before.files);
    let mut new = blobs_of(&outcome.task.files);
    // Those of an older revision are referred to as before, from another table.
    new.extend(outcome.archived.iter().flat_map(|old| blobs_of(&old.files)));
    for blob in new.difference(&old) {
        blobs::keep(to, blob).await?;
    }
    blobs::release(to, old.difference(&new).map(String::as_str), now).await
}
