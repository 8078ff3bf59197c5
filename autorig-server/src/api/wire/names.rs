//! The API's names: statuses, stages, classes, visibilities.

use autorig_core::task::TaskStatus;
use poem_openapi::Enum;

/// Where a task is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Waits for a worker, also between two attempts.
    Created,
    /// A worker is at it.
    Processing,
    /// Every required file exists.
    Done,
    /// It failed for good; `error` says why.
    Error,
    /// It was stopped on request.
    Cancelled,
}

impl From<TaskStatus> for Status {
    fn from(status: TaskStatus) -> Self {
        match status {
            TaskStatus::Created => Self::Created,
            TaskStatus::Processing => Self::Processing,
            TaskStatus::Done => Self::Done,
            TaskStatus::Error => Self::Error,
            TaskStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// What is being done while a task is processed, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Reading the file.
    Read,
    /// Finding out what it shows and which way it faces.
    Analyse,
    /// Placing the joints.
    Skeleton,
    /// Binding the surface to them.
    Skin,
    /// Writing the files.
    Export,
    /// Making the levels of detail.
    Lod,
    /// Making the clips.
    Animate,
    /// Drawing the pictures and the video.
    Render,
    /// Writing the report and the archive.
    Pack,
}

impl From<autorig_core::task::Stage> for Stage {
    fn from(stage: autorig_core::task::Stage) -> Self {
        use autorig_core::task::Stage as Core;
        match stage {
            Core::Read => Self::Read,
            Core::Analyse => Self::Analyse,
            Core::Skeleton => Self::Skeleton,
            Core::Skin => Self::Skin,
            Core::Export => Self::Export,
            Core::Lod => Self::Lod,
            Core::Animate => Self::Animate,
            Core::Render => Self::Render,
            Core::Pack => Self::Pack,
        }
    }
}

/// What an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum ErrorClass {
    /// The input or the call is at fault: trying again gives the same.
    UserViolation,
    /// It may work in a moment.
    Temporary,
    /// Too much at once; it will work later.
    RateLimit,
    /// A provider is out of funds.
    Billing,
    /// Anything else.
    Unknown,
}

impl From<autorig_core::Class> for ErrorClass {
    fn from(class: autorig_core::Class) -> Self {
        use autorig_core::Class as Core;
        match class {
            Core::UserViolation => Self::UserViolation,
            Core::Temporary => Self::Temporary,
            Core::RateLimit => Self::RateLimit,
            Core::Billing => Self::Billing,
            Core::Unknown => Self::Unknown,
        }
    }
}

/// Who may see a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Visibility {
    /// Everyone, and it is listed.
    Public,
    /// Everyone with its id.
    Unlisted,
    /// Its owner and the admins.
    Private,
}

impl From<autorig_core::task::Visibility> for Visibility {
    fn from(visibility: autorig_core::task::Visibility) -> Self {
        use autorig_core::task::Visibility as Core;
        match visibility {
            Core::Public => Self::Public,
            Core::Unlisted => Self::Unlisted,
            Core::Private => Self::Private,
        }
    }
}
