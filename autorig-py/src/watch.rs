//! The engine's progress as calls of a Python function; what it raises stops the work.
//!
//! The engine works on a thread of its own, and the calling thread attends to Python: the callback always
//! runs where `autorig.rig` was called, and Ctrl-C is heard whatever the engine is doing.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

use autorig_engine::{Code, Error, Progress, Result, Stage};
use pyo3::prelude::*;

use crate::error::exception;

/// How often Python is asked whether Ctrl-C was pressed while the engine is silent.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);
/// As much as a main thread has.
const STACK_BYTES: usize = 8 << 20;

/// Does `work` without the GIL while `callback(stage, fraction)` is called with it.
///
/// What the callback or a signal handler raises goes before the engine's own error.
pub(crate) fn attend<T: Send>(
    py: Python<'_>,
    callback: Option<&Py<PyAny>>,
    work: impl FnOnce(&mut dyn Progress) -> Result<T> + Send,
) -> PyResult<T> {
    let stop = AtomicBool::new(false);
    py.detach(|| {
        thread::scope(|scope| {
            let (news, hear) = mpsc::sync_channel(0);
            let (heard, go_on) = mpsc::sync_channel(0);
            let mut watch = Watch { news, go_on, stop: &stop };
            let worker = thread::Builder::new()
                .name("autorig".to_owned())
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || work(&mut watch))
                .map_err(|error| exception(failure(format!("no thread could be started: {error}"))))?;
            let raised = listen(&hear, &heard, callback, &stop);
            let result = worker.join();
            match raised {
                Some(raised) => Err(raised),
                None => result
                    .unwrap_or_else(|_| Err(failure("the engine has failed".to_owned())))
                    .map_err(exception),
            }
        })
    })
}

/// Hears the engine until it is through; the exception that stopped it, if one did.
fn listen(
    hear: &Receiver<(Stage, f32)>,
    heard: &SyncSender<()>,
    callback: Option<&Py<PyAny>>,
    stop: &AtomicBool,
) -> Option<PyErr> {
    let mut raised = None;
    loop {
        let news = match hear.recv_timeout(SIGNALS_EVERY) {
            Ok(news) => Some(news),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return raised,
        };
        if raised.is_none()
            && let Err(error) = Python::attach(|py| tell(py, callback, news))
        {
            raised = Some(error);
            stop.store(true, Ordering::SeqCst);
        }
        if news.is_some() {
            // The engine waits for this, unless it is gone, which the next turn finds out.
            let _ = heard.send(());
        }
    }
}

fn tell(py: Python<'_>, callback: Option<&Py<PyAny>>, news: Option<(Stage, f32)>) -> PyResult<()> {
    py.check_signals()?;
    match (callback, news) {
        (Some(callback), Some((stage, fraction))) => {
            callback.call1(py, (stage.as_str(), f64::from(fraction))).map(drop)
        }
        _ => Ok(()),
    }
}

fn failure(message: String) -> Error {
    Error::new(Code::Internal, message)
}

/// The engine's end: tells, and waits until Python has heard, so that nothing is done after a stop.
struct Watch<'a> {
    news: SyncSender<(Stage, f32)>,
    go_on: Receiver<()>,
    stop: &'a AtomicBool,
}

impl Progress for Watch<'_> {
    fn report(&mut self, stage: Stage, fraction: f32) {
        if self.news.send((stage, fraction)).is_ok() {
            // A listener that is gone stops the work through `cancelled`.
            let _ = self.go_on.recv();
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}
