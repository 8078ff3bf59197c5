//! The HTTP door of AutoRig: the REST API, live events, files, and the web UI.
//!
//! It translates and holds no rules; what a task is and what becomes of it is `autorig-core`'s to decide. A
//! server without a public address is *local*: it listens on loopback only, checks that it was called by a
//! loopback name, and takes every caller for the owner. One with a public address is a *site*: an API key or a session says
//! who calls.
//!
//! ```
//! use autorig_core::AutoRig;
//! use autorig_server::{Server, ServerConfig};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let folder = tempfile::tempdir()?;
//! let autorig = AutoRig::builder().data_dir(folder.path()).await?.build().await?;
//! let config = ServerConfig { listen: "127.0.0.1:0".parse()?, ..ServerConfig::default() };
//! let server = Server::bind(autorig, config)?;
//! println!("open {}", server.url());
//! // A program would wait for its end here: `tokio::signal::ctrl_c()`.
//! server.run(async {}).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Map
//!
//! | module | what it is |
//! | --- | --- |
//! | `server` | [`Server`]: listener, which part answers to which path, graceful end |
//! | `config` | [`ServerConfig`], [`ServerError`] |
//! | `access` | the gate: what each call needs, and who calls |
//! | `site`, `signin` | the public address of a site, and its one-time admin link |
//! | `api` | the calls, one file a group; `api::wire` has the API's structs and their conversion from core's |
//! | `converter` | the other door: the server of a machine that jobs are pushed to |
//! | `upload`, `json_body` | request bodies, piece by piece and never past their limit |
//! | `problem` | every refusal as `application/problem+json` |
//! | `middleware` | request ids, log spans, the guard of local mode, headers, compression |
//! | `http` | ETag, ranges, file names in headers |
//! | `ui`, `docs`, `assets` | the pages, `/docs`, and how a file of theirs is served |
//! | `openapi` | [`openapi_json`]: the API document, kept in `openapi/autorig.json` |
//!
//! A request passes `middleware::envelope` (id, span, guard, errors, headers), then `server` sends it to the API,
//! the documentation or the pages.

mod access;
mod api;
mod assets;
mod config;
mod converter;
mod docs;
mod http;
mod json_body;
mod middleware;
mod openapi;
mod problem;
mod raw_body;
mod routes;
mod server;
mod signin;
mod site;
mod ui;
mod upload;

pub use config::{ServerConfig, ServerError};
pub use converter::{ConverterSettings, worker_yaml};
pub use openapi::openapi_json;
pub use server::{AdminLink, Server, serve};
pub use ui::{Ui, viewer_template};
