//! The profile's file.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

static FILES: [&str; 9] = [
    include_str!("../../assets/profiles/glb.json"),
    include_str!("../../assets/profiles/unity.json"),
    include_str!("../../assets/profiles/unreal.json"),
    include_str!("../../assets/profiles/mixamo.json"),
    include_str!("../../assets/profiles/vrm.json"),
    include_str!("../../assets/profiles/blender.json"),
    include_str!("../../assets/profiles/godot.json"),
    include_str!("../../assets/profiles/roblox.json"),
    include_str!("../../assets/profiles/maya.json"),
];

/// How a target wants its characters. Joints are meant by their canonical names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its own name.
    pub name: String,
    /// What it is for, in a phrase.
    pub about: String,
    /// Kind of file it is written as.
    pub format: Format,
    /// It is made of a humanoid's bones and takes nothing else.
    #[serde(default)]
    pub humanoid: bool,
    /// Axes and unit; the character's own when absent.
    #[serde(default)]
    pub space: Option<Space>,
    /// What joints are called.
    #[serde(default)]
    pub names: Naming,
    /// Name of the bone on the ground above the hips, made where there is none.
    #[serde(default)]
    pub root: Option<String>,
    /// The hips are on top: what is above them goes.
    #[serde(default)]
    pub rootless: bool,
    /// The pose of the bind pose.
    #[serde(default)]
    pub rest_pose: Rest,
    /// The directions of the bones' own axes.
    pub axes: Axes,
    /// Most bones a vertex follows, 1 to 8.
    pub influences: usize,
    /// The bones that every humanoid must have are followed by a vertex each, or the target would leave them out.
    #[serde(default)]
    pub necessary_followed: bool,
    /// Bones that are cut into several, one after the other.
    #[serde(default)]
    pub chains: Vec<Chain>,
    /// Bones of the palm, made where there are none.
    #[serde(default)]
    pub metacarpals: Vec<Metacarpal>,
    /// Bones along a limb that share its weights.
    #[serde(default)]
    pub twists: Vec<Twist>,
    /// Bones without weight at the ends of chains.
    #[serde(default)]
    pub leaves: Vec<Leaf>,
    /// Bones without weight that lie where others are, or at the origin.
    #[serde(default)]
    pub extras: Vec<Extra>,
    /// Joints that hang on others than usual, where both are there.
    #[serde(default)]
    pub parents: BTreeMap<String, String>,
    /// Each clip is a file of its own, without the mesh.
    #[serde(default)]
    pub one_clip_a_file: bool,
}

/// Kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// glTF binary.
    Glb,
    /// Autodesk FBX, binary.
    Fbx,
    /// VRM 1.0.
    Vrm,
}

/// A right-handed space with the character between the origin's axes: its left at +X, its feet on the ground.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// `y`: +Y up, facing +Z. `z`: +Z up, facing −Y.
    pub up: Up,
    /// Metres a unit.
    pub metres: f64,
}

/// The axis that points up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Up {
    /// +Y, as in glTF and Maya.
    Y,
    /// +Z, as in 3ds Max, Blender and Unreal.
    Z,
}

/// What joints are called.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Naming {
    /// A convention of [`crate::skeleton::names`].
    pub convention: Option<String>,
    /// What stands before each of its names.
    pub prefix: String,
    /// Names of the profile's own, which come first.
    pub own: BTreeMap<String, String>,
    /// Joints that have no place here and merge into what they hang on.
    pub drop: Vec<String>,
    /// Every canonical joint without a name merges into what it hangs on.
    pub merge: bool,
    /// Bones keep the names they have.
    pub keep_own: bool,
}

/// The pose of the bind pose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// As the character is.
    #[default]
    AsIs,
    /// A T-pose.
    TPose,
}

/// The directions of the bones' own axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axes {
    /// As the character has them.
    AsIs,
    /// All parallel to the axes of the space.
    Parallel,
    /// +Y along the bone, +Z forward, or up where the bone itself points forward.
    YAlongBone,
    /// +X along the bone or against it as Unreal's Manny has it, the right side mirrored.
    Manny,
}

/// Bones one after the other. The first with a joint of its own starts it; bones without one are cut into the segment
/// they lie on, evenly.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// The joint that follows the last bone.
    pub to: String,
    /// The bones from the first.
    pub bones: Vec<ChainBone>,
}

/// A bone of a chain.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainBone {
    /// The joint it is, where the character has it.
    #[serde(default)]
    pub joint: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it begins on its segment, 0 to 1; evenly when absent.
    #[serde(default)]
    pub at: Option<f64>,
}

/// A bone of the palm between the hand and a finger.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metacarpal {
    /// The joint it is.
    pub joint: String,
    /// The joint it leads to.
    pub to: String,
    /// The joint it hangs on.
    pub parent: String,
    /// Where it begins between the two, 0 to 1.
    pub at: f64,
}

/// Bones along a limb: children of it, and neighbours of the next joint.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twist {
    /// The limb's joint.
    pub joint: String,
    /// The joint at its end.
    pub to: String,
    /// The bones from the first.
    pub bones: Vec<TwistBone>,
}

/// A bone along a limb.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwistBone {
    /// Its name.
    pub name: String,
    /// Where it is along the limb, 0 to 1.
    pub at: f64,
}

/// A bone without weight at the end of a chain.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Its name.
    pub name: String,
    /// The joint it is, where the character has it already.
    #[serde(default)]
    pub joint: Option<String>,
    /// The joint it hangs on.
    pub parent: String,
}

/// A bone without weight that belongs to the target's tools.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// Its name.
    pub name: String,
    /// The joint or the earlier extra bone it hangs on.
    pub parent: String,
    /// The joint whose frame it has; at the origin and unturned when absent.
    #[serde(default)]
    pub copy: Option<String>,
}

impl Profile {
    /// Every profile there is.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Profile>> = OnceLock::new();
        // The files are compiled in; were one broken, it would be missing, which a test would see.
        ALL.get_or_init(|| FILES.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// The same as FBX, which is in centimetres.
    #[must_use]
    pub fn as_fbx(&self) -> Self {
        let up = self.space.map_or(Up::Y, |s| s.up);
        Self { format: Format::Fbx, space: Some(Space { up, metres: 0.01 }), ..self.clone() }
    }

    /// What the profile calls a joint.
    pub fn name_of(&self, joint: &str) -> Option<String> {
        if let Some(own) = self.names.own.get(joint) {
            return Some(own.clone());
        }
        if joint == "root"
            && let Some(root) = &self.root
        {
            return Some(root.clone());
        }
        let of_chain = self.chains.iter().flat_map(|c| &c.bones).find(|b| b.joint.as_deref() == Some(joint));
        if let Some(bone) = of_chain {
            return Some(bone.name.clone());
        }
        let name = crate::skeleton::names::name_in(self.names.convention.as_deref()?, joint)?;
        Some(format!("{}{name}", self.names.prefix))
    }
}
