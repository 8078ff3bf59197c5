//! Characters made by procedure, for tests, documentation and the first run.

use crate::{Result, scene::Scene};

/// The characters that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sample {
    /// A naked adult in T-pose with five fingers a hand: one closed shell.
    Human,
    /// A big head and short limbs in A-pose.
    Cartoon,
    /// Separate shells for every part.
    Robot,
    /// A four-legged animal.
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

/// Makes a sample with about `triangles` triangles (the sample's own number when `None`), in canonical space.
///
/// # Errors
/// `invalid_option` when the number cannot be reached (under 500 or over 20 million).
pub fn generate(sample: Sample, triangles: Option<usize>) -> Result<Scene> {
    let _ = (sample, triangles);
    Err(crate::Error::new(crate::Code::Internal, "being written"))
}
