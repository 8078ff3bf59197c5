//! How a caller follows and stops a rig.

use serde::{Deserialize, Serialize};

use crate::{Result, scene::Scene};

/// The parts of the work, in order; the names are those of the task API (`spec.md` §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Bytes to a scene.
    Read,
    /// Orientation, class, solid.
    Analyse,
    /// Joints.
    Skeleton,
    /// Skin weights.
    Skin,
    /// Writing the files.
    Export,
    /// Levels of detail.
    Lod,
    /// Clips.
    Animate,
    /// Pictures and the video.
    Render,
    /// Report and archive.
    Pack,
}

impl Stage {
    /// Every stage in order.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::Analyse,
        Self::Skeleton,
        Self::Skin,
        Self::Export,
        Self::Lod,
        Self::Animate,
        Self::Render,
        Self::Pack,
    ];

    /// The stages of a rig, without what makes its files.
    pub const RIG: [Self; 5] = [Self::Read, Self::Analyse, Self::Skeleton, Self::Skin, Self::Export];

    /// The stage's name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Analyse => "analyse",
            Self::Skeleton => "skeleton",
            Self::Skin => "skin",
            Self::Export => "export",
            Self::Lod => "lod",
            Self::Animate => "animate",
            Self::Render => "render",
            Self::Pack => "pack",
        }
    }

    /// The share of the whole work that is done when `done` of this stage is, both 0 to 1.
    pub(crate) fn overall(self, done: f32) -> f32 {
        /// Share of the whole that is done when each stage begins, and at the end.
        const STARTS: [f32; 6] = [0.0, 0.15, 0.4, 0.5, 0.95, 1.0];
        let (start, end) = match self {
            Self::Read => (STARTS[0], STARTS[1]),
            Self::Analyse => (STARTS[1], STARTS[2]),
            Self::Skeleton => (STARTS[2], STARTS[3]),
            Self::Skin => (STARTS[3], STARTS[4]),
            Self::Export => (STARTS[4], STARTS[5]),
            // What follows a rig is counted by the delivery.
            Self::Lod | Self::Animate | Self::Render | Self::Pack => (STARTS[5], STARTS[5]),
        };
        start + (end - start) * done.clamp(0.0, 1.0)
    }
}

/// What a caller hears while a rig is made, and how it says stop.
pub trait Progress: Send {
    /// `fraction` of the whole work is done (0 to 1, never falling); `stage` is what is being done now.
    fn report(&mut self, stage: Stage, fraction: f32) {
        let _ = (stage, fraction);
    }

    /// The prepared mesh is ready to be shown: world space, no skin yet.
    ///
    /// # Errors
    /// An error stops the rig and is returned from it.
    fn prepared(&mut self, scene: &Scene) -> Result<()> {
        let _ = scene;
        Ok(())
    }

    /// True as soon as the rig should stop; asked often.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Hears nothing, never stops.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {}
