//! `autorig rig`: one model, or every model of a folder.

mod batch;
mod joints;
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
    args::{ConvertArgs, Preset, RigArgs},
    failure::{Failure, Result},
    input::file_name,
    output::Target,
    ui::{Outcome, Ui},
};

/// Runs the verb.
pub(crate) fn run(args: &RigArgs, ui: &Ui) -> Result<Outcome> {
    let target = Target::parse(&args.output, &["glb", "fbx", "vrm"])?;
    target.check_stdout(ui)?;
    let wanted = Wanted::new(args, &target)?;
    let options = options(args)?;
    let task = Task { input: &args.input, report: args.report.as_ref(), force: args.force };
    if args.input.is_dir() {
        batch::run(&task, &args.output, &target, &wanted, &options, ui)
    } else {
        one::run(&task, &target, &wanted, &options, ui)
    }
}

/// Runs `convert`: the same without rigging.
pub(crate) fn convert(args: &ConvertArgs, ui: &Ui) -> Result<Outcome> {
    let target = Target::parse(&args.output, &["glb", "fbx", "vrm"])?;
    target.check_stdout(ui)?;
    let (main, asked) = asked(args.preset, &args.outputs, &target)?;
    let asked = if matches!(target, Target::Folder(_)) && !asked.is_empty() { asked } else { vec![main] };
    let wanted = Wanted { main, plan: Plan::convert(asked) };
    let options = Options { threads: args.threads.map(usize::from), ..Options::default() };
    let task = Task { input: &args.input, report: None, force: args.force };
    if args.input.is_dir() {
        batch::run(&task, &args.output, &target, &wanted, &options, ui)
    } else {
        one::run(&task, &target, &wanted, &options, ui)
    }
}

/// What both verbs work on.
struct Task<'a> {
    input: &'a Path,
    report: Option<&'a PathBuf>,
    force: bool,
}

/// The one file that the target or the preset means, and what is asked for by name.
fn asked(preset: Option<Preset>, outputs: &[Output], target: &Target) -> Result<(Output, Vec<Output>)> {
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

impl Wanted {
    fn new(args: &RigArgs, target: &Target) -> Result<Self> {
        let (main, asked) = asked(args.preset, &args.outputs, target)?;
        let plan = if !matches!(target, Target::Folder(_)) {
            Plan { required: [].into(), optional: [].into(), ..Plan::rig_only() }.with([main])
        } else if args.outputs.is_empty() {
            Plan::full()
        } else {
            Plan::rig_only()
        };
        Ok(Self { main, plan: plan.with(asked).viewer_template(autorig_server::viewer_template()) })
    }
}

fn options(args: &RigArgs) -> Result<Options> {
    Ok(Options {
        class: args.class.into(),
        joints: args.joints.as_deref().map(joints::read).transpose()?.unwrap_or_default(),
        influences: args.influences.into(),
        fingers: args.fingers.into(),
        symmetry: args.symmetry.into(),
        rest_pose: args.rest_pose.into(),
        existing: args.existing.into(),
        threads: args.threads.map(usize::from),
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
