//! The calls of the converter protocol.

use std::{sync::Arc, time::Duration};

use autorig_core::{
    signature,
    task::{Input, NewTask, Task, TaskId, TaskStatus},
};
use poem::{Request, web::Data};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, param::Path, payload::Json, types::Any};
use serde_json::{Value, json};

use super::Converter;
use crate::{
    api::{
        files::{FileAnswer, Shown, Wanted},
        wire::{ErrorClass, Status},
    },
    json_body::JsonBody,
    problem::Problem,
};

/// The pre-step answers when it is over, at the latest after this time.
const PRE_STEP: Duration = Duration::from_secs(570);
/// Formats that are read.
const FORMATS: [&str; 8] = ["glb", "gltf", "vrm", "fbx", "obj", "stl", "ply", "zip"];

type Ctx<'a> = Data<&'a Arc<Converter>>;

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum JobMode {
    /// Everything.
    Full,
    /// Prepared model, rigged model, report.
    RigOnly,
    /// Formats without rigging.
    Convert,
}

/// A model to rig.
#[derive(Debug, Clone, Object)]
struct JobRequest {
    /// Where the model is.
    input_url: String,
    /// Its name; that of the link when left out.
    input_name: Option<String>,
    /// How much is made, if `options` does not say it.
    mode: Option<JobMode>,
    /// The options of a task.
    options: Option<Any<Value>>,
}

/// The job is accepted.
#[derive(Debug, Clone, Object)]
struct JobAccepted {
    /// Names the job.
    worker_task_id: String,
    /// Names the folder of its outputs.
    guid: String,
    /// Where its files will be, relative to this machine.
    output_urls: Vec<String>,
    /// Where to look how far it is.
    progress_page: String,
}

/// An FBX to be turned into GLB.
#[derive(Debug, Clone, Object)]
struct PreStepRequest {
    /// Where the FBX is.
    input_url: String,
}

/// The GLB is there.
#[derive(Debug, Clone, Object)]
struct PreStepDone {
    /// Where, relative to this machine.
    output_url: String,
}

/// How busy the machine is, and what it can do.
#[derive(Debug, Clone, Object)]
struct MachineQueue {
    /// Jobs being done.
    active: u64,
    /// Jobs waiting.
    queued: u64,
    /// Jobs at once.
    max_concurrent: u32,
    /// Mean seconds of the last jobs.
    avg_seconds: Option<f64>,
    /// Kinds of tasks it does.
    kinds: Vec<String>,
    /// Formats it reads, as file extensions.
    formats: Vec<String>,
}

/// Why a job failed.
#[derive(Debug, Clone, Object)]
struct JobError {
    /// Decides about another attempt.
    class: ErrorClass,
    /// Stable code.
    code: String,
    /// What happened.
    message: String,
    /// What to do.
    remedy: String,
}

/// How far a job is.
#[derive(Debug, Clone, Object)]
struct JobProgress {
    /// Where it is in its life.
    status: Status,
    /// 0 to 100.
    progress: u8,
    /// What it is doing.
    stage: Option<String>,
    /// The last lines of its log.
    log: Vec<String>,
    /// The files it has made, once it is done.
    outputs: Option<Vec<String>>,
    /// Why it failed.
    error: Option<JobError>,
}

/// The machine has taken note.
#[derive(ApiResponse)]
enum Noted {
    /// It is stopped, or was over.
    #[oai(status = 204)]
    Noted,
}

pub(super) struct ConverterApi;

#[OpenApi]
impl ConverterApi {
    /// Rig a model
    #[oai(path = "/api-converter-glb", method = "post", operation_id = "convert")]
    async fn convert(
        &self,
        state: Ctx<'_>,
        req: &Request,
        job: JsonBody<JobRequest>,
    ) -> Result<Json<JobAccepted>, Problem> {
        let JobRequest { input_url, input_name: _, mode, options } = job.0;
        let mut options = options.map_or(Value::Null, |options| options.0);
        if options.is_null() {
            options = json!({});
        }
        if let (Some(mode), Some(options)) = (mode, options.as_object_mut()) {
            let name = match mode {
                JobMode::Full => "full",
                JobMode::RigOnly => "rig_only",
                JobMode::Convert => "convert",
            };
            options.entry("mode").or_insert_with(|| name.into());
        }
        let task = state.begin(req, input_url, options).await?;
        let outputs = state.tasks.planned_names(&task)?;
        Ok(Json(JobAccepted {
            worker_task_id: task.id.to_string(),
            guid: guid(&task),
            output_urls: outputs.iter().map(|name| output_url(&task, name)).collect(),
            progress_page: format!("/api-task/{}", task.id),
        }))
    }

    /// Turn FBX into GLB
    ///
    /// Despite its name. The answer comes when the GLB is there.
    #[oai(path = "/api-converter-glb-to-fbx", method = "post", operation_id = "fbx_to_glb")]
    async fn pre_step(
        &self,
        state: Ctx<'_>,
        req: &Request,
        job: JsonBody<PreStepRequest>,
    ) -> Result<Json<PreStepDone>, Problem> {
        let task = state.begin(req, job.0.input_url, json!({"mode": "convert"})).await?;
        let task = state.finished(task).await?;
        if let Some(error) = &task.error {
            return Err(Problem::from(autorig_core::Error::from(error.clone())));
        }
        let made = task.files.iter().find(|file| file.name.ends_with(".glb"));
        let made = made.ok_or_else(|| Problem::internal(&"the conversion made no GLB"))?;
        Ok(Json(PreStepDone { output_url: output_url(&task, &made.name) }))
    }

    /// How busy is the machine?
    #[oai(path = "/api-queue", method = "get", operation_id = "queue")]
    async fn queue(&self, state: Ctx<'_>) -> Result<Json<MachineQueue>, Problem> {
        let queue = state.tasks.queue_status().await?;
        Ok(Json(MachineQueue {
            active: queue.processing,
            queued: queue.queued,
            max_concurrent: state.slots,
            avg_seconds: state.tasks.mean_seconds().await?,
            kinds: vec!["rig".to_owned()],
            formats: FORMATS.map(str::to_owned).to_vec(),
        }))
    }

    /// How far is a job?
    #[oai(path = "/api-task/:worker_task_id", method = "get", operation_id = "job")]
    async fn job(
        &self,
        state: Ctx<'_>,
        /// The job.
        worker_task_id: Path<String>,
    ) -> Result<Json<JobProgress>, Problem> {
        let task = state.task(&worker_task_id).await?;
        let made = || task.files.iter().map(|file| output_url(&task, &file.name)).collect();
        let error = task.error.clone().map(|error| JobError {
            class: error.class.into(),
            code: error.code,
            message: error.message,
            remedy: error.remedy,
        });
        let stage = task.stage.map(|stage| stage.to_string());
        Ok(Json(JobProgress {
            status: task.status.into(),
            progress: task.progress,
            log: stage.iter().map(|stage| format!("{stage} {} %", task.progress)).collect(),
            stage,
            outputs: (task.status == TaskStatus::Done).then(made),
            error,
        }))
    }

    /// Stop a job
    #[oai(path = "/api-task/:worker_task_id", method = "delete", operation_id = "stop_job")]
    async fn stop(
        &self,
        state: Ctx<'_>,
        /// The job.
        worker_task_id: Path<String>,
    ) -> Result<Noted, Problem> {
        let task = state.task(&worker_task_id).await?;
        match state.tasks.cancel(task.id).await {
            Err(error) if error.code != "task_finished" => Err(error.into()),
            _ => Ok(Noted::Noted),
        }
    }

    /// Download an output
    ///
    /// 404 until it is there. Answers to HEAD and to a byte `Range`.
    #[oai(path = "/outputs/:guid/:name", method = "get", operation_id = "output")]
    async fn output(
        &self,
        state: Ctx<'_>,
        req: &Request,
        /// The job's folder.
        guid: Path<String>,
        /// The file's name.
        name: Path<String>,
    ) -> Result<FileAnswer, Problem> {
        let task = state.task(&guid).await?;
        let file = task.files.iter().find(|file| file.name == *name);
        let file = file.ok_or_else(|| Problem::no_such_file(&name))?;
        match Shown::from(file).wanted(req)? {
            Wanted::Nothing(answer) => Ok(answer),
            Wanted::Bytes(answer, range) => {
                let open = state.tasks.open_file(task.id, &file.key, range).await?;
                let open = open.ok_or_else(|| Problem::no_such_file(&name))?;
                Ok(FileAnswer::body(answer, open.body))
            }
        }
    }
}

impl Converter {
    async fn begin(&self, req: &Request, link: String, params: Value) -> Result<Task, Problem> {
        let new = NewTask {
            params,
            // A request that is sent again, by whoever, begins nothing new.
            idempotency_key: req.header(signature::ID).map(str::to_owned),
            ..NewTask::rig(Input::Link(link))
        };
        Ok(self.tasks.create(new).await?.task)
    }

    async fn finished(&self, task: Task) -> Result<Task, Problem> {
        let id = task.id;
        let waiting = async {
            let mut task = task;
            while !task.status.is_terminal() {
                let seen = Some(task.version);
                let found = self.tasks.wait(id, seen, PRE_STEP).await?;
                task = found.ok_or_else(|| Problem::no_such_task(&id.to_string()))?;
            }
            Ok(task)
        };
        match tokio::time::timeout(PRE_STEP, waiting).await {
            Ok(task) => task,
            Err(_) => Err(Problem::from(autorig_core::Error::temporary(
                "worker_timeout",
                "the conversion takes too long",
                "it is tried again by itself",
            ))),
        }
    }

    async fn task(&self, id: &str) -> Result<Task, Problem> {
        let id: TaskId = id.parse().map_err(|_| Problem::no_such_task(id))?;
        self.tasks.get(id).await?.ok_or_else(|| Problem::no_such_task(&id.to_string()))
    }
}

fn guid(task: &Task) -> String {
    task.id.0.simple().to_string()
}

fn output_url(task: &Task, name: &str) -> String {
    format!("/outputs/{}/{name}", guid(task))
}
