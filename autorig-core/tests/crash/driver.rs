//! Sends tasks to nodes, kills nodes and cuts connections, and looks at what is left.

use std::{
    collections::{HashMap, HashSet},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use autorig_core::{
    AutoRig,
    task::{Task, TaskId, TaskStatus},
};
use futures_util::TryStreamExt;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    runtime::Runtime,
    sync::mpsc,
};

use crate::{
    cluster::TestDatabase,
    node::{self, FILES},
    s3_server::S3Server,
};

/// A run that takes longer has lost something. `./dev crash` kills ten times as often.
const PATIENCE: Duration = Duration::from_secs(280);
/// Calls that are open at once.
const OPEN: usize = 24;
/// Between two kills so many tasks are accepted, at least and at most.
const BETWEEN: (u64, u64) = (2, 12);

pub(crate) fn postgres_loses_no_task() {
    Runtime::new().unwrap().block_on(async {
        let storage = S3Server::start().await;
        let database = TestDatabase::new().await;
        let roles = ["api", "api", "api", "all", "all"];
        let site = Site { database: database.url.clone(), storage: storage.url("crash") };
        Drive::new(site, &roles, Some(&database)).run().await;
    });
}

pub(crate) fn sqlite_loses_no_task() {
    Runtime::new().unwrap().block_on(async {
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let database = state.path().to_str().unwrap().to_owned();
        let storage = folder.path().to_str().unwrap().to_owned();
        Drive::new(Site { database, storage }, &["all"], None).run().await;
    });
}

/// What nodes share.
struct Site {
    database: String,
    storage: String,
}

/// A process, and how often its place was filled before.
struct Node {
    role: &'static str,
    child: Child,
    stdin: ChildStdin,
    life: usize,
}

/// What a node says, or that it has ended.
struct Said {
    node: usize,
    life: usize,
    line: Option<String>,
}

struct Drive<'a> {
    site: Site,
    cuts: Option<&'a TestDatabase>,
    nodes: Vec<Node>,
    said: mpsc::UnboundedReceiver<Said>,
    say: mpsc::UnboundedSender<Said>,
    /// Open calls: the key and the node that was asked.
    open: HashMap<String, usize>,
    /// What was promised.
    accepted: HashMap<String, TaskId>,
    sent: usize,
    kills: usize,
    dice: u64,
}

impl<'a> Drive<'a> {
    fn new(site: Site, roles: &[&'static str], cuts: Option<&'a TestDatabase>) -> Self {
        let (say, said) = mpsc::unbounded_channel();
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let kills = number("AUTORIG_CRASH_KILLS").unwrap_or(20);
        let dice = number("AUTORIG_CRASH_SEED").unwrap_or(7) as u64 | 1;
        let (open, accepted) = (HashMap::new(), HashMap::new());
        let mut drive =
            Self { site, cuts, nodes: Vec::new(), said, say, open, accepted, sent: 0, kills, dice };
        for (place, role) in roles.iter().enumerate() {
            let node = drive.start(place, role, 0);
            drive.nodes.push(node);
        }
        drive
    }

    async fn run(mut self) {
        let patience = PATIENCE * u32::try_from(self.kills.div_ceil(20)).unwrap();
        let kills = self.kills;
        let ran = tokio::time::timeout(patience, async {
            self.load().await;
            self.look().await
        })
        .await;
        let (tasks, again, left) = ran.expect("the tasks to end");
        println!(
            "{kills} kills: {tasks} tasks done once, {again} of them after a lost attempt, {left} files for the sweep"
        );
        for node in &mut self.nodes {
            node.child.kill().await.unwrap();
        }
    }

    /// Sends and kills until every call was answered.
    async fn load(&mut self) {
        let mut until_kill = self.roll(BETWEEN);
        while self.kills > 0 || !self.open.is_empty() {
            while self.kills > 0 && self.open.len() < OPEN {
                self.sent += 1;
                self.send(format!("task-{}", self.sent)).await;
            }
            let said = self.said.recv().await.unwrap();
            if self.nodes[said.node].life != said.life {
                continue;
            }
            let Some(line) = said.line else {
                // It could not go on by itself, without its database perhaps.
                self.restart(said.node).await;
                continue;
            };
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["ready"] => {}
                ["accepted", key, id] => {
                    self.open.remove(*key);
                    let id = id.parse().unwrap();
                    let before = self.accepted.insert((*key).to_owned(), id);
                    assert!(before.is_none_or(|before| before == id), "{key} made two tasks");
                    until_kill = until_kill.saturating_sub(1);
                }
                // Its call is running elsewhere, or the database was away: it is sent again.
                ["refused", key, code] => {
                    assert!(["store_unavailable", "idempotency_key_running"].contains(code), "{line}");
                    self.send((*key).to_owned()).await;
                }
                other => panic!("a node said {other:?}"),
            }
            if until_kill == 0 && self.kills > 0 {
                self.kill().await;
                until_kill = self.roll(BETWEEN);
            }
        }
    }

    /// Kills a node, or cuts every connection to the database.
    async fn kill(&mut self) {
        self.kills -= 1;
        let victim = usize::try_from(self.roll((0, self.nodes.len() as u64 + 1))).unwrap();
        match self.cuts {
            Some(database) if victim >= self.nodes.len() => database.cut().await,
            _ => {
                let victim = victim % self.nodes.len();
                // SIGKILL.
                let _: Result<(), _> = self.nodes[victim].child.start_kill();
                let _: ExitStatus = self.nodes[victim].child.wait().await.unwrap();
                self.restart(victim).await;
            }
        }
    }

    /// Starts a node anew; what it was asked is asked again.
    async fn restart(&mut self, place: usize) {
        let (role, life) = (self.nodes[place].role, self.nodes[place].life + 1);
        self.nodes[place] = self.start(place, role, life);
        let lost: Vec<String> =
            self.open.iter().filter(|(_, node)| **node == place).map(|(key, _)| key.clone()).collect();
        for key in lost {
            self.send(key).await;
        }
    }

    fn start(&self, place: usize, role: &'static str, life: usize) -> Node {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash-node", role, &self.site.database, &self.site.storage])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let say = self.say.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let _: Result<(), _> = say.send(Said { node: place, life, line: Some(line) });
            }
            let _: Result<(), _> = say.send(Said { node: place, life, line: None });
        });
        Node { role, child, stdin, life }
    }

    async fn send(&mut self, key: String) {
        let place = usize::try_from(self.roll((0, self.nodes.len() as u64))).unwrap();
        // A node that has died meanwhile is found out by its end.
        let _: Result<(), _> = self.nodes[place].stdin.write_all(format!("{key}\n").as_bytes()).await;
        self.open.insert(key, place);
    }

    /// Every promise is kept once. How many tasks there are, how many had lost an attempt, and how many files were
    /// left behind for the sweep.
    async fn look(&self) -> (usize, usize, usize) {
        let ids: HashSet<TaskId> = self.accepted.values().copied().collect();
        assert_eq!((ids.len(), self.accepted.len()), (self.sent, self.sent), "one task for each call");
        let autorig = node::open(&self.site.database, &self.site.storage, true).await;
        let blobs = node::blobs(&self.site.storage).await;
        let mut kept = HashSet::new();
        let mut again = 0;
        for id in &ids {
            let task = ended(&autorig, *id).await;
            assert_eq!(task.status, TaskStatus::Done, "{:?}", task.error);
            let heard: Vec<_> = autorig.tasks().events(*id, 0).try_collect().await.unwrap();
            assert_eq!(heard.iter().filter(|event| event.kind.is_terminal()).count(), 1, "one end");
            let keys: HashSet<&str> = task.files.iter().map(|file| file.key.as_str()).collect();
            assert_eq!(keys, FILES.into_iter().collect());
            for (blob, size) in task.files.iter().map(|file| (&file.blob, file.size)) {
                assert_eq!(blobs.size(blob).await.unwrap(), Some(size), "the file {blob} is there");
                assert!(blob.contains(&format!("/{}/", task.attempt)), "made by the attempt that ended it");
                kept.insert(blob.clone());
            }
            again += usize::from(task.attempt > 1);
            assert!(blobs.size(&task.input.blob).await.unwrap().is_some(), "the input is there");
            kept.insert(task.input.blob);
        }
        let counts = autorig.tasks().queue_status().await.unwrap();
        assert_eq!((counts.queued, counts.processing), (0, 0), "no task but those that were promised");
        let all: Vec<String> = blobs.list("").await.unwrap();
        assert!(kept.iter().all(|blob| all.contains(blob)));
        (ids.len(), again, all.len() - kept.len())
    }
}

async fn ended(autorig: &AutoRig, id: TaskId) -> Task {
    loop {
        let task = autorig.tasks().wait(id, Some(0), Duration::from_secs(60)).await.unwrap().unwrap();
        if task.status.is_terminal() {
            return task;
        }
        autorig.tasks().wait(id, Some(task.version), Duration::from_secs(60)).await.unwrap();
    }
}

impl Drive<'_> {
    /// From `from` up to but without `to`, the same in every run of a seed (xorshift64).
    fn roll(&mut self, (from, to): (u64, u64)) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        from + self.dice % (to - from)
    }
}
