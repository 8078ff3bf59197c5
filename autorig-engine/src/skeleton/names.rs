//! Joint names of other conventions, for markers that come from another program.
//!
//! A name is compared without case, namespace (`mixamorig:`, `Armature|`), a rig's own prefix (`mixamorig1_`, `Bip001 `,
//! `DEF-`) and separators. The table holds canonical (VRM 1.0), Mixamo, Unity, Unreal 5, Rigify, Godot, Roblox, VRoid,
//! 3ds Max Biped, Character Creator and Daz names, and plain ones with `.L` and `.R`.

use std::{collections::BTreeMap, sync::OnceLock};

static TABLE: &str = include_str!("../../assets/joint_names.json");

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
    let bare = normalise(name);
    let table = table();
    let without =
        |prefix: &str| bare.strip_prefix(prefix).map(|n| n.trim_start_matches(|c: char| c.is_ascii_digit()));
    let known = |name: Option<&str>| name.and_then(|n| table.get(n));
    known(Some(&bare)).or_else(|| PREFIXES.iter().find_map(|prefix| known(without(prefix)))).copied()
}

/// What rigs put before every name, digits after it included.
const PREFIXES: [&str; 3] = ["mixamorig", "bip", "def"];

fn normalise(name: &str) -> String {
    let bare = name.rsplit([':', '|']).next().unwrap_or(name);
    bare.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Canonical name to the names of the conventions.
fn rows() -> BTreeMap<&'static str, Vec<&'static str>> {
    // The file is compiled in; were it broken, no foreign name would be known, which a test would see.
    serde_json::from_str(TABLE).unwrap_or_default()
}

/// Names as their conventions write them, where only the spelling tells two conventions apart: Unity's
/// `Left Thumb Proximal` is the joint next to the wrist, VRM 1.0's `leftThumbProximal` the one after it.
fn exact() -> &'static BTreeMap<&'static str, &'static str> {
    static MAP: OnceLock<BTreeMap<&'static str, &'static str>> = OnceLock::new();
    MAP.get_or_init(|| {
        let spaced = |(canonical, names): (&'static str, Vec<&'static str>)| {
            names.into_iter().filter(|n| n.contains(' ')).map(move |n| (n, canonical))
        };
        rows().into_iter().flat_map(spaced).collect()
    })
}

/// Normalised name of any convention to canonical name. Earlier conventions win where two disagree.
fn table() -> &'static BTreeMap<String, &'static str> {
    static MAP: OnceLock<BTreeMap<String, &'static str>> = OnceLock::new();
    MAP.get_or_init(|| {
        let rows = rows();
        let mut map: BTreeMap<String, &'static str> =
            rows.keys().map(|name| (normalise(name), *name)).collect();
        let conventions = rows.values().map(Vec::len).max().unwrap_or(0);
        for convention in 0..conventions {
            for (canonical, names) in &rows {
                if let Some(name) = names.get(convention).filter(|n| !n.is_empty()) {
                    map.entry(normalise(name)).or_insert(*canonical);
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
        let rows = rows();
        let conventions = rows.values().next().unwrap().len();
        for convention in 0..conventions {
            let mut names: Vec<String> =
                rows.values().map(|r| normalise(r[convention])).filter(|n| !n.is_empty()).collect();
            names.sort();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "convention {convention}");
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
