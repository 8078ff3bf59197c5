//! The directions of the bones' own axes.

use glam::{DMat3, DQuat, DVec3};

use super::{data::Axes, work::Work};

/// A bone that points forward more than this (cosine) takes up for its other axis.
const FORWARD: f64 = 0.7;

/// Turns every bone's axes as the profile wants them; what the bones do stays.
pub(super) fn turn(work: &mut Work, axes: Axes) {
    if axes == Axes::AsIs {
        return;
    }
    let wanted: Vec<DMat3> = (0..work.bones.len())
        .map(|bone| {
            let bone = work.copies[bone].unwrap_or(bone);
            match axes {
                Axes::AsIs | Axes::Parallel => DMat3::IDENTITY,
                Axes::YAlongBone => y_along(work, bone),
                Axes::Manny => manny(work, bone),
            }
        })
        .collect();
    let turned: Vec<DQuat> = work
        .bones
        .iter()
        .zip(&wanted)
        .map(|(bone, wanted)| {
            let now = DMat3::from_mat4(bone.rest);
            if now == *wanted {
                DQuat::IDENTITY
            } else {
                DQuat::from_mat3(&(now.transpose() * *wanted)).normalize()
            }
        })
        .collect();
    work.reframe(&turned);
    for (bone, wanted) in work.bones.iter_mut().zip(&wanted) {
        // Exactly, not up to rounding.
        bone.rest = glam::DMat4::from_mat3_translation(*wanted, bone.position());
    }
}

fn y_along(work: &Work, bone: usize) -> DMat3 {
    let Some(y) = along(work, bone) else { return DMat3::IDENTITY };
    let [_, up, forward] = work.directions();
    let z = across(y, if y.dot(forward).abs() > FORWARD { up } else { forward });
    DMat3::from_cols(y.cross(z), y, z)
}

/// Unreal's frames: X along the bone and Y forward on one side, both the other way round on the other.
fn manny(work: &Work, bone: usize) -> DMat3 {
    let joint = work.bones[bone].canonical.as_deref().unwrap_or_default();
    let foot = joint.ends_with("Foot");
    // The foot's frame goes on as the shin's.
    let pointing =
        if foot { work.bones[bone].parent.and_then(|p| along(work, p)) } else { along(work, bone) };
    let Some(pointing) = pointing else { return DMat3::IDENTITY };
    let is_leg = foot || joint.ends_with("UpperLeg") || joint.ends_with("LowerLeg");
    let sign = match (joint.starts_with("left"), joint.starts_with("right")) {
        (true, _) if is_leg => -1.0,
        (_, true) if !is_leg => -1.0,
        _ => 1.0,
    };
    let [_, up, forward] = work.directions();
    let x = pointing * sign;
    let y = across(x, if x.dot(forward).abs() > FORWARD { up } else { forward } * sign);
    DMat3::from_cols(x, y, x.cross(y))
}

/// The part of a direction that is square to an axis.
fn across(axis: DVec3, towards: DVec3) -> DVec3 {
    towards.reject_from_normalized(axis).normalize_or(axis.any_orthonormal_vector())
}

/// Where a bone points: to the next one, or on as its parent does. `None` for the root.
fn along(work: &Work, bone: usize) -> Option<DVec3> {
    let [_, up, _] = work.directions();
    let mut bone = bone;
    for _ in 0..work.bones.len() {
        let joint = work.bones[bone].canonical.as_deref().unwrap_or_default();
        if joint == "root" {
            return None;
        }
        let to = next(work, bone).map(|next| work.position(next) - work.position(bone));
        if let Some(direction) = to.and_then(DVec3::try_normalize) {
            return Some(direction);
        }
        if joint == "head" {
            return Some(up);
        }
        bone = work.bones[bone].parent?;
    }
    None
}

/// The bone that goes on where this one ends.
fn next(work: &Work, bone: usize) -> Option<usize> {
    let children: Vec<usize> =
        work.children(bone).into_iter().filter(|c| work.copies[*c].is_none()).collect();
    let joint = |b: usize| work.bones[b].canonical.as_deref().unwrap_or_default();
    let onwards = |c: &&usize| {
        let child = joint(**c);
        ["spine", "chest", "upperChest", "neck", "head", "headEnd"].contains(&child)
            || ["LowerArm", "Hand", "LowerLeg", "Foot", "Toes", "ToeEnd"].iter().any(|e| child.ends_with(e))
            || child.contains("Middle")
    };
    let leaf = || work.children(bone).into_iter().find(|c| joint(*c).ends_with("End"));
    match children.as_slice() {
        [] => leaf(),
        [only] => Some(*only),
        several => several.iter().find(onwards).or(several.first()).copied(),
    }
}
