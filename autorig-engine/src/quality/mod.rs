//! How good a rig is, measured on the rig itself: the quality sheet of the report.
//!
//! | module | what |
//! | --- | --- |
//! | `probe` | a bounded stand-in for the bound mesh |
//! | `place` | joints inside or outside the body, and how thick the limb is there |
//! | [`bending`] | stretch, collapse, bleed and self-intersection in standard poses |
//! | [`symmetry`] | joints and weights of the two sides against each other |
//! | [`verdict`] | one score, a verdict and its reasons |
//!
//! Nothing here knows the right answer. What is measured is what a careful user looks at before trusting a rig: whether
//! the joints lie in the body, whether both sides agree, whether the skin holds when a limb is bent, and how sure the
//! predictor was. How well that tells the true error is measured by `./dev bench quality`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    analyse::Body,
    pose::bends::Bend,
    scene::{Influences, Scene},
    skeleton::Skeleton,
    skin::Skin,
};

pub mod bending;
mod place;
mod probe;
pub mod symmetry;
pub mod verdict;

pub use bending::BendReport;
pub use symmetry::SymmetryReport;
pub use verdict::{Reason, Scores, Verdict};

/// The quality sheet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// The word for it.
    pub verdict: Verdict,
    /// 0 to 1; the product of [`Quality::scores`].
    pub score: f32,
    /// What the score is made of.
    pub scores: Scores,
    /// Why it is not `good`, the worst first; empty when it is.
    pub reasons: Vec<Reason>,
    /// Each standard pose and what it did to the skin.
    pub bends: Vec<BendReport>,
    /// How well the sides agree; absent without joints in pairs.
    pub symmetry: Option<SymmetryReport>,
    /// Joints that lie outside the body by more than 2 % of the height, the farthest first.
    pub joints_outside: Vec<String>,
    /// Vertices that no bone reached and that copied a neighbour, as a share of all.
    pub filled_share: f32,
    /// Vertices where something goes wrong, at most a few for each kind, the worst first.
    pub problem_vertices: Vec<ProblemVertex>,
}

/// A vertex that a viewer can mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemVertex {
    /// The reason's code: `stretch`, `bleed`, `self_intersection`.
    pub code: String,
    /// The pose it was seen in.
    pub pose: String,
    /// Index of the mesh.
    pub mesh: usize,
    /// Index of the primitive in the mesh.
    pub primitive: usize,
    /// Index of the vertex in the primitive.
    pub vertex: usize,
}

/// What is known of a rig besides its geometry.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// How sure the engine is of the class, 0 to 1.
    pub class_confidence: f32,
    /// How sure it is of the orientation, 0 to 1.
    pub orientation_confidence: f32,
}

/// Most vertices named.
const PROBLEMS: usize = 60;

/// Assesses a rig before it is written. The cost does not grow with the mesh beyond one pass over its vertices.
pub fn assess(scene: &Scene, body: &Body, skeleton: &Skeleton, skin: &Skin, known: Known) -> Quality {
    let probe = probe::Probe::new(body, skeleton, &skin.influences);
    let around = place::surroundings(body, &probe.chain, &probe.points);
    let symmetry = symmetry::measure(&probe, skeleton, size(body));
    let bent = bending::measure(body, skeleton, &probe, &around);
    let filled_share = skin.filled_vertices as f32 / body.vertices.len().max(1) as f32;
    let joints_outside = outside(&around, skeleton, size(body));
    let findings = verdict::Findings {
        skeleton,
        outside: &joints_outside,
        symmetry: symmetry.as_ref(),
        bent: &bent,
        filled_share,
        known,
    };
    let (scores, reasons) = verdict::judge(&findings);
    Quality {
        verdict: verdict::verdict(&reasons),
        score: scores.product(),
        scores,
        reasons,
        joints_outside: joints_outside.iter().map(|j| skeleton.joints[*j].name.clone()).collect(),
        problem_vertices: problem_vertices(scene, &probe, &bent),
        bends: bent.into_iter().map(|b| b.report).collect(),
        symmetry: symmetry.map(|s| s.report),
        filled_share,
    }
}

/// Fingers are many and small: what is judged joint by joint would hear of nothing else.
fn is_finger(name: &str) -> bool {
    ["Thumb", "Index", "Middle", "Ring", "Little"].iter().any(|finger| name.contains(finger))
}

/// What lengths are measured against, in metres: the height, but for things that lie flat.
fn size(body: &Body) -> f64 {
    const FLAT: f64 = 0.01;
    body.height.max(FLAT * body.width).max(f64::MIN_POSITIVE)
}

/// Joints that lie clearly outside, the farthest first. Those of thin and segmented figures lie in their gaps: artists
/// put them up to this share of the height from the surface.
fn outside(around: &[place::Surroundings], skeleton: &Skeleton, height: f64) -> Vec<usize> {
    const CLEARLY: f64 = 0.02;
    let mut joints: Vec<usize> = (0..around.len())
        .filter(|j| skeleton.joints[*j].parent.is_some() && around[*j].outside > CLEARLY * height)
        .collect();
    joints.sort_by(|a, b| around[*b].outside.total_cmp(&around[*a].outside).then(a.cmp(b)));
    joints
}

/// What one pose does to the skin, as the bend tests measure it.
pub(crate) fn try_pose(
    body: &Body,
    skeleton: &Skeleton,
    influences: &[Vec<Influences>],
    bend: &Bend,
) -> BendReport {
    let probe = probe::Probe::new(body, skeleton, influences);
    let around = place::surroundings(body, &probe.chain, &probe.points);
    bending::measure_one(body, skeleton, &probe, &around, bend)
}

/// The worst spots of all poses under the numbers the scene knows them by.
fn problem_vertices(scene: &Scene, probe: &probe::Probe, bent: &[bending::Bent]) -> Vec<ProblemVertex> {
    let mut spots: Vec<(&bending::Spot, &str)> =
        bent.iter().flat_map(|b| b.spots.iter().map(|s| (s, b.report.pose.as_str()))).collect();
    spots.sort_by(|a, b| b.0.amount.total_cmp(&a.0.amount).then(a.0.point.cmp(&b.0.point)));
    let mut seen: Vec<(usize, &str)> = Vec::new();
    let mut all = Vec::new();
    for (spot, pose) in spots {
        if all.len() == PROBLEMS || seen.contains(&(spot.point, spot.code)) {
            continue;
        }
        seen.push((spot.point, spot.code));
        if let Some((mesh, primitive, vertex)) = locate(scene, probe.file_vertex[spot.point] as usize) {
            all.push(ProblemVertex {
                code: spot.code.to_owned(),
                pose: pose.to_owned(),
                mesh,
                primitive,
                vertex,
            });
        }
    }
    all
}

/// Mesh, primitive and vertex of a vertex counted over the whole scene.
fn locate(scene: &Scene, mut vertex: usize) -> Option<(usize, usize, usize)> {
    for (m, mesh) in scene.meshes.iter().enumerate() {
        for (p, primitive) in mesh.primitives.iter().enumerate() {
            if vertex < primitive.positions.len() {
                return Some((m, p, vertex));
            }
            vertex -= primitive.positions.len();
        }
    }
    None
}

#[cfg(test)]
mod tests;
