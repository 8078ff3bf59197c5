//! What parent and child say: one line of JSON in, lines of JSON out.

use std::{borrow::Cow, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    Class, Error, Kind,
    task::{RigOptions, Stage},
};

/// The job, one line on the child's standard input. The input stays open as long as the child is wanted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChildJob {
    /// The input's name.
    pub(super) name: String,
    /// The input.
    pub(super) input: PathBuf,
    /// Where files go, an existing folder.
    pub(super) scratch: PathBuf,
    /// What the user wants.
    pub(super) options: RigOptions,
    /// Address space, in bytes.
    pub(super) memory_bytes: u64,
    /// Threads.
    pub(super) threads: usize,
}

/// One line on the child's standard output.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum ChildEvent {
    /// It got further.
    Progress { stage: Stage, fraction: f32 },
    /// A file is complete: `key` in the scratch folder.
    File { key: String },
    /// Everything is made; the last line.
    Done,
    /// It failed; the last line.
    Error(ChildError),
}

/// An error on its way from child to parent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChildError {
    class: Class,
    limit: bool,
    code: String,
    message: String,
    remedy: String,
}

impl From<&Error> for ChildError {
    fn from(error: &Error) -> Self {
        Self {
            class: error.class,
            limit: error.kind == Kind::Limit,
            code: error.code.clone().into_owned(),
            message: error.message.clone(),
            remedy: error.remedy.clone(),
        }
    }
}

impl From<ChildError> for Error {
    fn from(error: ChildError) -> Self {
        let kind = match error.class {
            Class::UserViolation if error.limit => Kind::Limit,
            Class::UserViolation => Kind::Input,
            _ => Kind::Internal,
        };
        Self::new(error.class, kind, Cow::Owned(error.code), error.message, error.remedy)
    }
}

/// The job has reached its limit; another attempt would too.
pub(super) fn out_of_memory(limit: u64) -> Error {
    Error::limit(
        "limit_memory",
        format!("rigging this model needs more than {} MB of memory", limit >> 20),
        "simplify the mesh or reduce its textures and send it again",
    )
}
