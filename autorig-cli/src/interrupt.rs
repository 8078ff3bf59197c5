//! Ctrl-C: the first asks the work to stop, which then leaves nothing half-made; the second ends at once.

use std::{
    process,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::failure::{Exit, Failure, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Listens for SIGINT, SIGTERM and SIGHUP from now on.
pub(crate) fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            process::exit(Exit::Interrupted.code().into());
        }
    })
    .map_err(|error| {
        Failure::new(
            Exit::Internal,
            "internal",
            format!("cannot listen for Ctrl-C: {error}"),
            "start it from a shell",
        )
    })
}

/// The user has asked to stop.
pub(crate) fn requested() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// An error once the user has asked to stop.
pub(crate) fn check() -> Result<()> {
    if requested() { Err(Failure::interrupted()) } else { Ok(()) }
}
