//! One model in, its files out.

use std::path::Path;

use autorig_engine::{
    Progress, Rig, Stage,
    quality::{Quality, Reason},
    rig::{Options, rig},
    scene::Scene,
    write::scene_glb,
};
use serde_json::{Value, json};

use super::{PREPARED, Places, REPORT, RIGGED};
use crate::{
    args::RigArgs,
    failure::{Failure, Result, display_name},
    input, interrupt,
    output::{self, Output, Target},
    ui::{Outcome, Ui},
};

/// Rigs the one model of `args`.
pub(super) fn run(args: &RigArgs, target: &Target, options: &Options, ui: &Ui) -> Result<Outcome> {
    let places = Places::new(target, &args.input, args.report.as_ref());
    places.check_distinct()?;
    output::check_free(&places.all(), args.force)?;
    let made = prepare_folder(target)?;
    for path in places.all() {
        output::check_parent(&path)?;
    }
    let result = rig_one(&args.input, &places, args.force, options, ui).map(Outcome::ok);
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
    let mut watch =
        Watch { ui, name: &name, stage: None, wants_prepared: places.prepared.is_some(), prepared: None };
    let made = rig(&source, options, &mut watch)
        .and_then(|rig| Ok((rig.to_glb()?, rig)))
        .map_err(|error| Failure::from(error).about(input));
    let prepared = watch.prepared.take();
    ui.clear_bar();
    let (glb, rig) = made?;
    interrupt::check()?;
    for warning in &rig.report.warnings {
        ui.warn(&warning.code, &warning.message, Some(input));
    }
    deliver(input, places, force, glb, prepared, &rig, ui)
}

fn deliver(
    input: &Path,
    places: &Places,
    force: bool,
    glb: Vec<u8>,
    prepared: Option<Vec<u8>>,
    rig: &Rig,
    ui: &Ui,
) -> Result<Value> {
    let report = report_json(rig)?;
    let mut outputs = Vec::new();
    let mut stdout = None;
    match &places.rigged {
        Some(path) => outputs.push(Output { key: RIGGED, path: path.clone(), bytes: glb }),
        None => stdout = Some(glb),
    }
    if let (Some(path), Some(bytes)) = (&places.prepared, prepared) {
        outputs.push(Output { key: PREPARED, path: path.clone(), bytes });
    }
    if let Some(path) = &places.report {
        outputs.push(Output { key: REPORT, path: path.clone(), bytes: report });
    }
    output::commit(&outputs, force)?;
    if let Some(glb) = stdout {
        ui.result(&glb)?;
    }
    let joints = rig.report.joints.len();
    let sure = f64::from(rig.report.confidence) * 100.0;
    let wrote: Vec<_> = outputs.iter().map(|output| output.path.display().to_string()).collect();
    let wrote = if places.rigged.is_none() { "to stdout".to_owned() } else { wrote.join(", ") };
    ui.say(&format!(
        "{}: {}, {joints} joints, {sure:.0} % sure, quality {} -> {wrote}",
        display_name(input),
        rig.report.class,
        verdict(&rig.report.quality),
    ));
    Ok(json!({
        "input": display_name(input),
        "outputs": outputs.iter().map(|output| json!({
            "key": output.key,
            "path": output.path,
            "size": output.bytes.len(),
        })).collect::<Vec<_>>(),
        "quality": {
            "verdict": rig.report.quality.verdict,
            "reasons": rig.report.quality.reasons,
        },
        "report": rig.report,
    }))
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

/// The report as it is delivered: pretty, with a final newline.
fn report_json(rig: &Rig) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(&rig.report).map_err(|error| {
        Failure::from(autorig_engine::Error::new(
            autorig_engine::Code::Internal,
            format!("the report cannot be written: {error}"),
        ))
    })?;
    text.push(b'\n');
    Ok(text)
}

/// Shows progress, keeps the prepared model, hears Ctrl-C.
struct Watch<'a> {
    ui: &'a Ui,
    name: &'a str,
    stage: Option<Stage>,
    wants_prepared: bool,
    prepared: Option<Vec<u8>>,
}

impl Progress for Watch<'_> {
    fn report(&mut self, stage: Stage, fraction: f32) {
        let new_stage = self.stage.replace(stage) != Some(stage);
        self.ui.progress(self.name, stage.as_str(), fraction, new_stage);
    }

    fn prepared(&mut self, scene: &Scene) -> autorig_engine::Result<()> {
        if self.wants_prepared {
            self.prepared = Some(scene_glb(scene)?);
        }
        Ok(())
    }

    fn cancelled(&self) -> bool {
        interrupt::requested()
    }
}
