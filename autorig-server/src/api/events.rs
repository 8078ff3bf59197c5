//! A task's life as server-sent events.

use autorig_core::task::{TaskEvent, TaskId};
use futures_util::{Stream, StreamExt};
use poem::{
    IntoResponse, Response,
    http::StatusCode,
    web::sse::{Event, SSE},
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path},
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use super::{Ctx, Group, State, task_id, wire::event_data};
use crate::problem::Problem;

/// How long a browser waits before it connects again, in milliseconds.
const RECONNECT_MS: u64 = 2000;

pub(crate) struct EventsApi;

#[OpenApi(tag = "Group::Tasks")]
impl EventsApi {
    /// Follow a task live
    ///
    /// Server-sent events. Each has an `id`, a name and JSON `data`:
    ///
    /// * `queued` `{position, next_attempt_at}` while it waits, again when the position changes
    /// * `stage` `{stage, progress}` when a stage begins, `progress` `{stage, progress}` within it
    /// * `file` `{key, name, size, url}` when a file can be downloaded
    /// * `log` `{message}` when whoever works on it has something to say
    /// * `done` `{status}`, `error` `{class, code, message, remedy}` or `cancelled` `{status}` as the last one
    ///
    /// The stream begins with everything that has happened, or with what came after `Last-Event-ID`; it ends after
    /// the last event. Comments (`:`) keep it open. A finished task of which the caller has seen everything
    /// answers 204, which tells a browser not to connect again.
    #[oai(path = "/api/task/:id/events", method = "get", operation_id = "task_events")]
    async fn events(
        &self,
        state: Ctx<'_>,
        /// The task's id.
        id: Path<String>,
        /// The id of the last event that arrived.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
    ) -> Result<EventAnswer, Problem> {
        let id = task_id(&id)?;
        let task = state.task(id).await?;
        let after = last_event_id.as_deref().map(str::trim).unwrap_or_default();
        // What is no id of ours is an id we do not know: begin at the beginning.
        let after = after.parse::<u64>().unwrap_or(0).min(task.version);
        if task.status.is_terminal() && after >= task.version {
            return Ok(EventAnswer(StatusCode::NO_CONTENT.into()));
        }
        let stream = follow(&state, id, after);
        let response = SSE::new(stream).keep_alive(state.config.heartbeat).into_response();
        Ok(EventAnswer(response))
    }
}

/// The events as they are sent, until the last one or until the server stops.
fn follow(state: &State, id: TaskId, after: u64) -> impl Stream<Item = Event> + Send + use<> {
    let events = state.tasks.events(id, after);
    let told = events.scan((), move |(), event| {
        // After an error the stream just ends; the client connects again and goes on where it was.
        let event =
            event.inspect_err(|error| tracing::warn!(%error, task_id = %id, "an event stream broke off"));
        std::future::ready(event.ok().map(|event| to_sse(id, &event)))
    });
    let stopping = state.stopping.clone().cancelled_owned();
    futures_util::stream::once(async { Event::Retry { retry: RECONNECT_MS } })
        .chain(told)
        .take_until(stopping)
}

fn to_sse(id: TaskId, event: &TaskEvent) -> Event {
    Event::message(event_data(id, &event.kind)).event_type(event.kind.name()).id(event.id.to_string())
}

/// Every event's name.
const EVENTS: [&str; 8] = ["queued", "stage", "progress", "file", "log", "done", "error", "cancelled"];

/// An event stream, or the news that nothing will come.
pub(crate) struct EventAnswer(Response);

impl IntoResponse for EventAnswer {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for EventAnswer {
    fn meta() -> MetaResponses {
        let text = |description| {
            MetaSchemaRef::Inline(Box::new(MetaSchema {
                description: Some(description),
                ..MetaSchema::new("string")
            }))
        };
        let name = MetaSchema {
            description: Some("What happened."),
            enum_items: EVENTS.map(serde_json::Value::from).into(),
            ..MetaSchema::new("string")
        };
        // A document of this version cannot say that a stream is many of these; tools that know event streams
        // take the schema for that of one event.
        let schema = MetaSchema {
            description: Some("One event of the stream. `x-events` names what its `data` is."),
            required: vec!["id", "event", "data"],
            properties: vec![
                ("id", text("Send the last one as `Last-Event-ID` to go on from there.")),
                ("event", MetaSchemaRef::Inline(Box::new(name))),
                ("data", text("JSON.")),
            ],
            ..MetaSchema::new("object")
        };
        let answer = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: vec![],
        };
        let stream = MetaMediaType {
            content_type: "text/event-stream",
            schema: MetaSchemaRef::Inline(Box::new(schema)),
        };
        MetaResponses {
            responses: vec![
                answer(200, "The events, as they happen.", vec![stream]),
                answer(204, "The task is finished and the caller has seen everything.", vec![]),
            ],
        }
    }

    fn register(_registry: &mut Registry) {}
}
