//! Morph targets that move.

use autorig_engine::{
    Character, Limits,
    motion::MorphTrack,
    profile::{Profile, apply},
    read::{Source, read},
    scene::{Channel, ChannelValues, Morph, NodeClip, Scene},
    write::{
        character_glb,
        fbx::{FbxOptions, to_fbx},
    },
};
use glam::DMat4;

use crate::build::{arm, wave};

/// An arm whose sleeve has two morph targets, and a clip that moves them beside the bones.
fn sleeve() -> Scene {
    let mut scene = arm(DMat4::IDENTITY);
    let mesh = &mut scene.meshes[0];
    mesh.morph_names = vec!["wide".to_owned(), "thick".to_owned()];
    mesh.morph_weights = vec![0.0, 0.0];
    let count = mesh.primitives[0].positions.len();
    let target = |by: [f32; 3]| Morph { positions: vec![by; count], ..Morph::default() };
    mesh.primitives[0].morphs = vec![target([0.0, 0.3, 0.0]), target([0.0, 0.0, 0.2])];
    let mut clip = wave();
    clip.channels.push(swelling());
    scene.clips = vec![clip];
    scene
}

fn swelling() -> Channel {
    let weights = vec![0.0, 1.0, 0.5, 0.5, 1.0, 0.0];
    Channel { node: 4, times: vec![0.0, 1.0, 2.0], values: ChannelValues::MorphWeights(weights) }
}

fn reread(name: &str, bytes: Vec<u8>) -> Character {
    let scene = read(&Source::bytes(name, bytes), &Limits::default()).unwrap();
    assert!(scene.warnings.is_empty(), "{:?}", scene.warnings);
    Character::from_scene(scene).unwrap()
}

fn at(track: &MorphTrack, time: f32) -> [f32; 2] {
    [track.weight(0, time), track.weight(1, time)]
}

#[test]
fn they_move_on_in_glb_and_in_fbx_beside_the_bones() {
    let character = Character::from_scene(sleeve()).unwrap();
    assert!(character.scene.warnings.is_empty(), "{:?}", character.scene.warnings);
    let clip = &character.clips[0];
    assert_eq!((clip.name.as_str(), clip.morphs.len(), clip.duration()), ("wave", 1, 2.0));
    assert!(!clip.tracks.is_empty());
    let fbx = to_fbx(&character, &FbxOptions::default()).unwrap();
    for again in [reread("a.glb", character_glb(&character).unwrap()), reread("a.fbx", fbx)] {
        let clip = &again.clips[0];
        assert_eq!((clip.name.as_str(), clip.morphs.len()), ("wave", 1));
        assert!(!clip.tracks.is_empty());
        for time in [0.0, 0.5, 1.0, 1.5, 2.0] {
            let (want, have) = (at(&character.clips[0].morphs[0], time), at(&clip.morphs[0], time));
            let near = want.iter().zip(have).all(|(a, b)| (a - b).abs() < 1e-4);
            assert!(near, "{want:?} {have:?} at {time}");
        }
    }
}

#[test]
fn a_model_without_bones_keeps_them_too_and_profiles_do_not_lose_them() {
    let mut scene = sleeve();
    scene.skins.clear();
    scene.nodes[4].skin = None;
    scene.meshes[0].primitives[0].influences = None;
    scene.clips = vec![NodeClip { name: "swell".to_owned(), channels: vec![swelling()] }];
    let still = Character::from_scene(scene).unwrap();
    assert!(still.bones.is_empty());
    let again = reread("a.glb", character_glb(&still).unwrap());
    assert_eq!((again.clips[0].name.as_str(), again.clips[0].morphs.len()), ("swell", 1));
    let moved = apply(&Character::from_scene(sleeve()).unwrap(), Profile::named("unity").unwrap()).unwrap();
    assert_eq!(moved.clips[0].morphs.len(), 1);
}

#[test]
fn weights_for_targets_that_no_mesh_has_are_dropped_and_said() {
    let mut scene = sleeve();
    scene.meshes[0].primitives[0].morphs.pop();
    scene.meshes[0].morph_weights.pop();
    let character = Character::from_scene(scene).unwrap();
    assert!(character.clips[0].morphs.is_empty());
    assert!(character.scene.warnings.iter().any(|w| w.code == "morph_motion_dropped"));
}
