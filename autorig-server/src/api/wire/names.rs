//! The API's names: statuses, stages, classes, visibilities.

use poem_openapi::Enum;

/// The two ways between a name of the API and core's name for the same thing.
macro_rules! same_as_core {
    ($name:ident, $core:path { $($variant:ident)+ }) => {
        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                use $core as Core;
                match value { $(Core::$variant => Self::$variant,)+ }
            }
        }

        impl From<$name> for $core {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant,)+ }
            }
        }
    };
}

same_as_core!(Status, autorig_core::task::TaskStatus { Created Processing Done Error Cancelled });
same_as_core!(Stage, autorig_core::task::Stage { Convert Read Analyse Skeleton Skin Export Lod Animate Render Pack });
same_as_core!(ErrorClass, autorig_core::Class { UserViolation Temporary RateLimit Billing Unknown });
same_as_core!(Visibility, autorig_core::task::Visibility { Public Unlisted Private });

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

/// What is being done while a task is processed, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Turning FBX into GLB, before a converter machine begins.
    Convert,
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
