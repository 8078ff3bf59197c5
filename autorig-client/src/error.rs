//! What can go wrong on the way to a server and back.

use std::{io, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// Result of every call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The server's own words: RFC 9457 `application/problem+json` with a stable code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// HTTP status.
    #[serde(default)]
    pub status: u16,
    /// Stable machine-readable code.
    pub code: String,
    /// What kind of problem, the same words for every occurrence.
    #[serde(default)]
    pub title: String,
    /// What happened this time.
    #[serde(default)]
    pub detail: String,
    /// What to do about it.
    #[serde(default)]
    pub remedy: String,
    /// Names the request in the server's log.
    #[serde(default)]
    pub request_id: Option<String>,
    /// The same request may succeed later.
    #[serde(default)]
    pub retryable: bool,
}

impl Problem {
    /// What happened, in the most exact words there are.
    pub fn message(&self) -> &str {
        [&self.detail, &self.title].into_iter().find(|text| !text.is_empty()).unwrap_or(&self.code)
    }
}

/// A failed call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server understood and refused.
    #[error("{}", .0.message())]
    Problem(Box<Problem>),
    /// The server cannot be reached, or went away in the middle.
    #[error("the server cannot be reached: {message}")]
    Network {
        /// The innermost reason.
        message: String,
        /// What the HTTP client said.
        #[source]
        source: reqwest::Error,
    },
    /// What answered does not speak this API.
    #[error("the answer is not one of an AutoRig server: {message}")]
    UnexpectedAnswer {
        /// HTTP status, where there was one.
        status: Option<u16>,
        /// What is wrong with it.
        message: String,
    },
    /// The address of the server is no http(s) URL.
    #[error("`{url}` is not the address of a server: {message}")]
    InvalidUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        message: String,
    },
    /// A local file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// The downloaded bytes are not those the server announced.
    #[error("the download of {name} does not match its checksum")]
    CorruptDownload {
        /// The file's name.
        name: String,
    },
    /// The task was not finished when the caller's patience was.
    #[error("the task was not finished after {} s", waited.as_secs())]
    WaitedTooLong {
        /// How long.
        waited: Duration,
    },
}

impl Error {
    /// Stable machine-readable code: the server's own, or one of this crate's.
    pub fn code(&self) -> &str {
        match self {
            Self::Problem(problem) => &problem.code,
            Self::Network { .. } => "network",
            Self::UnexpectedAnswer { .. } => "unexpected_answer",
            Self::InvalidUrl { .. } => "invalid_url",
            Self::File { .. } => "io_error",
            Self::CorruptDownload { .. } => "corrupt_download",
            Self::WaitedTooLong { .. } => "timeout",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        match self {
            Self::Problem(problem) => &problem.remedy,
            Self::Network { .. } => "check the server's address and that it is running, then try again",
            Self::UnexpectedAnswer { .. } => "check the server's address; a proxy may answer in its place",
            Self::InvalidUrl { .. } => "give an address such as http://127.0.0.1:7070",
            Self::File { .. } => "check that the path exists and may be used",
            Self::CorruptDownload { .. } => "download it again",
            Self::WaitedTooLong { .. } => "wait longer; the task goes on without you",
        }
    }

    /// The HTTP status, where a server answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::UnexpectedAnswer { status, .. } => *status,
            _ => None,
        }
    }

    /// The same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.retryable,
            Self::Network { .. } | Self::CorruptDownload { .. } | Self::WaitedTooLong { .. } => true,
            Self::UnexpectedAnswer { status, .. } => status.is_some_and(crate::retry::is_transient),
            Self::InvalidUrl { .. } | Self::File { .. } => false,
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(source: reqwest::Error) -> Self {
        // Addresses may carry secrets in their query; the caller knows which one it asked for.
        let source = source.without_url();
        let mut innermost: &dyn std::error::Error = &source;
        while let Some(next) = innermost.source() {
            innermost = next;
        }
        let message = innermost.to_string();
        if source.is_decode() && !source.is_timeout() && source.is_body() {
            return Self::UnexpectedAnswer { status: None, message };
        }
        Self::Network { message, source }
    }
}
