//! What happens to a task, as it happens: server-sent events that go on after a lost connection.

use std::collections::VecDeque;

use reqwest::{Method, Response, header::ACCEPT};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    Client, Error, Result, Status, TaskError,
    sse::{Parser, RawEvent},
};

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number, by which the stream resumes.
    pub id: Option<String>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// It waits.
    Queued {
        /// Its place, from 1.
        position: Option<u64>,
    },
    /// A stage begins.
    Stage {
        /// `read`, `analyse`, `skeleton`, `skin`, `export`.
        stage: String,
        /// 0 to 100.
        progress: f64,
    },
    /// It goes on.
    Progress {
        /// The stage it is in.
        stage: Option<String>,
        /// 0 to 100.
        progress: f64,
    },
    /// A file is ready.
    File {
        /// Its stable key.
        key: String,
        /// The name to save it under.
        name: String,
        /// Bytes.
        size: Option<u64>,
        /// Where it is, relative to the server.
        url: String,
    },
    /// Whoever works on it has something to say.
    Log {
        /// One line.
        message: String,
    },
    /// It ended, well or by a cancel; the last event.
    Done {
        /// `done` or `cancelled`.
        status: Status,
    },
    /// It failed for good; the last event.
    Error(TaskError),
    /// One that this version does not know.
    Other {
        /// Its name.
        name: String,
        /// Its data, text when it is not JSON.
        data: Value,
    },
}

impl EventKind {
    /// Nothing follows.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Error(_))
    }
}

/// The events of one task, in order; connects at the first [`Events::next`].
#[derive(Debug)]
pub struct Events {
    client: Client,
    task_id: String,
    last_id: Option<String>,
    connection: Option<(Response, Parser)>,
    waiting: VecDeque<Event>,
    /// Connections in a row that brought nothing.
    fruitless: u32,
    ended: bool,
}

impl Events {
    pub(crate) fn new(client: Client, task_id: String) -> Self {
        Self {
            client,
            task_id,
            last_id: None,
            connection: None,
            waiting: VecDeque::new(),
            fruitless: 0,
            ended: false,
        }
    }

    /// Goes on after the event of this id, as if it had been the last one seen.
    #[must_use]
    pub fn after(mut self, id: impl Into<String>) -> Self {
        self.last_id = Some(id.into());
        self
    }

    /// The next event, or `None` after the last one.
    ///
    /// Safe to drop and call again: no event is lost.
    ///
    /// # Errors
    /// The server's refusal; a connection that stays lost.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.ended = event.kind.is_last();
                if event.id.is_some() {
                    self.last_id.clone_from(&event.id);
                }
                if self.ended {
                    self.waiting.clear();
                    self.connection = None;
                }
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            self.fill().await?;
        }
    }

    /// Reads the next piece of the stream, connecting again when it broke.
    async fn fill(&mut self) -> Result<()> {
        let (response, parser) = match &mut self.connection {
            Some(connection) => connection,
            None => {
                let response = self.connect().await?;
                self.connection.insert((response, Parser::default()))
            }
        };
        let error = match response.chunk().await {
            Ok(Some(bytes)) => {
                let raw = parser.push(&bytes).map_err(|_| too_long())?;
                for event in raw {
                    self.waiting.push_back(convert(event)?);
                    self.fruitless = 0;
                }
                return Ok(());
            }
            Ok(None) => None,
            Err(error) => Some(Error::from(error)),
        };
        self.connection = None;
        self.reconnect(error).await
    }

    /// Decides what a stream that ended without a last event means.
    async fn reconnect(&mut self, error: Option<Error>) -> Result<()> {
        let orderly = error.is_none();
        if orderly && self.client.get(&self.task_id).await?.status.is_terminal() && self.fruitless > 0 {
            // It is over, and the server had twice nothing more to tell.
            self.ended = true;
            return Ok(());
        }
        self.fruitless += 1;
        let Some(delay) = self.client.retry().delay(self.fruitless, None) else {
            return Err(error.unwrap_or_else(|| Error::UnexpectedAnswer {
                status: None,
                message: "the events end before the task does".to_owned(),
            }));
        };
        sleep(delay).await;
        Ok(())
    }

    async fn connect(&self) -> Result<Response> {
        let url = self.client.task_url(&self.task_id, &["events"])?;
        self.client
            .send(async || {
                let mut request =
                    self.client.request(Method::GET, url.clone()).header(ACCEPT, "text/event-stream");
                if let Some(id) = &self.last_id {
                    request = request.header("Last-Event-ID", id);
                }
                Ok(request)
            })
            .await
    }
}

#[derive(Deserialize)]
struct Position {
    #[serde(default)]
    position: Option<u64>,
}

#[derive(Deserialize)]
struct Work {
    #[serde(default)]
    stage: Option<String>,
    #[serde(default)]
    progress: f64,
}

#[derive(Deserialize)]
struct Ready {
    key: String,
    name: String,
    #[serde(default)]
    size: Option<u64>,
    url: String,
}

#[derive(Deserialize)]
struct Said {
    message: String,
}

#[derive(Deserialize)]
struct End {
    status: Status,
}

fn convert(raw: RawEvent) -> Result<Event> {
    let RawEvent { name, data, id } = raw;
    let kind = match name.as_str() {
        "queued" => EventKind::Queued { position: parse::<Position>(&data)?.position },
        "stage" => {
            let Work { stage, progress } = parse(&data)?;
            EventKind::Stage { stage: stage.unwrap_or_default(), progress }
        }
        "progress" => {
            let Work { stage, progress } = parse(&data)?;
            EventKind::Progress { stage, progress }
        }
        "file" => {
            let Ready { key, name, size, url } = parse(&data)?;
            EventKind::File { key, name, size, url }
        }
        "log" => EventKind::Log { message: parse::<Said>(&data)?.message },
        "done" => EventKind::Done { status: parse::<End>(&data)?.status },
        "cancelled" => EventKind::Done { status: Status::Cancelled },
        "error" => EventKind::Error(parse(&data)?),
        _ => {
            let data = serde_json::from_str(&data).unwrap_or(Value::String(data));
            EventKind::Other { name, data }
        }
    };
    Ok(Event { id, kind })
}

fn parse<T: DeserializeOwned>(data: &str) -> Result<T> {
    serde_json::from_str(data).map_err(|error| Error::UnexpectedAnswer {
        status: None,
        message: format!("an event is not as documented: {error}"),
    })
}

fn too_long() -> Error {
    Error::UnexpectedAnswer { status: None, message: "an event is too long".to_owned() }
}
