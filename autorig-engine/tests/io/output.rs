//! What is written, and that nothing is lost on the way.

use autorig_engine::report::{InputReport, OrientationReport, Report, SkinReport};
use autorig_engine::scene::{Format, Influences, Scene};
use autorig_engine::skeleton::{Joint, Skeleton};
use autorig_engine::{Code, Limits, Rig, write};
use glam::{DMat4, DVec3};
use serde_json::{Value, json};

use crate::build::{
    F32, Glb, POINTS, U8, U16, floats, keep, png, png_bomb, read_bytes, shorts, unpack, warns,
};

/// A textured file with everything a round trip must keep.
fn rich() -> Glb {
    let mut glb = Glb::tetrahedron();
    let normal = glb.accessor(F32, "VEC3", 4, &floats(&[0.0, 0.0, 1.0].repeat(4)));
    let tangent = glb.accessor(F32, "VEC4", 4, &floats(&[1.0, 0.0, 0.0, -1.0].repeat(4)));
    let uv = glb.accessor(F32, "VEC2", 4, &floats(&[0.1, 0.9, 0.3, 0.7, 1.5, -2.5, 0.0, 1.0]));
    let color =
        glb.accessor(U8, "VEC4", 4, &[1, 2, 3, 255, 128, 127, 126, 255, 0, 0, 0, 0, 255, 255, 255, 9]);
    glb.json["accessors"][color]["normalized"] = json!(true);
    let smile = glb.accessor(
        F32,
        "VEC3",
        4,
        &floats(&[0.0, 0.0, 0.0, 0.0, 0.125, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    );
    let frown = glb.accessor(F32, "VEC3", 4, &floats(&[0.5; 12]));
    let image = glb.view(&png(4, 2));
    glb.push("images", json!({"name": "skin", "mimeType": "image/png", "bufferView": image}));
    glb.push("samplers", json!({"wrapS": 33071, "magFilter": 9728}));
    glb.push("textures", json!({"sampler": 0, "source": 0, "name": "T"}));
    glb.push("textures", json!({"source": 0}));
    glb.push(
        "materials",
        json!({
            "name": "Skin",
            "pbrMetallicRoughness": {
                "baseColorFactor": [0.8, 0.7, 0.6, 1.0],
                "baseColorTexture": {"index": 0, "extensions": {"KHR_texture_transform": {"scale": [2, 2]}}},
                "metallicFactor": 0.1, "roughnessFactor": 0.35,
            },
            "normalTexture": {"index": 1, "scale": 0.5},
            "occlusionTexture": {"index": 1, "strength": 0.25},
            "emissiveTexture": {"index": 0}, "emissiveFactor": [0.1, 0.2, 0.3],
            "alphaMode": "MASK", "alphaCutoff": 0.3, "doubleSided": true,
            "extensions": {"KHR_materials_specular": {"specularTexture": {"index": 1}}},
            "extras": {"note": "kept"},
        }),
    );
    glb.push("materials", json!({"name": "Unused"}));
    glb.json["extensionsUsed"] = json!([
        "KHR_texture_transform",
        "KHR_materials_specular",
        "KHR_materials_variants",
        "KHR_lights_punctual"
    ]);
    glb.json["extensionsRequired"] = json!(["KHR_texture_transform"]);
    glb.json["extensions"] = json!({
        "KHR_materials_variants": {"variants": [{"name": "red"}]},
        "KHR_lights_punctual": {"lights": []},
    });
    glb.json["asset"]["copyright"] = json!("Somebody, CC BY");
    let mesh = &mut glb.json["meshes"][0];
    mesh["weights"] = json!([0.0, 0.25]);
    mesh["extras"] = json!({"targetNames": ["smile", "frown"], "id": 7});
    mesh["primitives"][0] = json!({
        "attributes": {"POSITION": 0, "NORMAL": normal, "TANGENT": tangent, "TEXCOORD_0": uv, "COLOR_0": color},
        "indices": 1, "material": 0,
        "targets": [{"POSITION": smile}, {"POSITION": frown, "NORMAL": frown}],
        "extensions": {"KHR_materials_variants": {"mappings": [{"material": 1, "variants": [0]}]}},
        "extras": {"part": 1},
    });
    glb
}

fn flat(glb: &Glb) -> Scene {
    glb.read().unwrap().flatten(&Limits::default()).unwrap()
}

#[test]
fn a_round_trip_loses_nothing() {
    let glb = rich();
    let scene = flat(&glb);
    assert!(warns(&scene, "extension_dropped"), "lights refer to nodes and cannot be kept");
    let bytes = write::scene_glb(&scene).unwrap();
    keep("made_rich", &bytes);
    let (json, _) = unpack(&bytes);
    assert_eq!(json["materials"], glb.json["materials"]);
    assert_eq!(json["textures"], glb.json["textures"]);
    assert_eq!(json["samplers"], glb.json["samplers"]);
    assert_eq!(json["meshes"][0]["extras"], glb.json["meshes"][0]["extras"]);
    assert_eq!(json["meshes"][0]["weights"], json!([0.0, 0.25]));
    let primitive = &json["meshes"][0]["primitives"][0];
    assert_eq!(primitive["extensions"], glb.json["meshes"][0]["primitives"][0]["extensions"]);
    assert_eq!(primitive["extras"], json!({"part": 1}));
    assert_eq!(json["asset"]["copyright"], "Somebody, CC BY");
    assert_eq!(json["asset"]["generator"], format!("AutoRig {}", env!("CARGO_PKG_VERSION")));
    let used = ["KHR_materials_specular", "KHR_materials_variants", "KHR_texture_transform"];
    assert_eq!(json["extensionsUsed"], json!(used));
    assert_eq!(json["extensionsRequired"], json!(["KHR_texture_transform"]));

    let again = read_bytes("again.glb", bytes.clone()).unwrap();
    let (a, b) = (&scene.meshes[0].primitives[0], &again.meshes[0].primitives[0]);
    assert_eq!((&a.positions, &a.normals, &a.tangents), (&b.positions, &b.normals, &b.tangents));
    assert_eq!((&a.uvs, &a.colors, &a.indices), (&b.uvs, &b.colors, &b.indices));
    for (a, b) in a.morphs.iter().zip(&b.morphs) {
        assert_eq!((&a.positions, &a.normals), (&b.positions, &b.normals));
    }
    assert_eq!(scene.meshes[0].morph_names, again.meshes[0].morph_names);
    assert_eq!(scene.images[0].bytes, again.images[0].bytes);
    assert_eq!(write::scene_glb(&again.flatten(&Limits::default()).unwrap()).unwrap(), bytes);
}

#[test]
fn colours_stay_bytes_and_small_morph_targets_become_sparse() {
    let (json, _) = unpack(&write::scene_glb(&flat(&rich())).unwrap());
    let primitive = &json["meshes"][0]["primitives"][0];
    let accessor = |v: &Value| json["accessors"][v.as_u64().unwrap() as usize].clone();
    assert_eq!(accessor(&primitive["attributes"]["COLOR_0"])["componentType"], U8);
    let smile = accessor(&primitive["targets"][0]["POSITION"]);
    assert_eq!(smile["sparse"]["count"], 1);
    assert_eq!((&smile["min"], &smile["max"]), (&json!([0.0, 0.0, 0.0]), &json!([0.0, 0.125, 0.0])));
    assert!(accessor(&primitive["targets"][1]["POSITION"]).get("sparse").is_none());
    let position = accessor(&primitive["attributes"]["POSITION"]);
    assert_eq!((&position["min"], &position["max"]), (&json!([0.0, 0.0, 0.0]), &json!([1.0, 1.0, 1.0])));
}

#[test]
fn a_scene_keeps_its_hierarchy_when_it_is_not_flattened() {
    let mut glb = Glb::tetrahedron();
    glb.push("nodes", json!({"name": "Top", "children": [0], "translation": [1, 2, 3]}));
    let scene = glb.read().unwrap();
    let again = read_bytes("again.glb", write::scene_glb(&scene).unwrap()).unwrap();
    assert_eq!((again.roots.as_slice(), again.nodes[1].children.as_slice()), (&[1][..], &[0][..]));
    assert_eq!(again.nodes[1].local, DMat4::from_translation(DVec3::new(1.0, 2.0, 3.0)));
}

#[test]
fn a_textured_mesh_without_coordinates_gets_zeros_in_their_place() {
    let mut glb = rich();
    glb.primitive()["attributes"].as_object_mut().unwrap().remove("TEXCOORD_0");
    let bytes = write::scene_glb(&flat(&glb)).unwrap();
    keep("made_without_uvs", &bytes);
    let (json, _) = unpack(&bytes);
    let index = json["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_0"].as_u64().unwrap() as usize;
    assert_eq!(json["accessors"][index], json!({"componentType": F32, "count": 4, "type": "VEC2"}));
}

#[test]
fn an_image_that_is_missing_or_broken_is_left_out_and_said_and_indices_stay_true() {
    for (edit, code) in [
        (json!({"name": "skin", "uri": "gone.png"}), "missing_resource"),
        (json!({"name": "skin"}), "missing_resource"),
        (json!({"name": "skin", "bufferView": 0, "mimeType": "image/png"}), "image_unreadable"),
        (json!({"name": "skin", "uri": "data:image/png;base64,iVBORw0KGgoAAAAN"}), "image_unreadable"),
    ] {
        let mut glb = rich();
        glb.json["images"][0] = edit;
        let scene = flat(&glb);
        assert!(warns(&scene, code), "{:?}", scene.warnings);
        let material = &scene.materials[0];
        assert!(material.base_color_texture.is_none() && material.normal_texture.is_none());
        let bytes = write::scene_glb(&scene).unwrap();
        keep("made_without_image", &bytes);
        let (json, _) = unpack(&bytes);
        assert_eq!(json["textures"].as_array().unwrap().len(), 2);
        assert_eq!(json["images"][0]["mimeType"], "image/png");
    }
}

#[test]
fn pictures_are_measured_without_being_decoded() {
    let mut glb = rich();
    let bomb = glb.view(&png_bomb(60_000, 60_000));
    glb.json["images"][0]["bufferView"] = json!(bomb);
    let error = glb.error();
    assert_eq!(error.code, Code::LimitTexture);
    assert!(error.message.contains("60000"), "{error}");
    // Each within the limit of a side, together beyond the limit of all.
    let mut glb = rich();
    let large = glb.view(&png_bomb(8192, 8192));
    glb.json["images"][0]["bufferView"] = json!(large);
    assert!(glb.read().is_ok());
    glb.push("images", json!({"bufferView": large, "mimeType": "image/png"}));
    assert_eq!(glb.error().code, Code::LimitTexture);
}

/// A rig of a flattened scene in which every vertex follows the given influences.
fn rig(scene: Scene, names: &[&str], per_vertex: usize, joints: &[u16], weights: &[f32]) -> Rig {
    let joint = |(i, name): (usize, &&str)| Joint {
        name: (*name).to_owned(),
        parent: i.checked_sub(1),
        position: DVec3::new(0.1, i as f64 / 3.0, -1.0),
        confidence: 1.0,
    };
    let influences = |count: usize| Influences {
        per_vertex,
        joints: joints.repeat(count),
        weights: weights.repeat(count),
    };
    let influences = scene
        .meshes
        .iter()
        .map(|m| m.primitives.iter().map(|p| influences(p.positions.len())).collect())
        .collect();
    let skeleton = Skeleton { joints: names.iter().enumerate().map(joint).collect() };
    Rig { scene, skeleton, influences, clips: Vec::new(), own_bones: None, report: report() }
}

fn report() -> Report {
    Report {
        schema_version: 1,
        engine_version: String::new(),
        input: InputReport {
            format: Format::Glb,
            vertices: 0,
            triangles: 0,
            meshes: 0,
            materials: 0,
            textures: 0,
            parts: 0,
            bounds_min: [0.0; 3],
            bounds_max: [0.0; 3],
            was_rigged: false,
            existing: None,
        },
        orientation: OrientationReport {
            up: [0.0; 3],
            forward: [0.0; 3],
            left: [0.0; 3],
            height: 1.0,
            metres_per_unit: 1.0,
            unit_confidence: 1.0,
            confidence: 1.0,
        },
        class: autorig_engine::skeleton::class::CharacterClass::Humanoid,
        class_confidence: 1.0,
        confidence: 1.0,
        joints: Vec::new(),
        skin: SkinReport { max_influences: 4, rigid_parts: 0, filled_vertices: 0 },
        rest_pose: None,
        quality: autorig_engine::quality::Quality::default(),
        warnings: Vec::new(),
        lods: Vec::new(),
        files: Vec::new(),
    }
}

#[test]
fn influences_are_written_merged_ordered_and_normalised() {
    let rig = rig(
        flat(&Glb::tetrahedron()),
        &["root", "hips", "spine"],
        6,
        &[1, 2, 1, 0, 2, 0],
        &[0.1, 0.3, 0.2, 0.0, 0.1, 0.0],
    );
    let bytes = rig.to_glb().unwrap();
    keep("made_rig_of_six", &bytes);
    let scene = read_bytes("rig.glb", bytes).unwrap();
    let influences = scene.meshes[0].primitives[0].influences.as_ref().unwrap();
    assert_eq!(influences.per_vertex, 8);
    assert_eq!(influences.joints[..8], [2, 1, 0, 0, 0, 0, 0, 0]);
    let weights = &influences.weights[..8];
    assert!((weights[0] - 4.0 / 7.0).abs() < 1e-6 && (weights[1] - 3.0 / 7.0).abs() < 1e-6);
    assert!((weights.iter().map(|w| f64::from(*w)).sum::<f64>() - 1.0).abs() < 4e-7);
    assert_eq!(weights[2..], [0.0; 6]);
}

#[test]
fn joints_stand_where_the_skeleton_says_and_the_bind_pose_is_exact() {
    let rig = rig(flat(&Glb::tetrahedron()), &["root", "hips", "spine"], 1, &[2], &[1.0]);
    let bytes = rig.to_glb().unwrap();
    keep("made_rig", &bytes);
    assert_eq!(bytes, rig.to_glb().unwrap());
    let (json, _) = unpack(&bytes);
    assert_eq!(json["skins"].as_array().unwrap().len(), 1);
    assert_eq!((&json["skins"][0]["joints"], &json["skins"][0]["skeleton"]), (&json!([1, 2, 3]), &json!(1)));
    assert_eq!(json["scenes"][0]["nodes"], json!([0, 1]));
    assert_eq!(json["nodes"][0], json!({"name": "Thing", "mesh": 0, "skin": 0}));
    for key in ["rotation", "scale", "matrix"] {
        assert!(json["nodes"].as_array().unwrap().iter().all(|n| n.get(key).is_none()));
    }
    let scene = read_bytes("rig.glb", bytes).unwrap();
    let mut world = DMat4::IDENTITY;
    for (joint, inverse) in scene.skins[0].joints.iter().zip(&scene.skins[0].inverse_bind) {
        world *= scene.nodes[*joint].local;
        assert_eq!(world * *inverse, DMat4::IDENTITY);
    }
    assert_eq!(scene.flatten(&Limits::default()).unwrap().meshes[0].primitives[0].positions, POINTS);
}

#[test]
fn a_mesh_node_never_has_the_name_of_a_joint() {
    let mut glb = Glb::tetrahedron();
    glb.json["nodes"][0]["name"] = json!("hips");
    let rig = rig(flat(&glb), &["root", "hips", "hips_mesh"], 1, &[0], &[1.0]);
    let (json, _) = unpack(&rig.to_glb().unwrap());
    assert_eq!(json["nodes"][0]["name"], "hips_mesh_");
}

#[test]
fn parts_of_all_meshes_share_one_skin() {
    let mut glb = rich();
    let second = glb.json["meshes"][0]["primitives"][0].clone();
    glb.json["meshes"][0]["primitives"].as_array_mut().unwrap().push(second);
    glb.push("nodes", json!({"mesh": 0, "translation": [3, 0, 0]}));
    let rig = rig(flat(&glb), &["root", "hips"], 4, &[0, 1, 0, 0], &[0.5, 0.5, 0.0, 0.0]);
    let bytes = rig.to_glb().unwrap();
    keep("made_rich_rig", &bytes);
    let (json, _) = unpack(&bytes);
    assert_eq!(json["skins"].as_array().unwrap().len(), 1);
    assert!(json["nodes"].as_array().unwrap()[..2].iter().all(|n| n["skin"] == 0));
}

#[test]
fn more_than_256_joints_are_written_as_shorts() {
    let names: Vec<String> = (0..300).map(|i| format!("j{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rig = rig(flat(&Glb::tetrahedron()), &names, 1, &[299], &[1.0]);
    let scene = read_bytes("rig.glb", rig.to_glb().unwrap()).unwrap();
    assert_eq!(scene.meshes[0].primitives[0].influences.as_ref().unwrap().joints[..4], [299, 0, 0, 0]);
}

#[test]
fn an_inconsistent_rig_is_an_internal_error_and_no_file() {
    let good = || rig(flat(&Glb::tetrahedron()), &["root", "hips"], 1, &[1], &[1.0]);
    assert!(good().to_glb().is_ok());
    let breakages: [fn(&mut Rig); 9] = [
        |r| r.influences[0][0].weights[0] = 0.0,
        |r| r.influences[0][0].weights[0] = f32::NAN,
        |r| r.influences[0][0].joints[0] = 2,
        |r| r.influences[0][0].joints.truncate(3),
        |r| r.influences.clear(),
        |r| r.influences[0].clear(),
        |r| r.skeleton.joints[1].parent = None,
        |r| r.skeleton.joints[1].position.x = f64::NAN,
        |r| r.scene.nodes[0].local = DMat4::from_scale(DVec3::splat(2.0)),
    ];
    for (i, breakage) in breakages.into_iter().enumerate() {
        let mut rig = good();
        breakage(&mut rig);
        assert_eq!(rig.to_glb().unwrap_err().code, Code::Internal, "{i}");
    }
}

#[test]
fn a_scene_made_wrong_by_a_program_is_an_internal_error() {
    let breakages: [fn(&mut Scene); 6] = [
        |s| s.meshes[0].primitives[0].indices[0] = 4,
        |s| s.meshes[0].primitives[0].indices.truncate(4),
        |s| s.meshes[0].primitives[0].uvs.push(Vec::new()),
        |s| s.meshes[0].primitives[0].positions[0][0] = f32::INFINITY,
        |s| s.meshes[0].primitives[0].material = Some(5),
        |s| s.nodes[0].mesh = Some(5),
    ];
    for (i, breakage) in breakages.into_iter().enumerate() {
        let mut scene = Glb::tetrahedron().read().unwrap();
        breakage(&mut scene);
        assert_eq!(write::scene_glb(&scene).unwrap_err().code, Code::Internal, "{i}");
    }
}

#[test]
fn more_than_65535_vertices_take_wide_indices() {
    for (count, component) in [(65_535usize, U16), (65_536, 5125)] {
        let mut glb = Glb::tetrahedron();
        let position = glb.accessor(F32, "VEC3", count, &floats(&vec![0.5; count * 3]));
        glb.primitive()["attributes"]["POSITION"] = json!(position);
        let indices = glb.accessor(U16, "SCALAR", 3, &shorts(&[0, 1, 65_534]));
        glb.primitive()["indices"] = json!(indices);
        let (json, _) = unpack(&write::scene_glb(&glb.read().unwrap()).unwrap());
        let accessors = json["accessors"].as_array().unwrap();
        let indices = accessors.iter().find(|a| a["type"] == "SCALAR").unwrap();
        assert_eq!(indices["componentType"], component);
    }
}
