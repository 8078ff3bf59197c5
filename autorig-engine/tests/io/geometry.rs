//! Accessors, primitives, nodes.

use autorig_engine::scene::{Primitive, Scene};
use autorig_engine::{Code, Limits};
use serde_json::json;

use crate::build::{F32, FACES, Glb, POINTS, U8, U16, U32, floats, read_bytes, shorts, warns};

fn only(scene: &Scene) -> &Primitive {
    &scene.meshes[0].primitives[0]
}

#[test]
fn a_plain_mesh_comes_in_as_it_is() {
    let scene = Glb::tetrahedron().read().unwrap();
    assert_eq!(only(&scene).positions, POINTS);
    assert_eq!(only(&scene).indices, FACES.map(u32::from));
    assert_eq!((scene.nodes[0].name.as_str(), scene.meshes[0].name.as_str()), ("Thing", "Body"));
    assert!(scene.warnings.is_empty());
}

#[test]
fn every_component_type_is_decoded() {
    let cases: [(u32, bool, Vec<u8>, [f32; 2]); 8] = [
        (5120, false, vec![0x80, 127], [-128.0, 127.0]),
        (5120, true, vec![0x80, 127], [-1.0, 1.0]),
        (U8, false, vec![0, 255], [0.0, 255.0]),
        (U8, true, vec![51, 255], [0.2, 1.0]),
        (5122, true, shorts(&[0x8000, 32767]), [-1.0, 1.0]),
        (U16, true, shorts(&[0, 65535]), [0.0, 1.0]),
        (U32, false, [7u32, 9].map(u32::to_le_bytes).concat(), [7.0, 9.0]),
        (F32, false, floats(&[-0.5, 3.25]), [-0.5, 3.25]),
    ];
    for (component, normalized, element, expected) in cases {
        let mut glb = Glb::tetrahedron();
        let uv = glb.accessor(component, "VEC2", 4, &element.repeat(4));
        glb.json["accessors"][uv]["normalized"] = json!(normalized);
        glb.primitive()["attributes"]["TEXCOORD_0"] = json!(uv);
        let scene = glb.read().unwrap();
        assert_eq!(only(&scene).uvs[0][3], expected, "{component} {normalized}");
    }
}

#[test]
fn interleaved_attributes_are_taken_apart() {
    let mut glb = Glb::tetrahedron();
    let rows: Vec<f32> = POINTS.iter().flat_map(|p| [p[0], p[1], p[2], 0.25, 0.75]).collect();
    let view = glb.view(&floats(&rows));
    glb.json["bufferViews"][view]["byteStride"] = json!(20);
    let position =
        glb.push("accessors", json!({"bufferView": view, "componentType": F32, "type": "VEC3", "count": 4}));
    let uv = glb.push(
        "accessors",
        json!({"bufferView": view, "byteOffset": 12, "componentType": F32, "type": "VEC2", "count": 4}),
    );
    glb.primitive()["attributes"] = json!({"POSITION": position, "TEXCOORD_0": uv});
    let scene = glb.read().unwrap();
    assert_eq!(only(&scene).positions, POINTS);
    assert_eq!(only(&scene).uvs[0], [[0.25, 0.75]; 4]);
}

#[test]
fn a_sparse_accessor_changes_only_what_it_names_and_may_stand_on_zeros() {
    let mut glb = Glb::tetrahedron();
    let indices = glb.view(&shorts(&[1, 3]));
    let values = glb.view(&floats(&[5.0, 6.0, 7.0, 8.0, 9.0, 10.0]));
    let sparse = json!({
        "count": 2,
        "indices": {"bufferView": indices, "componentType": U16},
        "values": {"bufferView": values},
    });
    glb.json["accessors"][0]["sparse"] = sparse;
    let scene = glb.read().unwrap();
    let expected = [POINTS[0], [5.0, 6.0, 7.0], POINTS[2], [8.0, 9.0, 10.0]];
    assert_eq!(only(&scene).positions, expected);
    glb.json["accessors"][0].as_object_mut().unwrap().remove("bufferView");
    let scene = glb.read().unwrap();
    assert_eq!(only(&scene).positions, [[0.0; 3], [5.0, 6.0, 7.0], [0.0; 3], [8.0, 9.0, 10.0]]);
    glb.json["accessors"][0]["count"] = json!(3);
    assert_eq!(glb.error().code, Code::CorruptFile);
}

#[test]
fn strips_and_fans_become_triangles_of_the_same_winding() {
    let mut glb = Glb::tetrahedron();
    let indices = glb.accessor(U8, "SCALAR", 4, &[0, 1, 2, 3]);
    glb.primitive()["indices"] = json!(indices);
    for (mode, expected) in [(5, [0, 1, 2, 2, 1, 3]), (6, [0, 1, 2, 0, 2, 3])] {
        glb.primitive()["mode"] = json!(mode);
        assert_eq!(only(&glb.read().unwrap()).indices, expected);
    }
    glb.primitive().as_object_mut().unwrap().remove("indices");
    assert_eq!(only(&glb.read().unwrap()).indices, [0, 1, 2, 0, 2, 3]);
}

#[test]
fn parts_that_share_their_vertices_each_keep_those_they_use_in_order() {
    let mut glb = Glb::tetrahedron();
    let first = glb.accessor(U16, "SCALAR", 3, &shorts(&[3, 1, 2]));
    let second = glb.accessor(U16, "SCALAR", 6, &shorts(&[0, 1, 2, 0, 2, 3]));
    let joints = glb.accessor(U8, "VEC4", 4, &[0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
    let weights = glb.accessor(F32, "VEC4", 4, &floats(&[1.0, 0.0, 0.0, 0.0].repeat(4)));
    let attributes = json!({"POSITION": 0, "JOINTS_0": joints, "WEIGHTS_0": weights});
    glb.json["meshes"][0]["primitives"] = json!([
        {"attributes": attributes, "indices": first, "targets": [{"POSITION": 0}]},
        {"attributes": attributes, "indices": second, "targets": [{"POSITION": 0}]},
    ]);
    let scene = glb.read().unwrap();
    let [first, second] = &scene.meshes[0].primitives[..] else { panic!() };
    assert_eq!((first.positions.as_slice(), first.indices.as_slice()), (&POINTS[1..], &[2, 0, 1][..]));
    assert_eq!(first.morphs[0].positions, POINTS[1..]);
    let joints: Vec<u16> = first.influences.as_ref().unwrap().iter().map(|(j, _)| j[0]).collect();
    assert_eq!(joints, [1, 2, 3]);
    assert_eq!((second.positions.as_slice(), second.indices.len()), (&POINTS[..], 6));
}

#[test]
fn points_and_lines_are_left_out_and_said() {
    let mut glb = Glb::tetrahedron();
    let mut lines = glb.primitive().clone();
    lines["mode"] = json!(1);
    glb.json["meshes"][0]["primitives"].as_array_mut().unwrap().push(lines);
    let scene = glb.read().unwrap();
    assert_eq!(scene.meshes[0].primitives.len(), 1);
    assert!(warns(&scene, "no_triangles_dropped"));
    glb.json["meshes"][0]["primitives"][0]["mode"] = json!(0);
    assert_eq!(glb.error().code, Code::NoGeometry);
}

#[test]
fn a_declared_count_is_checked_before_memory_is_taken() {
    let mut glb = Glb::tetrahedron();
    glb.json["accessors"][0]["count"] = json!(u64::MAX);
    assert_eq!(glb.error().code, Code::CorruptFile);
    // Without a buffer view there are no bytes to run past.
    glb.json["accessors"][0].as_object_mut().unwrap().remove("bufferView");
    glb.json["accessors"][0]["count"] = json!(2_147_483_647u32);
    assert_eq!(glb.error().code, Code::LimitMemory);
    glb.json["accessors"][1]["count"] = json!(2_147_483_647u32);
    assert_eq!(glb.error().code, Code::LimitTriangles);
}

#[test]
fn many_parts_that_share_one_accessor_cannot_unfold_without_end() {
    let mut glb = Glb::tetrahedron();
    let zeros = glb.push("accessors", json!({"componentType": F32, "type": "VEC3", "count": 4_000_000}));
    let part = json!({"attributes": {"POSITION": zeros}, "indices": 1});
    glb.json["meshes"][0]["primitives"] = json!(vec![part; 1000]);
    let error = glb.error();
    assert_eq!(error.code, Code::LimitMemory, "{error}");
}

#[test]
fn contradictions_name_what_they_are_about() {
    let edits: [(&str, serde_json::Value, &str); 12] = [
        ("/nodes/0/mesh", json!(7), "node 0 \"Thing\""),
        ("/nodes/0/children", json!([9]), "node 0 \"Thing\""),
        ("/nodes/0/children", json!([0]), "its own ancestor"),
        ("/meshes/0/primitives/0/material", json!(3), "mesh 0 \"Body\""),
        ("/meshes/0/primitives/0/indices", json!(30), "accessor 30"),
        ("/meshes/0/primitives/0/mode", json!(9), "mode 9"),
        ("/accessors/0/componentType", json!(5130), "accessor 0"),
        ("/accessors/0/type", json!("VEC2"), "accessor 0"),
        ("/accessors/0/bufferView", json!(8), "buffer view 8"),
        ("/bufferViews/0/byteLength", json!(1_000_000), "buffer view 0"),
        ("/bufferViews/0/byteStride", json!(4), "accessor 0"),
        ("/bufferViews/0/buffer", json!(2), "buffer 2"),
    ];
    for (pointer, value, words) in edits {
        let mut glb = Glb::tetrahedron();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        glb.json.pointer_mut(parent).unwrap()[key] = value;
        let error = glb.error();
        assert_eq!(error.code, Code::CorruptFile, "{pointer}: {error}");
        assert!(error.message.contains(words), "{pointer}: {error}");
    }
}

#[test]
fn a_node_with_two_parents_is_refused() {
    let mut glb = Glb::tetrahedron();
    glb.push("nodes", json!({"children": [0]}));
    glb.push("nodes", json!({"children": [0]}));
    let error = glb.error();
    assert_eq!(error.code, Code::CorruptFile);
    assert!(error.message.contains("both"), "{error}");
}

#[test]
fn the_default_scene_is_shown_else_the_first_else_every_root() {
    let mut glb = Glb::tetrahedron();
    glb.push("nodes", json!({"name": "Other", "mesh": 0}));
    assert_eq!(glb.read().unwrap().roots, [0, 1]);
    glb.json["scenes"] = json!([{"nodes": [1]}, {"nodes": [0]}, {}]);
    assert_eq!(glb.read().unwrap().roots, [1]);
    glb.json["scene"] = json!(1);
    assert_eq!(glb.read().unwrap().roots, [0]);
    glb.json["scene"] = json!(2);
    assert_eq!(glb.error().code, Code::NoGeometry);
    glb.json["scene"] = json!(3);
    assert_eq!(glb.error().code, Code::CorruptFile);
}

#[test]
fn positions_that_are_not_finite_are_refused_only_where_a_triangle_uses_them() {
    let mut glb = Glb::tetrahedron();
    let mut points = POINTS.to_vec();
    points.push([f32::NAN, 0.0, f32::INFINITY]);
    let position = glb.accessor(F32, "VEC3", 5, &floats(points.as_flattened()));
    glb.primitive()["attributes"]["POSITION"] = json!(position);
    let scene = glb.read().unwrap();
    assert_eq!(only(&scene).positions[4], [0.0; 3]);
    assert!(warns(&scene, "positions_repaired"));
    let indices = glb.accessor(U16, "SCALAR", 3, &shorts(&[0, 1, 4]));
    glb.primitive()["indices"] = json!(indices);
    let error = glb.error();
    assert_eq!(error.code, Code::NonFinitePositions);
    assert!(error.message.contains("Body"), "{error}");
}

#[test]
fn broken_attributes_are_mended_and_said() {
    let mut glb = Glb::tetrahedron();
    let nan = f32::NAN;
    let normals = [[0.0, 0.0, 3.0], [nan, 0.0, 0.0], [0.0; 3], [0.0, 1.0, 0.0]];
    let normal = glb.accessor(F32, "VEC3", 4, &floats(normals.as_flattened()));
    let tangent = glb.accessor(F32, "VEC4", 4, &floats(&[0.0, 2.0, 0.0, -0.5].repeat(4)));
    let uv = glb.accessor(F32, "VEC2", 4, &floats(&[nan, 0.5].repeat(4)));
    let color = glb.accessor(F32, "VEC3", 4, &floats(&[0.5, nan, 1.0].repeat(4)));
    let joints = glb.accessor(U8, "VEC4", 4, &[0, 1, 0, 0].repeat(4));
    let weights = [[nan, 2.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], [0.0; 4], [-1.0, 0.5, 0.0, 0.0]];
    let weights = glb.accessor(F32, "VEC4", 4, &floats(weights.as_flattened()));
    glb.primitive()["attributes"] = json!({
        "POSITION": 0, "NORMAL": normal, "TANGENT": tangent, "TEXCOORD_0": uv, "COLOR_0": color,
        "JOINTS_0": joints, "WEIGHTS_0": weights,
    });
    let scene = glb.read().unwrap();
    let primitive = only(&scene);
    let normals = primitive.normals.as_ref().unwrap();
    assert_eq!((normals[0], normals[3]), ([0.0, 0.0, 1.0], [0.0, 1.0, 0.0]));
    for normal in normals {
        let length: f32 = normal.iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5);
    }
    assert_eq!(primitive.tangents.as_ref().unwrap()[0], [0.0, 1.0, 0.0, -1.0]);
    assert_eq!(primitive.uvs[0][0], [0.0, 0.5]);
    assert_eq!(primitive.colors[0][0], [0.5, 0.0, 1.0, 1.0]);
    let influences = primitive.influences.as_ref().unwrap();
    let rows: Vec<&[f32]> = influences.iter().map(|(_, w)| w).collect();
    assert_eq!(
        rows,
        [[0.0, 1.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    );
    for code in
        ["normals_repaired", "tangents_repaired", "uvs_repaired", "colors_repaired", "weights_repaired"]
    {
        assert!(warns(&scene, code), "{code}");
    }
}

#[test]
fn eight_influences_come_in_as_eight() {
    let mut glb = Glb::tetrahedron();
    for set in 0..2u8 {
        let joints = glb.accessor(U8, "VEC4", 4, &[set * 4, set * 4 + 1, set * 4 + 2, set * 4 + 3].repeat(4));
        let weights = glb.accessor(U8, "VEC4", 4, &[32, 32, 32, if set == 0 { 31 } else { 32 }].repeat(4));
        glb.json["accessors"][weights]["normalized"] = json!(true);
        let attributes = &mut glb.primitive()["attributes"];
        attributes[format!("JOINTS_{set}")] = json!(joints);
        attributes[format!("WEIGHTS_{set}")] = json!(weights);
    }
    let scene = glb.read().unwrap();
    let influences = only(&scene).influences.as_ref().unwrap();
    assert_eq!(influences.per_vertex, 8);
    assert_eq!(influences.joints[8..16], [0, 1, 2, 3, 4, 5, 6, 7]);
    assert!((influences.weights[8..16].iter().sum::<f32>() - 1.0).abs() < 1e-6);
}

#[test]
fn required_extensions_are_refused_when_they_change_the_geometry_and_kept_when_they_do_not() {
    for name in ["EXT_mesh_gpu_instancing", "ACME_x"] {
        let mut glb = Glb::tetrahedron();
        glb.json["extensionsRequired"] = json!([name]);
        assert_eq!(glb.error().code, Code::UnsupportedExtension, "{name}");
    }
    for name in
        ["KHR_mesh_quantization", "KHR_materials_unlit", "KHR_texture_transform", "KHR_texture_basisu"]
    {
        let mut glb = Glb::tetrahedron();
        glb.json["extensionsRequired"] = json!([name]);
        assert!(glb.read().is_ok(), "{name}");
    }
}

#[test]
fn each_limit_has_its_own_code() {
    let glb = {
        let mut glb = Glb::tetrahedron();
        glb.push("nodes", json!({"mesh": 0}));
        glb
    };
    let limits = Limits::default();
    let cases = [
        (Limits { file_bytes: 100, ..limits }, Code::LimitFileSize),
        (Limits { nodes: 1, ..limits }, Code::LimitNodes),
        (Limits { meshes: 0, ..limits }, Code::LimitMeshes),
        (Limits { triangles: 3, ..limits }, Code::LimitTriangles),
        (Limits { triangles: 7, ..limits }, Code::LimitTriangles),
        (Limits { meshes: 1, ..limits }, Code::LimitMeshes),
        (Limits { decoded_bytes: 50, ..limits }, Code::LimitMemory),
        (Limits { decoded_bytes: 150, ..limits }, Code::LimitMemory),
    ];
    for (limits, code) in cases {
        let source = autorig_engine::read::Source::bytes("x.glb", glb.bytes());
        let result = autorig_engine::read::read(&source, &limits).and_then(|s| s.flatten(&limits));
        assert_eq!(result.unwrap_err().code, code, "{limits:?}");
    }
}

#[test]
fn truncation_is_told_from_corruption() {
    let bytes = Glb::tetrahedron().bytes();
    for length in [4, 11, 12, 19, 40, bytes.len() - 1] {
        assert_eq!(
            read_bytes("x.glb", bytes[..length].to_vec()).unwrap_err().code,
            Code::TruncatedFile,
            "{length}"
        );
    }
    let text = serde_json::to_vec(&Glb::tetrahedron().json).unwrap();
    assert_eq!(read_bytes("x.gltf", text[..text.len() - 3].to_vec()).unwrap_err().code, Code::TruncatedFile);
    assert_eq!(read_bytes("x.gltf", b"{\"asset\": nonsense}".to_vec()).unwrap_err().code, Code::CorruptFile);
    assert_eq!(read_bytes("x.gltf", b"{\"a\": 1}".to_vec()).unwrap_err().code, Code::NotAModel);
    let mut old = Glb::tetrahedron();
    old.json["asset"]["version"] = json!("1.0");
    assert_eq!(old.error().code, Code::UnsupportedFormat);
}

#[test]
fn json_of_millions_of_values_is_refused_unparsed() {
    let text = format!("{{\"asset\":{{\"version\":\"2.0\"}},\"nodes\":[{}{{}}]}}", "{},".repeat(3_000_000));
    assert_eq!(read_bytes("x.gltf", text.into_bytes()).unwrap_err().code, Code::LimitMemory);
}
