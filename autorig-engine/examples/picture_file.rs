//! Pictures of a model.
//!
//! ```text
//! cargo run --release -p autorig-engine --example picture_file -- IN OUT.png [SIZE] [--rig]
//! ```
//!
//! With `--rig` the model is rigged first, and `OUT_skeleton.png` and `OUT_heat.png` are written beside.

use std::{error::Error, path::Path};

use autorig_engine::{
    Character, Limits, Options, Silent,
    read::{Source, read},
    render, rig_scene,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let rigged = arguments.iter().any(|a| a == "--rig");
    arguments.retain(|a| a != "--rig");
    let [input, output, rest @ ..] = arguments.as_slice() else {
        return Err("usage: picture_file IN OUT.png [SIZE] [--rig]".into());
    };
    let size = rest.first().map_or(Ok(512), |s| s.parse())?;
    let limits = Limits::default();
    let scene = read(&Source::open(Path::new(input), &limits)?, &limits)?;
    let character = if rigged {
        Character::from_rig(&rig_scene(scene, &Options::default(), &mut Silent)?)
    } else {
        Character::from_scene_within(scene, &limits)?
    };
    std::fs::write(output, render::thumbnail(&character, size)?.to_png()?)?;
    if rigged {
        let beside = |what: &str| output.replace(".png", &format!("_{what}.png"));
        std::fs::write(beside("skeleton"), render::skeleton_picture(&character, size)?.to_png()?)?;
        let bone = character.find("leftUpperArm").unwrap_or(0);
        std::fs::write(beside("heat"), render::heat_map(&character, bone, size)?.to_png()?)?;
    }
    Ok(())
}
