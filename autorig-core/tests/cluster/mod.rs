//! A real PostgreSQL for tests: one cluster for a run of tests, one database for each of them.
//!
//! `AUTORIG_TEST_POSTGRES` names a cluster in which databases may be created
//! (`postgres://user:password@host/postgres`). Without it the first test that asks starts a private cluster of the
//! installed programs in a temporary folder, and a watcher stops it when the run has ended.

use std::{
    fs::{self, File},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

/// Nobody: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;
/// A cluster starts within this time or not at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database of one test, removed with it.
pub(crate) struct TestDatabase {
    name: String,
    /// Where it is.
    pub(crate) url: String,
}

impl TestDatabase {
    /// An empty database.
    pub(crate) async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("autorig_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let cluster = cluster();
        on_cluster(&cluster, &format!("CREATE DATABASE {name}")).await;
        let (server, options) = cluster.split_once('?').unwrap_or((&cluster, ""));
        let server = server.rsplit_once('/').unwrap().0;
        Self { url: format!("{server}/{name}?{options}"), name }
    }

    /// A connection to it besides those of the store.
    #[allow(dead_code, reason = "not every test program looks under the store")]
    pub(crate) async fn connect(&self) -> PgConnection {
        self.url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
    }

    /// Ends every other connection to it, as a network that was cut.
    #[allow(dead_code, reason = "not every test program cuts connections")]
    pub(crate) async fn cut(&self) {
        on_cluster(
            &cluster(),
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                self.name
            ),
        )
        .await;
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // Outside of the test's runtime, which may be ending.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(on_cluster(&cluster(), &statement));
        });
        // One that stays goes with its cluster.
        let _ = dropped.join();
    }
}

async fn on_cluster(url: &str, statement: &str) {
    let options: PgConnectOptions = url.parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// The address of the run's cluster, started when nobody has yet.
fn cluster() -> String {
    if let Ok(url) = std::env::var("AUTORIG_TEST_POSTGRES") {
        return url;
    }
    // nextest runs each test in a process of its own, and all under one id.
    let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
    let folder = std::env::temp_dir().join(format!("autorig-pg-{run}"));
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("started").exists() {
        start(&folder);
        fs::write(folder.join("started"), "").unwrap();
    }
    format!("postgres:///postgres?user=autorig&host={}", folder.display())
}

#[expect(clippy::zombie_processes, reason = "the watcher outlives this process, and ends with its parent")]
fn start(folder: &Path) {
    let programs = programs();
    let data = folder.join("data");
    own(folder);
    let made = Command::new(programs.join("initdb"))
        .args(["--username=autorig", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
        .arg(&data)
        .unprivileged()
        .output()
        .unwrap();
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    // Whoever runs the tests outlives them, and the cluster ends with it.
    let runner = std::os::unix::process::parent_id();
    let script = format!(
        "'{bin}/postgres' -D '{data}' -k '{folder}' -c listen_addresses= -c max_connections=300 -c fsync=off \
         -c full_page_writes=off >'{folder}/log' 2>&1 & server=$!
         while kill -0 {runner} 2>/dev/null || [ -d /proc/{runner} ]; do sleep 1; done
         kill -QUIT $server; wait $server; rm -rf '{folder}'",
        bin = programs.display(),
        data = data.display(),
        folder = folder.display(),
    );
    Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Not in the test's group, which is ended with the test.
        .process_group(0)
        .unprivileged()
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !folder.join(".s.PGSQL.5432").exists() || !answers(&programs, folder) {
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(began.elapsed() < PATIENCE, "PostgreSQL does not start: {}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn answers(programs: &Path, folder: &Path) -> bool {
    let asked = Command::new(programs.join("pg_isready")).arg("-qh").arg(folder).status();
    asked.unwrap().success()
}

/// The folder of PostgreSQL's programs; Debian keeps them off the path.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    let mut folders = std::env::split_paths(&path).chain(debian).filter_map(|folder| {
        let server = folder.join("postgres").canonicalize().ok()?;
        Some(server.parent()?.to_owned())
    });
    folders.find(|folder| folder.join("initdb").exists()).expect(
        "PostgreSQL is not installed: `apt-get install postgresql`, or name a cluster by AUTORIG_TEST_POSTGRES, or \
         leave these tests out: cargo nextest run -E 'not test(postgres)'",
    )
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

fn own(folder: &Path) {
    if is_root() {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

trait Unprivileged {
    fn unprivileged(&mut self) -> &mut Self;
}

impl Unprivileged for Command {
    fn unprivileged(&mut self) -> &mut Self {
        if is_root() { self.uid(NOBODY).gid(NOBODY).current_dir("/") } else { self }
    }
}
