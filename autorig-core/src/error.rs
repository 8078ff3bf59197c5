//! The one error of the core: a class that decides what happens next, a stable code, and words for people.
//!
//! [`Class`] decides about retries and credits (`spec.md` §5), [`Kind`] lets a door choose its HTTP status
//! or exit code, `code` is what programs compare, `message` and `remedy` are what people read (lower case,
//! no full stop).

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

/// Result of every fallible call of the core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What an error means for retries and credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The input or the call is at fault: trying again gives the same.
    UserViolation,
    /// Something failed that may work in a moment.
    Temporary,
    /// Too much at once; later it will work.
    RateLimit,
    /// A provider is out of funds.
    Billing,
    /// Anything else; treated as temporary and looked at by a person.
    Unknown,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 5] =
        [Self::UserViolation, Self::Temporary, Self::RateLimit, Self::Billing, Self::Unknown];

    /// The name used in the API and in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserViolation => "user_violation",
            Self::Temporary => "temporary",
            Self::RateLimit => "rate_limit",
            Self::Billing => "billing",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for Class {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown error class `{text}` in the store")))
    }
}

/// What kind of thing went wrong; a door maps it to a status or an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The file or the link cannot be used.
    Input,
    /// The call itself is wrong: an unknown option, a bad value.
    Usage,
    /// A limit was passed.
    Limit,
    /// Nobody knows who calls.
    SignIn,
    /// The caller may not do this.
    Denied,
    /// The thing does not exist.
    NotFound,
    /// The call contradicts the state of things.
    Conflict,
    /// The caller stopped it.
    Cancelled,
    /// Something outside of us does not answer.
    Unavailable,
    /// Our fault, or the machine's.
    Internal,
}

/// A limit on how often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// What it is called.
    pub name: &'static str,
    /// How often.
    pub quota: u32,
    /// In what time; `None` for a number at once.
    pub window: Option<Duration>,
}

/// What went wrong, to which thing, and what to do about it.
#[derive(Clone)]
pub struct Error {
    /// Decides about retries and credits.
    pub class: Class,
    /// Decides about statuses and exit codes.
    pub kind: Kind,
    /// Stable machine-readable code, `snake_case`.
    pub code: Cow<'static, str>,
    /// What happened, to which thing.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// When the other side said to come back.
    pub retry_after: Option<Duration>,
    /// The limit that was met.
    pub rate: Option<Box<Rate>>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error with every word given.
    pub fn new(
        class: Class,
        kind: Kind,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            class,
            kind,
            code: code.into(),
            message: message.into(),
            remedy: remedy.into(),
            retry_after: None,
            rate: None,
            source: None,
        }
    }

    /// The input is at fault.
    pub fn input(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(Class::UserViolation, Kind::Input, code, message, remedy)
    }

    /// The call is at fault.
    pub fn usage(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(Class::UserViolation, Kind::Usage, code, message, remedy)
    }

    /// A limit was passed.
    pub fn limit(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(Class::UserViolation, Kind::Limit, code, message, remedy)
    }

    /// The call contradicts the state of things.
    pub fn conflict(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(Class::UserViolation, Kind::Conflict, code, message, remedy)
    }

    /// Something failed that may work in a moment.
    pub fn temporary(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(Class::Temporary, Kind::Unavailable, code, message, remedy)
    }

    /// A defect of ours, or of the machine.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(
            Class::Unknown,
            Kind::Internal,
            "internal",
            message,
            "try again; if it stays, report it with the task's id",
        )
    }

    /// The disk or another local resource failed while doing `what`.
    pub fn io(what: impl fmt::Display, source: std::io::Error) -> Self {
        Self::new(
            Class::Temporary,
            Kind::Internal,
            "io_error",
            format!("{what}: {source}"),
            "check that the data directory is writable and the disk is not full",
        )
        .with_source(source)
    }

    /// A body ended before it was complete.
    pub fn upload_cut_off(detail: impl fmt::Display) -> Self {
        Self::input(
            "upload_cut_off",
            format!("the upload ended before the file was complete ({detail})"),
            "send the file again",
        )
    }

    /// The attempt was stopped on request.
    pub fn cancelled() -> Self {
        Self::new(
            Class::UserViolation,
            Kind::Cancelled,
            "cancelled",
            "the task was cancelled",
            "start it again",
        )
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Adds when to come back.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds the limit that was met.
    #[must_use]
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.rate = Some(Box::new(rate));
        self
    }

    /// True when the same call may work later.
    pub fn is_retryable(&self) -> bool {
        matches!(self.class, Class::Temporary | Class::RateLimit | Class::Unknown)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.remedy)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code)
            .field("class", &self.class)
            .field("message", &self.message)
            .field("remedy", &self.remedy)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}

impl From<autorig_engine::Error> for Error {
    fn from(error: autorig_engine::Error) -> Self {
        use autorig_engine::Kind as Engine;
        let (class, kind) = match error.code.kind() {
            Engine::Input => (Class::UserViolation, Kind::Input),
            Engine::Usage => (Class::UserViolation, Kind::Usage),
            Engine::Limit => (Class::UserViolation, Kind::Limit),
            Engine::Cancelled => (Class::UserViolation, Kind::Cancelled),
            Engine::Internal => (Class::Unknown, Kind::Internal),
        };
        Self::new(class, kind, error.code.as_str(), error.message, error.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_input_error_becomes_a_user_violation_that_is_not_retried() {
        for code in autorig_engine::Code::ALL {
            let error = Error::from(autorig_engine::Error::new(*code, "what"));
            let users_fault = !matches!(code.kind(), autorig_engine::Kind::Internal);
            assert_eq!(error.class == Class::UserViolation, users_fault, "{code}");
            assert_eq!(error.is_retryable(), !users_fault, "{code}");
            assert_eq!(error.code, code.as_str());
        }
    }

    #[test]
    fn a_class_reads_back_from_its_name() {
        for class in Class::ALL {
            assert_eq!(class.as_str().parse::<Class>().unwrap(), class);
        }
        assert!("other".parse::<Class>().is_err());
    }
}
