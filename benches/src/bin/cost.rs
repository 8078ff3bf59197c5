//! What one rig costs, as one line of JSON: `cost rig FILE`, `cost move FILE`.
//!
//! One file a process, so that the peak of its memory is this file's. `rig` goes from bytes to bytes, stage by stage;
//! `move` rigs once, then drags an elbow some times and takes the median of what each new rig took.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program that prints")]

use std::{path::Path, process::ExitCode, time::Instant};

use autorig_benches::{elbow_moves, timed_rig};
use autorig_engine::{Error, Limits, Result, read::Source};
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let measured = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["rig", file] => rig(file),
        ["move", file] => moved(file),
        _ => {
            eprintln!("usage: cost rig|move FILE");
            return ExitCode::from(2);
        }
    };
    match measured {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", error.code);
            ExitCode::FAILURE
        }
    }
}

fn rig(file: &str) -> Result<Value> {
    let start = Instant::now();
    let bytes = Source::open(Path::new(file), &Limits::default())?.bytes;
    let (rig, spent) = timed_rig(&bytes)?;
    let total = start.elapsed().as_secs_f64();
    let stages: Map<String, Value> =
        spent.iter().map(|(stage, time)| (stage.as_str().to_owned(), json!(time.as_secs_f64()))).collect();
    Ok(json!({
        "triangles": rig.report.input.triangles,
        "seconds": total,
        "cpu_seconds": cpu_seconds(),
        "stages": stages,
        "peak_mb": peak_mb(),
    }))
}

fn moved(file: &str) -> Result<Value> {
    let source = Source::open(Path::new(file), &Limits::default())?;
    let mut times = elbow_moves(&source, 5)?;
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied();
    let median = median.ok_or_else(|| Error::new(autorig_engine::Code::Internal, "nothing was moved"))?;
    Ok(json!({ "seconds": median, "peak_mb": peak_mb() }))
}

/// Processor time of all threads so far, which a busy machine does not stretch as it does the time on the wall; in steps
/// of 10 ms. `None` where the system does not tell.
fn cpu_seconds() -> Option<f64> {
    /// Ticks of this file in a second, as Linux shows them to programs.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses; user and system time are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS)
}

/// The most memory this process has held, in MB; `None` where the system does not tell.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}
