//! Programs that are no good children.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use autorig_core::{Class, worker::embedded::ChildLimits};
use tokio_util::sync::CancellationToken;

use crate::{
    harness::Test,
    support::{LIMITS, World},
};

pub(crate) const TESTS: &[Test] = &[
    ("a_child_that_ends_without_a_word_is_a_temporary_failure", a_child_that_ends_without_a_word),
    ("a_child_that_is_killed_is_a_temporary_failure", a_child_that_is_killed),
    ("a_child_that_talks_nonsense_is_killed", a_child_that_talks_nonsense_is_killed),
    ("a_child_cannot_name_files_outside_of_its_folder", a_child_cannot_name_files_outside_of_its_folder),
    ("a_cancel_kills_the_child", a_cancel_kills_the_child),
    ("a_limit_of_time_kills_the_child", a_limit_of_time_kills_the_child),
    ("a_child_does_not_see_our_secrets", a_child_does_not_see_our_secrets),
    ("a_program_that_is_missing_is_said", a_program_that_is_missing_is_said),
    ("left_overs_of_a_crash_are_removed", left_overs_of_a_crash_are_removed),
];

fn script(world: &World, body: &str) -> PathBuf {
    let path = world.folder.path().join("program");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn run(world: &World, body: &str) -> autorig_core::Error {
    let worker = world.worker(&script(world, body), LIMITS);
    let ended = world.run(&worker, b"model", &CancellationToken::new(), |_| {});
    world.assert_tidy();
    ended.result.unwrap_err()
}

fn a_child_that_ends_without_a_word() {
    let error = run(&World::new(), "exit 3");
    assert_eq!((error.code.as_ref(), error.class), ("worker_crashed", Class::Temporary));
    assert!(error.message.contains('3'), "{error}");
}

fn a_child_that_is_killed() {
    let error = run(&World::new(), "kill -9 $$");
    assert_eq!((error.code.as_ref(), error.class), ("worker_crashed", Class::Temporary));
    assert!(error.message.contains('9'), "{error}");
}

fn a_child_that_talks_nonsense_is_killed() {
    let error = run(&World::new(), "echo hello; exec sleep 1000");
    assert_eq!(error.code, "internal");
}

fn a_child_cannot_name_files_outside_of_its_folder() {
    let error = run(&World::new(), r#"echo '{"event":"file","key":"../../secret"}'; exec sleep 1000"#);
    assert_eq!(error.code, "invalid_blob_key");
}

/// Reads the number that a script has written, when the process under it is gone.
fn assert_gone(pid_file: &Path) {
    let pid = std::fs::read_to_string(pid_file).unwrap();
    assert!(!Path::new(&format!("/proc/{}", pid.trim())).exists(), "the child {pid} lives");
}

const WRITE_PID_AND_STAY: &str = r#"echo $$ > "$PWD/../../pid"
echo '{"event":"progress","stage":"read","fraction":0.1}'
exec sleep 1000"#;

fn a_cancel_kills_the_child() {
    let world = World::new();
    let worker = world.worker(&script(&world, WRITE_PID_AND_STAY), LIMITS);
    let cancel = CancellationToken::new();
    let ended = world.run(&worker, b"model", &cancel, |_| cancel.cancel());
    assert_eq!(ended.result.unwrap_err().code, "cancelled");
    assert_gone(&world.folder.path().join("pid"));
    world.assert_tidy();
}

fn a_limit_of_time_kills_the_child() {
    let world = World::new();
    let limits = ChildLimits { time: Duration::from_millis(300), ..LIMITS };
    let worker = world.worker(&script(&world, WRITE_PID_AND_STAY), limits);
    let ended = world.run(&worker, b"model", &CancellationToken::new(), |_| {});
    assert_eq!(ended.result.unwrap_err().code, "worker_timeout");
    assert_gone(&world.folder.path().join("pid"));
    world.assert_tidy();
}

fn a_child_does_not_see_our_secrets() {
    let world = World::new();
    let body =
        r#"env > "$PWD/rigged_glb"; echo '{"event":"file","key":"rigged_glb"}'; echo '{"event":"done"}'"#;
    let worker = world.worker(&script(&world, body), LIMITS);
    let files = Mutex::new(0);
    let ended = world.run(&worker, b"model", &CancellationToken::new(), |_| *files.lock().unwrap() += 1);
    ended.result.unwrap();
    assert_eq!(*files.lock().unwrap(), 1);
    let seen = String::from_utf8(ended.files[0].1.clone()).unwrap();
    assert!(seen.contains("PATH=") && !seen.contains("HOME=") && !seen.contains("CARGO"), "{seen}");
}

fn a_program_that_is_missing_is_said() {
    let world = World::new();
    let worker = world.worker(Path::new("/nowhere/autorig"), LIMITS);
    let ended = world.run(&worker, b"model", &CancellationToken::new(), |_| {});
    let error = ended.result.unwrap_err();
    assert!(error.code == "io_error" && error.message.contains("/nowhere/autorig"), "{error}");
}

fn left_overs_of_a_crash_are_removed() {
    let world = World::new();
    std::fs::create_dir_all(world.scratch().join("old-1")).unwrap();
    let _worker = world.worker(Path::new("/bin/true"), LIMITS);
    world.assert_tidy();
}
