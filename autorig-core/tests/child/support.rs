//! A worker over a program, and what became of a job.

use std::{path::Path, sync::Arc, time::Duration};

use autorig_core::{
    Error,
    blob::{BlobStore, LocalBlobs, bytes_body},
    task::{InputFile, TaskId},
    worker::{ChildWorker, Events, FileContent, Job, JobEvent, Worker, embedded::ChildLimits},
};
use autorig_engine::{
    sample::{Sample, generate},
    write::scene_glb,
};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub(crate) const LIMITS: ChildLimits =
    ChildLimits { slots: 1, memory_bytes: 4 << 30, time: Duration::from_secs(120), threads: 1 };

/// What a job told and how it ended.
pub(crate) struct Ended {
    pub(crate) result: Result<(), Error>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) furthest: f32,
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) runtime: Runtime,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), runtime: Runtime::new().unwrap() }
    }

    pub(crate) fn scratch(&self) -> std::path::PathBuf {
        self.folder.path().join("scratch")
    }

    pub(crate) fn worker(&self, program: &Path, limits: ChildLimits) -> ChildWorker {
        ChildWorker::new(program, &self.scratch(), limits).unwrap()
    }

    /// Runs a job to its end; `during` hears every event.
    pub(crate) fn run(
        &self,
        worker: &dyn Worker,
        input: &[u8],
        cancel: &CancellationToken,
        during: impl Fn(&JobEvent),
    ) -> Ended {
        self.runtime.block_on(async {
            let blobs = LocalBlobs::open(self.folder.path().join("blobs")).await.unwrap();
            let meta = blobs.put("uploads/x", bytes_body(input.to_vec()), u64::MAX).await.unwrap();
            let job = Job {
                task: TaskId(uuid::Uuid::from_u128(7)),
                attempt: 1,
                kind: "rig".to_owned(),
                // Pictures and videos of every case would take minutes.
                params: serde_json::json!({"mode": "rig_only"}),
                input: InputFile {
                    blob: "uploads/x".to_owned(),
                    name: "hero.glb".to_owned(),
                    size: meta.size,
                    sha256: meta.sha256,
                },
                blobs: Arc::new(blobs),
                files: Vec::new(),
                shutdown: CancellationToken::new(),
                checkpoint: None,
            };
            let (events, mut arriving) = Events::channel(4);
            let (mut files, mut furthest) = (Vec::new(), 0.0);
            let listen = async {
                while let Some(delivery) = arriving.recv().await {
                    during(&delivery.event);
                    match &delivery.event {
                        JobEvent::Progress { fraction, .. } => {
                            assert!(*fraction >= furthest, "progress fell from {furthest} to {fraction}");
                            furthest = *fraction;
                        }
                        JobEvent::Checkpoint(value) => panic!("a rig keeps nothing: {value}"),
                        JobEvent::File { key, content } => files.push((key.clone(), read(content))),
                    }
                }
            };
            let (result, ()) = tokio::join!(worker.run(job, events, cancel.clone()), listen);
            Ended { result, files, furthest }
        })
    }

    /// Nothing of the job is left.
    pub(crate) fn assert_tidy(&self) {
        assert_eq!(std::fs::read_dir(self.scratch()).unwrap().count(), 0);
    }
}

fn read(content: &FileContent) -> Vec<u8> {
    match content {
        FileContent::Path(path) => std::fs::read(path).unwrap(),
        FileContent::Bytes(bytes) => bytes.to_vec(),
        FileContent::Stream(_) => panic!("a child's files are whole"),
    }
}

pub(crate) fn sample(triangles: usize) -> Vec<u8> {
    scene_glb(&generate(Sample::Human, Some(triangles)).unwrap()).unwrap()
}
