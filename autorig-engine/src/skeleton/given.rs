//! A skeleton of the user's own: joints that come with their parents, from the hips to the head and down all four limbs.
//!
//! It is taken as it is. Joints that it does not have (hands without fingers, a torso without a chest) are not added: an
//! artist left them out. Joints without parents are corrections to the engine's own skeleton instead ([`super::markers`]).

use super::{
    Joint, Skeleton,
    markers::{JointHint, Missing, absent_name, find, is_finger, same_joint},
};
use crate::Result;

use glam::DVec3;

/// What a whole skeleton of a user's own has at least; hands and feet may be missing, as some characters have none.
pub const LEAST: [&str; 10] = [
    "hips",
    "head",
    "leftUpperArm",
    "leftLowerArm",
    "rightUpperArm",
    "rightLowerArm",
    "leftUpperLeg",
    "leftLowerLeg",
    "rightUpperLeg",
    "rightLowerLeg",
];

/// The hints and their parents as places in the order answered, parents first, where they are one whole skeleton: each
/// but one says its parent, and all of [`LEAST`] are there.
///
/// A parent that is not among the hints (a mover or control of the artist's) gives way to the nearest joint that is, going
/// up in `own`, the engine's skeleton.
pub(super) fn tree<'a>(
    own: &Skeleton,
    hints: &'a [JointHint],
) -> Option<Vec<(&'a JointHint, Option<usize>)>> {
    let place_of = |name: &str| hints.iter().position(|hint| same_joint(&hint.name, name));
    let whole = LEAST.iter().all(|name| place_of(name).is_some());
    if !whole || hints.iter().filter(|hint| hint.parent.is_none()).count() > 1 {
        return None;
    }
    let above = |hint: &JointHint| {
        let mut joint = own.joints[find(own, &hint.name)?].parent;
        while let Some(j) = joint {
            match place_of(&own.joints[j].name) {
                None => joint = own.joints[j].parent,
                found => return found,
            }
        }
        None
    };
    let parent_of = |hint: &JointHint| place_of(hint.parent.as_deref()?).or_else(|| above(hint));
    let parents: Vec<Option<usize>> = hints.iter().map(parent_of).collect();
    let mut order: Vec<(usize, usize)> =
        (0..hints.len()).map(|j| Some((depth(&parents, j)?, j))).collect::<Option<_>>()?;
    order.sort_unstable();
    let place = |hint: usize| order.iter().position(|(_, j)| *j == hint);
    Some(order.iter().map(|&(_, j)| (&hints[j], parents[j].and_then(place))).collect())
}

/// How many joints are above one; `None` in a circle.
fn depth(parents: &[Option<usize>], joint: usize) -> Option<usize> {
    let (mut at, mut depth) = (joint, 0);
    while let Some(parent) = parents[at] {
        (at, depth) = (parent, depth + 1);
        if depth > parents.len() {
            return None;
        }
    }
    Some(depth)
}

/// The user's skeleton under the root of the engine's own. `missing` says whether it may have joints that `own` lacks.
///
/// # Errors
/// `invalid_option` for a joint that neither the engine's skeleton nor any convention knows.
pub(super) fn skeleton(
    own: &Skeleton,
    tree: &[(&JointHint, Option<usize>)],
    missing: Missing,
) -> Result<Skeleton> {
    let mut joints: Vec<Joint> = own.joints.iter().take(1).cloned().collect();
    // Where each hint went: its own joint, or its parent's where it is no joint of a rig.
    let mut places: Vec<usize> = Vec::with_capacity(tree.len());
    for (hint, parent) in tree {
        let parent = parent.map_or(0, |p| places[p]);
        let known = find(own, &hint.name);
        let name = match known {
            Some(joint) => own.joints[joint].name.clone(),
            None => absent_name(hint, missing)?.to_owned(),
        };
        let position = DVec3::from(hint.position);
        if known == Some(0) {
            (joints[0].position, joints[0].confidence) = (position, 1.0);
            places.push(0);
        } else if name.ends_with("End") || is_finger(&name) && missing == Missing::AddButFingers {
            places.push(parent);
        } else {
            places.push(joints.len());
            joints.push(Joint { name, parent: Some(parent), position, confidence: 1.0 });
        }
    }
    Ok(Skeleton { joints })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(name: &str, parent: &str) -> JointHint {
        JointHint { name: name.to_owned(), parent: Some(parent.to_owned()), position: [0.0, 1.0, 0.0] }
    }

    /// Names of another program, children before parents, no hands and no feet.
    fn figure() -> Vec<JointHint> {
        let mut hints = Vec::new();
        for side in ["Left", "Right"] {
            for [joint, parent] in [["ForeArm", "Arm"], ["Leg", "UpLeg"]] {
                hints.push(hint(&format!("mixamorig:{side}{joint}"), &format!("mixamorig:{side}{parent}")));
            }
            hints.push(hint(&format!("mixamorig:{side}Arm"), "mixamorig:Hips"));
            hints.push(hint(&format!("mixamorig:{side}UpLeg"), "mixamorig:Hips"));
        }
        hints.extend([hint("mixamorig:Head", "mixamorig:Hips"), hint("mixamorig:Hips", "Armature")]);
        hints
    }

    /// The engine's own: root, hips, spine and a thigh on the hips.
    fn own() -> Skeleton {
        let joint = |name: &str, parent| Joint {
            name: name.to_owned(),
            parent,
            position: DVec3::ZERO,
            confidence: 0.5,
        };
        let [root, hips] = [joint("root", None), joint("hips", Some(0))];
        Skeleton { joints: vec![root, hips, joint("spine", Some(1)), joint("leftUpperLeg", Some(1))] }
    }

    #[test]
    fn joints_with_parents_are_the_skeleton_and_nothing_is_added() {
        let hints = figure();
        let found = skeleton(&own(), &tree(&own(), &hints).unwrap(), Missing::Add).unwrap();
        assert_eq!(found.joints.len(), 11);
        assert_eq!((found.find("root"), found.find("hips"), found.find("spine")), (Some(0), Some(1), None));
        let parent =
            |name| found.joints[found.joints[found.find(name).unwrap()].parent.unwrap()].name.clone();
        assert_eq!(parent("hips"), "root");
        assert_eq!(parent("leftUpperArm"), "hips");
        assert_eq!(parent("rightLowerLeg"), "rightUpperLeg");
        assert!(found.joints.iter().enumerate().all(|(i, j)| j.parent.is_none_or(|p| p < i)));
    }

    #[test]
    fn a_leg_that_hangs_on_a_control_hangs_on_the_hips() {
        let mut hints = figure();
        hints.iter_mut().find(|h| h.name == "mixamorig:LeftUpLeg").unwrap().parent = Some("Body".to_owned());
        let found = skeleton(&own(), &tree(&own(), &hints).unwrap(), Missing::Add).unwrap();
        let leg = found.find("leftUpperLeg").unwrap();
        assert_eq!(found.joints[leg].parent, found.find("hips"));
    }

    #[test]
    fn a_root_of_the_users_own_places_the_root() {
        let mut hints = figure();
        hints.push(JointHint { name: "root".to_owned(), parent: None, position: [3.0, 0.0, 0.0] });
        hints.iter_mut().find(|h| h.name == "mixamorig:Hips").unwrap().parent = Some("root".to_owned());
        let found = skeleton(&own(), &tree(&own(), &hints).unwrap(), Missing::Add).unwrap();
        assert_eq!(found.joints.len(), 11);
        assert_eq!(found.joints[0].position, DVec3::X * 3.0);
    }

    #[test]
    fn joints_that_are_not_one_whole_tree_are_corrections() {
        assert!(tree(&own(), &figure()[1..]).is_none(), "an elbow is missing");
        let mut loose = figure();
        (loose[0].parent, loose[1].parent) = (None, None);
        assert!(tree(&own(), &loose).is_none(), "two do not say their parent");
        let mut circle = figure();
        circle.iter_mut().find(|h| h.name.ends_with("LeftArm")).unwrap().parent =
            Some("mixamorig:LeftForeArm".to_owned());
        assert!(tree(&own(), &circle).is_none(), "a circle");
    }

    #[test]
    fn ends_are_no_joints_and_unwanted_fingers_are_left_out() {
        let mut hints = figure();
        hints.push(hint("HeadTop_End", "mixamorig:Head"));
        hints.push(hint("LeftHandIndex1", "mixamorig:LeftForeArm"));
        let with = |missing| skeleton(&own(), &tree(&own(), &hints).unwrap(), missing).unwrap().joints.len();
        assert_eq!((with(Missing::Add), with(Missing::AddButFingers)), (12, 11));
    }
}
