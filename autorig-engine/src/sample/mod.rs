//! Characters made by procedure, for tests, documentation and the first run.
//!
//! All of them stand in canonical space: right-handed, +Y up, metres, facing +Z, their left at +X, feet
//! on Y = 0. The same call gives the same bytes on every machine and with any number of threads.
//! [`truth`](fn@truth) has the skeletons they were built around.

use crate::{Code, Error, Result, scene::Scene};

mod bricks;
mod build;
mod cartoon;
mod decimate;
mod human;
mod pill;
mod polygonise;
mod quadruped;
mod robot;
mod sdf;
mod texture;
mod truth;
mod warp;

/// Fewest triangles that [`generate`] makes.
pub const FEWEST_TRIANGLES: usize = 500;
/// Most triangles that [`generate`] makes.
pub const MOST_TRIANGLES: usize = 20_000_000;

/// The characters that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sample {
    /// An adult of 1.75 m in T-pose with five fingers a hand: one closed shell 1.77 m wide, painted by a
    /// texture. 30,000 triangles unless told otherwise.
    Human,
    /// A big head and short limbs in A-pose, 1.2 m: shells for body, eyes, hair and cap. 12,000 triangles.
    Cartoon,
    /// 28 separate shells in as many nodes, 1.8 m in A-pose, with vertex colours. 8,000 triangles.
    Robot,
    /// A four-legged animal 1.03 m high and 1.7 m long: one closed shell. 10,000 triangles.
    Quadruped,
}

impl Sample {
    /// Every sample.
    pub const ALL: [Self; 4] = [Self::Human, Self::Cartoon, Self::Robot, Self::Quadruped];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Cartoon => "cartoon",
            Self::Robot => "robot",
            Self::Quadruped => "quadruped",
        }
    }
}

/// A joint of the skeleton that a sample was built around.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthJoint {
    /// Canonical name (VRM 1.0 humanoid bone in camelCase); the quadruped has names of its own.
    pub name: String,
    /// Name of the parent, which comes earlier; `None` for the hips.
    pub parent: Option<String>,
    /// Position in canonical space.
    pub position: [f64; 3],
}

/// The skeleton that a sample was built around, parents before children. Its joints do not depend on
/// the number of triangles.
pub fn truth(sample: Sample) -> Vec<TruthJoint> {
    match sample {
        Sample::Human => human::truth(),
        Sample::Cartoon => cartoon::truth(),
        Sample::Robot => robot::truth(),
        Sample::Quadruped => quadruped::truth(),
    }
}

/// Makes a sample with about `triangles` triangles (the sample's own number when `None`), in canonical space.
///
/// The number is met within 10 %.
///
/// # Errors
/// `invalid_option` when the number cannot be reached (under 500 or over 20 million).
pub fn generate(sample: Sample, triangles: Option<usize>) -> Result<Scene> {
    if let Some(wanted) = triangles.filter(|n| !(FEWEST_TRIANGLES..=MOST_TRIANGLES).contains(n)) {
        return Err(Error::new(Code::InvalidOption, format!("a sample cannot have {wanted} triangles"))
            .with_remedy(format!("ask for {FEWEST_TRIANGLES} to {MOST_TRIANGLES} triangles")));
    }
    Ok(match sample {
        Sample::Human => human::scene(triangles.unwrap_or(human::TRIANGLES)),
        Sample::Cartoon => cartoon::scene(triangles.unwrap_or(cartoon::TRIANGLES)),
        Sample::Robot => robot::scene(triangles.unwrap_or(robot::TRIANGLES)),
        Sample::Quadruped => quadruped::scene(triangles.unwrap_or(quadruped::TRIANGLES)),
    })
}
