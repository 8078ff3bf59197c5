//! Who may do what, as one pure function over who calls, what the call needs and the task it is about.
//!
//! | | public, unlisted task | private task |
//! | --- | --- | --- |
//! | read | anyone with its id | its owner and admins; to others it does not exist |
//! | write | its owner and admins | its owner and admins; to others it does not exist |
//!
//! A key may do no more than its scopes say, whatever its owner may.

use super::{KeyId, Scope, Scopes};
use crate::{
    Class, Error, Kind,
    task::{Owner, Task, Visibility},
};

/// How a caller got in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// It is this machine's own user: local mode.
    Local,
    /// By a session's cookie.
    Session,
    /// By an API key.
    Key {
        /// Which.
        id: KeyId,
        /// False for a test key, which never spends.
        live: bool,
    },
    /// Not at all.
    Nobody,
}

/// Whoever makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is; `None` for a stranger.
    pub owner: Option<Owner>,
    /// May do everything with everyone's things.
    pub admin: bool,
    /// What the key allows; `None` where no key limits the caller.
    pub scopes: Option<Scopes>,
    /// How it got in.
    pub via: Via,
}

impl Caller {
    /// The person at this machine: owner of everything, and admin.
    pub fn local() -> Self {
        Self { owner: Some(Owner::local()), admin: true, scopes: None, via: Via::Local }
    }

    /// Somebody without a name.
    pub fn stranger() -> Self {
        Self { owner: None, admin: false, scopes: None, via: Via::Nobody }
    }

    /// True when no key forbids it.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.allow(scope))
    }

    /// True when the task is the caller's.
    pub fn owns(&self, task: &Task) -> bool {
        self.owner.as_ref() == Some(&task.owner)
    }

    /// Who it is.
    ///
    /// # Errors
    /// `sign_in_required` for a stranger.
    pub fn known(&self) -> Result<&Owner, Error> {
        self.owner.as_ref().ok_or_else(|| Denied::SignIn.into())
    }
}

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: anybody may.
    Nothing,
    /// Somebody with a name, and this scope of their key.
    Known(Scope),
    /// Somebody with a name who is no key: what makes keys and ends sessions, or a key that may do everything.
    Person,
    /// An admin, and this scope of their key.
    Admin(Scope),
    /// To see the task that the call names.
    ReadTask(Scope),
    /// To change the task that the call names.
    WriteTask(Scope),
}

/// Why a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// It needs somebody with a name.
    SignIn,
    /// The key lacks this scope.
    Scope(Scope),
    /// It needs a person or an admin's key.
    Person,
    /// The task is another's.
    NotOwner,
    /// It needs an admin.
    NotAdmin,
    /// As far as the caller may know, there is no such task.
    Hidden,
}

/// Says whether a caller may make a call. `task` is the one that the call names; `None` when there is none.
///
/// # Errors
/// [`Denied`].
pub fn check(caller: &Caller, need: Need, task: Option<&Task>) -> Result<(), Denied> {
    match need {
        Need::Nothing => Ok(()),
        Need::Known(scope) => named(caller).and_then(|()| scoped(caller, scope)),
        Need::Person => {
            named(caller)?;
            if caller.scopes.is_none() || caller.admin { Ok(()) } else { Err(Denied::Person) }
        }
        Need::Admin(scope) => {
            named(caller)?;
            scoped(caller, scope)?;
            if caller.admin { Ok(()) } else { Err(Denied::NotAdmin) }
        }
        Need::ReadTask(scope) => {
            scoped(caller, scope)?;
            visible(caller, task).map(|_| ())
        }
        Need::WriteTask(scope) => {
            scoped(caller, scope)?;
            let task = visible(caller, task)?;
            named(caller)?;
            if caller.admin || caller.owns(task) { Ok(()) } else { Err(Denied::NotOwner) }
        }
    }
}

fn named(caller: &Caller) -> Result<(), Denied> {
    if caller.owner.is_some() { Ok(()) } else { Err(Denied::SignIn) }
}

fn scoped(caller: &Caller, scope: Scope) -> Result<(), Denied> {
    if caller.allows(scope) { Ok(()) } else { Err(Denied::Scope(scope)) }
}

/// The task, if the caller may know of it.
fn visible<'a>(caller: &Caller, task: Option<&'a Task>) -> Result<&'a Task, Denied> {
    let open = |task: &Task| task.visibility != Visibility::Private;
    task.filter(|task| caller.admin || caller.owns(task) || open(task)).ok_or(Denied::Hidden)
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        let refused = |kind, code: &'static str, message: String, remedy: &str| {
            Self::new(Class::UserViolation, kind, code, message, remedy)
        };
        match denied {
            Denied::SignIn => refused(
                Kind::SignIn,
                "sign_in_required",
                "this call needs somebody with a name".to_owned(),
                "send an API key as `Authorization: Bearer …` or `X-API-Key`",
            ),
            Denied::Scope(scope) => refused(
                Kind::Denied,
                "scope_missing",
                format!("the key has not the scope `{scope}`"),
                "use a key with this scope, or make one",
            ),
            Denied::Person => refused(
                Kind::Denied,
                "key_not_enough",
                "keys are managed by a signed-in person or with a key of the scope `admin`".to_owned(),
                "sign in, or use an admin's key",
            ),
            Denied::NotOwner => refused(
                Kind::Denied,
                "not_owner",
                "the task belongs to somebody else".to_owned(),
                "make your own task of the model",
            ),
            Denied::NotAdmin => refused(
                Kind::Denied,
                "admin_required",
                "this call is for admins".to_owned(),
                "ask an admin of this site",
            ),
            Denied::Hidden => refused(
                Kind::NotFound,
                "task_not_found",
                "there is no such task".to_owned(),
                "check the id; tasks are removed after their retention time",
            ),
        }
    }
}
