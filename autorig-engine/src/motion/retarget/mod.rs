//! Motion of one skeleton on another.
//!
//! Both skeletons are brought into the same normal pose by what their bones are, not by how their frames lie; what a bone
//! of the source is turned by in the world against that pose, the same bone of the target is turned by too. So arms that
//! rest straight out and arms that rest at the sides make the same gesture, and bone rolls do not matter (after
//! Monzani et al. 2000, "Using an intermediate skeleton and inverse kinematics for motion retargeting", sections 3 and 4).
//! Feet that stand on the ground in the source are then put back onto it by inverse kinematics.

use glam::{DQuat, DVec3};

use self::map::{Link, Mapping};
use super::{
    clip::{Clip, apart},
    measure,
    puppet::{Posture, Stance},
};
use crate::{Character, Code, Error, Result};

mod feet;
mod map;

/// Skeletons whose mapped bones differ by less than this share of the height need no correction of the feet.
const SAME_PROPORTIONS: f64 = 1e-4;
/// Keyframes a second that feet are planted at, at least.
const PLANTING_RATE: f32 = 30.0;
/// A clip whose ends differ by less than this, in degrees, is a loop.
const LOOP: f64 = 0.5;

/// Puts a clip of one character onto another. Both need bones with canonical names; the source may be a skeleton without a
/// mesh, as [`super::bvh::read`] gives it. The keyframes are those of the clip where both skeletons have the same
/// proportions, else there are at least 30 a second.
///
/// Hips and root travel in proportion to the height of the hips. Bones that only the target has follow their parents as
/// they do at rest; a spine or a neck with more or fewer bones is bent by the same amount in all. Nothing goes below
/// the floor.
///
/// # Errors
/// `invalid_option` where the two have too few bones in common, or the clip has no keyframe or names a bone the source
/// does not have.
pub fn retarget(source: &Character, clip: &Clip, target: &Character) -> Result<Clip> {
    let broken = clip.tracks.iter().any(|t| t.joint >= source.bones.len());
    if clip.times.is_empty() || broken {
        return Err(Error::new(
            Code::InvalidOption,
            format!("the clip {} has no motion of these bones", clip.name),
        )
        .with_remedy("choose a clip of this very skeleton, with keyframes"));
    }
    let mapping = Mapping::new(source, target).ok_or_else(|| {
        let message = "the skeleton of the clip and that of the character have too few bones in common";
        Error::new(Code::InvalidOption, message)
            .with_remedy("use a clip of the same kind of character, with bone names of a known convention")
    })?;
    let same = mapping.difference() < SAME_PROPORTIONS;
    let dense = clip.times.windows(2).all(|w| matches!(w, [a, b] if (b - a) * PLANTING_RATE < 1.5));
    let clip = if same || dense { clip.clone() } else { clip.resampled(PLANTING_RATE) };
    let rest = measure::rest(source);
    let mut stances: Vec<Stance> =
        clip.times.iter().map(|t| mapping.source.stance_of(&clip.sample(*t, &rest))).collect();
    if source.scene.meshes.is_empty() {
        put_down(&mapping, &mut stances);
    }
    let mut postures: Vec<Posture> = stances.iter().map(|s| posture(&mapping, s)).collect();
    if !same && let Some(feet) = &mapping.feet {
        let closes = is_loop(&stances);
        feet.plant(&mapping, &clip.times, &stances, &mut postures, closes);
    }
    let mut baked = mapping.target.bake(&clip.name, 1.0, &postures);
    baked.times = clip.times;
    baked.make_continuous();
    Ok(baked)
}

/// The pose of the target that is the source's.
fn posture(mapping: &Mapping, stance: &Stance) -> Posture {
    let target = &mapping.target;
    let mut posture = target.normal_pose();
    let mut turns = vec![DQuat::IDENTITY; target.normal.len()];
    for bone in target.order() {
        let above = target.parents[bone].map_or(DQuat::IDENTITY, |p| turns[p]);
        turns[bone] = match &mapping.links[bone] {
            Link::Bone(s) => stance.turns[*s],
            Link::Between(a, b, share) => stance.turns[*a].slerp(stance.turns[*b], *share),
            // As it hangs on its parent at rest.
            Link::Rest => {
                let aligned = target.parents[bone].map_or(DQuat::IDENTITY, |p| target.align[p]);
                above * aligned * target.align[bone].inverse()
            }
        }
        .normalize();
        posture.turns[bone] = (above.inverse() * turns[bone]).normalize();
    }
    for (s, t) in mapping.travelling() {
        let moved = stance.at[s] - mapping.source.normal[s];
        let goal = target.normal[t] + moved * mapping.scale;
        place(mapping, &mut posture, t, goal);
    }
    posture
}

/// Moves a bone so that it is at a place.
fn place(mapping: &Mapping, posture: &mut Posture, bone: usize, goal: DVec3) {
    let (_, now) = mapping.target.locate(posture, bone);
    let above = mapping.target.parents[bone].map_or(DQuat::IDENTITY, |p| mapping.target.locate(posture, p).0);
    posture.moves[bone] += above.inverse() * (goal - now);
}

/// Puts the motion of a skeleton without a mesh onto the ground, where it begins: its file does not say where that is.
fn put_down(mapping: &Mapping, stances: &mut [Stance]) {
    let soles = mapping.feet.as_ref().map(feet::Feet::source_soles).unwrap_or_default();
    let height = |s: &Stance| {
        let points = soles.iter().map(|(foot, sole)| (s.at[*foot] + s.turns[*foot] * *sole).y);
        points.fold(f64::INFINITY, f64::min)
    };
    let ground = stances.iter().map(height).fold(f64::INFINITY, f64::min);
    let Some(first) = stances.first().map(|s| s.at[mapping.hips.0]) else { return };
    let rest = mapping.source.normal[mapping.hips.0];
    let ground = if ground.is_finite() { ground } else { first.y - rest.y };
    let by = DVec3::new(rest.x - first.x, -ground, rest.z - first.z);
    for at in stances.iter_mut().flat_map(|s| &mut s.at) {
        *at += by;
    }
}

/// Whether the first pose is the last one but for where the whole is.
fn is_loop(stances: &[Stance]) -> bool {
    let (Some(first), Some(last)) = (stances.first(), stances.last()) else { return false };
    stances.len() > 2 && first.turns.iter().zip(&last.turns).all(|(a, b)| apart(*a, *b) < LOOP)
}

#[cfg(test)]
mod tests;
