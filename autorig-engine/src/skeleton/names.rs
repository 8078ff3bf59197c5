//! Joint names of other conventions, for markers that come from another program.
//!
//! A name is compared without case, namespace (`mixamorig:`, `Armature|`), prefix digits and separators. The table holds
//! canonical (VRM 1.0), Mixamo, Unity, Unreal 5, Rigify, Godot and Roblox names.

use std::{collections::BTreeMap, sync::OnceLock};

static TABLE: &str = include_str!("../../assets/joint_names.json");

/// The canonical name of a joint, if the name is known.
///
/// ```
/// use autorig_engine::skeleton::names::canonical;
/// assert_eq!(canonical("mixamorig:LeftForeArm"), Some("leftLowerArm"));
/// assert_eq!(canonical("left_lower_arm"), Some("leftLowerArm"));
/// assert_eq!(canonical("lowerarm_l"), Some("leftLowerArm"));
/// assert_eq!(canonical("banana"), None);
/// ```
pub fn canonical(name: &str) -> Option<&'static str> {
    let bare = normalise(name);
    let table = table();
    let without_prefix =
        bare.strip_prefix("mixamorig").map(|n| n.trim_start_matches(|c: char| c.is_ascii_digit()));
    table
        .get(&bare)
        .or_else(|| without_prefix.and_then(|n| table.get(n)))
        .or_else(|| bare.strip_prefix("def").and_then(|n| table.get(n)))
        .copied()
}

fn normalise(name: &str) -> String {
    let bare = name.rsplit([':', '|']).next().unwrap_or(name);
    bare.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Normalised name of any convention to canonical name. Earlier conventions win where two disagree.
fn table() -> &'static BTreeMap<String, &'static str> {
    static MAP: OnceLock<BTreeMap<String, &'static str>> = OnceLock::new();
    MAP.get_or_init(|| {
        // The file is compiled in; were it broken, no foreign name would be known, which a test would see.
        let rows: BTreeMap<&'static str, Vec<&'static str>> = serde_json::from_str(TABLE).unwrap_or_default();
        let mut map = BTreeMap::new();
        for canonical in rows.keys() {
            map.insert(normalise(canonical), *canonical);
        }
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
    fn left_and_right_are_never_confused() {
        for joint in table().values().filter(|n| n.starts_with("left")) {
            let right = joint.replacen("left", "right", 1);
            assert_eq!(canonical(&right), Some(right.as_str()));
        }
    }
}
