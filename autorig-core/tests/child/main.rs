//! Rigs in child processes. The worker starts `<program> rig-child`, and the program is this test itself,
//! which is why it has a `main` of its own that speaks as much of the test protocol as nextest needs.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test with a main of its own")]

mod real;
mod scripted;
mod support;

use std::process::ExitCode;

type Test = (&'static str, fn());

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "rig-child") {
        return autorig_core::worker::embedded::child_main(None);
    }
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let tests: Vec<Test> = real::TESTS.iter().chain(scripted::TESTS).copied().collect();
    if has("--list") {
        // `--list --ignored` asks for those left out; there are none.
        for (name, _) in tests.iter().filter(|_| !has("--ignored")) {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let fits = |name: &str| {
        wanted.is_empty()
            || wanted.iter().any(|w| if has("--exact") { name == *w } else { name.contains(*w) })
    };
    let mut run = 0;
    for (name, test) in tests.into_iter().filter(|(name, _)| fits(name)) {
        println!("test {name}");
        // A failed assertion ends the program with its message.
        test();
        run += 1;
    }
    println!("test result: ok. {run} passed");
    ExitCode::SUCCESS
}
