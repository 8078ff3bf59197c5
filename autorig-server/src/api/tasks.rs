//! Looking at tasks and stopping them.

use std::time::{Duration, Instant};

use autorig_core::task::{Task, TaskId};
use poem::Request;
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use sha2::{Digest, Sha256};

use super::{
    Ctx, Group, State, Who, task_id,
    wire::{History, QueueView, TaskView},
};
use crate::{
    http::{hex, if_none_match},
    problem::Problem,
};

/// Longest `?wait=`: shorter than the time after which proxies give up.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Items of a page when the caller does not say.
const PAGE: u32 = 20;

pub(crate) struct TaskApi;

/// A task, if it is not the version the caller holds.
#[derive(ApiResponse)]
#[expect(clippy::large_enum_variant, reason = "it lives for one answer")]
enum TaskAnswer {
    /// The task.
    #[oai(status = 200)]
    Ok(
        Json<TaskView>,
        /// Changes with every change of the task.
        #[oai(header = "ETag")]
        String,
        /// Always `no-cache`: ask each time, with the ETag.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// The task is still the version named by `If-None-Match`.
    #[oai(status = 304)]
    NotModified(
        /// The version the caller holds.
        #[oai(header = "ETag")]
        String,
    ),
}

#[OpenApi(tag = "Group::Tasks")]
impl TaskApi {
    /// Look at a task
    ///
    /// With `wait`, the answer comes when the task differs from the version named by `If-None-Match`, or, without
    /// that header, when it is finished; at the latest after so many seconds.
    #[oai(path = "/api/task/:id", method = "get", operation_id = "get_task")]
    async fn get(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The task's id.
        id: Path<String>,
        /// Seconds to wait for a change, at most 60.
        wait: Query<Option<u32>>,
    ) -> Result<TaskAnswer, Problem> {
        let id = task_id(&id)?;
        let task = state.task(id).await?;
        let (mut view, mut etag) = state.view(&task).await?;
        let held = if_none_match(req.headers(), &etag);
        let wait = Duration::from_secs(u64::from(wait.unwrap_or(0))).min(MAX_WAIT);
        let unchanged = if req.headers().contains_key("if-none-match") { held } else { true };
        if unchanged && !wait.is_zero() {
            let until_finished = !held;
            let task = state.wait(task, wait, until_finished).await?;
            (view, etag) = state.view(&task).await?;
        }
        if if_none_match(req.headers(), &etag) {
            return Ok(TaskAnswer::NotModified(etag));
        }
        Ok(TaskAnswer::Ok(Json(view), etag, "no-cache".to_owned()))
    }

    /// Stop a task
    ///
    /// A task that is done or has failed answers 409; one that is cancelled already stays so.
    #[oai(path = "/api/task/:id/cancel", method = "post", operation_id = "cancel_task")]
    async fn cancel(
        &self,
        state: Ctx<'_>,
        /// The task's id.
        id: Path<String>,
    ) -> Result<Json<TaskView>, Problem> {
        let id = task_id(&id)?;
        let task = state.tasks.cancel(id).await?.ok_or_else(|| Problem::no_such_task(&id.to_string()))?;
        tracing::info!("task cancelled");
        Ok(Json(state.view(&task).await?.0))
    }

    /// List the caller's tasks
    ///
    /// Newest first.
    #[oai(path = "/api/history", method = "get", operation_id = "list_tasks")]
    async fn history(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// Tasks a page, 1 to 100.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
        /// The `next` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Json<History>, Problem> {
        let page = state.tasks.history(who.known()?, cursor.as_deref(), limit.unwrap_or(PAGE)).await?;
        Ok(Json(page.into()))
    }

    /// Look at the queue
    #[oai(path = "/api/queue/status", method = "get", operation_id = "queue_status")]
    async fn queue(&self, state: Ctx<'_>) -> Result<Json<QueueView>, Problem> {
        Ok(Json(state.tasks.queue_status().await?.into()))
    }
}

impl State {
    /// The task as the API shows it, and the entity tag of what is shown.
    pub(crate) async fn view(&self, task: &Task) -> Result<(TaskView, String), Problem> {
        let queue = self.tasks.queue_position(task.id).await?;
        let place = queue.map_or(0, |queue| queue.position);
        // Weak: a compressed answer has other bytes. What the owner edits is no event, so it counts by itself.
        let edited = Sha256::digest(format!("{} {:?}", task.visibility, task.title));
        let etag = format!("W/\"{}.{place}.{}\"", task.version, hex(edited.get(..4).unwrap_or_default()));
        let quality = self.tasks.quality(task).await?;
        Ok((TaskView::of(task, queue, quality), etag))
    }

    /// The task after its next change, or, when asked so, after its last one.
    async fn wait(&self, task: Task, at_most: Duration, until_finished: bool) -> Result<Task, Problem> {
        let id = task.id;
        let begin = Instant::now();
        let mut task = task;
        loop {
            let left = at_most.saturating_sub(begin.elapsed());
            let over = task.status.is_terminal() || left.is_zero();
            if over {
                return Ok(task);
            }
            let seen = task.version;
            let changed = tokio::select! {
                found = self.tasks.wait(id, Some(seen), left) => found?,
                () = self.stopping.cancelled() => return Ok(task),
            };
            task = changed.ok_or_else(|| Problem::no_such_task(&id.to_string()))?;
            if !until_finished && task.version != seen {
                return Ok(task);
            }
        }
    }

    /// The task of this id.
    pub(crate) async fn task(&self, id: TaskId) -> Result<Task, Problem> {
        self.tasks.get(id).await?.ok_or_else(|| Problem::no_such_task(&id.to_string()))
    }
}
