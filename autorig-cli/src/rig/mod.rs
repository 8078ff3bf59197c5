//! `autorig rig`: one model, or every model of a folder.

mod batch;
pub(crate) mod joints;
pub(crate) mod licence;
mod one;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use autorig_core::task::safe_stem;
use autorig_engine::{
    deliver::{Output, Plan},
    rig::Options,
};

use crate::{
    args::{FileArgs, Preset, RigArgs},
    failure::{Failure, Result},
    input::file_name,
    output::Target,
    ui::{Outcome, Ui},
};

/// Runs `rig`.
pub(crate) fn run(args: &RigArgs, ui: &Ui) -> Result<Outcome> {
    let files = &args.files;
    work(files, args.report.as_ref(), &options(args)?, ui, |target| {
        let (main, asked) = asked(files, target)?;
        let plan = if !matches!(target, Target::Folder(_)) {
            Plan { required: [].into(), optional: [].into(), ..Plan::rig_only() }.with([main])
        } else if files.outputs.is_empty() {
            Plan::full()
        } else {
            Plan::rig_only()
        };
        Ok(Wanted { main, plan: plan.with(asked) })
    })
}

/// Runs `convert`: the same without rigging.
pub(crate) fn convert(files: &FileArgs, ui: &Ui) -> Result<Outcome> {
    let options = Options { threads: files.threads.map(usize::from), ..Options::default() };
    work(files, None, &options, ui, |target| {
        let (main, asked) = asked(files, target)?;
        let several = matches!(target, Target::Folder(_)) && !asked.is_empty();
        Ok(Wanted { main, plan: Plan::convert(if several { asked } else { vec![main] }) })
    })
}

fn work(
    files: &FileArgs,
    report: Option<&PathBuf>,
    options: &Options,
    ui: &Ui,
    wanted: impl FnOnce(&Target) -> Result<Wanted>,
) -> Result<Outcome> {
    let target = Target::parse(&files.output, &["glb", "fbx", "vrm"])?;
    target.check_stdout(ui)?;
    let mut wanted = wanted(&target)?;
    wanted.plan = worded(wanted.plan, files)?.viewer_template(autorig_server::viewer_template());
    if files.input.is_dir() {
        batch::run(files, report, &target, &wanted, options, ui)
    } else {
        one::run(files, report, &target, &wanted, options, ui)
    }
}

/// The plan with the user's names, levels and licence.
fn worded(plan: Plan, files: &FileArgs) -> Result<Plan> {
    let mut plan = match &files.lods {
        Some(lods) => plan.levels(&lods.iter().copied().flatten().collect::<Vec<_>>()),
        None => plan,
    };
    plan.names = files.names.map(Preset::name);
    if let Some(path) = &files.vrm_meta {
        plan.vrm_meta = licence::read(path)?;
    }
    Ok(plan)
}

/// The one file that the target or the preset means, and what is asked for by name.
fn asked(files: &FileArgs, target: &Target) -> Result<(Output, Vec<Output>)> {
    let FileArgs { preset, outputs, .. } = files;
    let extension = match target {
        Target::File(_, extension) => extension.as_str(),
        _ => "",
    };
    let main = preset.unwrap_or_else(|| Preset::of_extension(extension)).output();
    if let Target::File(path, extension) = target
        && !main.suffix().ends_with(&format!(".{extension}"))
    {
        let right = main.suffix().rsplit('.').next().unwrap_or_default();
        return Err(Failure::usage(
            "preset_of_another_type",
            format!("this preset writes .{right} files, not .{extension}"),
            format!("end the output in .{right}, or choose another preset"),
        )
        .about(path));
    }
    if !matches!(target, Target::Folder(_)) && !outputs.is_empty() {
        return Err(Failure::usage(
            "outputs_need_a_folder",
            "--outputs names several files, and the output is one",
            "end the output in /, or leave --outputs away",
        ));
    }
    Ok((main, preset.map(Preset::output).into_iter().chain(outputs.iter().copied()).collect()))
}

/// What is made, whatever of it is kept.
struct Wanted {
    /// The one file that is not for a folder.
    main: Output,
    plan: Plan,
}

fn options(args: &RigArgs) -> Result<Options> {
    Ok(Options {
        class: args.class.into(),
        joints: args.joints.as_deref().map(joints::read).transpose()?.unwrap_or_default(),
        influences: args.influences.into(),
        fingers: args.fingers.into(),
        extra_chains: args.extra_chains.into(),
        eyes: args.eyes.into(),
        symmetry: args.symmetry.into(),
        rest_pose: args.rest_pose.into(),
        existing: args.existing.into(),
        threads: args.files.threads.map(usize::from),
        ..Options::default()
    })
}

/// Where the files of a rig go.
struct Places {
    files: BTreeMap<Output, PathBuf>,
    /// What goes to stdout.
    stdout: Option<Output>,
    plan: Plan,
}

impl Places {
    fn new(target: &Target, wanted: &Wanted, input: &Path, report: Option<&PathBuf>) -> Self {
        let stem = safe_stem(&file_name(input));
        let plan = wanted.plan.clone().named(&stem);
        let (mut files, mut stdout) = (BTreeMap::new(), None);
        match target {
            Target::Stdout => stdout = Some(wanted.main),
            Target::File(path, _) => drop(files.insert(wanted.main, path.clone())),
            Target::Folder(folder) => {
                files.extend(plan.outputs().map(|o| (o, folder.join(format!("{stem}{}", o.suffix())))));
            }
        }
        if let Some(report) = report {
            files.insert(Output::ReportJson, report.clone());
        }
        Self { files, stdout, plan }
    }

    fn all(&self) -> Vec<PathBuf> {
        self.files.values().cloned().collect()
    }

    /// Two outputs of one name would overwrite each other.
    fn check_distinct(&self) -> Result<()> {
        let mut paths = self.all();
        let before = paths.len();
        paths.sort();
        paths.dedup();
        if paths.len() == before {
            return Ok(());
        }
        Err(Failure::usage(
            "same_output",
            "two outputs have the same name",
            "give the report a name of its own",
        ))
    }
}
