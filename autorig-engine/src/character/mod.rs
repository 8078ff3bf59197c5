//! A character as exporters, clips, levels of detail and pictures take it: meshes in world space, bones with their rest
//! frames, weights between the two.
//!
//! A [`Rig`] of ours becomes one, and so does a file that came with a skin of its own; what works on a character
//! works on both. A model without a skin is a character without bones.

use glam::{DMat3, DMat4, DVec3};

use crate::{
    Limits, Result, Rig,
    analyse::Frame,
    motion::Clip,
    scene::{Influences, Scene},
    skeleton::Joint,
};

mod from_scene;
pub(crate) mod names;
mod posing;
pub mod recognise;
mod stance;

/// A character in one space: that of its file, or that of a target once a profile was applied.
#[derive(Debug, Clone)]
pub struct Character {
    /// What is seen. Flattened: one root node with the identity transform a mesh, `nodes[i].mesh == Some(i)`, no skins,
    /// vertices in the bind pose.
    pub scene: Scene,
    /// Bones, parents before children; empty for a model without a skin.
    pub bones: Vec<Bone>,
    /// `influences[mesh][primitive]`, parallel to `scene.meshes`, joints are indices into `bones`; empty lists without
    /// bones.
    pub influences: Vec<Vec<Influences>>,
    /// Motion of the bones.
    pub clips: Vec<Clip>,
    /// Where left, up and forward are, how long a metre is, and the point between the feet.
    pub frame: Frame,
}

/// One bone in bind pose.
#[derive(Debug, Clone)]
pub struct Bone {
    /// Its name, unique among the bones of a character.
    pub name: String,
    /// Index of the parent, always smaller than its own.
    pub parent: Option<usize>,
    /// Bone to world in bind pose: a rotation and a translation, no scale.
    pub rest: DMat4,
    /// Canonical name (`root`, a VRM 1.0 humanoid bone, or a name of a creature's template) where the bone is known.
    pub canonical: Option<String>,
}

impl Bone {
    /// A joint of the engine's own, whose frame is parallel to the file's axes.
    pub(crate) fn parallel(joint: &Joint) -> Self {
        Self {
            name: joint.name.clone(),
            parent: joint.parent,
            rest: DMat4::from_translation(joint.position),
            canonical: Some(joint.name.clone()),
        }
    }

    /// The bones of a rig: the file's own where it kept them, else the engine's.
    pub(crate) fn of_rig(rig: &Rig) -> Vec<Self> {
        let parallel = || rig.skeleton.joints.iter().map(Self::parallel).collect();
        rig.own_bones.clone().unwrap_or_else(parallel)
    }

    /// Where the bone begins.
    pub fn position(&self) -> DVec3 {
        self.rest.w_axis.truncate()
    }
}

impl Character {
    /// A rig of ours. Bone frames are parallel to the file's axes, as in the rig's GLB, unless the file's own were kept.
    pub fn from_rig(rig: &Rig) -> Self {
        let orientation = &rig.report.orientation;
        let rows = [orientation.left, orientation.up, orientation.forward].map(DVec3::from);
        let rotation = DMat3::from_cols(rows[0], rows[1], rows[2]).transpose();
        let frame =
            Frame { rotation, scale: orientation.metres_per_unit, origin: feet(&rig.scene, &rotation) };
        Self {
            scene: rig.scene.clone(),
            bones: Bone::of_rig(rig),
            influences: rig.influences.clone(),
            clips: rig.clips.clone(),
            frame,
        }
    }

    /// A file as it is: its skins merged into one list of bones, its clips those of the bones.
    ///
    /// Bones are the joints of all skins in use, animated nodes with a mesh below them, and what lies between those up to
    /// where they join; trees that nothing joins get a root of our own. Rest frames come from the inverse bind matrices,
    /// not from where the nodes stand; scales are baked in, the directions of the axes are the file's. Meshes without a
    /// skin follow the bone they hang on. Where no clip moves the bones and the file stands in another pose than its bind
    /// pose, that pose becomes the clip `original_pose`. Bones are named canonically where they are
    /// [recognised](recognise). A model without skins and moving nodes has no bones.
    ///
    /// # Errors
    /// As [`Scene::flatten`].
    pub fn from_scene(scene: Scene) -> Result<Self> {
        Self::from_scene_within(scene, &Limits::default())
    }

    /// [`Character::from_scene`] with other limits than the default ones.
    ///
    /// # Errors
    /// As [`Scene::flatten`].
    pub fn from_scene_within(scene: Scene, limits: &Limits) -> Result<Self> {
        from_scene::character(scene, limits)
    }

    /// It has the bones that every humanoid has: hips, arms and legs, and a spine or a head.
    pub fn is_humanoid(&self) -> bool {
        recognise::is_humanoid(|joint| self.find(joint).is_some())
    }

    /// The bone with this canonical name.
    pub fn find(&self, canonical: &str) -> Option<usize> {
        self.bones.iter().position(|b| b.canonical.as_deref() == Some(canonical))
    }

    /// Rest transforms from bone to parent, one a bone: what a node of a file holds.
    pub fn locals(&self) -> Vec<DMat4> {
        let parent = |bone: &Bone| bone.parent.and_then(|p| self.bones.get(p)).map(|p| p.rest);
        self.bones.iter().map(|b| parent(b).map_or(b.rest, |p| p.inverse() * b.rest)).collect()
    }
}

/// The bones of a file, without looking at its meshes; none without a skin.
pub(crate) fn bones_of(scene: &Scene) -> Result<Vec<Bone>> {
    from_scene::bones_of(scene)
}

/// The point on the ground under the middle of the box along left and forward, in the file's frame.
fn feet(scene: &Scene, rotation: &DMat3) -> DVec3 {
    let mut bounds: Option<(DVec3, DVec3)> = None;
    for p in scene.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| &p.positions) {
        let p = *rotation * DVec3::from(p.map(f64::from));
        bounds = Some(bounds.map_or((p, p), |(lo, hi)| (lo.min(p), hi.max(p))));
    }
    let (lo, hi) = bounds.unwrap_or_default();
    rotation.transpose() * DVec3::new((lo.x + hi.x) / 2.0, lo.y, (lo.z + hi.z) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Silent, rig_scene, sample};

    #[test]
    fn a_rig_becomes_a_character_that_stands_between_its_feet() {
        let scene = sample::generate(sample::Sample::Human, Some(2_000)).unwrap();
        let rig = rig_scene(scene, &Options::default(), &mut Silent).unwrap();
        let character = Character::from_rig(&rig);
        assert_eq!(character.bones.len(), rig.skeleton.joints.len());
        let hips = &character.bones[character.find("hips").unwrap()];
        let at = character.frame.to_canonical(hips.position());
        assert!(at.x.abs() < 0.05 && (0.7..1.2).contains(&at.y), "{at}");
        let sum = character.locals()[1].w_axis + character.locals()[0].w_axis - glam::DVec4::W;
        assert!(sum.truncate().distance(character.bones[1].position()) < 1e-9);
    }
}
