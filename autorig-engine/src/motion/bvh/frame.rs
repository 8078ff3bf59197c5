//! Which way a skeleton without a mesh stands, and how large it is.

use glam::{DMat3, DVec3};

use crate::{
    analyse::frame::{Frame, file_axes, metres_per_unit},
    character::Bone,
};

/// Heads go on above their joint by so much of the height from the soles to it, and soles lie below the ankles by this.
const CROWN: f64 = 0.08;
const SOLE: f64 = 0.05;

/// The frame of a skeleton at rest: up from hips to head, left from the legs, feet on the ground.
pub(super) fn of(bones: &[Bone]) -> Frame {
    let find = |name: &str| bones.iter().find(|b| b.canonical.as_deref() == Some(name)).map(Bone::position);
    let low = find("hips");
    let high = ["head", "neck", "upperChest", "chest", "spine"].iter().find_map(|n| find(n));
    let up = match (low, high) {
        (Some(low), Some(high)) if low != high => (high - low).normalize_or(DVec3::Y),
        _ => DVec3::Y,
    };
    let across = ["UpperLeg", "UpperArm", "LowerLeg", "LowerArm"].iter().find_map(|limb| {
        let way = find(&format!("left{limb}"))? - find(&format!("right{limb}"))?;
        way.reject_from_normalized(up).try_normalize()
    });
    let rotation = match across {
        Some(left) => file_axes(DMat3::from_cols(left, up, left.cross(up)).transpose()),
        None => DMat3::IDENTITY,
    };
    let canonical = |b: &Bone| rotation * b.position();
    let heights = || bones.iter().map(|b| canonical(b).y);
    let (bottom, top) = heights().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
    let tall = (top - bottom).max(0.0);
    let (scale, _) = metres_per_unit(tall * (1.0 + CROWN + SOLE));
    let middle = low.map_or(DVec3::ZERO, |l| rotation * l);
    let ankles = bones.iter().any(|b| b.canonical.as_deref().is_some_and(|c| c.ends_with("Toes")));
    let ground = bottom - if ankles { 0.3 } else { 1.0 } * SOLE * tall;
    let origin = rotation.transpose() * DVec3::new(middle.x, ground, middle.z);
    Frame { rotation, scale, origin }
}
