//! One model in, its files out.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use autorig_engine::{
    Report, Stage,
    deliver::{self, Output as Key},
    quality::{Quality, Reason},
    rig::Options,
};
use serde_json::{Value, json};

use super::{Places, Wanted};
use crate::{
    args::FileArgs,
    failure::{Failure, Result, display_name},
    input, interrupt,
    output::{self, Output, Target},
    ui::{Outcome, Ui},
};

/// Works on one model.
pub(super) fn run(
    files: &FileArgs,
    report: Option<&PathBuf>,
    target: &Target,
    wanted: &Wanted,
    options: &Options,
    ui: &Ui,
) -> Result<Outcome> {
    let places = Places::new(target, wanted, &files.input, report);
    places.check_distinct()?;
    output::check_free(&places.all(), files.force)?;
    let made = prepare_folder(target)?;
    for path in places.all() {
        output::check_parent(&path)?;
    }
    let result = rig_one(&files.input, &places, files.force, options, ui).map(Outcome::ok);
    if result.is_err() {
        made.iter().rev().for_each(|folder| drop(std::fs::remove_dir(folder)));
    }
    result
}

/// Makes the target's folder and says which folders were made, so that a failure can take them back.
pub(super) fn prepare_folder(target: &Target) -> Result<Vec<std::path::PathBuf>> {
    let Target::Folder(folder) = target else { return Ok(Vec::new()) };
    let mut missing: Vec<_> =
        folder.ancestors().filter(|f| *f != Path::new("") && !f.exists()).map(Path::to_owned).collect();
    missing.reverse();
    std::fs::create_dir_all(folder).map_err(|error| Failure::io("make the folder", folder, &error))?;
    Ok(missing)
}

/// Rigs `input` into `places`; the value is the `result` of the JSON envelope.
pub(super) fn rig_one(
    input: &Path,
    places: &Places,
    force: bool,
    options: &Options,
    ui: &Ui,
) -> Result<Value> {
    let source = input::open(input, &options.limits)?;
    let name = display_name(input);
    ui.start_bar(&name);
    let mut watch = Watch { ui, name: &name, stage: None, places, made: BTreeMap::new() };
    let delivered = deliver::deliver(&source, options, &places.plan, &mut watch)
        .map_err(|error| Failure::from(error).about(input));
    let made = watch.made;
    ui.clear_bar();
    let report = delivered?;
    interrupt::check()?;
    for warning in report.iter().flat_map(|report| &report.warnings) {
        ui.warn(&warning.code, &warning.message, Some(input));
    }
    keep(input, places, force, made, report.as_ref(), ui)
}

fn keep(
    input: &Path,
    places: &Places,
    force: bool,
    mut made: BTreeMap<Key, Vec<u8>>,
    report: Option<&Report>,
    ui: &Ui,
) -> Result<Value> {
    let stdout = places.stdout.and_then(|output| made.remove(&output));
    let outputs: Vec<Output> = made
        .into_iter()
        .filter_map(|(key, bytes)| {
            Some(Output { key: key.key(), path: places.files.get(&key)?.clone(), bytes })
        })
        .collect();
    output::commit(&outputs, force)?;
    if let Some(bytes) = &stdout {
        ui.result(bytes)?;
    }
    let wrote: Vec<_> = outputs.iter().map(|output| output.path.display().to_string()).collect();
    let wrote = if stdout.is_some() { "to stdout".to_owned() } else { wrote.join(", ") };
    let found = report.map(found).unwrap_or_default();
    ui.say(&format!("{}: {found}-> {wrote}", display_name(input)));
    let mut result = json!({
        "input": display_name(input),
        "outputs": outputs.iter().map(|output| json!({
            "key": output.key,
            "path": output.path,
            "size": output.bytes.len(),
        })).collect::<Vec<_>>(),
    });
    if let Some(report) = report {
        result["quality"] = json!({ "verdict": report.quality.verdict, "reasons": report.quality.reasons });
        result["report"] = json!(report);
    }
    Ok(result)
}

/// What a rig found, in a few words.
fn found(report: &Report) -> String {
    let sure = f64::from(report.confidence) * 100.0;
    let (class, joints) = (report.class, report.joints.len());
    format!("{class}, {joints} joints, {sure:.0} % sure, quality {} ", verdict(&report.quality))
}

/// The verdict with its reasons: `review (stretch: leftHand; bleed)`.
fn verdict(quality: &Quality) -> String {
    let reason = |reason: &Reason| match &reason.joints[..] {
        [] => reason.code.clone(),
        joints => format!("{}: {}", reason.code, joints.join(" ")),
    };
    let reasons: Vec<String> = quality.reasons.iter().map(reason).collect();
    let word = quality.verdict.as_str();
    if reasons.is_empty() { word.to_owned() } else { format!("{word} ({})", reasons.join("; ")) }
}

/// Shows progress, keeps the files that have a place, hears Ctrl-C.
struct Watch<'a> {
    ui: &'a Ui,
    name: &'a str,
    stage: Option<Stage>,
    places: &'a Places,
    made: BTreeMap<Key, Vec<u8>>,
}

impl deliver::Sink for Watch<'_> {
    fn file(&mut self, output: Key, bytes: Vec<u8>) -> autorig_engine::Result<()> {
        if self.places.stdout == Some(output) || self.places.files.contains_key(&output) {
            self.made.insert(output, bytes);
        }
        Ok(())
    }

    fn report(&mut self, stage: Stage, fraction: f32) {
        let new_stage = self.stage.replace(stage) != Some(stage);
        self.ui.progress(self.name, stage.as_str(), fraction, new_stage);
    }

    fn cancelled(&self) -> bool {
        interrupt::requested()
    }
}
