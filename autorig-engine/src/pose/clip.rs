//! Motion of joints over time, as far as a rig carries any.

use glam::{DQuat, DVec3};

/// A named motion: joints that turn or move at the given times.
#[derive(Debug, Clone, Default)]
pub struct Clip {
    /// Its name.
    pub name: String,
    /// Times of the keyframes in seconds, rising.
    pub times: Vec<f32>,
    /// What moves.
    pub tracks: Vec<Track>,
}

/// One joint's motion, a value for each keyframe. Rotations are local, translations from the parent's place in the
/// parent's frame and the file's unit, as nodes of glTF have them.
#[derive(Debug, Clone)]
pub struct Track {
    /// Index of the joint.
    pub joint: usize,
    /// What of it changes.
    pub values: Values,
}

/// The values of a track.
#[derive(Debug, Clone)]
pub enum Values {
    /// Unit quaternions.
    Rotations(Vec<DQuat>),
    /// Offsets.
    Translations(Vec<DVec3>),
}
