//! Rig and scene to bytes.

#![deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)]

use crate::{
    Character, Result, Rig,
    character::Bone,
    motion::Clip,
    scene::{Influences, Scene},
};

pub use crate::profile;

mod buffer;
mod clip;
mod document;
pub mod fbx;
mod material;
mod mesh;
mod skin;
mod value;
pub mod viewer;
pub mod vrm;

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
    let bones = Bone::of_rig(rig);
    if bones.is_empty() {
        return Err(value::inconsistent("the skeleton has no joints"));
    }
    document::character(&Skinned {
        scene: &rig.scene,
        bones: &bones,
        influences: &rig.influences,
        clips: &rig.clips,
    })
}

/// A character as GLB, laid out as [`rig_glb`] does: its bones are nodes with the translation and rotation that lead
/// from their parent's rest frame to their own. A character without bones becomes a plain model.
///
/// # Errors
/// `internal` when the character is inconsistent.
pub fn character_glb(character: &Character) -> Result<Vec<u8>> {
    document::character(&Skinned {
        scene: &character.scene,
        bones: &character.bones,
        influences: &character.influences,
        clips: &character.clips,
    })
}

/// What is written of a character or a rig.
struct Skinned<'a> {
    scene: &'a Scene,
    bones: &'a [Bone],
    influences: &'a [Vec<Influences>],
    clips: &'a [Clip],
}
