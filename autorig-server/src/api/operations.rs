//! Whether the server lives, whether it can work, and what it is.

use poem_openapi::{ApiResponse, Object, OpenApi, payload::Json};

use super::{Ctx, Group};

pub(crate) struct OperationsApi;

/// The server lives.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct Health {
    /// Always `ok`.
    pub status: String,
}

/// What the server needs to work, and whether it has it.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct Readiness {
    /// Everything is there.
    pub ready: bool,
    /// The database answers.
    pub database: bool,
    /// The storage of the files answers.
    pub storage: bool,
    /// A worker is online.
    pub worker: bool,
}

/// What the server is.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct Version {
    /// `autorig`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Ready or not.
#[derive(ApiResponse)]
enum ReadyAnswer {
    /// Tasks are accepted and done.
    #[oai(status = 200)]
    Ready(Json<Readiness>),
    /// Something is missing.
    #[oai(status = 503)]
    NotReady(Json<Readiness>),
}

#[OpenApi(tag = "Group::Operations")]
impl OperationsApi {
    /// Is the server alive?
    #[oai(path = "/health", method = "get", operation_id = "health")]
    async fn health(&self) -> Json<Health> {
        Json(Health { status: "ok".to_owned() })
    }

    /// Can the server work?
    #[oai(path = "/ready", method = "get", operation_id = "ready")]
    async fn ready(&self, state: Ctx<'_>) -> ReadyAnswer {
        let database = state.tasks.ping().await.is_ok();
        let worker = state.tasks.queue_status().await.is_ok_and(|queue| queue.workers_online > 0);
        let storage = state.tasks.ping_storage().await.is_ok();
        let readiness = Readiness { ready: database && storage && worker, database, storage, worker };
        if readiness.ready {
            ReadyAnswer::Ready(Json(readiness))
        } else {
            ReadyAnswer::NotReady(Json(readiness))
        }
    }

    /// What is this server?
    #[oai(path = "/version", method = "get", operation_id = "version")]
    async fn version(&self) -> Json<Version> {
        Json(Version { name: "autorig".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
    }
}
