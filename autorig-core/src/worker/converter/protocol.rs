//! What the server and a converter say to each other (`openapi/worker.yaml`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::task::TaskError;

/// `POST /api-converter-glb`: rig a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvertRequest {
    /// Where the model is.
    pub input_url: String,
    /// Its name, for the results' names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_name: Option<String>,
    /// `full`, `rig_only` or `convert`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The task's options.
    #[serde(default)]
    pub options: Value,
}

/// The job is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvertAnswer {
    /// Names it at this machine.
    pub worker_task_id: String,
    /// Names the folder of its outputs.
    pub guid: String,
    /// Where its files will be, one by one: 404 until then.
    pub output_urls: Vec<String>,
    /// A page for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_page: Option<String>,
}

/// `POST /api-converter-glb-to-fbx`: despite its name it takes FBX and answers GLB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreStepRequest {
    /// Where the FBX is.
    pub input_url: String,
}

/// The GLB is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreStepAnswer {
    /// Where.
    pub output_url: String,
}

/// `GET /api-queue`: how busy a machine is, and what it can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueAnswer {
    /// Jobs being done.
    pub active: u32,
    /// Jobs waiting.
    #[serde(default)]
    pub queued: u32,
    /// Jobs at once.
    pub max_concurrent: u32,
    /// Mean seconds of a job.
    #[serde(default)]
    pub avg_seconds: Option<f64>,
    /// Kinds of tasks it does; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    /// Formats it reads, as file extensions; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formats: Option<Vec<String>>,
}

/// `GET /api-task/{worker_task_id}`: how far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskAnswer {
    /// `created`, `processing`, `done`, `error` or `cancelled`.
    pub status: String,
    /// 0 to 100.
    #[serde(default)]
    pub progress: f64,
    /// What it is doing.
    #[serde(default)]
    pub stage: Option<String>,
    /// The last lines of its log.
    #[serde(default)]
    pub log: Vec<String>,
    /// The files it has made, once it is done; those of `output_urls` that are not among them will not come.
    #[serde(default)]
    pub outputs: Option<Vec<String>>,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<TaskError>,
}

/// What the pool keeps with the task, so that a restarted server goes on where it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The machine that has the job.
    pub machine: String,
    /// Where the FBX lies as GLB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_step: Option<PreStepAnswer>,
    /// The accepted job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<ConvertAnswer>,
}
