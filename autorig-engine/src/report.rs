//! What was found and done, as numbers and words. No times and no clock: those belong to the task.

use serde::{Deserialize, Serialize};

use crate::scene::{Format, Warning};

/// The report of a rig; `<name>_report.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Version of this structure.
    pub schema_version: u32,
    /// Version of the engine that made it.
    pub engine_version: String,
    /// What came in.
    pub input: InputReport,
    /// Which way is up and forward in the input.
    pub orientation: OrientationReport,
    /// What it was taken for: `humanoid`.
    pub class: String,
    /// How sure the engine is of the class, 0 to 1.
    pub class_confidence: f32,
    /// How sure the engine is of the whole, 0 to 1; below 0.5 the user should look.
    pub confidence: f32,
    /// The joints, parents before children.
    pub joints: Vec<JointReport>,
    /// What was made.
    pub skin: SkinReport,
    /// What was repaired, dropped or is doubtful.
    pub warnings: Vec<Warning>,
}

/// What came in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InputReport {
    /// Format.
    pub format: Format,
    /// Vertices as in the file, instances counted each time.
    pub vertices: usize,
    /// Triangles.
    pub triangles: usize,
    /// Meshes.
    pub meshes: usize,
    /// Materials.
    pub materials: usize,
    /// Textures.
    pub textures: usize,
    /// Parts connected by shared positions.
    pub parts: usize,
    /// Lower corner of the box in the input's frame.
    pub bounds_min: [f64; 3],
    /// Upper corner of the box in the input's frame.
    pub bounds_max: [f64; 3],
    /// It already had a skin, which was replaced.
    pub was_rigged: bool,
}

/// Directions in the input's frame, unit vectors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrientationReport {
    /// The character's up.
    pub up: [f64; 3],
    /// Where the character faces.
    pub forward: [f64; 3],
    /// The character's own left.
    pub left: [f64; 3],
    /// Height along `up`, in the input's unit.
    pub height: f64,
    /// What one unit of the input most likely is, in metres.
    pub metres_per_unit: f64,
    /// 0 to 1.
    pub confidence: f32,
}

/// One joint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JointReport {
    /// Canonical name.
    pub name: String,
    /// Name of the parent.
    pub parent: Option<String>,
    /// Position in the input's frame and unit.
    pub position: [f64; 3],
    /// 0 to 1.
    pub confidence: f32,
}

/// What the skin is like.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SkinReport {
    /// Most influences a vertex may have.
    pub max_influences: usize,
    /// Parts that follow one joint.
    pub rigid_parts: usize,
    /// Vertices that no bone reached and that copied a neighbour.
    pub filled_vertices: usize,
}
