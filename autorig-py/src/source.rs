//! What may be rigged: a path, bytes, or a file object opened for reading bytes.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
};

use autorig_engine::{Code, Error, Limits, read::Source};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyByteArray, PyBytes, PyMemoryView},
};

use crate::error::{exception, os_error};

/// Bytes asked of a file object at a time.
const CHUNK: usize = 1 << 20;

/// Reads `source`; `name` is what messages call it.
pub(crate) fn open(source: &Bound<'_, PyAny>, name: Option<String>, limits: &Limits) -> PyResult<Source> {
    if let Some(bytes) = bytes(source)? {
        check_size(bytes.len(), limits)?;
        return Ok(Source::bytes(name.unwrap_or_else(|| "model".to_owned()), bytes));
    }
    if source.hasattr("read")? {
        let name = name.or_else(|| file_object_name(source)).unwrap_or_else(|| "model".to_owned());
        return Ok(Source::bytes(name, read_all(source, limits)?));
    }
    let Ok(path) = source.extract::<PathBuf>() else {
        let kind = source.get_type().name()?;
        let message = format!("source must be a path, bytes or a file opened with mode 'rb', not {kind}");
        return Err(PyTypeError::new_err(message));
    };
    let mut source = open_path(source.py(), &path, limits)?;
    if let Some(name) = name {
        source.name = name;
    }
    Ok(source)
}

fn open_path(py: Python<'_>, path: &Path, limits: &Limits) -> PyResult<Source> {
    py.detach(|| {
        // For the operating system's own error, which is the one Python programs expect.
        File::open(path)
            .and_then(|file| file.metadata())
            .and_then(|metadata| match metadata.is_dir() {
                true => Err(std::io::ErrorKind::IsADirectory.into()),
                false => Ok(()),
            })
            .map_err(|error| os_error(&error, path))?;
        Source::open(path, limits).map_err(exception)
    })
}

fn bytes(source: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if let Ok(bytes) = source.cast::<PyBytes>() {
        return Ok(Some(bytes.as_bytes().to_vec()));
    }
    if let Ok(bytes) = source.cast::<PyByteArray>() {
        return Ok(Some(bytes.to_vec()));
    }
    if source.is_instance_of::<PyMemoryView>() {
        let bytes = source.call_method0("tobytes")?;
        return Ok(Some(bytes.cast::<PyBytes>()?.as_bytes().to_vec()));
    }
    Ok(None)
}

/// Reads in pieces, so that an endless stream is stopped at the limit.
fn read_all(file: &Bound<'_, PyAny>, limits: &Limits) -> PyResult<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let piece = file.call_method1("read", (CHUNK,))?;
        let Ok(piece) = piece.cast::<PyBytes>() else {
            return Err(PyTypeError::new_err("the file must be opened for bytes, with mode 'rb'"));
        };
        if piece.as_bytes().is_empty() {
            return Ok(all);
        }
        all.extend_from_slice(piece.as_bytes());
        check_size(all.len(), limits)?;
    }
}

fn check_size(bytes: usize, limits: &Limits) -> PyResult<()> {
    if bytes as u64 <= limits.file_bytes {
        return Ok(());
    }
    let message = format!("the model has more than {} bytes", limits.file_bytes);
    Err(exception(Error::new(Code::LimitFileSize, message)))
}

/// The base name of `file.name`, which is no text for pipes and anonymous files.
fn file_object_name(file: &Bound<'_, PyAny>) -> Option<String> {
    let name: OsString = file.getattr("name").ok()?.extract().ok()?;
    Some(Path::new(&name).file_name()?.to_string_lossy().into_owned())
}
