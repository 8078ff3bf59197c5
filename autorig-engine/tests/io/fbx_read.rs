//! What is read from FBX: everything the writer put there, and what other programs' files say.

use std::collections::BTreeMap;

use autorig_engine::motion::Values;
use autorig_engine::scene::{Alpha, ChannelValues, Format, Scene};
use autorig_engine::write::fbx::{FbxOptions, UpAxis, to_fbx};
use autorig_engine::{Character, Limits, Options, Silent, rig_scene, sample, write};
use glam::{DMat4, DQuat, DVec3};

use crate::build::{png, read_bytes, warns};
use crate::fbx_write::character;

fn read_back(character: &Character, options: &FbxOptions<'_>) -> Scene {
    read_bytes("back.fbx", to_fbx(character, options).unwrap()).unwrap()
}

/// Node to world for all nodes.
fn worlds(scene: &Scene) -> Vec<DMat4> {
    let mut worlds = vec![DMat4::IDENTITY; scene.nodes.len()];
    let mut stack: Vec<(usize, DMat4)> = scene.roots.iter().map(|r| (*r, DMat4::IDENTITY)).collect();
    while let Some((node, parent)) = stack.pop() {
        worlds[node] = parent * scene.nodes[node].local;
        stack.extend(scene.nodes[node].children.iter().map(|c| (*c, worlds[node])));
    }
    worlds
}

/// Position, UV and weights by joint name of every corner of every triangle.
type Corner = ([f32; 3], [f32; 2], BTreeMap<String, f32>);

fn corners(scene: &Scene) -> Vec<Corner> {
    let mut out = Vec::new();
    for node in &scene.nodes {
        let Some(mesh) = node.mesh else { continue };
        let skin = node.skin.map(|s| &scene.skins[s]);
        for primitive in &scene.meshes[mesh].primitives {
            for &corner in &primitive.indices {
                let corner = corner as usize;
                let mut weights = BTreeMap::new();
                if let (Some(skin), Some(influences)) = (skin, &primitive.influences) {
                    let (joints, own) = influences.iter().nth(corner).unwrap();
                    for (joint, weight) in joints.iter().zip(own).filter(|(_, w)| **w > 0.0) {
                        weights.insert(scene.nodes[skin.joints[usize::from(*joint)]].name.clone(), *weight);
                    }
                }
                let uv = primitive.uvs.first().map_or([0.0; 2], |set| set[corner]);
                out.push((primitive.positions[corner], uv, weights));
            }
        }
    }
    out
}

fn assert_same_corners(a: &[Corner], b: &[Corner]) {
    assert_eq!(a.len(), b.len());
    for ((p, uv, weights), (q, other_uv, others)) in a.iter().zip(b) {
        assert!(p.iter().zip(q).all(|(x, y)| (x - y).abs() < 1e-5), "{p:?} {q:?}");
        assert!(uv.iter().zip(other_uv).all(|(x, y)| (x - y).abs() < 1e-5), "{uv:?} {other_uv:?}");
        let names: std::collections::BTreeSet<&String> = weights.keys().chain(others.keys()).collect();
        for name in names {
            let of = |map: &BTreeMap<String, f32>| map.get(name).copied().unwrap_or(0.0);
            assert!((of(weights) - of(others)).abs() < 1e-5, "{name}: {weights:?} {others:?}");
        }
    }
}

#[test]
fn the_skin_that_was_written_is_the_skin_that_is_read() {
    let character = character();
    let scene = read_back(&character, &FbxOptions::default());
    assert_eq!(scene.format, Format::Fbx);
    assert!(scene.warnings.is_empty(), "{:?}", scene.warnings);
    let worlds = worlds(&scene);
    for bone in &character.bones {
        let node = scene.nodes.iter().position(|n| n.name == bone.name).unwrap();
        let mut rest = bone.rest;
        rest.w_axis = (rest.w_axis.truncate() * 0.01).extend(1.0);
        assert!(worlds[node].abs_diff_eq(rest, 1e-7), "{}: {} {rest}", bone.name, worlds[node]);
        let skin = &scene.skins[0];
        let joint = skin.joints.iter().position(|j| *j == node).unwrap();
        assert!((skin.inverse_bind[joint] * worlds[node]).abs_diff_eq(DMat4::IDENTITY, 1e-7));
    }
    let mut expected = Vec::new();
    for (primitive, influences) in character.scene.meshes[0].primitives.iter().zip(&character.influences[0]) {
        for &corner in &primitive.indices {
            let (joints, weights) = influences.iter().nth(corner as usize).unwrap();
            let named = joints.iter().zip(weights).filter(|(_, w)| **w > 0.0);
            let named = named.map(|(j, w)| (character.bones[usize::from(*j)].name.clone(), *w)).collect();
            let place = primitive.positions[corner as usize].map(|x| x * 0.01);
            expected.push((place, primitive.uvs[0][corner as usize], named));
        }
    }
    assert_same_corners(&expected, &corners(&scene));
}

#[test]
fn materials_images_colours_and_morph_targets_come_back() {
    let character = character();
    let scene = read_back(&character, &FbxOptions::default());
    assert_eq!(scene.materials.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["Skin", "Skin_1"]);
    let (was, is) = (&character.scene.materials[0], &scene.materials[0]);
    assert!(was.base_color.iter().zip(is.base_color).all(|(a, b)| (a - b).abs() < 1e-6), "{is:?}");
    assert_eq!(is.alpha, Alpha::Blend);
    assert!(
        (was.metallic - is.metallic).abs() < 1e-6 && (was.roughness - is.roughness).abs() < 1e-6,
        "{is:?}"
    );
    assert!(is.base_color_texture.is_some() && is.normal_texture.is_some());
    assert_eq!((scene.images.len(), scene.textures.len()), (1, 1));
    assert_eq!((scene.images[0].name.as_str(), &scene.images[0].bytes), ("skin", &png(4, 2)));
    let mesh = &scene.meshes[0];
    assert_eq!((mesh.primitives.len(), mesh.morph_names[0].as_str()), (2, "smile"));
    assert_eq!(mesh.morph_weights[0], 0.5);
    let primitive = &mesh.primitives[0];
    assert!(
        primitive.colors[0]
            .iter()
            .flatten()
            .zip([0.5f32, 0.25, 0.0, 1.0].iter().cycle())
            .all(|(a, b)| (a - b).abs() < 1e-5)
    );
    let moved = primitive.morphs[0].positions.iter().filter(|d| **d != [0.0; 3]).count();
    assert!((1..=2).contains(&moved), "{moved}");
    assert!(primitive.morphs[0].positions.iter().all(|d| *d == [0.0; 3] || (d[2] - 0.03).abs() < 1e-6));
    assert!(primitive.morphs[1].positions.iter().all(|d| *d == [0.0; 3]));
}

#[test]
fn clips_move_what_they_moved_at_the_times_they_did() {
    let character = character();
    let scene = read_back(&character, &FbxOptions::default());
    assert_eq!(scene.clips.len(), 1, "the resting clip moves nothing");
    let clip = &scene.clips[0];
    assert_eq!((clip.name.as_str(), clip.duration()), ("turn", 1.0));
    for track in &character.clips[0].tracks {
        let node = scene.nodes.iter().position(|n| n.name == character.bones[track.joint].name).unwrap();
        let at = |rotates: bool| {
            let fits = |c: &&autorig_engine::scene::Channel| {
                c.node == node && rotates == matches!(c.values, ChannelValues::Rotations(_))
            };
            clip.channels.iter().find(fits).unwrap()
        };
        match &track.values {
            Values::Rotations(list) => {
                let channel = at(true);
                let ChannelValues::Rotations(read) = &channel.values else { panic!() };
                assert_eq!(channel.times.len(), list.len());
                assert!(list.iter().zip(read).all(|(a, b): (&DQuat, &DQuat)| a.dot(*b).abs() > 1.0 - 1e-9));
            }
            Values::Translations(list) => {
                let channel = at(false);
                let ChannelValues::Translations(read) = &channel.values else { panic!() };
                assert!(list.iter().zip(read).all(|(a, b)| (*a * 0.01).distance(*b) < 1e-6), "{read:?}");
            }
        }
    }
}

#[test]
fn a_file_with_z_up_stands_upright() {
    let options = FbxOptions { up_axis: UpAxis::Z, ..FbxOptions::default() };
    let scene = read_back(&character(), &options).flatten(&Limits::default()).unwrap();
    let (lo, hi) = scene.bounds().unwrap();
    // The box from 0 to 100 along every axis: up stays above the ground, what was behind is now before.
    assert!(lo.abs_diff_eq(DVec3::new(0.0, 0.0, -1.0), 1e-6), "{lo}");
    assert!(hi.abs_diff_eq(DVec3::new(1.0, 1.0, 0.0), 1e-6), "{hi}");
}

#[test]
fn a_rig_keeps_its_skin_through_fbx_and_glb() {
    let rig = rig_scene(
        sample::generate(sample::Sample::Cartoon, Some(2_000)).unwrap(),
        &Options::default(),
        &mut Silent,
    );
    let character = centimetres(Character::from_rig(&rig.unwrap()));
    let through_fbx = read_back(&character, &FbxOptions::default());
    let again = Character::from_scene(through_fbx.clone()).unwrap();
    let through_glb = read_bytes("again.glb", write::character_glb(&again).unwrap()).unwrap();
    assert_same_corners(&corners(&through_fbx), &corners(&through_glb));
    let direct = Character { clips: Vec::new(), ..character };
    let direct = read_bytes("direct.glb", write::character_glb(&direct).unwrap()).unwrap();
    let mut metres = corners(&direct);
    metres.iter_mut().for_each(|(p, ..)| *p = p.map(|x| x * 0.01));
    assert_same_corners(&metres, &corners(&through_fbx));
}

#[test]
fn a_character_has_the_same_joints_through_fbx_as_through_glb() {
    let scene = sample::generate(sample::Sample::Human, Some(6_000)).unwrap();
    let glb = write::scene_glb(&scene).unwrap();
    let still = Character::from_scene(scene).unwrap();
    let fbx = to_fbx(&centimetres(still), &FbxOptions::default()).unwrap();
    let rig = |name: &str, bytes: Vec<u8>| {
        rig_scene(read_bytes(name, bytes).unwrap(), &Options::default(), &mut Silent).unwrap().skeleton
    };
    let (a, b) = (rig("a.glb", glb), rig("a.fbx", fbx));
    assert_eq!(a.joints.len(), b.joints.len());
    for (a, b) in a.joints.iter().zip(&b.joints) {
        assert_eq!(a.name, b.name);
        assert!(a.position.distance(b.position) < 2e-3, "{}: {} {}", a.name, a.position, b.position);
    }
}

/// A character in metres as the writer wants it.
fn centimetres(mut character: Character) -> Character {
    for primitive in character.scene.meshes.iter_mut().flat_map(|m| &mut m.primitives) {
        primitive.positions.iter_mut().flatten().for_each(|x| *x *= 100.0);
    }
    for bone in &mut character.bones {
        bone.rest.w_axis = (bone.rest.w_axis.truncate() * 100.0).extend(1.0);
    }
    for clip in &mut character.clips {
        for track in &mut clip.tracks {
            if let Values::Translations(list) = &mut track.values {
                list.iter_mut().for_each(|v| *v *= 100.0);
            }
        }
    }
    character
}

/// An ASCII file of one square, in inches, with old escapes in its names.
const SQUARE: &str = r#"; FBX 7.4.0 project file
FBXHeaderExtension:  {
    FBXHeaderVersion: 1003
    FBXVersion: 7400
}
GlobalSettings:  {
    Version: 1000
    Properties70:  {
        P: "UpAxis", "int", "Integer", "",1
        P: "UpAxisSign", "int", "Integer", "",1
        P: "FrontAxis", "int", "Integer", "",2
        P: "FrontAxisSign", "int", "Integer", "",1
        P: "CoordAxis", "int", "Integer", "",0
        P: "CoordAxisSign", "int", "Integer", "",1
        P: "UnitScaleFactor", "double", "Number", "",2.54
    }
}
Objects:  {
    Geometry: 10, "Geometry::", "Mesh" {
        Vertices: *12 {
            a: 0,0,0,1,0,0,1,1,0,0,1,0
        }
        PolygonVertexIndex: *4 {
            a: 0,1,2,-4
        }
        LayerElementUV: 0 {
            Version: 101
            Name: "UVMap"
            MappingInformationType: "ByPolygonVertex"
            ReferenceInformationType: "IndexToDirect"
            UV: *8 {
                a: 0,0,1,0,1,1,0,1
            }
            UVIndex: *4 {
                a: 0,1,2,3
            }
        }
        Layer: 0 {
            Version: 100
            LayerElement:  {
                Type: "LayerElementUV"
                TypedIndex: 0
            }
        }
    }
    Model: 20, "Model::armFBXASC046L", "Mesh" {
        Version: 232
        Properties70:  {
            P: "GeometricTranslation", "Vector3D", "Vector", "",0,10,0
            P: "Lcl Translation", "Lcl Translation", "", "A",0,0,5
        }
    }
    Model: 21, "Model::top", "Null" {
        Version: 232
        Properties70:  {
            P: "Lcl Scaling", "Lcl Scaling", "", "A",-1,1,1
        }
    }
}
Connections:  {
    C: "OO",21,0
    C: "OO",20,21
    C: "OO",10,20
}
"#;

#[test]
fn an_ascii_file_in_inches_with_mirrored_nodes_and_offsets_stands_where_it_says() {
    let scene = read_bytes("square.fbx", SQUARE.as_bytes().to_vec()).unwrap();
    assert_eq!(scene.nodes.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), ["top", "arm.L"]);
    let primitive = &scene.meshes[0].primitives[0];
    assert_eq!((primitive.positions.len(), primitive.indices.len()), (4, 6));
    assert_eq!(primitive.uvs[0][0], [0.0, 1.0], "v points down");
    let flat = scene.flatten(&Limits::default()).unwrap();
    let (lo, hi) = flat.bounds().unwrap();
    let inch = 0.0254;
    assert!(lo.abs_diff_eq(DVec3::new(-1.0, 10.0, 5.0) * inch, 1e-6), "{lo}");
    assert!(hi.abs_diff_eq(DVec3::new(0.0, 11.0, 5.0) * inch, 1e-6), "{hi}");
}

#[test]
fn a_texture_that_is_tiled_turned_and_moved_says_so_as_gltf_does() {
    let with = |placed: &str| {
        let objects = format!(
            "    Material: 30, \"Material::m\", \"\" {{\n        Version: 102\n    }}\n    Texture: 40, \"Texture::t\", \"\" {{\n        RelativeFilename: \"skin.png\"\n        Properties70:  {{\n{placed}        }}\n    }}\n    Model: 21,"
        );
        let links = "    C: \"OO\",30,20\n    C: \"OP\",40,30, \"DiffuseColor\"\n    C: \"OO\",21,0\n";
        SQUARE.replace("    Model: 21,", &objects).replace("    C: \"OO\",21,0\n", links)
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("skin.png"), png(2, 2)).unwrap();
    let transform = |placed: &str| {
        let path = folder.path().join("a.fbx");
        std::fs::write(&path, with(placed)).unwrap();
        let limits = Limits::default();
        let source = autorig_engine::read::Source::open(&path, &limits).unwrap();
        let scene = autorig_engine::read::read(&source, &limits).unwrap();
        let reference = scene.materials[0].base_color_texture.clone().unwrap();
        assert_eq!(reference.extensions.is_empty(), scene.extensions_used.is_empty());
        reference.extensions.get("KHR_texture_transform").cloned()
    };
    let number = |v: &serde_json::Value| v.as_f64().unwrap();
    let scaling = "            P: \"Scaling\", \"Vector\", \"\", \"A\",2,4,1\n";
    let tiled = transform(scaling).unwrap();
    assert_eq!([number(&tiled["scale"][0]), number(&tiled["scale"][1])], [2.0, 4.0]);
    // The origin of FBX is the picture's lower left corner, which is v = 1 here: 4 · 1 − 3 is 1 again.
    assert_eq!([number(&tiled["offset"][0]), number(&tiled["offset"][1])], [0.0, -3.0]);
    let moved = "            P: \"Translation\", \"Vector\", \"\", \"A\",0.25,0.5,0\n";
    let moved = transform(moved).unwrap();
    assert_eq!([number(&moved["offset"][0]), number(&moved["offset"][1])], [0.25, -0.5]);
    let turned = transform("            P: \"Rotation\", \"Vector\", \"\", \"A\",0,0,90\n").unwrap();
    assert!((number(&turned["rotation"]) - std::f64::consts::FRAC_PI_2).abs() < 1e-6, "{turned}");
    assert_eq!(transform(""), None);
}

#[test]
fn a_texture_is_found_beside_the_model_by_its_name_and_never_outside() {
    let with = |path: &str| {
        let objects = format!(
            "    Material: 30, \"Material::m\", \"\" {{\n        Version: 102\n    }}\n    Texture: 40, \"Texture::t\", \"\" {{\n        FileName: \"{path}\"\n        RelativeFilename: \"{path}\"\n    }}\n    Model: 21,"
        );
        let links = "    C: \"OO\",30,20\n    C: \"OP\",40,30, \"DiffuseColor\"\n    C: \"OO\",21,0\n";
        SQUARE.replace("    Model: 21,", &objects).replace("    C: \"OO\",21,0\n", links)
    };
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    std::fs::create_dir(&models).unwrap();
    std::fs::write(models.join("skin.png"), png(2, 2)).unwrap();
    std::fs::write(folder.path().join("secret.png"), png(2, 2)).unwrap();
    let open = |path: &str| {
        std::fs::write(models.join("a.fbx"), with(path)).unwrap();
        let limits = Limits::default();
        let source = autorig_engine::read::Source::open(&models.join("a.fbx"), &limits).unwrap();
        autorig_engine::read::read(&source, &limits).unwrap()
    };
    let scene = open("C:\\\\work\\\\maps\\\\skin.png");
    assert_eq!((scene.images.len(), scene.warnings.len()), (1, 0), "{:?}", scene.warnings);
    assert!(scene.materials[0].base_color_texture.is_some());
    let scene = open("../secret.png");
    assert!(scene.images.is_empty() && warns(&scene, "missing_resource"));
}
