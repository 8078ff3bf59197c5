//! Keys, and who calls.

use autorig_core::account::{ApiKey, Caller, MadeKey, Scope as CoreScope, Via};
use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum Scope {
    /// Look at tasks, their events and logs.
    #[oai(rename = "tasks:read")]
    TasksRead,
    /// Create and change tasks.
    #[oai(rename = "tasks:write")]
    TasksWrite,
    /// Download files.
    #[oai(rename = "files:read")]
    FilesRead,
    /// Look at the balance.
    #[oai(rename = "credits:read")]
    CreditsRead,
    /// Manage webhook endpoints.
    #[oai(rename = "webhooks")]
    Webhooks,
    /// Lease jobs and do them.
    #[oai(rename = "worker")]
    Worker,
    /// Everything, for everyone's things.
    #[oai(rename = "admin")]
    Admin,
}

impl From<Scope> for CoreScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::TasksRead => Self::TasksRead,
            Scope::TasksWrite => Self::TasksWrite,
            Scope::FilesRead => Self::FilesRead,
            Scope::CreditsRead => Self::CreditsRead,
            Scope::Webhooks => Self::Webhooks,
            Scope::Worker => Self::Worker,
            Scope::Admin => Self::Admin,
        }
    }
}

impl From<CoreScope> for Scope {
    fn from(scope: CoreScope) -> Self {
        match scope {
            CoreScope::TasksRead => Self::TasksRead,
            CoreScope::TasksWrite => Self::TasksWrite,
            CoreScope::FilesRead => Self::FilesRead,
            CoreScope::CreditsRead => Self::CreditsRead,
            CoreScope::Webhooks => Self::Webhooks,
            CoreScope::Worker => Self::Worker,
            CoreScope::Admin => Self::Admin,
        }
    }
}

/// An API key, without the key.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "ApiKey")]
pub(crate) struct KeyView {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// How it begins.
    pub hint: String,
    /// It never spends.
    pub test: bool,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// The user whose key it is.
    pub user: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to a few minutes; null before.
    pub last_used_at: Option<DateTime<Utc>>,
    /// From then on it is of no use; null for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked; null while it is not.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl From<&ApiKey> for KeyView {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            hint: key.hint.clone(),
            test: !key.live,
            scopes: key.scopes.iter().map(Into::into).collect(),
            user: key.owner.id.clone(),
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// API keys, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct KeyList {
    /// All of them.
    pub items: Vec<KeyView>,
}

/// A key that was just made, with the key.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "NewApiKey")]
pub(crate) struct MadeKeyView {
    /// The key itself. It is not kept: this is the only time it is seen.
    pub key: String,
    /// What is kept of it.
    pub api_key: KeyView,
}

impl From<&MadeKey> for MadeKeyView {
    fn from(made: &MadeKey) -> Self {
        Self { key: made.secret.reveal().to_owned(), api_key: (&made.key).into() }
    }
}

/// Somebody with a name.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct User {
    /// The id.
    pub id: String,
    /// May do everything.
    pub is_admin: bool,
}

/// What this server can do.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct Features {
    /// `local`: this machine only, no sign-in; `site`: keys and sessions.
    pub mode: String,
    /// Ways for people to sign in, besides the admin link; none in this version.
    pub providers: Vec<String>,
}

/// Whom the server takes the caller for.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct Me {
    /// It is somebody with a name.
    pub authenticated: bool,
    /// Who; null for nobody.
    pub user: Option<User>,
    /// How: `local`, `session`, `key` or `nobody`.
    pub via: String,
    /// What the key may be used for; null where no key limits the caller.
    pub scopes: Option<Vec<Scope>>,
    /// What this server can do.
    pub features: Features,
}

impl Me {
    pub(crate) fn of(caller: &Caller, site: bool) -> Self {
        let via = match caller.via {
            Via::Local => "local",
            Via::Session => "session",
            Via::Key { .. } => "key",
            Via::Nobody => "nobody",
        };
        let user = caller.owner.as_ref().map(|owner| User { id: owner.id.clone(), is_admin: caller.admin });
        Self {
            authenticated: user.is_some(),
            user,
            via: via.to_owned(),
            scopes: caller.scopes.as_ref().map(|scopes| scopes.iter().map(Into::into).collect()),
            features: Features {
                mode: if site { "site" } else { "local" }.to_owned(),
                providers: Vec::new(),
            },
        }
    }
}
