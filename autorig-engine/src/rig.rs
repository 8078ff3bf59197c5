//! The one way through: read, analyse, skeleton, skin.

use crate::{
    Limits, Progress, Report, Result, Session, Stage,
    character::Bone,
    motion::Clip,
    read::Source,
    scene::{Influences, Scene},
    session::begin,
    skeleton::{Skeleton, markers::JointHint},
};

/// What a caller may choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the character is.
    pub class: Class,
    /// Joints the user has placed, in the input's own frame and unit: hard constraints, some of them or, with their parents,
    /// the whole skeleton.
    pub joints: Vec<JointHint>,
    /// Most influences a vertex may have: 1 to 8, 4 by default.
    pub influences: usize,
    /// Fingers of a humanoid's hands.
    pub fingers: Fingers,
    /// Tails, ears, hair, capes and skirts of a humanoid.
    pub extra_chains: ExtraChains,
    /// Eyes of a humanoid.
    pub eyes: Eyes,
    /// What to do with a mesh that mirrors itself.
    pub symmetry: Symmetry,
    /// The pose the rig is delivered in.
    pub rest_pose: RestPose,
    /// What to do with a rig that came with the file.
    pub existing: ExistingRig,
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
            extra_chains: ExtraChains::Auto,
            eyes: Eyes::None,
            symmetry: Symmetry::Auto,
            rest_pose: RestPose::AsIs,
            existing: ExistingRig::ReRig,
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

/// Tails, ears, hair, capes and skirts of a humanoid.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ExtraChains {
    /// Joints for those that the mesh clearly has.
    #[default]
    Auto,
    /// None; they move with the body.
    None,
}

/// Eyes of a humanoid.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Eyes {
    /// Joints where the eyeballs are shells of their own.
    Auto,
    /// None; they move with the head.
    #[default]
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

/// What to do with a rig that came with the file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ExistingRig {
    /// Skeleton and weights are replaced.
    #[default]
    ReRig,
    /// The skeleton is kept, with its names and clips; the weights are made anew.
    ReSkin,
    /// Skeleton and weights are kept: the result is a conversion.
    Keep,
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
    /// Motion it carries: `original_pose` when it was turned into another rest pose.
    pub clips: Vec<Clip>,
    /// The file's own bones, with their names and frames, where they were kept: one for each joint. Clips turn these.
    pub own_bones: Option<Vec<Bone>>,
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
    Session::new(scene, options, progress)?.into_rig(progress)
}
