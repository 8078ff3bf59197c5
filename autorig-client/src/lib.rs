//! Typed HTTP client of the AutoRig API: create a rig, follow it, download its files.
//!
//! ```no_run
//! use autorig_client::{Client, EventKind, NewTask};
//!
//! # async fn example() -> autorig_client::Result<()> {
//! let client = Client::builder("http://127.0.0.1:7070").build()?;
//! let created = client.create(&NewTask::file("hero.glb")).await?;
//! let mut events = client.events(&created.task_id);
//! while let Some(event) = events.next().await? {
//!     if let EventKind::Stage { stage, progress } = event.kind {
//!         eprintln!("{stage} {progress} %");
//!     }
//! }
//! let task = client.get(&created.task_id).await?;
//! if let Some(file) = task.file("rigged_glb") {
//!     client.download(file, "hero_rigged.glb").await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | |
//! | --- | --- |
//! | `client` | [`Client`], [`Builder`], one method a call |
//! | `create` | [`NewTask`]: a file, bytes or a link, with options |
//! | `events` | [`Events`]: server-sent events that survive a lost connection |
//! | `download` | whole files, resumed where they broke off, checked by their SHA-256 |
//! | `upload` | large files, sent in a stream that goes on where it broke |
//! | `worker` | a worker's calls: [`Lease`] |
//! | `manage` | restart, make another, edit, remove, the log; API keys |
//! | `model` | what the server answers |
//! | `retry` | [`RetryPolicy`]: what is tried again, and when |
//! | `error` | [`Error`] with a stable code and a remedy |
//!
//! Every call is safe to repeat: reading calls by nature, creating ones by an `Idempotency-Key` that
//! stays the same over all attempts of one call.

mod client;
mod create;
mod download;
mod error;
mod events;
mod manage;
mod model;
mod retry;
mod sse;
mod upload;
mod worker;

pub use client::{Builder, Client};
pub use create::{Input, JointHint, NewTask, TaskOptions};
pub use error::{Error, Problem, Result};
pub use events::{Event, EventKind, Events};
pub use manage::{ApiKey, LogLine, MadeKey, Me, NewKey, TaskEdit, TaskLog, User};
pub use model::{Created, File, HistoryPage, Queue, QueueStatus, Status, Task, TaskError, TaskSummary, Urls};
pub use retry::RetryPolicy;
pub use upload::{Progress, Upload};
pub use worker::{Lease, LeaseFailure, LeaseFile, LeaseInput, Made};
