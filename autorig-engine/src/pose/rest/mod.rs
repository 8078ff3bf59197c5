//! Delivering a humanoid in T-pose: arms out, palms down, fingers straight, legs straight down, feet as they were.
//!
//! The skeleton is turned, and every vertex goes half way between two answers. Linear blend skinning forwards shrinks the
//! skin at a joint, towards it; the inverse of the way back, which would show the original mesh exactly, blows it up
//! by the same factor. Their mean keeps the volume: for a vertex between two bones that turn by 80° against each other the
//! factors are 0.77, 1.31 and 1.04. What follows one bone is turned rigidly either way.

use glam::{DAffine3, DMat4, DQuat, DVec3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Chain, bends::Bend};
use crate::{
    Rig,
    analyse::{Body, Frame},
    motion::{Clip, Track, Values},
    quality::{BendReport, try_pose},
    scene::{Influences, Scene, transform_each},
    skeleton::Skeleton,
};

mod turner;

use turner::Turner;

/// Name of the clip that holds the pose the character came in.
pub const ORIGINAL_POSE: &str = "original_pose";

/// A character whose limbs are nowhere farther from a T-pose than this, in degrees, is left as it is.
const ALREADY: f64 = 2.0;
/// A joint turned by less than this, in degrees, has no track in the clip.
const UNTURNED: f64 = 1e-6;
/// Volumes of a blended transform between which the inverse loses its share in the mean: where a joint turns so far that
/// the blend has nearly no volume, its inverse has nearly no bound. A joint that turns by a right angle has 0.5 half way.
const BLEND_VOLUME: (f64, f64) = (0.25, 0.5);

/// What was turned to reach the T-pose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestPoseReport {
    /// The joints that were turned by more than half a degree against their parents, in the skeleton's order. Empty when
    /// the character stood in T-pose already.
    pub turned: Vec<TurnReport>,
    /// How far the character was raised so that it stands where it stood, in the input's unit.
    pub raised: f64,
    /// Name of the clip that holds the pose the character came in; absent when nothing was turned.
    pub clip: Option<String>,
    /// What the turn does to the skin, measured as a bend test.
    pub strain: Option<BendReport>,
}

/// One joint and how far it was turned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TurnReport {
    /// The joint.
    pub joint: String,
    /// Angle in degrees against its parent.
    pub degrees: f32,
}

/// The skeleton has not two arms and two legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTPose;

/// The turn pulled the skin farther than a user would let pass: an edge grew by much, or a joint closed up.
pub fn is_strained(strain: &BendReport) -> bool {
    /// In per cent of the height.
    const LONGEST: f32 = 8.0;
    /// In per cent of the volume at the joint.
    const COLLAPSE: f32 = 85.0;
    strain.longest_pct > LONGEST || strain.collapse_pct > COLLAPSE
}

/// Turns a finished rig into T-pose, where it has the limbs for one. The report keeps what was measured in the pose the
/// character came in, besides the places of the joints.
pub(crate) fn deliver_in_t_pose(rig: &mut Rig, body: &Body) {
    // People see this pose, so it is straight in the file's axes where the file is meant to be upright along them.
    let body = &body.reframed(body.file_axes, body.orientation_confidence);
    let warn = |rig: &mut Rig, code: &str, message: String| {
        rig.scene.warn(code, message);
        rig.report.warnings.clone_from(&rig.scene.warnings);
    };
    let points = Points { of_file_vertex: Some(&body.welded.of_file_vertex), at: &body.vertices };
    let pose = match TPose::find(&body.frame, &points, &rig.skeleton, &rig.influences) {
        Ok(Some(pose)) => pose,
        Ok(None) => return rig.report.rest_pose = Some(RestPoseReport::default()),
        Err(NoTPose) => {
            let message =
                "the skeleton has no arms and legs to bring into a T-pose; the pose was left as it is";
            return warn(rig, "rest_pose_not_applied", message.to_owned());
        }
    };
    let strain = try_pose(body, &rig.skeleton, &rig.influences, &pose.bend(&rig.skeleton));
    let report = RestPoseReport { strain: Some(strain.clone()), ..pose.report(body, &rig.skeleton) };
    rig.clips.push(pose.apply(&body.frame, &mut rig.scene, &mut rig.skeleton, &rig.influences));
    for (joint, row) in rig.skeleton.joints.iter().zip(&mut rig.report.joints) {
        row.position = joint.position.into();
    }
    rig.report.rest_pose = Some(report);
    if is_strained(&strain) {
        let message = format!(
            "the turn into T-pose strains the skin: an edge grows by {:.1} % of the height, a joint loses {:.0} % of its volume",
            strain.longest_pct, strain.collapse_pct
        );
        warn(rig, "rest_pose_strained", message);
    }
}

/// The rotations that lead to the T-pose.
pub struct TPose {
    /// World rotation of each joint, in canonical axes.
    world: Vec<DQuat>,
    /// How far the character goes up, in metres.
    raised: f64,
}

impl TPose {
    /// The rotations for a humanoid; `None` when it stands in T-pose already.
    ///
    /// # Errors
    /// [`NoTPose`] when the skeleton has not the limbs of one.
    pub fn find(
        frame: &Frame,
        points: &Points<'_>,
        skeleton: &Skeleton,
        influences: &[Vec<Influences>],
    ) -> Result<Option<Self>, NoTPose> {
        let chain = Chain::new(skeleton, |p| frame.to_canonical(p));
        let mut turner = Turner::new(skeleton, &chain).ok_or(NoTPose)?;
        if turner.farthest() <= ALREADY {
            return Ok(None);
        }
        for side in ["left", "right"] {
            turner.arm(side, points, influences);
            turner.leg(side);
            turner.foot(side, points, influences);
        }
        let raised = turner.sunk(points, influences);
        Ok(Some(Self { world: turner.finish(), raised }))
    }

    /// The same as a bend test, to measure what it does to the skin.
    pub fn bend(&self, skeleton: &Skeleton) -> Bend {
        let turns = self.local(skeleton).into_iter().enumerate().filter(|(_, q)| degrees(*q) > 0.5).collect();
        Bend { name: "t_pose".to_owned(), turns }
    }

    fn local(&self, skeleton: &Skeleton) -> Vec<DQuat> {
        let above = |j: usize| skeleton.joints[j].parent.map_or(DQuat::IDENTITY, |p| self.world[p]);
        (0..self.world.len()).map(|j| above(j).inverse() * self.world[j]).collect()
    }

    /// What was turned by how much.
    pub fn report(&self, body: &Body, skeleton: &Skeleton) -> RestPoseReport {
        let turned =
            self.local(skeleton).into_iter().zip(&skeleton.joints).filter(|(q, _)| degrees(*q) > 0.5);
        RestPoseReport {
            turned: turned
                .map(|(q, j)| TurnReport { joint: j.name.clone(), degrees: degrees(q) as f32 })
                .collect(),
            raised: self.raised / body.frame.scale,
            clip: Some(ORIGINAL_POSE.to_owned()),
            strain: None,
        }
    }

    /// Turns skeleton and mesh, and returns the clip that leads back.
    pub fn apply(
        &self,
        frame: &Frame,
        scene: &mut Scene,
        skeleton: &mut Skeleton,
        influences: &[Vec<Influences>],
    ) -> Clip {
        let chain = Chain::new(skeleton, |p| p);
        let transforms = self.transforms(frame, &chain, |joint| chain.parents[joint].is_some());
        let clip = way_back(&chain, &self.world.iter().map(|q| in_file(frame, *q)).collect::<Vec<_>>());
        for (joint, transform) in skeleton.joints.iter_mut().zip(&transforms) {
            joint.position = transform.transform_point3(joint.position);
        }
        turn_meshes(scene, influences, &transforms);
        clip
    }

    /// What each joint does to a point of the bind pose, in the file's frame. Those that `rises` names go up with the
    /// character, so that it stands where it stood.
    pub(crate) fn transforms(
        &self,
        frame: &Frame,
        chain: &Chain,
        rises: impl Fn(usize) -> bool,
    ) -> Vec<DAffine3> {
        let world: Vec<DQuat> = self.world.iter().map(|q| in_file(frame, *q)).collect();
        let local: Vec<DQuat> = (0..world.len())
            .map(|j| chain.parents[j].map_or(DQuat::IDENTITY, |p| world[p]).inverse() * world[j])
            .collect();
        let up = frame.rotation.transpose() * DVec3::Y * (self.raised / frame.scale);
        let mut transforms = chain.transforms(&local);
        for (_, transform) in transforms.iter_mut().enumerate().filter(|(joint, _)| rises(*joint)) {
            transform.translation += up;
        }
        transforms
    }
}

/// Takes every vertex to where its joints' transforms take it.
pub(crate) fn turn_meshes(scene: &mut Scene, influences: &[Vec<Influences>], transforms: &[DAffine3]) {
    let back: Vec<DAffine3> = transforms.iter().map(DAffine3::inverse).collect();
    for (mesh, influences) in scene.meshes.iter_mut().zip(influences) {
        for (primitive, influences) in mesh.primitives.iter_mut().zip(influences) {
            let matrices = influences.iter().map(|(j, w)| unposed(j, w, transforms, &back));
            transform_each(primitive, matrices);
        }
    }
}

/// Where the vertices of a mesh are, in the order of the file and in canonical space.
pub struct Points<'a> {
    of_file_vertex: Option<&'a [u32]>,
    at: &'a [DVec3],
}

impl<'a> Points<'a> {
    /// One point a vertex.
    pub fn all(at: &'a [DVec3]) -> Self {
        Self { of_file_vertex: None, at }
    }

    fn iter(&self) -> impl Iterator<Item = DVec3> + '_ {
        let count = self.of_file_vertex.map_or(self.at.len(), <[u32]>::len);
        let index =
            |i: usize| self.of_file_vertex.map_or(i, |of| of.get(i).map_or(usize::MAX, |v| *v as usize));
        (0..count).map(move |i| self.at.get(index(i)).copied().unwrap_or_default())
    }
}

/// The clip of one keyframe that turns every joint back. The joints under the root are also put back in place.
fn way_back(chain: &Chain, world: &[DQuat]) -> Clip {
    let mut tracks = Vec::new();
    for (joint, parent) in chain.parents.iter().enumerate() {
        let Some(parent) = *parent else { continue };
        let back = (world[parent] * world[joint].inverse()).normalize();
        if degrees(back) > UNTURNED {
            tracks.push(Track { joint, values: Values::Rotations(vec![back]) });
        }
        if chain.parents[parent].is_none() {
            let offset = chain.positions[joint] - chain.positions[parent];
            tracks.push(Track { joint, values: Values::Translations(vec![offset]) });
        }
    }
    Clip { name: ORIGINAL_POSE.to_owned(), times: vec![0.0], tracks, morphs: Vec::new() }
}

/// What takes a vertex to its place in the new pose: the mean of going there and of not having to come back.
fn unposed(joints: &[u16], weights: &[f32], there: &[DAffine3], back: &[DAffine3]) -> DMat4 {
    let blend = |transforms: &[DAffine3]| {
        let (mut sum, mut total) = (DMat4::ZERO, 0.0);
        for (joint, weight) in joints.iter().zip(weights) {
            if let Some(transform) = transforms.get(usize::from(*joint)) {
                sum += DMat4::from(*transform) * f64::from(*weight);
                total += f64::from(*weight);
            }
        }
        if total > 0.0 { sum * (1.0 / total) } else { DMat4::IDENTITY }
    };
    let (forward, returning) = (blend(there), blend(back));
    let (none, all) = BLEND_VOLUME;
    let share = 0.5 * ((returning.determinant() - none) / (all - none)).clamp(0.0, 1.0);
    if share > 0.0 { returning.inverse() * share + forward * (1.0 - share) } else { forward }
}

/// A rotation about canonical axes as one about the file's.
fn in_file(frame: &Frame, q: DQuat) -> DQuat {
    let axis = frame.rotation.transpose() * DVec3::new(q.x, q.y, q.z);
    DQuat::from_xyzw(axis.x, axis.y, axis.z, q.w).normalize()
}

fn degrees(q: DQuat) -> f64 {
    2.0 * libm::atan2(DVec3::new(q.x, q.y, q.z).length(), q.w.abs()).to_degrees()
}

#[cfg(test)]
mod tests;
