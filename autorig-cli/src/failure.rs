//! The one error of the command line: what happened, to which file, what to do, and the exit code.

use std::{fmt, io, path::Path, process::ExitCode};

use autorig_engine::{Code, Error, Kind};
use autorig_server::ServerError;
use serde::Serialize;

/// Result of everything that can fail here.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Exit codes; `spec.md` §10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Ok = 0,
    /// Our fault, or the machine's.
    Internal = 1,
    /// The command was wrong.
    Usage = 2,
    /// The input cannot be rigged.
    Input = 3,
    /// A limit was passed.
    Limit = 4,
    /// A file or folder is not there.
    NotFound = 5,
    /// The system does not let us.
    Denied = 6,
    /// The network, or a server.
    Network = 7,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// How bad it is, to name the worst of a batch: what is wrong with the machine outweighs what
    /// is wrong with one file, and an interrupt outweighs everything.
    pub(crate) fn severity(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Usage => 1,
            Self::Input => 2,
            Self::Limit => 3,
            Self::NotFound => 4,
            Self::Denied => 5,
            Self::Network => 6,
            Self::Internal => 7,
            Self::Interrupted => 8,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A failure, in words for the person who typed the command.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    /// Stable machine-readable code.
    pub(crate) code: String,
    /// What happened.
    pub(crate) message: String,
    /// What to do.
    pub(crate) remedy: String,
    /// The file it is about, as typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// How the program ends.
    #[serde(skip)]
    pub(crate) exit: Exit,
}

impl Failure {
    /// A failure that is not the engine's.
    pub(crate) fn new(exit: Exit, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), remedy: remedy.into(), file: None, exit }
    }

    /// Names the file, unless one is named already.
    #[must_use]
    pub(crate) fn about(mut self, file: &Path) -> Self {
        self.file.get_or_insert_with(|| display_name(file));
        self
    }

    /// The user pressed Ctrl-C.
    pub(crate) fn interrupted() -> Self {
        Self::from(Error::new(Code::Cancelled, "interrupted"))
    }

    /// The command was wrong.
    pub(crate) fn usage(code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, message, remedy)
    }

    /// A file could not be read or written; `doing` completes "cannot …".
    pub(crate) fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        let (exit, code, remedy) = match error.kind() {
            io::ErrorKind::NotFound => (Exit::NotFound, "file_not_found", "check the path; nothing is there"),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                (Exit::Denied, "permission_denied", "check the permissions of the path")
            }
            io::ErrorKind::AlreadyExists => {
                (Exit::Usage, "output_exists", "add --force to overwrite it, or choose another name")
            }
            io::ErrorKind::StorageFull => (Exit::Internal, "disk_full", "make room on the disk"),
            _ => (Exit::Internal, "io_error", Code::Io.remedy()),
        };
        Self::new(exit, code, format!("cannot {doing}: {}", reason(error)), remedy).about(path)
    }
}

/// The operating system's reason without Rust's `(os error N)`.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

/// A path as the user knows it; `-` is named for what it is.
pub(crate) fn display_name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error.code.kind() {
            Kind::Input => Exit::Input,
            Kind::Usage => Exit::Usage,
            Kind::Limit => Exit::Limit,
            Kind::Cancelled => Exit::Interrupted,
            Kind::Internal => Exit::Internal,
        };
        Self {
            code: error.code.as_str().to_owned(),
            message: error.message,
            remedy: error.remedy,
            file: None,
            exit,
        }
    }
}

impl From<autorig_core::Error> for Failure {
    fn from(error: autorig_core::Error) -> Self {
        use autorig_core::Kind as Core;
        let exit = match error.kind {
            Core::Input => Exit::Input,
            Core::Usage | Core::Conflict => Exit::Usage,
            Core::Limit => Exit::Limit,
            Core::SignIn | Core::Denied => Exit::Denied,
            Core::NotFound => Exit::NotFound,
            Core::Cancelled => Exit::Interrupted,
            Core::Unavailable => Exit::Network,
            Core::Internal => Exit::Internal,
        };
        Self::new(exit, &error.code, error.message, error.remedy)
    }
}

impl From<autorig_client::Error> for Failure {
    fn from(error: autorig_client::Error) -> Self {
        let exit = match &error {
            autorig_client::Error::Problem(problem) => match problem.status {
                401 | 403 => Exit::Denied,
                404 | 410 => Exit::NotFound,
                413 | 429 => Exit::Limit,
                400..=499 => Exit::Usage,
                _ => Exit::Network,
            },
            autorig_client::Error::InvalidUrl { .. } => Exit::Usage,
            autorig_client::Error::File { .. } => Exit::Internal,
            _ => Exit::Network,
        };
        Self::new(exit, error.code(), error.to_string(), error.remedy())
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        let exit = match error {
            ServerError::Start(error) => return error.into(),
            ServerError::NotLoopback { .. } | ServerError::PublicUrl { .. } => Exit::Usage,
            ServerError::NoAdmin { .. } => Exit::Denied,
            _ => Exit::Network,
        };
        Self::new(exit, error.code(), error.to_string(), error.remedy())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.file {
            Some(file) => write!(f, " ({file})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_engine_error_has_its_documented_exit_code() {
        let exit = |code: Code| Failure::from(Error::new(code, "x")).exit.code();
        assert_eq!(exit(Code::TruncatedFile), 3);
        assert_eq!(exit(Code::InvalidOption), 2);
        assert_eq!(exit(Code::LimitTriangles), 4);
        assert_eq!(exit(Code::Cancelled), 130);
        assert_eq!(exit(Code::Internal), 1);
    }

    #[test]
    fn a_missing_file_is_not_found_and_a_forbidden_one_is_denied() {
        let failure = |kind: io::ErrorKind| Failure::io("read it", Path::new("a.glb"), &kind.into());
        assert_eq!(failure(io::ErrorKind::NotFound).exit.code(), 5);
        assert_eq!(failure(io::ErrorKind::PermissionDenied).exit.code(), 6);
        assert!(failure(io::ErrorKind::NotFound).to_string().ends_with("(a.glb)"));
    }
}
