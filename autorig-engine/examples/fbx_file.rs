//! A rigged character as FBX, with what a reader of it must see: the fixture of `scripts/check_fbx.py`.
//!
//! ```text
//! cargo run --release -p autorig-engine --example fbx_file -- IN|sample:NAME OUT.fbx EXPECTED.json [--up y|z]
//! ```
//!
//! The FBX carries one clip of four frames: rest, and three poses made of turns about joints along the character's own axes.
//! The JSON holds bones and, for every frame, where the engine's own linear blend skinning puts the corners of every
//! triangle, in the file's space (little-endian single precision, base64). Bone frames are turned this way and that, so
//! that nothing passes because all axes are parallel.

#![expect(clippy::print_stderr, reason = "it talks to people")]

use std::{path::Path, process::ExitCode};

use autorig_engine::{
    Character, Code, Error, Limits, Options, Result, Silent,
    motion::{Clip, Track, Values},
    read::{Source, read},
    rig_scene, sample,
    write::fbx::{FbxOptions, UpAxis, to_fbx},
};
use base64::Engine as _;
use glam::{DMat3, DMat4, DQuat, DVec3};
use serde_json::json;

/// Joint, axis in canonical space, degrees, frame by frame.
const POSES: [&[(&str, DVec3, f64)]; 4] = [
    &[],
    &[("leftUpperArm", DVec3::Z, -60.0), ("rightUpperArm", DVec3::Z, 60.0), ("head", DVec3::Y, 40.0)],
    &[("leftUpperLeg", DVec3::X, -75.0), ("leftLowerLeg", DVec3::X, 100.0), ("spine", DVec3::X, 30.0)],
    &[("hips", DVec3::Y, 170.0), ("rightLowerArm", DVec3::Y, 95.0), ("chest", DVec3::Z, -25.0)],
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (files, up) = match arguments.as_slice() {
        [input, output, expected] => ([input, output, expected], UpAxis::Y),
        [input, output, expected, flag, up] if flag == "--up" => {
            ([input, output, expected], if up == "z" { UpAxis::Z } else { UpAxis::Y })
        }
        _ => {
            eprintln!("usage: fbx_file IN|sample:NAME OUT.fbx EXPECTED.json [--up y|z]");
            return ExitCode::from(2);
        }
    };
    match run(files, up) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", error.code);
            ExitCode::from(3)
        }
    }
}

fn run([input, output, expected]: [&String; 3], up: UpAxis) -> Result<()> {
    let options = Options::default();
    let scene = match input.strip_prefix("sample:") {
        Some(name) => sample::generate(known(name)?, None)?,
        None => read(&Source::open(Path::new(input), &Limits::default())?, &Limits::default())?,
    };
    let rig = rig_scene(scene, &options, &mut Silent)?;
    let mut character = into_target(Character::from_rig(&rig), up);
    let to_canonical = match up {
        UpAxis::Y => DMat3::IDENTITY,
        UpAxis::Z => DMat3::from_cols(DVec3::X, DVec3::NEG_Z, DVec3::Y),
    };
    character.clips = vec![clip(&character, to_canonical.transpose())];
    let fbx = to_fbx(&character, &FbxOptions { up_axis: up, ..FbxOptions::default() })?;
    write(output, &fbx)?;
    let json = serde_json::to_vec(&expectation(&character));
    write(expected, &json.map_err(|e| Error::new(Code::Internal, e.to_string()))?)
}

fn known(name: &str) -> Result<sample::Sample> {
    let found = sample::Sample::ALL.into_iter().find(|s| s.name() == name);
    found.ok_or_else(|| Error::new(Code::InvalidOption, format!("there is no sample \"{name}\"")))
}

/// Centimetres along the target's axes, bone frames turned.
fn into_target(mut character: Character, up: UpAxis) -> Character {
    let frame = character.frame;
    let axes = match up {
        UpAxis::Y => DMat3::IDENTITY,
        // Right-handed, Z up, facing −Y.
        UpAxis::Z => DMat3::from_cols(DVec3::X, DVec3::Z, DVec3::NEG_Y),
    };
    let place = |p: DVec3| axes * frame.to_canonical(p) * 100.0;
    let turn = axes * frame.rotation;
    for primitive in character.scene.meshes.iter_mut().flat_map(|m| &mut m.primitives) {
        let single = |v: DVec3| v.to_array().map(|x| x as f32);
        let wide = |v: [f32; 3]| DVec3::from(v.map(f64::from));
        primitive.positions.iter_mut().for_each(|p| *p = single(place(wide(*p))));
        primitive.normals.iter_mut().flatten().for_each(|n| *n = single(turn * wide(*n)));
        for [x, y, z, _] in primitive.tangents.iter_mut().flatten() {
            [*x, *y, *z] = single(turn * wide([*x, *y, *z]));
        }
        for delta in primitive.morphs.iter_mut().flat_map(|m| &mut m.positions) {
            *delta = single(turn * wide(*delta) * frame.scale * 100.0);
        }
    }
    for (index, bone) in character.bones.iter_mut().enumerate() {
        let i = index as f64;
        let own = DQuat::from_euler(glam::EulerRot::ZYX, 2.5 * i, 1.3 * i, 0.7 * i);
        bone.rest = DMat4::from_rotation_translation(own, place(bone.position()));
    }
    character
}

/// The poses as one clip, a frame each.
fn clip(character: &Character, from_canonical: DMat3) -> Clip {
    let locals = character.locals();
    let mut tracks = Vec::new();
    for (joint, (bone, local)) in character.bones.iter().zip(&locals).enumerate() {
        let (local, world) = (DQuat::from_mat4(local), DQuat::from_mat4(&bone.rest));
        let value = |pose: &&[(&str, DVec3, f64)]| {
            let turn = pose.iter().find(|(name, ..)| bone.canonical.as_deref() == Some(name));
            turn.map_or(local, |(_, axis, degrees)| {
                let turn = DQuat::from_axis_angle(from_canonical * *axis, degrees.to_radians());
                local * world.inverse() * turn * world
            })
        };
        tracks.push(Track { joint, values: Values::Rotations(POSES.iter().map(value).collect()) });
    }
    let times = (0..POSES.len()).map(|frame| frame as f32 / 30.0).collect();
    Clip { name: "Poses".to_owned(), times, tracks, morphs: Vec::new() }
}

/// Bones, and corners of triangles in every frame.
fn expectation(character: &Character) -> serde_json::Value {
    let bones: Vec<_> = character
        .bones
        .iter()
        .map(|b| json!({"name": b.name, "parent": b.parent.and_then(|p| character.bones.get(p)).map(|p| &p.name)}))
        .collect();
    let matrices: Vec<Vec<DMat4>> = (0..POSES.len()).map(|frame| skin_matrices(character, frame)).collect();
    let mut meshes = Vec::new();
    for (index, (mesh, influences)) in character.scene.meshes.iter().zip(&character.influences).enumerate() {
        let frame = |matrices: &Vec<DMat4>| {
            let mut bytes = Vec::new();
            for (primitive, influences) in mesh.primitives.iter().zip(influences) {
                let posed: Vec<DVec3> = primitive
                    .positions
                    .iter()
                    .zip(influences.iter())
                    .map(|(p, (joints, weights))| {
                        let p = DVec3::from(p.map(f64::from));
                        let pairs = joints.iter().zip(weights);
                        let sum: f64 = weights.iter().map(|w| f64::from(*w)).sum();
                        pairs
                            .filter_map(|(j, w)| Some((matrices.get(usize::from(*j))?, f64::from(*w) / sum)))
                            .map(|(m, w)| m.transform_point3(p) * w)
                            .sum()
                    })
                    .collect();
                for corner in &primitive.indices {
                    let at = posed.get(*corner as usize).copied().unwrap_or_default();
                    bytes.extend(at.to_array().iter().flat_map(|x| (*x as f32).to_le_bytes()));
                }
            }
            base64::engine::general_purpose::STANDARD.encode(bytes)
        };
        let node = character.scene.nodes.iter().find(|n| n.mesh == Some(index));
        let name = node.map(|n| n.name.as_str()).filter(|n| !n.is_empty()).unwrap_or(&mesh.name);
        meshes.push(json!({"name": name, "frames": matrices.iter().map(frame).collect::<Vec<_>>()}));
    }
    json!({"bones": bones, "meshes": meshes})
}

/// Bone to world in a frame of the clip after the inverse of its rest.
fn skin_matrices(character: &Character, frame: usize) -> Vec<DMat4> {
    let mut worlds: Vec<DMat4> = Vec::new();
    let mut locals = character.locals();
    for track in character.clips.iter().flat_map(|c| &c.tracks) {
        if let (Values::Rotations(list), Some(local)) = (&track.values, locals.get_mut(track.joint))
            && let Some(rotation) = list.get(frame)
        {
            *local = DMat4::from_rotation_translation(*rotation, local.w_axis.truncate());
        }
    }
    for (bone, local) in character.bones.iter().zip(locals) {
        let parent = bone.parent.and_then(|p| worlds.get(p)).copied().unwrap_or(DMat4::IDENTITY);
        worlds.push(parent * local);
    }
    worlds.iter().zip(&character.bones).map(|(world, bone)| *world * bone.rest.inverse()).collect()
}

fn write(path: &str, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|e| Error::new(Code::Io, format!("{path} cannot be written: {e}")))
}
