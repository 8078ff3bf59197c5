//! A character in every export profile, with what a reader of each file must see: the fixture of `scripts/bench_export.py`.
//!
//! ```text
//! cargo run --release -p autorig-engine --example export_file -- IN|sample:NAME FOLDER [PROFILE,…]
//! cargo run --release -p autorig-engine --example export_file -- --read FILE OUT.json
//! ```
//!
//! The first form rigs a model, or takes its own rig where it has one, and writes `PROFILE.EXT` and `PROFILE.json` into the
//! folder. Each file carries one clip of four frames: rest, and three poses made of turns of canonical joints about the
//! character's own axes. The JSON holds bones and, for every frame, where the engine's own linear blend skinning of that
//! profile puts the corners of every triangle (little-endian single precision, base64), and what the rules of Unity and
//! Unreal find. The second form says the same of a file as the engine's own readers see it.

#![expect(clippy::print_stderr, clippy::print_stdout, reason = "it talks to people")]

use std::{path::Path, process::ExitCode};

use autorig_engine::{
    Character, Code, Error, Limits, Options, Result, Silent,
    motion::{Clip, Track, Values},
    profile::{
        Format, Profile, Up, apply,
        check::{Target, check},
    },
    read::{Source, read},
    rig_scene, sample,
    write::{
        character_glb,
        fbx::{FbxOptions, UpAxis, to_fbx},
        vrm::{VrmOptions, VrmVersion, vrm},
    },
};
use base64::Engine as _;
use glam::{DMat4, DQuat, DVec3};
use serde_json::json;

/// Joint, axis in canonical space, degrees, frame by frame.
const POSES: [&[(&str, DVec3, f64)]; 4] = [
    &[],
    &[("leftUpperArm", DVec3::Z, -60.0), ("rightUpperArm", DVec3::Z, 60.0), ("neck", DVec3::Y, 40.0)],
    &[("leftUpperLeg", DVec3::X, -75.0), ("leftLowerLeg", DVec3::X, 100.0), ("spine", DVec3::X, 30.0)],
    &[("hips", DVec3::Y, 170.0), ("rightLowerArm", DVec3::Y, 95.0), ("leftHand", DVec3::Y, -50.0)],
];
/// Frames a second of the clip.
const RATE: f32 = 30.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["--read", file, out] => read_back(Path::new(file), Path::new(out)),
        [input, folder] => export(input, Path::new(folder), None),
        [input, folder, profiles] => export(input, Path::new(folder), Some(profiles)),
        _ => {
            eprintln!("usage: export_file IN|sample:NAME FOLDER [PROFILE,…] | --read FILE OUT.json");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", error.code);
            ExitCode::from(3)
        }
    }
}

fn export(input: &str, folder: &Path, only: Option<&str>) -> Result<()> {
    let character = load(input)?;
    let wanted = |name: &str| only.is_none_or(|list| list.split(',').any(|n| n == name));
    for profile in Profile::all().iter().filter(|p| wanted(&p.name)) {
        let made = match apply(&character, profile) {
            Err(error) if error.code == Code::NeedsHumanoid => {
                println!("refused {}: {error}", profile.name);
                continue;
            }
            made => made?,
        };
        one(made, profile, folder)?;
    }
    Ok(())
}

fn load(input: &str) -> Result<Character> {
    let scene = match input.strip_prefix("sample:") {
        Some(name) => {
            let known = sample::Sample::ALL.into_iter().find(|s| s.name() == name);
            let unknown = || Error::new(Code::InvalidOption, format!("there is no sample \"{name}\""));
            sample::generate(known.ok_or_else(unknown)?, None)?
        }
        None => read(&Source::open(Path::new(input), &Limits::default())?, &Limits::default())?,
    };
    if scene.skins.is_empty() {
        return Ok(Character::from_rig(&rig_scene(scene, &Options::default(), &mut Silent)?));
    }
    Character::from_scene(scene)
}

fn one(mut made: Character, profile: &Profile, folder: &Path) -> Result<()> {
    made.clips = vec![poses(&made)];
    let vrm_options = |version| VrmOptions { version, ..VrmOptions::default() };
    let (bytes, extension) = match profile.format {
        Format::Glb => (character_glb(&made)?, "glb"),
        Format::Vrm => (vrm(&made, &vrm_options(VrmVersion::V1))?, "vrm"),
        Format::Fbx => {
            let z_up = profile.space.is_some_and(|s| s.up == Up::Z);
            let up_axis = if z_up { UpAxis::Z } else { UpAxis::Y };
            (to_fbx(&made, &FbxOptions { up_axis, ..FbxOptions::default() })?, "fbx")
        }
    };
    write(&folder.join(format!("{}.{extension}", profile.name)), &bytes)?;
    if profile.format == Format::Vrm {
        write(&folder.join("vrm0.vrm"), &vrm(&made, &vrm_options(VrmVersion::V0))?)?;
    }
    let mut expected = seen(&made);
    let findings = match profile.name.as_str() {
        "unity" => check(&made, Target::Unity),
        "unreal" => check(&made, Target::Unreal),
        _ => Vec::new(),
    };
    expected["findings"] = json!(findings);
    expected["metres"] = json!(made.frame.scale);
    expected["up"] = json!(if made.frame.rotation.row(1).z > 0.9 { "z" } else { "y" });
    expected["human_bones"] =
        json!(made.bones.iter().filter_map(|b| b.canonical.as_deref()).collect::<Vec<_>>());
    write_json(&folder.join(format!("{}.json", profile.name)), &expected)
}

/// The poses as one clip, a frame each.
fn poses(made: &Character) -> Clip {
    let axes = made.frame.rotation.transpose();
    let rest = made.locals();
    let mut turns: Vec<Vec<DQuat>> = vec![Vec::new(); rest.len()];
    for pose in POSES {
        let of_bone = |(joint, axis, degrees): &(&str, DVec3, f64)| {
            Some((made.find(joint)?, DQuat::from_axis_angle(axes * *axis, degrees.to_radians())))
        };
        let matrices = made.turned(&pose.iter().filter_map(of_bone).collect::<Vec<_>>());
        let worlds: Vec<DMat4> = matrices.iter().zip(&made.bones).map(|(m, b)| *m * b.rest).collect();
        for (joint, bone) in made.bones.iter().enumerate() {
            let above = bone.parent.map_or(DMat4::IDENTITY, |p| worlds[p]);
            let turn = DQuat::from_mat4(&(above.inverse() * worlds[joint])).normalize();
            let near = turns[joint].last().is_none_or(|last: &DQuat| last.dot(turn) >= 0.0);
            turns[joint].push(if near { turn } else { -turn });
        }
    }
    let tracks =
        turns.into_iter().enumerate().map(|(joint, v)| Track { joint, values: Values::Rotations(v) });
    let times = (0..POSES.len()).map(|frame| frame as f32 / RATE).collect();
    Clip { name: "Poses".to_owned(), times, tracks: tracks.collect(), morphs: Vec::new() }
}

fn read_back(file: &Path, out: &Path) -> Result<()> {
    let scene = read(&Source::open(file, &Limits::default())?, &Limits::default())?;
    write_json(out, &seen(&Character::from_scene(scene)?))
}

/// Bones, and corners of triangles in every frame of the first clip.
fn seen(character: &Character) -> serde_json::Value {
    let parent = |p: Option<usize>| p.and_then(|p| character.bones.get(p)).map(|p| p.name.as_str());
    let bones: Vec<_> =
        character.bones.iter().map(|b| json!({"name": b.name, "parent": parent(b.parent)})).collect();
    let frames: Vec<Vec<Vec<Vec<DVec3>>>> =
        (0..POSES.len()).map(|frame| character.deformed(&matrices(character, frame as f32 / RATE))).collect();
    let mut meshes = Vec::new();
    for (index, mesh) in character.scene.meshes.iter().enumerate() {
        let corners = |frame: &Vec<Vec<Vec<DVec3>>>| {
            let mut bytes = Vec::new();
            for (primitive, points) in mesh.primitives.iter().zip(&frame[index]) {
                for corner in &primitive.indices {
                    let at = points.get(*corner as usize).copied().unwrap_or_default();
                    bytes.extend(at.to_array().iter().flat_map(|x| (*x as f32).to_le_bytes()));
                }
            }
            base64::engine::general_purpose::STANDARD.encode(bytes)
        };
        let node = character.scene.nodes.iter().find(|n| n.mesh == Some(index));
        let name = node.map(|n| n.name.as_str()).filter(|n| !n.is_empty()).unwrap_or(&mesh.name);
        meshes.push(json!({"name": name, "frames": frames.iter().map(corners).collect::<Vec<_>>()}));
    }
    json!({"bones": bones, "meshes": meshes})
}

/// What the bones do at a time of the first clip, which has a keyframe near it.
fn matrices(character: &Character, time: f32) -> Vec<DMat4> {
    let mut locals = character.locals();
    if let Some(clip) = character.clips.first() {
        let near = |i: &usize| (clip.times[*i] - time).abs();
        let key = (0..clip.times.len()).min_by(|a, b| near(a).total_cmp(&near(b))).unwrap_or(0);
        for track in &clip.tracks {
            let (_, mut turn, mut place) = locals[track.joint].to_scale_rotation_translation();
            match &track.values {
                Values::Rotations(all) => turn = all[key],
                Values::Translations(all) => place = all[key],
            }
            locals[track.joint] = DMat4::from_rotation_translation(turn, place);
        }
    }
    character.posed(&locals)
}

fn write_json(path: &Path, value: &serde_json::Value) -> Result<()> {
    let text = serde_json::to_vec(value).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
    write(path, &text)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes)
        .map_err(|e| Error::new(Code::Io, format!("{} cannot be written: {e}", path.display())))
}
