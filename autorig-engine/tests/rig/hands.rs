//! Fingers: as many as the mesh has, where the mesh has them, and what the user says about them.

use autorig_engine::{
    JointHint, Options, Rig, Silent,
    analyse::analyse,
    rig::Fingers,
    rig_scene,
    sample::{self, Sample},
    scene::Scene,
    skeleton::{Skeleton, fit::fit},
};
use glam::DVec3;

use super::{joint, scene};

/// Height of the human sample in metres.
const HEIGHT: f64 = 1.75;
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

/// The joints of a scene, without a skin.
fn fitted(scene: Scene) -> Skeleton {
    let options = Options::default();
    let scene = scene.flatten(&options.limits).unwrap();
    fit(&analyse(&scene, None).unwrap(), &options).unwrap().skeleton
}

fn finger_joints(skeleton: &Skeleton) -> Vec<(&str, DVec3)> {
    let named = skeleton.joints.iter().map(|j| (j.name.as_str(), j.position));
    named.filter(|(name, _)| is_finger(name)).collect()
}

fn at(skeleton: &Skeleton, name: &str) -> DVec3 {
    skeleton.joints[skeleton.find(name).unwrap()].position
}

/// The scene as a mirror shows it, its triangles turned round so that they face outwards again.
fn mirrored(mut scene: Scene) -> Scene {
    for primitive in scene.meshes.iter_mut().flat_map(|m| &mut m.primitives) {
        primitive.positions.iter_mut().for_each(|p| p[0] = -p[0]);
        primitive.normals.iter_mut().flatten().for_each(|n| n[0] = -n[0]);
        primitive.indices.chunks_exact_mut(3).for_each(|t| t.swap(1, 2));
    }
    scene
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

#[test]
fn a_human_gets_five_fingers_a_hand_near_those_it_was_built_on() {
    let skeleton = fitted(scene(Sample::Human));
    assert_eq!(finger_joints(&skeleton).len(), 30);
    let apart: Vec<f64> = sample::truth(Sample::Human)
        .iter()
        .filter(|j| is_finger(&j.name))
        .map(|j| at(&skeleton, &j.name).distance(DVec3::from(j.position)) / HEIGHT * 100.0)
        .collect();
    let mean = apart.iter().sum::<f64>() / apart.len() as f64;
    assert!(mean < 1.0, "{mean:.2} % of the height");
}

#[test]
fn mittens_get_a_thumb_and_one_finger_at_most_and_blocks_get_none() {
    let mittens = fitted(scene(Sample::Cartoon));
    let allowed = |name: &str| name.contains("Thumb") || name.contains("Index");
    assert!(finger_joints(&mittens).iter().all(|(name, _)| allowed(name)), "{:?}", finger_joints(&mittens));
    assert!(finger_joints(&fitted(scene(Sample::Robot))).is_empty());
}

#[test]
fn a_mirrored_character_gets_mirrored_fingers() {
    let (here, there) = (fitted(scene(Sample::Human)), fitted(mirrored(scene(Sample::Human))));
    assert_eq!(finger_joints(&here).len(), finger_joints(&there).len());
    for (name, position) in finger_joints(&here) {
        let other = name.replace("left", "@").replace("right", "left").replace('@', "right");
        let back = at(&there, &other) * DVec3::new(-1.0, 1.0, 1.0);
        let apart = position.distance(back) / HEIGHT * 100.0;
        assert!(apart < 0.5, "{name} is {apart:.2} % of the height away");
    }
}

#[test]
fn the_order_of_the_triangles_hardly_matters() {
    let mut shuffled = scene(Sample::Human);
    for primitive in shuffled.meshes.iter_mut().flat_map(|m| &mut m.primitives) {
        let mut triangles: Vec<[u32; 3]> = primitive.indices.as_chunks().0.to_vec();
        triangles.reverse();
        let half = triangles.len() / 3;
        triangles.rotate_left(half);
        primitive.indices = triangles.into_flattened();
    }
    let (here, there) = (fitted(scene(Sample::Human)), fitted(shuffled));
    assert_eq!(here.joints.len(), there.joints.len());
    for (name, position) in finger_joints(&here) {
        let apart = position.distance(at(&there, name)) / HEIGHT * 100.0;
        assert!(apart < 0.5, "{name} is {apart:.2} % of the height away");
    }
}

#[test]
fn fingers_lie_joint_after_joint_on_the_hands_own_side_whatever_the_threads() {
    let skeleton = fitted(scene(Sample::Human));
    for side in ["left", "right"] {
        let mut last = at(&skeleton, &format!("{side}Hand")).x.abs();
        for segment in SEGMENTS {
            let x = at(&skeleton, &format!("{side}Middle{segment}")).x;
            assert_eq!(x > 0.0, side == "left");
            assert!(x.abs() > last + 0.01, "{side}Middle{segment}");
            last = x.abs();
        }
    }
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let single = alone.install(|| fitted(scene(Sample::Human)));
    assert_eq!(finger_joints(&skeleton), finger_joints(&single));
}
