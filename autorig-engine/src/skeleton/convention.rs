//! Where riggers put the joints on which a surface says little: knees, clavicles, neck and head.
//!
//! The network learns anatomy: from bodies whose knees are where a human's are, however long their shins were made. Those
//! who rig game characters halve a straight leg instead, whatever its calf looks like, and put clavicles on the line of the
//! shoulders. The steps here move the network's joints towards these customs. Their constants hold for rigs of many authors
//! (each gets better when fitted without the author it is measured on: `training/README.md`, "Conventions").

use glam::DVec3;

use super::predictor::{JOINTS, NAMES};

/// The knee's place on the line from the hip joint to the ankle, as a share of it, and how far it moves there.
const KNEE: (f64, f64) = (0.48, 0.8);
/// How far the knee lies in front of where the network sees it, as a share of the leg.
const KNEE_AHEAD: f64 = 0.015;
/// Cosines of the bend between which a knee goes from its visible place to that of a straight leg.
const STRAIGHT: (f64, f64) = (0.85, 0.95);
/// The clavicle's place: its share of the way from the neck out to the shoulder, and shares of the trunk below the shoulder.
const CLAVICLE: (f64, f64) = (0.5, 0.1);
/// How far the neck moves towards the upper chest.
const NECK: f64 = 0.12;
/// How far neck and head lie in front of where the network sees them, as a share of the trunk.
const AHEAD: f64 = 0.04;

/// Moves the joints a network predicted to where riggers put them; in canonical space or any other, for directions are
/// taken from the joints. Mirror images stay mirror images.
pub fn apply(joints: &mut [DVec3; JOINTS]) {
    let Some(trunk) = Trunk::of(joints) else { return };
    for side in ["left", "right"] {
        knee(joints, side, trunk.front);
        clavicle(joints, side, &trunk);
    }
    let (neck, head) = (index("", "neck"), index("", "head"));
    joints[neck] +=
        (joints[index("", "upperChest")] - joints[neck]) * NECK + trunk.front * (AHEAD * trunk.length);
    joints[head] += trunk.front * (AHEAD * trunk.length);
}

/// Directions and size of a trunk.
struct Trunk {
    left: DVec3,
    up: DVec3,
    front: DVec3,
    /// From the middle of the legs' joints to that of the arms'.
    length: f64,
}

impl Trunk {
    /// `None` where shoulders and legs do not span a trunk.
    fn of(joints: &[DVec3; JOINTS]) -> Option<Self> {
        let at = |name| (joints[index("left", name)], joints[index("right", name)]);
        let ((a, b), (c, d)) = (at("UpperArm"), at("UpperLeg"));
        let spine = a.midpoint(b) - c.midpoint(d);
        let up = spine.try_normalize()?;
        let across = a - b + c - d;
        let left = (across - up * across.dot(up)).try_normalize()?;
        Some(Self { left, up, front: left.cross(up), length: spine.length() })
    }
}

fn index(side: &str, name: &str) -> usize {
    NAMES.iter().position(|n| n.strip_prefix(side) == Some(name)).unwrap_or(0)
}

/// Halves a straight leg. A bent one shows where its knee is.
fn knee(joints: &mut [DVec3; JOINTS], side: &str, front: DVec3) {
    let [hip, knee, ankle] = ["UpperLeg", "LowerLeg", "Foot"].map(|name| index(side, name));
    let (thigh, shin, leg) =
        (joints[knee] - joints[hip], joints[ankle] - joints[knee], joints[ankle] - joints[hip]);
    let (Some(a), Some(b)) = (thigh.try_normalize(), shin.try_normalize()) else { return };
    let straight = ((a.dot(b) - STRAIGHT.0) / (STRAIGHT.1 - STRAIGHT.0)).clamp(0.0, 1.0);
    let share = thigh.dot(leg) / leg.length_squared().max(f64::MIN_POSITIVE);
    let step = leg * (KNEE.1 * (KNEE.0 - share)) + front * (KNEE_AHEAD * leg.length());
    joints[knee] += step * straight;
}

/// Puts a clavicle between neck and shoulder, a little below the shoulder and no farther back.
fn clavicle(joints: &mut [DVec3; JOINTS], side: &str, trunk: &Trunk) {
    let shoulder = joints[index(side, "UpperArm")];
    let inwards = (joints[index("", "neck")] - shoulder).dot(trunk.left);
    joints[index(side, "Shoulder")] =
        shoulder + trunk.left * (inwards * (1.0 - CLAVICLE.0)) - trunk.up * (CLAVICLE.1 * trunk.length);
}

#[cfg(test)]
mod tests {
    use glam::DQuat;

    use super::*;

    /// A figure with a trunk of 0.5 and legs of 1 whose knees are at `knee`.
    fn figure(knee: DVec3) -> [DVec3; JOINTS] {
        let mut joints = [DVec3::new(0.0, 1.2, 0.0); JOINTS];
        joints[index("", "neck")].y = 1.6;
        for (side, sign) in [("left", 1.0), ("right", -1.0)] {
            let mirror = DVec3::new(sign, 1.0, 1.0);
            for (name, at) in [
                ("UpperArm", DVec3::new(0.2, 1.5, 0.0)),
                ("UpperLeg", DVec3::new(0.1, 1.0, 0.0)),
                ("LowerLeg", knee),
                ("Foot", DVec3::new(0.1, 0.0, 0.0)),
            ] {
                joints[index(side, name)] = at * mirror;
            }
        }
        joints
    }

    #[test]
    fn a_straight_leg_is_nearly_halved() {
        for y in [0.35, 0.65] {
            let mut joints = figure(DVec3::new(0.1, y, 0.0));
            apply(&mut joints);
            assert!((joints[index("left", "LowerLeg")].y - 0.52).abs() < 0.04);
        }
    }

    #[test]
    fn a_bent_knee_stays_where_it_is_seen() {
        let knee = DVec3::new(0.1, 0.4, 0.5);
        let mut joints = figure(knee);
        apply(&mut joints);
        assert_eq!(joints[index("left", "LowerLeg")], knee);
    }

    #[test]
    fn the_clavicle_lies_between_neck_and_shoulder() {
        let mut joints = figure(DVec3::new(0.1, 0.5, 0.0));
        apply(&mut joints);
        let clavicle = joints[index("right", "Shoulder")];
        assert!(clavicle.distance(DVec3::new(-0.1, 1.45, 0.0)) < 1e-12);
    }

    #[test]
    fn a_turned_figure_and_a_mirrored_one_get_turned_and_mirrored_joints() {
        let plain = figure(DVec3::new(0.12, 0.6, 0.05));
        let mut expected = plain;
        apply(&mut expected);
        let turn = DQuat::from_euler(glam::EulerRot::XYZ, 0.4, 1.1, -0.3);
        let mut turned = plain.map(|j| turn * j);
        apply(&mut turned);
        for (a, b) in turned.iter().zip(expected) {
            assert!(a.distance(turn * b) < 1e-12);
        }
        let flip = DVec3::new(-1.0, 1.0, 1.0);
        for name in ["Shoulder", "LowerLeg"] {
            assert!((expected[index("left", name)] * flip).distance(expected[index("right", name)]) < 1e-12);
        }
    }

    #[test]
    fn joints_without_a_trunk_stay_as_they_are() {
        let mut joints = [DVec3::ONE; JOINTS];
        apply(&mut joints);
        assert_eq!(joints, [DVec3::ONE; JOINTS]);
    }
}
