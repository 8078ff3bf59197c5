//! Motion: clips, a library of our own, and the ways between skeletons.
//!
//! | module | what |
//! | --- | --- |
//! | [`bvh`] | motion capture as text, read and written |
//! | [`clip`] | keyframes, sampling, fewer keyframes |
//! | [`library`] | idle, walk, run and the others, made for a character's own proportions |
//! | [`retarget`](mod@retarget) | motion of one skeleton on another |
//! | [`measure`] | sliding feet, seams of loops, what goes through the floor |
//!
//! Clips of the library are in place: the character stays where it is, as Unity's and Unreal's character controllers
//! expect. Those that travel have a twin whose name ends in `_root`; there the `root` bone carries the character (the
//! hips do where there is no `root`), and the feet stay on the ground they touch.

mod align;
pub mod bvh;
mod clear;
pub mod clip;
mod curve;
mod figure;
mod kinematics;
pub mod library;
pub mod measure;
mod pose;
mod puppet;
pub mod retarget;
mod sole;
#[cfg(test)]
mod tests;

pub use clip::{Clip, Local, MorphTrack, Track, Values};
pub use retarget::retarget;
