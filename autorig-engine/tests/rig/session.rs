//! Moving joints in a session gives what a fresh rig with the same joints gives.

use autorig_engine::{
    Class, Code, JointHint, Options, Progress, Session, Silent, Stage, rig_scene,
    sample::{self, Sample},
    scene::Scene,
    skeleton::class::CharacterClass,
};

/// A small character: what is tested here does not depend on its detail.
fn scene(sample: Sample) -> Scene {
    sample::generate(sample, Some(1_500)).unwrap()
}

fn hint(name: &str, position: [f64; 3]) -> JointHint {
    JointHint { name: name.to_owned(), parent: None, position }
}

/// GLB and report of a fresh rig with these joints.
fn fresh(sample: Sample, options: &Options, joints: &[JointHint]) -> (Vec<u8>, Vec<u8>) {
    let options = Options { joints: joints.to_vec(), ..options.clone() };
    bytes(&rig_scene(scene(sample), &options, &mut Silent).unwrap())
}

fn bytes(rig: &autorig_engine::Rig) -> (Vec<u8>, Vec<u8>) {
    (rig.to_glb().unwrap(), serde_json::to_vec(&rig.report).unwrap())
}

/// The joints the sample was built on, as a user would place them.
fn true_joints(sample: Sample) -> Vec<JointHint> {
    sample::truth(sample).iter().map(|joint| hint(&joint.name, joint.position)).collect()
}

#[test]
fn a_moved_joint_gives_the_bytes_of_a_fresh_rig_with_that_joint() {
    let options = Options { threads: Some(2), ..Options::default() };
    let mut session = Session::new(scene(Sample::Cartoon), &options, &mut Silent).unwrap();
    let untouched = bytes(&session.rig(&mut Silent).unwrap());
    let mut joints = Vec::new();
    for (name, position) in [("leftLowerArm", [0.25, 0.55, 0.0]), ("rightHand", [-0.35, 0.45, 0.02])] {
        joints.push(hint(name, position));
        session.move_joint(name, position).unwrap();
        assert_eq!(session.joints(), joints);
    }
    assert!(bytes(&session.rig(&mut Silent).unwrap()) == fresh(Sample::Cartoon, &options, &joints));
    session.set_joints(Vec::new()).unwrap();
    assert!(bytes(&session.into_rig(&mut Silent).unwrap()) == untouched);
}

#[test]
fn joints_that_tell_another_orientation_turn_the_body() {
    let options = Options::default();
    let mut session = Session::new(scene(Sample::Human), &options, &mut Silent).unwrap();
    session.rig(&mut Silent).unwrap();
    let joints = true_joints(Sample::Human);
    session.set_joints(joints.clone()).unwrap();
    assert!(bytes(&session.rig(&mut Silent).unwrap()) == fresh(Sample::Human, &options, &joints));
    // One of them elsewhere: the orientation stays.
    let mut moved = joints;
    let knee = moved.iter_mut().find(|joint| joint.name == "leftLowerLeg").unwrap();
    knee.position[1] += 0.03;
    session.move_joint("mixamorig:LeftLeg", knee.position).unwrap();
    assert!(bytes(&session.rig(&mut Silent).unwrap()) == fresh(Sample::Human, &options, &moved));
}

#[test]
fn only_the_moved_joint_moves() {
    let mut session = Session::new(scene(Sample::Human), &Options::default(), &mut Silent).unwrap();
    let before = session.rig(&mut Silent).unwrap().skeleton;
    session.move_joint("leftLowerLeg", [0.1, 0.46, 0.05]).unwrap();
    let after = session.rig(&mut Silent).unwrap().skeleton;
    for (a, b) in before.joints.iter().zip(&after.joints) {
        assert_eq!((a.name.as_str(), a.parent), (b.name.as_str(), b.parent));
        assert_eq!(a.position == b.position, a.name != "leftLowerLeg", "{}", a.name);
    }
}

#[test]
fn the_joints_of_a_humanoid_make_a_humanoid_of_what_looks_like_none() {
    let mut session = Session::new(scene(Sample::Quadruped), &Options::default(), &mut Silent).unwrap();
    session.set_joints(vec![hint("leftHand", [0.2, 0.3, 0.5]), hint("rightHand", [-0.2, 0.3, 0.5])]).unwrap();
    let rig = session.rig(&mut Silent).unwrap();
    assert_eq!(rig.report.class, CharacterClass::Humanoid);
    assert_eq!(rig.report.class_confidence, 1.0);
}

#[test]
fn a_refused_joint_leaves_the_session_as_it_was() {
    let options = Options { class: Class::Humanoid, ..Options::default() };
    let mut session = Session::new(scene(Sample::Robot), &options, &mut Silent).unwrap();
    session.move_joint("leftHand", [0.6, 1.0, 0.0]).unwrap();
    let before = bytes(&session.rig(&mut Silent).unwrap());
    assert_eq!(session.move_joint("leftHand", [f64::NAN, 0.0, 0.0]).unwrap_err().code, Code::InvalidOption);
    assert!(bytes(&session.rig(&mut Silent).unwrap()) == before);
    session.move_joint("banana", [0.0; 3]).unwrap();
    assert!(session.rig(&mut Silent).unwrap_err().message.contains("banana"));
    session.set_joints(vec![hint("leftHand", [0.6, 1.0, 0.0])]).unwrap();
    assert!(bytes(&session.rig(&mut Silent).unwrap()) == before);
}

/// Stops as soon as a stage begins.
struct StopAt(Stage, bool);

impl Progress for StopAt {
    fn report(&mut self, stage: Stage, _fraction: f32) {
        self.1 |= stage == self.0;
    }

    fn cancelled(&self) -> bool {
        self.1
    }
}

#[test]
fn a_cancelled_rig_can_be_asked_for_again() {
    let mut session = Session::new(scene(Sample::Robot), &Options::default(), &mut Silent).unwrap();
    for stage in [Stage::Skeleton, Stage::Skin] {
        let error = session.rig(&mut StopAt(stage, false)).unwrap_err();
        assert_eq!(error.code, Code::Cancelled, "{stage:?}");
    }
    assert!(bytes(&session.rig(&mut Silent).unwrap()) == fresh(Sample::Robot, &Options::default(), &[]));
}
