//! However a character is turned, scaled and moved, it is understood the same way.

use std::f64::consts::TAU;

use autorig_engine::{
    Class, Limits, Options,
    analyse::{Body, analyse, orientation::cube_rotations},
    sample::{self, Sample},
    scene::{Mesh, Node, Primitive, Scene},
    skeleton::fit::fit,
};
use glam::{DMat4, DQuat, DVec3};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::moved;

/// Percent of the height that a joint may be elsewhere after turning back.
const SAME: f64 = 0.1;

fn scene(sample: Sample) -> Scene {
    sample::generate(sample, Some(3_000)).unwrap()
}

fn body(scene: Scene, matrix: DMat4) -> Body {
    analyse(&moved(scene, matrix).flatten(&Limits::default()).unwrap(), None).unwrap()
}

fn joints(body: &Body) -> Vec<(String, DVec3)> {
    let options = Options { class: Class::Humanoid, ..Options::default() };
    fit(body, &options).unwrap().skeleton.joints.into_iter().map(|j| (j.name, j.position)).collect()
}

prop_compose! {
    /// One of the cube's rotations after any yaw, then a tilt of up to 20°; 1e-3 to 1e3; up to 50 heights away.
    fn placement()(
        cube in 0..24_usize,
        yaw in 0.0..TAU,
        tilt in 0.0..20.0_f64,
        about in (-1.0..1.0_f64, -1.0..1.0_f64, 0.1..1.0_f64),
        power in -3.0..3.0_f64,
        offset in (-80.0..80.0_f64, -80.0..80.0_f64, -80.0..80.0_f64),
    ) -> DMat4 {
        let turn = DQuat::from_axis_angle(DVec3::from(about).normalize(), tilt.to_radians())
            * DQuat::from_mat3(&cube_rotations()[cube])
            * DQuat::from_rotation_y(yaw);
        let scale = libm::pow(10.0, power);
        DMat4::from_scale_rotation_translation(DVec3::splat(scale), turn, DVec3::from(offset) * scale)
    }
}

#[test]
fn joints_go_along_with_any_turn_scale_and_offset_to_a_thousandth_of_the_height() {
    for sample in [Sample::Human, Sample::Cartoon, Sample::Robot] {
        let still = body(scene(sample), DMat4::IDENTITY);
        let expected = joints(&still);
        let height = still.height / still.frame.scale;
        let config = Config { cases: 3, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(
            config,
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        runner
            .run(&placement(), |matrix| {
                let turned = body(scene(sample), matrix);
                let found = joints(&turned);
                prop_assert_eq!(found.len(), expected.len());
                for ((name, there), (_, here)) in found.iter().zip(&expected) {
                    let back = matrix.inverse().transform_point3(*there);
                    let apart = back.distance(*here) / height * 100.0;
                    prop_assert!(apart < SAME, "{sample:?}: {name} is {apart:.3} % of the height away");
                }
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn a_character_that_is_turned_about_its_up_axis_keeps_the_files_up_and_faces_where_it_faces() {
    let yaw = DQuat::from_rotation_y(37.0_f64.to_radians());
    let body = body(scene(Sample::Human), DMat4::from_quat(yaw));
    assert_eq!(body.file_axes.row(1), DVec3::Y);
    assert!(body.file_axes.row(2).dot(yaw * DVec3::Z) > 0.999);
    assert!(body.orientation_confidence > 0.9, "{}", body.orientation_confidence);
}

#[test]
fn the_plane_of_symmetry_is_the_middle_of_canonical_space() {
    let turn = DQuat::from_rotation_x(0.8) * DQuat::from_rotation_y(2.0);
    let body = body(scene(Sample::Human), DMat4::from_rotation_translation(turn, DVec3::new(3.0, 2.0, 1.0)));
    let hand = joints(&body).into_iter().filter(|(name, _)| name.ends_with("Hand"));
    let across: f64 = hand.map(|(_, p)| body.frame.to_canonical(p).x).sum();
    assert!(across.abs() < 0.01 * body.height, "{across}");
}

#[test]
fn a_ground_plane_is_left_out_however_the_file_is_turned() {
    let mut scene = scene(Sample::Human);
    let ground = Primitive {
        positions: vec![[-20.0, 0.0, -20.0], [20.0, 0.0, -20.0], [20.0, 0.0, 20.0], [-20.0, 0.0, 20.0]],
        indices: vec![0, 2, 1, 0, 3, 2],
        ..Default::default()
    };
    scene.nodes.push(Node { mesh: Some(scene.meshes.len()), ..Default::default() });
    scene.roots.push(scene.nodes.len() - 1);
    scene.meshes.push(Mesh { primitives: vec![ground], ..Default::default() });
    let tilt = DQuat::from_rotation_z(0.3) * DQuat::from_rotation_x(0.2);
    let body = body(scene, DMat4::from_quat(tilt));
    assert!((body.height - 1.75).abs() < 0.05, "{}", body.height);
}
