//! What a task is: plain data with public fields, as the store keeps it and the doors convert it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Class, Error, Kind, clock::Time};

/// Names one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub Uuid);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TaskId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().map(Self).map_err(|_| {
            Error::usage(
                "invalid_task_id",
                "the task id is not a UUID",
                "use the id that the create call answered",
            )
        })
    }
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name used in the API and in stores.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|value| value.as_str() == text)
                    .ok_or_else(|| Error::internal(format!(concat!("unknown ", $what, " `{}`"), text)))
            }
        }
    };
}

named! {
    /// Where a task is in its life.
    TaskStatus, "task status" {
        /// Waits for a worker, also between two attempts.
        Created => "created",
        /// A worker holds it.
        Processing => "processing",
        /// Every required file exists.
        Done => "done",
        /// It failed for good.
        Error => "error",
        /// It was stopped on request.
        Cancelled => "cancelled",
    }
}

impl TaskStatus {
    /// True when nothing more happens by itself.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Error | Self::Cancelled)
    }
}

named! {
    /// What is being done while a task is processed, in order.
    Stage, "stage" {
        /// FBX to GLB, before a converter begins.
        Convert => "convert",
        /// Bytes to a scene.
        Read => "read",
        /// Orientation, class, solid.
        Analyse => "analyse",
        /// Joints.
        Skeleton => "skeleton",
        /// Skin weights.
        Skin => "skin",
        /// Writing the files.
        Export => "export",
        /// Levels of detail.
        Lod => "lod",
        /// Clips.
        Animate => "animate",
        /// Pictures and the video.
        Render => "render",
        /// Report and archive.
        Pack => "pack",
    }
}

impl From<autorig_engine::Stage> for Stage {
    fn from(stage: autorig_engine::Stage) -> Self {
        match stage {
            autorig_engine::Stage::Read => Self::Read,
            autorig_engine::Stage::Analyse => Self::Analyse,
            autorig_engine::Stage::Skeleton => Self::Skeleton,
            autorig_engine::Stage::Skin => Self::Skin,
            autorig_engine::Stage::Export => Self::Export,
            autorig_engine::Stage::Lod => Self::Lod,
            autorig_engine::Stage::Animate => Self::Animate,
            autorig_engine::Stage::Render => Self::Render,
            autorig_engine::Stage::Pack => Self::Pack,
        }
    }
}

named! {
    /// Who may see a task.
    Visibility, "visibility" {
        /// Everyone, and it is listed.
        Public => "public",
        /// Everyone with its id.
        Unlisted => "unlisted",
        /// Its owner and the admins.
        Private => "private",
    }
}

named! {
    /// What kind of caller owns a task.
    OwnerKind, "owner kind" {
        /// The person at this machine: local mode.
        Local => "local",
        /// A browser session without an account.
        Anonymous => "anonymous",
        /// An account.
        User => "user",
    }
}

/// Whose task it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// What kind of caller.
    pub kind: OwnerKind,
    /// Which one of that kind.
    pub id: String,
}

impl Owner {
    /// The one owner of local mode.
    pub fn local() -> Self {
        Self { kind: OwnerKind::Local, id: "local".to_owned() }
    }
}

/// The file a task works on, already stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Where its bytes are in the blob store.
    pub blob: String,
    /// The name it came with, without folders.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
}

/// A file a task has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFile {
    /// Its fixed place (`spec.md` §2).
    pub index: u32,
    /// Its stable key, `rigged_glb`.
    pub key: String,
    /// The name to save it under.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// MIME type.
    pub mime: String,
    /// Where its bytes are in the blob store.
    pub blob: String,
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// What it means for retries and credits.
    pub class: Class,
    /// Stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl From<&Error> for TaskError {
    fn from(error: &Error) -> Self {
        Self {
            class: error.class,
            code: error.code.clone().into_owned(),
            message: error.message.clone(),
            remedy: error.remedy.clone(),
        }
    }
}

impl From<TaskError> for Error {
    fn from(error: TaskError) -> Self {
        let kind = match error.class {
            Class::UserViolation => Kind::Input,
            Class::Temporary | Class::RateLimit | Class::Billing => Kind::Unavailable,
            Class::Unknown => Kind::Internal,
        };
        Self::new(error.class, kind, error.code, error.message, error.remedy)
    }
}

/// A task as the store holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What is to be done: `rig`.
    pub kind: String,
    /// The options, checked by the kind.
    pub params: Value,
    /// Whose it is.
    pub owner: Owner,
    /// The higher, the sooner it is worked on; 0 unless somebody has said otherwise.
    pub priority: i32,
    /// Who may see it.
    pub visibility: Visibility,
    /// What its owner calls it; its input's name when `None`.
    pub title: Option<String>,
    /// What it works on.
    pub input: InputFile,
    /// Where it is in its life.
    pub status: TaskStatus,
    /// What is being done, while processing; where it stopped, afterwards.
    pub stage: Option<Stage>,
    /// Per cent of the whole, 0 to 100; never falls within one attempt.
    pub progress: u8,
    /// How often a worker has taken it; the fencing token of every write.
    pub attempt: u32,
    /// How many attempts have failed since it was created.
    pub failures: u32,
    /// Files made so far, by place.
    pub files: Vec<TaskFile>,
    /// How many files there will be.
    pub total_count: u32,
    /// Why it failed for good. An attempt that is followed by another is none of the user's business.
    pub error: Option<TaskError>,
    /// Why the last attempt failed, while the task waits for the next.
    pub last_failure: Option<TaskError>,
    /// Which result this is: 1, and one more after each correction.
    pub revision: u32,
    /// Id of its latest event; changes with everything that happens to the task, not with what its owner edits.
    pub version: u64,
    /// Who holds it while processing.
    pub lease_owner: Option<String>,
    /// Until when.
    pub lease_until: Option<Time>,
    /// Not before this moment will it be tried again.
    pub next_attempt_at: Option<Time>,
    /// When it was created.
    pub created_at: Time,
    /// When the current or last attempt began.
    pub started_at: Option<Time>,
    /// When it became done, error or cancelled.
    pub finished_at: Option<Time>,
    /// Milliseconds spent in each stage of the current or last attempt.
    pub timings: BTreeMap<String, u64>,
    /// When the current stage began.
    pub stage_started_at: Option<Time>,
}

impl Task {
    /// Files made so far.
    pub fn ready_count(&self) -> u32 {
        u32::try_from(self.files.len()).unwrap_or(u32::MAX)
    }

    /// True when it failed for good through no fault of its sender: somebody should look into it.
    pub fn is_dead_letter(&self) -> bool {
        self.status == TaskStatus::Error
            && self.error.as_ref().is_some_and(|error| error.class != Class::UserViolation)
    }

    /// Where the input is of a task that came with its own file.
    pub(crate) fn own_input(&self) -> String {
        format!("uploads/{}", self.id)
    }

    /// The file of this key.
    pub fn file(&self, key: &str) -> Option<&TaskFile> {
        self.files.iter().find(|file| file.key == key)
    }
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskEvent {
    /// Grows within one task; what `Last-Event-ID` names.
    pub id: u64,
    /// When.
    pub at: Time,
    /// What.
    pub kind: EventKind,
}

/// What happened to a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// It waits for a worker. The position is filled in when the event is read: it changes all the time.
    Queued {
        /// 1 is next.
        #[serde(default)]
        position: Option<u64>,
        /// The earliest next attempt, after a failure.
        #[serde(default)]
        next_attempt_at: Option<Time>,
    },
    /// A stage begins.
    Stage {
        /// Which.
        stage: Stage,
        /// Per cent of the whole.
        progress: u8,
    },
    /// It got further within a stage.
    Progress {
        /// Which stage.
        stage: Stage,
        /// Per cent of the whole.
        progress: u8,
    },
    /// A file is ready.
    File {
        /// Its key.
        key: String,
        /// Its name.
        name: String,
        /// Its size.
        size: u64,
    },
    /// Whoever works on it has something to say to people.
    Log {
        /// One line.
        message: String,
    },
    /// Every required file exists.
    Done,
    /// It failed for good.
    Error(TaskError),
    /// It was stopped on request.
    Cancelled,
}

impl EventKind {
    /// The event's name in the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Stage { .. } => "stage",
            Self::Progress { .. } => "progress",
            Self::File { .. } => "file",
            Self::Log { .. } => "log",
            Self::Done => "done",
            Self::Error(_) => "error",
            Self::Cancelled => "cancelled",
        }
    }

    /// True when no other event follows by itself; a restart may add some.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Done | Self::Error(_) | Self::Cancelled)
    }
}

/// Who waits, who works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStatus {
    /// Tasks that wait for a worker.
    pub queued: u64,
    /// Tasks a worker holds.
    pub processing: u64,
    /// Workers that answer.
    pub workers_online: u32,
    /// Workers with a free slot.
    pub workers_free: u32,
    /// Workers there are.
    pub workers_total: u32,
    /// How long a task created now would wait, measured from recent tasks; `None` before any was done.
    pub estimated_wait_seconds: Option<u64>,
}

/// Where one task stands in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePosition {
    /// 1 is next.
    pub position: u64,
    /// Measured from recent tasks; `None` before any was done.
    pub estimated_wait_seconds: Option<u64>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass it to get the next page; `None` on the last.
    pub next: Option<String>,
}
