//! What may be done with a task that exists: begin anew, make another, edit, remove; and its log.

use autorig_core::task::{NewTask, TaskId};
use poem::{Body, Request, RequestBody, http::StatusCode};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use serde_json::Value;

use super::{
    Ctx, Group, Who,
    create::{CreateAnswer, accepted, take_visibility},
    schema::{EditTask, RetryOptions},
    task_id,
    wire::{TaskLog, TaskView},
};
use crate::{json_body::JsonBody, problem::Problem, upload};

pub(crate) struct ManageApi;

/// The task is gone.
#[derive(ApiResponse)]
enum Gone {
    /// The task, its files and its events are gone.
    #[oai(status = 204)]
    Gone,
}

#[OpenApi(tag = "Group::Tasks")]
impl ManageApi {
    /// Restart a task
    ///
    /// The same task begins anew under its id: one that failed at least a minute ago, or one that is stuck in
    /// `processing` past the limit of an hour. Earlier than that the answer is 429 with `Retry-After`; an admin need not
    /// wait. What the first run has made is dropped.
    #[oai(path = "/api/task/:id/restart", method = "post", operation_id = "restart_task")]
    async fn restart(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The task's id.
        id: Path<String>,
    ) -> Result<Json<TaskView>, Problem> {
        let id = task_id(&id)?;
        let task = state.tasks.restart(id, who.admin).await?.ok_or_else(|| gone(id))?;
        tracing::info!("task restarted");
        Ok(Json(state.view(&task).await?.0))
    }

    /// Make another
    ///
    /// A new task with the same input and the same options; options in the body replace those of the first. The first
    /// stays as it is.
    #[oai(path = "/api/task/:id/retry", method = "post", operation_id = "retry_task")]
    async fn retry(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The task's id.
        id: Path<String>,
        /// Repeating a call with the same key and body answers the task that the first call made.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Header<Option<String>>,
        body: RetryBody,
    ) -> Result<CreateAnswer, Problem> {
        let first = state.task(task_id(&id)?).await?;
        let text = upload::read_text(body.0).await?;
        let text = if text.trim().is_empty() { "{}" } else { &text };
        let Ok(Value::Object(mut options)) = serde_json::from_str(text) else {
            return Err(Problem::bad_body("invalid_json", "the body is not a JSON object"));
        };
        let visibility = take_visibility(&mut options)?;
        let mut another = NewTask::another(&first, who.known()?.clone(), Value::Object(options));
        another.visibility = visibility.unwrap_or(another.visibility);
        another.idempotency_key = idempotency_key.0;
        another.limited = !who.admin;
        Ok(accepted(&state.tasks.create(another).await?))
    }

    /// Edit a task
    ///
    /// What is left out stays as it is.
    #[oai(path = "/api/task/:id", method = "patch", operation_id = "edit_task")]
    async fn edit(
        &self,
        state: Ctx<'_>,
        /// The task's id.
        id: Path<String>,
        edit: JsonBody<EditTask>,
    ) -> Result<Json<TaskView>, Problem> {
        let id = task_id(&id)?;
        let EditTask { title, visibility } = edit.0;
        let visibility = visibility.map(Into::into);
        let task = state.tasks.edit(id, title.as_deref(), visibility).await?.ok_or_else(|| gone(id))?;
        Ok(Json(state.view(&task).await?.0))
    }

    /// Remove a task
    ///
    /// With its files, its upload and its events, for good. One that is worked on is stopped first.
    #[oai(path = "/api/task/:id", method = "delete", operation_id = "delete_task")]
    async fn delete(
        &self,
        state: Ctx<'_>,
        /// The task's id.
        id: Path<String>,
    ) -> Result<Gone, Problem> {
        let id = task_id(&id)?;
        if !state.tasks.delete(id).await? {
            return Err(gone(id));
        }
        tracing::info!("task removed");
        Ok(Gone::Gone)
    }

    /// Read a task's log
    ///
    /// Everything that has happened to it, with what its workers had to say, oldest first. Progress within a stage is
    /// listed only while the task is not finished.
    #[oai(path = "/api/task/:id/progress_log", method = "get", operation_id = "task_log")]
    async fn log(
        &self,
        state: Ctx<'_>,
        /// The task's id.
        id: Path<String>,
        /// Only so many of the last lines.
        tail: Query<Option<u32>>,
    ) -> Result<Json<TaskLog>, Problem> {
        let id = task_id(&id)?;
        let tail = tail.0.map(|tail| usize::try_from(tail).unwrap_or(usize::MAX));
        let events = state.tasks.log(id, tail).await?.ok_or_else(|| gone(id))?;
        Ok(Json(TaskLog::of(id, &events)))
    }
}

fn gone(id: TaskId) -> Problem {
    Problem::no_such_task(&id.to_string())
}

/// Options to change, or nothing at all.
pub(crate) struct RetryBody(Body);

impl<'a> ApiExtractor<'a> for RetryBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    const PARAM_IS_REQUIRED: bool = false;
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        RetryOptions::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content =
            vec![MetaMediaType { content_type: "application/json", schema: RetryOptions::schema_ref() }];
        Some(MetaRequest { description: Some("Options to change."), content, required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> poem::Result<Self> {
        let body = body.take()?;
        let essence = request.content_type().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !matches!(essence, "" | "application/json") && !body.is_empty() {
            let problem = Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "the options of another task are sent as JSON",
                "send application/json, or no body",
            );
            return Err(problem.into());
        }
        Ok(Self(body))
    }
}
