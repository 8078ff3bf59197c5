//! What an API key may be used for.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One thing a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Look at tasks, their events and logs.
    #[serde(rename = "tasks:read")]
    TasksRead,
    /// Create and change tasks.
    #[serde(rename = "tasks:write")]
    TasksWrite,
    /// Download files.
    #[serde(rename = "files:read")]
    FilesRead,
    /// Look at the balance.
    #[serde(rename = "credits:read")]
    CreditsRead,
    /// Manage webhook endpoints.
    #[serde(rename = "webhooks")]
    Webhooks,
    /// Lease jobs and do them.
    #[serde(rename = "worker")]
    Worker,
    /// Everything, for everyone's things; only an admin can give it.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::TasksRead,
        Self::TasksWrite,
        Self::FilesRead,
        Self::CreditsRead,
        Self::Webhooks,
        Self::Worker,
        Self::Admin,
    ];

    /// The name in the API and in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TasksRead => "tasks:read",
            Self::TasksWrite => "tasks:write",
            Self::FilesRead => "files:read",
            Self::CreditsRead => "credits:read",
            Self::Webhooks => "webhooks",
            Self::Worker => "worker",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| {
            let shown: String = text.chars().take(32).collect();
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::usage("unknown_scope", format!("there is no scope `{shown}`"), format!("use only {known}"))
        })
    }
}

/// Several scopes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// What a program needs that makes tasks and fetches their results; what a key has when nobody says more.
    pub fn usual() -> Self {
        [Scope::TasksRead, Scope::TasksWrite, Scope::FilesRead].into_iter().collect()
    }

    /// True when a key with these may do that; `admin` may do everything.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::Admin)
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_back_from_its_name() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse::<Scope>().unwrap(), scope);
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
        assert_eq!("tasks".parse::<Scope>().unwrap_err().code, "unknown_scope");
    }

    #[test]
    fn admin_allows_everything_and_nothing_else_does() {
        for scope in Scope::ALL {
            assert!(Scopes::from_iter([Scope::Admin]).allow(scope));
            for other in Scope::ALL.into_iter().filter(|other| *other != Scope::Admin) {
                assert_eq!(Scopes::from_iter([other]).allow(scope), other == scope);
            }
        }
        assert!(!Scopes::usual().allow(Scope::Worker) && !Scopes::usual().allow(Scope::Admin));
    }
}
