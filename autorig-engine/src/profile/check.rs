//! Whether Unity's and Unreal's automatic mapping will take a character, by their documented rules.
//!
//! Unity's manual ("Preparing humanoid assets for export") and Epic's on the FBX skeletal mesh pipeline say what they
//! look for; what is checked here is the finished character in the target's space, by its names and not by what the engine
//! knows about it.

use std::collections::{BTreeMap, BTreeSet};

use glam::{DMat3, DMat4, DVec3};

use super::{
    data::{Space, Up},
    space,
    work::Work,
};
use crate::{
    Character,
    analyse::Frame,
    skeleton::names::{self, NECESSARY},
};

/// Who maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Unity's Humanoid avatar.
    Unity,
    /// The skeleton of Unreal 5's Manny and Quinn.
    Unreal,
}

/// A rule that a character breaks.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Stable code of the rule, `snake_case`.
    pub rule: &'static str,
    /// The bone it is about.
    pub bone: Option<String>,
    /// What is wrong, in words.
    pub message: String,
}

/// Unreal's tools want these at exactly these parents.
const UNREAL: [(&str, &str); 18] = [
    ("pelvis", "root"),
    ("spine_01", "pelvis"),
    ("spine_02", "spine_01"),
    ("spine_03", "spine_02"),
    ("spine_04", "spine_03"),
    ("spine_05", "spine_04"),
    ("neck_01", "spine_05"),
    ("neck_02", "neck_01"),
    ("head", "neck_02"),
    ("clavicle_l", "spine_05"),
    ("clavicle_r", "spine_05"),
    ("ik_foot_root", "root"),
    ("ik_foot_l", "ik_foot_root"),
    ("ik_foot_r", "ik_foot_root"),
    ("ik_hand_root", "root"),
    ("ik_hand_gun", "ik_hand_root"),
    ("ik_hand_l", "ik_hand_gun"),
    ("ik_hand_r", "ik_hand_gun"),
];
/// Unreal's tools copy these frames.
const COPIES: [(&str, &str); 5] = [
    ("ik_foot_l", "foot_l"),
    ("ik_foot_r", "foot_r"),
    ("ik_hand_gun", "hand_r"),
    ("ik_hand_l", "hand_l"),
    ("ik_hand_r", "hand_r"),
];
/// Largest angle between a limb and its place in the T-pose, in degrees.
const T_POSE_DEGREES: f64 = 10.0;
/// Heights in centimetres between which the unit is believed.
const HEIGHT_CM: std::ops::Range<f64> = 20.0..2_000.0;
/// How far the soles may be off the ground, as a share of the height.
const ON_GROUND: f64 = 0.05;

/// Every rule that the character breaks; none when it will be mapped.
pub fn check(character: &Character, target: Target) -> Vec<Finding> {
    let mut check = Check { character, findings: Vec::new(), by_joint: by_joint(character) };
    check.one_root();
    check.names();
    check.frames();
    check.required();
    check.place(target);
    check.influences(if target == Target::Unity { 4 } else { 8 });
    match target {
        Target::Unity => check.t_pose(),
        Target::Unreal => check.manny(),
    }
    check.findings
}

/// The same of a character that was read from a file, whose readers leave it in metres with +Y up: checked is what the
/// engine sees when it imports the file, centimetres along its own axes.
pub fn check_file(character: &Character, target: Target) -> Vec<Finding> {
    let frame = Frame { rotation: DMat3::IDENTITY, scale: 1.0, origin: DVec3::ZERO };
    let mut work = Work::new(&Character { frame, ..character.clone() });
    let up = if target == Target::Unreal { Up::Z } else { Up::Y };
    space::enter(&mut work, &Space { up, metres: 0.01 });
    let Work { scene, influences, bones, clips, frame, .. } = work;
    check(&Character { scene, bones, influences, clips, frame }, target)
}

/// The first bone whose name says that it is a joint.
fn by_joint(character: &Character) -> BTreeMap<&'static str, usize> {
    let mut found = BTreeMap::new();
    for (index, bone) in character.bones.iter().enumerate() {
        if let Some(joint) = names::canonical(&bone.name) {
            found.entry(joint).or_insert(index);
        }
    }
    found
}

struct Check<'a> {
    character: &'a Character,
    findings: Vec<Finding>,
    by_joint: BTreeMap<&'static str, usize>,
}

impl Check<'_> {
    fn say(&mut self, rule: &'static str, bone: Option<&str>, message: String) {
        self.findings.push(Finding { rule, bone: bone.map(str::to_owned), message });
    }

    fn at(&self, joint: &str) -> Option<DVec3> {
        self.by_joint.get(joint).map(|b| self.character.bones[*b].position())
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.character.bones.iter().position(|b| b.name == name)
    }

    fn one_root(&mut self) {
        let roots = self.character.bones.iter().filter(|b| b.parent.is_none()).count();
        if roots != 1 {
            self.say("one_root", None, format!("there are {roots} bones without a parent instead of one"));
        }
    }

    fn names(&mut self) {
        let mut seen = BTreeSet::new();
        let bones = self.character.bones.iter().map(|b| b.name.as_str());
        let twice: Vec<String> = bones.filter(|n| !seen.insert(*n)).map(str::to_owned).collect();
        let meshes: Vec<String> = self.character.scene.nodes.iter().map(|n| n.name.clone()).collect();
        let shared: Vec<String> = meshes.into_iter().filter(|n| seen.contains(n.as_str())).collect();
        for name in twice {
            self.say("unique_names", Some(&name), format!("several bones are called {name}"));
        }
        for name in shared {
            self.say("unique_names", Some(&name), format!("a mesh is called {name}, as a bone is"));
        }
    }

    fn frames(&mut self) {
        for bone in &self.character.bones {
            let linear = DMat3::from_mat4(bone.rest);
            if !(linear.transpose() * linear).abs_diff_eq(DMat3::IDENTITY, 1e-6) || linear.determinant() < 0.0
            {
                let message = format!("{} has a scale", bone.name);
                self.findings.push(Finding { rule: "no_scale", bone: Some(bone.name.clone()), message });
            }
        }
    }

    /// Present, weighted, and on the right way up to the hips.
    fn required(&mut self) {
        let weighted = self.weighted();
        for (joint, parent) in NECESSARY {
            let Some(&bone) = self.by_joint.get(joint) else {
                self.say("required_bones", None, format!("no bone is named as {joint}"));
                continue;
            };
            let name = self.character.bones[bone].name.clone();
            if !weighted[bone] {
                self.say("weighted", Some(&name), format!("no vertex follows {name}, so it may be skipped"));
            }
            if let Some(&above) = self.by_joint.get(parent)
                && !self.hangs_on(bone, above)
            {
                self.say("hierarchy", Some(&name), format!("{name} does not hang on the {parent}"));
            }
        }
    }

    /// Which bones carry weight themselves or by a bone of their own segment, such as a twist.
    fn weighted(&self) -> Vec<bool> {
        let mut weighted = vec![false; self.character.bones.len()];
        for influences in self.character.influences.iter().flatten() {
            for (joint, weight) in influences.joints.iter().zip(&influences.weights) {
                if *weight > 0.0 && usize::from(*joint) < weighted.len() {
                    weighted[usize::from(*joint)] = true;
                }
            }
        }
        weighted
    }

    fn hangs_on(&self, bone: usize, above: usize) -> bool {
        let parent = |b: &usize| self.character.bones[*b].parent.filter(|p| p < b);
        std::iter::successors(Some(bone), parent).any(|b| b == above)
    }

    /// Unit, up, forward, on the ground.
    fn place(&mut self, target: Target) {
        let up = if target == Target::Unity { DVec3::Y } else { DVec3::Z };
        let mut range = (f64::INFINITY, f64::NEG_INFINITY);
        for p in self.character.scene.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| &p.positions) {
            let y = up.dot(DVec3::from(p.map(f64::from)));
            range = (range.0.min(y), range.1.max(y));
        }
        let height = range.1 - range.0;
        if !HEIGHT_CM.contains(&height) {
            self.say(
                "unit",
                None,
                format!("the character is {height:.3} units tall, which are no centimetres"),
            );
        }
        if range.0.abs() > ON_GROUND * height {
            self.say("on_ground", None, format!("the character stands {:.3} units off the ground", range.0));
        }
        let (hips, head) = (self.at("hips"), self.at("head"));
        if let (Some(hips), Some(head)) = (hips, head)
            && (head - hips).normalize_or_zero().dot(up) < 0.7
        {
            self.say("axes", None, "the head is not above the hips".to_owned());
        }
        if let (Some(left), Some(right)) = (self.at("leftUpperLeg"), self.at("rightUpperLeg"))
            && (left - right).normalize_or_zero().x < 0.9
        {
            self.say("axes", None, "the left leg is not at +X of the right one".to_owned());
        }
    }

    fn influences(&mut self, most: usize) {
        let widest = self
            .character
            .influences
            .iter()
            .flatten()
            .flat_map(|i| i.iter().map(|(_, w)| w.iter().filter(|w| **w > 0.0).count()).max())
            .max();
        if let Some(widest) = widest.filter(|w| *w > most) {
            self.say("influences", None, format!("a vertex follows {widest} bones; {most} are the most"));
        }
    }

    fn t_pose(&mut self) {
        for (side, out) in [("left", DVec3::X), ("right", DVec3::NEG_X)] {
            let limbs = [
                (["UpperArm", "LowerArm"], out),
                (["LowerArm", "Hand"], out),
                (["UpperLeg", "LowerLeg"], DVec3::NEG_Y),
                (["LowerLeg", "Foot"], DVec3::NEG_Y),
            ];
            for ([from, to], goal) in limbs {
                let (from, to) = (format!("{side}{from}"), format!("{side}{to}"));
                let (Some(a), Some(b)) = (self.at(&from), self.at(&to)) else { continue };
                let d = b - a;
                let angle = libm::atan2(d.cross(goal).length(), d.dot(goal)).to_degrees();
                if angle > T_POSE_DEGREES {
                    self.say(
                        "t_pose",
                        Some(&from),
                        format!("{from} is {angle:.0}° off its place in a T-pose"),
                    );
                }
            }
        }
    }

    fn manny(&mut self) {
        if let Some(root) = self.character.bones.first() {
            if root.name != "root" {
                self.say("root", Some(&root.name), format!("the top bone is called {}, not root", root.name));
            }
            if !root.rest.abs_diff_eq(DMat4::IDENTITY, 1e-6) {
                self.say("root", Some(&root.name), "the root is not at the origin and unturned".to_owned());
            }
        }
        for (name, parent) in UNREAL {
            let Some(bone) = self.named(name) else {
                self.say("required_bones", Some(name), format!("there is no bone {name}"));
                continue;
            };
            let above = self.character.bones[bone].parent.map(|p| self.character.bones[p].name.clone());
            if above.as_deref() != Some(parent) {
                self.say("hierarchy", Some(name), format!("{name} hangs on {above:?}, not on {parent}"));
            }
        }
        for (copy, of) in COPIES {
            if let (Some(copied), Some(bone)) = (self.named(copy), self.named(of))
                && !self.character.bones[copied].rest.abs_diff_eq(self.character.bones[bone].rest, 1e-6)
            {
                self.say("ik_bones", Some(copy), format!("{copy} is not where {of} is"));
            }
        }
    }
}
