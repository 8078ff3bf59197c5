//! `autorig animate`: clips onto a rigged model, from the library or from files.

use std::path::Path;

use autorig_engine::{
    Character, Limits,
    motion::{Clip, bvh, library, retarget},
    read::read,
};
use serde_json::{Value, json};

use super::{Place, encode, load};
use crate::{
    args::AnimateArgs,
    failure::{Exit, Failure, Result, display_name},
    input, interrupt,
    ui::{Outcome, Ui},
};

/// Runs the verb.
pub(crate) fn run(args: &AnimateArgs, ui: &Ui) -> Result<Outcome> {
    if args.list {
        return list(&load(&args.input, ui)?, ui);
    }
    let Some(output) = &args.output else {
        return Err(Failure::usage("output_missing", "there is no output", "add -o FILE, or --list"));
    };
    let place = Place::new(output, &["glb", "fbx"], args.force, ui)?;
    let mut character = load(&args.input, ui)?;
    if character.bones.is_empty() {
        let failure =
            Failure::new(Exit::Input, "not_rigged", "the model has no skeleton", "rig it first: autorig rig");
        return Err(failure.about(&args.input));
    }
    let mut clips = Vec::new();
    for wanted in &args.clip {
        interrupt::check()?;
        clips.extend(find(wanted, &character, ui)?);
    }
    if args.clip.is_empty() {
        clips = library::clips(&character);
    }
    if !args.keep {
        character.clips.clear();
    }
    character.clips.extend(clips);
    number_twins(&mut character.clips);
    let (key, bytes) = encode(&character, args.preset, place.extension("glb"))?;
    let names: Vec<&str> = character.clips.iter().map(|clip| clip.name.as_str()).collect();
    let words = format!("{}: {} clips: {}", display_name(&args.input), names.len(), names.join(", "));
    let result = json!({ "input": display_name(&args.input), "clips": describe(&character.clips) });
    place.finish(key.key(), bytes, &words, result, ui)
}

fn list(character: &Character, ui: &Ui) -> Result<Outcome> {
    let clips = library::clips(character);
    if !ui.is_json() {
        let lines: Vec<String> =
            clips.iter().map(|c| format!("{:<24}{:>6.2} s\n", c.name, c.duration())).collect();
        ui.result(lines.concat().as_bytes())?;
    }
    Ok(Outcome::ok(json!({ "library": describe(&clips), "own": describe(&character.clips) })))
}

fn describe(clips: &[Clip]) -> Value {
    clips.iter().map(|clip| json!({ "name": clip.name, "seconds": clip.duration() })).collect()
}

/// A clip of the library, or those of a file, on this character.
fn find(wanted: &str, character: &Character, ui: &Ui) -> Result<Vec<Clip>> {
    if let Some(clip) = library::clip(character, wanted) {
        return Ok(vec![clip]);
    }
    let path = Path::new(wanted);
    if path.extension().is_none() {
        let names: Vec<String> = library::clips(character).into_iter().map(|clip| clip.name).collect();
        return Err(Failure::usage(
            "unknown_clip",
            format!("there is no clip named {wanted}"),
            format!("choose one of {}, or name a BVH, GLB or FBX file", names.join(", ")),
        ));
    }
    let source = motion_of(path, ui)?;
    if source.clips.is_empty() {
        let failure = Failure::new(
            Exit::Input,
            "no_clips",
            "the file holds no motion",
            "name a file with an animation",
        );
        return Err(failure.about(path));
    }
    let on_this = |clip| retarget(&source, clip, character).map_err(|error| Failure::from(error).about(path));
    source.clips.iter().map(on_this).collect()
}

/// The skeleton and the clips of a file.
fn motion_of(path: &Path, ui: &Ui) -> Result<Character> {
    let limits = Limits::default();
    let about = |error| Failure::from(error).about(path);
    let source = input::open(path, &limits)?;
    let character = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("bvh")) {
        bvh::read(&source.name, &source.bytes, &limits)
    } else {
        read(&source, &limits).and_then(|scene| Character::from_scene_within(scene, &limits))
    }
    .map_err(about)?;
    for warning in &character.scene.warnings {
        ui.warn(&warning.code, &warning.message, Some(path));
    }
    Ok(character)
}

/// Two clips of one name would be one in many programs.
fn number_twins(clips: &mut [Clip]) {
    let mut seen = std::collections::BTreeMap::new();
    for clip in clips {
        let count = seen.entry(clip.name.clone()).or_insert(0_u32);
        *count += 1;
        if *count > 1 {
            clip.name = format!("{}_{count}", clip.name);
        }
    }
}
