//! FBX files: well formed, complete, the same bytes every time, and what an independent reader sees in them.

use std::collections::BTreeSet;

use autorig_engine::analyse::Frame;
use autorig_engine::character::Bone;
use autorig_engine::motion::{Clip, Track, Values};
use autorig_engine::scene::{
    Alpha, Image, Influences, Material, Mesh, Morph, Node, Primitive, Scene, Texture, TextureRef,
};
use autorig_engine::write::fbx::{FbxOptions, UpAxis, to_fbx};
use autorig_engine::{Character, Code};
use glam::{DMat3, DMat4, DQuat, DVec3};

use crate::build::{FACES, POINTS, png};
use crate::fbx_tree::{Record, Value, parse};

/// A tetrahedron whose vertices are split at a seam: two copies of each, with other UVs and normals.
fn part(material: usize) -> Primitive {
    let twice = |list: &[[f32; 3]]| list.iter().chain(list).copied().collect::<Vec<_>>();
    Primitive {
        positions: twice(&POINTS.map(|p| p.map(|x| x * 100.0))),
        normals: Some([[0.0, 0.0, 1.0]; 4].into_iter().chain([[0.0, 1.0, 0.0]; 4]).collect()),
        uvs: vec![(0..8).map(|i| [i as f32 / 8.0, 0.25]).collect()],
        indices: FACES.iter().enumerate().map(|(i, v)| u32::from(*v) + if i < 6 { 0 } else { 4 }).collect(),
        material: Some(material),
        morphs: vec![
            Morph { positions: twice(&[[0.0; 3], [1.0, 2.0, 3.0], [0.0; 3], [0.0; 3]]), ..Morph::default() },
            Morph::default(),
        ],
        colors: vec![vec![[0.5, 0.25, 0.0, 1.0]; 8]],
        ..Primitive::default()
    }
}

fn influences(count: usize, weights: &[f32; 4]) -> Influences {
    let pairs: Vec<f32> = (0..count).map(|i| weights[i % 4]).flat_map(|w| [w, 1.0 - w]).collect();
    Influences { per_vertex: 2, joints: [0, 1].repeat(count), weights: pairs }
}

/// Three bones in a bent chain with turned frames; the last has no weight.
fn bones() -> Vec<Bone> {
    let bone = |(i, name): (usize, &&str)| Bone {
        name: (*name).to_owned(),
        parent: i.checked_sub(1),
        rest: DMat4::from_rotation_translation(
            DQuat::from_euler(glam::EulerRot::XYZ, 0.3 * i as f64, 1.1, -0.4),
            DVec3::new(1.0, 30.0 * i as f64, -2.0),
        ),
        canonical: None,
    };
    ["mixamorig:Hips", "mixamorig:Spine", "end"].iter().enumerate().map(bone).collect()
}

pub(crate) fn character() -> Character {
    let texture = |texture| Some(TextureRef { texture, ..TextureRef::default() });
    let material = |name: &str| Material {
        name: name.to_owned(),
        base_color: [0.8, 0.7, 0.6, 0.5],
        base_color_texture: texture(0),
        normal_texture: texture(0).map(|t| (t, 1.0)),
        metallic: 0.25,
        roughness: 0.5,
        alpha: Alpha::Blend,
        ..Material::default()
    };
    let scene = Scene {
        nodes: vec![Node { name: "Body".to_owned(), mesh: Some(0), ..Node::default() }],
        roots: vec![0],
        meshes: vec![Mesh {
            name: "Body".to_owned(),
            primitives: vec![part(0), part(1)],
            morph_names: vec!["smile".to_owned()],
            morph_weights: vec![0.5],
            ..Mesh::default()
        }],
        materials: vec![material("Skin"), material("Skin")],
        textures: vec![Texture { image: Some(0), ..Texture::default() }],
        images: vec![Image { name: "skin.tga".into(), mime: "image/png".into(), bytes: png(4, 2) }],
        ..Scene::default()
    };
    Character {
        influences: vec![vec![influences(8, &[0.25, 0.75, 1.0, 0.0]); 2]],
        scene,
        bones: bones(),
        clips: vec![turning(), resting()],
        frame: Frame { rotation: DMat3::IDENTITY, scale: 0.01, origin: DVec3::ZERO },
    }
}

/// One bone turns once around in a second, another moves.
fn turning() -> Clip {
    let times: Vec<f32> = (0..=30).map(|i| i as f32 / 30.0).collect();
    let rotation = |i: usize| DQuat::from_rotation_x(std::f64::consts::TAU * i as f64 / 30.0);
    let place = |i: usize| DVec3::new(0.0, i as f64, 0.0);
    Clip {
        name: "turn".to_owned(),
        tracks: vec![
            Track { joint: 0, values: Values::Translations((0..times.len()).map(place).collect()) },
            Track { joint: 1, values: Values::Rotations((0..times.len()).map(rotation).collect()) },
        ],
        times,
        morphs: Vec::new(),
    }
}

/// A clip of the rest pose: nothing in it moves.
fn resting() -> Clip {
    let bones = bones();
    let local = DQuat::from_mat4(&(bones[0].rest.inverse() * bones[1].rest));
    Clip {
        name: "rest".to_owned(),
        times: vec![0.0],
        morphs: Vec::new(),
        tracks: vec![Track { joint: 1, values: Values::Rotations(vec![local]) }],
    }
}

fn write(character: &Character) -> Vec<u8> {
    to_fbx(character, &FbxOptions::default()).unwrap()
}

fn top<'a>(records: &'a [Record], name: &str) -> &'a Record {
    records.iter().find(|r| r.name == name).unwrap()
}

/// Objects of one record name and kind.
fn objects<'a>(records: &'a [Record], record: &str, kind: &str) -> Vec<&'a Record> {
    top(records, "Objects").children.iter().filter(|o| o.name == record && o.text(2) == kind).collect()
}

#[test]
fn a_file_is_well_formed_and_the_same_every_time() {
    let bytes = write(&character());
    assert_eq!(bytes, write(&character()));
    let records = parse(&bytes);
    let names: Vec<&str> = records.iter().map(|r| r.name.as_str()).collect();
    let order = [
        "FBXHeaderExtension",
        "FileId",
        "CreationTime",
        "Creator",
        "GlobalSettings",
        "Documents",
        "References",
        "Definitions",
        "Objects",
        "Connections",
        "Takes",
    ];
    assert_eq!(names, order);
}

#[test]
fn ids_are_unique_and_every_connection_joins_objects_that_exist() {
    let records = parse(&write(&character()));
    let ids: Vec<i64> = top(&records, "Objects").children.iter().map(|o| o.int(0)).collect();
    let set: BTreeSet<i64> = ids.iter().copied().collect();
    assert_eq!(set.len(), ids.len());
    for connection in &top(&records, "Connections").children {
        let (child, parent) = (connection.int(1), connection.int(2));
        assert!(set.contains(&child) && (parent == 0 || set.contains(&parent)), "{connection:?}");
    }
    for kind in top(&records, "Definitions").all("ObjectType") {
        let (name, count) = (kind.text(0), kind.find("Count").int(0) as usize);
        let there = top(&records, "Objects").all(&name).count();
        assert_eq!(count, if name == "GlobalSettings" { 1 } else { there }, "{name}");
    }
}

#[test]
fn a_seam_is_closed_and_its_two_sides_keep_their_normals_and_uvs() {
    let records = parse(&write(&character()));
    let geometry = objects(&records, "Geometry", "Mesh")[0];
    let Value::Reals(points) = &geometry.find("Vertices").values[0] else { panic!() };
    // The two parts lie on each other and stay apart; within each, the seam is one.
    assert_eq!(
        points.len(),
        3 * 4 * 2 + 3 * 4 * 2,
        "triangles that lie on each other keep their own vertices"
    );
    let mut single = character();
    single.scene.meshes[0].primitives.pop();
    single.influences[0].pop();
    let records = parse(&write(&single));
    let geometry = objects(&records, "Geometry", "Mesh")[0];
    let Value::Reals(points) = &geometry.find("Vertices").values[0] else { panic!() };
    assert_eq!(points.len(), 3 * 4);
    let Value::Reals(uvs) = &geometry.find("LayerElementUV").find("UV").values[0] else { panic!() };
    assert_eq!((uvs.len(), uvs[1]), (16, 0.75), "v points up");
}

#[test]
fn every_bone_has_an_attribute_a_cluster_and_a_place_in_the_bind_pose() {
    let character = character();
    let records = parse(&write(&character));
    assert_eq!(objects(&records, "NodeAttribute", "LimbNode").len(), 3);
    assert_eq!(objects(&records, "Deformer", "Cluster").len(), 3);
    let pose = objects(&records, "Pose", "BindPose")[0];
    assert_eq!(pose.find("NbPoseNodes").int(0), 4);
    for (cluster, bone) in objects(&records, "Deformer", "Cluster").iter().zip(&character.bones) {
        let Value::Reals(link) = &cluster.find("TransformLink").values[0] else { panic!() };
        let off = DMat4::from_cols_slice(link) - bone.rest;
        assert!(off.to_cols_array().iter().all(|x| x.abs() < 1e-12), "{off}");
        assert!(bone.name == "end" || cluster.children.iter().any(|c| c.name == "Weights"));
    }
    for model in top(&records, "Objects").all("Model") {
        assert_eq!((model.setting("RotationActive").int(4), model.setting("InheritType").int(4)), (1, 1));
        assert_eq!(
            model.setting("Lcl Scaling").values[4..],
            [Value::Real(1.0), Value::Real(1.0), Value::Real(1.0)]
        );
    }
}

#[test]
fn an_image_of_two_materials_is_inside_once_and_materials_have_their_own_names() {
    let records = parse(&write(&character()));
    let videos = objects(&records, "Video", "Clip");
    assert_eq!(videos.len(), 1);
    assert_eq!(videos[0].find("Content").values, [Value::Bytes(png(4, 2))]);
    assert_eq!(videos[0].find("RelativeFilename").text(0), "skin.png");
    let materials: Vec<String> = objects(&records, "Material", "").iter().map(|m| m.text(1)).collect();
    assert_eq!(materials, ["Skin::Material", "Skin_1::Material"]);
}

#[test]
fn a_shape_is_never_empty() {
    let records = parse(&write(&character()));
    let shapes = objects(&records, "Geometry", "Shape");
    assert_eq!(shapes.len(), 2);
    assert_eq!(shapes[1].find("Indexes").values, [Value::Ints(vec![0])]);
    assert_eq!(shapes[1].find("Vertices").values, [Value::Reals(vec![0.0; 3])]);
}

#[test]
fn a_turn_has_no_jumps_and_a_resting_track_no_curve() {
    let records = parse(&write(&character()));
    let stacks: Vec<String> = objects(&records, "AnimationStack", "").iter().map(|s| s.text(1)).collect();
    assert_eq!(stacks, ["turn::AnimStack", "rest::AnimStack"]);
    let curves = objects(&records, "AnimationCurve", "");
    assert_eq!(curves.len(), 6, "the resting clip has none");
    for curve in curves {
        let Value::Reals(values) = &curve.find("KeyValueFloat").values[0] else { panic!() };
        let Value::Ints(times) = &curve.find("KeyTime").values[0] else { panic!() };
        assert_eq!((times[0], *times.last().unwrap()), (0, 46_186_158_000));
        assert!(values.windows(2).all(|w| (w[1] - w[0]).abs() < 60.0), "{values:?}");
    }
    assert_eq!(objects(&records, "AnimationStack", "")[1].setting("LocalStop").int(4), 1_539_538_600);
}

#[test]
fn levels_of_detail_are_meshes_with_numbered_names_on_the_same_bones() {
    let character = character();
    let levels = [&character, &character];
    let options = FbxOptions { levels: &levels, ..FbxOptions::default() };
    let records = parse(&to_fbx(&character, &options).unwrap());
    let names: Vec<String> = objects(&records, "Model", "Mesh").iter().map(|m| m.text(1)).collect();
    assert_eq!(names, ["Body_LOD0::Model", "Body_LOD1::Model", "Body_LOD2::Model"]);
    assert_eq!(objects(&records, "Model", "LimbNode").len(), 3);
    assert_eq!(objects(&records, "Video", "Clip").len(), 1, "levels share their images");
}

#[test]
fn without_meshes_a_file_is_a_skeleton_with_clips_and_without_bones_a_mesh() {
    let character = character();
    let options = FbxOptions { mesh: false, ..FbxOptions::default() };
    let records = parse(&to_fbx(&character, &options).unwrap());
    assert!(top(&records, "Objects").all("Geometry").next().is_none());
    assert_eq!(objects(&records, "AnimationStack", "").len(), 2);
    let mut still = character;
    (still.bones, still.influences, still.clips) = Default::default();
    let records = parse(&write(&still));
    assert!(top(&records, "Objects").all("Deformer").all(|d| d.text(2) != "Skin"));
    assert_eq!(objects(&records, "Geometry", "Mesh").len(), 1);
}

#[test]
fn a_mesh_called_as_a_bone_gets_another_name_and_z_up_is_said() {
    let mut character = character();
    character.scene.nodes[0].name = "end".to_owned();
    let options = FbxOptions { up_axis: UpAxis::Z, ..FbxOptions::default() };
    let records = parse(&to_fbx(&character, &options).unwrap());
    assert_eq!(objects(&records, "Model", "Mesh")[0].text(1), "end_mesh::Model");
    let settings = top(&records, "GlobalSettings");
    let axes = ["UpAxis", "FrontAxis", "FrontAxisSign", "CoordAxis"].map(|n| settings.setting(n).int(4));
    assert_eq!(axes, [2, 1, -1, 0]);
}

#[test]
fn an_inconsistent_character_is_an_internal_error_and_no_file() {
    let breakages: [fn(&mut Character); 8] = [
        |c| c.influences.clear(),
        |c| c.influences[0].truncate(1),
        |c| c.influences[0][0].weights[0] = f32::NAN,
        |c| c.influences[0][0].joints[0] = 9,
        |c| c.scene.meshes[0].primitives[0].indices[0] = 99,
        |c| c.bones[1].parent = Some(2),
        |c| c.bones[1].rest = DMat4::from_scale(DVec3::splat(2.0)),
        |c| c.clips[0].times[1] = 0.0,
    ];
    for (index, damage) in breakages.iter().enumerate() {
        let mut character = character();
        damage(&mut character);
        let error = to_fbx(&character, &FbxOptions::default()).unwrap_err();
        assert_eq!(error.code, Code::Internal, "{index}");
    }
}

#[test]
fn ufbx_sees_the_bones_where_they_rest_and_weights_that_sum_to_one() {
    let character = character();
    let scene = ufbx::load_memory(&write(&character), ufbx::LoadOpts { strict: true, ..Default::default() });
    let scene = scene.ok().unwrap();
    assert_eq!(scene.metadata.warnings.len(), 0);
    for bone in &character.bones {
        let node = scene.nodes.iter().find(|n| *n.element.name == bone.name).unwrap();
        assert!(node.bone.is_some());
        let m = &node.node_to_world;
        let seen = [m.m00, m.m10, m.m20, m.m01, m.m11, m.m21, m.m02, m.m12, m.m22, m.m03, m.m13, m.m23];
        let rest = bone.rest.to_cols_array();
        let rest = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14].map(|i| rest[i]);
        assert!(seen.iter().zip(rest).all(|(a, b)| (a - b).abs() < 1e-9), "{}: {seen:?} {rest:?}", bone.name);
    }
    let mesh = &scene.meshes[0];
    assert_eq!((mesh.skin_deformers.len(), mesh.blend_deformers.len(), mesh.materials.len()), (1, 1, 2));
    let skin = &mesh.skin_deformers[0];
    assert_eq!(skin.clusters.len(), 3);
    for vertex in &skin.vertices {
        let own = skin.weights.iter().skip(vertex.weight_begin as usize).take(vertex.num_weights as usize);
        assert!((own.map(|w| w.weight).sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let pose = mesh.element.instances[0].bind_pose.as_ref().unwrap();
    assert_eq!(pose.bone_poses.len(), 4);
}
