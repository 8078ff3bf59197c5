//! Rig and scene to bytes.

use crate::{Result, Rig, scene::Scene};

/// A scene as GLB, hierarchy and all, without skin or clips.
///
/// # Errors
/// `internal` when the scene is inconsistent.
pub fn scene_glb(scene: &Scene) -> Result<Vec<u8>> {
    let _ = scene;
    Err(crate::Error::new(crate::Code::Internal, "being written"))
}

/// A rig as GLB: one skin, every mesh node at the top, joints named canonically.
///
/// # Errors
/// `internal` when the rig is inconsistent.
pub fn rig_glb(rig: &Rig) -> Result<Vec<u8>> {
    let _ = rig;
    Err(crate::Error::new(crate::Code::Internal, "being written"))
}
