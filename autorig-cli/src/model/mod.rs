//! The verbs that work on any readable model as it is: `lod`, `animate`, `render`, `validate`.

mod animate;
mod lod;
mod render;
mod validate;

use std::path::{Path, PathBuf};

use autorig_engine::{
    Character, Code, Limits,
    deliver::{self, Output as Key},
    read::read,
    scene::Warning,
};
use serde_json::{Value, json};

pub(crate) use self::{
    animate::run as animate, lod::run as lod, render::run as render, validate::run as validate,
};
use crate::{
    args::Preset,
    failure::{Failure, Result, display_name},
    input, interrupt,
    output::{self, Output, Target},
    ui::{Outcome, Ui},
};

/// Reads a model and tells its warnings.
fn load(path: &Path, ui: &Ui) -> Result<Character> {
    let limits = Limits::default();
    let source = input::open(path, &limits)?;
    let about = |error| Failure::from(error).about(path);
    let scene = read(&source, &limits).map_err(about)?;
    interrupt::check()?;
    let character = Character::from_scene_within(scene, &limits).map_err(about)?;
    for Warning { code, message } in &character.scene.warnings {
        ui.warn(code, message, Some(path));
    }
    interrupt::check()?;
    Ok(character)
}

/// Where the one result of a verb goes.
struct Place {
    target: Target,
    path: PathBuf,
    force: bool,
}

impl Place {
    /// Refuses before any work what could not be written after it.
    fn new(path: &Path, extensions: &[&str], force: bool, ui: &Ui) -> Result<Self> {
        let target = Target::parse(path, extensions)?;
        target.check_stdout(ui)?;
        match &target {
            Target::Folder(folder) => {
                let remedy = format!("name a .{} file", extensions.join(" or ."));
                return Err(Failure::usage("is_a_folder", "the output is a folder", remedy).about(folder));
            }
            Target::File(path, _) => {
                output::check_free(std::slice::from_ref(path), force)?;
                output::check_parent(path)?;
            }
            Target::Stdout => {}
        }
        Ok(Self { target, path: path.to_owned(), force })
    }

    /// The extension of the file; that of stdout is the first one.
    fn extension<'a>(&'a self, first: &'a str) -> &'a str {
        match &self.target {
            Target::File(_, extension) => extension,
            _ => first,
        }
    }

    /// Writes the result and says so. `result` is what `--json` prints, with path and size added.
    fn finish(
        self,
        key: &'static str,
        bytes: Vec<u8>,
        words: &str,
        mut result: Value,
        ui: &Ui,
    ) -> Result<Outcome> {
        interrupt::check()?;
        result["path"] = json!(self.path);
        result["size"] = json!(bytes.len());
        let place = match self.target {
            Target::File(path, _) => {
                let place = display_name(&path);
                output::commit(&[Output { key, path, bytes }], self.force)?;
                place
            }
            _ => {
                ui.result(&bytes)?;
                "stdout".to_owned()
            }
        };
        ui.say(&format!("{words} -> {place}"));
        Ok(Outcome::ok(result))
    }
}

/// A character as the file that a preset, or an extension alone, means.
fn encode(character: &Character, preset: Option<Preset>, extension: &str) -> Result<(Key, Vec<u8>)> {
    let key = preset.unwrap_or_else(|| Preset::of_extension(extension)).output();
    if !key.suffix().ends_with(extension) {
        return Err(Failure::usage(
            "preset_of_another_type",
            format!("this preset does not write .{extension} files"),
            "choose another preset, or another output",
        ));
    }
    let bytes = deliver::file_of(character, key, &deliver::Plan::rig_only()).map_err(Failure::from)?;
    let missing = || autorig_engine::Error::new(Code::InvalidOption, "this file does not fit the model");
    Ok((key, bytes.ok_or_else(|| Failure::from(missing()))?))
}
