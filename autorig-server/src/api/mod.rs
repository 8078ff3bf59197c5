//! The calls of the API. Handlers translate and hold no rules: what may be done, and what follows from it,
//! is decided in `autorig-core`.

pub(crate) mod create;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod keys;
pub(crate) mod manage;
pub(crate) mod operations;
pub(crate) mod rig;
pub(crate) mod schema;
pub(crate) mod tasks;
pub(crate) mod uploads;
pub(crate) mod wire;
pub(crate) mod worker;

use std::{str::FromStr, sync::Arc};

use autorig_core::{
    account::{AccountService, Caller},
    task::{Leases, TaskId, TaskService},
    upload::UploadService,
};
use poem::web::Data;
use poem_openapi::{ContactObject, LicenseObject, OpenApiService, Tags};
use tokio_util::sync::CancellationToken;

use crate::{config::ServerConfig, problem::Problem};

/// What every handler works with.
pub(crate) struct State {
    pub(crate) tasks: TaskService,
    pub(crate) accounts: AccountService,
    pub(crate) leases: Leases,
    pub(crate) uploads: UploadService,
    pub(crate) config: ServerConfig,
    /// Fires when the server stops: streams end then.
    pub(crate) stopping: CancellationToken,
}

/// The state as handlers get it.
pub(crate) type Ctx<'a> = Data<&'a Arc<State>>;

/// Whoever calls, let in by the gate ([`crate::access`]).
pub(crate) type Who<'a> = Data<&'a Caller>;

/// All calls together.
pub(crate) type Api = (
    create::CreateApi,
    tasks::TaskApi,
    manage::ManageApi,
    rig::RigApi,
    keys::KeysApi,
    events::EventsApi,
    files::FilesApi,
    uploads::UploadsApi,
    worker::WorkerApi,
    operations::OperationsApi,
);

/// Groups of calls in the document.
#[derive(Tags)]
pub(crate) enum Group {
    /// From a model to a rigged character.
    Tasks,
    /// What a task has made.
    Files,
    /// Large files, resumed where the line broke.
    Uploads,
    /// For machines that rig.
    Workers,
    /// Who calls, and API keys.
    Account,
    /// How the server is.
    Operations,
}

const ABOUT: &str = "Turns a character mesh (GLB, glTF, FBX, OBJ, VRM, STL, PLY) into a rigged and skinned character.

Create a task with a file or a link, follow it by its events (`text/event-stream`), by `?wait=30` or by polling \
with its ETag, and download its files when they are ready.

Every refusal is `application/problem+json` with a stable `code` and a `remedy`. Every answer has an \
`X-Request-Id`. A local server needs no key and answers to its own machine only; a site is called with an API key, \
`Authorization: Bearer ark_live_…` or `X-API-Key`.";

/// The API with its description; the state is added by the server.
pub(crate) fn service() -> OpenApiService<Api, ()> {
    let api = (
        create::CreateApi,
        tasks::TaskApi,
        manage::ManageApi,
        rig::RigApi,
        keys::KeysApi,
        events::EventsApi,
        files::FilesApi,
        uploads::UploadsApi,
        worker::WorkerApi,
        operations::OperationsApi,
    );
    OpenApiService::new(api, "AutoRig", env!("CARGO_PKG_VERSION"))
        .description(ABOUT)
        .license(LicenseObject::new("MIT OR Apache-2.0"))
        .contact(ContactObject::new().name("AutoRig contributors"))
}

/// The task a path names; what is no id names none.
pub(crate) fn task_id(text: &str) -> Result<TaskId, Problem> {
    let id = TaskId::from_str(text).map_err(|_| Problem::no_such_task(text))?;
    tracing::Span::current().record("task_id", tracing::field::display(id));
    Ok(id)
}
