//! The promise around a rig.
//!
//! The engine (`autorig-engine`) is a pure function: model in, rigged character out. This crate makes a *task*
//! of it: something that is accepted once, done once and delivered once, whatever crashes meanwhile. It
//! knows no HTTP server; the doors (server, command line, your program) translate and hold no rules.
//!
//! # Map
//!
//! | module | what it is |
//! | --- | --- |
//! | [`autorig`] | [`AutoRig`], the way in: a builder that puts the parts together |
//! | [`account`] | who calls and what they may do: API keys, sessions, [`AccountService`](account::AccountService) |
//! | [`task`] | the model, the state machine, [`TaskService`](task::TaskService), the dispatcher, events |
//! | [`store`] | [`Store`](store::Store): where state is kept; SQLite |
//! | [`blob`] | [`BlobStore`](blob::BlobStore): where bytes are kept; a local folder |
//! | [`worker`] | [`Worker`](worker::Worker): who rigs; a child process, or a thread of this one |
//! | [`signature`] | signed messages between machines |
//! | [`upload`] | uploads that resume, in pieces or straight to the storage |
//! | [`sweep`] | what goes by itself: what nothing refers to, and what has grown old |
//! | [`outbound`] | the one HTTP client, which refuses private addresses |
//! | [`config`] | one typed configuration |
//! | [`error`] | one error with a class, a code and a remedy |
//! | [`clock`] | time, ids and randomness, passed in |

//!
//! # A rig as a task
//!
//! ```
//! use std::time::Duration;
//!
//! use autorig_core::{AutoRig, blob::bytes_body, task::{Input, NewTask, TaskStatus}};
//! use autorig_engine::{sample, write};
//!
//! # #[tokio::main]
//! # async fn main() -> autorig_core::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! let autorig = AutoRig::builder().data_dir(folder.path()).await?.build().await?;
//! autorig.start().await?;
//!
//! let model = write::scene_glb(&sample::generate(sample::Sample::Human, Some(2000))?)?;
//! let input = Input::Upload { name: "hero.glb".to_owned(), body: bytes_body(model) };
//! let mut task = autorig.tasks().create(NewTask::rig(input)).await?.task;
//! while !task.status.is_terminal() {
//!     let seen = Some(task.version);
//!     task = autorig.tasks().wait(task.id, seen, Duration::from_secs(30)).await?.expect("it stays");
//! }
//! assert_eq!(task.status, TaskStatus::Done);
//! assert_eq!(task.file("rigged_glb").expect("done").name, "hero_rigged.glb");
//! # Ok(())
//! # }
//! ```

pub mod account;
pub mod autorig;
pub mod blob;
pub mod clock;
pub mod config;
pub mod error;
pub mod outbound;
pub mod signature;
pub mod store;
pub mod sweep;
pub mod task;
pub mod upload;
pub mod worker;

pub use autorig::{AutoRig, Builder};
pub use config::Config;
pub use error::{Class, Error, Kind, Result};
