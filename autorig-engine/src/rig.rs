//! The one way through: read, analyse, skeleton, skin.

use crate::{
    Code, Error, Limits, Progress, Report, Result, Stage,
    analyse::analyse,
    read::Source,
    report,
    scene::{Influences, Scene},
    skeleton::{
        Skeleton,
        fit::fit,
        markers::{JointHint, orientation_of},
    },
    skin::{SkinOptions, skin},
};

/// What a caller may choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the character is.
    pub class: Class,
    /// Joints the user has placed, in the input's own frame and unit: hard constraints, all or some.
    pub joints: Vec<JointHint>,
    /// Most influences a vertex may have: 1 to 8, 4 by default.
    pub influences: usize,
    /// Fingers of a humanoid's hands.
    pub fingers: Fingers,
    /// What to do with a mesh that mirrors itself.
    pub symmetry: Symmetry,
    /// The pose the rig is delivered in.
    pub rest_pose: RestPose,
    /// What is accepted at most.
    pub limits: Limits,
    /// Worker threads; all cores when `None`. The result is the same for any number.
    pub threads: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            class: Class::Auto,
            joints: Vec::new(),
            influences: 4,
            fingers: Fingers::Auto,
            symmetry: Symmetry::Auto,
            rest_pose: RestPose::AsIs,
            limits: Limits::default(),
            threads: None,
        }
    }
}

/// What the character is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The engine finds out, and refuses what it cannot rig.
    #[default]
    Auto,
    /// Two arms, two legs, a head: the user says so, and nothing is refused for its shape.
    Humanoid,
    /// Four legs.
    Quadruped,
    /// Two legs and two wings.
    Bird,
    /// Any other living thing: a generic skeleton along its limbs.
    Creature,
    /// A thing that does not move by itself: one joint.
    Prop,
}

/// Fingers of a humanoid's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fingers {
    /// As many as the mesh has: 0 to 5 on each hand.
    #[default]
    Auto,
    /// None; the fingers move with the hand.
    None,
}

/// What to do with a mesh that mirrors itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symmetry {
    /// Where the mesh mirrors itself, so do the joints and the weights.
    #[default]
    Auto,
    /// Each side by itself.
    Off,
}

/// The pose the rig is delivered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestPose {
    /// The pose of the input.
    #[default]
    AsIs,
    /// A T-pose; the input's pose is kept as a clip.
    TPose,
}

/// A rigged character.
#[derive(Debug, Clone)]
pub struct Rig {
    /// The prepared scene: every mesh at the top level in world space, vertex order as in the input.
    pub scene: Scene,
    /// Its joints.
    pub skeleton: Skeleton,
    /// `influences[mesh][primitive]`, parallel to `scene.meshes`.
    pub influences: Vec<Vec<Influences>>,
    /// What was found and done.
    pub report: Report,
}

impl Rig {
    /// The rig as GLB.
    ///
    /// # Errors
    /// `internal` when the rig is inconsistent.
    pub fn to_glb(&self) -> Result<Vec<u8>> {
        crate::write::rig_glb(self)
    }
}

fn begin(progress: &mut dyn Progress, stage: Stage) -> Result<()> {
    if progress.cancelled() {
        return Err(Error::cancelled());
    }
    progress.report(stage, stage.overall(0.0));
    Ok(())
}

/// Rigs a file.
///
/// # Errors
/// Any of [`crate::Code`].
pub fn rig(source: &Source, options: &Options, progress: &mut dyn Progress) -> Result<Rig> {
    begin(progress, Stage::Read)?;
    let scene = crate::read::read(source, &options.limits)?;
    rig_scene(scene, options, progress)
}

/// Rigs a scene that is already in memory.
///
/// # Errors
/// As [`rig`], without those of reading.
pub fn rig_scene(scene: Scene, options: &Options, progress: &mut dyn Progress) -> Result<Rig> {
    if !(1..=8).contains(&options.influences) {
        return Err(Error::new(Code::InvalidOption, format!("influences is {}", options.influences))
            .with_remedy("choose 1 to 8 influences"));
    }
    let Some(threads) = options.threads else { return rig_in_pool(scene, options, progress) };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::new(Code::Internal, format!("{threads} threads could not be started: {e}")))?;
    pool.install(|| rig_in_pool(scene, options, progress))
}

fn rig_in_pool(scene: Scene, options: &Options, progress: &mut dyn Progress) -> Result<Rig> {
    let was_rigged = !scene.skins.is_empty();
    let mut scene = scene.flatten(&options.limits)?;
    if was_rigged {
        scene.warn("was_rigged", "the model already had a skeleton and skin weights; both were replaced");
    }
    progress.prepared(&scene)?;

    begin(progress, Stage::Analyse)?;
    let body = analyse(&scene, orientation_of(&options.joints)?)?;

    begin(progress, Stage::Skeleton)?;
    let fit = fit(&body, options)?;

    begin(progress, Stage::Skin)?;
    let skin = skin(&scene, &body, &fit.skeleton, &SkinOptions { influences: options.influences }, progress)?;

    begin(progress, Stage::Export)?;
    let report = report::build(&mut scene, &body, &fit, &skin, options.influences, was_rigged);
    Ok(Rig { scene, skeleton: fit.skeleton, influences: skin.influences, report })
}
