//! Where a clip takes the bones at a time.

use glam::{DMat4, DQuat, DVec3};

use crate::{
    Character,
    motion::{Clip, Values},
};

/// One matrix a bone, from bind pose to the clip's pose at `time` seconds, in the character's space. Between keyframes
/// the values go straight, rotations by the shorter arc; before the first and after the last they stay.
pub(super) fn skinning(character: &Character, clip: &Clip, time: f32) -> Vec<DMat4> {
    let mut locals: Vec<(DQuat, DVec3)> =
        character.locals().iter().map(|m| (DQuat::from_mat4(m), m.w_axis.truncate())).collect();
    let (before, share) = between(&clip.times, time);
    for track in &clip.tracks {
        let Some((rotation, translation)) = locals.get_mut(track.joint) else { continue };
        match &track.values {
            Values::Rotations(keys) => {
                if let Some((a, b)) = pair(keys, before) {
                    *rotation = a.slerp(b, share).normalize();
                }
            }
            Values::Translations(keys) => {
                if let Some((a, b)) = pair(keys, before) {
                    *translation = a.lerp(b, share);
                }
            }
        }
    }
    let locals: Vec<DMat4> = locals.iter().map(|(r, t)| DMat4::from_rotation_translation(*r, *t)).collect();
    character.posed(&locals)
}

/// The same without the character's way over the ground: what the topmost bone moves sideways or forward is taken out.
pub(super) fn on_the_spot(character: &Character, clip: &Clip, time: f32) -> Vec<DMat4> {
    let mut matrices = skinning(character, clip, time);
    let top = character.bones.iter().position(|b| b.parent.is_none());
    let Some((bone, matrix)) = top.and_then(|i| Some((character.bones.get(i)?, matrices.get(i)?))) else {
        return matrices;
    };
    let up = character.frame.rotation.row(1);
    let way = matrix.transform_point3(bone.position()) - bone.position();
    let back = DMat4::from_translation(up * way.dot(up) - way);
    matrices.iter_mut().for_each(|m| *m = back * *m);
    matrices
}

/// How long a clip is, in seconds.
pub(super) fn duration(clip: &Clip) -> f32 {
    clip.times.last().copied().filter(|t| t.is_finite()).unwrap_or(0.0)
}

/// The keyframe at or before a time, and the share of the way to the next.
fn between(times: &[f32], time: f32) -> (usize, f64) {
    let after = times.partition_point(|t| *t <= time);
    let before = after.saturating_sub(1);
    let share = match (times.get(before), times.get(after)) {
        (Some(a), Some(b)) if after > 0 && b > a => f64::from(time - a) / f64::from(b - a),
        _ => 0.0,
    };
    (before, share)
}

/// The values at a keyframe and after it.
fn pair<T: Copy>(keys: &[T], at: usize) -> Option<(T, T)> {
    let a = *keys.get(at).or(keys.last())?;
    Some((a, keys.get(at + 1).copied().unwrap_or(a)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outside_of_the_keyframes_hold_the_ends() {
        let times = [0.5, 1.0, 2.0];
        assert_eq!(between(&times, 0.0), (0, 0.0));
        assert_eq!(between(&times, 0.75), (0, 0.5));
        assert_eq!(between(&times, 1.0), (1, 0.0));
        assert_eq!(between(&times, 9.0), (2, 0.0));
        assert_eq!(between(&[], 1.0), (0, 0.0));
        assert_eq!(pair(&[7], 3), Some((7, 7)));
    }
}
