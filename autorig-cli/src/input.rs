//! Where a model comes from: a file or stdin.

use std::{
    io::{self, Read},
    path::Path,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use autorig_engine::{Code, Error, Limits, read::Source};

use crate::{
    failure::{Exit, Failure, Result},
    interrupt,
};

/// How long stdin may be silent before Ctrl-C is looked at.
const POLL: Duration = Duration::from_millis(50);

/// True for `-`.
pub(crate) fn is_stdio(path: &Path) -> bool {
    path == Path::new("-")
}

/// Opens a model: `-` is stdin, everything else a file with its neighbours at hand.
pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Source> {
    if is_stdio(path) {
        return Ok(Source::bytes("stdin", stdin(limits.file_bytes)?));
    }
    let metadata = std::fs::metadata(path).map_err(|error| Failure::io("read the file", path, &error))?;
    if metadata.is_dir() {
        return Err(Failure::usage("is_a_folder", "this is a folder", "name a model file").about(path));
    }
    if !metadata.is_file() {
        return Err(Failure::new(
            Exit::Usage,
            "not_a_file",
            "this is neither a file nor a folder",
            "name a model file, or use - for stdin",
        )
        .about(path));
    }
    // The engine's I/O error has no operating system kind: opening first gives the exact exit code.
    drop(std::fs::File::open(path).map_err(|error| Failure::io("read the file", path, &error))?);
    Source::open(path, limits).map_err(|error| Failure::from(error).about(path))
}

/// Reads stdin to its end, at most `limit` bytes, while Ctrl-C still works.
fn stdin(limit: u64) -> Result<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(limit.saturating_add(1)).read_to_end(&mut bytes).map(|_| bytes);
        // The receiver is gone only when the user has already interrupted.
        let _ = sender.send(read);
    });
    let read = loop {
        match receiver.recv_timeout(POLL) {
            Ok(read) => break read,
            Err(RecvTimeoutError::Timeout) => interrupt::check()?,
            Err(RecvTimeoutError::Disconnected) => break Err(io::ErrorKind::UnexpectedEof.into()),
        }
    };
    let bytes = read.map_err(|error| Failure::io("read", Path::new("-"), &error))?;
    if bytes.len() as u64 > limit {
        let message = format!("the input has more than {limit} bytes");
        return Err(Failure::from(Error::new(Code::LimitFileSize, message)).about(Path::new("-")));
    }
    Ok(bytes)
}

/// The name of an input without its folders, from which core makes the names of the outputs.
pub(crate) fn file_name(path: &Path) -> String {
    if is_stdio(path) {
        return "stdin".to_owned();
    }
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
