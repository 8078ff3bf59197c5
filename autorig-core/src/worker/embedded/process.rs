//! The parent's side: starts a child for each rig, listens, and kills it when it must.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::{io::AsyncWriteExt, sync::oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    ChildLimits,
    protocol::{ChildEvent, ChildJob, out_of_memory},
};
use crate::{
    Class, Error, Kind, Result,
    task::RigOptions,
    worker::{Events, FileContent, Job, JobEvent, Worker},
};

/// Rigs in child processes of a program, `<program> rig-child`.
#[derive(Debug)]
pub struct ChildWorker {
    program: PathBuf,
    scratch: PathBuf,
    limits: ChildLimits,
}

/// Longest line a child may say.
const MAX_LINE: u64 = 1 << 16;
/// What is kept of a child's standard error.
const MAX_STDERR: usize = 4096;
/// How often a child that has closed its output is asked whether it has ended.
const REAP: Duration = Duration::from_millis(5);
/// Variables a child gets; the rest, secrets among them, is none of its business.
const ENVIRONMENT: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "RUST_BACKTRACE", "TMPDIR"];

impl ChildWorker {
    /// A worker that starts `program` with the argument `rig-child` (see [`super::child_main`]). Each
    /// attempt gets a folder of its own in `scratch`, which belongs to this worker: left-overs are removed.
    ///
    /// # Errors
    /// `io_error` when the scratch folder cannot be used.
    pub fn new(program: impl Into<PathBuf>, scratch: &Path, limits: ChildLimits) -> Result<Self> {
        let failed = |error| Error::io(format!("the scratch folder `{}`", scratch.display()), error);
        match std::fs::remove_dir_all(scratch) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => std::fs::create_dir_all(scratch).map_err(failed)?,
        }
        // The child runs in its own folder, so paths must not depend on ours.
        let scratch = scratch.canonicalize().map_err(failed)?;
        Ok(Self { program: program.into(), scratch, limits })
    }
}

#[async_trait]
impl Worker for ChildWorker {
    fn name(&self) -> &str {
        "embedded"
    }

    fn slots(&self) -> usize {
        self.limits.slots
    }

    fn kinds(&self) -> Vec<String> {
        vec!["rig".to_owned()]
    }

    async fn run(&self, job: Job, events: Events, cancel: CancellationToken) -> Result<()> {
        let folder = Scratch::new(self.scratch.join(format!("{}-{}", job.task, job.attempt)))?;
        let request = ChildJob {
            name: job.input.name.clone(),
            input: input_path(&job, &folder.0).await?,
            scratch: folder.0.clone(),
            options: RigOptions::parse(job.params)?,
            memory_bytes: self.limits.memory_bytes,
            threads: self.limits.threads,
        };
        let leash = Arc::new(Leash::default());
        // Dropping this future kills the child as well.
        let _kill = KillOnDrop(leash.clone());
        let (sender, ended) = oneshot::channel();
        let (program, thread_leash) = (self.program.clone(), leash.clone());
        // A thread of its own that lives as long as the child: the kernel's "die with the parent" means
        // the thread that started it, and threads of a runtime come and go.
        std::thread::Builder::new()
            .name("autorig-child".to_owned())
            .spawn(move || {
                let result = supervise(&program, &request, &events, &thread_leash);
                drop(events);
                // Nobody waits for it after a cancel.
                let _ = sender.send(result);
            })
            .map_err(|error| Error::io("starting a thread", error))?;
        tokio::pin!(ended);
        let why = tokio::select! {
            result = &mut ended => return result.unwrap_or_else(|_| Err(lost())),
            () = cancel.cancelled() => Error::cancelled(),
            () = tokio::time::sleep(self.limits.time) => too_slow(self.limits.time),
        };
        leash.kill();
        // The folder goes only after the child has.
        let _ = ended.await;
        Err(why)
    }
}

async fn input_path(job: &Job, folder: &Path) -> Result<PathBuf> {
    if let Some(path) = job.blobs.local_path(&job.input.blob) {
        return path.canonicalize().map_err(|error| Error::io("finding the stored input", error));
    }
    let blob = job.blobs.get(&job.input.blob, None).await?;
    let mut body = blob.ok_or_else(|| Error::internal("the stored input is gone"))?.body;
    let path = folder.join("input");
    let failed = |error| Error::io("copying the stored input", error);
    let mut file = tokio::fs::File::create(&path).await.map_err(failed)?;
    while let Some(piece) = body.next().await {
        file.write_all(&piece?).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(path)
}

/// Runs a child from start to end.
fn supervise(program: &Path, job: &ChildJob, events: &Events, leash: &Leash) -> Result<()> {
    let mut command = Command::new(program);
    command
        .arg("rig-child")
        .current_dir(&job.scratch)
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let started = |error| Error::io(format!("starting `{} rig-child`", program.display()), error);
    let mut child = command.spawn().map_err(started)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    leash.hold(child);
    let stderr = std::thread::spawn(move || stderr.map(tail).unwrap_or_default());
    // A child that dies at once breaks this pipe; its exit status says more.
    let _stdin = stdin.and_then(|stdin| send_job(stdin, job).ok());
    let said = stdout.map_or(Ok(None), |stdout| listen(BufReader::new(stdout), job, events));
    if said.is_err() {
        leash.kill();
    }
    let status = leash.reap();
    let stderr = stderr.join().unwrap_or_default();
    if !stderr.is_empty() {
        tracing::debug!(stderr, "the rig process said");
    }
    match said? {
        Some(last) => last,
        None => Err(crashed(status, &stderr, job.memory_bytes)),
    }
}

/// The pipe must stay open: the child leaves when it closes.
fn send_job(mut stdin: ChildStdin, job: &ChildJob) -> std::io::Result<ChildStdin> {
    let mut line = serde_json::to_vec(job)?;
    line.push(b'\n');
    stdin.write_all(&line)?;
    stdin.flush()?;
    Ok(stdin)
}

/// Passes events on until the child has nothing more to say; its last word, if it had one.
fn listen(mut stdout: impl BufRead, job: &ChildJob, events: &Events) -> Result<Option<Result<()>>> {
    let mut last = None;
    loop {
        let mut line = Vec::new();
        let read = stdout
            .by_ref()
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)
            .map_err(|error| Error::io("listening to the rig process", error))?;
        if read == 0 {
            return Ok(last);
        }
        let event: ChildEvent = serde_json::from_slice(&line)
            .map_err(|error| Error::internal(format!("the rig process said something strange: {error}")))?;
        match event {
            ChildEvent::Progress { stage, fraction } => {
                events.send_blocking(JobEvent::Progress { stage, fraction })?;
            }
            ChildEvent::File { key } => {
                crate::blob::check_key(&key)?;
                let content = FileContent::Path(job.scratch.join(&key));
                events.send_blocking(JobEvent::File { key, content })?;
            }
            ChildEvent::Done => last = Some(Ok(())),
            ChildEvent::Error(error) => last = Some(Err(error.into())),
        }
    }
}

fn tail(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let mut piece = [0_u8; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut piece) {
        kept.extend_from_slice(piece.get(..read).unwrap_or_default());
        let excess = kept.len().saturating_sub(MAX_STDERR);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// Holds a child so that it can be killed from elsewhere, and never another process of the same number.
#[derive(Debug, Default)]
struct Leash(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    child: Option<Child>,
    killed: bool,
}

impl Leash {
    fn hold(&self, mut child: Child) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.killed {
            // It fails only when the child has ended by itself.
            let _ = child.kill();
        }
        held.child = Some(child);
    }

    fn kill(&self) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.killed = true;
        if let Some(child) = &mut held.child {
            let _ = child.kill();
        }
    }

    /// Waits for the end without keeping the leash from [`Leash::kill`].
    fn reap(&self) -> Option<ExitStatus> {
        loop {
            let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match held.child.as_mut().map(Child::try_wait) {
                Some(Ok(None)) => {}
                Some(Ok(Some(status))) => {
                    held.child = None;
                    return Some(status);
                }
                Some(Err(_)) | None => return None,
            }
            drop(held);
            std::thread::sleep(REAP);
        }
    }
}

struct KillOnDrop(Arc<Leash>);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// The folder of one attempt, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(path: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&path).map_err(|error| Error::io("making a scratch folder", error))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "a scratch folder could not be removed");
        }
    }
}

/// A child that ended without a last word.
fn crashed(status: Option<ExitStatus>, stderr: &str, memory_bytes: u64) -> Error {
    // What Rust says before it aborts on a failed allocation.
    if stderr.contains("memory allocation of") {
        return out_of_memory(memory_bytes);
    }
    let how = status.map_or_else(|| "it disappeared".to_owned(), |status| status.to_string());
    tracing::warn!(how, stderr, "a rig process crashed");
    Error::new(
        Class::Temporary,
        Kind::Internal,
        "worker_crashed",
        format!("the rigging process ended unexpectedly ({how})"),
        "it is tried again by itself; if it fails again, report it with the file that causes it",
    )
}

fn too_slow(limit: Duration) -> Error {
    Error::temporary(
        "worker_timeout",
        format!("rigging took longer than {} s", limit.as_secs()),
        "simplify the mesh and send it again",
    )
}

fn lost() -> Error {
    Error::internal("the thread that watches the rig process ended unexpectedly")
}
