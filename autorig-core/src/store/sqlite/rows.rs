//! Rows to values and back.

use chrono::DateTime;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments, sqlite::SqliteRow};

use super::failed;
use crate::{
    Error, Result,
    clock::Time,
    task::{InputFile, Owner, Task, TaskEvent, TaskFile, TaskId, TaskStatus},
};

/// Selects tasks `t` with their files as JSON: one statement, so both are of one moment.
macro_rules! select_tasks {
    ($tail:literal) => {
        concat!(
            "SELECT t.*, (SELECT json_group_array(json_object('index', f.file_index, 'key', f.key, ",
            "'name', f.name, 'size', f.size, 'sha256', f.sha256, 'mime', f.mime, 'blob', f.blob)) ",
            "FROM (SELECT * FROM task_files WHERE task_id = t.id ORDER BY file_index) f) AS files ",
            "FROM tasks t ",
            $tail
        )
    };
}
pub(super) use select_tasks;

pub(super) type Statement = Query<'static, Sqlite, SqliteArguments>;

pub(super) fn micros(time: Time) -> i64 {
    time.timestamp_micros()
}

/// SQLite's integers are signed; sizes and counters stay far below.
pub(super) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal(format!("writing to the store: {error}")))
}

pub(super) fn task(row: &SqliteRow) -> Result<Task> {
    let row = Reader(row);
    let status: TaskStatus = row.parsed("status")?;
    // One column: a task has failed for good, or its last attempt has, or neither.
    let error = row.optional_json("error")?;
    let (error, last_failure) = if status == TaskStatus::Error { (error, None) } else { (None, error) };
    Ok(Task {
        id: row.id("id")?,
        kind: row.get("kind")?,
        params: row.json("params")?,
        owner: Owner { kind: row.parsed("owner_type")?, id: row.get("owner_id")? },
        visibility: row.parsed("visibility")?,
        input: InputFile {
            blob: row.get("input_blob")?,
            name: row.get("input_name")?,
            size: row.unsigned("input_size")?,
            sha256: row.get("input_sha256")?,
        },
        status,
        stage: row.get::<Option<String>>("stage")?.map(|stage| stage.parse()).transpose()?,
        progress: row.unsigned("progress")?,
        attempt: row.unsigned("attempt")?,
        failures: row.unsigned("failures")?,
        files: row.json::<Vec<TaskFile>>("files")?,
        total_count: row.unsigned("total_count")?,
        error,
        last_failure,
        revision: row.unsigned("revision")?,
        version: row.unsigned("version")?,
        lease_owner: row.get("lease_owner")?,
        lease_until: row.optional_time("lease_until")?,
        next_attempt_at: row.optional_time("next_attempt_at")?,
        created_at: row.time("created_at")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
        timings: row.json("timings")?,
        stage_started_at: row.optional_time("stage_started_at")?,
    })
}

pub(super) fn event(row: &SqliteRow) -> Result<TaskEvent> {
    let row = Reader(row);
    Ok(TaskEvent { id: row.unsigned("id")?, at: row.time("at")?, kind: row.json("body")? })
}

/// Reads columns with the store's conventions.
pub(super) struct Reader<'a>(pub(super) &'a SqliteRow);

impl Reader<'_> {
    pub(super) fn get<T>(&self, column: &str) -> Result<T>
    where
        T: for<'r> sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
    {
        self.0.try_get(column).map_err(failed)
    }

    pub(super) fn unsigned<T: TryFrom<i64>>(&self, column: &str) -> Result<T> {
        let value: i64 = self.get(column)?;
        T::try_from(value).map_err(|_| strange(column))
    }

    fn parsed<T: std::str::FromStr<Err = Error>>(&self, column: &str) -> Result<T> {
        self.get::<String>(column)?.parse()
    }

    pub(super) fn id(&self, column: &str) -> Result<TaskId> {
        self.get::<String>(column)?.parse().map_err(|_| strange(column))
    }

    pub(super) fn time(&self, column: &str) -> Result<Time> {
        DateTime::from_timestamp_micros(self.get(column)?).ok_or_else(|| strange(column))
    }

    pub(super) fn optional_time(&self, column: &str) -> Result<Option<Time>> {
        let value: Option<i64> = self.get(column)?;
        value.map(|at| DateTime::from_timestamp_micros(at).ok_or_else(|| strange(column))).transpose()
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        serde_json::from_str(&self.get::<String>(column)?).map_err(|_| strange(column))
    }

    fn optional_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| strange(column))).transpose()
    }
}

fn strange(column: &str) -> Error {
    Error::internal(format!("the database holds a value in `{column}` that this version cannot read"))
}

/// Binds every column but the id, in the order of [`INSERT`] and [`UPDATE`], after the id.
pub(super) fn bind_task(statement: Statement, task: &Task) -> Result<Statement> {
    let error = task.error.as_ref().or(task.last_failure.as_ref()).map(json).transpose()?;
    Ok(statement
        .bind(task.id.to_string())
        .bind(task.kind.clone())
        .bind(json(&task.params)?)
        .bind(task.owner.kind.as_str())
        .bind(task.owner.id.clone())
        .bind(task.visibility.as_str())
        .bind(task.input.blob.clone())
        .bind(task.input.name.clone())
        .bind(int(task.input.size))
        .bind(task.input.sha256.clone())
        .bind(task.status.as_str())
        .bind(task.stage.map(crate::task::Stage::as_str))
        .bind(i64::from(task.progress))
        .bind(i64::from(task.attempt))
        .bind(i64::from(task.failures))
        .bind(i64::from(task.total_count))
        .bind(error)
        .bind(i64::from(task.revision))
        .bind(int(task.version))
        .bind(task.lease_owner.clone())
        .bind(task.lease_until.map(micros))
        .bind(task.next_attempt_at.map(micros))
        .bind(micros(task.created_at))
        .bind(task.started_at.map(micros))
        .bind(task.finished_at.map(micros))
        .bind(task.stage_started_at.map(micros))
        .bind(json(&task.timings)?))
}

/// A new task. The order of the columns is that of [`bind_task`].
pub(super) const INSERT: &str = "INSERT INTO tasks (id, kind, params, owner_type, owner_id, visibility, \
    input_blob, input_name, input_size, input_sha256, status, stage, progress, attempt, failures, total_count, \
    error, revision, version, lease_owner, lease_until, next_attempt_at, created_at, started_at, finished_at, \
    stage_started_at, timings) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
    ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)";

/// A changed task. What never changes is written again, so that [`bind_task`] serves both.
pub(super) const UPDATE: &str = "UPDATE tasks SET kind = ?2, params = ?3, owner_type = ?4, owner_id = ?5, \
    visibility = ?6, input_blob = ?7, input_name = ?8, input_size = ?9, input_sha256 = ?10, status = ?11, \
    stage = ?12, progress = ?13, attempt = ?14, failures = ?15, total_count = ?16, error = ?17, revision = ?18, \
    version = ?19, lease_owner = ?20, lease_until = ?21, next_attempt_at = ?22, created_at = ?23, \
    started_at = ?24, finished_at = ?25, stage_started_at = ?26, timings = ?27 WHERE id = ?1";

pub(super) async fn insert_file(to: &mut SqliteConnection, id: TaskId, file: &TaskFile) -> Result<()> {
    sqlx::query(
        "INSERT INTO task_files (task_id, file_index, key, name, size, sha256, mime, blob) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(id.to_string())
    .bind(i64::from(file.index))
    .bind(file.key.clone())
    .bind(file.name.clone())
    .bind(int(file.size))
    .bind(file.sha256.clone())
    .bind(file.mime.clone())
    .bind(file.blob.clone())
    .execute(to)
    .await
    .map_err(failed)?;
    Ok(())
}

pub(super) async fn insert_event(to: &mut SqliteConnection, id: TaskId, event: &TaskEvent) -> Result<()> {
    sqlx::query("INSERT INTO task_events (task_id, id, at, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)")
        .bind(id.to_string())
        .bind(int(event.id))
        .bind(micros(event.at))
        .bind(event.kind.name())
        .bind(json(&event.kind)?)
        .execute(to)
        .await
        .map_err(failed)?;
    Ok(())
}
