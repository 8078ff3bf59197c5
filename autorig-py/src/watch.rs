//! The engine's progress as calls of a Python function; what it raises stops the work.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use autorig_engine::{Progress, Stage};
use pyo3::prelude::*;

/// How often Python is asked whether Ctrl-C was pressed: asking needs the GIL.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// Hears the engine, which works without the GIL, and takes the GIL for each call.
pub(crate) struct Watch {
    callback: Option<Py<PyAny>>,
    raised: RefCell<Option<PyErr>>,
    asked: Cell<Instant>,
}

impl Watch {
    /// Calls `callback(stage, fraction)`.
    pub(crate) fn new(callback: Option<Py<PyAny>>) -> Self {
        Self { callback, raised: RefCell::default(), asked: Cell::new(Instant::now()) }
    }

    /// What the callback or a signal handler raised, which goes before the engine's own error.
    pub(crate) fn into_raised(self) -> Option<PyErr> {
        self.raised.into_inner()
    }

    fn keep(&self, outcome: PyResult<()>) {
        if let Err(raised) = outcome {
            self.raised.borrow_mut().get_or_insert(raised);
        }
    }
}

impl Progress for Watch {
    fn report(&mut self, stage: Stage, fraction: f32) {
        if self.raised.borrow().is_some() {
            return;
        }
        let outcome = Python::attach(|py| {
            py.check_signals()?;
            match &self.callback {
                Some(callback) => callback.call1(py, (stage.as_str(), f64::from(fraction))).map(drop),
                None => Ok(()),
            }
        });
        self.keep(outcome);
    }

    fn cancelled(&self) -> bool {
        if self.raised.borrow().is_none() && self.asked.get().elapsed() >= SIGNALS_EVERY {
            self.asked.set(Instant::now());
            self.keep(Python::attach(Python::check_signals));
        }
        self.raised.borrow().is_some()
    }
}
