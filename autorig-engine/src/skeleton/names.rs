//! Joint names of other conventions, for markers that come from another program.
//!
//! A name is compared without case, namespace (`mixamorig:`, `Armature|`), a rig's own prefix (`mixamorig1_`, `Bip001 `,
//! `DEF-`), separators and the numbers that other programs append. The table holds the names of the conventions listed at
//! its head, besides the canonical ones of VRM 1.0; [`crate::character::recognise`] finds out which of them a skeleton
//! follows.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

static TABLE: &str = include_str!("../../assets/joint_names.json");

/// The joints a humanoid has in every convention, and that Unity, Unreal and VRM ask for, each with the one it hangs on,
/// directly or not; nothing for the first.
pub const NECESSARY: [(&str, &str); 15] = [
    ("hips", ""),
    ("spine", "hips"),
    ("head", "spine"),
    ("leftUpperArm", "spine"),
    ("leftLowerArm", "leftUpperArm"),
    ("leftHand", "leftLowerArm"),
    ("rightUpperArm", "spine"),
    ("rightLowerArm", "rightUpperArm"),
    ("rightHand", "rightLowerArm"),
    ("leftUpperLeg", "hips"),
    ("leftLowerLeg", "leftUpperLeg"),
    ("leftFoot", "leftLowerLeg"),
    ("rightUpperLeg", "hips"),
    ("rightLowerLeg", "rightUpperLeg"),
    ("rightFoot", "rightLowerLeg"),
];

/// The convention whose names are canonical already.
pub const CANONICAL: &str = "vrm";
/// Not looked at for single names: its names are Unreal 5's, where a spine of three joints does not tell which.
const ONLY_AS_A_WHOLE: &str = "unreal4";

/// The canonical name of a joint, if the name is known.
///
/// ```
/// use autorig_engine::skeleton::names::canonical;
/// assert_eq!(canonical("mixamorig:LeftForeArm"), Some("leftLowerArm"));
/// assert_eq!(canonical("left_lower_arm"), Some("leftLowerArm"));
/// assert_eq!(canonical("lowerarm_l"), Some("leftLowerArm"));
/// assert_eq!(canonical("Bip01 L Finger11"), Some("leftIndexIntermediate"));
/// assert_eq!(canonical("banana"), None);
/// ```
pub fn canonical(name: &str) -> Option<&'static str> {
    if let Some(joint) = exact().get(name) {
        return Some(joint);
    }
    spellings(name).iter().find_map(|n| table().get(n)).copied()
}

/// The conventions of the table, [`CANONICAL`] first.
pub fn conventions() -> &'static [&'static str] {
    static LIST: OnceLock<Vec<&'static str>> = OnceLock::new();
    LIST.get_or_init(|| std::iter::once(CANONICAL).chain(rows().conventions.iter().copied()).collect())
}

/// What a convention calls a joint, if it has a name for it. `joint` is its canonical name.
pub fn name_in(convention: &str, joint: &str) -> Option<&'static str> {
    let (joint, names) = rows().joints.get_key_value(joint)?;
    let name = match rows().conventions.iter().position(|c| *c == convention) {
        Some(column) => names.get(column)?,
        None if convention == CANONICAL => joint,
        None => return None,
    };
    (!name.is_empty()).then_some(*name)
}

/// The canonical name of a joint in one convention.
pub(crate) fn canonical_in(convention: &str, name: &str) -> Option<&'static str> {
    static MAPS: OnceLock<BTreeMap<&'static str, BTreeMap<String, &'static str>>> = OnceLock::new();
    let maps = MAPS.get_or_init(|| {
        let one = |convention: &&'static str| {
            let name = |joint: &&'static str| Some((normalise(name_in(convention, joint)?), *joint));
            (*convention, rows().joints.keys().filter_map(name).collect())
        };
        conventions().iter().map(one).collect()
    });
    let map = maps.get(convention)?;
    spellings(name).iter().find_map(|n| map.get(n)).copied()
}

/// A name as the table may have it: as it is, without a rig's prefix, without a number behind it.
fn spellings(name: &str) -> Vec<String> {
    // What FBX files write for characters that their names may not have.
    let name = &name.replace("FBXASC046", ".").replace("FBXASC032", " ").replace("FBXASC058", ":");
    let mut all = vec![normalise(name)];
    let digits = |c: char| c.is_ascii_digit();
    let prefixes = all[0].clone();
    all.extend(
        PREFIXES
            .iter()
            .filter_map(|prefix| prefixes.strip_prefix(prefix))
            .map(|n| n.trim_start_matches(digits).to_owned()),
    );
    let end = name.trim_end_matches(digits);
    if end.len() < name.len() && end.ends_with(['_', '.']) && end.len() > 1 {
        let again = spellings(&end[..end.len() - 1]);
        all.extend(again);
    }
    all
}

/// What rigs put before every name, digits after it included.
const PREFIXES: [&str; 4] = ["mixamorig", "bip", "def", "org"];

fn normalise(name: &str) -> String {
    let bare = name.rsplit([':', '|']).next().unwrap_or(name);
    bare.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The file of names.
#[derive(Deserialize, Default)]
struct Rows {
    /// What the columns are.
    #[serde(borrow)]
    conventions: Vec<&'static str>,
    /// Canonical name to the names of the conventions; empty where one has none.
    #[serde(borrow)]
    joints: BTreeMap<&'static str, Vec<&'static str>>,
}

fn rows() -> &'static Rows {
    static ROWS: OnceLock<Rows> = OnceLock::new();
    // The file is compiled in; were it broken, no foreign name would be known, which a test would see.
    ROWS.get_or_init(|| serde_json::from_str(TABLE).unwrap_or_default())
}

/// Names as their conventions write them, where only the spelling tells two conventions apart: Unity's
/// `Left Thumb Proximal` is the joint next to the wrist, VRM 1.0's `leftThumbProximal` the one after it.
fn exact() -> &'static BTreeMap<&'static str, &'static str> {
    static MAP: OnceLock<BTreeMap<&'static str, &'static str>> = OnceLock::new();
    MAP.get_or_init(|| {
        let spaced = |(canonical, names): (&&'static str, &'static Vec<&'static str>)| {
            let canonical = *canonical;
            names.iter().filter(|n| n.contains(' ')).map(move |n| (*n, canonical))
        };
        rows().joints.iter().flat_map(spaced).collect()
    })
}

/// Normalised name of any convention to canonical name. Earlier conventions win where two disagree.
fn table() -> &'static BTreeMap<String, &'static str> {
    static MAP: OnceLock<BTreeMap<String, &'static str>> = OnceLock::new();
    MAP.get_or_init(|| {
        let joints = || rows().joints.keys();
        let mut map = BTreeMap::new();
        for convention in conventions().iter().filter(|c| **c != ONLY_AS_A_WHOLE) {
            for joint in joints() {
                if let Some(name) = name_in(convention, joint) {
                    map.entry(normalise(name)).or_insert(*joint);
                }
            }
        }
        map
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_convention_knows_its_own_left_elbow() {
        for name in [
            "leftLowerArm",
            "mixamorig1:LeftForeArm",
            "LeftLowerArm",
            "lowerarm_l",
            "DEF-forearm.L",
            "mixamorig_LeftForeArm",
        ] {
            assert_eq!(canonical(name), Some("leftLowerArm"), "{name}");
        }
    }

    #[test]
    fn every_convention_knows_its_own_fingers() {
        for (name, joint) in [
            ("mixamorig:LeftHandIndex1", "leftIndexProximal"),
            ("Left Thumb Proximal", "leftThumbMetacarpal"),
            ("index_01_l", "leftIndexProximal"),
            ("DEF-f_pinky.03.L", "leftLittleDistal"),
            ("J_Bip_L_Index1", "leftIndexProximal"),
            ("Bip01 L Finger1", "leftIndexProximal"),
            ("Bip001 R Finger0", "rightThumbMetacarpal"),
            ("Bip001 R Finger42", "rightLittleDistal"),
            ("CC_Base_R_Mid2", "rightMiddleIntermediate"),
            ("rRing3", "rightRingDistal"),
            ("Pinky2.R", "rightLittleIntermediate"),
            ("leftThumbProximal", "leftThumbProximal"),
        ] {
            assert_eq!(canonical(name), Some(joint), "{name}");
        }
    }

    #[test]
    fn no_name_of_one_convention_means_two_joints() {
        assert_eq!(conventions().len(), 17);
        for convention in conventions() {
            let mut names: Vec<String> =
                rows().joints.keys().filter_map(|j| name_in(convention, j)).map(normalise).collect();
            names.sort();
            assert!(names.len() > 20, "{convention}");
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{convention}");
        }
    }

    #[test]
    fn names_with_what_programs_append_or_escape_are_known() {
        for (name, joint) in [
            ("mixamorig:LeftUpLeg_055", "leftUpperLeg"),
            ("forearmFBXASC046L", "leftLowerArm"),
            ("Bip001FBXASC032LFBXASC032Thigh", "leftUpperLeg"),
            ("LeftHand.001", "leftHand"),
        ] {
            assert_eq!(canonical(name), Some(joint), "{name}");
        }
    }

    #[test]
    fn left_and_right_are_never_confused() {
        for joint in table().values().filter(|n| n.starts_with("left")) {
            let right = joint.replacen("left", "right", 1);
            assert_eq!(canonical(&right), Some(right.as_str()));
        }
    }
}
