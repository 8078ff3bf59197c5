//! From the character's space into the target's.

use glam::{DMat3, DMat4, DQuat, DVec3};

use super::{
    data::{Space, Up},
    work::Work,
};
use crate::{analyse::Frame, motion::Values, scene::transform};

/// Moves everything: meshes, bones, clips. The character stands between the origin's axes afterwards.
pub(super) fn enter(work: &mut Work, space: &Space) {
    let axes = match space.up {
        Up::Y => DMat3::IDENTITY,
        Up::Z => DMat3::from_cols(DVec3::X, DVec3::Z, DVec3::NEG_Y),
    };
    let turn = axes * work.frame.rotation;
    let scale = work.frame.scale / space.metres;
    let similarity = DMat4::from_mat3(turn * scale) * DMat4::from_translation(-work.frame.origin);
    for primitive in work.scene.meshes.iter_mut().flat_map(|m| &mut m.primitives) {
        transform(primitive, &similarity);
    }
    let rotation = DQuat::from_mat3(&turn).normalize();
    for bone in &mut work.bones {
        let linear = turn * DMat3::from_mat4(bone.rest);
        bone.rest = DMat4::from_mat3_translation(linear, similarity.transform_point3(bone.position()));
    }
    for clip in &mut work.clips {
        for track in &mut clip.tracks {
            let top = work.bones.get(track.joint).is_some_and(|b| b.parent.is_none());
            match &mut track.values {
                Values::Rotations(all) if top => {
                    all.iter_mut().for_each(|q| *q = (rotation * *q).normalize());
                }
                Values::Rotations(_) => {}
                Values::Translations(all) if top => {
                    all.iter_mut().for_each(|v| *v = similarity.transform_point3(*v));
                }
                Values::Translations(all) => all.iter_mut().for_each(|v| *v *= scale),
            }
        }
    }
    work.frame = Frame { rotation: axes.transpose(), scale: space.metres, origin: DVec3::ZERO };
}
