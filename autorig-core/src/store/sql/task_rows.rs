//! Tasks, their files and their events: rows to values and back.

use super::{Row, Transaction, Value, queue, values};
use crate::{
    Result,
    task::{InputFile, Owner, Stage, Task, TaskEvent, TaskFile, TaskId, TaskStatus, lifecycle::OldFiles},
};

/// The columns of a task that are read, named so that a later column does not change a prepared statement.
macro_rules! task_columns {
    () => {
        "t.id, t.kind, t.params, t.owner_type, t.owner_id, t.visibility, t.input_blob, t.input_name, \
         t.input_size, t.input_sha256, t.status, t.stage, t.progress, t.attempt, t.failures, t.total_count, \
         t.error, t.revision, t.version, t.lease_owner, t.lease_until, t.next_attempt_at, t.created_at, \
         t.started_at, t.finished_at, t.stage_started_at, t.timings, t.rank, t.title, "
    };
}
pub(super) use task_columns;

/// Selects tasks `t` with their files as JSON: one statement, so both are of one moment.
macro_rules! select_tasks {
    ($tail:literal) => {
        $crate::store::sql::task_rows::select_tasks!($tail, $tail)
    };
    ($sqlite:literal, $postgres:literal) => {
        $crate::store::sql::Sql::each(
            concat!(
                "SELECT ",
                $crate::store::sql::task_rows::task_columns!(),
                "(SELECT json_group_array(json_object('index', f.file_index, 'key', f.key, ",
                "'name', f.name, 'size', f.size, 'sha256', f.sha256, 'mime', f.mime, 'blob', f.blob)) ",
                "FROM (SELECT * FROM task_files WHERE task_id = t.id ORDER BY file_index) f) AS files ",
                "FROM tasks t ",
                $sqlite
            ),
            concat!(
                "SELECT ",
                $crate::store::sql::task_rows::task_columns!(),
                "(SELECT coalesce(jsonb_agg(jsonb_build_object('index', f.file_index, 'key', f.key, ",
                "'name', f.name, 'size', f.size, 'sha256', f.sha256, 'mime', f.mime, 'blob', f.blob) ",
                "ORDER BY f.file_index), '[]') FROM task_files f WHERE f.task_id = t.id) AS files ",
                "FROM tasks t ",
                $postgres
            ),
        )
    };
}
pub(super) use select_tasks;

pub(super) fn task(row: &Row) -> Result<Task> {
    let status: TaskStatus = row.parsed("status")?;
    // One column: a task has failed for good, or its last attempt has, or neither.
    let error = row.optional_json("error")?;
    let (error, last_failure) = if status == TaskStatus::Error { (error, None) } else { (None, error) };
    Ok(Task {
        id: row.task_id("id")?,
        kind: row.text("kind")?,
        params: row.json("params")?,
        owner: Owner { kind: row.parsed("owner_type")?, id: row.text("owner_id")? },
        priority: i32::try_from(-row.int("rank")?).unwrap_or_default(),
        visibility: row.parsed("visibility")?,
        title: row.optional_text("title")?,
        input: InputFile {
            blob: row.text("input_blob")?,
            name: row.text("input_name")?,
            size: row.unsigned("input_size")?,
            sha256: row.text("input_sha256")?,
        },
        status,
        stage: row.optional_parsed("stage")?,
        progress: row.unsigned("progress")?,
        attempt: row.unsigned("attempt")?,
        failures: row.unsigned("failures")?,
        files: row.json::<Vec<TaskFile>>("files")?,
        total_count: row.unsigned("total_count")?,
        error,
        last_failure,
        revision: row.unsigned("revision")?,
        version: row.unsigned("version")?,
        lease_owner: row.optional_text("lease_owner")?,
        lease_until: row.optional_time("lease_until")?,
        next_attempt_at: row.optional_time("next_attempt_at")?,
        created_at: row.time("created_at")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
        timings: row.json("timings")?,
        stage_started_at: row.optional_time("stage_started_at")?,
    })
}

pub(super) fn event(row: &Row) -> Result<TaskEvent> {
    Ok(TaskEvent { id: row.unsigned("id")?, at: row.time("at")?, kind: row.json("body")? })
}

/// Every column, in the order of [`INSERT`] and [`UPDATE`].
pub(super) fn task_values(task: &Task) -> Result<Vec<Value>> {
    Ok(values![
        task.id,
        &task.kind,
        Value::json(&task.params)?,
        task.owner.kind.as_str(),
        &task.owner.id,
        task.visibility.as_str(),
        &task.input.blob,
        &task.input.name,
        task.input.size,
        &task.input.sha256,
        task.status.as_str(),
        task.stage.map(Stage::as_str),
        task.progress,
        task.attempt,
        task.failures,
        task.total_count,
        Value::optional_json(task.error.as_ref().or(task.last_failure.as_ref()))?,
        task.revision,
        task.version,
        task.lease_owner.as_deref(),
        task.lease_until,
        task.next_attempt_at,
        task.created_at,
        task.started_at,
        task.finished_at,
        task.stage_started_at,
        Value::json(&task.timings)?,
        queue::rank(task),
        task.is_dead_letter(),
        task.title.as_deref(),
    ])
}

/// A new task. The order of the columns is that of [`task_values`].
pub(super) const INSERT: &str = "INSERT INTO tasks (id, kind, params, owner_type, owner_id, visibility, \
    input_blob, input_name, input_size, input_sha256, status, stage, progress, attempt, failures, total_count, \
    error, revision, version, lease_owner, lease_until, next_attempt_at, created_at, started_at, finished_at, \
    stage_started_at, timings, rank, dead_letter, title) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
    $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)";

/// A changed task. What never changes is written again, so that [`task_values`] serves both.
pub(super) const UPDATE: &str = "UPDATE tasks SET kind = $2, params = $3, owner_type = $4, owner_id = $5, \
    visibility = $6, input_blob = $7, input_name = $8, input_size = $9, input_sha256 = $10, status = $11, \
    stage = $12, progress = $13, attempt = $14, failures = $15, total_count = $16, error = $17, revision = $18, \
    version = $19, lease_owner = $20, lease_until = $21, next_attempt_at = $22, created_at = $23, \
    started_at = $24, finished_at = $25, stage_started_at = $26, timings = $27, \
    rank = $28, dead_letter = $29, title = $30 WHERE id = $1";

pub(super) async fn insert_file(to: &mut Transaction, id: TaskId, file: &TaskFile) -> Result<()> {
    to.execute(
        "INSERT INTO task_files (task_id, file_index, key, name, size, sha256, mime, blob) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        values![id, file.index, &file.key, &file.name, file.size, &file.sha256, &file.mime, &file.blob],
    )
    .await?;
    Ok(())
}

/// Keeps the files of a result that a correction replaces.
pub(super) async fn insert_old_files(to: &mut Transaction, id: TaskId, old: &OldFiles) -> Result<()> {
    for file in &old.files {
        to.execute(
            "INSERT INTO task_old_files (task_id, revision, file_index, key, name, size, sha256, mime, blob) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            values![
                id,
                old.revision,
                file.index,
                &file.key,
                &file.name,
                file.size,
                &file.sha256,
                &file.mime,
                &file.blob
            ],
        )
        .await?;
    }
    Ok(())
}

pub(super) fn old_file(row: &Row) -> Result<TaskFile> {
    Ok(TaskFile {
        index: row.unsigned("file_index")?,
        key: row.text("key")?,
        name: row.text("name")?,
        size: row.unsigned("size")?,
        sha256: row.text("sha256")?,
        mime: row.text("mime")?,
        blob: row.text("blob")?,
    })
}

pub(super) async fn insert_event(to: &mut Transaction, id: TaskId, event: &TaskEvent) -> Result<()> {
    to.execute(
        "INSERT INTO task_events (task_id, id, at, kind, body) VALUES ($1, $2, $3, $4, $5)",
        values![id, event.id, event.at, event.kind.name(), Value::json(&event.kind)?],
    )
    .await?;
    Ok(())
}
