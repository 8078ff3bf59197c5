//! The T-pose as the bind pose.

use glam::{DAffine3, DMat4};

use super::work::Work;
use crate::{
    motion::{Track, Values},
    pose::{
        Chain,
        rest::{Points, TPose, turn_meshes},
    },
    skeleton::{Joint, Skeleton},
};

/// Turns bones and meshes into a T-pose, where the character does not stand in one. Clips show what they showed.
pub(super) fn t_pose(work: &mut Work) {
    let joints = work.bones.iter().map(|bone| Joint {
        name: bone.canonical.clone().unwrap_or_default(),
        parent: bone.parent,
        position: bone.position(),
        confidence: 1.0,
    });
    let skeleton = Skeleton { joints: joints.collect() };
    let vertices: Vec<glam::DVec3> = work
        .scene
        .meshes
        .iter()
        .flat_map(|m| &m.primitives)
        .flat_map(|p| &p.positions)
        .map(|p| work.frame.to_canonical(glam::DVec3::from(p.map(f64::from))))
        .collect();
    let pose = match TPose::find(&work.frame, &Points::all(&vertices), &skeleton, &work.influences) {
        Ok(Some(pose)) => pose,
        Ok(None) => return,
        Err(_) => {
            let message = "the skeleton has no whole arms and legs to bring into a T-pose";
            return work.scene.warn("rest_pose_not_applied", message);
        }
    };
    let stays = skeleton.joints.iter().map(|j| j.parent.is_none() && j.name == "root").collect::<Vec<_>>();
    let transforms: Vec<DAffine3> =
        pose.transforms(&work.frame, &Chain::new(&skeleton, |p| p), |joint| !stays[joint]);
    turn_meshes(&mut work.scene, &work.influences, &transforms);
    let before: Vec<DMat4> = (0..work.bones.len()).map(|b| work.local(b)).collect();
    for (bone, transform) in work.bones.iter_mut().zip(&transforms) {
        bone.rest = DMat4::from(*transform) * bone.rest;
    }
    hold(work, &before);
}

/// Bones that a clip leaves alone stay where they were in it.
fn hold(work: &mut Work, before: &[DMat4]) {
    for (bone, before) in before.iter().enumerate() {
        let now = work.local(bone);
        let (_, turn, place) = before.to_scale_rotation_translation();
        let (_, new_turn, new_place) = now.to_scale_rotation_translation();
        let turned = turn.dot(new_turn).abs() < 1.0 - 1e-14;
        let moved = place.distance(new_place) > 1e-9 * place.length().max(f64::MIN_POSITIVE);
        for clip in &mut work.clips {
            let count = clip.times.len();
            let has = |rotation: bool| {
                let of = |t: &Track| t.joint == bone && matches!(t.values, Values::Rotations(_)) == rotation;
                clip.tracks.iter().any(of)
            };
            let (no_turn, no_place) = (!has(true), !has(false));
            if turned && no_turn {
                clip.tracks.push(Track { joint: bone, values: Values::Rotations(vec![turn; count]) });
            }
            if moved && no_place {
                clip.tracks.push(Track { joint: bone, values: Values::Translations(vec![place; count]) });
            }
        }
    }
}
