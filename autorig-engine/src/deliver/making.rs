//! From a finished rig to its files, in an order that shows something soon.

use super::{Desk, Output};
use crate::{Code, Error, Options, Report, Result, Rig, Stage, scene::Warning};

/// What each stage makes, with the part of the work that is done when it begins.
const ORDER: [(Stage, f32, &[Output]); 1] = [(Stage::Export, 0.0, &[Output::RiggedGlb])];

/// A rig whose files are made.
pub(super) struct Making {
    rig: Rig,
}

impl Making {
    pub(super) fn new(rig: Rig, _options: &Options) -> Self {
        Self { rig }
    }

    /// Makes every file of the plan.
    pub(super) fn run(mut self, desk: &mut Desk<'_>) -> Result<Report> {
        for (stage, done, outputs) in ORDER {
            if !outputs.iter().any(|o| desk.plan.wants(*o)) {
                continue;
            }
            desk.begin(stage, done)?;
            for &output in outputs.iter().filter(|o| desk.plan.wants(**o)) {
                match self.make(output) {
                    Ok(Some(bytes)) => desk.hand_over(output, bytes)?,
                    Ok(None) if desk.plan.required.contains(&output) => {
                        let message = format!("{} does not fit this model", output.key());
                        return Err(Error::new(Code::InvalidOption, message)
                            .with_remedy("leave it out of the files that are asked for"));
                    }
                    Ok(None) => {}
                    Err(error) if desk.plan.required.contains(&output) => return Err(error),
                    Err(error) => self.leave_out(output, &error),
                }
            }
        }
        desk.begin(Stage::Pack, 0.97)?;
        let mut report = self.rig.report;
        report.files.clone_from(&desk.files);
        let mut text = serde_json::to_vec_pretty(&report)
            .map_err(|error| Error::new(Code::Internal, format!("the report cannot be written: {error}")))?;
        text.push(b'\n');
        desk.hand_over(Output::ReportJson, text)?;
        if let Some(archive) = desk.archive.take() {
            let bytes = archive.finish()?;
            desk.sink.file(Output::AllZip, bytes)?;
        }
        Ok(report)
    }

    fn leave_out(&mut self, output: Output, error: &Error) {
        self.rig.report.warnings.push(Warning {
            code: "output_left_out".to_owned(),
            message: format!("{} is not made: {}", output.key(), error.message),
        });
    }

    /// A file; `None` where the model has no use for it.
    fn make(&self, output: Output) -> Result<Option<Vec<u8>>> {
        match output {
            Output::RiggedGlb => self.rig.to_glb().map(Some),
            _ => Ok(None),
        }
    }
}
