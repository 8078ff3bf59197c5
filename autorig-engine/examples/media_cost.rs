//! What pictures, video and levels of detail cost: seconds, and the peak of the process's memory so far.
//!
//! ```text
//! cargo run --release -p autorig-engine --example media_cost -- [IN] [--out FOLDER]
//! ```
//!
//! Without `IN` the engine's own human of 30,000 triangles is rigged first. The files go to the folder, if one is named.

#![expect(clippy::print_stdout, reason = "it talks to people")]

use std::{error::Error, path::PathBuf, time::Instant};

use autorig_engine::{
    Character, Limits, Options, Silent, lod,
    read::{Source, read},
    render, rig_scene, sample,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut input, mut folder) = (None, None);
    while let Some(argument) = arguments.next() {
        if argument == "--out" {
            folder = arguments.next().map(PathBuf::from);
        } else {
            input = Some(PathBuf::from(argument));
        }
    }
    let scene = match &input {
        Some(path) => read(&Source::open(path, &Limits::default())?, &Limits::default())?,
        None => sample::generate(sample::Sample::Human, Some(30_000))?,
    };
    let start = Instant::now();
    let rig = rig_scene(scene, &Options::default(), &mut Silent)?;
    let character = Character::from_rig(&rig);
    let write = |name: &str, bytes: &[u8]| match &folder {
        Some(folder) => std::fs::write(folder.join(name), bytes),
        None => Ok(()),
    };
    println!("{} triangles, {} clips", character.scene.triangle_count(), character.clips.len());
    println!("{:<16} {:>8} {:>8}  {:>10}", "what", "seconds", "peak MB", "bytes");
    line("rig", start, 0);
    let start = Instant::now();
    let thumbnail = render::thumbnail(&character, 512)?.to_png()?;
    line("thumbnail", start, thumbnail.len());
    write("thumbnail.png", &thumbnail)?;
    let start = Instant::now();
    let skeleton = render::skeleton_picture(&character, 512)?.to_png()?;
    line("skeleton", start, skeleton.len());
    write("skeleton.png", &skeleton)?;
    let start = Instant::now();
    let bone = character.find("leftUpperArm").unwrap_or(0);
    let heat = render::heat_map(&character, bone, 512)?.to_png()?;
    line("heat map", start, heat.len());
    write("heat.png", &heat)?;
    for (name, target) in [("lod 50 %", 2), ("lod 10 %", 10), ("lod 3 %", 30)] {
        let start = Instant::now();
        let (level, report) = lod::simplify(&character, character.scene.triangle_count() / target)?;
        line(name, start, 0);
        println!("  {}", serde_json::to_string(&report)?);
        write(&format!("lod{target}.png"), &render::thumbnail(&level, 512)?.to_png()?)?;
    }
    let start = Instant::now();
    let video = render::video(&character, &render::VideoOptions::default())?;
    line("video", start, video.bytes.len());
    println!("  {} pictures, {}", video.frames, video.mime);
    write(&format!("video.{}", video.extension), &video.bytes)?;
    Ok(())
}

fn line(what: &str, start: Instant, bytes: usize) {
    println!("{what:<16} {:>8.3} {:>8}  {bytes:>10}", start.elapsed().as_secs_f64(), peak_megabytes());
}

/// Of the process, as Linux counts it; 0 elsewhere.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    peak.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
