//! One node: an AutoRig whose worker makes small files, told by lines on its standard input.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use autorig_core::{
    AutoRig, Result,
    blob::{BlobStore, LocalBlobs, S3Blobs, bytes_body},
    store::{PostgresSettings, PostgresStore, SqliteStore, Store},
    task::{Input, NewTask, RetryPolicy, Stage},
    worker::{Events, FileContent, Job, JobEvent, Worker},
};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_util::sync::CancellationToken;

use crate::s3_server;

/// A lost node's tasks are taken back after this time.
const LEASE: Duration = Duration::from_secs(2);
const HEARTBEAT: Duration = Duration::from_millis(400);

/// Files that every task makes.
pub(crate) const FILES: [&str; 3] = ["prepared_glb", "rigged_glb", "report_json"];

/// The files of a site: in a bucket or a folder.
pub(crate) async fn blobs(storage: &str) -> Arc<dyn BlobStore> {
    if storage.starts_with("s3:") {
        Arc::new(S3Blobs::open(&s3_server::settings(storage)).unwrap())
    } else {
        Arc::new(LocalBlobs::open(storage).await.unwrap())
    }
}

/// The parts that every node of a site shares. `database` is an address of PostgreSQL or a folder.
pub(crate) async fn open(database: &str, storage: &str, api: bool) -> AutoRig {
    let blobs = blobs(storage).await;
    let store: Arc<dyn Store> = if database.starts_with("postgres:") {
        let settings = PostgresSettings { connections: 6 };
        Arc::new(PostgresStore::connect(database, settings).await.unwrap())
    } else {
        Arc::new(SqliteStore::open(&Path::new(database).join("autorig.db")).await.unwrap())
    };
    let often = |delay| vec![Duration::from_millis(delay); 10_000];
    let retry = RetryPolicy { temporary: often(50), rate_limit: often(50), unknown: often(50) };
    let mut builder = AutoRig::builder()
        .store(store)
        .blobs(blobs)
        .worker(Arc::new(Small))
        .retry(retry)
        .lease(LEASE, HEARTBEAT)
        .dispatch_interval(Duration::from_secs(1));
    if api {
        builder = builder.work_elsewhere();
    }
    builder.build().await.unwrap()
}

pub(crate) fn run(role: &str, database: &str, storage: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let autorig = open(database, storage, role == "api").await;
        autorig.start().await.unwrap();
        println!("ready");
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        // The end of the driver is the end of its nodes.
        while let Ok(Some(key)) = lines.next_line().await {
            let tasks = autorig.tasks().clone();
            tokio::spawn(async move {
                let body = bytes_body(key.clone().into_bytes());
                let mut new = NewTask::rig(Input::Upload { name: format!("{key}.glb"), body });
                new.idempotency_key = Some(key.clone());
                match tasks.create(new).await {
                    Ok(created) => println!("accepted {key} {}", created.task.id),
                    Err(error) => {
                        // Sent again at once it would be refused again, and again.
                        tokio::time::sleep(HEARTBEAT / 4).await;
                        println!("refused {key} {}", error.code);
                    }
                }
            });
        }
    });
}

/// Makes small files.
struct Small;

#[async_trait]
impl Worker for Small {
    fn name(&self) -> &str {
        "small"
    }

    fn slots(&self) -> usize {
        4
    }

    fn kinds(&self) -> Vec<String> {
        vec!["rig".to_owned()]
    }

    async fn run(&self, job: Job, events: Events, _: CancellationToken) -> Result<()> {
        for (stage, key) in [Stage::Read, Stage::Export, Stage::Pack].into_iter().zip(FILES) {
            events.send(JobEvent::Progress { stage, fraction: 0.3 }).await?;
            let content = FileContent::Bytes(format!("{key} of {} by {}", job.task, job.attempt).into());
            events.send(JobEvent::File { key: key.to_owned(), content }).await?;
        }
        Ok(())
    }
}
