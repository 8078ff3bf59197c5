//! Fingers: as many as the mesh has, where the mesh has them, and what the user says about them.

use autorig_engine::{
    JointHint, Options, Rig, Silent,
    rig::Fingers,
    rig_scene,
    sample::{self, Sample},
};
use glam::DVec3;

use super::{joint, scene};

const SEGMENTS: [&str; 3] = ["Proximal", "Intermediate", "Distal"];

fn is_finger(name: &str) -> bool {
    ["Thumb", "Index", "Middle", "Ring", "Little"].iter().any(|finger| name.contains(finger))
}

fn fingers(rig: &Rig) -> Vec<&str> {
    rig.skeleton.joints.iter().map(|j| j.name.as_str()).filter(|name| is_finger(name)).collect()
}

fn hint(name: &str, position: impl Into<[f64; 3]>) -> JointHint {
    JointHint { name: name.to_owned(), parent: None, position: position.into() }
}

fn with(joints: Vec<JointHint>, fingers: Fingers) -> Rig {
    let options = Options { joints, fingers, ..Options::default() };
    rig_scene(scene(Sample::Human), &options, &mut Silent).unwrap()
}

/// The skeleton the human sample was built around, with those of its fingers that `keep` names.
fn truth(keep: impl Fn(&str) -> bool) -> Vec<JointHint> {
    sample::truth(Sample::Human)
        .into_iter()
        .filter(|j| !is_finger(&j.name) || keep(&j.name))
        .map(|j| hint(&j.name, j.position))
        .collect()
}

#[test]
fn no_fingers_are_made_for_a_user_who_wants_none() {
    assert!(fingers(&with(Vec::new(), Fingers::None)).is_empty());
}

#[test]
fn a_whole_skeleton_of_the_user_has_the_fingers_it_names_and_no_others() {
    assert!(fingers(&with(truth(|_| false), Fingers::Auto)).is_empty());
    let rig = with(truth(|name| name.starts_with("leftIndex")), Fingers::Auto);
    assert_eq!(fingers(&rig), SEGMENTS.map(|s| format!("leftIndex{s}")));
    let chain = ["leftHand", "leftIndexProximal", "leftIndexIntermediate", "leftIndexDistal"];
    for pair in chain.windows(2) {
        let child = &rig.skeleton.joints[rig.skeleton.find(pair[1]).unwrap()];
        assert_eq!(child.parent, rig.skeleton.find(pair[0]), "{}", pair[1]);
        assert_eq!(child.confidence, 1.0);
    }
}

#[test]
fn a_finger_joint_of_the_user_is_kept_exactly_and_known_by_foreign_names() {
    let at = DVec3::new(0.81, 1.43, 0.02);
    let rig = with(vec![hint("Bip01 L Finger1", at)], Fingers::Auto);
    assert_eq!(joint(&rig, "leftIndexProximal"), at);
    assert_eq!(rig.skeleton.joints[rig.skeleton.find("leftIndexProximal").unwrap()].confidence, 1.0);
}
