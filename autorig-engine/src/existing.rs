//! A rig that came with the file: recognised and replaced, skinned anew, or kept.

use glam::{DMat3, DMat4};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Character, Limits, Progress, Result,
    analyse::Body,
    character::{self, Bone, names::Names, recognise::recognise},
    motion::Clip,
    rig::ExistingRig,
    scene::{Influences, Scene},
    skeleton::{Joint, Skeleton},
    skin::{Skin, SkinOptions, Skinner},
};

/// The rig that came with the file; part of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExistingReport {
    /// What was done with it.
    pub treatment: ExistingRig,
    /// Bones it has.
    pub bones: usize,
    /// The convention they follow (`mixamo`, `unity`, `unreal5`, `vrm`, …); absent where none is known.
    pub convention: Option<String>,
    /// How sure that is, 0 to 1.
    pub confidence: f32,
    /// Its names have left and right the wrong way round.
    pub mirrored_names: bool,
}

/// What is kept of it.
pub(crate) struct Existing {
    bones: Vec<Bone>,
    /// As the file has them; empty where they are made anew.
    influences: Vec<Vec<Influences>>,
    /// Bones that carry weight in the file.
    weighted: Vec<bool>,
    pub(crate) clips: Vec<Clip>,
    /// Left, up and forward as the recognised bones tell them.
    pub(crate) rotation: Option<DMat3>,
    /// It is a humanoid's, as sure as this.
    pub(crate) humanoid: Option<f32>,
}

/// The scene to rig, in its bind pose where its skeleton is kept; what the report says; what is kept.
type Taken = (Scene, Option<ExistingReport>, Option<Existing>);

impl Existing {
    /// Takes the rig out of a scene.
    ///
    /// # Errors
    /// As [`Scene::flatten`].
    pub(crate) fn take(scene: Scene, treatment: ExistingRig, limits: &Limits) -> Result<Taken> {
        if scene.skins.is_empty() {
            return Ok((scene, None, None));
        }
        let report = |bones: &[Bone]| {
            let found = recognise(bones);
            ExistingReport {
                treatment,
                bones: bones.len(),
                convention: found.convention,
                confidence: found.confidence,
                mirrored_names: found.mirrored,
            }
        };
        if treatment == ExistingRig::ReRig {
            let report = report(&character::bones_of(&scene)?);
            return Ok((scene, Some(report), None));
        }
        let character = Character::from_scene_within(scene, limits)?;
        if character.bones.is_empty() {
            return Ok((character.scene, None, None));
        }
        let report = report(&character.bones);
        let humanoid = character.is_humanoid().then_some(report.confidence);
        let mut weighted = vec![false; character.bones.len()];
        for influences in character.influences.iter().flatten() {
            for (joint, weight) in influences.joints.iter().zip(&influences.weights) {
                if let Some(slot) = weighted.get_mut(usize::from(*joint)).filter(|_| *weight > 0.0) {
                    *slot = true;
                }
            }
        }
        let influences = if treatment == ExistingRig::Keep { character.influences } else { Vec::new() };
        let existing = Self {
            rotation: humanoid.map(|_| character.frame.rotation),
            bones: character.bones,
            influences,
            weighted,
            clips: character.clips,
            humanoid,
        };
        Ok((character.scene, Some(report), Some(existing)))
    }

    /// Its joints, named canonically where they are recognised.
    pub(crate) fn skeleton(&self) -> Skeleton {
        let mut names = Names::default();
        for name in self.bones.iter().filter_map(|b| b.canonical.as_deref()) {
            names.unique(name);
        }
        let mut joint = |bone: &Bone| Joint {
            name: bone.canonical.clone().unwrap_or_else(|| names.unique(&bone.name)),
            parent: bone.parent,
            position: bone.position(),
            confidence: 1.0,
        };
        Skeleton { joints: self.bones.iter().map(&mut joint).collect() }
    }

    /// Its bones, each where the skeleton has its joint now.
    pub(crate) fn bones(&self, skeleton: &Skeleton) -> Vec<Bone> {
        let mut bones = self.bones.clone();
        for (bone, joint) in bones.iter_mut().zip(&skeleton.joints) {
            bone.rest = DMat4::from_mat3_translation(DMat3::from_mat4(bone.rest), joint.position);
        }
        bones
    }

    /// The weights of the file, or new ones for the bones that have weight in the file or are a body's: handles and poles
    /// of the animator get none.
    ///
    /// # Errors
    /// `cancelled`.
    pub(crate) fn skin(
        &self,
        skinner: impl FnOnce() -> Skinner,
        scene: &Scene,
        body: &Body,
        skeleton: &Skeleton,
        options: &SkinOptions,
        progress: &mut dyn Progress,
    ) -> Result<Skin> {
        if !self.influences.is_empty() {
            let influences = self.influences.clone();
            return Ok(Skin { influences, rigid_parts: 0, filled_vertices: 0, mirrored: false });
        }
        let (sub, of) = self.skinnable(skeleton);
        let mut skin = skinner().skin(scene, body, &sub, &[], options, progress)?;
        for joint in skin.influences.iter_mut().flatten().flat_map(|i| &mut i.joints) {
            *joint = of.get(usize::from(*joint)).copied().unwrap_or(0);
        }
        Ok(skin)
    }

    /// The joints that may carry weight, under a root that carries none, and which of all joints each is.
    fn skinnable(&self, skeleton: &Skeleton) -> (Skeleton, Vec<u16>) {
        let top = skeleton.joints.first().map(|j| j.position).unwrap_or_default();
        let root = Joint { name: "root".to_owned(), parent: None, position: top, confidence: 1.0 };
        let (mut sub, mut of) = (Skeleton { joints: vec![root] }, vec![0]);
        let mut place = vec![0_usize; skeleton.joints.len()];
        // What ends a chain, eyes and jaws often have no vertex of their own.
        let body = |bone: &Bone| {
            let joint = bone.canonical.as_deref().unwrap_or("root");
            !(joint == "root" || joint == "jaw" || joint.ends_with("End") || joint.ends_with("Eye"))
        };
        for (index, (joint, bone)) in skeleton.joints.iter().zip(&self.bones).enumerate() {
            let above = joint.parent.and_then(|p| place.get(p)).copied().unwrap_or(0);
            let carries = body(bone) || (self.weighted.get(index) == Some(&true) && joint.name != "root");
            if carries {
                sub.joints.push(Joint { parent: Some(above), ..joint.clone() });
                of.push(index as u16);
            }
            if let Some(slot) = place.get_mut(index) {
                *slot = if carries { sub.joints.len() - 1 } else { above };
            }
        }
        (sub, of)
    }
}
