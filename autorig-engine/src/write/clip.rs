//! Clips as glTF animations.

use serde_json::{Value, json};

use super::buffer::Buffer;
use super::value::inconsistent;
use crate::Result;
use crate::motion::{Clip, MorphTrack, Values};
use crate::scene::Mesh;

/// What clips move.
pub(super) struct Stage<'a> {
    /// The node of the first joint.
    pub(super) first: usize,
    /// How many joints follow it.
    pub(super) joints: usize,
    pub(super) meshes: &'a [Mesh],
    /// The node that shows each mesh; none for a mesh without triangles.
    pub(super) shown_by: &'a [Option<usize>],
}

/// The animations of a character. Clips that move nothing are left out: glTF has none.
pub(super) fn animations(clips: &[Clip], stage: &Stage<'_>, buffer: &mut Buffer) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for clip in clips {
        let animation = animation(clip, stage, buffer)?;
        if animation.get("channels").and_then(Value::as_array).is_some_and(|channels| !channels.is_empty()) {
            all.push(animation);
        }
    }
    Ok(all)
}

fn animation(clip: &Clip, stage: &Stage<'_>, buffer: &mut Buffer) -> Result<Value> {
    let (mut samplers, mut channels) = (Vec::new(), Vec::new());
    let mut add = |input: usize, output: usize, node: usize, path: &str| {
        channels.push(json!({"sampler": samplers.len(), "target": {"node": node, "path": path}}));
        samplers.push(json!({"input": input, "output": output, "interpolation": "LINEAR"}));
    };
    if !clip.tracks.is_empty() {
        let input = keyframes(&clip.times, buffer)?;
        for track in &clip.tracks {
            let (path, count, output) = match &track.values {
                Values::Rotations(values) => {
                    let values: Vec<[f32; 4]> =
                        values.iter().map(|q| q.to_array().map(|x| x as f32)).collect();
                    ("rotation", values.len(), buffer.keyframes(&values, false)?)
                }
                Values::Translations(values) => {
                    let values: Vec<[f32; 3]> =
                        values.iter().map(|v| v.to_array().map(|x| x as f32)).collect();
                    ("translation", values.len(), buffer.keyframes(&values, false)?)
                }
            };
            if count != clip.times.len() || track.joint >= stage.joints {
                return Err(inconsistent(
                    "a track of a clip has no joint, or not one value for each keyframe",
                ));
            }
            add(input, output, stage.first + track.joint, path);
        }
    }
    for track in &clip.morphs {
        if let Some(node) = node_of(track, stage)? {
            let input = keyframes(&track.times, buffer)?;
            let weights: Vec<[f32; 1]> = track.weights.iter().map(|w| [*w]).collect();
            add(input, buffer.keyframes(&weights, false)?, node, "weights");
        }
    }
    Ok(json!({"name": clip.name, "samplers": samplers, "channels": channels}))
}

fn keyframes(times: &[f32], buffer: &mut Buffer) -> Result<usize> {
    if times.is_empty() || !times.windows(2).all(|w| matches!(w, [a, b] if a < b)) {
        return Err(inconsistent("the times of a clip do not rise"));
    }
    let times: Vec<[f32; 1]> = times.iter().map(|t| [*t]).collect();
    buffer.keyframes(&times, true)
}

/// The node whose mesh a track morphs; `None` where the mesh has no triangles.
fn node_of(track: &MorphTrack, stage: &Stage<'_>) -> Result<Option<usize>> {
    let targets = |mesh: &Mesh| mesh.primitives.iter().map(|p| p.morphs.len()).max().unwrap_or(0);
    let fits = stage.meshes.get(track.mesh).is_some_and(|mesh| targets(mesh) == track.targets());
    if !fits || track.targets() == 0 {
        return Err(inconsistent("a clip morphs a mesh that has not as many targets"));
    }
    Ok(stage.shown_by.get(track.mesh).copied().flatten())
}
