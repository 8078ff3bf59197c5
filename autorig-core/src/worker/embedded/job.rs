//! A rig as a job: the one place where the core calls the engine.

use autorig_engine::{Options, Progress, Stage as EngineStage, read::Source, scene::Scene};

use crate::{
    Error, Result,
    task::{RigOptions, Stage},
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

/// The engine's own stages end here; the rest is writing files.
const EXPORT_BEGINS: f32 = 0.95;

/// Rigs, file by file.
pub(super) fn perform(job: RigJob, sink: &mut dyn Sink) -> Result<()> {
    // The mode says which files are made, which is not the engine's business.
    let RigOptions { mode: _, class, joints, influences, fingers, symmetry, rest_pose } = job.options;
    let mut options = Options {
        class,
        joints,
        influences,
        fingers,
        symmetry,
        rest_pose,
        threads: job.threads,
        ..Options::default()
    };
    // The upload's limit was checked when it arrived.
    options.limits.file_bytes = options.limits.file_bytes.max(job.bytes.len() as u64);
    let source = Source::bytes(job.name, job.bytes);
    let mut listener = Listener { sink, failed: None };
    let rigged = autorig_engine::rig(&source, &options, &mut listener);
    if let Some(error) = listener.failed {
        return Err(error);
    }
    let rig = rigged?;
    drop(source);
    sink.progress(Stage::Export, EXPORT_BEGINS)?;
    sink.file("rigged_glb", rig.to_glb()?)?;
    let mut report = serde_json::to_vec_pretty(&rig.report)
        .map_err(|error| Error::internal(format!("writing the report: {error}")))?;
    report.push(b'\n');
    sink.file("report_json", report)
}

/// Passes the engine's progress on.
struct Listener<'a> {
    sink: &'a mut dyn Sink,
    /// Why the sink refused; the engine knows only its own errors.
    failed: Option<Error>,
}

impl Progress for Listener<'_> {
    fn report(&mut self, stage: EngineStage, fraction: f32) {
        if self.failed.is_none()
            && let Err(error) = self.sink.progress(stage.into(), fraction.min(EXPORT_BEGINS))
        {
            self.failed = Some(error);
        }
    }

    fn prepared(&mut self, scene: &Scene) -> autorig_engine::Result<()> {
        let bytes = autorig_engine::write::scene_glb(scene)?;
        self.sink.file("prepared_glb", bytes).map_err(|error| {
            self.failed = Some(error);
            autorig_engine::Error::new(autorig_engine::Code::Cancelled, "the result is not wanted any more")
        })
    }

    fn cancelled(&self) -> bool {
        self.failed.is_some() || self.sink.cancelled()
    }
}
