//! Clips of a file's nodes as clips of bones.
//!
//! A bone's frame in bind pose is another than its node's: it has no scale, and the node may have stood elsewhere. What
//! stays is what the node does to the world: `world(t) · bind⁻¹`, applied to the bone's rest frame.

use std::collections::BTreeMap;

use glam::{DMat3, DMat4, DQuat, DVec3};

use super::{
    bind::rotation,
    tree::{BoneNodes, Tree},
};
use crate::{
    character::Bone,
    motion::{Clip, Track, Values},
    scene::{Channel, ChannelValues, NodeClip, Scene},
};

/// Most values a clip may unfold into, all bones together: 18 minutes of 60 bones at 30 frames a second.
const MOST_VALUES: usize = 2_000_000;
/// What does not move a bone in a clip: half an angle in radians, and a share of how far the bone is from the world's
/// origin and its parent.
const STILL: (f64, f64) = (1e-6, 1e-6);
/// The same for the pose a file stands in; inverse bind matrices are not written more exactly than this.
const BOUND: (f64, f64) = (2e-3, 2e-3);

/// What a file's motion is expressed in.
pub(super) struct Motion<'a> {
    pub(super) scene: &'a Scene,
    pub(super) tree: &'a Tree,
    pub(super) nodes: &'a BoneNodes,
    pub(super) bones: &'a [Bone],
    /// Node to world in bind pose.
    pub(super) bind: &'a [DMat4],
}

/// Parts of a node's transform.
#[derive(Clone, Copy)]
struct Local {
    scale: DVec3,
    rotation: DQuat,
    translation: DVec3,
}

impl Motion<'_> {
    /// A clip of the bones; `None` when it moves none of them.
    pub(super) fn clip(&self, clip: &NodeClip) -> Option<Clip> {
        let mut of_node: BTreeMap<usize, Vec<&Channel>> = BTreeMap::new();
        for channel in clip.channels.iter().filter(|c| !matches!(c.values, ChannelValues::MorphWeights(_))) {
            of_node.entry(channel.node).or_default().push(channel);
        }
        // A node above a bone moves it too.
        let moved = self.moved(&of_node);
        of_node.retain(|node, _| moved.get(*node) == Some(&true));
        if of_node.is_empty() {
            return None;
        }
        let walk: Vec<usize> =
            self.tree.order.iter().copied().filter(|n| moved.get(*n) == Some(&true)).collect();
        let times = times(&of_node, MOST_VALUES / walk.len().max(self.bones.len()).max(1));
        let parts: Vec<Local> = self.scene.nodes.iter().map(|n| split(&n.local)).collect();
        let mut frames: Vec<(Vec<DQuat>, Vec<DVec3>)> = vec![Default::default(); self.bones.len()];
        let mut worlds = self.tree.worlds.clone();
        for &time in &times {
            self.pose(&of_node, &parts, time, &walk, &mut worlds);
            self.sample(&worlds, &mut frames);
        }
        let tracks = self.tracks(frames, STILL);
        (!tracks.is_empty()).then(|| Clip { name: clip.name.clone(), times, tracks, morphs: Vec::new() })
    }

    /// The pose the file stands in, where that is not its bind pose.
    pub(super) fn standing(&self, name: &str) -> Option<Clip> {
        let mut frames = vec![Default::default(); self.bones.len()];
        self.sample(&self.tree.worlds, &mut frames);
        let tracks = self.tracks(frames, BOUND);
        (!tracks.is_empty()).then(|| Clip {
            name: name.to_owned(),
            times: vec![0.0],
            tracks,
            morphs: Vec::new(),
        })
    }

    /// Nodes at or below an animated one, or above one that lies at or below a bone: whose world changes.
    fn moved(&self, of_node: &BTreeMap<usize, Vec<&Channel>>) -> Vec<bool> {
        let mut is_bone = vec![false; self.scene.nodes.len()];
        for (slot, bone) in is_bone.iter_mut().zip(&self.nodes.of_node) {
            *slot = bone.is_some();
        }
        let matters = self.tree.marked_below(&is_bone);
        let mut moved = vec![false; self.scene.nodes.len()];
        for &node in &self.tree.order {
            let above = self.tree.parent(node).is_some_and(|p| moved.get(p) == Some(&true));
            if let Some(slot) = moved.get_mut(node) {
                *slot = (above || of_node.contains_key(&node)) && matters.get(node).is_some_and(|m| *m > 0);
            }
        }
        moved
    }

    /// Puts the worlds of moved nodes to where they are at a time.
    fn pose(
        &self,
        of_node: &BTreeMap<usize, Vec<&Channel>>,
        parts: &[Local],
        time: f32,
        walk: &[usize],
        worlds: &mut [DMat4],
    ) {
        for &node in walk {
            let still = self.scene.nodes.get(node).map_or(DMat4::IDENTITY, |n| n.local);
            let local = match (of_node.get(&node), parts.get(node)) {
                (Some(channels), Some(parts)) => {
                    let mut at = *parts;
                    channels.iter().for_each(|c| at.set(c, time));
                    DMat4::from_scale_rotation_translation(at.scale, at.rotation, at.translation)
                }
                _ => still,
            };
            let above = self.tree.parent(node).and_then(|p| worlds.get(p)).copied();
            if let Some(slot) = worlds.get_mut(node) {
                *slot = above.unwrap_or(DMat4::IDENTITY) * local;
            }
        }
    }

    /// Adds each bone's local rotation and translation at one time.
    fn sample(&self, worlds: &[DMat4], frames: &mut [(Vec<DQuat>, Vec<DVec3>)]) {
        let mut posed: Vec<DMat4> = Vec::with_capacity(self.bones.len());
        for ((bone, node), frame) in self.bones.iter().zip(&self.nodes.nodes).zip(frames) {
            let now = node.and_then(|n| worlds.get(n).zip(self.bind.get(n)));
            let world = now.map_or(bone.rest, |(now, bind)| {
                let turn = rotation(&(DMat3::from_mat4(*now) * DMat3::from_mat4(*bind).inverse()));
                DMat4::from_mat3_translation(turn * DMat3::from_mat4(bone.rest), now.w_axis.truncate())
            });
            let local = bone.parent.and_then(|p| posed.get(p)).map_or(world, |p| p.inverse() * world);
            frame.0.push(DQuat::from_mat3(&DMat3::from_mat4(local)).normalize());
            frame.1.push(local.w_axis.truncate());
            posed.push(world);
        }
    }

    /// Tracks of what differs from the rest.
    fn tracks(&self, frames: Vec<(Vec<DQuat>, Vec<DVec3>)>, (turn, place): (f64, f64)) -> Vec<Track> {
        let mut tracks = Vec::new();
        for (joint, (bone, (mut turns, places))) in self.bones.iter().zip(frames).enumerate() {
            let above = bone.parent.and_then(|p| self.bones.get(p)).map_or(DMat4::IDENTITY, |p| p.rest);
            let rest = above.inverse() * bone.rest;
            let still = DQuat::from_mat3(&DMat3::from_mat4(rest)).normalize();
            if turns.iter().any(|q| q.dot(still).abs() < 1.0 - turn * turn / 2.0) {
                // The shorter arc from key to key, whatever reads it.
                let mut last = still;
                for q in &mut turns {
                    *q = if q.dot(last) < 0.0 { -*q } else { *q };
                    last = *q;
                }
                tracks.push(Track { joint, values: Values::Rotations(turns) });
            }
            let at = rest.w_axis.truncate();
            let size = at.length() + bone.position().length();
            if places.iter().any(|p| p.distance(at) > place * size) {
                tracks.push(Track { joint, values: Values::Translations(places) });
            }
        }
        tracks
    }
}

/// The times of all keyframes, or `most` evenly spaced ones where there are more.
fn times(of_node: &BTreeMap<usize, Vec<&Channel>>, most: usize) -> Vec<f32> {
    let most = most.max(2);
    let mut times: Vec<f32> = of_node.values().flatten().flat_map(|c| c.times.iter().copied()).collect();
    times.sort_unstable_by(f32::total_cmp);
    times.dedup();
    match (times.first(), times.last()) {
        (Some(first), Some(last)) if times.len() > most => spaced(*first, *last, most),
        _ => times,
    }
}

impl Local {
    fn set(&mut self, channel: &Channel, time: f32) {
        match &channel.values {
            ChannelValues::Translations(v) => {
                self.translation = at(channel, v, time, DVec3::lerp).unwrap_or(self.translation);
            }
            ChannelValues::Rotations(v) => {
                self.rotation = at(channel, v, time, DQuat::slerp).unwrap_or(self.rotation);
            }
            ChannelValues::Scales(v) => {
                self.scale = at(channel, v, time, DVec3::lerp).unwrap_or(self.scale);
            }
            ChannelValues::MorphWeights(_) => {}
        }
    }
}

/// A channel's value at a time; before the first keyframe and after the last it stands still.
fn at<T: Copy>(channel: &Channel, values: &[T], time: f32, mix: impl Fn(T, T, f64) -> T) -> Option<T> {
    let next = channel.times.partition_point(|t| *t <= time);
    let after = values.get(next).copied();
    let Some(before) = next.checked_sub(1).and_then(|i| values.get(i).copied()) else { return after };
    let (Some(after), Some(t1)) = (after, channel.times.get(next)) else { return Some(before) };
    let t0 = channel.times.get(next.saturating_sub(1)).copied().unwrap_or(*t1);
    let share = (f64::from(time) - f64::from(t0)) / (f64::from(*t1) - f64::from(t0));
    Some(if share > 0.0 { mix(before, after, share) } else { before })
}

fn spaced(first: f32, last: f32, count: usize) -> Vec<f32> {
    let step = (f64::from(last) - f64::from(first)) / (count.max(2) - 1) as f64;
    let mut times: Vec<f32> = (0..count).map(|i| (f64::from(first) + step * i as f64) as f32).collect();
    times.dedup();
    times
}

/// Scale, rotation and translation of a node; a matrix with shear loses it here, and only where it is animated.
fn split(local: &DMat4) -> Local {
    let linear = DMat3::from_mat4(*local);
    let turn = rotation(&linear);
    let own = turn.transpose() * linear;
    Local {
        scale: DVec3::new(own.x_axis.x, own.y_axis.y, own.z_axis.z),
        rotation: DQuat::from_mat3(&turn).normalize(),
        translation: local.w_axis.truncate(),
    }
}
