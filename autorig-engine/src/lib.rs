//! The rigging engine of AutoRig: a character mesh goes in, a skeleton and skin weights come out.
//!
//! A rig is a pure function. The crate knows no network, no database, no clock and no async runtime; the same input and
//! options give the same bytes on every x86-64 machine and for any number of threads.
//!
//! ```
//! use autorig_engine::{Options, Silent, read::Source, rig, sample};
//!
//! // Any GLB, glTF, VRM or OBJ will do; this one is made on the spot.
//! let character = sample::generate(sample::Sample::Human, Some(2_000))?;
//! let glb = autorig_engine::write::scene_glb(&character)?;
//!
//! let rig = rig(&Source::bytes("human.glb", glb), &Options::default(), &mut Silent)?;
//! assert!(rig.skeleton.find("leftLowerArm").is_some());
//! assert_eq!(rig.report.class.name(), "humanoid");
//! let rigged: Vec<u8> = rig.to_glb()?;
//! assert_eq!(&rigged[..4], b"glTF");
//! # Ok::<(), autorig_engine::Error>(())
//! ```
//!
//! # Map
//!
//! ```text
//! read/      bytes -> Scene               hostile input stops here, with a typed error
//! scene/     flat arrays and indices      what readers fill and writers read
//! analyse/   Scene -> Body                weld, orientation, solid; enters canonical space
//! skeleton/  Body (+ markers) -> joints   the learned predictor, names of other conventions
//! skin/      Body + joints -> weights     heat, rigid parts, a proxy for large meshes
//! character/ rigged things as exporters, clips and pictures take them
//! motion/    Character -> clips          our own library, BVH, retargeting
//! pose/      Rig -> posed mesh           standard bend poses, T-pose delivery
//! profile/   what targets want a character to be like, as data
//! quality/   Rig -> quality sheet        bend tests, symmetry, verdict and reasons
//! deliver/   model -> every file of its rig, in one go
//! write/     Rig -> bytes                 leaves canonical space
//! sample/    characters made by procedure
//! lod/       fewer triangles, the same vertices
//! render/    Character -> pictures        software rasteriser, video
//! report.rs  what was found and done, without times
//! session.rs the one way through, stage by stage, cancellable; again where a user moves a joint
//! rig.rs     that way once, and what a caller may choose
//! ```
//!
//! Canonical space is right-handed, metres, +Y up, facing +Z, the character's left at +X, feet on Y = 0. Everything in
//! [`scene`], [`skeleton`] and the files is in the input's own frame and unit; [`analyse::Frame`] leads from one to the
//! other.

pub mod analyse;
pub mod character;
pub mod deliver;
pub mod error;
mod existing;
pub mod limits;
pub mod lod;
pub mod motion;
pub mod pose;
pub mod profile;
pub mod progress;
pub mod quality;
mod random;
pub mod read;
pub mod render;
pub mod report;
pub mod rig;
pub mod sample;
pub mod scene;
pub mod session;
pub mod skeleton;
pub mod skin;
pub mod write;

pub use character::Character;
pub use error::{Code, Error, Kind, Result};
pub use existing::ExistingReport;
pub use limits::Limits;
pub use progress::{Progress, Silent, Stage};
pub use report::Report;
pub use rig::{Class, ExistingRig, Options, Rig, rig, rig_scene};
pub use session::Session;
pub use skeleton::{given::LEAST as WHOLE_SKELETON, markers::JointHint};
