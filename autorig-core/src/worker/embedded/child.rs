//! The child's side: limits first, then the job, then nothing.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use super::{
    job::{RigJob, Sink, perform},
    protocol::{ChildError, ChildEvent, ChildJob, out_of_memory},
};
use crate::{Error, Result, task::Stage};

/// Longest job line; options with 512 joints need a tenth of it.
const MAX_JOB_LINE: u64 = 1 << 20;

/// The program's part as a rig's child process: reads a job from standard input, writes events to standard
/// output and files to the job's scratch folder.
///
/// A program that uses [`super::ChildWorker`] calls it, and nothing else, when its first argument is
/// `rig-child`.
///
/// `viewer_template` is the built viewer page that models are put into; without it there are no viewer pages.
pub fn child_main(viewer_template: Option<Arc<str>>) -> ExitCode {
    die_with_parent();
    let mut stdin = BufReader::new(io::stdin());
    let result = read_job(&mut stdin).and_then(|job| {
        leave_when_unwanted(stdin);
        limit_memory(job.memory_bytes)?;
        run(job, viewer_template)
    });
    let last = match &result {
        Ok(()) => ChildEvent::Done,
        Err(error) => ChildEvent::Error(ChildError::from(error)),
    };
    // When even this cannot be told, the exit code says so.
    match tell(&last) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn read_job(stdin: &mut impl BufRead) -> Result<ChildJob> {
    let mut line = String::new();
    stdin
        .take(MAX_JOB_LINE)
        .read_line(&mut line)
        .map_err(|error| Error::io("reading the job from standard input", error))?;
    serde_json::from_str(&line).map_err(|error| {
        Error::usage(
            "invalid_job",
            format!("standard input holds no job: {error}"),
            "this command is started by the server; use `autorig rig` instead",
        )
    })
}

/// The kernel ends this process when the thread that started it ends.
fn die_with_parent() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        // Without it the closed standard input still ends this process.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
}

/// The parent keeps the input open as long as it wants the result; that it closes means that it is gone.
fn leave_when_unwanted(mut stdin: impl Read + Send + 'static) {
    std::thread::spawn(move || {
        let mut rest = [0_u8; 64];
        while stdin.read(&mut rest).is_ok_and(|read| read > 0) {}
        std::process::exit(1);
    });
}

fn limit_memory(bytes: u64) -> Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let both = |value| Rlimit { current: Some(value), maximum: Some(value) };
        setrlimit(Resource::As, both(bytes))
            .map_err(|error| Error::io("limiting the memory of a rig", error.into()))?;
        // A crash is told by the exit status; a core file of gigabytes tells nobody anything.
        let _ = setrlimit(Resource::Core, both(0));
    }
    #[cfg(not(unix))]
    let _ = bytes;
    Ok(())
}

fn run(job: ChildJob, viewer_template: Option<Arc<str>>) -> Result<()> {
    let bytes = fs::read(&job.input).map_err(|error| match error.kind() {
        io::ErrorKind::OutOfMemory => out_of_memory(job.memory_bytes),
        _ => Error::io("reading the stored input", error),
    })?;
    let rig =
        RigJob { name: job.name, bytes, options: job.options, threads: Some(job.threads), viewer_template };
    perform(rig, &mut Lines { scratch: job.scratch })
}

/// Tells the parent by lines and files. Nobody asks it to stop: it is killed.
struct Lines {
    scratch: PathBuf,
}

impl Sink for Lines {
    fn progress(&mut self, stage: Stage, fraction: f32) -> Result<()> {
        tell(&ChildEvent::Progress { stage, fraction })
    }

    fn file(&mut self, key: &str, bytes: Vec<u8>) -> Result<()> {
        write_whole(&self.scratch, key, &bytes)
            .map_err(|error| Error::io(format!("writing `{key}`"), error))?;
        tell(&ChildEvent::File { key: key.to_owned() })
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let half = folder.join(format!("{name}.part"));
    fs::write(&half, bytes)?;
    fs::rename(half, folder.join(name))
}

fn tell(event: &ChildEvent) -> Result<()> {
    let mut line = serde_json::to_vec(event)
        .map_err(|error| Error::internal(format!("an event of the rig process: {error}")))?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line).and_then(|()| out.flush()).map_err(|error| Error::io("telling the server", error))
}
