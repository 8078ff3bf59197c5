//! Wavefront OBJ and its materials.

use std::path::Path;

use autorig_engine::read::{Siblings, Source, read};
use autorig_engine::scene::{Alpha, Scene};
use autorig_engine::{Code, Error, Limits, write};

use crate::build::{png, png_bomb, read_bytes, unpack, warns};

fn obj(text: &str) -> Scene {
    read_bytes("thing.obj", text.as_bytes().to_vec()).unwrap()
}

fn error(text: &str) -> Error {
    read_bytes("thing.obj", text.as_bytes().to_vec()).unwrap_err()
}

fn in_folder(folder: &Path, text: &str) -> autorig_engine::Result<Scene> {
    let source = Source {
        name: "thing.obj".to_owned(),
        bytes: text.as_bytes().to_vec(),
        siblings: Siblings::Folder(folder.to_owned()),
    };
    read(&source, &Limits::default())
}

const SQUARE: &str = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n";

#[test]
fn vertex_i_is_the_ith_v_line_even_where_faces_do_not_use_it() {
    let scene = obj("v 9 9 9\nv 0 0 0\nv 1 0 0\nv 8 8 8\nv 0 1 0\nf 5 2 3\n");
    let primitive = &scene.meshes[0].primitives[0];
    assert_eq!(primitive.positions.len(), 5);
    assert_eq!(primitive.positions[0], [9.0; 3]);
    assert_eq!(primitive.indices, [4, 1, 2]);
    assert_eq!(scene.meshes[0].name, "thing");
}

#[test]
fn copies_at_seams_stand_behind_in_the_order_of_first_use() {
    let text = format!("{SQUARE}vt 0 0\nvt 0.25 1\nvt 1 1\nf 1/1 2/1 3/1\nf 1/2 3/3 4/1\nf 1/2 2/1 3/3\n");
    let scene = obj(&text);
    let primitive = &scene.meshes[0].primitives[0];
    assert_eq!(primitive.indices, [0, 1, 2, 4, 5, 3, 4, 1, 5]);
    assert_eq!(
        (primitive.positions[4], primitive.positions[5]),
        (primitive.positions[0], primitive.positions[2])
    );
    // v points down in glTF.
    assert_eq!((primitive.uvs[0][0], primitive.uvs[0][4]), ([0.0, 1.0], [0.25, 0.0]));
}

#[test]
fn indices_count_backwards_when_negative_and_faces_may_come_first() {
    assert_eq!(obj(&format!("{SQUARE}f -4 -3 -2\n")).meshes[0].primitives[0].indices, [0, 1, 2]);
    assert_eq!(obj(&format!("f 1 2 3\n{SQUARE}")).meshes[0].primitives[0].indices, [0, 1, 2]);
}

#[test]
fn polygons_become_triangles_inside_of_them() {
    assert_eq!(obj(&format!("{SQUARE}f 1 2 3 4\n")).meshes[0].primitives[0].indices, [0, 1, 2, 0, 2, 3]);
    // An arrow whose diagonal 0–2 lies outside.
    let arrow = "v 2 -1 0\nv 0.5 0 0\nv 2 1 0\nv 0 0 0\nf 1 2 3 4\n";
    let scene = obj(arrow);
    let primitive = &scene.meshes[0].primitives[0];
    let normal = |t: &[u32]| {
        let p = |i: usize| glam::Vec3::from(primitive.positions[t[i] as usize]);
        (p(1) - p(0)).cross(p(2) - p(0)).z
    };
    let signs: Vec<bool> = primitive.indices.chunks(3).map(|t| normal(t) > 0.0).collect();
    assert!(signs.iter().all(|s| *s == signs[0]), "{:?}", primitive.indices);
}

#[test]
fn objects_become_meshes_on_nodes_and_materials_become_parts() {
    let text = format!(
        "{SQUARE}o A\nusemtl red\nf 1 2 3\nusemtl blue\nf 1 3 4\no B 2\nusemtl red\nf 2 3 4\no Empty\n"
    );
    let scene = obj(&text);
    let names: Vec<&str> = scene.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!((names.as_slice(), scene.roots.as_slice()), (&["A", "B 2"][..], &[0, 1][..]));
    let materials: Vec<Vec<_>> =
        scene.meshes.iter().map(|m| m.primitives.iter().map(|p| p.material).collect()).collect();
    assert_eq!(materials, [vec![Some(0), Some(1)], vec![Some(0)]]);
    // Parts have the vertices they use, in the file's order.
    assert_eq!(scene.meshes[1].primitives[0].positions, [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]);
    assert_eq!(scene.meshes[1].primitives[0].indices, [0, 1, 2]);
}

#[test]
fn groups_are_meshes_only_where_there_are_no_objects() {
    let text = format!("{SQUARE}g a\nf 1 2 3\ng b\nf 1 3 4\ng a\nf 2 3 4\n");
    let scene = obj(&text);
    assert_eq!(scene.meshes.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(scene.meshes[0].primitives[0].indices.len(), 6);
    assert_eq!(obj(&format!("o whole\n{text}")).meshes.len(), 1);
}

#[test]
fn thousands_of_groups_are_joined_into_one_mesh() {
    let faces: String = (0..1500).map(|i| format!("g g{i}\nf 1 2 3\n")).collect();
    let scene = obj(&format!("{SQUARE}{faces}"));
    assert_eq!(scene.meshes.len(), 1);
    assert!(warns(&scene, "groups_joined"));
}

#[test]
fn colours_come_as_fractions_or_bytes_and_become_linear() {
    for colors in ["1 0.5 0", "255 127.5 0"] {
        let scene = obj(&format!("v 0 0 0 {colors}\nv 1 0 0\nv 0 1 0 {colors}\nf 1 2 3\n"));
        let colors = &scene.meshes[0].primitives[0].colors[0];
        assert!((colors[0][1] - 0.214).abs() < 1e-3, "{colors:?}");
        assert_eq!((colors[0][0], colors[0][2], colors[0][3]), (1.0, 0.0, 1.0));
    }
}

#[test]
fn normals_that_only_some_corners_have_are_completed() {
    let scene = obj(&format!("{SQUARE}vn 0 0 1\nf 1//1 2//1 3//1\nf 1 3 4\n"));
    let normals = scene.meshes[0].primitives[0].normals.as_ref().unwrap();
    assert!(normals.iter().all(|n| *n == [0.0, 0.0, 1.0]), "{normals:?}");
}

#[test]
fn line_ends_continuations_comments_and_encodings_of_all_kinds_are_read() {
    let text = format!("# made by hand\n{SQUARE}f 1 2 \\\n 3 4 # a square\n");
    let expected = obj(&text).meshes[0].primitives[0].indices.clone();
    assert_eq!(expected.len(), 6);
    let utf16 = |unit: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect::<Vec<u8>>()
    };
    let variants = [
        text.replace('\n', "\r\n").into_bytes(),
        text.replace('\n', "\r").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        text.replace(' ', "\t").into_bytes(),
        text.trim_end().as_bytes().to_vec(),
        [b"# caf\xE9 in Latin-1\n".as_slice(), text.as_bytes()].concat(),
        utf16(u16::to_le_bytes, [0xFF, 0xFE]),
        utf16(u16::to_be_bytes, [0xFE, 0xFF]),
    ];
    for variant in variants {
        let scene = read_bytes("thing.obj", variant.clone()).unwrap_or_else(|e| panic!("{e}: {variant:?}"));
        assert_eq!(scene.meshes[0].primitives[0].indices, expected);
    }
}

#[test]
fn what_is_malformed_is_refused_with_its_line() {
    for (line, words) in [
        ("v 0 zero 0", "\"zero\""),
        ("v 0 0", "missing"),
        ("f", "no corners"),
        ("f 1 2 0", "begin with 1"),
        ("f 1 2 99", "does not exist"),
        ("f 1 2 -9", "does not exist"),
        ("f 1 2 x", "no number"),
        ("f 1/9 2/9 3/9", "does not exist"),
        ("f /1 /2 /3", "without a vertex"),
        ("f 1 2 99999999999999999999", "no number"),
        ("f 1 2 4294967295", "does not exist"),
        ("vn 1", "missing"),
    ] {
        let error = error(&format!("{SQUARE}{line}\nf 1 2 3\n"));
        assert_eq!(error.code, Code::CorruptFile, "{line}: {error}");
        assert!(error.message.contains(words) && error.message.contains("line 5"), "{line}: {error}");
    }
}

#[test]
fn faces_of_two_corners_are_left_out_and_said() {
    let scene = obj(&format!("{SQUARE}f 1 2\nl 1 2\nf 1 2 3\n"));
    assert!(warns(&scene, "degenerate_face_dropped") && warns(&scene, "no_triangles_dropped"));
    assert_eq!(scene.meshes[0].primitives[0].indices.len(), 3);
}

#[test]
fn triangles_are_limited_while_they_are_read() {
    let source = Source::bytes("x.obj", format!("{SQUARE}f 1 2 3 4\nf 1 2 3\n").into_bytes());
    let limits = Limits { triangles: 2, ..Limits::default() };
    assert_eq!(read(&source, &limits).unwrap_err().code, Code::LimitTriangles);
}

const MTL: &str = "\
newmtl skin
Kd 0.5 0.25 0.125
Ns 250
d 0.5
newmtl cloth
Kd 0 0 0
map_Kd -s 2 2 2 -o 0 0 textures\\my cloth.png
map_Bump -bm 0.5 C:\\work\\bumps\\bumps.png
Ke 0 0 1
Tr 1
newmtl leaf
map_Kd leaf.png
map_d leaf.png
map_Ke gone.tga
";

#[test]
fn materials_and_textures_come_from_the_files_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("textures")).unwrap();
    std::fs::write(folder.path().join("my things.mtl"), MTL).unwrap();
    for name in ["textures/my cloth.png", "bumps.png", "leaf.png"] {
        std::fs::write(folder.path().join(name), png(2, 2)).unwrap();
    }
    let text = format!(
        "mtllib my things.mtl\n{SQUARE}usemtl cloth\nf 1 2 3\nusemtl skin\nf 1 3 4\nusemtl leaf\nf 2 3 4\nusemtl other\nf 1 2 4\n"
    );
    let scene = in_folder(folder.path(), &text).unwrap();
    let names: Vec<&str> = scene.materials.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["cloth", "skin", "leaf", "other"]);
    let [cloth, skin, leaf, _] = &scene.materials[..] else { panic!() };
    assert_eq!((skin.base_color, skin.alpha), ([0.5, 0.25, 0.125, 0.5], Alpha::Blend));
    assert_eq!((skin.roughness, skin.metallic), (0.5, 0.0));
    assert_eq!((cloth.base_color, cloth.emissive), ([1.0; 4], [0.0, 0.0, 1.0]));
    let image = |texture: usize| scene.images[scene.textures[texture].image.unwrap()].name.as_str();
    assert_eq!(image(cloth.base_color_texture.as_ref().unwrap().texture), "my cloth");
    let (normal, strength) = cloth.normal_texture.as_ref().unwrap();
    assert_eq!((image(normal.texture), *strength), ("bumps", 0.5));
    assert_eq!(leaf.alpha, Alpha::Mask(0.5));
    assert!(leaf.emissive_texture.is_none() && warns(&scene, "missing_resource"));
    let (json, _) = unpack(&write::scene_glb(&scene).unwrap());
    assert_eq!(json["images"].as_array().unwrap().len(), 3);
}

#[test]
fn a_texture_that_is_no_picture_is_left_out_and_a_bomb_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.mtl"), "newmtl m\nmap_Kd t.png\n").unwrap();
    let text = format!("mtllib a.mtl\n{SQUARE}usemtl m\nf 1 2 3\n");
    std::fs::write(folder.path().join("t.png"), b"not a picture").unwrap();
    let scene = in_folder(folder.path(), &text).unwrap();
    assert!(warns(&scene, "image_unreadable") && scene.materials[0].base_color_texture.is_none());
    std::fs::write(folder.path().join("t.png"), png_bomb(30_000, 30_000)).unwrap();
    assert_eq!(in_folder(folder.path(), &text).unwrap_err().code, Code::LimitTexture);
}

#[test]
fn without_its_material_file_the_model_is_read_all_the_same() {
    let scene = obj(&format!("mtllib gone.mtl\n{SQUARE}usemtl skin\nf 1 2 3\n"));
    assert!(warns(&scene, "missing_resource"));
    assert_eq!(scene.materials[0].name, "skin");
}
