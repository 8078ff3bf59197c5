//! The quality of a finished rig, as its report has it.

use autorig_engine::quality::Verdict;
use futures_util::TryStreamExt;
use serde::Deserialize;

use super::{
    TaskService,
    model::{Task, TaskFile},
};
use crate::Result;

/// A longer report is none of ours.
const MOST_BYTES: u64 = 8 << 20;

/// How good a rig is, and the codes of the reasons why it is not better, the worst first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskQuality {
    /// The word for it.
    pub verdict: Verdict,
    /// Codes of the reasons.
    pub reasons: Vec<String>,
}

/// The parts of a report that are read here.
#[derive(Deserialize)]
struct Report {
    quality: Sheet,
}

#[derive(Deserialize)]
struct Sheet {
    verdict: Verdict,
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
}

impl TaskService {
    /// What the report of a task says of its quality; `None` before there is a report, and when it says nothing that is
    /// understood here (another worker's).
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`; `internal` when the report's bytes are gone.
    pub async fn quality(&self, task: &Task) -> Result<Option<TaskQuality>> {
        let Some(file) = task.file("report_json") else { return Ok(None) };
        Ok(self.report_bytes(file).await?.and_then(|bytes| parse(&bytes)))
    }

    /// A report's bytes; `None` when there are too many.
    pub(super) async fn report_bytes(&self, file: &TaskFile) -> Result<Option<Vec<u8>>> {
        if file.size > MOST_BYTES {
            return Ok(None);
        }
        let open = self.open(file, None).await?;
        let bytes = open.body.try_fold(Vec::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        });
        bytes.await.map(Some)
    }
}

fn parse(report: &[u8]) -> Option<TaskQuality> {
    let Report { quality } = serde_json::from_slice(report).ok()?;
    let reasons = quality.reasons.into_iter().map(|reason| reason.code).collect();
    Some(TaskQuality { verdict: quality.verdict, reasons })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdict_and_codes_are_read_and_a_foreign_report_says_nothing() {
        let report = br#"{"class": "humanoid", "quality": {"verdict": "review", "score": 0.4,
            "reasons": [{"code": "stretch", "severity": "review", "value": 7.0, "joints": ["leftHand"]}]}}"#;
        let quality = parse(report).unwrap();
        assert_eq!((quality.verdict, quality.reasons), (Verdict::Review, vec!["stretch".to_owned()]));
        assert_eq!(parse(b"{\"answer\": 42}"), None);
        assert_eq!(parse(b"not JSON"), None);
    }
}
