//! The smallest program around the engine: one file in, one rigged GLB out.
//!
//! ```text
//! cargo run --release -p autorig-engine --example rig_file -- IN OUT.glb
//!     [--joints FILE] [--class CLASS] [--fingers auto|none] [--symmetry auto|off] [--rest-pose as_is|t_pose]
//!     [--extra-chains auto|none] [--eyes auto|none] [--influences 1..8] [--threads N] [--report FILE]
//! ```
//!
//! `--joints` takes `{"joints": [{"name", "position": [x, y, z]}]}` in the input's own frame and unit. The exit code is that
//! of the `autorig` command: 2 for a wrong call, 3 for a file that cannot be rigged, 4 for one beyond the limits, 1 else.
//! `./dev bench rig` measures with this program, because it builds without the server and its page.

#![expect(clippy::print_stderr, reason = "it talks to people")]

use std::{path::Path, process::ExitCode};

use autorig_engine::{Code, Error, JointHint, Kind, Options, Result, Silent, read::Source, rig};
use serde::de::DeserializeOwned;

#[derive(serde::Deserialize)]
struct Joints {
    joints: Vec<JointHint>,
}

struct Call {
    input: String,
    output: String,
    report: Option<String>,
    options: Options,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|call| run(&call)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", error.code);
            ExitCode::from(match error.code.kind() {
                Kind::Usage => 2,
                Kind::Input => 3,
                Kind::Limit => 4,
                Kind::Cancelled | Kind::Internal => 1,
            })
        }
    }
}

fn run(call: &Call) -> Result<()> {
    let source = Source::open(Path::new(&call.input), &call.options.limits)?;
    let rig = rig(&source, &call.options, &mut Silent)?;
    write(&call.output, &rig.to_glb()?)?;
    if let Some(path) = &call.report {
        let json =
            serde_json::to_vec_pretty(&rig.report).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
        write(path, &json)?;
    }
    Ok(())
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Call> {
    let (mut files, mut report, mut options) = (Vec::new(), None, Options::default());
    while let Some(word) = arguments.next() {
        let Some(flag) = word.strip_prefix("--") else {
            files.push(word);
            continue;
        };
        let value = arguments.next().ok_or_else(|| usage(format!("--{flag} needs a value")))?;
        match flag {
            "joints" => options.joints = joints(&value)?,
            "class" => options.class = choice(flag, &value)?,
            "fingers" => options.fingers = choice(flag, &value)?,
            "extra-chains" => options.extra_chains = choice(flag, &value)?,
            "eyes" => options.eyes = choice(flag, &value)?,
            "symmetry" => options.symmetry = choice(flag, &value)?,
            "rest-pose" => options.rest_pose = choice(flag, &value)?,
            "influences" => options.influences = number(flag, &value)?,
            "threads" => options.threads = Some(number(flag, &value)?),
            "report" => report = Some(value),
            _ => return Err(usage(format!("--{flag} is no flag of this program"))),
        }
    }
    let [input, output] =
        <[String; 2]>::try_from(files).map_err(|_| usage("two files are needed: IN and OUT.glb"))?;
    Ok(Call { input, output, report, options })
}

fn joints(path: &str) -> Result<Vec<JointHint>> {
    let bytes =
        std::fs::read(path).map_err(|e| Error::new(Code::Io, format!("{path} cannot be read: {e}")))?;
    let file: Joints =
        serde_json::from_slice(&bytes).map_err(|e| usage(format!("{path} holds no joints: {e}")))?;
    Ok(file.joints)
}

/// A word of an option, by the names the API gives its values.
fn choice<T: DeserializeOwned>(flag: &str, word: &str) -> Result<T> {
    serde_json::from_value(word.into()).map_err(|e| usage(format!("--{flag} {word}: {e}")))
}

fn number(flag: &str, word: &str) -> Result<usize> {
    word.parse().map_err(|_| usage(format!("--{flag} {word}: not a number")))
}

fn usage(message: impl Into<String>) -> Error {
    Error::new(Code::InvalidOption, message).with_remedy("see the head of examples/rig_file.rs")
}

fn write(path: &str, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|e| Error::new(Code::Io, format!("{path} cannot be written: {e}")))
}
