use super::{
    turner::{flat_side, sole_tilt},
    *,
};
use crate::skeleton::Joint;

/// A figure with the limbs a T-pose needs, and a curled finger on its left hand.
fn figure() -> Skeleton {
    let mut joints =
        vec![Joint { name: "root".into(), parent: None, position: DVec3::ZERO, confidence: 1.0 }];
    let mut add = |name: String, parent: &str, position: DVec3| {
        let parent = joints.iter().position(|j| j.name == parent);
        joints.push(Joint { name, parent, position, confidence: 1.0 });
    };
    add("hips".into(), "root", DVec3::Y);
    for (side, x) in [("left", 1.0), ("right", -1.0)] {
        let mut parent = "hips".to_owned();
        for (limb, [dx, y]) in [("UpperArm", [0.2, 1.4]), ("LowerArm", [0.5, 1.4]), ("Hand", [0.7, 1.4])] {
            add(format!("{side}{limb}"), &parent, DVec3::new(x * dx, y, 0.0));
            parent = format!("{side}{limb}");
        }
        parent = "hips".to_owned();
        for (limb, y) in [("UpperLeg", 0.9), ("LowerLeg", 0.5), ("Foot", 0.1)] {
            add(format!("{side}{limb}"), &parent, DVec3::new(x * 0.1, y, 0.0));
            parent = format!("{side}{limb}");
        }
    }
    add("leftIndexProximal".into(), "leftHand", DVec3::new(0.80, 1.40, 0.03));
    add("leftIndexIntermediate".into(), "leftIndexProximal", DVec3::new(0.84, 1.39, 0.03));
    add("leftIndexDistal".into(), "leftIndexIntermediate", DVec3::new(0.86, 1.36, 0.03));
    Skeleton { joints }
}

#[test]
fn a_curled_finger_is_stretched_out_level() {
    let skeleton = figure();
    let chain = Chain::new(&skeleton, |p| p);
    let mut turner = Turner::new(&skeleton, &chain).unwrap();
    assert!(turner.farthest() < 1e-9, "the limbs stand in T-pose");
    turner.finger("left", "Index");
    let world = turner.finish();
    let at = |name: &str| skeleton.find(name).unwrap();
    for (from, to) in
        [("leftIndexProximal", "leftIndexIntermediate"), ("leftIndexIntermediate", "leftIndexDistal")]
    {
        let along = world[at(from)] * (chain.positions[at(to)] - chain.positions[at(from)]).normalize();
        assert!(along.distance(DVec3::X) < 1e-9, "{from} points to {along}");
    }
}

#[test]
fn a_sole_that_stands_on_its_heel_is_laid_level_and_a_level_one_stays() {
    let sole = |pitch: f64| -> Vec<DVec3> {
        let turn = DQuat::from_rotation_x(-pitch.to_radians());
        (0..30).map(|i| turn * DVec3::new(0.0, -0.1, -0.05 + f64::from(i) / 29.0 * 0.25)).collect()
    };
    let tilt = |pitch: f64| sole_tilt(&sole(pitch), DVec3::Z, DVec3::Z.cross(DVec3::Y)).unwrap().to_degrees();
    assert!(tilt(0.0).abs() < 0.1, "{}", tilt(0.0));
    assert!((tilt(20.0) + 20.0).abs() < 0.5, "toes up by 20°: {}", tilt(20.0));
    assert!((tilt(-30.0) - 30.0).abs() < 0.5, "on tiptoe by 30°: {}", tilt(-30.0));
}

#[test]
fn the_flat_side_of_a_hand_is_found_and_a_round_one_has_none() {
    let disc = |thick: f64| -> Vec<DVec3> {
        (0..40)
            .map(|i| {
                let angle = f64::from(i) / 40.0 * std::f64::consts::TAU;
                DVec3::new(0.1, thick * libm::sin(angle), libm::cos(angle))
            })
            .collect()
    };
    let normal = flat_side(&disc(0.2), DVec3::X).unwrap();
    assert!(normal.y.abs() > 0.999, "{normal}");
    assert!(flat_side(&disc(0.95), DVec3::X).is_none());
}

#[test]
fn a_vertex_between_two_bones_keeps_its_distance_from_the_joint() {
    let turn = DQuat::from_rotation_z(80_f64.to_radians());
    let there = [DAffine3::IDENTITY, DAffine3::from_quat(turn)];
    let back = [DAffine3::IDENTITY, DAffine3::from_quat(turn.inverse())];
    let moved = unposed(&[0, 1], &[0.5, 0.5], &there, &back).transform_point3(DVec3::X);
    assert!((moved.length() - 1.0).abs() < 0.05, "{}", moved.length());
    let angle = libm::atan2(moved.y, moved.x).to_degrees();
    assert!((angle - 40.0).abs() < 1e-9, "{angle}");
}
