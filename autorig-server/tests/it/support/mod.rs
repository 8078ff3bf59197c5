//! A real server on a free loopback port, with SQLite and files in a folder of its own, and what the tests
//! need to talk to it.

pub mod glb;
pub mod raw;
#[path = "../../../../autorig-core/tests/conformance/s3_server.rs"]
pub mod s3_server;
pub mod site;
pub mod sse;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Once},
    time::Duration,
};

use autorig_core::{
    AutoRig, Error,
    blob::BlobStore,
    outbound::Outbound,
    store::Quota,
    task::Stage,
    worker::{Events, FileContent, InProcessWorker, Job, JobEvent, Worker},
};
use autorig_server::{AdminLink, Server, ServerConfig, Ui};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    multipart::{Form, Part},
};
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

/// Far longer than anything here takes; a test that gets there is stuck.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it stops it.
pub struct TestServer {
    pub url: String,
    /// A site's link to become its admin.
    pub admin_link: Option<AdminLink>,
    pub http: Client,
    folder: Arc<tempfile::TempDir>,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<tokio::task::JoinHandle<()>>,
}

/// What a test may set.
pub struct Setup {
    pub worker: Arc<dyn Worker>,
    pub upload_limit: u64,
    pub outbound_allow: Vec<String>,
    pub heartbeat: Duration,
    pub pages: BTreeMap<String, bytes::Bytes>,
    /// Where the files are; the server's folder when `None`.
    pub blobs: Option<Arc<dyn BlobStore>>,
    pub storage_redirect: bool,
    pub public_url: Option<String>,
    pub quota: Quota,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            worker: Arc::new(PuppetWorker::free()),
            upload_limit: 4 << 20,
            outbound_allow: Vec::new(),
            heartbeat: Duration::from_secs(15),
            pages: BTreeMap::new(),
            blobs: None,
            storage_redirect: false,
            public_url: None,
            quota: Quota { at_once: 0, a_day: 0, apart: Duration::ZERO },
        }
    }
}

impl TestServer {
    /// With a worker that makes small files at once.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// With the real engine in this process.
    pub async fn with_engine() -> Self {
        Setup { worker: Arc::new(InProcessWorker::new(1)), ..Setup::default() }.start().await
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    /// Sends a file as a form with nothing else.
    pub async fn upload(&self, name: &str, bytes: Vec<u8>) -> Response {
        // Pictures and videos of every case would take minutes.
        self.upload_as("rig_only", name, bytes).await
    }

    /// Uploads a model of which so much is to be made.
    pub async fn upload_as(&self, mode: &str, name: &str, bytes: Vec<u8>) -> Response {
        let form = Form::new()
            .text("mode", mode.to_owned())
            .part("file", Part::bytes(bytes).file_name(name.to_owned()));
        self.post("/api/task/create").multipart(form).send().await.unwrap()
    }

    /// Creates a task that must be accepted; its id.
    pub async fn create(&self, name: &str, bytes: Vec<u8>) -> String {
        let answer = self.upload(name, bytes).await;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        body["task_id"].as_str().unwrap().to_owned()
    }

    pub async fn task(&self, id: &str) -> Value {
        self.get(&format!("/api/task/{id}")).send().await.unwrap().json().await.unwrap()
    }

    /// The task once nothing more happens to it.
    pub async fn finished(&self, id: &str) -> Value {
        let wait = async {
            loop {
                let task: Value =
                    self.get(&format!("/api/task/{id}?wait=30")).send().await.unwrap().json().await.unwrap();
                if matches!(task["status"].as_str(), Some("done" | "error" | "cancelled")) {
                    return task;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the task does not end")
    }

    pub async fn history(&self) -> Vec<Value> {
        let history: Value = self.get("/api/history?limit=100").send().await.unwrap().json().await.unwrap();
        history["items"].as_array().unwrap().clone()
    }

    /// Files below the blob folder.
    pub fn stored_files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(self.folder.path(), &mut found);
        found.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let database = name.contains(".db") || name.contains("sqlite");
            !database && path.strip_prefix(self.folder.path()).is_ok_and(|p| p.components().count() > 1)
        });
        found
    }

    /// Nothing was left behind; waits for clean-up that goes on after an answer.
    pub async fn assert_nothing_is_left(&self) {
        assert_eq!(self.history().await, Vec::<Value>::new(), "a task was made");
        let gone = async {
            while !self.stored_files().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, gone).await;
        assert!(ended.is_ok(), "files are left: {:?}", self.stored_files());
    }

    /// The server still does its work.
    pub async fn assert_still_serves(&self) {
        let answer = self.get("/health").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }

    /// Tells the server to stop and waits until it has; its folder, for the next one.
    pub async fn stop(mut self) -> Arc<tempfile::TempDir> {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let ended = self.ended.take().unwrap();
        tokio::time::timeout(PATIENCE, ended).await.expect("the server does not stop").unwrap();
        self.folder.clone()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(ended) = &self.ended {
            ended.abort();
        }
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

impl Setup {
    pub async fn start(self) -> TestServer {
        self.start_in(Arc::new(tempfile::tempdir().unwrap())).await
    }

    /// In the folder of a server that has stopped.
    pub async fn start_in(self, folder: Arc<tempfile::TempDir>) -> TestServer {
        install_crypto();
        let mut builder = AutoRig::builder().data_dir(folder.path()).await.unwrap();
        if let Some(blobs) = self.blobs {
            builder = builder.blobs(blobs);
        }
        let autorig = builder
            .worker(self.worker)
            .outbound(Outbound::new(&self.outbound_allow, Duration::from_secs(20)).unwrap())
            .upload_limit(self.upload_limit)
            .quota(self.quota)
            .build()
            .await
            .unwrap();
        let config = ServerConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            upload_limit: self.upload_limit,
            heartbeat: self.heartbeat,
            grace: Duration::from_secs(2),
            ui: Ui::from_files(self.pages),
            storage_redirect: self.storage_redirect,
            public_url: self.public_url,
            ..ServerConfig::default()
        };
        let server = Server::bind(autorig, config).unwrap();
        let url = server.url();
        let admin_link = server.admin_link(false).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            server.run(stopped).await.unwrap();
        });
        TestServer { url, admin_link, http: client(), folder, stop: Some(stop), ended: Some(ended) }
    }
}

/// A client that follows nothing and asks no proxy.
#[expect(
    clippy::disallowed_methods,
    reason = "tests speak HTTP themselves, so that no client of ours hides a mistake"
)]
fn client() -> Client {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

fn install_crypto() {
    static ONCE: Once = Once::new();
    // A second installation, by another part of the same process, changes nothing.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// Asserts that an answer is a complete problem with this status and code, and gives it.
pub async fn problem(answer: Response, status: u16, code: &str) -> Value {
    let got = answer.status().as_u16();
    let id = answer.headers().get("x-request-id").map(|v| v.to_str().unwrap().to_owned());
    let content_type = answer.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned());
    let path = answer.url().path().to_owned();
    let text = answer.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{got} is no JSON: {text}"));
    assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{body}");
    assert_eq!(content_type.as_deref(), Some("application/problem+json"));
    assert_eq!(body["status"], got);
    assert_eq!(body["instance"].as_str(), Some(path.as_str()));
    assert_eq!(body["request_id"].as_str(), id.as_deref());
    assert!(body["retryable"].is_boolean(), "{body}");
    for field in ["type", "title", "detail", "remedy"] {
        assert!(body[field].as_str().is_some_and(|text| text.len() > 2), "{field}: {body}");
    }
    body
}

/// A worker that plays a short rig: it makes every file without looking at the input, and stops before the
/// first and after the second stage until it is let go on.
pub struct PuppetWorker {
    gate: Arc<Semaphore>,
}

/// Lets a [`PuppetWorker`] go on, step by step.
pub struct Strings(Arc<Semaphore>);

impl Strings {
    /// One step: to the middle, or to the end.
    pub fn step(&self) {
        self.0.add_permits(1);
    }
}

impl PuppetWorker {
    /// One that never stops.
    pub fn free() -> Self {
        Self { gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)) }
    }

    /// One on strings.
    pub fn held() -> (Self, Strings) {
        let gate = Arc::new(Semaphore::new(0));
        (Self { gate: gate.clone() }, Strings(gate))
    }

    async fn gate(&self, cancel: &CancellationToken) -> Result<(), Error> {
        tokio::select! {
            permit = self.gate.acquire() => {
                permit.map_err(|_| Error::cancelled())?.forget();
                Ok(())
            }
            () = cancel.cancelled() => Err(Error::cancelled()),
        }
    }
}

/// What a puppet's file holds.
pub fn puppet_content(key: &str) -> String {
    format!("content of {key}, long enough for a range")
}

#[async_trait::async_trait]
impl Worker for PuppetWorker {
    fn name(&self) -> &str {
        "puppet"
    }

    fn slots(&self) -> usize {
        1
    }

    fn kinds(&self) -> Vec<String> {
        vec!["rig".to_owned()]
    }

    async fn run(&self, _job: Job, events: Events, cancel: CancellationToken) -> Result<(), Error> {
        let file = |key: &str| {
            let key = key.to_owned();
            let content = FileContent::Bytes(puppet_content(&key).into());
            JobEvent::File { key, content }
        };
        self.gate(&cancel).await?;
        events.send(JobEvent::Progress { stage: Stage::Read, fraction: 0.1 }).await?;
        events.send(file("prepared_glb")).await?;
        self.gate(&cancel).await?;
        events.send(JobEvent::Progress { stage: Stage::Export, fraction: 0.9 }).await?;
        events.send(file("rigged_glb")).await?;
        events.send(file("report_json")).await
    }
}
