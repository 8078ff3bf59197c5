//! The engine in a child process.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    time::Duration,
};

use autorig_core::{
    Class, Kind,
    worker::{ChildWorker, InProcessWorker, embedded::ChildLimits},
};
use tokio_util::sync::CancellationToken;

use crate::{
    harness::Test,
    support::{LIMITS, World, sample},
};

pub(crate) const TESTS: &[Test] = &[
    ("a_rig_in_a_child_is_the_same_as_in_this_process", a_rig_in_a_child_is_the_same_as_in_this_process),
    ("a_file_that_is_no_model_is_refused_as_the_engine_says", a_file_that_is_no_model_is_refused),
    ("a_rig_that_needs_too_much_memory_is_refused", a_rig_that_needs_too_much_memory_is_refused),
    ("a_rig_that_takes_too_long_is_killed", a_rig_that_takes_too_long_is_killed),
    ("a_child_that_nobody_wants_any_more_ends", a_child_that_nobody_wants_any_more_ends),
    ("a_child_without_a_job_says_so", a_child_without_a_job_says_so),
];

fn this(world: &World, limits: ChildLimits) -> ChildWorker {
    world.worker(&autorig_core::worker::embedded::this_program().unwrap(), limits)
}

fn a_rig_in_a_child_is_the_same_as_in_this_process() {
    let world = World::new();
    let input = sample(3000);
    let cancel = CancellationToken::new();
    let child = world.run(&this(&world, LIMITS), &input, &cancel, |_| {});
    child.result.unwrap();
    let keys: Vec<&str> = child.files.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["prepared_glb", "rigged_glb", "report_json"]);
    assert!(child.furthest > 0.5);
    world.assert_tidy();
    let here = world.run(&InProcessWorker::new(1), &input, &cancel, |_| {});
    here.result.unwrap();
    assert!(child.files == here.files, "the same bytes");
}

fn a_file_that_is_no_model_is_refused() {
    let world = World::new();
    for (input, code) in [(&b"\x89PNG\r\n\x1a\n and so on"[..], "not_a_model"), (b"glTF", "truncated_file")] {
        let error = world.run(&this(&world, LIMITS), input, &CancellationToken::new(), |_| {}).result;
        let error = error.unwrap_err();
        assert_eq!((error.code.as_ref(), error.class), (code, Class::UserViolation), "{error}");
    }
    world.assert_tidy();
}

fn a_rig_that_needs_too_much_memory_is_refused() {
    let world = World::new();
    let limits = ChildLimits { memory_bytes: 48 << 20, ..LIMITS };
    let ended = world.run(&this(&world, limits), &sample(60_000), &CancellationToken::new(), |_| {});
    let error = ended.result.unwrap_err();
    assert_eq!((error.code.as_ref(), error.kind), ("limit_memory", Kind::Limit), "{error}");
    assert!(error.message.contains("48 MB"), "{error}");
    world.assert_tidy();
}

fn a_rig_that_takes_too_long_is_killed() {
    let world = World::new();
    let limits = ChildLimits { time: Duration::from_millis(1), ..LIMITS };
    let ended = world.run(&this(&world, limits), &sample(30_000), &CancellationToken::new(), |_| {});
    let error = ended.result.unwrap_err();
    assert_eq!((error.code.as_ref(), error.class), ("worker_timeout", Class::Temporary), "{error}");
    world.assert_tidy();
}

fn child() -> std::process::Child {
    Command::new(autorig_core::worker::embedded::this_program().unwrap())
        .arg("rig-child")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn a_child_that_nobody_wants_any_more_ends() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    std::fs::write(&input, sample(200_000)).unwrap();
    let job = serde_json::json!({
        "name": "hero.glb", "input": input, "scratch": folder.path(), "options": {},
        "memory_bytes": 4_u64 << 30, "threads": 1,
    });
    let mut child = child();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{job}").unwrap();
    let mut first = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    // What the end of the parent looks like to its child.
    drop(stdin);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(!folder.path().join("rigged_glb").exists());
}

fn a_child_without_a_job_says_so() {
    let mut child = child();
    child.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("invalid_job"), "{said}");
    assert!(child.wait().unwrap().success());
}
