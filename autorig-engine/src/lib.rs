//! The rigging engine of AutoRig (being written).

pub mod analyse;
pub mod error;
pub mod limits;
pub mod progress;
mod random;
pub mod read;
pub mod report;
pub mod rig;
pub mod sample;
pub mod scene;
pub mod skeleton;
pub mod skin;
pub mod write;

pub use error::{Code, Error, Kind, Result};
pub use limits::Limits;
pub use progress::{Progress, Silent, Stage};
pub use report::Report;
pub use rig::{Class, JointHint, Options, Rig, rig, rig_scene};
