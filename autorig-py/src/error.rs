//! The engine's errors as Python exceptions, one class a kind; `python/autorig/errors.py` defines them.

use std::{io, path::Path};

use autorig_engine::{Code, Error, Kind};
use pyo3::{PyErr, exceptions::PyOSError};

/// Imported from Python, where they are ordinary classes.
mod classes {
    pyo3::import_exception!(autorig.errors, InputError);
    pyo3::import_exception!(autorig.errors, UsageError);
    pyo3::import_exception!(autorig.errors, LimitError);
    pyo3::import_exception!(autorig.errors, CancelledError);
    pyo3::import_exception!(autorig.errors, InternalError);
}

/// The exception of an engine error.
pub(crate) fn exception(error: Error) -> PyErr {
    let arguments = (error.code.as_str(), error.message, error.remedy);
    match error.code.kind() {
        Kind::Input => classes::InputError::new_err(arguments),
        Kind::Usage => classes::UsageError::new_err(arguments),
        Kind::Limit => classes::LimitError::new_err(arguments),
        Kind::Cancelled => classes::CancelledError::new_err(arguments),
        Kind::Internal => classes::InternalError::new_err(arguments),
    }
}

/// An argument that is not acceptable.
pub(crate) fn usage(message: impl Into<String>, remedy: &str) -> PyErr {
    exception(Error::new(Code::InvalidOption, message).with_remedy(remedy))
}

/// A defect of ours.
pub(crate) fn internal(message: impl Into<String>) -> PyErr {
    exception(Error::new(Code::Internal, message))
}

/// `FileNotFoundError` and its like, with number and file name, as Python's own functions raise them.
pub(crate) fn os_error(error: &io::Error, path: &Path) -> PyErr {
    // The C library's numbers, which Python keeps on every platform; OSError picks its subclass by them.
    let number = match error.kind() {
        io::ErrorKind::NotFound => 2,
        io::ErrorKind::PermissionDenied => 13,
        io::ErrorKind::AlreadyExists => 17,
        io::ErrorKind::NotADirectory => 20,
        io::ErrorKind::IsADirectory => 21,
        io::ErrorKind::StorageFull => 28,
        io::ErrorKind::ReadOnlyFilesystem => 30,
        _ => 5,
    };
    let text = error.kind().to_string();
    PyOSError::new_err((number, text, path.as_os_str().to_owned()))
}
