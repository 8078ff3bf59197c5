//! Animations of a file's nodes.

use glam::{DQuat, DVec3};

/// A named animation of nodes and morph targets, as a file has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodeClip {
    /// Its name, possibly empty.
    pub name: String,
    /// What moves. A node has at most one channel of each kind.
    pub channels: Vec<Channel>,
}

/// One property of one node over time. Between two keyframes the values go straight, rotations by the shorter arc; other
/// interpolations of a file are resampled by its reader.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Index into [`Scene::nodes`](super::Scene::nodes).
    pub node: usize,
    /// Times of the keyframes in seconds, not below 0, strictly rising.
    pub times: Vec<f32>,
    /// A value for each keyframe.
    pub values: ChannelValues,
}

/// The values of a channel, in the node's parent's frame as parts of [`Node::local`](super::Node::local).
#[derive(Debug, Clone, PartialEq)]
pub enum ChannelValues {
    /// Translations.
    Translations(Vec<DVec3>),
    /// Unit quaternions.
    Rotations(Vec<DQuat>),
    /// Scales.
    Scales(Vec<DVec3>),
    /// Weights of the node's mesh's morph targets, keyframe by keyframe, the same number in each.
    MorphWeights(Vec<f32>),
}

impl NodeClip {
    /// The time of its last keyframe in seconds, 0 without any.
    pub fn duration(&self) -> f32 {
        self.channels.iter().filter_map(|c| c.times.last()).fold(0.0, |longest, t| t.max(longest))
    }
}
