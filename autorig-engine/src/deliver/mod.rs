//! A model in, every file of its rig out: what the shell, the server's worker and embedding programs all do.
//!
//! | module | what |
//! | --- | --- |
//! | [`Output`] | the table of files: keys, places, names |
//! | `archive` | the ZIP of everything |
//!
//! Files are handed over as they are made, so that they need not be held together. What was asked for must be made or
//! the delivery fails; what belongs to a full delivery and does not fit the model (a VRM of a horse) is left out, and the
//! report says so.
//!
//! ```
//! use autorig_engine::{Options, deliver::{self, Output, Plan}, read::Source, sample, write};
//!
//! struct Folder(Vec<(Output, usize)>);
//! impl deliver::Sink for Folder {
//!     fn file(&mut self, output: Output, bytes: Vec<u8>) -> autorig_engine::Result<()> {
//!         self.0.push((output, bytes.len()));
//!         Ok(())
//!     }
//! }
//!
//! let character = sample::generate(sample::Sample::Human, Some(2_000))?;
//! let source = Source::bytes("human.glb", write::scene_glb(&character)?);
//! let mut folder = Folder(Vec::new());
//! let report = deliver::deliver(&source, &Options::default(), &Plan::rig_only(), &mut folder)?;
//! assert_eq!(report.map(|r| r.class.name()), Some("humanoid"));
//! let keys: Vec<&str> = folder.0.iter().map(|(output, _)| output.key()).collect();
//! assert_eq!(keys, ["prepared_glb", "rigged_glb", "report_json"]);
//! # Ok::<(), autorig_engine::Error>(())
//! ```

use std::{collections::BTreeSet, sync::Arc};

use sha2::{Digest, Sha256};

use self::archive::Archive;
use self::making::Making;
use crate::{
    Character, Code, Error, Options, Progress, Report, Result, Stage,
    profile::Profile,
    read::Source,
    report::FileReport,
    scene::Scene,
    session::{install, pool},
    write::vrm::VrmMeta,
};

mod archive;
mod files;
mod making;
mod output;

pub use output::Output;

/// Which files are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What must be made.
    pub required: BTreeSet<Output>,
    /// What is made where it fits the model.
    pub optional: BTreeSet<Output>,
    /// What the files are called inside the archive, without what follows: `hero`.
    pub stem: String,
    /// The model is taken as it is, with the skin it has or with none; nothing is rigged and there is no report.
    pub convert: bool,
    /// The profile whose names the bones have in the files that keep the input's space: the rig, its levels of detail, its
    /// clips, the viewer. Canonical names when absent.
    pub names: Option<String>,
    /// Whose an avatar is and what others may do with it; without a name of its own it is called as the model.
    pub vrm_meta: VrmMeta,
    /// The built viewer page that the model is put into; without it there is no viewer page.
    pub viewer_template: Option<Arc<str>>,
}

impl Plan {
    /// Prepared model, rigged model, report.
    pub fn rig_only() -> Self {
        Self {
            required: [Output::RiggedGlb, Output::ReportJson].into(),
            optional: [Output::PreparedGlb].into(),
            stem: "model".to_owned(),
            convert: false,
            names: None,
            vrm_meta: VrmMeta::default(),
            viewer_template: None,
        }
    }

    /// These files of a model as it is.
    pub fn convert(outputs: impl IntoIterator<Item = Output>) -> Self {
        let nothing = Self { required: BTreeSet::new(), optional: BTreeSet::new(), ..Self::rig_only() };
        Self { convert: true, ..nothing.with(outputs) }
    }

    /// Everything of `spec.md` §2 up to place 14.
    pub fn full() -> Self {
        let rig_only = Self::rig_only();
        let others = Output::all().filter(|o| o.in_full() && !rig_only.required.contains(o));
        Self { optional: others.collect(), ..rig_only }
    }

    /// Also these, which must be made.
    #[must_use]
    pub fn with(mut self, outputs: impl IntoIterator<Item = Output>) -> Self {
        for output in outputs {
            self.optional.remove(&output);
            self.required.insert(output);
        }
        self
    }

    /// Only these levels of detail of those that would be made where they fit.
    #[must_use]
    pub fn levels(mut self, levels: &[Output]) -> Self {
        self.optional.retain(|o| o.triangles().is_none() || levels.contains(o));
        self
    }

    /// Calls the model so inside the archive.
    #[must_use]
    pub fn named(mut self, stem: impl Into<String>) -> Self {
        self.stem = stem.into();
        self
    }

    /// With this viewer page, as `npm run build` makes it.
    #[must_use]
    pub fn viewer_template(mut self, template: Option<Arc<str>>) -> Self {
        self.viewer_template = template;
        self
    }

    /// Everything that may be made.
    pub fn outputs(&self) -> impl Iterator<Item = Output> {
        self.required.union(&self.optional).copied()
    }

    fn check(&self) -> Result<()> {
        self.names.as_deref().map(Profile::named).transpose()?;
        self.vrm_meta.check()
    }

    fn wants(&self, output: Output) -> bool {
        self.required.contains(&output) || self.optional.contains(&output)
    }

    /// The rig's share of the whole work.
    fn share(&self) -> f32 {
        let small = |o| matches!(o, Output::RiggedGlb | Output::PreparedGlb | Output::ReportJson);
        if self.outputs().all(small) { 0.95 } else { 0.4 }
    }
}

/// Where files go, and who follows the work.
pub trait Sink: Send {
    /// A file is made.
    ///
    /// # Errors
    /// An error ends the delivery and is returned from it.
    fn file(&mut self, output: Output, bytes: Vec<u8>) -> Result<()>;

    /// `fraction` of the whole work is done, 0 to 1, never falling; `stage` is being done now.
    fn report(&mut self, stage: Stage, fraction: f32) {
        let _ = (stage, fraction);
    }

    /// True as soon as the work should stop.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Rigs a model and makes its files. The report is that of the file `report_json`; a plan that only converts has none.
///
/// # Errors
/// As [`rig`](crate::rig()), those of the files that must be made, and those of the sink.
pub fn deliver(
    source: &Source,
    options: &Options,
    plan: &Plan,
    sink: &mut dyn Sink,
) -> Result<Option<Report>> {
    plan.check()?;
    let archive = plan.wants(Output::AllZip).then(|| Archive::new(&plan.stem));
    let mut desk = Desk { sink, plan, archive, files: Vec::new() };
    let making = if plan.convert {
        desk.sink.report(Stage::Read, 0.0);
        let scene = crate::read::read(source, &options.limits)?;
        if plan.wants(Output::PreparedGlb) {
            desk.hand_over(Output::PreparedGlb, crate::write::scene_glb(&scene)?)?;
        }
        Making::of_character(Character::from_scene_within(scene, &options.limits)?)
    } else {
        Making::of_rig(crate::rig(source, options, &mut Rigging { desk: &mut desk })?)
    };
    let making = making.named(plan)?;
    // Pictures are drawn with no more threads than the rig was made with.
    let pool = options.threads.map(pool).transpose()?;
    install(pool.as_ref(), || making.run(&mut desk))
}

/// One file of a character, in the words of a plan; `None` where the character has no use for it.
///
/// # Errors
/// Those of the file, and `invalid_option` for what the plan says wrongly.
pub fn file_of(character: &Character, output: Output, plan: &Plan) -> Result<Option<Vec<u8>>> {
    plan.check()?;
    Making::of_character(character.clone()).named(plan)?.make(output, plan)
}

/// Hands files over and keeps the books.
struct Desk<'a> {
    sink: &'a mut dyn Sink,
    plan: &'a Plan,
    archive: Option<Archive>,
    files: Vec<FileReport>,
}

impl Desk<'_> {
    fn hand_over(&mut self, output: Output, bytes: Vec<u8>) -> Result<()> {
        if let Some(archive) = &mut self.archive {
            archive.add(output.suffix(), &bytes)?;
        }
        let sha256 = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        self.files.push(FileReport { key: output.key().to_owned(), size: bytes.len() as u64, sha256 });
        self.sink.file(output, bytes)
    }

    /// The work stands at this part of what follows the rig.
    fn begin(&mut self, stage: Stage, done: f32) -> Result<()> {
        if self.sink.cancelled() {
            return Err(Error::new(Code::Cancelled, "the delivery was stopped"));
        }
        let share = self.plan.share();
        self.sink.report(stage, share + (1.0 - share) * done);
        Ok(())
    }
}

/// Follows the rig for the desk.
struct Rigging<'a, 'b> {
    desk: &'a mut Desk<'b>,
}

impl Progress for Rigging<'_, '_> {
    fn report(&mut self, stage: Stage, fraction: f32) {
        let share = self.desk.plan.share();
        self.desk.sink.report(stage, fraction * share);
    }

    fn prepared(&mut self, scene: &Scene) -> Result<()> {
        if self.desk.plan.wants(Output::PreparedGlb) {
            self.desk.hand_over(Output::PreparedGlb, crate::write::scene_glb(scene)?)?;
        }
        Ok(())
    }

    fn cancelled(&self) -> bool {
        self.desk.sink.cancelled()
    }
}
