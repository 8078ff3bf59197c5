//! Whatever the geometry, a rig ends in a valid result or a typed error.

use autorig_engine::{
    Class, Options, Silent, rig_scene,
    scene::{Mesh, Node, Primitive, Scene},
};
use proptest::prelude::*;

fn soup(positions: Vec<[f32; 3]>, indices: &[u32]) -> Scene {
    let n = positions.len() as u32;
    let indices = indices.chunks_exact(3).flatten().map(|i| i % n).collect();
    Scene {
        meshes: vec![Mesh {
            primitives: vec![Primitive { positions, indices, ..Default::default() }],
            ..Default::default()
        }],
        nodes: vec![Node { mesh: Some(0), ..Default::default() }],
        roots: vec![0],
        ..Default::default()
    }
}

proptest! {
    // Each case is a whole rig.
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn triangle_soups_of_any_shape_never_panic_and_never_give_nan(
        points in prop::collection::vec((-1.0..1.0_f32, -1.0..1.0_f32, -1.0..1.0_f32), 3..60),
        indices in prop::collection::vec(any::<u32>(), 3..240),
        stretch in prop::array::uniform3(prop::sample::select(vec![0.0_f32, 1e-3, 1.0, 40.0])),
        threads in 1..3_usize,
    ) {
        let positions = points.iter().map(|p| [p.0 * stretch[0], p.1 * stretch[1], p.2 * stretch[2]]).collect();
        // The user insists, so that nothing is refused for its looks and every stage runs.
        let options = Options { class: Class::Humanoid, threads: Some(threads), ..Options::default() };
        match rig_scene(soup(positions, &indices), &options, &mut Silent) {
            Err(error) => prop_assert!(error.code.kind() == autorig_engine::Kind::Input, "{error}"),
            Ok(rig) => {
                prop_assert!(rig.skeleton.joints.iter().all(|j| j.position.is_finite() && j.confidence.is_finite()));
                for influences in rig.influences.iter().flatten() {
                    for (_, weights) in influences.iter() {
                        prop_assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                    }
                }
                prop_assert!(rig.to_glb().is_ok());
            }
        }
    }
}
