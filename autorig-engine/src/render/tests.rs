use glam::{DMat3, DMat4, DQuat, DVec3};
use serde_json::json;

use super::*;
use crate::{
    analyse::Frame,
    character::Bone,
    motion::{Clip, Track, Values},
    scene::{Alpha, Influences, Material, Mesh, Node, Primitive, Scene},
};

/// A sheet of two triangles that faces +Z, one metre a side and standing on the ground.
fn sheet(z: f32) -> Primitive {
    Primitive {
        positions: vec![[-0.5, 0.0, z], [0.5, 0.0, z], [0.5, 1.0, z], [-0.5, 1.0, z]],
        uvs: vec![vec![[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]],
        indices: vec![0, 1, 2, 0, 2, 3],
        ..Primitive::default()
    }
}

fn character(primitives: Vec<Primitive>, materials: Vec<Material>) -> Character {
    let mesh = Mesh { primitives, ..Mesh::default() };
    let node = Node { local: DMat4::IDENTITY, mesh: Some(0), ..Node::default() };
    let scene =
        Scene { nodes: vec![node], roots: vec![0], meshes: vec![mesh], materials, ..Scene::default() };
    let frame = Frame { rotation: DMat3::IDENTITY, scale: 1.0, origin: DVec3::ZERO };
    Character { scene, bones: Vec::new(), influences: Vec::new(), clips: Vec::new(), frame }
}

/// An unlit material of one colour.
fn plain(color: [f32; 4], alpha: Alpha) -> Material {
    let extensions = [("KHR_materials_unlit".to_owned(), json!({}))].into_iter().collect();
    Material { base_color: color, alpha, extensions, ..Material::default() }
}

fn middle(image: &Image) -> [u8; 4] {
    let at = ((image.height / 2 * image.width + image.width / 2) * 4) as usize;
    image.rgba[at..at + 4].try_into().unwrap()
}

fn of(primitives: Vec<Primitive>, materials: Vec<Material>) -> [u8; 4] {
    middle(&thumbnail(&character(primitives, materials), 64).unwrap())
}

fn with(mut primitive: Primitive, material: usize) -> Primitive {
    primitive.material = Some(material);
    primitive
}

#[test]
fn an_unlit_colour_arrives_as_it_is() {
    let red = plain([1.0, 0.0, 0.0, 1.0], Alpha::Opaque);
    assert_eq!(of(vec![with(sheet(0.0), 0)], vec![red]), [255, 0, 0, 255]);
}

#[test]
fn what_stands_before_hides_what_stands_behind_in_any_order() {
    let colors =
        || vec![plain([1.0, 0.0, 0.0, 1.0], Alpha::Opaque), plain([0.0, 0.0, 1.0, 1.0], Alpha::Opaque)];
    let (front, back) = (with(sheet(0.2), 0), with(sheet(-0.2), 1));
    assert_eq!(of(vec![front.clone(), back.clone()], colors()), [255, 0, 0, 255]);
    assert_eq!(of(vec![back, front], colors()), [255, 0, 0, 255]);
}

#[test]
fn a_back_is_seen_only_where_the_material_has_two_sides() {
    let mut turned = sheet(0.0);
    turned.indices = vec![0, 2, 1, 0, 3, 2];
    let mut material = plain([0.0, 1.0, 0.0, 1.0], Alpha::Opaque);
    assert_eq!(of(vec![with(turned.clone(), 0)], vec![material.clone()])[..3], [0, 0, 0]);
    material.double_sided = true;
    assert_eq!(of(vec![with(turned, 0)], vec![material]), [0, 255, 0, 255]);
}

#[test]
fn blended_surfaces_let_through_what_is_behind_and_cut_ones_leave_holes() {
    let half = plain([1.0, 0.0, 0.0, 0.5], Alpha::Blend);
    let blue = plain([0.0, 0.0, 1.0, 1.0], Alpha::Opaque);
    let [r, g, b, a] = of(vec![with(sheet(0.2), 0), with(sheet(-0.2), 1)], vec![half.clone(), blue]);
    assert!((r, g, b, a) == (188, 0, 188, 255), "{r} {g} {b} {a}");
    assert_eq!(of(vec![with(sheet(0.0), 0)], vec![half])[3], 128);
    let cut = plain([1.0, 0.0, 0.0, 0.5], Alpha::Mask(0.6));
    assert_eq!(of(vec![with(sheet(0.0), 0)], vec![cut])[3], 0);
}

#[test]
fn a_texture_is_upright_and_shows_through_its_transform() {
    // Upper half green, lower half red.
    let rows = [[0, 255, 0], [0, 255, 0], [255, 0, 0], [255, 0, 0]];
    let texels: Vec<u8> = rows.iter().flat_map(|c| [c[0], c[1], c[2], 255].repeat(4)).collect();
    let bytes = Image { width: 4, height: 4, rgba: texels }.to_png().unwrap();
    let mut character = character(vec![with(sheet(0.0), 0)], vec![plain([1.0; 4], Alpha::Opaque)]);
    character.scene.images.push(crate::scene::Image { bytes, ..Default::default() });
    character.scene.textures.push(crate::scene::Texture { image: Some(0), ..Default::default() });
    let mut reference = crate::scene::TextureRef::default();
    character.scene.materials[0].base_color_texture = Some(reference.clone());
    let place = |image: &Image, row: u32| image.rgba[((row * 64 + 32) * 4) as usize + 1];
    let upright = thumbnail(&character, 64).unwrap();
    assert!(place(&upright, 20) > 200 && place(&upright, 44) < 60);
    reference
        .extensions
        .insert("KHR_texture_transform".to_owned(), json!({ "scale": [1, -1], "offset": [0, 1] }));
    character.scene.materials[0].base_color_texture = Some(reference);
    let turned = thumbnail(&character, 64).unwrap();
    assert!(place(&turned, 20) < 60 && place(&turned, 44) > 200);
}

#[test]
fn the_whole_character_is_in_the_picture_and_the_corners_are_empty() {
    let image = thumbnail(&character(vec![sheet(0.0)], Vec::new()), 200).unwrap();
    let alpha = |x: u32, y: u32| image.rgba[((y * 200 + x) * 4 + 3) as usize];
    assert_eq!([alpha(0, 0), alpha(199, 0)], [0, 0]);
    let solid = (0..200 * 200).filter(|i| image.rgba[i * 4 + 3] == 255).count();
    assert!((12_000..30_000).contains(&solid), "{solid}");
    let shadow = (0..200 * 200).filter(|i| (8..200).contains(&image.rgba[i * 4 + 3])).count();
    assert!(shadow > 300, "no shadow: {shadow}");
}

#[test]
fn a_picture_is_the_same_for_any_number_of_threads() {
    let scene = crate::sample::generate(crate::sample::Sample::Cartoon, Some(3_000)).unwrap();
    let mut character = character(Vec::new(), Vec::new());
    character.scene = scene.flatten(&crate::Limits::default()).unwrap();
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| thumbnail(&character, 150).unwrap())
    };
    assert!(with_threads(1) == with_threads(5));
}

#[test]
fn sizes_and_bones_that_do_not_exist_are_refused() {
    let character = character(vec![sheet(0.0)], Vec::new());
    assert_eq!(thumbnail(&character, 0).unwrap_err().code, Code::InvalidOption);
    assert_eq!(thumbnail(&character, LARGEST + 1).unwrap_err().code, Code::InvalidOption);
    assert_eq!(heat_map(&character, 0, 64).unwrap_err().code, Code::InvalidOption);
    let empty = self::character(Vec::new(), Vec::new());
    assert_eq!(thumbnail(&empty, 64).unwrap_err().code, Code::NoGeometry);
}

/// A sheet that follows one of two bones, left and right, the second of which a clip raises by a metre.
fn puppet() -> Character {
    let mut character = character(vec![sheet(0.0)], Vec::new());
    let bone = |name: &str, parent, x: f64| Bone {
        name: name.to_owned(),
        parent,
        rest: DMat4::from_translation(DVec3::new(x, 0.5, 0.0)),
        canonical: Some(name.to_owned()),
    };
    character.bones = vec![bone("hips", None, 0.0), bone("leftHand", Some(0), -0.5)];
    character.influences =
        vec![vec![Influences { per_vertex: 1, joints: vec![1, 0, 0, 1], weights: vec![1.0; 4] }]];
    let lifted = Track {
        joint: 1,
        values: Values::Translations(vec![DVec3::new(-0.5, 0.0, 0.0), DVec3::new(-0.5, 1.0, 0.0)]),
    };
    let still = Track { joint: 0, values: Values::Rotations(vec![DQuat::IDENTITY; 2]) };
    character.clips = vec![Clip {
        name: "walk".to_owned(),
        times: vec![0.0, 1.0],
        tracks: vec![lifted, still],
        morphs: Vec::new(),
    }];
    character
}

#[test]
fn a_heat_map_is_bright_where_the_bone_leads_and_dark_elsewhere() {
    let image = heat_map(&puppet(), 1, 100).unwrap();
    let place = |x: u32| {
        let at = ((50 * 100 + x) * 4) as usize;
        image.rgba[at..at + 3].iter().map(|v| u32::from(*v)).sum::<u32>()
    };
    let filled: Vec<u32> =
        (0..100).filter(|x| image.rgba[((50 * 100 + x) * 4 + 3) as usize] == 255).collect();
    let (first, last) = (filled[3], filled[filled.len() - 4]);
    assert!(place(first) > place(last) + 100, "{} {}", place(first), place(last));
}

#[test]
fn the_skeleton_is_drawn_over_the_character() {
    let puppet = puppet();
    let without = heat_map(&puppet, 0, 100).unwrap();
    let with = skeleton_picture(&puppet, 100).unwrap();
    assert!(with.rgba.chunks_exact(4).any(|p| p[2] > 200 && p[0] < 90));
    assert_ne!(without, with);
}

#[test]
fn a_reel_turns_once_then_plays_the_clip() {
    let puppet = puppet();
    assert_eq!(reel::preview_clip(&puppet), Some(0));
    let reel = Reel::new(&puppet, 64, 10, 1.0, Some(0)).unwrap();
    // The clip of one second is shown twice.
    assert_eq!(reel.frames(), 10 + 20);
    assert_eq!(reel.frame(0), reel.frame(10));
    assert_ne!(reel.frame(10), reel.frame(15));
    assert_eq!(reel.frame(15), reel.frame(25));
    // Seen from behind there is nothing: the sheet has one side.
    assert!(middle(&reel.frame(6))[..3] == [0, 0, 0]);
    assert_eq!(Reel::new(&puppet, 64, 10, 1.0, Some(3)).err().unwrap().code, Code::InvalidOption);
}
