//! Where a character's left, up and forward are: from its recognised bones, else as its file's format has it.

use glam::{DMat3, DVec3};

use super::{Bone, feet};
use crate::{
    analyse::{
        Frame,
        frame::{file_axes, metres_per_unit},
    },
    scene::{Format, Scene},
};

/// Heights a file in metres may have, before its unit is doubted.
const HEIGHTS: std::ops::Range<f64> = 0.05..50.0;

/// The frame of a character whose bones are recognised as far as they can be.
pub(super) fn of(scene: &Scene, bones: &[Bone]) -> Frame {
    let Some(rotation) = from_bones(bones) else { return of_file(scene) };
    let rotation = file_axes(rotation);
    let scale = metres_per_unit(height(scene, &rotation)).0;
    Frame { rotation, scale, origin: feet(scene, &rotation) }
}

/// The frame a file without recognised bones is taken to have: +Y up, facing +Z, in metres, as glTF and our readers have
/// it.
pub(super) fn of_file(scene: &Scene) -> Frame {
    let rotation = DMat3::IDENTITY;
    let height = height(scene, &rotation);
    let exact = matches!(scene.format, Format::Glb | Format::Gltf | Format::Vrm | Format::Fbx);
    let scale = if exact && HEIGHTS.contains(&height) { 1.0 } else { metres_per_unit(height).0 };
    Frame { rotation, scale, origin: feet(scene, &rotation) }
}

fn height(scene: &Scene, rotation: &DMat3) -> f64 {
    let mut range = (f64::INFINITY, f64::NEG_INFINITY);
    for p in scene.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| &p.positions) {
        let y = rotation.row(1).dot(DVec3::from(p.map(f64::from)));
        range = (range.0.min(y), range.1.max(y));
    }
    (range.1 - range.0).max(0.0)
}

/// Rows left, up and forward as the bones of a humanoid tell them. Feet and eyes say where forward is; names only say
/// which hip is the left one.
pub(super) fn from_bones(bones: &[Bone]) -> Option<DMat3> {
    let at = |name: &str| bones.iter().find(|b| b.canonical.as_deref() == Some(name)).map(Bone::position);
    let middle = |part: &str| Some((at(&format!("left{part}"))? + at(&format!("right{part}"))?) / 2.0);
    let low = middle("UpperLeg").or_else(|| at("hips"))?;
    let high = at("head").or_else(|| at("neck"))?;
    let up = (high - low).normalize_or_zero();
    let across = |part: &str| Some(at(&format!("left{part}"))? - at(&format!("right{part}"))?);
    let sides = ["UpperLeg", "UpperArm", "Shoulder"].map(|p| across(p).unwrap_or_default());
    let left = sides.iter().map(|d| d.normalize_or_zero()).sum::<DVec3>();
    let left = left.reject_from_normalized(up).normalize_or_zero();
    if up == DVec3::ZERO || left == DVec3::ZERO {
        return None;
    }
    Some(DMat3::from_cols(left, up, left.cross(up)).transpose())
}
