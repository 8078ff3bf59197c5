//! Rigs in child processes. The worker starts `<program> rig-child`, and the program is this test itself,
//! which is why it has a `main` of its own that speaks as much of the test protocol as nextest needs.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test with a main of its own")]

#[path = "../harness/mod.rs"]
mod harness;
mod real;
mod scripted;
mod support;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "rig-child") {
        return autorig_core::worker::embedded::child_main(None);
    }
    let tests: Vec<harness::Test> = real::TESTS.iter().chain(scripted::TESTS).copied().collect();
    harness::run(&tests)
}
