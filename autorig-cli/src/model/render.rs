//! `autorig render`: a picture or a video of a model.

use autorig_engine::{
    Character,
    motion::library,
    render::{VideoOptions, heat_map, skeleton_picture, thumbnail, video},
};
use serde_json::json;

use super::{Place, load};
use crate::{
    args::RenderArgs,
    failure::{Failure, Result, display_name},
    ui::{Outcome, Ui},
};

/// Runs the verb.
pub(crate) fn run(args: &RenderArgs, ui: &Ui) -> Result<Outcome> {
    let place = Place::new(&args.output, &["png", "webp", "mp4"], args.force, ui)?;
    let mut character = load(&args.input, ui)?;
    let about = |error| Failure::from(error).about(&args.input);
    let extension = place.extension("png").to_owned();
    let name = display_name(&args.input);
    if extension == "mp4" {
        let clip = args.clip.as_deref().map(|name| find(&mut character, name)).transpose()?;
        // Without a clip of its own a character shows one of the library's.
        if clip.is_none() && character.clips.is_empty() {
            character
                .clips
                .extend(library::clip(&character, "walk").or_else(|| library::clip(&character, "idle")));
        }
        let size = args.size.unwrap_or(VideoOptions::default().size);
        let made =
            video(&character, &VideoOptions { size, clip, ..VideoOptions::default() }).map_err(about)?;
        if made.extension != extension {
            return Err(Failure::usage(
                "unsupported_output",
                "this build has no H.264 encoder",
                format!("build it with the feature h264, or name a .{} file", made.extension),
            ));
        }
        let words = format!("{name}: {} pictures of {size} × {size}", made.frames);
        let result = json!({ "input": name, "frames": made.frames, "width": size, "height": size });
        return place.finish("video", made.bytes, &words, result, ui);
    }
    let size = args.size.unwrap_or(768);
    let picture = match &args.weights {
        Some(bone) => heat_map(&character, bone_of(&character, bone)?, size),
        None if args.skeleton => skeleton_picture(&character, size),
        None => thumbnail(&character, size),
    }
    .map_err(about)?;
    let bytes = if extension == "webp" { picture.to_webp() } else { picture.to_png() }.map_err(about)?;
    let result = json!({ "input": name, "width": size, "height": size });
    place.finish("thumbnail", bytes, &format!("{name}: {size} × {size}"), result, ui)
}

/// The clip of this name; one of the library is added.
fn find(character: &mut Character, name: &str) -> Result<usize> {
    if let Some(index) = character.clips.iter().position(|clip| clip.name == name) {
        return Ok(index);
    }
    let Some(clip) = library::clip(character, name) else {
        let mut names: Vec<String> = character.clips.iter().map(|clip| clip.name.clone()).collect();
        names.extend(library::clips(character).into_iter().map(|clip| clip.name));
        let remedy = if names.is_empty() {
            "the model has no clips".into()
        } else {
            format!("choose one of {}", names.join(", "))
        };
        return Err(Failure::usage("unknown_clip", format!("there is no clip named {name}"), remedy));
    };
    character.clips.push(clip);
    Ok(character.clips.len() - 1)
}

fn bone_of(character: &Character, name: &str) -> Result<usize> {
    let place = character.bones.iter().position(|bone| bone.name == name).or_else(|| character.find(name));
    place.ok_or_else(|| {
        let names: Vec<&str> = character.bones.iter().take(80).map(|bone| bone.name.as_str()).collect();
        let remedy = if names.is_empty() {
            "rig the model first".into()
        } else {
            format!("choose one of {}", names.join(", "))
        };
        Failure::usage("unknown_joint", format!("there is no joint named {name}"), remedy)
    })
}
