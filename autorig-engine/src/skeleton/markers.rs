//! Markers: joints the user has placed, which the engine keeps exactly.
//!
//! A marker moves its own joint and nothing else, with two exceptions. Fingers are placed against their hand, so they
//! move along with it. And a joint between two markers of one limb does not stay behind when both are far from where
//! the engine had them: it follows like a bead on a string with `SLACK`, as far between the two shifts as it lies
//! between the two joints. Both depend on the markers alone, not on the order in which they were set.
//!
//! Joints that come with their parents and are a whole skeleton are taken for one (`skeleton/given.rs`). Markers without
//! parents on every joint that a humanoid must have leave no doubt about the hands: they have the fingers that are named
//! and no others.

use glam::{DMat3, DVec3};

use super::{Joint, Skeleton, given, names::canonical};
use crate::{Code, Error, Result};

/// How far a joint between two markers may be left behind, as a share of the height: corrections of this size are
/// usual, and must not disturb a joint that was right.
const SLACK: f64 = 0.05;
/// Heights that a marker may lie away from every joint before it is taken for one in another unit.
const FARTHEST: f64 = 10.0;

/// Markers on all of these are a whole skeleton; VRM 1.0 requires the same joints.
const WHOLE: [&str; 15] = [
    "hips",
    "spine",
    "head",
    "leftUpperArm",
    "leftLowerArm",
    "leftHand",
    "rightUpperArm",
    "rightLowerArm",
    "rightHand",
    "leftUpperLeg",
    "leftLowerLeg",
    "leftFoot",
    "rightUpperLeg",
    "rightLowerLeg",
    "rightFoot",
];

/// A joint the user has placed; the name in any known convention, or as the skeleton has it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct JointHint {
    /// Its name.
    pub name: String,
    /// Its parent's name. Where all joints but one say theirs, and they reach from the hips to the head and down all four
    /// limbs, they are the skeleton, and no joint is added.
    #[serde(default)]
    pub parent: Option<String>,
    /// Position in the input's frame and unit.
    pub position: [f64; 3],
}

/// Checks what can be said of hints without a skeleton: finite positions, each joint once.
///
/// # Errors
/// `invalid_option`.
pub fn check(hints: &[JointHint]) -> Result<()> {
    for (i, hint) in hints.iter().enumerate() {
        if !DVec3::from(hint.position).is_finite() {
            return Err(invalid(format!("the position of joint '{}' is not a number", hint.name))
                .with_remedy("give three finite coordinates in the input's own unit"));
        }
        if hints[..i].iter().any(|other| same_joint(&other.name, &hint.name)) {
            return Err(
                invalid(format!("joint '{}' is given twice", hint.name)).with_remedy("give each joint once")
            );
        }
    }
    Ok(())
}

/// Whether two names are of one joint.
pub fn same_joint(a: &str, b: &str) -> bool {
    a == b || canonical(a).is_some_and(|name| canonical(b) == Some(name))
}

/// Whether every hint names a joint that a humanoid may have.
pub(crate) fn all_humanoid(hints: &[JointHint]) -> bool {
    hints.iter().all(|hint| canonical(&hint.name).is_some())
}

/// Whether every hint names a joint of this very skeleton.
pub(crate) fn all_known(skeleton: &Skeleton, hints: &[JointHint]) -> bool {
    hints.iter().all(|hint| find(skeleton, &hint.name).is_some())
}

pub(super) fn find(skeleton: &Skeleton, name: &str) -> Option<usize> {
    skeleton.find(name).or_else(|| canonical(name).and_then(|n| skeleton.find(n)))
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidOption, message)
}

/// The file's orientation as the user's joints tell it: up from hips to head, left from the right hip or shoulder to the
/// left. `None` when they do not tell both.
pub fn orientation_of(hints: &[JointHint]) -> Option<DMat3> {
    let at = |name: &str| {
        hints.iter().find(|hint| canonical(&hint.name) == Some(name)).map(|hint| DVec3::from(hint.position))
    };
    let up =
        ["head", "neck", "upperChest"].into_iter().find_map(at).zip(at("hips")).map(|(top, hips)| top - hips);
    let left = ["UpperLeg", "UpperArm", "Shoulder", "LowerLeg"]
        .into_iter()
        .find_map(|n| at(&format!("left{n}")).zip(at(&format!("right{n}"))))
        .map(|(l, r)| l - r);
    let up = up?.normalize_or_zero();
    let left = left?.reject_from(up).normalize_or_zero();
    let rotation = DMat3::from_cols(left, up, left.cross(up)).transpose();
    // Joints in one line tell nothing.
    (rotation.determinant() > 0.5).then_some(rotation)
}

/// What is done with a joint that the skeleton lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A humanoid gets it where a humanoid has it: fingers, eyes, jaw.
    Add,
    /// As [`Missing::Add`], fingers excepted: the user wants none.
    AddButFingers,
    /// The skeleton has its own joints and no others.
    Refuse,
}

/// Puts the user's joints in their place. `height` is the character's, in the file's unit, as all positions are.
///
/// # Errors
/// `invalid_option` for a joint that neither the skeleton nor any convention knows.
pub(crate) fn place(
    skeleton: &mut Skeleton,
    hints: &[JointHint],
    height: f64,
    missing: Missing,
) -> Result<()> {
    for hint in hints {
        let position = DVec3::from(hint.position);
        if !skeleton.joints.iter().any(|j| j.position.distance(position) <= FARTHEST * height) {
            return Err(invalid(format!("the position of joint '{}' is far from the model", hint.name))
                .with_remedy("give positions in the input's own frame and unit"));
        }
    }
    if let Some(tree) = given::tree(skeleton, hints) {
        *skeleton = given::skeleton(skeleton, &tree, missing)?;
        return Ok(());
    }
    drop_unnamed_fingers(skeleton, hints);
    let mut fixed: Vec<Option<DVec3>> = vec![None; skeleton.joints.len()];
    let mut absent = Vec::new();
    for hint in hints {
        let position = DVec3::from(hint.position);
        if let Some(joint) = find(skeleton, &hint.name) {
            fixed[joint] = Some(position);
        } else {
            absent.push((absent_name(hint, missing)?, position));
        }
    }
    let shifts = shifts(skeleton, &fixed, SLACK * height);
    for ((joint, shift), fixed) in skeleton.joints.iter_mut().zip(shifts).zip(&fixed) {
        match fixed {
            Some(position) => (joint.position, joint.confidence) = (*position, 1.0),
            None => joint.position += shift,
        }
    }
    add(skeleton, absent, missing);
    Ok(())
}

/// Where the user gives a whole skeleton, fingers that it does not name go.
fn drop_unnamed_fingers(skeleton: &mut Skeleton, hints: &[JointHint]) {
    let named: Vec<&str> = hints.iter().filter_map(|hint| canonical(&hint.name)).collect();
    if !WHOLE.iter().all(|name| named.contains(name)) {
        return;
    }
    let mut kept: Vec<Option<usize>> = Vec::with_capacity(skeleton.joints.len());
    let mut joints: Vec<Joint> = Vec::with_capacity(skeleton.joints.len());
    for mut joint in std::mem::take(&mut skeleton.joints) {
        // A dropped joint stands for its parent, which its children then hang on.
        joint.parent = joint.parent.and_then(|p| kept[p]);
        if is_finger(&joint.name) && !named.contains(&joint.name.as_str()) {
            kept.push(joint.parent);
        } else {
            kept.push(Some(joints.len()));
            joints.push(joint);
        }
    }
    skeleton.joints = joints;
}

pub(super) fn absent_name(hint: &JointHint, missing: Missing) -> Result<&'static str> {
    let name = canonical(&hint.name).ok_or_else(|| {
        invalid(format!("joint '{}' is in no convention we know", hint.name)).with_remedy(
            "use VRM 1.0 names such as leftLowerArm, or those of Mixamo, Unity, Unreal or Rigify",
        )
    })?;
    if missing == Missing::Refuse {
        return Err(invalid(format!("this character has no joint '{}'", hint.name))
            .with_remedy("name joints of the report, or say that the class is humanoid"));
    }
    Ok(name)
}

/// How far each joint moves that the user has not placed.
fn shifts(skeleton: &Skeleton, fixed: &[Option<DVec3>], slack: f64) -> Vec<DVec3> {
    let joints = &skeleton.joints;
    let count = joints.len();
    let own = |j: usize| fixed[j].map(|p| p - joints[j].position);
    let length = |j: usize| joints[j].parent.map_or(0.0, |p| joints[j].position.distance(joints[p].position));
    // The nearest marker above and below: its shift, and how far it is along the bones.
    let mut above: Vec<Option<(DVec3, f64)>> = vec![None; count];
    for j in 0..count {
        let Some(parent) = joints[j].parent else { continue };
        above[j] = own(parent).map_or(above[parent], |s| Some((s, 0.0))).map(|(s, d)| (s, d + length(j)));
    }
    let mut below: Vec<Option<(DVec3, f64)>> = vec![None; count];
    for j in (0..count).rev() {
        let Some(parent) = joints[j].parent else { continue };
        let reach = own(j).map_or(below[j], |s| Some((s, 0.0))).map(|(s, d)| (s, d + length(j)));
        // A later sibling was seen first; at the same distance the earlier joint wins.
        if let Some((_, d)) = reach
            && below[parent].is_none_or(|(_, best)| d <= best)
        {
            below[parent] = reach;
        }
    }
    let mut shifts = vec![DVec3::ZERO; count];
    for j in 0..count {
        shifts[j] = if let Some(shift) = own(j) {
            shift
        } else if let (true, Some(parent)) = (is_finger(&joints[j].name), joints[j].parent) {
            shifts[parent]
        } else if let (Some((from, up)), Some((to, down))) = (above[j], below[j]) {
            follow(from, to, up / (up + down).max(f64::MIN_POSITIVE), slack)
        } else {
            DVec3::ZERO
        };
    }
    shifts
}

/// The shift of a bead at `share` of the way between two that were shifted, once the slack is used up.
fn follow(from: DVec3, to: DVec3, share: f64, slack: f64) -> DVec3 {
    let shift = from.lerp(to, share);
    let length = shift.length();
    if length > slack { shift * (1.0 - slack / length) } else { DVec3::ZERO }
}

/// A finger's name begins with its side and one of the five.
pub(super) fn is_finger(name: &str) -> bool {
    let bare = name.strip_prefix("left").or_else(|| name.strip_prefix("right"));
    bare.is_some_and(|n| ["Thumb", "Index", "Middle", "Ring", "Little"].iter().any(|f| n.starts_with(f)))
}

/// Joints of one finger from the hand outwards, for the thumb and for the others.
const THUMB: [&str; 3] = ["Metacarpal", "Proximal", "Distal"];
/// See [`THUMB`].
const FINGER: [&str; 3] = ["Proximal", "Intermediate", "Distal"];

/// Names of the joints above an optional one, nearest first; empty for those that are no joint of a rig (tips).
fn ancestors(name: &str) -> Vec<String> {
    if matches!(name, "leftEye" | "rightEye" | "jaw") {
        return vec!["head".to_owned()];
    }
    if !is_finger(name) {
        return Vec::new();
    }
    let side = if name.starts_with("left") { "left" } else { "right" };
    let order = if name.contains("Thumb") { THUMB } else { FINGER };
    let Some((at, part)) = order.iter().enumerate().find(|(_, part)| name.ends_with(**part)) else {
        return Vec::new();
    };
    let finger = &name[..name.len() - part.len()];
    let mut above: Vec<String> = order[..at].iter().rev().map(|part| format!("{finger}{part}")).collect();
    above.push(format!("{side}Hand"));
    above
}

fn add(skeleton: &mut Skeleton, mut absent: Vec<(&'static str, DVec3)>, missing: Missing) {
    absent.retain(|(name, _)| !(is_finger(name) && missing == Missing::AddButFingers));
    // From the hand outwards, so that a parent is there before its child.
    absent.sort_by_key(|(name, _)| (ancestors(name).len(), *name));
    for (name, position) in absent {
        let Some(parent) = ancestors(name).iter().find_map(|above| skeleton.find(above)) else { continue };
        skeleton.joints.push(Joint {
            name: name.to_owned(),
            parent: Some(parent),
            position,
            confidence: 1.0,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(name: &str, position: [f64; 3]) -> JointHint {
        JointHint { name: name.to_owned(), parent: None, position }
    }

    /// An arm along +X, one metre a bone, with one finger.
    fn arm() -> Skeleton {
        let names = ["leftUpperArm", "leftLowerArm", "leftHand", "leftIndexProximal", "leftIndexDistal"];
        let joint = |(i, name): (usize, &&str)| Joint {
            name: (*name).to_owned(),
            parent: i.checked_sub(1),
            position: DVec3::X * i as f64,
            confidence: 0.5,
        };
        Skeleton { joints: names.iter().enumerate().map(joint).collect() }
    }

    fn placed(hints: &[JointHint]) -> Vec<DVec3> {
        let mut skeleton = arm();
        place(&mut skeleton, hints, 5.0, Missing::Add).unwrap();
        skeleton.joints.iter().map(|j| j.position).collect()
    }

    #[test]
    fn joints_in_foreign_names_tell_the_orientation() {
        // Z up, facing −Y: the character's left is +X.
        let hints = [
            hint("mixamorig:Hips", [0.0, 0.0, 1.0]),
            hint("mixamorig:Head", [0.0, 0.0, 1.7]),
            hint("mixamorig:LeftUpLeg", [0.1, 0.0, 0.9]),
            hint("mixamorig:RightUpLeg", [-0.1, 0.0, 0.9]),
        ];
        let rotation = orientation_of(&hints).unwrap();
        assert_eq!(rotation.row(1), DVec3::Z);
        assert_eq!(rotation.row(0), DVec3::X);
        assert_eq!(rotation.row(2), DVec3::NEG_Y);
    }

    #[test]
    fn joints_in_one_line_tell_no_orientation() {
        let hints = [
            hint("hips", [0.0, 1.0, 0.0]),
            hint("head", [0.0, 1.7, 0.0]),
            hint("leftUpperLeg", [0.0, 0.9, 0.0]),
            hint("rightUpperLeg", [0.0, 0.8, 0.0]),
        ];
        assert!(orientation_of(&hints).is_none());
    }

    #[test]
    fn a_marker_moves_its_own_joint_only() {
        let moved = placed(&[hint("leftLowerArm", [1.0, 0.4, 0.0])]);
        assert_eq!(moved[1], DVec3::new(1.0, 0.4, 0.0));
        assert_eq!((moved[0], moved[2]), (DVec3::ZERO, DVec3::X * 2.0));
    }

    #[test]
    fn fingers_go_along_with_their_hand_unless_they_are_placed_too() {
        let moved = placed(&[hint("leftHand", [2.0, 0.3, 0.0])]);
        assert_eq!(moved[3], DVec3::new(3.0, 0.3, 0.0));
        assert_eq!(moved[4], DVec3::new(4.0, 0.3, 0.0));
        let moved = placed(&[hint("leftHand", [2.0, 0.3, 0.0]), hint("leftIndexDistal", [4.0, 0.0, 0.0])]);
        assert_eq!(moved[4], DVec3::new(4.0, 0.0, 0.0));
    }

    #[test]
    fn a_joint_between_two_markers_stays_when_they_hardly_move_and_follows_when_they_move_far() {
        let both = |shift: f64| {
            placed(&[hint("leftUpperArm", [0.0, shift, 0.0]), hint("leftHand", [2.0, shift, 0.0])])[1]
        };
        assert_eq!(both(0.2), DVec3::X);
        assert!(both(2.0).distance(DVec3::new(1.0, 1.75, 0.0)) < 1e-12, "all but the slack of 5 % of 5 m");
    }

    #[test]
    fn a_whole_skeleton_keeps_the_fingers_it_names_and_no_others() {
        let mut skeleton = arm();
        let mut hints: Vec<JointHint> = WHOLE.iter().map(|name| hint(name, [0.0; 3])).collect();
        hints.push(hint("leftIndexDistal", [4.0, 0.0, 0.0]));
        drop_unnamed_fingers(&mut skeleton, &hints);
        let names: Vec<&str> = skeleton.joints.iter().map(|j| j.name.as_str()).collect();
        assert_eq!(names, ["leftUpperArm", "leftLowerArm", "leftHand", "leftIndexDistal"]);
        assert_eq!(skeleton.joints[3].parent, Some(2));
        let mut untouched = arm();
        drop_unnamed_fingers(&mut untouched, &hints[1..]);
        assert_eq!(untouched.joints.len(), 5);
    }

    #[test]
    fn a_finger_the_engine_did_not_find_is_added_where_it_belongs() {
        let mut skeleton = arm();
        let hints = [
            hint("leftThumbDistal", [2.2, 0.3, 0.0]),
            hint("leftThumbMetacarpal", [2.0, 0.1, 0.0]),
            hint("LeftToe_End", [0.0; 3]),
        ];
        place(&mut skeleton, &hints, 5.0, Missing::Add).unwrap();
        assert_eq!(skeleton.joints.len(), 7, "the tip of a toe is no joint of a rig");
        let parent = |name| {
            skeleton.joints[skeleton.joints[skeleton.find(name).unwrap()].parent.unwrap()].name.clone()
        };
        assert_eq!(parent("leftThumbMetacarpal"), "leftHand");
        assert_eq!(parent("leftThumbDistal"), "leftThumbMetacarpal");
        let mut none = arm();
        place(&mut none, &hints, 5.0, Missing::AddButFingers).unwrap();
        assert_eq!(none.joints.len(), 5);
    }

    #[test]
    fn an_unknown_a_repeated_or_a_far_joint_is_refused_by_name() {
        let refused = |name: &str, position| {
            place(&mut arm(), &[hint(name, position)], 5.0, Missing::Add).unwrap_err().message
        };
        assert!(refused("banana", [0.0; 3]).contains("banana"));
        assert!(refused("leftHand", [200.0, 0.0, 0.0]).contains("far from the model"));
        assert!(refused("leftHand", [1e300, 0.0, 0.0]).contains("far from the model"));
        let error = check(&[hint("head", [0.0; 3]), hint("Head", [0.0; 3])]).unwrap_err();
        assert!(error.code == Code::InvalidOption && error.message.contains("twice"));
        assert!(check(&[hint("head", [f64::NAN; 3])]).is_err());
        let error = place(&mut arm(), &[hint("jaw", [0.0; 3])], 5.0, Missing::Refuse).unwrap_err();
        assert!(error.message.contains("has no joint 'jaw'"));
    }
}
