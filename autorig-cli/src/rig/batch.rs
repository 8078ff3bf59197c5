//! Every model of a folder, one after the other; one that fails does not stop the rest.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use autorig_engine::rig::Options;
use serde_json::{Value, json};

use super::{
    Places, Wanted,
    one::{prepare_folder, rig_one},
};
use crate::{
    args::FileArgs,
    failure::{Exit, Failure, Result},
    interrupt,
    output::{self, Target},
    ui::{Outcome, Ui},
};

/// Extensions of the formats that are read.
const READABLE: [&str; 8] = ["glb", "gltf", "fbx", "obj", "vrm", "stl", "ply", "zip"];

/// Works on every readable model of a folder, into another.
pub(super) fn run(
    files: &FileArgs,
    report: Option<&PathBuf>,
    target: &Target,
    wanted: &Wanted,
    options: &Options,
    ui: &Ui,
) -> Result<Outcome> {
    let Target::Folder(folder) = target else {
        return Err(Failure::usage(
            "output_not_a_folder",
            "a folder of models needs a folder of outputs",
            "end the output in /",
        )
        .about(&files.output));
    };
    if report.is_some() {
        return Err(Failure::usage(
            "report_of_a_batch",
            "--report names one file, and every model has a report",
            "leave --report away; each report is written beside its rig",
        ));
    }
    if same_folder(&files.input, folder) {
        return Err(Failure::usage(
            "output_is_input",
            "the outputs would become inputs of the next run",
            "choose another folder for the outputs",
        )
        .about(folder));
    }
    let inputs = find(&files.input)?;
    let jobs = plan(&inputs, target, wanted)?;
    let places: Vec<_> = jobs.iter().flat_map(|(_, places)| places.all()).collect();
    output::check_free(&places, files.force)?;
    let made = prepare_folder(target)?;
    output::check_parent(&folder.join("x"))?;
    let outcome = work(&jobs, files.force, options, ui);
    if outcome.rigged == 0 {
        made.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
    }
    Ok(outcome.finish(jobs.len(), ui))
}

struct Tally {
    files: Vec<Value>,
    rigged: usize,
    worst: Option<Failure>,
}

impl Tally {
    fn finish(self, total: usize, ui: &Ui) -> Outcome {
        let Self { files, rigged, worst } = self;
        ui.say(&format!("{rigged} of {total} models rigged"));
        let result = json!({ "total": total, "rigged": rigged, "files": files });
        let failure = worst.map(|worst| {
            if worst.exit == Exit::Interrupted {
                return worst;
            }
            let message = format!("{} of {total} models were not rigged", total - rigged);
            Failure::new(worst.exit, "batch_failed", message, "see the errors above, one for each model")
        });
        Outcome { result, failure }
    }
}

fn work(jobs: &[(PathBuf, Places)], force: bool, options: &Options, ui: &Ui) -> Tally {
    let mut tally = Tally { files: Vec::new(), rigged: 0, worst: None };
    for (input, places) in jobs {
        let failure = match interrupt::check().and_then(|()| rig_one(input, places, force, options, ui)) {
            Ok(result) => {
                tally.rigged += 1;
                tally.files.push(json!({ "input": input, "ok": true, "result": result, "error": null }));
                continue;
            }
            Err(failure) => failure,
        };
        let interrupted = failure.exit == Exit::Interrupted;
        if !interrupted {
            ui.fail(&failure);
        }
        tally.files.push(json!({ "input": input, "ok": false, "result": null, "error": failure }));
        if tally.worst.as_ref().is_none_or(|worst| failure.exit.severity() > worst.exit.severity()) {
            tally.worst = Some(failure);
        }
        if interrupted {
            break;
        }
    }
    tally
}

/// The readable models of a folder by name; folders inside are not entered.
fn find(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |error| Failure::io("list the folder", folder, &error);
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || path.is_dir() {
            continue;
        }
        if READABLE.contains(&extension.as_str()) {
            inputs.push(path);
        }
    }
    inputs.sort();
    if inputs.is_empty() {
        return Err(Failure::new(
            Exit::Input,
            "no_models",
            "the folder holds no model",
            "put GLB, glTF, FBX, OBJ, VRM, STL, PLY or ZIP files into it",
        )
        .about(folder));
    }
    Ok(inputs)
}

/// Gives every input its places; two inputs must not share one.
fn plan(inputs: &[PathBuf], target: &Target, wanted: &Wanted) -> Result<Vec<(PathBuf, Places)>> {
    let mut taken: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    let mut jobs = Vec::with_capacity(inputs.len());
    for input in inputs {
        let places = Places::new(target, wanted, input, None);
        for place in places.all() {
            if let Some(other) = taken.insert(place, input) {
                return Err(Failure::usage(
                    "same_output",
                    format!("{} would write the same outputs", other.display()),
                    "rename one of the two",
                )
                .about(input));
            }
        }
        jobs.push((input.clone(), places));
    }
    Ok(jobs)
}

fn same_folder(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
