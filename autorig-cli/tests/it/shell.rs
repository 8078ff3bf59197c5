//! Running the binary, and the words it owes for every failure.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use assert_cmd::Command;
use autorig_engine::{
    sample::{Sample, generate},
    write::scene_glb,
};
use serde_json::Value;
use tempfile::TempDir;

/// What no command may exceed; a hang is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test.
pub(crate) const AUTORIG: &str = env!("CARGO_BIN_EXE_autorig");

/// A call of the binary with these arguments, in a place of its own.
pub(crate) fn autorig<A: AsRef<std::ffi::OsStr>>(arguments: &[A]) -> Command {
    let mut command = Command::new(AUTORIG);
    command.args(arguments).env_remove("NO_COLOR").timeout(PATIENCE);
    command
}

/// Runs it to its end.
pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(arguments: &[A]) -> Output {
    autorig(arguments).output().unwrap()
}

/// The exit code; a signal or a time-out has none.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("killed: {}", stderr(output)))
}

/// What was said.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What was given.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The JSON on stdout.
pub(crate) fn envelope(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stdout(output)))
}

/// Checks a refusal: exit code, stable code, one line that says what is wrong with which file, a remedy.
pub(crate) fn assert_refused(output: &Output, exit: i32, stable: &str, file: &str) {
    let said = stderr(output);
    assert_eq!(code(output), exit, "{said}");
    let mut lines = said.lines().skip_while(|line| !line.starts_with("error: "));
    let error = lines.next().unwrap_or_else(|| panic!("no error line: {said}"));
    assert!(error.contains(file), "{error:?} does not name {file:?}");
    let help = lines.next().unwrap_or_default();
    assert!(help.starts_with("  help: ") && help.len() > 12, "no remedy: {said}");
    assert_eq!(lines.next(), Some(format!("  code: {stable}").as_str()), "{said}");
    assert_eq!(lines.next(), None, "one error only: {said}");
    assert!(output.stdout.is_empty(), "stdout is for results");
}

/// An empty folder.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A small human as GLB.
pub(crate) fn human() -> Vec<u8> {
    scene_glb(&generate(Sample::Human, Some(4000)).unwrap()).unwrap()
}

/// A folder with `hero.glb` in it.
pub(crate) fn folder_with_hero() -> (TempDir, PathBuf) {
    let folder = folder();
    let path = folder.path().join("hero.glb");
    std::fs::write(&path, human()).unwrap();
    (folder, path)
}

/// File names in a folder, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}
