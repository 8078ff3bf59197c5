//! What was found and done, as numbers and words. No times and no clock: those belong to the task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ExistingReport,
    analyse::Body,
    lod::LodReport,
    pose::rest::RestPoseReport,
    quality::Quality,
    scene::{Format, Scene, Warning},
    skeleton::{class::CharacterClass, fit::Fit},
    skin::Skin,
};

/// The report of a rig; `<name>_report.json`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this structure.
    pub schema_version: u32,
    /// Version of the engine that made it.
    pub engine_version: String,
    /// What came in.
    pub input: InputReport,
    /// Which way is up and forward in the input.
    pub orientation: OrientationReport,
    /// What it was taken for.
    pub class: CharacterClass,
    /// How sure the engine is of the class, 0 to 1.
    pub class_confidence: f32,
    /// How sure the engine is of the whole, 0 to 1; below 0.5 the user should look.
    pub confidence: f32,
    /// The joints, parents before children.
    pub joints: Vec<JointReport>,
    /// What was made.
    pub skin: SkinReport,
    /// What was turned to deliver it in another rest pose; absent when its pose was kept as it is by choice.
    pub rest_pose: Option<RestPoseReport>,
    /// How good the rig is, with reasons.
    pub quality: Quality,
    /// What was repaired, dropped or is doubtful.
    pub warnings: Vec<Warning>,
    /// The levels of detail that were made, and how far they are from the character.
    #[serde(default)]
    pub lods: Vec<LodReport>,
    /// The files made of it, without this report and the archive; empty for a rig that was not delivered.
    #[serde(default)]
    pub files: Vec<FileReport>,
}

/// A file made of a rig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileReport {
    /// Its key, `rigged_glb`.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
}

/// What came in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
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
    /// It already had a skin; [`InputReport::existing`] says what was done with it.
    pub was_rigged: bool,
    /// The rig that it had, and what was done with it.
    #[serde(default)]
    pub existing: Option<ExistingReport>,
}

/// Directions in the input's frame, unit vectors.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
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
    /// How sure the unit is, 0 to 1.
    pub unit_confidence: f32,
    /// How likely `up` and `forward` are right within 45°, 0 to 1.
    pub confidence: f32,
}

/// One joint.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SkinReport {
    /// Most influences a vertex may have.
    pub max_influences: usize,
    /// Parts that follow one joint.
    pub rigid_parts: usize,
    /// Vertices that no bone reached and that copied a neighbour.
    pub filled_vertices: usize,
}

/// Version of [`Report`].
const SCHEMA_VERSION: u32 = 1;
/// Below this confidence the user should look at the result.
const DOUBTFUL: f32 = 0.5;

/// Gathers the numbers of a finished rig. Takes the scene's warnings with it and adds its own.
pub(crate) fn build(
    scene: &mut Scene,
    body: &Body,
    fit: &Fit,
    skin: &Skin,
    quality: Quality,
    influences: usize,
    existing: Option<ExistingReport>,
) -> Report {
    let joints = &fit.skeleton.joints;
    let mean = joints.iter().map(|j| j.confidence).sum::<f32>() / joints.len().max(1) as f32;
    let confidence = mean.min(fit.class_confidence).min(body.orientation_confidence);
    if confidence < DOUBTFUL {
        scene.warn(
            "low_confidence",
            "the engine is not sure of this character; look at the joints before using it",
        );
    }
    let (lo, hi) = scene.bounds().unwrap_or_default();
    let rows = body.file_axes.transpose();
    Report {
        schema_version: SCHEMA_VERSION,
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
        input: InputReport {
            format: scene.format,
            vertices: scene.vertex_count(),
            triangles: scene.triangle_count(),
            meshes: scene.meshes.len(),
            materials: scene.materials.len(),
            textures: scene.textures.len(),
            parts: body.welded.parts,
            bounds_min: lo.into(),
            bounds_max: hi.into(),
            was_rigged: existing.is_some(),
            existing,
        },
        orientation: OrientationReport {
            up: rows.y_axis.into(),
            forward: rows.z_axis.into(),
            left: rows.x_axis.into(),
            height: body.height / body.frame.scale,
            metres_per_unit: body.frame.scale,
            unit_confidence: body.unit_confidence,
            confidence: body.orientation_confidence,
        },
        class: fit.class,
        class_confidence: fit.class_confidence,
        confidence,
        joints: joints
            .iter()
            .map(|j| JointReport {
                name: j.name.clone(),
                parent: j.parent.map(|p| joints[p].name.clone()),
                position: j.position.into(),
                confidence: j.confidence,
            })
            .collect(),
        skin: SkinReport {
            max_influences: influences,
            rigid_parts: skin.rigid_parts,
            filled_vertices: skin.filled_vertices,
        },
        rest_pose: None,
        quality,
        warnings: scene.warnings.clone(),
        lods: Vec::new(),
        files: Vec::new(),
    }
}
