//! The server of a converter machine (`autorig worker --listen`): jobs are pushed to it over the protocol of
//! `openapi/worker.yaml`, and every request is signed with the secret both sides share.
//!
//! It is a whole AutoRig of its own behind another door: a job is a task, so it survives a crash, is done once,
//! and a repeated request finds the job it has begun.

mod api;
mod signed;

use std::sync::Arc;

use autorig_core::{AutoRig, clock::Clock, signature::Secret, task::TaskService};
use poem::{Endpoint, EndpointExt, IntoEndpoint, Response};
use poem_openapi::OpenApiService;

use crate::{config::ServerConfig, middleware::envelope::Envelope, routes::Routes};
use signed::Signed;

/// What a converter machine needs to know besides the rest.
#[derive(Clone)]
pub struct ConverterSettings {
    /// What it shares with the servers that push jobs to it.
    pub secret: Secret,
    /// Jobs at once.
    pub slots: u32,
    /// Tells whether a signature is fresh.
    pub clock: Arc<dyn Clock>,
}

/// What every handler works with.
pub(crate) struct Converter {
    pub(crate) tasks: TaskService,
    pub(crate) slots: u32,
}

fn service() -> OpenApiService<api::ConverterApi, ()> {
    OpenApiService::new(api::ConverterApi, "AutoRig converter", env!("CARGO_PKG_VERSION")).description(ABOUT)
}

const ABOUT: &str = "What an AutoRig server and a converter machine say to each other.

Every request carries `webhook-id`, `webhook-timestamp` and `webhook-signature` (Standard Webhooks 1.0, \
HMAC-SHA256 with the shared secret). The signed content is the method in capitals, a space, the path with its \
query, a line feed and the body. Two POSTs of one `webhook-id` are one job.

Outputs appear one by one at the `output_urls` of a job; until then they answer 404.";

/// The protocol's document (OpenAPI 3.0), kept in `openapi/worker.yaml`.
pub fn worker_yaml() -> String {
    service().spec_yaml()
}

/// The whole converter as one endpoint.
pub(crate) fn application(
    autorig: &AutoRig,
    config: &ServerConfig,
    settings: ConverterSettings,
) -> impl Endpoint<Output = Response> + 'static {
    let ids = Arc::clone(&config.ids);
    let state = Arc::new(Converter { tasks: autorig.tasks().clone(), slots: settings.slots });
    let api = service().into_endpoint().data(state);
    Envelope {
        inner: Signed { inner: api, secret: settings.secret, clock: settings.clock },
        new_id: Arc::new(move || ids.id().simple().to_string()),
        routes: Routes::of::<api::ConverterApi>(),
        local: false,
    }
}
