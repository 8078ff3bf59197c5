//! `autorig rig`: one model, or every model of a folder.

mod batch;
mod joints;
mod one;

use std::path::{Path, PathBuf};

use autorig_core::task::RIG_FILES;
use autorig_engine::{Limits, rig::Options};

use crate::{
    args::RigArgs,
    failure::{Failure, Result},
    input::file_name,
    output::Target,
    ui::{Outcome, Ui},
};

/// Keys of the files that are made, as in the task API.
const RIGGED: &str = "rigged_glb";
const PREPARED: &str = "prepared_glb";
const REPORT: &str = "report_json";

/// Runs the verb.
pub(crate) fn run(args: &RigArgs, ui: &Ui) -> Result<Outcome> {
    let target = Target::parse(&args.output)?;
    target.check_stdout(ui)?;
    let options = options(args)?;
    if args.input.is_dir() {
        batch::run(args, &target, &options, ui)
    } else {
        one::run(args, &target, &options, ui)
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
        limits: Limits::default(),
        threads: args.threads.map(usize::from),
    })
}

/// Where the files of a rig go.
struct Places {
    rigged: Option<PathBuf>,
    prepared: Option<PathBuf>,
    report: Option<PathBuf>,
}

impl Places {
    fn new(target: &Target, input: &Path, report: Option<&PathBuf>) -> Self {
        match target {
            Target::Stdout => Self { rigged: None, prepared: None, report: report.cloned() },
            Target::File(path) => {
                Self { rigged: Some(path.clone()), prepared: None, report: report.cloned() }
            }
            Target::Folder(folder) => {
                let name = file_name(input);
                let place = |key: &str| {
                    let file = RIG_FILES.iter().find(|file| file.key == key)?;
                    Some(folder.join(file.file_name(&name)))
                };
                Self {
                    rigged: place(RIGGED),
                    prepared: place(PREPARED),
                    report: report.cloned().or_else(|| place(REPORT)),
                }
            }
        }
    }

    fn all(&self) -> Vec<PathBuf> {
        [&self.rigged, &self.prepared, &self.report].into_iter().flatten().cloned().collect()
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
