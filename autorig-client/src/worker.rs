//! A worker's calls: lease a task, fetch its model, say how far it got, hand in files, end it.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use reqwest::{Body, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::fs::File;

use crate::{Client, Error, Result, client::json};

/// A task in this worker's hands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// What the calls about it name.
    pub lease: String,
    /// The task.
    pub task_id: String,
    /// How often it has been tried, this time included.
    pub attempt: u32,
    /// What is to be done: `rig`.
    pub kind: String,
    /// The kind's options, checked by the server.
    pub params: Value,
    /// The model.
    pub input: LeaseInput,
    /// Files to hand in.
    #[serde(default)]
    pub files: Vec<LeaseFile>,
    /// How often to say something, in seconds; after about three times that the lease is lost.
    pub heartbeat_seconds: u64,
}

/// The model of a leased task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseInput {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
}

/// A file to hand in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseFile {
    /// Its key.
    pub key: String,
    /// Without it the task is not done.
    pub required: bool,
}

/// Why a task could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeaseFailure {
    /// `user_violation`, `temporary`, `rate_limit`, `billing` or `unknown`: decides whether it is tried again.
    pub class: String,
    /// Stable machine-readable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What the user can do.
    pub remedy: String,
    /// When to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// Where the bytes of a made file are.
#[derive(Debug, Clone)]
pub enum Made {
    /// In a file of this machine.
    Path(PathBuf),
    /// In memory.
    Bytes(Bytes),
}

impl Error {
    /// True when the lease a call was about has ended: stop working on the task.
    pub fn is_lease_lost(&self) -> bool {
        self.code() == "lease_lost"
    }
}

impl Client {
    /// A task to do; waits for one up to `wait`. `None` when there was none. `slots` is how many tasks this
    /// worker does at once.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn lease(
        &self,
        name: &str,
        slots: usize,
        kinds: &[String],
        wait: Duration,
    ) -> Result<Option<Lease>> {
        let url = self.url(&["api", "worker", "lease"])?;
        let request =
            serde_json::json!({"name": name, "slots": slots, "kinds": kinds, "wait_seconds": wait.as_secs()});
        let answer = self.send(async || Ok(self.request(Method::POST, url.clone()).json(&request))).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        json(answer).await.map(Some)
    }

    /// The bytes of a leased task's model.
    ///
    /// # Errors
    /// `lease_lost`; the server's refusal, or no connection, also while the bytes arrive.
    pub async fn lease_input(&self, lease: &Lease) -> Result<impl Stream<Item = Result<Bytes>> + use<>> {
        let url = self.url(&["api", "worker", &lease.lease, "input"])?;
        let answer = self.send(async || Ok(self.request(Method::GET, url.clone()))).await?;
        Ok(answer.bytes_stream().map_err(Error::from))
    }

    /// Says how far a leased task got, as a stage and a part of the whole, or only that the worker lives.
    ///
    /// # Errors
    /// `lease_lost`; the server's refusal, or no connection.
    pub async fn lease_progress(&self, lease: &Lease, at: Option<(&str, f32)>) -> Result<()> {
        let progress = match at {
            Some((stage, fraction)) => serde_json::json!({"stage": stage, "fraction": fraction}),
            None => serde_json::json!({}),
        };
        self.lease_post(lease, "progress", &progress).await
    }

    /// Hands in a file of a leased task.
    ///
    /// # Errors
    /// `lease_lost`; [`Error::File`] when it cannot be read; the server's refusal, or no connection.
    pub async fn lease_file(&self, lease: &Lease, key: &str, made: &Made) -> Result<()> {
        let url = self.url(&["api", "worker", &lease.lease, "files", key])?;
        let put = async || {
            let body = match made {
                Made::Bytes(bytes) => Body::from(bytes.clone()),
                Made::Path(path) => {
                    let opened = File::open(path).await;
                    Body::from(opened.map_err(|source| Error::File { path: path.clone(), source })?)
                }
            };
            let request = self.request(Method::PUT, url.clone());
            Ok(request.header("Content-Type", "application/octet-stream").body(body))
        };
        self.send(put).await.map(drop)
    }

    /// Says that a leased task is done.
    ///
    /// # Errors
    /// `lease_lost`; the server's refusal, or no connection.
    pub async fn lease_complete(&self, lease: &Lease) -> Result<()> {
        self.lease_post(lease, "complete", &Value::Null).await
    }

    /// Says that a leased task failed.
    ///
    /// # Errors
    /// `lease_lost`; the server's refusal, or no connection.
    pub async fn lease_fail(&self, lease: &Lease, failure: &LeaseFailure) -> Result<()> {
        self.lease_post(lease, "fail", failure).await
    }

    /// Gives a leased task back unfinished, which is not counted as a failure.
    ///
    /// # Errors
    /// `lease_lost`; the server's refusal, or no connection.
    pub async fn lease_release(&self, lease: &Lease) -> Result<()> {
        self.lease_post(lease, "release", &Value::Null).await
    }

    async fn lease_post(&self, lease: &Lease, what: &str, body: &impl Serialize) -> Result<()> {
        let url = self.url(&["api", "worker", &lease.lease, what])?;
        self.send(async || Ok(self.request(Method::POST, url.clone()).json(body))).await.map(drop)
    }
}
