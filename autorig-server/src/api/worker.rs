//! The calls of workers that come and ask: lease a task, say how far it got, hand in files, end it.

use std::time::Duration;

use autorig_core::{
    account::{Caller, Via},
    task::{Failure, InputFile, Lease, LeaseId, WorkerName, kind::safe_stem},
};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt};
use poem::{Body, Request};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Path,
    payload::{Binary, Json},
    types::Any,
};

use super::{
    Ctx, Group, State, Who,
    files::{FileAnswer, Shown, Wanted},
    wire::{ErrorClass, Stage},
};
use crate::{json_body::JsonBody, problem::Problem, upload};

/// Longest wait for a task: shorter than the time after which proxies give up.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Largest file of a result.
const MAX_FILE: u64 = 4 << 30;

pub(crate) struct WorkerApi;

/// What a worker can do.
#[derive(Debug, Clone, Object)]
pub(crate) struct LeaseRequest {
    /// The worker's name, 1 to 64 letters, digits, `-`, `_` or `.`.
    pub name: String,
    /// Tasks it does at once, for what people are told of the queue.
    #[oai(default = "one", validator(minimum(value = "1"), maximum(value = "1024")))]
    pub slots: u32,
    /// Kinds of tasks it does.
    #[oai(default = "rig_only", validator(min_items = 1, max_items = 32))]
    pub kinds: Vec<String>,
    /// Seconds to wait for a task, at most 60.
    #[oai(default)]
    pub wait_seconds: u32,
}

fn one() -> u32 {
    1
}

fn rig_only() -> Vec<String> {
    vec!["rig".to_owned()]
}

/// A task in the worker's hands.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Lease")]
pub(crate) struct LeaseView {
    /// What the calls about it name.
    pub lease: String,
    /// The task.
    pub task_id: String,
    /// How often it has been tried, this time included.
    pub attempt: u32,
    /// What is to be done: `rig`.
    pub kind: String,
    /// The kind's options, checked.
    pub params: Any<serde_json::Value>,
    /// The model.
    pub input: LeaseInput,
    /// Files to hand in.
    pub files: Vec<LeaseFile>,
    /// The lease ends then, unless the worker says something before.
    pub lease_until: DateTime<Utc>,
    /// How often the worker should say something.
    pub heartbeat_seconds: u64,
}

/// The model of a leased task.
#[derive(Debug, Clone, Object)]
pub(crate) struct LeaseInput {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// Where it is, relative to the server.
    pub url: String,
}

/// A file that the worker hands in.
#[derive(Debug, Clone, Object)]
pub(crate) struct LeaseFile {
    /// Its key.
    pub key: String,
    /// Without it the task is not done.
    pub required: bool,
}

/// How far a worker got; empty as a mere sign of life.
#[derive(Debug, Clone, Default, Object)]
pub(crate) struct LeaseProgress {
    /// What it is doing.
    pub stage: Option<Stage>,
    /// Part of the whole, 0 to 1.
    #[oai(validator(minimum(value = "0"), maximum(value = "1")))]
    pub fraction: Option<f32>,
}

/// The lease holds.
#[derive(Debug, Clone, Object)]
pub(crate) struct LeaseHeld {
    /// Until then.
    pub lease_until: DateTime<Utc>,
}

/// Why a worker could not do a task.
#[derive(Debug, Clone, Object)]
pub(crate) struct LeaseFailure {
    /// Decides whether it is tried again.
    pub class: ErrorClass,
    /// Stable machine-readable code.
    pub code: Option<String>,
    /// What happened.
    pub message: String,
    /// What the user can do.
    pub remedy: Option<String>,
    /// When to try again, for `rate_limit`.
    pub retry_after_seconds: Option<u64>,
}

/// A lease, or nothing to do.
#[derive(ApiResponse)]
#[expect(clippy::large_enum_variant, reason = "it lives for one answer")]
enum LeaseAnswer {
    /// A task to do.
    #[oai(status = 200)]
    Task(Json<LeaseView>),
    /// No task waits; ask again.
    #[oai(status = 204)]
    Nothing,
}

/// The server has taken note.
#[derive(ApiResponse)]
enum Noted {
    /// It is kept.
    #[oai(status = 204)]
    Noted,
}

#[OpenApi(tag = "Group::Workers")]
impl WorkerApi {
    /// Lease a task
    ///
    /// The lease ends by itself when the worker says nothing for longer than `lease_until`; every later call
    /// about it then answers 409 `lease_lost`, and the task is given to another.
    #[oai(path = "/api/worker/lease", method = "post", operation_id = "lease_task")]
    async fn lease(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        request: JsonBody<LeaseRequest>,
    ) -> Result<LeaseAnswer, Problem> {
        let request = request.0;
        let worker = WorkerName::new(&worker_key(&who), &request.name)?;
        let wait = Duration::from_secs(request.wait_seconds.into()).min(MAX_WAIT);
        let lease = tokio::select! {
            lease = state.leases.acquire(&worker, request.slots, &request.kinds, wait) => lease?,
            () = state.stopping.cancelled() => None,
        };
        match lease {
            Some(lease) => Ok(LeaseAnswer::Task(Json(state.show_lease(lease)?))),
            None => Ok(LeaseAnswer::Nothing),
        }
    }

    /// Download the model of a leased task
    #[oai(path = "/api/worker/:lease/input", method = "get", operation_id = "lease_input")]
    async fn input(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        req: &Request,
        /// The lease.
        lease: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        let (key, id) = (worker_key(&who), lease_id(&lease)?);
        let input = state.leases.input(&key, id).await?;
        match shown(&input).wanted(req)? {
            Wanted::Nothing(answer) => Ok(answer),
            Wanted::Bytes(answer, range) => {
                let body = state.leases.open_input(&key, id, range).await?;
                Ok(FileAnswer::body(answer, body))
            }
        }
    }

    /// Download the model of a pushed job
    ///
    /// By the link that a converter machine was given; it says by itself who may.
    #[oai(path = "/api/worker-input/:token/:name", method = "get", operation_id = "linked_input")]
    async fn linked_input(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The signed part of the link.
        token: Path<String>,
        /// The model's name.
        name: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        let input = state.leases.linked_input(&token).await?;
        tracing::debug!(name = *name, "a converter fetches a model");
        match shown(&input).wanted(req)? {
            Wanted::Nothing(answer) => Ok(answer),
            Wanted::Bytes(answer, range) => {
                let body = state.leases.open_linked(&input, range).await?;
                Ok(FileAnswer::body(answer, body))
            }
        }
    }

    /// Say how far a leased task got
    ///
    /// Also the sign of life that keeps the lease.
    #[oai(path = "/api/worker/:lease/progress", method = "post", operation_id = "lease_progress")]
    async fn progress(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The lease.
        lease: Path<String>,
        progress: JsonBody<LeaseProgress>,
    ) -> Result<Json<LeaseHeld>, Problem> {
        let at = progress.0.stage.map(|stage| (stage.into(), progress.0.fraction.unwrap_or(0.0)));
        let until = state.leases.progress(&worker_key(&who), lease_id(&lease)?, at).await?;
        Ok(Json(LeaseHeld { lease_until: until }))
    }

    /// Hand in a file of a leased task
    ///
    /// Sent again, it replaces what was sent before.
    #[oai(path = "/api/worker/:lease/files/:key", method = "put", operation_id = "lease_file")]
    async fn file(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The lease.
        lease: Path<String>,
        /// The file's key.
        key: Path<String>,
        /// Its bytes.
        body: Binary<Body>,
    ) -> Result<Noted, Problem> {
        let (body, meter) = upload::metered(body.0, MAX_FILE);
        let pieces = body.into_bytes_stream().map_err(autorig_core::Error::upload_cut_off).boxed();
        let id = lease_id(&lease)?;
        let stored = state.leases.add_file(&worker_key(&who), id, &key, pieces).await;
        stored.map_err(|error| meter.verdict(MAX_FILE).unwrap_or_else(|| error.into()))?;
        Ok(Noted::Noted)
    }

    /// Say that a leased task is done
    #[oai(path = "/api/worker/:lease/complete", method = "post", operation_id = "lease_complete")]
    async fn complete(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The lease.
        lease: Path<String>,
    ) -> Result<Noted, Problem> {
        state.leases.complete(&worker_key(&who), lease_id(&lease)?).await?;
        Ok(Noted::Noted)
    }

    /// Say that a leased task failed
    #[oai(path = "/api/worker/:lease/fail", method = "post", operation_id = "lease_fail")]
    async fn fail(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The lease.
        lease: Path<String>,
        failure: JsonBody<LeaseFailure>,
    ) -> Result<Noted, Problem> {
        let LeaseFailure { class, code, message, remedy, retry_after_seconds } = failure.0;
        let retry_after = retry_after_seconds.map(Duration::from_secs);
        let failure = Failure { class: class.into(), code, message, remedy, retry_after };
        state.leases.fail(&worker_key(&who), lease_id(&lease)?, failure).await?;
        Ok(Noted::Noted)
    }

    /// Give a leased task back
    ///
    /// Unfinished, through no fault of its own: the worker is being shut down. It is not counted as a failure.
    #[oai(path = "/api/worker/:lease/release", method = "post", operation_id = "lease_release")]
    async fn release(
        &self,
        state: Ctx<'_>,
        who: Who<'_>,
        /// The lease.
        lease: Path<String>,
    ) -> Result<Noted, Problem> {
        state.leases.release(&worker_key(&who), lease_id(&lease)?).await?;
        Ok(Noted::Noted)
    }
}

/// The key whose workers call; on a local server, its one owner.
fn worker_key(caller: &Caller) -> String {
    match (caller.via, &caller.owner) {
        (Via::Key { id, .. }, _) => id.to_string(),
        (_, Some(owner)) => owner.id.clone(),
        (_, None) => String::new(),
    }
}

impl State {
    fn show_lease(&self, lease: Lease) -> Result<LeaseView, Problem> {
        let files = self.leases.files(&lease.task)?;
        let stem = safe_stem(&lease.task.input.name);
        tracing::info!(task = %lease.task.id, input = stem, "leased");
        Ok(LeaseView {
            lease: lease.id.to_string(),
            task_id: lease.task.id.to_string(),
            attempt: lease.id.attempt,
            kind: lease.task.kind,
            params: Any(lease.task.params),
            input: LeaseInput {
                name: lease.task.input.name,
                size: lease.task.input.size,
                sha256: lease.task.input.sha256,
                url: format!("/api/worker/{}/input", lease.id),
            },
            files: files
                .into_iter()
                .map(|file| LeaseFile { key: file.key.to_owned(), required: file.required })
                .collect(),
            lease_until: lease.until,
            heartbeat_seconds: lease.heartbeat.as_secs().max(1),
        })
    }
}

fn shown(input: &InputFile) -> Shown<'_> {
    Shown { name: &input.name, mime: "application/octet-stream", size: input.size, sha256: &input.sha256 }
}

fn lease_id(text: &str) -> Result<LeaseId, Problem> {
    Ok(text.parse()?)
}
