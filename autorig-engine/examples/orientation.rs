//! Turns every character of a folder, rigs each turn, and says how far the joints move and which way up is found.
//!
//! `cargo run --release -p autorig-engine --example orientation -- ../shared/rigbench/dev [--poses N | --full]
//!   [--only NAME] [--limit PERCENT] [--fingers]`
//!
//! The folder has a folder per character with `mesh.glb` and `truth.json` (`up`, `forward`; absent for those that have none).
//! Each is turned by the cube's 24 rotations, each with another yaw and tilt (`--poses`: that many of them; `--full`: each
//! turn with each of 12 yaws), some also scaled and moved. Deviations are those of the joints after turning back, in percent of the height. Leaves with 1 when a
//! character that is right side up as given is not, or when a turn moves a joint by more than the limit (0.1).

use std::{error::Error, fs, path::Path, process::ExitCode};

use autorig_engine::{
    Class, Limits, Options,
    analyse::{Body, analyse, orientation::cube_rotations},
    read::{self, Source},
    rig::Fingers,
    scene::{Node, Scene},
    skeleton::fit::fit,
};
use glam::{DMat3, DMat4, DQuat, DVec3};

/// What to do with each character.
struct Call {
    /// Ways to present it.
    count: usize,
    /// Percent of the height that a joint may move.
    limit: f64,
    fingers: Fingers,
}

/// One way to present a character.
struct Pose {
    turn: DQuat,
    scale: f64,
    offset: DVec3,
}

/// What was found, in the frame of the character as given.
struct Found {
    joints: Vec<(String, DVec3)>,
    up: DVec3,
    forward: DVec3,
    height: f64,
    confidence: f32,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name the folder of the characters")?;
    let (mut only, mut call) = (String::new(), Call { count: 24, limit: 0.1, fingers: Fingers::None });
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--fingers" => call.fingers = Fingers::Auto,
            "--full" => call.count = 24 * 12,
            "--poses" => call.count = arguments.next().ok_or("--poses needs a number")?.parse()?,
            "--only" => only = arguments.next().unwrap_or_default(),
            "--limit" => call.limit = arguments.next().ok_or("--limit needs a number")?.parse()?,
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    let mut cases: Vec<_> = fs::read_dir(&folder)?.filter_map(|e| Some(e.ok()?.path())).collect();
    cases.retain(|p| p.join("mesh.glb").is_file() && p.to_string_lossy().contains(&only));
    cases.sort();
    let (mut wrong, mut moved, mut runs) = (0, 0, 0);
    for case in &cases {
        let (w, m, r) = sweep(case, &call)?;
        (wrong, moved, runs) = (wrong + w, moved + m, runs + r);
    }
    show(&format!(
        "{} characters, {runs} runs: {wrong} not upright and forward, {moved} moved over {} %",
        cases.len(),
        call.limit
    ));
    Ok(if wrong + moved == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one character in every pose: how many were wrong, how many moved too far, how many ran.
fn sweep(case: &Path, call: &Call) -> Result<(usize, usize, usize), Box<dyn Error>> {
    let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let truth: serde_json::Value = serde_json::from_slice(&fs::read(case.join("truth.json"))?)?;
    let direction = |key: &str| -> Option<DVec3> {
        Some(DVec3::from(serde_json::from_value::<[f64; 3]>(truth[key].clone()).ok()?))
    };
    let truth = direction("up").zip(direction("forward"));
    let scene = read::read(&Source::open(&case.join("mesh.glb"), &Limits::default())?, &Limits::default())?;
    let still = Pose { turn: DQuat::IDENTITY, scale: 1.0, offset: DVec3::ZERO };
    let given = find(&scene, &still, call.fingers)?;
    let upright = |found: &Found| {
        truth.is_none_or(|(up, forward)| {
            found.up.dot(up).min(found.forward.dot(forward)) > std::f64::consts::FRAC_1_SQRT_2
        })
    };
    let poses = poses(call.count, 1.75 / given.height);
    let (mut wrong, mut moved, mut worst, mut least) =
        (usize::from(!upright(&given)), 0, (0.0, String::new()), given.confidence);
    for pose in &poses {
        let found = find(&scene, pose, call.fingers)?;
        wrong += usize::from(!upright(&found));
        least = least.min(found.confidence);
        let far = deviation(&given, &found);
        moved += usize::from(far.0 > call.limit);
        if far.0 > worst.0 {
            worst = far;
        }
    }
    let off = truth.map_or(String::new(), |(up, forward)| {
        let degrees = |a: DVec3, b: DVec3| libm::acos(a.dot(b).min(1.0)).to_degrees();
        format!("up {:3.0}° forward {:3.0}° off", degrees(given.up, up), degrees(given.forward, forward))
    });
    show(&format!(
        "{name:24} {off:26} confidence {:.2} to {least:.2}; {wrong:3} wrong, {moved:3} moved, worst {:8.4} % {}",
        given.confidence, worst.0, worst.1
    ));
    Ok((wrong, moved, poses.len() + 1))
}

/// The cube's rotations with yaws before and a tilt after, some scaled and moved; `metre` makes the character 1.75 units tall.
fn poses(count: usize, metre: f64) -> Vec<Pose> {
    let yaws = 12;
    let one = |i: usize, k: usize, turn: &DMat3| {
        let step = (i * yaws + k) as f64;
        let yaw = DQuat::from_rotation_y((k as f64 * 30.0 + 7.0).to_radians());
        let tilt = DQuat::from_axis_angle(
            DVec3::new(libm::sin(step * 0.9), libm::cos(step * 0.4), 0.3).normalize(),
            ((step * 7.0) % 20.0).to_radians(),
        );
        let unit = [1.0, 1e-3, 1e3, 0.01, 25.4][(i + k) % 5];
        let offset =
            if (i + k).is_multiple_of(3) { DVec3::new(30.0, -20.0, 10.0) * unit } else { DVec3::ZERO };
        Pose { turn: tilt * DQuat::from_mat3(turn) * yaw, scale: unit * metre, offset }
    };
    let turns = cube_rotations();
    if count > turns.len() {
        let all = turns.iter().enumerate().flat_map(|(i, t)| (0..yaws).map(move |k| (i, k, t)));
        return all.map(|(i, k, t)| one(i, k, t)).take(count).collect();
    }
    // Spread over the turns: 7 and 24 have no common divisor.
    (0..count).map(|n| (n * 7 + 5) % turns.len()).map(|i| one(i, i * 5 % yaws, &turns[i])).collect()
}

fn find(scene: &Scene, pose: &Pose, fingers: Fingers) -> Result<Found, Box<dyn Error>> {
    let mut scene = scene.clone();
    let matrix = DMat4::from_scale_rotation_translation(DVec3::splat(pose.scale), pose.turn, pose.offset);
    let children = std::mem::take(&mut scene.roots);
    scene.roots = vec![scene.nodes.len()];
    scene.nodes.push(Node { local: matrix, children, ..Default::default() });
    let body: Body = analyse(&scene.flatten(&Limits::default())?, None)?;
    let options = Options { class: Class::Humanoid, fingers, ..Options::default() };
    let back = matrix.inverse();
    let joints = fit(&body, &options)?.skeleton.joints;
    let direction = |i: usize| pose.turn.inverse() * body.frame.rotation.row(i);
    Ok(Found {
        joints: joints.into_iter().map(|j| (j.name, back.transform_point3(j.position))).collect(),
        up: direction(1),
        forward: direction(2),
        height: body.height / body.frame.scale / pose.scale,
        confidence: body.orientation_confidence,
    })
}

/// The largest distance between joints of one name, in percent of the height, and whose it is.
fn deviation(a: &Found, b: &Found) -> (f64, String) {
    let mut worst = (0.0, String::new());
    for (name, p) in &a.joints {
        // A joint that is not there any more is far away.
        let there = b.joints.iter().find(|(other, _)| other == name);
        let far = there.map_or(100.0, |(_, q)| p.distance(*q) / a.height * 100.0);
        if far > worst.0 {
            worst = (far, name.clone());
        }
    }
    worst
}

#[expect(clippy::print_stdout, reason = "a program that prints its findings")]
fn show(line: &str) {
    println!("{line}");
}
