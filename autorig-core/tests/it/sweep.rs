//! Nothing is orphaned: a process that dies between any two steps, and what a sweep makes of the rest.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use autorig_core::{
    AutoRig, Class, Error, Result,
    blob::{
        Appender, Blob, BlobEntry, BlobMeta, BlobStore, ByteStream, LocalBlobs, Presented, Presigned,
        S3Blobs, bytes_body,
    },
    clock::{Clock, ManualClock, SequentialIds, Time},
    store::{SqliteStore, Store},
    sweep::Retention,
    task::{Failure, Input, NewTask, Owner, OwnerKind, WorkerName},
    upload::{Chunk, NewUpload},
};
use futures_util::stream::BoxStream;

use crate::{conformance::s3_server::S3Server, crashes::Mortal, support::World};

/// How many writing steps a process has left; at none it is dead, and nothing it does has any effect.
#[derive(Debug)]
pub(crate) struct Life {
    left: AtomicI64,
    /// The last step takes effect, and only its answer is lost.
    after: bool,
}

impl Life {
    fn of(steps: i64, after: bool) -> Arc<Self> {
        Arc::new(Self { left: AtomicI64::new(steps), after })
    }

    pub(crate) async fn step<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let dead = || Err(Error::temporary("store_unavailable", "the process is dead", "start it again"));
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            left if left > 0 => work.await,
            0 if self.after => {
                work.await?;
                dead()
            }
            _ => dead(),
        }
    }

    fn is_over(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }
}

/// The storage of a process that may die.
struct MortalBlobs {
    inner: Arc<dyn BlobStore>,
    life: Arc<Life>,
}

#[async_trait]
impl BlobStore for MortalBlobs {
    async fn put(&self, key: &str, body: ByteStream, limit: u64) -> Result<BlobMeta> {
        self.life.step(self.inner.put(key, body, limit)).await
    }
    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<Blob>> {
        self.inner.get(key, range).await
    }
    async fn size(&self, key: &str) -> Result<Option<u64>> {
        self.inner.size(key).await
    }
    async fn delete(&self, key: &str) -> Result<bool> {
        self.life.step(self.inner.delete(key)).await
    }
    fn entries(&self, prefix: &str) -> BoxStream<'_, Result<BlobEntry>> {
        self.inner.entries(prefix)
    }
    async fn rename(&self, from: &str, to: &str) -> Result<bool> {
        self.life.step(self.inner.rename(from, to)).await
    }
    async fn append(&self, key: &str, offset: u64) -> Result<Option<Box<dyn Appender>>> {
        self.life.step(self.inner.append(key, offset)).await
    }
    async fn presign_get(&self, key: &str, shown: &Presented, ttl: Duration) -> Result<Option<String>> {
        self.inner.presign_get(key, shown, ttl).await
    }
    async fn presign_put(&self, key: &str, sha256: Option<&str>, ttl: Duration) -> Result<Option<Presigned>> {
        self.inner.presign_put(key, sha256, ttl).await
    }
}

const KEY: &str = "key";
const MONTH: Duration = Duration::from_secs(30 * 86_400);

fn keep(results: Option<Duration>) -> Retention {
    Retention { uploads: None, results, anonymous: None, logs: None, interval: Duration::from_secs(60) }
}

async fn built(store: Arc<dyn Store>, blobs: Arc<dyn BlobStore>, clock: Arc<ManualClock>) -> AutoRig {
    let builder = AutoRig::builder().store(store).blobs(blobs).clock(clock);
    builder.ids(Arc::new(SequentialIds::default())).build().await.unwrap()
}

/// Everything that makes and ends references, until it is done or the process dies.
async fn live(autorig: &AutoRig, clock: &ManualClock) -> Result<()> {
    let tasks = autorig.tasks();
    let body = bytes_body(&b"glTF model"[..]);
    let input = Input::Upload { name: "hero.glb".to_owned(), body };
    tasks.create(NewTask::rig(input)).await?;
    attempt(autorig, &["prepared_glb", "rigged_glb"], false).await?;
    clock.advance(Duration::from_secs(3600));
    attempt(autorig, &["prepared_glb", "rigged_glb", "report_json"], true).await?;
    let first = sent(autorig, b"bytes of an upload").await?;
    let second = sent(autorig, b"bytes of an upload").await?;
    let new = NewTask::rig(Input::Announced(first));
    let shared = tasks.create(new).await?.task;
    let uploads = autorig.uploads();
    for id in [first, second] {
        uploads.cancel(&Owner::local(), id).await?;
    }
    tasks.cancel(shared.id).await?;
    let unfinished = sent(autorig, b"the beginning of").await?;
    uploads.cancel(&Owner::local(), unfinished).await?;
    clock.advance(MONTH);
    autorig.sweep(&keep(Some(MONTH))).await?;
    Ok(())
}

/// One attempt at the waiting task, by a worker of the network.
async fn attempt(autorig: &AutoRig, files: &[&str], well: bool) -> Result<()> {
    let leases = autorig.leases();
    let worker = WorkerName::new(KEY, "box").unwrap();
    let lease = leases.acquire(&worker, 1, &["rig".to_owned()], Duration::ZERO).await?.expect("a task waits");
    for key in files {
        leases.add_file(KEY, lease.id, key, bytes_body(format!("bytes of {key}"))).await?;
    }
    if well {
        leases.complete(KEY, lease.id).await?;
    } else {
        let message = "it failed".to_owned();
        let failure =
            Failure { class: Class::Temporary, code: None, message, remedy: None, retry_after: None };
        leases.fail(KEY, lease.id, failure).await?;
    }
    Ok(())
}

/// A file that goes the way of this storage: in two pieces to us, or by PUT.
async fn sent(autorig: &AutoRig, bytes: &'static [u8]) -> Result<uuid::Uuid> {
    let uploads = autorig.uploads();
    let owner = Owner::local();
    let new =
        NewUpload { owner: owner.clone(), name: "a.glb".to_owned(), size: bytes.len() as u64, sha256: None };
    let announced = uploads.begin(new).await?;
    let id = announced.upload.id;
    if let Some(put) = announced.put {
        let answer = crate::conformance::outsider().put(put.url).body(bytes).send().await.unwrap();
        assert!(answer.status().is_success());
        uploads.finish(&owner, id).await?;
        return Ok(id);
    }
    let (head, rest) = bytes.split_at(7);
    for (offset, piece) in [(0, head), (7, rest)] {
        let chunk = Chunk { offset, body: bytes_body(piece), checksum: None };
        uploads.write(&owner, id, chunk).await?;
    }
    Ok(id)
}

/// Lives through everything with so many steps to live, then starts again and sweeps; true when it did not die.
async fn survived(steps: i64, after: bool, blobs: Arc<dyn BlobStore>) -> bool {
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    let clock = Arc::new(ManualClock::default());
    let life = Life::of(steps, after);
    let mortal = MortalBlobs { inner: blobs.clone(), life: life.clone() };
    let autorig =
        built(Mortal::over(store.as_ref().clone(), life.clone()), Arc::new(mortal), clock.clone()).await;
    let lived = live(&autorig, &clock).await;
    assert_eq!(lived.is_err() || life.is_over(), life.is_over(), "{lived:?}");
    drop(autorig);
    let again = built(store, blobs.clone(), clock.clone()).await;
    again.sweep(&keep(None)).await.unwrap();
    again.remove_orphans(Time::MAX_UTC).await.unwrap();
    let audit = again.audit().await.unwrap();
    assert!(audit.is_clean(), "dead after {steps} steps ({after}): {audit:?}");
    // What is left of uploads on their way goes with time, and the rest with its tasks.
    clock.advance(MONTH * 2);
    again.sweep(&Retention { uploads: Some(MONTH), ..keep(Some(MONTH)) }).await.unwrap();
    again.remove_orphans(Time::MAX_UTC).await.unwrap();
    let audit = again.audit().await.unwrap();
    assert!(audit.is_clean(), "dead after {steps} steps ({after}), later: {audit:?}");
    !life.is_over()
}

#[tokio::test]
async fn a_process_that_dies_at_any_step_leaves_nothing_that_a_sweep_does_not_find_in_a_folder() {
    for after in [false, true] {
        let mut steps = 0;
        loop {
            let folder = tempfile::tempdir().unwrap();
            let blobs = Arc::new(LocalBlobs::open(folder.path()).await.unwrap());
            if survived(steps, after, blobs).await {
                break;
            }
            steps += 1;
        }
        assert!(steps > 40, "{steps}");
    }
}

#[tokio::test]
async fn a_process_that_dies_at_any_step_leaves_nothing_that_a_sweep_does_not_find_in_a_bucket() {
    let server = S3Server::start().await;
    for after in [false, true] {
        let mut steps = 0;
        loop {
            let prefix = format!("{after}/{steps}");
            let blobs = Arc::new(S3Blobs::open(&server.settings(&prefix)).unwrap());
            if survived(steps, after, blobs).await {
                break;
            }
            steps += 1;
        }
        assert!(steps > 40, "{steps}");
    }
}

#[tokio::test]
async fn old_results_go_with_their_input_and_those_of_visitors_sooner() {
    let world = World::new().await;
    let mut tasks = Vec::new();
    for kind in [OwnerKind::Local, OwnerKind::Anonymous, OwnerKind::User] {
        let mut new = NewTask::rig(crate::support::upload("hero.glb", b"model"));
        new.owner = Owner { kind, id: "me".to_owned() };
        tasks.push(world.tasks().create(new).await.unwrap().task.id);
    }
    let mut run = keep(Some(MONTH));
    run.anonymous = Some(Duration::from_secs(86_400));
    for id in &tasks {
        world.tasks().cancel(*id).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(86_399));
    assert_eq!(world.autorig.sweep(&run).await.unwrap().tasks, 0);
    world.clock.advance(Duration::from_secs(1));
    let swept = world.autorig.sweep(&run).await.unwrap();
    assert_eq!((swept.tasks, swept.files), (1, 1));
    assert!(world.tasks().get(tasks[1]).await.unwrap().is_none());
    world.clock.advance(MONTH);
    let swept = world.autorig.sweep(&run).await.unwrap();
    assert_eq!((swept.tasks, swept.files), (2, 2));
    assert!(world.blobs.list("").await.unwrap().is_empty());
    assert!(world.autorig.audit().await.unwrap().is_clean());
}

#[tokio::test]
async fn an_audit_names_what_is_in_one_place_alone() {
    let world = World::new().await;
    let task = world.create().await;
    world.blobs.put("uploads/stray", bytes_body(&b"x"[..]), 10).await.unwrap();
    world.blobs.delete(&task.input.blob).await.unwrap();
    let audit = world.autorig.audit().await.unwrap();
    assert_eq!((audit.unrecorded, audit.missing), (vec!["uploads/stray".to_owned()], vec![task.input.blob]));
    // Written just now by the machine's clock, which the manual one is behind.
    assert_eq!(world.autorig.remove_orphans(world.clock.now()).await.unwrap(), 0);
    assert_eq!(world.autorig.remove_orphans(Time::MAX_UTC).await.unwrap(), 1);
    assert!(world.blobs.list("").await.unwrap().is_empty());
}
