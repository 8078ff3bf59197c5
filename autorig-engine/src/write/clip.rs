//! Clips as glTF animations.

use serde_json::{Value, json};

use super::buffer::Buffer;
use super::value::inconsistent;
use crate::Result;
use crate::motion::{Clip, Values};

/// The animations of a rig whose first joint is node `first`. Clips without a track are left out: glTF has none.
pub(super) fn animations(
    clips: &[Clip],
    first: usize,
    joint_count: usize,
    buffer: &mut Buffer,
) -> Result<Vec<Value>> {
    clips.iter().filter(|c| !c.tracks.is_empty()).map(|c| animation(c, first, joint_count, buffer)).collect()
}

fn animation(clip: &Clip, first: usize, joint_count: usize, buffer: &mut Buffer) -> Result<Value> {
    if clip.times.is_empty() || !clip.times.windows(2).all(|w| matches!(w, [a, b] if a < b)) {
        return Err(inconsistent("the times of a clip do not rise"));
    }
    let times: Vec<[f32; 1]> = clip.times.iter().map(|t| [*t]).collect();
    let input = buffer.keyframes(&times, true)?;
    let (mut samplers, mut channels) = (Vec::new(), Vec::new());
    for track in &clip.tracks {
        let (path, count, output) = match &track.values {
            Values::Rotations(values) => {
                let values: Vec<[f32; 4]> = values.iter().map(|q| q.to_array().map(|x| x as f32)).collect();
                ("rotation", values.len(), buffer.keyframes(&values, false)?)
            }
            Values::Translations(values) => {
                let values: Vec<[f32; 3]> = values.iter().map(|v| v.to_array().map(|x| x as f32)).collect();
                ("translation", values.len(), buffer.keyframes(&values, false)?)
            }
        };
        if count != clip.times.len() || track.joint >= joint_count {
            return Err(inconsistent("a track of a clip has no joint, or not one value for each keyframe"));
        }
        channels.push(json!({
            "sampler": samplers.len(),
            "target": {"node": first + track.joint, "path": path},
        }));
        samplers.push(json!({"input": input, "output": output, "interpolation": "LINEAR"}));
    }
    Ok(json!({"name": clip.name, "samplers": samplers, "channels": channels}))
}
