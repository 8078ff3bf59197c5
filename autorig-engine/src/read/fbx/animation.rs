//! Animation stacks as clips, baked at 30 frames a second.

use super::mesh::Shown;
use super::morph;
use super::nodes::index;
use super::number::{quaternion, single, vector};
use crate::scene::{Channel, ChannelValues, NodeClip, Scene};
use crate::{Code, Error, Limits, Result};

const FRAMES_A_SECOND: f64 = 30.0;
/// Longest clip that is kept, in seconds. Timelines of an hour are wrong numbers, and baking them takes memory.
const LONGEST: f64 = 600.0;
/// Changes below this are rounding.
const STILL: f64 = 1e-9;

/// Reads all clips. A bad one is left out and said.
pub(super) fn read(
    file: &ufbx::Scene,
    shown: &[Shown<'_>],
    limits: &Limits,
    scene: &mut Scene,
) -> Result<()> {
    // All clips together may take a part of what the model may.
    let mut left = limits.decoded_bytes / 4;
    for stack in &file.anim_stacks {
        let called = stack.element.name.to_string();
        let length = stack.time_end - stack.time_begin;
        if !(0.0..=LONGEST).contains(&length) {
            let message = format!("the animation \"{called}\" lasts {length} s, which is taken for an error");
            scene.warn("clip_repaired", message);
            continue;
        }
        let baked = match ufbx::bake_anim(file, &stack.anim, options(left)) {
            Ok(baked) => baked,
            Err(error) if error.type_ == ufbx::ErrorType::MemoryLimit => {
                let message = format!("the animations take more than {} MB", limits.decoded_bytes >> 22);
                return Err(Error::new(Code::LimitMemory, message));
            }
            Err(_) => {
                scene.warn("clip_repaired", format!("the animation \"{called}\" cannot be evaluated"));
                continue;
            }
        };
        left = left.saturating_sub(baked.metadata.result_memory_used as u64);
        let mut clip = NodeClip { name: called, channels: Vec::new() };
        for node in &baked.nodes {
            let source = file.nodes.iter().find(|n| n.element.typed_id == node.typed_id);
            if let Some(source) = source {
                transforms(node, source, &mut clip.channels);
            }
        }
        for shown in shown {
            weights(stack, &baked, shown, scene, &mut clip.channels);
        }
        if !clip.channels.is_empty() {
            scene.clips.push(clip);
        }
    }
    Ok(())
}

fn options(memory: u64) -> ufbx::BakeOpts {
    let allocator = || ufbx::AllocatorOpts {
        memory_limit: usize::try_from(memory.max(1)).unwrap_or(usize::MAX),
        ..Default::default()
    };
    ufbx::BakeOpts {
        temp_allocator: allocator(),
        result_allocator: allocator(),
        trim_start_time: true,
        resample_rate: FRAMES_A_SECOND,
        ..Default::default()
    }
}

/// The channels of one node that leave what the node has without them.
fn transforms(baked: &ufbx::BakedNode, node: &ufbx::Node, channels: &mut Vec<Channel>) {
    let Some(place) = index(node) else { return };
    let rest = &node.local_transform;
    let mut add = |times: Vec<f32>, values| channels.push(Channel { node: place, times, values });
    let (times, values) = keys(baked.translation_keys.iter().map(|k| (k.time, vector(&k.value))));
    let still = vector(&rest.translation);
    if values.iter().any(|v| v.distance(still) > STILL * (1.0 + still.length())) {
        add(times, ChannelValues::Translations(values));
    }
    let (times, values) = keys(baked.rotation_keys.iter().map(|k| (k.time, quaternion(&k.value))));
    let still = quaternion(&rest.rotation);
    if values.iter().any(|q| q.dot(still).abs() < 1.0 - STILL * STILL.sqrt()) {
        add(times, ChannelValues::Rotations(values));
    }
    let (times, values) = keys(baked.scale_keys.iter().map(|k| (k.time, vector(&k.value))));
    let still = vector(&rest.scale);
    if values.iter().any(|v| v.distance(still) > STILL * (1.0 + still.length())) {
        add(times, ChannelValues::Scales(values));
    }
}

/// Keys with strictly rising times; of several at one time, as steps have, the first counts.
fn keys<T: Copy>(baked: impl Iterator<Item = (f64, T)>) -> (Vec<f32>, Vec<T>) {
    let (mut times, mut values): (Vec<f32>, Vec<T>) = (Vec::new(), Vec::new());
    for (time, value) in baked {
        let time = (single(time)).max(0.0);
        if time.is_finite() && times.last().is_none_or(|last| time > *last) {
            times.push(time);
            values.push(value);
        }
    }
    (times, values)
}

/// The weights of a mesh's morph targets, where the clip changes any.
fn weights(
    stack: &ufbx::AnimStack,
    baked: &ufbx::BakedAnim,
    shown: &Shown<'_>,
    scene: &Scene,
    channels: &mut Vec<Channel>,
) {
    let moves = |id: u32| baked.elements.iter().any(|element| element.element_id == id);
    if !morph::channels(shown.mesh).any(|(channel, _)| moves(channel.element.element_id)) {
        return;
    }
    let frames = (baked.playback_duration * FRAMES_A_SECOND).ceil().clamp(0.0, LONGEST * FRAMES_A_SECOND);
    let times: Vec<f32> = (0..=frames as usize).map(|f| (f as f64 / FRAMES_A_SECOND) as f32).collect();
    let mut values = Vec::new();
    for time in &times {
        for (channel, _) in morph::channels(shown.mesh) {
            let at = baked.playback_time_begin + f64::from(*time);
            let weight = single(ufbx::evaluate_blend_weight(&stack.anim, channel, at));
            values.push(if weight.is_finite() { weight } else { 0.0 });
        }
    }
    for &node in &shown.nodes {
        if scene.nodes.get(node).is_some() {
            let (times, values) = (times.clone(), ChannelValues::MorphWeights(values.clone()));
            channels.push(Channel { node, times, values });
        }
    }
}
