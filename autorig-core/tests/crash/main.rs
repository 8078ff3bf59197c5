//! Real processes, killed without a word. The nodes are this program itself, which is why it has a `main` of its
//! own that speaks as much of the test protocol as nextest needs. `./dev crash` asks for more kills by
//! `AUTORIG_CRASH_KILLS`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test with a main of its own")]

#[path = "../cluster/mod.rs"]
mod cluster;
mod driver;
mod node;
#[path = "../conformance/s3_server.rs"]
mod s3_server;

use std::process::ExitCode;

type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    ("postgres_loses_no_task_whatever_is_killed", driver::postgres_loses_no_task),
    ("sqlite_loses_no_task_when_its_process_is_killed", driver::sqlite_loses_no_task),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, role, database, storage] = arguments.as_slice()
        && first == "crash-node"
    {
        node::run(role, database, storage);
        return ExitCode::SUCCESS;
    }
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--list") {
        // `--list --ignored` asks for those left out; there are none.
        for (name, _) in TESTS.iter().filter(|_| !has("--ignored")) {
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
    for (name, test) in TESTS.iter().filter(|(name, _)| fits(name)) {
        println!("test {name}");
        // A failed assertion ends the program with its message.
        test();
        run += 1;
    }
    println!("test result: ok. {run} passed");
    ExitCode::SUCCESS
}
