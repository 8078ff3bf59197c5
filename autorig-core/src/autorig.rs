//! The way in: [`AutoRig::builder`] puts the parts together, [`AutoRig::open`] does it for a configuration.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Error, Result,
    account::AccountService,
    blob::{BlobStore, LocalBlobs, S3Blobs},
    clock::{Clock, Ids, SystemClock, SystemIds, Time},
    config::Role,
    outbound::Outbound,
    store::{PostgresStore, Quota, SqliteStore, Store},
    sweep::{Audit, Retention, Swept},
    task::{
        Dispatcher, DispatcherSettings, Hub, Leases, Relay, RetryPolicy, RigKind, TaskKind, TaskService, Wake,
    },
    upload::{UploadService, Writers},
    worker::{
        ChildWorker, ConverterPool, InProcessWorker, Worker,
        converter::{Converters, PoolTimes},
        embedded::ChildLimits,
    },
};

/// How far the times of files may lie behind the clock.
const COARSE: Duration = Duration::from_secs(2);

mod data_dir;

pub use data_dir::DataDir;

/// A running AutoRig: tasks go in, rigged characters come out.
///
/// Dropping it without [`AutoRig::shutdown`] stops everything at once; what was being done is done again
/// by the next start.
pub struct AutoRig {
    tasks: TaskService,
    accounts: AccountService,
    dispatcher: Arc<Dispatcher>,
    stop: CancellationToken,
    abort: CancellationToken,
    running: Mutex<Option<Running>>,
    /// False where other nodes do the work.
    dispatching: bool,
    /// What is swept by itself, and how long things are kept.
    retention: Option<Retention>,
    /// Since when nobody else can have been writing to the blobs.
    alone_since: Option<Time>,
    _data_dir: Option<DataDir>,
}

impl AutoRig {
    /// Puts the parts together.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A builder with everything a configuration says, except for the worker: the database it names, or SQLite in
    /// the data directory, which is locked against a second process.
    ///
    /// # Errors
    /// `data_dir_in_use`, `newer_database`, `invalid_config`, `io_error`, `store_unavailable`.
    pub async fn from_config(config: &Config) -> Result<Builder> {
        config.validate()?;
        let data_dir = DataDir::open(&config.data_dir)?;
        let blobs: Arc<dyn BlobStore> = match config.storage()? {
            Some(settings) => Arc::new(S3Blobs::open(&settings)?),
            None => Arc::new(LocalBlobs::open(data_dir.blobs()).await?),
        };
        let store = match &config.database_url {
            Some(url) => PostgresStore::connect(url, config.postgres()).await?,
            None => SqliteStore::open(&data_dir.database()).await?,
        };
        let outbound = Outbound::new(&config.outbound_allow, Duration::from_secs(config.outbound_time_s))?;
        let mut builder = Self::builder()
            .store(Arc::new(store))
            .blobs(blobs)
            .outbound(outbound)
            .node(data_dir.node()?)
            .upload_limit(config.upload_limit())
            .quota(config.quota())
            .lease(config.lease(), Duration::from_secs(config.heartbeat_s))
            .dispatch_interval(config.dispatch_interval.duration())
            .retention(config.retention());
        builder.data_dir = Some(data_dir);
        // They are in the directory that is locked.
        builder.own_blobs = config.storage_url.is_none();
        builder.per_owner = config.per_owner();
        builder.work_elsewhere = config.role == Role::Api;
        Ok(builder)
    }

    /// Everything a configuration says: each rig is a child process `<this program> rig-child`, which the
    /// program must answer with [`crate::worker::embedded::child_main`].
    ///
    /// # Errors
    /// As [`AutoRig::from_config`].
    pub async fn open(config: &Config) -> Result<Self> {
        let builder = Self::from_config(config).await?;
        let scratch = config.data_dir.join("scratch");
        let mut limits = ChildLimits::from_config(config);
        if !matches!(config.role, Role::All | Role::Worker) {
            limits.slots = 0;
        }
        let worker = ChildWorker::new(crate::worker::embedded::this_program()?, &scratch, limits)?;
        let builder = match config.converters()? {
            Some(converters) => builder.converters(converters, PoolTimes::default()),
            None => builder,
        };
        builder.worker(Arc::new(worker)).build().await
    }

    /// What callers do with tasks.
    pub fn tasks(&self) -> &TaskService {
        &self.tasks
    }

    /// What workers that lease tasks over the network do with them.
    pub fn leases(&self) -> Leases {
        Leases { inner: self.tasks.inner.clone() }
    }

    /// Who calls, and their keys.
    pub fn accounts(&self) -> &AccountService {
        &self.accounts
    }

    /// What callers do with uploads.
    pub fn uploads(&self) -> UploadService {
        UploadService { inner: self.tasks.inner.clone() }
    }

    /// Removes at once what has grown old and what nothing refers to any more, as the background does.
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`, `storage_unavailable`.
    pub async fn sweep(&self, keep: &Retention) -> Result<Swept> {
        self.tasks.inner.sweep(keep).await
    }

    /// Removes files of the storage that were written before a moment and that there is no record of. How many.
    /// A file is recorded a moment after it was put, so the moment has to be past by far unless nobody writes.
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`, `storage_unavailable`.
    pub async fn remove_orphans(&self, before: Time) -> Result<u64> {
        self.tasks.inner.remove_orphans(before).await
    }

    /// Compares the storage with the records: nothing may be in one of them alone.
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`, `storage_unavailable`.
    pub async fn audit(&self) -> Result<Audit> {
        self.tasks.inner.audit().await
    }

    /// Starts handing out tasks; what a former run of this node held is taken back first. Calling it again
    /// does nothing.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn start(&self) -> Result<()> {
        if self.running.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Ok(());
        }
        self.dispatcher.recover().await?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() {
            let inner = &self.tasks.inner;
            for worker in &self.dispatcher.workers {
                let (worker, inner, stop) = (worker.clone(), inner.clone(), self.stop.clone());
                tokio::spawn(async move {
                    worker.watch(&|| inner.wake.notify_one(), stop).await;
                });
            }
            let signed_off = CancellationToken::new();
            let relay = Relay { inner: inner.clone() }.run(signed_off.clone());
            let (stop, abort) = (self.stop.clone(), self.abort.clone());
            let dispatching = self.dispatching.then(|| self.dispatcher.clone().run(stop, abort));
            *running = Some(Running {
                dispatcher: dispatching.map(tokio::spawn),
                relay: tokio::spawn(relay),
                signed_off,
            });
            if let Some(keep) = self.retention.filter(|_| self.dispatching) {
                tokio::spawn(crate::sweep::run(inner.clone(), keep, self.alone_since, self.stop.clone()));
            }
        }
        Ok(())
    }

    /// Hands out nothing more and waits up to `grace` for what is being done; what is not finished then
    /// is given back and done by the next start.
    pub async fn shutdown(&self, grace: Duration) {
        self.stop.cancel();
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut running) = running else { return };
        if let Some(dispatcher) = &mut running.dispatcher {
            let mut ended = tokio::select! {
                ended = &mut *dispatcher => Some(ended),
                () = self.tasks.inner.clock.sleep(grace) => None,
            };
            if ended.is_none() {
                self.abort.cancel();
                ended = Some(dispatcher.await);
            }
            if let Some(Err(error)) = ended {
                tracing::error!(%error, "the dispatcher did not end by itself");
            }
        }
        // Other nodes are heard until the end: they may cancel what is still being done here.
        running.signed_off.cancel();
        if let Err(error) = (&mut running.relay).await {
            tracing::error!(%error, "the relay did not end by itself");
        }
    }
}

/// What works in the background.
struct Running {
    dispatcher: Option<JoinHandle<()>>,
    relay: JoinHandle<()>,
    signed_off: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(dispatcher) = &self.dispatcher {
            dispatcher.abort();
        }
        self.relay.abort();
    }
}

/// Puts an [`AutoRig`] together; every part can be your own.
#[derive(Default)]
pub struct Builder {
    store: Option<Arc<dyn Store>>,
    blobs: Option<Arc<dyn BlobStore>>,
    workers: Vec<Arc<dyn Worker>>,
    kinds: Vec<Arc<dyn TaskKind>>,
    clock: Option<Arc<dyn Clock>>,
    ids: Option<Arc<dyn Ids>>,
    outbound: Option<Outbound>,
    node: Option<String>,
    retry: RetryPolicy,
    converters: Option<(Converters, PoolTimes)>,
    upload_limit: Option<u64>,
    quota: Option<Quota>,
    lease: Option<(Duration, Duration)>,
    interval: Option<Duration>,
    per_owner: Option<u32>,
    work_elsewhere: bool,
    data_dir: Option<DataDir>,
    /// The blobs are in the data directory, which nobody else uses.
    own_blobs: bool,
    retention: Option<Retention>,
}

impl Builder {
    /// Where state is kept.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Where bytes are kept.
    #[must_use]
    pub fn blobs(mut self, blobs: Arc<dyn BlobStore>) -> Self {
        self.blobs = Some(blobs);
        self.own_blobs = false;
        self
    }

    /// State and bytes in one folder: SQLite and files, locked against a second process.
    ///
    /// # Errors
    /// `data_dir_in_use`, `newer_database`, `io_error`, `store_unavailable`.
    pub async fn data_dir(mut self, path: impl AsRef<Path>) -> Result<Self> {
        let data_dir = DataDir::open(path.as_ref())?;
        self.store = Some(Arc::new(SqliteStore::open(&data_dir.database()).await?));
        self.blobs = Some(Arc::new(LocalBlobs::open(data_dir.blobs()).await?));
        self.node = Some(data_dir.node()?);
        self.data_dir = Some(data_dir);
        self.own_blobs = true;
        self.retention.get_or_insert_default();
        Ok(self)
    }

    /// One more worker; without any, rigs run in a thread of this process.
    #[must_use]
    pub fn worker(mut self, worker: Arc<dyn Worker>) -> Self {
        self.workers.push(worker);
        self
    }

    /// One more kind of task, besides `rig`.
    #[must_use]
    pub fn kind(mut self, kind: Arc<dyn TaskKind>) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Tells the time.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Makes ids.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn Ids>) -> Self {
        self.ids = Some(ids);
        self
    }

    /// Fetches links.
    #[must_use]
    pub fn outbound(mut self, outbound: Outbound) -> Self {
        self.outbound = Some(outbound);
        self
    }

    /// Names this node: what it held is taken back when it starts again, so no two may share a name.
    #[must_use]
    pub fn node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Machines that tasks are pushed to, beside the other workers.
    #[must_use]
    pub fn converters(mut self, converters: Converters, times: PoolTimes) -> Self {
        self.converters = Some((converters, times));
        self
    }

    /// Which failures are tried again, and when.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Largest upload, in bytes.
    #[must_use]
    pub fn upload_limit(mut self, bytes: u64) -> Self {
        self.upload_limit = Some(bytes);
        self
    }

    /// What one owner may create, where [`NewTask::limited`](crate::task::NewTask::limited) says that it counts.
    #[must_use]
    pub fn quota(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }

    /// How long a worker holds a task without a sign of life, and how often it gives one.
    #[must_use]
    pub fn lease(mut self, lease: Duration, heartbeat: Duration) -> Self {
        self.lease = Some((lease, heartbeat));
        self
    }

    /// Most tasks of one owner in work at once; without it there is no limit. The owner of local mode has none.
    #[must_use]
    pub fn tasks_per_owner(mut self, most: u32) -> Self {
        self.per_owner = Some(most);
        self
    }

    /// This node hands out nothing: others that share the store do.
    #[must_use]
    pub fn work_elsewhere(mut self) -> Self {
        self.work_elsewhere = true;
        self
    }

    /// How long things are kept; [`Retention::default`] in a [`Builder::data_dir`]. Where neither is given nothing is
    /// swept in the background, and [`AutoRig::sweep`] is yours to call.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// How often the dispatcher looks although nothing woke it.
    #[must_use]
    pub fn dispatch_interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Puts it together; nothing runs before [`AutoRig::start`].
    ///
    /// # Errors
    /// `incomplete_builder` without a store or blobs.
    pub async fn build(self) -> Result<AutoRig> {
        let defaults = Config::default();
        let store = self.store.ok_or_else(|| incomplete("a store"))?;
        let blobs = self.blobs.ok_or_else(|| incomplete("a blob store"))?;
        store.ping().await?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let ids = self.ids.unwrap_or_else(|| Arc::new(SystemIds));
        let mut workers = self.workers;
        let mut links = None;
        if let Some((converters, times)) = self.converters {
            let pool = ConverterPool::new(&converters, clock.clone(), ids.clone())?.times(times);
            links = Some(pool.links().clone());
            workers.push(Arc::new(pool));
        }
        if workers.is_empty() {
            workers.push(Arc::new(InProcessWorker::new(1)));
        }
        let mut kinds: Vec<Arc<dyn TaskKind>> = vec![Arc::new(RigKind)];
        kinds.extend(self.kinds);
        let outbound = match self.outbound {
            Some(outbound) => outbound,
            None => Outbound::new(&[], Duration::from_secs(defaults.outbound_time_s))?,
        };
        let (lease, heartbeat) =
            self.lease.unwrap_or_else(|| (defaults.lease(), Duration::from_secs(defaults.heartbeat_s)));
        let settings = DispatcherSettings {
            interval: self.interval.unwrap_or_else(|| defaults.dispatch_interval.duration()),
            lease,
            heartbeat,
            retry: self.retry,
            per_owner: self.per_owner,
        };
        let shared = store.is_shared();
        // Two processes of one name would take each other's tasks back.
        let node =
            self.node.unwrap_or_else(|| if shared { ids.id().to_string() } else { "local".to_owned() });
        let hub = Hub::new(shared);
        let inner = Arc::new(crate::task::Inner {
            store,
            blobs,
            clock,
            ids,
            links,
            outbound,
            kinds,
            limits: crate::task::ServiceLimits {
                upload_bytes: self.upload_limit.unwrap_or_else(|| defaults.upload_limit()),
                quota: self.quota.unwrap_or_else(|| defaults.quota()),
            },
            settings,
            node,
            wake: Wake::new(hub.clone()),
            hub,
            counted: Arc::default(),
            writers: Writers::default(),
            slots: watch::Sender::new(Vec::new()),
            running: Mutex::new(HashMap::new()),
        });
        let accounts =
            AccountService::open(inner.store.clone(), inner.clock.clone(), inner.ids.clone()).await?;
        // Written by this machine's clock, some ticks of which are coarse.
        let alone_since = self.own_blobs.then(|| inner.clock.now() - COARSE);
        Ok(AutoRig {
            tasks: TaskService { inner: inner.clone() },
            accounts,
            dispatcher: Arc::new(Dispatcher { inner, workers }),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
            running: Mutex::new(None),
            dispatching: !self.work_elsewhere,
            retention: self.retention,
            alone_since,
            _data_dir: self.data_dir,
        })
    }
}

fn incomplete(what: &str) -> Error {
    Error::usage(
        "incomplete_builder",
        format!("AutoRig::builder() was given no {}", what.trim_start_matches("a ")),
        "call .data_dir(path), or .store(..) and .blobs(..)",
    )
}
