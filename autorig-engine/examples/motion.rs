//! Measures the clip library: sliding feet, seams of loops, what goes through the floor.
//!
//! ```text
//! cargo run --release -p autorig-engine --example motion -- [--from FILE|SAMPLE] [--clip NAME] [--poses DIR] [FILE|SAMPLE]…
//! ```
//!
//! Without files the generated characters are measured. A file is rigged first. With `--from` the clips of that character
//! are put onto the others instead. `--clip` measures one clip. `--poses` writes, for each character, the places of the
//! bones in every keyframe as JSON, to be drawn.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::print_stderr, reason = "it talks to people")]

use std::{path::Path, process::ExitCode};

use autorig_engine::{
    Character, Code, Error, Options, Result, Rig, Silent,
    motion::{Clip, library, measure, retarget::retarget},
    read::Source,
    rig, rig_scene,
    sample::{Sample, generate},
};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut names, mut wanted) = (Vec::new(), Wanted::default());
    while let Some(word) = arguments.next() {
        match word.as_str() {
            "--poses" => wanted.poses = arguments.next(),
            "--from" => wanted.from = arguments.next(),
            "--clip" => wanted.clip = arguments.next(),
            _ => names.push(word),
        }
    }
    if names.is_empty() {
        names = Sample::ALL.iter().map(|s| s.name().to_owned()).collect();
    }
    println!(
        "character            clip                  s  keys tracks  slide cm/step  steps  seam °  sunk cm  raised cm"
    );
    for name in &names {
        if let Err(error) = character(name, &wanted) {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What is measured of every character.
#[derive(Default)]
struct Wanted {
    poses: Option<String>,
    from: Option<String>,
    clip: Option<String>,
}

fn load(name: &str) -> Result<Rig> {
    match Sample::ALL.iter().find(|s| s.name() == name) {
        Some(sample) => rig_scene(generate(*sample, None)?, &Options::default(), &mut Silent),
        None => {
            rig(&Source::open(Path::new(name), &Options::default().limits)?, &Options::default(), &mut Silent)
        }
    }
}

fn character(name: &str, wanted: &Wanted) -> Result<()> {
    let character = Character::from_rig(&load(name)?);
    let short = Path::new(name).parent().and_then(Path::file_name).unwrap_or_else(|| name.as_ref());
    let short = if short.is_empty() { name } else { &*short.to_string_lossy() };
    let ends = ["leftFoot", "rightFoot", "leftHindFoot", "rightHindFoot", "leftFrontFoot", "rightFrontFoot"];
    let feet: Vec<usize> = ends.iter().filter_map(|n| character.find(n)).collect();
    let mut clips = match &wanted.from {
        Some(from) => {
            let source = Character::from_rig(&load(from)?);
            let clips = library::clips(&source);
            clips.iter().map(|clip| retarget(&source, clip, &character)).collect::<Result<Vec<Clip>>>()?
        }
        None => library::clips(&character),
    };
    clips.retain(|c| wanted.clip.as_deref().is_none_or(|name| c.name == name));
    for clip in &clips {
        let m = measure::measure(&character, clip, &feet);
        println!(
            "{short:<20} {:<18} {:>5.2} {:>5} {:>6} {:>14.2} {:>6} {:>7.3} {:>8.2} {:>10.2}",
            clip.name,
            clip.duration(),
            clip.times.len(),
            clip.tracks.len(),
            m.slide_cm,
            m.steps,
            m.seam_degrees,
            m.sunk_cm,
            m.raised_cm
        );
    }
    match &wanted.poses {
        Some(folder) => write(&format!("{folder}/{short}.json"), &drawn(&character, &clips)),
        None => Ok(()),
    }
}

/// Places of the bones in canonical space.
fn drawn(character: &Character, clips: &[Clip]) -> serde_json::Value {
    let rest = measure::rest(character);
    let clip = |clip: &Clip| {
        let even = clip.resampled(library::RATE as f32);
        let frames: Vec<Vec<[f64; 3]>> = even
            .times
            .iter()
            .map(|t| {
                let world = measure::world(character, &even.sample(*t, &rest));
                world.iter().map(|m| character.frame.to_canonical(m.w_axis.truncate()).into()).collect()
            })
            .collect();
        serde_json::json!({"name": clip.name, "frames": frames})
    };
    let bones: Vec<_> = character.bones.iter().map(|b| serde_json::json!([b.name, b.parent])).collect();
    serde_json::json!({"bones": bones, "clips": clips.iter().map(clip).collect::<Vec<_>>()})
}

fn write(path: &str, value: &serde_json::Value) -> Result<()> {
    std::fs::write(path, value.to_string())
        .map_err(|e| Error::new(Code::Io, format!("{path} cannot be written: {e}")))
}
