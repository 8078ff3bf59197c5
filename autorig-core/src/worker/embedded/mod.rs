//! The engine as a worker: in a child process with limits ([`ChildWorker`]), or in this process
//! ([`InProcessWorker`]).
//!
//! A server takes the child process: whatever a hostile file does to the engine, it happens to that child
//! alone. Killing it is the cancel, and the kernel keeps it within its memory.

mod child;
mod in_process;
mod job;
mod process;
mod protocol;

use std::{path::PathBuf, time::Duration};

use crate::{Config, Error, Result};

pub use child::child_main;
pub use in_process::InProcessWorker;
pub use process::ChildWorker;

/// What a rig in a child process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildLimits {
    /// Rigs at once.
    pub slots: usize,
    /// Address space of one rig, in bytes.
    pub memory_bytes: u64,
    /// Time of one rig.
    pub time: Duration,
    /// Threads of one rig.
    pub threads: usize,
}

impl ChildLimits {
    /// As a configuration says.
    pub fn from_config(config: &Config) -> Self {
        Self {
            slots: config.slots(),
            memory_bytes: config.worker_memory_mb << 20,
            time: Duration::from_secs(config.worker_time_s),
            threads: config.threads(),
        }
    }
}

/// The path of the running program, for [`ChildWorker::new`].
///
/// # Errors
/// `internal` when the system does not tell.
pub fn this_program() -> Result<PathBuf> {
    // Leads to the running program itself, also after an update has replaced its file.
    let link = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && link.exists() {
        return Ok(link);
    }
    std::env::current_exe().map_err(|error| Error::internal(format!("the program's own path: {error}")))
}
