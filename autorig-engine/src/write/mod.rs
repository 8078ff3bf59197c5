//! Rig and scene to bytes.

#![deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)]

use crate::{Result, Rig, scene::Scene};

mod buffer;
mod clip;
mod document;
mod material;
mod mesh;
mod skin;
mod value;

/// A scene as GLB, hierarchy and all, without skin or clips.
///
/// # Errors
/// `internal` when the scene is inconsistent.
pub fn scene_glb(scene: &Scene) -> Result<Vec<u8>> {
    document::scene(scene)
}

/// A rig as GLB: one skin, every mesh node at the top, joints named canonically, its clips as animations.
///
/// The meshes are nodes `0..scene.meshes.len()`, the joints follow in the skeleton's order. A mesh whose name
/// is also that of a joint gets another one.
///
/// # Errors
/// `internal` when the rig is inconsistent.
pub fn rig_glb(rig: &Rig) -> Result<Vec<u8>> {
    document::rig(rig)
}
