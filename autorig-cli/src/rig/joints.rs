//! `--joints FILE`: joints placed by hand, alone or as part of an earlier report.

use std::{fs::File, io::Read, path::Path};

use autorig_engine::JointHint;
use serde::Deserialize;

use crate::failure::{Failure, Result};

/// A skeleton has hundreds of joints at most; a file beyond this is no joints file.
const MAX_BYTES: u64 = 4 << 20;

/// The two shapes: a bare list, or an object with a list in `joints`, such as the report of a rig.
#[derive(Deserialize)]
#[serde(untagged)]
enum Shape {
    List(Vec<JointHint>),
    Object { joints: Vec<JointHint> },
}

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<Vec<JointHint>> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut text))
        .map_err(|error| Failure::io("read the joints", path, &error))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(invalid(path, "the joints file has more than 4 MB"));
    }
    parse(&text).map_err(|message| invalid(path, message))
}

fn parse(text: &[u8]) -> Result<Vec<JointHint>, String> {
    // Twice, because the second error would hide where the JSON itself is broken.
    let value: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| format!("the joints file is not JSON: {error}"))?;
    match serde_json::from_value(value) {
        Ok(Shape::List(joints) | Shape::Object { joints }) => Ok(joints),
        Err(_) => Err("the joints file does not hold a list of joints".to_owned()),
    }
}

fn invalid(path: &Path, message: impl Into<String>) -> Failure {
    let remedy = r#"write [{"name": "leftHand", "position": [x, y, z]}], or pass a report"#;
    Failure::usage("invalid_joints", message, remedy).about(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_and_a_report_are_both_joints_files() {
        let list = br#"[{"name": "leftHand", "position": [1, 2, 3]}]"#;
        let report = br#"{"class": "humanoid", "joints":
            [{"name": "leftHand", "parent": null, "position": [1, 2, 3], "confidence": 0.5}]}"#;
        assert_eq!(parse(list).unwrap(), parse(report).unwrap());
        assert_eq!(parse(list).unwrap()[0].position, [1.0, 2.0, 3.0]);
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        assert!(parse(b"[{").unwrap_err().contains("not JSON"));
        assert!(parse(br#"{"bones": []}"#).unwrap_err().contains("list of joints"));
        assert!(parse(br#"[{"name": "leftHand", "position": [1, 2]}]"#).is_err());
    }
}
