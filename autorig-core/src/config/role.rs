//! What one node of several does.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Error;

/// What a node does; nodes with different roles share a database and a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// Answers callers, and leaves the work to others.
    Api,
    /// Hands tasks to machines that are asked over the network, and takes back what was lost.
    Dispatch,
    /// Rigs on this machine.
    Worker,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::All, Self::Api, Self::Dispatch, Self::Worker];

    /// The name used in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Api => "api",
            Self::Dispatch => "dispatch",
            Self::Worker => "worker",
        }
    }

    /// True when the node answers callers.
    pub fn has_api(self) -> bool {
        matches!(self, Self::All | Self::Api)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            Error::usage("invalid_config", "there is no such role", "use one of all, api, dispatch, worker")
        })
    }
}
