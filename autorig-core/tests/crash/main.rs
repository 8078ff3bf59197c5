//! Real processes, killed without a word. The nodes are this program itself, which is why it has a `main` of its
//! own that speaks as much of the test protocol as nextest needs. `./dev crash` asks for more kills by
//! `AUTORIG_CRASH_KILLS`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test with a main of its own")]

#[path = "../cluster/mod.rs"]
mod cluster;
mod driver;
#[path = "../harness/mod.rs"]
mod harness;
mod node;
#[path = "../conformance/s3_server.rs"]
mod s3_server;

use std::process::ExitCode;

const TESTS: &[harness::Test] = &[
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
    harness::run(TESTS)
}
