//! Transforms baked into vertices.

use autorig_engine::scene::{Morph, Primitive, Scene};
use autorig_engine::{Code, Limits};
use glam::{DMat4, DQuat, DVec3};
use serde_json::json;

use crate::build::{F32, FACES, Glb, POINTS, U8, floats, warns};

fn flat(scene: Scene) -> Scene {
    scene.flatten(&Limits::default()).unwrap()
}

fn only(scene: &Scene) -> &Primitive {
    assert_eq!(scene.meshes.len(), 1);
    &scene.meshes[0].primitives[0]
}

fn near<const N: usize>(a: [f32; N], b: [f64; N]) {
    for (x, y) in a.iter().zip(b) {
        assert!((f64::from(*x) - y).abs() < 1e-5, "{a:?} {b:?}");
    }
}

/// A tetrahedron with normals, tangents and a morph target.
fn dressed() -> Scene {
    let mut scene = Glb::tetrahedron().read().unwrap();
    let primitive = &mut scene.meshes[0].primitives[0];
    let normal = DVec3::new(1.0, 2.0, 2.0) / 3.0;
    primitive.normals = Some(vec![normal.as_vec3().to_array(); 4]);
    primitive.tangents = Some(vec![[0.0, 0.6, -0.8, 1.0]; 4]);
    let delta = vec![[0.5, 0.0, 0.25]; 4];
    primitive.morphs = vec![Morph { positions: delta.clone(), normals: delta.clone(), tangents: delta }];
    scene.meshes[0].morph_weights = vec![0.0];
    scene
}

/// Signed volume of a closed mesh.
fn volume(primitive: &Primitive) -> f64 {
    let at = |i: u32| DVec3::from(primitive.positions[i as usize].map(f64::from));
    primitive.indices.chunks_exact(3).map(|t| at(t[0]).dot(at(t[1]).cross(at(t[2]))) / 6.0).sum()
}

#[test]
fn without_transforms_not_a_bit_changes() {
    let scene = dressed();
    let before = scene.meshes[0].clone();
    let after = flat(scene);
    assert_eq!(only(&after).positions, before.primitives[0].positions);
    assert_eq!(only(&after).normals, before.primitives[0].normals);
    assert_eq!(only(&after).indices, before.primitives[0].indices);
    assert_eq!((after.roots.as_slice(), after.nodes[0].name.as_str()), (&[0][..], "Thing"));
    assert_eq!(after.meshes[0].name, "Body");
}

#[test]
fn transforms_of_all_ancestors_reach_positions_normals_tangents_and_morphs() {
    let mut scene = dressed();
    let scale = DVec3::new(2.0, 3.0, 0.5);
    let turn = DQuat::from_axis_angle(DVec3::new(1.0, 1.0, 0.0).normalize(), 0.7);
    scene.nodes[0].local = DMat4::from_scale(scale);
    let parent = DMat4::from_rotation_translation(turn, DVec3::new(10.0, 20.0, 30.0));
    scene.nodes.push(autorig_engine::scene::Node { local: parent, children: vec![0], ..Default::default() });
    scene.roots = vec![1];
    let world = parent * DMat4::from_scale(scale);
    let after = flat(scene);
    let primitive = only(&after);
    for (p, q) in primitive.positions.iter().zip(POINTS) {
        near(*p, world.transform_point3(DVec3::from(q.map(f64::from))).to_array());
    }
    let expected = turn * (DVec3::new(1.0, 2.0, 2.0) / scale).normalize();
    near(primitive.normals.as_ref().unwrap()[2], expected.to_array());
    let tangent = (turn * (DVec3::new(0.0, 0.6, -0.8) * scale)).normalize();
    near(primitive.tangents.as_ref().unwrap()[1], [tangent.x, tangent.y, tangent.z, 1.0]);
    near(primitive.morphs[0].positions[0], (turn * (DVec3::new(0.5, 0.0, 0.25) * scale)).to_array());
    assert_eq!(after.nodes.len(), 1);
    assert_eq!(after.nodes[0].local, DMat4::IDENTITY);
}

#[test]
fn a_mirroring_transform_turns_the_winding_so_that_the_outside_stays_outside() {
    let mut scene = dressed();
    assert!(volume(&scene.meshes[0].primitives[0]) > 0.0);
    scene.nodes[0].local = DMat4::from_scale(DVec3::new(-1.0, 1.0, 1.0));
    let after = flat(scene);
    assert!(volume(only(&after)) > 0.0);
    near(only(&after).normals.as_ref().unwrap()[0], [-1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]);
    assert_eq!(only(&after).tangents.as_ref().unwrap()[0], [-0.0, 0.6, -0.8, -1.0]);
    assert_eq!(only(&after).indices[..3], [FACES[0], FACES[2], FACES[1]].map(u32::from));
}

#[test]
fn an_instance_is_copied_for_each_node_and_unused_nodes_go() {
    let mut glb = Glb::tetrahedron();
    glb.push("nodes", json!({"name": "Empty", "children": [2]}));
    glb.push("nodes", json!({"name": "Twin", "mesh": 0, "translation": [0, 5, 0]}));
    let after = flat(glb.read().unwrap());
    let names: Vec<&str> = after.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["Thing", "Twin"]);
    assert_eq!(after.nodes.iter().map(|n| n.mesh).collect::<Vec<_>>(), [Some(0), Some(1)]);
    assert_eq!(after.meshes[0].primitives[0].positions, POINTS);
    assert_eq!(after.meshes[1].primitives[0].positions[0], [0.0, 5.0, 0.0]);
}

#[test]
fn a_node_scaled_to_nothing_is_kept_flat_and_said() {
    let mut glb = Glb::tetrahedron();
    let normal = glb.accessor(F32, "VEC3", 4, &floats(&[0.0, 0.0, 1.0].repeat(4)));
    glb.primitive()["attributes"]["NORMAL"] = json!(normal);
    glb.json["nodes"][0]["scale"] = json!([1, 1, 0]);
    let after = flat(glb.read().unwrap());
    assert!(warns(&after, "singular_transform"));
    assert_eq!(only(&after).positions[3], [0.0, 0.0, 0.0]);
    assert_eq!(only(&after).normals.as_ref().unwrap()[0], [0.0, 0.0, 1.0]);
}

#[test]
fn a_transform_that_overflows_single_precision_is_refused() {
    let mut glb = Glb::tetrahedron();
    glb.json["nodes"][0]["scale"] = json!([1e39, 1, 1]);
    assert_eq!(glb.error().code, Code::ScaleOutOfRange);
}

/// Two joints, the second at height 1; the last two points follow it.
fn skinned() -> Glb {
    let mut glb = Glb::tetrahedron();
    let joints = glb.accessor(U8, "VEC4", 4, &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    let weights = glb.accessor(F32, "VEC4", 4, &floats(&[1.0, 0.0, 0.0, 0.0].repeat(4)));
    glb.primitive()["attributes"]["JOINTS_0"] = json!(joints);
    glb.primitive()["attributes"]["WEIGHTS_0"] = json!(weights);
    let inverse = [DMat4::IDENTITY, DMat4::from_translation(DVec3::new(0.0, -1.0, 0.0))];
    let inverse: Vec<f32> = inverse.iter().flat_map(|m| m.to_cols_array().map(|x| x as f32)).collect();
    let inverse = glb.accessor(F32, "MAT4", 2, &floats(&inverse));
    glb.push("nodes", json!({"name": "root", "children": [2]}));
    glb.push("nodes", json!({"name": "tip", "translation": [0, 1, 0]}));
    glb.push("skins", json!({"joints": [1, 2], "inverseBindMatrices": inverse}));
    glb.json["nodes"][0]["skin"] = json!(0);
    glb
}

#[test]
fn a_skinned_mesh_in_its_bind_pose_keeps_every_bit_whatever_its_node_says() {
    let mut glb = skinned();
    glb.json["nodes"][0]["translation"] = json!([100, 0, 0]);
    let after = flat(glb.read().unwrap());
    assert_eq!(only(&after).positions, POINTS);
    assert!(after.skins.is_empty() && only(&after).influences.is_none());
}

#[test]
fn a_posed_skinned_mesh_is_shown_as_its_joints_stand() {
    let mut glb = skinned();
    glb.json["nodes"][2]["rotation"] = json!([0, 0, (0.5f64).sqrt(), (0.5f64).sqrt()]);
    let after = flat(glb.read().unwrap());
    let expected = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]];
    for (p, q) in only(&after).positions.iter().zip(expected) {
        near(*p, q);
    }
    // All joints moved alike is one transform.
    let mut glb = skinned();
    glb.json["nodes"][1]["scale"] = json!([2, 2, 2]);
    let after = flat(glb.read().unwrap());
    assert_eq!(only(&after).positions, POINTS.map(|p| p.map(|x| x * 2.0)));
}

#[test]
fn clips_are_dropped_and_named() {
    let mut glb = Glb::tetrahedron();
    glb.push("animations", json!({"name": "Walk", "channels": [], "samplers": []}));
    let scene = glb.read().unwrap();
    assert_eq!(scene.clips[0].name, "Walk");
    let after = flat(scene);
    assert!(after.clips.is_empty());
    assert!(after.warnings.iter().any(|w| w.code == "clips_dropped" && w.message.contains("Walk")));
}

#[test]
fn weights_a_node_gives_to_morph_targets_win_over_the_mesh() {
    let mut scene = dressed();
    scene.nodes[0].morph_weights = vec![0.75];
    assert_eq!(flat(scene).meshes[0].morph_weights, [0.75]);
}
