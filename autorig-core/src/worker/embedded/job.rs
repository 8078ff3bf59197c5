//! A rig as a job: the one place where the core calls the engine.

use std::sync::Arc;

use autorig_engine::{
    Options, Stage as EngineStage,
    deliver::{self, Output},
    read::Source,
};

use crate::{
    Error, Result,
    task::{RigOptions, Stage, safe_stem},
};

/// What is rigged, and how.
pub(super) struct RigJob {
    /// The input's name.
    pub(super) name: String,
    /// The input's bytes.
    pub(super) bytes: Vec<u8>,
    /// What the user wants.
    pub(super) options: RigOptions,
    /// Threads; all cores when `None`.
    pub(super) threads: Option<usize>,
    /// The built viewer page.
    pub(super) viewer_template: Option<Arc<str>>,
}

/// Where a rig tells and asks.
pub(super) trait Sink: Send {
    /// It got further.
    fn progress(&mut self, stage: Stage, fraction: f32) -> Result<()>;
    /// It made a file.
    fn file(&mut self, key: &str, bytes: Vec<u8>) -> Result<()>;
    /// True when it should stop.
    fn cancelled(&self) -> bool;
}

/// Rigs, file by file.
pub(super) fn perform(job: RigJob, sink: &mut dyn Sink) -> Result<()> {
    let plan = job.options.plan(&safe_stem(&job.name)).viewer_template(job.viewer_template);
    // Which files are made, and what they call things, is in the plan.
    let RigOptions {
        class,
        joints,
        influences,
        fingers,
        extra_chains,
        eyes,
        symmetry,
        rest_pose,
        existing,
        ..
    } = job.options;
    let mut options = Options {
        class,
        joints,
        influences,
        fingers,
        extra_chains,
        eyes,
        symmetry,
        rest_pose,
        existing,
        threads: job.threads,
        ..Options::default()
    };
    // The upload's limit was checked when it arrived.
    options.limits.file_bytes = options.limits.file_bytes.max(job.bytes.len() as u64);
    let source = Source::bytes(job.name, job.bytes);
    let mut listener = Listener { sink, failed: None };
    let delivered = deliver::deliver(&source, &options, &plan, &mut listener);
    match listener.failed {
        Some(error) => Err(error),
        None => delivered.map(drop).map_err(Error::from),
    }
}

/// Passes on what the engine makes and tells.
struct Listener<'a> {
    sink: &'a mut dyn Sink,
    /// Why the sink refused; the engine knows only its own errors.
    failed: Option<Error>,
}

impl deliver::Sink for Listener<'_> {
    fn file(&mut self, output: Output, bytes: Vec<u8>) -> autorig_engine::Result<()> {
        self.sink.file(output.key(), bytes).map_err(|error| {
            self.failed = Some(error);
            autorig_engine::Error::new(autorig_engine::Code::Cancelled, "the result is not wanted any more")
        })
    }

    fn report(&mut self, stage: EngineStage, fraction: f32) {
        if self.failed.is_none()
            && let Err(error) = self.sink.progress(stage.into(), fraction)
        {
            self.failed = Some(error);
        }
    }

    fn cancelled(&self) -> bool {
        self.failed.is_some() || self.sink.cancelled()
    }
}
