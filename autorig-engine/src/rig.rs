//! The one way through: read, analyse, skeleton, skin.

use crate::{
    Error, Limits, Progress, Report, Result,
    read::Source,
    scene::{Influences, Scene},
    skeleton::Skeleton,
};

/// What a caller may choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// Joints the user has placed, in the input's own frame and unit: hard constraints, all or some.
    pub joints: Vec<JointHint>,
    /// Most influences a vertex may have: 1 to 8, 4 by default.
    pub influences: usize,
    /// What is accepted at most.
    pub limits: Limits,
    /// Worker threads; all cores when `None`. The result is the same for any number.
    pub threads: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self { joints: Vec::new(), influences: 4, limits: Limits::default(), threads: None }
    }
}

/// A joint the user has placed; the name in any known convention.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct JointHint {
    /// Its name.
    pub name: String,
    /// Its parent's name; informative.
    #[serde(default)]
    pub parent: Option<String>,
    /// Position in the input's frame and unit.
    pub position: [f64; 3],
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

/// Rigs a file.
///
/// # Errors
/// Any of [`crate::Code`].
pub fn rig(source: &Source, options: &Options, progress: &mut dyn Progress) -> Result<Rig> {
    let scene = crate::read::read(source, &options.limits)?;
    rig_scene(scene, options, progress)
}

/// Rigs a scene that is already in memory.
///
/// # Errors
/// As [`rig`], without those of reading.
pub fn rig_scene(scene: Scene, options: &Options, progress: &mut dyn Progress) -> Result<Rig> {
    let _ = (scene, options, progress);
    Err(Error::new(crate::Code::Internal, "being written"))
}
