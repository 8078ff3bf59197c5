//! What a rig promises for bodies that are not human.

use autorig_engine::{
    Class, Code, Options, Silent,
    analyse::{analyse, orientation::cube_rotations},
    rig_scene,
    sample::{self, Sample},
    scene::{Influences, Scene},
    skeleton::{class::CharacterClass, creature, fit},
};
use glam::{DMat3, DMat4, DVec3};

use super::{moved, scene, shapes};

/// Without the vote for the orientation, which is about humanoids.
fn kind(scene: Scene) -> CharacterClass {
    let scene = scene.flatten(&autorig_engine::Limits::default()).unwrap();
    creature::shape(&analyse(&scene, Some(DMat3::IDENTITY)).unwrap()).kind().0
}

fn fitted(scene: Scene, class: Class) -> fit::Fit {
    let scene = scene.flatten(&autorig_engine::Limits::default()).unwrap();
    let body = analyse(&scene, Some(DMat3::IDENTITY)).unwrap();
    fit::fit(&body, &Options { class, ..Options::default() }).unwrap()
}

#[test]
fn a_quadruped_gets_the_joints_of_a_quadruped_near_those_it_was_built_on() {
    let rig = rig_scene(scene(Sample::Quadruped), &Options::default(), &mut Silent).unwrap();
    assert_eq!(rig.report.class, CharacterClass::Quadruped);
    assert_eq!(rig.report.orientation.up, [0.0, 1.0, 0.0]);
    assert_eq!(rig.report.orientation.forward, [0.0, 0.0, 1.0]);
    let mut errors = Vec::new();
    for truth in sample::truth(Sample::Quadruped) {
        if let Some(found) = rig.skeleton.find(&truth.name) {
            let apart = rig.skeleton.joints[found].position.distance(DVec3::from(truth.position));
            assert!(apart < 0.25, "{} is {apart:.3} m away", truth.name);
            errors.push(apart);
        }
    }
    assert!(errors.len() >= 20, "{}", errors.len());
    // Of a length of 1.7 m.
    assert!(errors.iter().sum::<f64>() / (errors.len() as f64) < 0.085);
}

#[test]
fn left_legs_are_on_the_left_and_front_legs_in_front() {
    let skeleton = fitted(scene(Sample::Quadruped), Class::Auto).skeleton;
    let at = |name: &str| skeleton.joints[skeleton.find(name).unwrap()].position;
    for end in ["Front", "Hind"] {
        assert!(at(&format!("left{end}Foot")).x > 0.05 && at(&format!("right{end}Foot")).x < -0.05);
    }
    assert!(at("leftFrontFoot").z > 0.0 && at("leftHindFoot").z < 0.0 && at("head").z > at("hips").z);
    for joint in skeleton.joints.iter().skip(1) {
        assert!(joint.parent.is_some() && joint.position.is_finite());
    }
}

#[test]
fn a_quadruped_in_any_of_the_24_turns_gets_the_same_joints_in_its_own_frame() {
    let upright = fitted(scene(Sample::Quadruped), Class::Quadruped).skeleton;
    for turn in cube_rotations() {
        let matrix = DMat4::from_mat3(turn);
        let fit = fitted(moved(scene(Sample::Quadruped), matrix), Class::Quadruped);
        let rows = fit.stance.unwrap().rotation * turn;
        assert!(rows.abs_diff_eq(DMat3::IDENTITY, 0.05), "{turn:?} leads to {rows:?}");
        assert_eq!(fit.skeleton.joints.len(), upright.joints.len());
        for (there, here) in fit.skeleton.joints.iter().zip(&upright.joints) {
            let apart = (turn.transpose() * there.position).distance(here.position);
            assert!(apart < 0.03, "{} is {apart:.3} m away in {turn:?}", here.name);
        }
    }
}

#[test]
fn furniture_boxes_and_balls_are_things() {
    for (name, shells) in [
        ("table", shapes::table()),
        ("chair", shapes::chair()),
        ("crate", shapes::crate_box()),
        ("ball", shapes::ball()),
        ("card", shapes::card()),
        ("house", shapes::house()),
    ] {
        assert_eq!(kind(shells.scene(DMat4::IDENTITY)), CharacterClass::Prop, "{name}");
    }
}

#[test]
fn a_chair_is_refused_and_gets_one_joint_where_the_user_calls_it_a_prop() {
    let chair = || shapes::chair().scene(DMat4::IDENTITY);
    let error = rig_scene(chair(), &Options::default(), &mut Silent).unwrap_err();
    assert_eq!(error.code, Code::NoCharacterFound);
    let prop = Options { class: Class::Prop, ..Options::default() };
    let rig = rig_scene(chair(), &prop, &mut Silent).unwrap();
    assert_eq!(rig.report.class, CharacterClass::Prop);
    assert_eq!(rig.skeleton.joints.len(), 2);
    assert!(
        rig.influences.iter().flatten().flat_map(Influences::iter).all(|(j, w)| j[0] == 1 && w[0] == 1.0)
    );
}

#[test]
fn living_things_of_other_kinds_are_told_apart() {
    assert_eq!(kind(shapes::bird().scene(DMat4::IDENTITY)), CharacterClass::Bird);
    assert_eq!(kind(shapes::snake().scene(DMat4::IDENTITY)), CharacterClass::Creature);
    assert_eq!(kind(shapes::fish().scene(DMat4::IDENTITY)), CharacterClass::Creature);
}

#[test]
fn a_bird_gets_wings_legs_and_a_tail() {
    let skeleton = fitted(shapes::bird().scene(DMat4::IDENTITY), Class::Bird).skeleton;
    let at = |name: &str| skeleton.joints[skeleton.find(name).unwrap()].position;
    assert!(at("leftWingTip").x > 0.5 && at("rightWingTip").x < -0.5);
    assert!(at("leftFoot").y < 0.1 && at("head").z > 0.25 && at("tail1").z < at("hips").z);
}

#[test]
fn a_snake_gets_a_chain_along_its_bends_and_a_warning() {
    let options = Options { class: Class::Creature, ..Options::default() };
    let rig = rig_scene(shapes::snake().scene(DMat4::IDENTITY), &options, &mut Silent).unwrap();
    assert_eq!(rig.report.class, CharacterClass::Creature);
    assert!(rig.report.warnings.iter().any(|w| w.code == "low_confidence"));
    assert!(rig.skeleton.joints.len() >= 8, "{}", rig.skeleton.joints.len());
    let sides = rig.skeleton.joints.iter().map(|j| j.position.x);
    let (left, right) = sides.fold((0.0_f64, 0.0_f64), |(l, r), x| (l.max(x), r.min(x)));
    assert!(left > 0.12 && right < -0.12, "the chain follows the bends: {left:.2} {right:.2}");
    for (_, weights) in rig.influences.iter().flatten().flat_map(Influences::iter) {
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}
