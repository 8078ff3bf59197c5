//! What a rig promises, on characters made by procedure.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod chains;
mod creatures;
mod deliver;
mod fuzz;
mod hands;
mod orientation;
mod rest_pose;
mod session;
mod shapes;
mod skin;

use autorig_engine::{
    Class, Code, JointHint, Options, Progress, Result, Rig, Silent, Stage,
    read::{self, Source},
    rig, rig_scene,
    sample::{self, Sample},
    scene::Scene,
    skeleton::class::CharacterClass,
};
use glam::{DMat4, DQuat, DVec3};

const TRIANGLES: usize = 6_000;

fn scene(sample: Sample) -> Scene {
    sample::generate(sample, Some(TRIANGLES)).unwrap()
}

fn rigged(scene: Scene) -> Rig {
    rig_scene(scene, &Options::default(), &mut Silent).unwrap()
}

/// The scene under one more node, which moves it as a file would.
fn moved(mut scene: Scene, matrix: DMat4) -> Scene {
    let children = std::mem::take(&mut scene.roots);
    scene.roots = vec![scene.nodes.len()];
    scene.nodes.push(autorig_engine::scene::Node { local: matrix, children, ..Default::default() });
    scene
}

fn joint(rig: &Rig, name: &str) -> DVec3 {
    rig.skeleton.joints[rig.skeleton.find(name).unwrap()].position
}

#[test]
fn humanoid_samples_get_joints_near_those_they_were_built_on() {
    for (sample, limit) in [(Sample::Human, 3.0), (Sample::Cartoon, 5.0), (Sample::Robot, 4.0)] {
        let rig = rigged(scene(sample));
        let mut errors = Vec::new();
        for truth in sample::truth(sample) {
            if let Some(found) = rig.skeleton.find(&truth.name) {
                let apart = rig.skeleton.joints[found].position.distance(DVec3::from(truth.position));
                errors.push(apart / rig.report.orientation.height * 100.0);
            }
        }
        assert!(errors.len() >= 20, "{sample:?} has its joints");
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        assert!(mean < limit, "{sample:?}: {mean:.2} % of the height");
    }
}

#[test]
fn a_human_is_recognised_with_confidence_and_stands_upright() {
    let report = rigged(scene(Sample::Human)).report;
    assert_eq!(report.class, CharacterClass::Humanoid);
    assert!(report.confidence > 0.7, "{}", report.confidence);
    assert_eq!(report.orientation.up, [0.0, 1.0, 0.0]);
    assert_eq!(report.orientation.forward, [0.0, 0.0, 1.0]);
    assert_eq!(report.orientation.metres_per_unit, 1.0);
}

#[test]
fn a_quadruped_becomes_a_humanoid_only_where_the_user_insists() {
    let insisting = Options { class: Class::Humanoid, ..Options::default() };
    let rig = rig_scene(scene(Sample::Quadruped), &insisting, &mut Silent).unwrap();
    assert_eq!(rig.report.class, CharacterClass::Humanoid);
    assert!(rig.report.confidence < 0.3);
    assert!(rig.report.warnings.iter().any(|w| w.code == "low_confidence"));
}

#[test]
fn turned_scaled_and_moved_files_get_the_same_joints_in_their_own_frame() {
    let upright = rigged(scene(Sample::Human));
    let height = upright.report.orientation.height;
    let turns = [
        DQuat::from_rotation_x(-std::f64::consts::FRAC_PI_2),
        DQuat::from_rotation_y(std::f64::consts::PI),
        DQuat::from_rotation_z(std::f64::consts::FRAC_PI_2),
    ];
    for turn in turns {
        let matrix = DMat4::from_scale_rotation_translation(
            DVec3::splat(100.0),
            turn,
            DVec3::new(3000.0, -500.0, 20.0),
        );
        let rig = rigged(moved(scene(Sample::Human), matrix));
        assert!((rig.report.orientation.metres_per_unit - 0.01).abs() < 1e-12);
        for (there, here) in rig.skeleton.joints.iter().zip(&upright.skeleton.joints).skip(1) {
            let back = matrix.inverse().transform_point3(there.position);
            let apart = back.distance(here.position) / height * 100.0;
            assert!(apart < 0.5, "{} is {apart:.2} % of the height away", here.name);
        }
    }
}

#[test]
fn left_is_the_characters_own_left() {
    let rig = rigged(scene(Sample::Human));
    assert!(joint(&rig, "leftHand").x > 0.4);
    assert!(joint(&rig, "rightHand").x < -0.4);
}

#[test]
fn every_vertex_has_weights_that_sum_to_one_over_at_most_four_joints() {
    for sample in [Sample::Human, Sample::Cartoon, Sample::Robot] {
        let rig = rigged(scene(sample));
        for (mesh, influences) in rig.scene.meshes.iter().zip(&rig.influences) {
            for (primitive, influences) in mesh.primitives.iter().zip(influences) {
                assert_eq!(influences.weights.len(), primitive.positions.len() * 4);
                for (joints, weights) in influences.iter() {
                    assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                    assert!(weights.windows(2).all(|w| w[0] >= w[1]), "heaviest first");
                    assert!(joints.iter().all(|j| (*j as usize) < rig.skeleton.joints.len()));
                    assert!(joints.iter().zip(weights).all(|(j, w)| *w > 0.0 || *j == 0));
                    assert!(
                        joints.iter().zip(weights).all(|(j, w)| *w == 0.0 || *j != 0),
                        "nothing hangs on the root"
                    );
                }
            }
        }
    }
}

#[test]
fn vertices_at_one_place_move_together() {
    let rig = rigged(scene(Sample::Cartoon));
    /// A position's bits, and the joints and weights' bits there.
    type Placed = ([u32; 3], Vec<(u16, u32)>);
    let mut all: Vec<Placed> = Vec::new();
    for (mesh, influences) in rig.scene.meshes.iter().zip(&rig.influences) {
        for (primitive, influences) in mesh.primitives.iter().zip(influences) {
            for (p, (joints, weights)) in primitive.positions.iter().zip(influences.iter()) {
                let row = joints.iter().zip(weights).map(|(j, w)| (*j, w.to_bits())).collect();
                all.push((p.map(f32::to_bits), row));
            }
        }
    }
    all.sort();
    for pair in all.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert_eq!(pair[0].1, pair[1].1);
    }
}

#[test]
fn the_parts_of_a_robot_follow_one_joint_each() {
    let rig = rigged(scene(Sample::Robot));
    assert!(rig.report.skin.rigid_parts * 10 >= rig.report.input.parts * 9, "{:?}", rig.report.skin);
}

#[test]
fn a_limb_follows_its_own_side_only() {
    let rig = rigged(scene(Sample::Human));
    for (mesh, influences) in rig.scene.meshes.iter().zip(&rig.influences) {
        for (primitive, influences) in mesh.primitives.iter().zip(influences) {
            for (p, (joints, weights)) in primitive.positions.iter().zip(influences.iter()) {
                let wrong_side = if p[0] > 0.12 {
                    "right"
                } else if p[0] < -0.12 {
                    "left"
                } else {
                    continue;
                };
                let bled: f32 = joints
                    .iter()
                    .zip(weights)
                    .filter(|(j, _)| rig.skeleton.joints[**j as usize].name.starts_with(wrong_side))
                    .map(|(_, w)| w)
                    .sum();
                assert!(bled < 0.02, "{bled} of {wrong_side} at {p:?}");
            }
        }
    }
}

#[test]
fn the_users_joints_are_kept_exactly_and_known_by_foreign_names() {
    let elbow = [0.47, 1.40, -0.03];
    let options = Options {
        joints: vec![JointHint { name: "mixamorig:LeftForeArm".into(), parent: None, position: elbow }],
        ..Options::default()
    };
    let rig = rig_scene(scene(Sample::Human), &options, &mut Silent).unwrap();
    assert_eq!(joint(&rig, "leftLowerArm"), DVec3::from(elbow));
    assert_eq!(rig.skeleton.joints[rig.skeleton.find("leftLowerArm").unwrap()].confidence, 1.0);
}

#[test]
fn one_two_or_seven_threads_give_the_same_bytes() {
    let bytes = |threads| {
        let options = Options { threads: Some(threads), ..Options::default() };
        let rig = rig_scene(scene(Sample::Robot), &options, &mut Silent).unwrap();
        (rig.to_glb().unwrap(), serde_json::to_vec(&rig.report).unwrap())
    };
    let first = bytes(1);
    for threads in [2, 2, 7] {
        assert!(first == bytes(threads), "{threads} threads");
    }
}

#[test]
fn eight_influences_are_an_option_and_nine_are_refused() {
    let with = |influences| {
        rig_scene(scene(Sample::Human), &Options { influences, ..Options::default() }, &mut Silent)
    };
    assert_eq!(with(8).unwrap().influences[0][0].per_vertex, 8);
    assert_eq!(with(9).unwrap_err().code, Code::InvalidOption);
    assert_eq!(with(0).unwrap_err().code, Code::InvalidOption);
}

#[test]
fn a_rig_that_is_rigged_again_says_so_and_keeps_its_vertices() {
    let first = rigged(scene(Sample::Human));
    let glb = first.to_glb().unwrap();
    let second = rig(&Source::bytes("again.glb", glb), &Options::default(), &mut Silent).unwrap();
    assert!(second.report.input.was_rigged);
    assert!(second.report.warnings.iter().any(|w| w.code == "was_rigged"));
    let positions = |rig: &Rig| -> Vec<[f32; 3]> {
        rig.scene.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| p.positions.clone()).collect()
    };
    for (a, b) in positions(&first).iter().zip(positions(&second)) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}

#[test]
fn the_written_rig_reads_back_with_one_skin_and_canonical_joints() {
    let rig = rigged(scene(Sample::Human));
    let source = Source::bytes("rigged.glb", rig.to_glb().unwrap());
    let back = read::read(&source, &Options::default().limits).unwrap();
    assert_eq!(back.skins.len(), 1);
    let names: Vec<&str> = back.skins[0].joints.iter().map(|j| back.nodes[*j].name.as_str()).collect();
    let own: Vec<&str> = rig.skeleton.joints.iter().map(|j| j.name.as_str()).collect();
    assert_eq!(names, own);
}

/// Stops when a stage begins, and remembers what it heard.
struct StopAt {
    stage: Stage,
    heard: Vec<(Stage, f32)>,
    prepared: bool,
    stop: bool,
}

impl Progress for StopAt {
    fn report(&mut self, stage: Stage, fraction: f32) {
        self.heard.push((stage, fraction));
        self.stop |= stage == self.stage;
    }

    fn prepared(&mut self, scene: &Scene) -> Result<()> {
        self.prepared = scene.triangle_count() > 0;
        Ok(())
    }

    fn cancelled(&self) -> bool {
        self.stop
    }
}

#[test]
fn progress_never_falls_and_a_cancel_stops_the_rig() {
    let mut progress = StopAt { stage: Stage::Export, heard: Vec::new(), prepared: false, stop: false };
    rig_scene(scene(Sample::Robot), &Options::default(), &mut progress).unwrap();
    assert!(progress.prepared);
    assert!(progress.heard.windows(2).all(|w| w[0].1 <= w[1].1 && w[0].0 <= w[1].0), "{:?}", progress.heard);

    for stage in [Stage::Analyse, Stage::Skeleton, Stage::Skin] {
        let mut progress = StopAt { stage, heard: Vec::new(), prepared: false, stop: false };
        let error = rig_scene(scene(Sample::Robot), &Options::default(), &mut progress).unwrap_err();
        assert_eq!(error.code, Code::Cancelled, "{stage:?}");
    }
}

#[test]
fn a_ground_plane_does_not_decide_how_tall_the_character_is() {
    let mut scene = scene(Sample::Human);
    let ground = autorig_engine::scene::Primitive {
        positions: vec![[-20.0, 0.0, -20.0], [20.0, 0.0, -20.0], [20.0, 0.0, 20.0], [-20.0, 0.0, 20.0]],
        indices: vec![0, 2, 1, 0, 3, 2],
        ..Default::default()
    };
    scene.nodes.push(autorig_engine::scene::Node { mesh: Some(scene.meshes.len()), ..Default::default() });
    scene.roots.push(scene.nodes.len() - 1);
    scene.meshes.push(autorig_engine::scene::Mesh { primitives: vec![ground], ..Default::default() });
    let rig = rigged(scene);
    assert!((rig.report.orientation.height - 1.75).abs() < 0.05, "{}", rig.report.orientation.height);
}

#[test]
fn hopeless_geometry_is_refused_by_its_own_code() {
    let with = |positions: Vec<[f32; 3]>, indices: Vec<u32>| {
        let primitive = autorig_engine::scene::Primitive { positions, indices, ..Default::default() };
        let scene = Scene {
            meshes: vec![autorig_engine::scene::Mesh { primitives: vec![primitive], ..Default::default() }],
            nodes: vec![autorig_engine::scene::Node { mesh: Some(0), ..Default::default() }],
            roots: vec![0],
            ..Default::default()
        };
        rig_scene(scene, &Options::default(), &mut Silent).unwrap_err().code
    };
    let triangle = vec![0, 1, 2];
    assert_eq!(with(vec![], vec![]), Code::NoGeometry);
    assert_eq!(with(vec![[1.0; 3]; 3], triangle.clone()), Code::DegenerateGeometry);
    assert_eq!(
        with(vec![[0.0; 3], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]], triangle.clone()),
        Code::DegenerateGeometry
    );
    assert_eq!(
        with(vec![[0.0; 3], [1e12, 0.0, 0.0], [0.0, 1e12, 0.0]], triangle.clone()),
        Code::ScaleOutOfRange
    );
    assert_eq!(
        with(vec![[0.0; 3], [1e-9, 0.0, 0.0], [0.0, 1e-9, 0.0]], triangle.clone()),
        Code::ScaleOutOfRange
    );
    assert_eq!(
        with(vec![[7e6, 0.0, 0.0], [7e6 + 2.0, 0.0, 0.0], [7e6, 2.0, 0.0]], triangle),
        Code::PrecisionLost
    );
}
