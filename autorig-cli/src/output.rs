//! Where results go: written beside their final place and renamed, so that a file is there whole or
//! not at all; never over an existing one without `--force`.

use std::{
    fs::{self, Permissions},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use crate::{
    failure::{Failure, Result},
    input::is_stdio,
    interrupt,
    ui::Ui,
};

/// What `-o` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// `-`
    Stdout,
    /// One file of this extension, in lower case.
    File(PathBuf, String),
    /// A folder, which gets every file.
    Folder(PathBuf),
}

impl Target {
    /// What `path` asks for: a folder when it is one or ends in `/`, else a file with one of these extensions.
    pub(crate) fn parse(path: &Path, extensions: &[&str]) -> Result<Self> {
        if is_stdio(path) {
            return Ok(Self::Stdout);
        }
        if path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/') {
            return Ok(Self::Folder(path.to_owned()));
        }
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let written = extensions.iter().map(|e| format!(".{e}")).collect::<Vec<_>>().join(", ");
        match extension {
            Some(extension) if extensions.contains(&extension.as_str()) => {
                Ok(Self::File(path.to_owned(), extension))
            }
            Some(other) => Err(Failure::usage(
                "unsupported_output",
                format!("files of type .{other} are not written here"),
                format!("end the name of the output in one of {written}"),
            )
            .about(path)),
            None => Err(Failure::usage(
                "unsupported_output",
                "the name of the output does not say what to write",
                format!("end it in one of {written}, or in / for a folder"),
            )
            .about(path)),
        }
    }

    /// Refuses `-` with `--json`, and a binary result on a terminal.
    pub(crate) fn check_stdout(&self, ui: &Ui) -> Result<()> {
        if *self != Self::Stdout {
            return Ok(());
        }
        if ui.is_json() {
            return Err(Failure::usage(
                "stdout_taken",
                "the result and the JSON envelope cannot both go to stdout",
                "write the result to a file, or leave --json away",
            ));
        }
        if io::stdout().is_terminal() {
            return Err(Failure::usage(
                "stdout_is_a_terminal",
                "the result is binary and stdout is a terminal",
                "redirect it: > out.glb",
            ));
        }
        Ok(())
    }
}

/// A file that is to be written.
pub(crate) struct Output {
    /// The key of the task API, `rigged_glb`.
    pub(crate) key: &'static str,
    /// Its final place.
    pub(crate) path: PathBuf,
    /// Its contents.
    pub(crate) bytes: Vec<u8>,
}

/// Refuses before any work is done what could not be written after it.
pub(crate) fn check_free(paths: &[PathBuf], force: bool) -> Result<()> {
    for path in paths {
        if path.is_dir() {
            return Err(Failure::usage("is_a_folder", "the output is a folder", "name a file").about(path));
        }
        if !force && path.symlink_metadata().is_ok() {
            return Err(Failure::usage(
                "output_exists",
                "the output exists already",
                "add --force to overwrite it, or choose another name",
            )
            .about(path));
        }
    }
    Ok(())
}

/// Refuses before any work is done a folder that is not there or cannot be written to.
pub(crate) fn check_parent(path: &Path) -> Result<()> {
    let parent = parent(path);
    match fs::metadata(parent) {
        Ok(metadata) if metadata.is_dir() => {
            // Trying is the only check that holds for permissions, quotas and read-only mounts alike.
            temporary(parent).map(drop).map_err(|error| Failure::io("write into the folder", parent, &error))
        }
        Ok(_) => {
            Err(Failure::usage("not_a_folder", "this is not a folder", "choose another output").about(parent))
        }
        Err(error) => Err(Failure::io("use the output's folder", parent, &error)),
    }
}

/// Writes all outputs or none: each is first written whole beside its place, then all are renamed.
pub(crate) fn commit(outputs: &[Output], force: bool) -> Result<()> {
    let mut written = Vec::with_capacity(outputs.len());
    for output in outputs {
        interrupt::check()?;
        let file = write_temporary(&output.path, &output.bytes)
            .map_err(|error| Failure::io("write the output", &output.path, &error))?;
        written.push((file, output.path.as_path()));
    }
    let mut placed: Vec<&Path> = Vec::new();
    for (file, path) in written {
        let renamed = if force { file.persist(path) } else { file.persist_noclobber(path) };
        match renamed {
            Ok(_) => placed.push(path),
            Err(error) => {
                if !force {
                    placed.iter().for_each(|path| drop(fs::remove_file(path)));
                }
                return Err(Failure::io("write the output", path, &error.error));
            }
        }
    }
    Ok(())
}

fn write_temporary(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = temporary(parent(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A hidden file in `folder` that vanishes when dropped, with the permissions of any new file.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".autorig-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_what_is_written() {
        let parse = |path: &str| Target::parse(Path::new(path), &["glb", "fbx"]);
        assert_eq!(parse("-").unwrap(), Target::Stdout);
        assert_eq!(parse("a.GLB").unwrap(), Target::File("a.GLB".into(), "glb".into()));
        assert_eq!(parse("new/").unwrap(), Target::Folder("new/".into()));
        for name in ["a.png", "a.gltf", "a"] {
            assert_eq!(parse(name).unwrap_err().code, "unsupported_output");
        }
    }

    #[test]
    fn several_outputs_are_written_all_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let output = |name: &str| Output {
            key: "rigged_glb",
            path: folder.path().join(name),
            bytes: name.as_bytes().to_vec(),
        };
        fs::write(folder.path().join("b"), "mine").unwrap();
        let failure = commit(&[output("a"), output("b")], false).unwrap_err();
        assert_eq!(failure.code, "output_exists");
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");

        commit(&[output("a"), output("b")], true).unwrap();
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"b");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
