//! Making, finding and ending the ways in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;

use super::{ApiKey, Caller, Denied, KeyId, Scope, Scopes, Secret, Session, Via};
use crate::{
    Class, Error, Kind, Result,
    clock::{Clock, Ids, Time},
    store::Store,
    task::{Owner, OwnerKind},
};

/// The admin's account: tasks and keys of whoever used the admin link belong to it.
const ADMIN: &str = "admin";
/// How long an admin link may be used; a start makes a new one as long as none was.
const LINK_LIFE: TimeDelta = TimeDelta::hours(24);
/// How long a session lasts.
const SESSION_LIFE: TimeDelta = TimeDelta::days(30);
/// A use is noted when the last one noted is older than this.
const USE_EVERY: TimeDelta = TimeDelta::minutes(5);
/// How long a rotated key still opens, when nobody says otherwise.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest overlap.
const MAX_OVERLAP: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Longest name of a key, and of a user.
const MAX_NAME: usize = 100;
/// Most keys that an owner may have at once.
const MAX_KEYS: usize = 100;

/// What a request carries to say who calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// An API key.
    pub key: Option<&'a str>,
    /// A session's cookie.
    pub session: Option<&'a str>,
}

/// What a new key is to be.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// False for a test key.
    pub live: bool,
    /// From then on it is of no use.
    pub expires_at: Option<Time>,
    /// Whose it will be, when an admin makes it for somebody else.
    pub user: Option<String>,
}

/// A key that was just made.
#[derive(Debug, Clone)]
pub struct MadeKey {
    /// What is kept of it.
    pub key: ApiKey,
    /// The key itself: this is the only time it is seen.
    pub secret: Secret,
}

/// Makes, finds and ends keys, sessions and the admin link. Cheap to clone.
#[derive(Clone)]
pub struct AccountService {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    /// Somebody has used an admin link; once true it stays so.
    has_admin: Arc<AtomicBool>,
}

impl AccountService {
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self> {
        let has_admin = Arc::new(AtomicBool::new(store.admin_link_used().await?));
        Ok(Self { store, clock, ids, has_admin })
    }

    /// Who calls. A cookie that is no session any more makes a stranger; a key that is none is an error, because a
    /// program that sends one relies on it.
    ///
    /// # Errors
    /// `invalid_api_key`; `store_unavailable`.
    pub async fn caller(&self, credentials: Credentials<'_>) -> Result<Caller> {
        let now = self.clock.now();
        if let Some(key) = credentials.key {
            return self.by_key(key, now).await;
        }
        let Some(token) = credentials.session.and_then(Secret::parse) else { return Ok(Caller::stranger()) };
        Ok(match self.store.session(&token.hash(), now).await? {
            Some(session) => {
                Caller { owner: Some(session.owner), admin: session.admin, scopes: None, via: Via::Session }
            }
            None => Caller::stranger(),
        })
    }

    async fn by_key(&self, key: &str, now: Time) -> Result<Caller> {
        let found = match Secret::parse(key) {
            Some(secret) => self.store.key_by_hash(&secret.hash()).await?,
            None => None,
        };
        let key = found.filter(|key| key.is_good(now)).ok_or_else(invalid_key)?;
        if key.last_used_at.is_none_or(|used| now - used >= USE_EVERY) {
            self.store.key_used(key.id, now).await?;
        }
        Ok(Caller {
            owner: Some(key.owner),
            admin: key.scopes.allow(Scope::Admin),
            via: Via::Key { id: key.id, live: key.live },
            scopes: Some(key.scopes),
        })
    }

    /// The caller's keys, newest first; an admin sees everyone's.
    ///
    /// # Errors
    /// `sign_in_required`; `store_unavailable`.
    pub async fn keys(&self, caller: &Caller) -> Result<Vec<ApiKey>> {
        let owner = caller.known()?;
        self.store.keys((!caller.admin).then_some(owner)).await
    }

    /// Makes a key for the caller; an admin may make it for another user.
    ///
    /// # Errors
    /// `invalid_key`, `scope_missing`, `admin_required`, `too_many_keys`, `sign_in_required`; `store_unavailable`.
    pub async fn make_key(&self, caller: &Caller, new: NewKey) -> Result<MadeKey> {
        let now = self.clock.now();
        let owner = match new.user {
            None => caller.known()?.clone(),
            Some(_) if !caller.admin => return Err(Denied::NotAdmin.into()),
            Some(user) => Owner { kind: OwnerKind::User, id: text("user", &user)? },
        };
        if new.scopes.is_empty() {
            return Err(wrong("a key without scopes is of no use"));
        }
        // Nobody gives what they have not.
        if let Some(missing) = new.scopes.iter().find(|scope| !caller.allows(*scope)) {
            return Err(Denied::Scope(missing).into());
        }
        if new.scopes.iter().any(|scope| matches!(scope, Scope::Admin | Scope::Worker)) && !caller.admin {
            return Err(Denied::NotAdmin.into());
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(wrong("`expires_at` has passed already"));
        }
        let good = self.store.keys(Some(&owner)).await?.iter().filter(|key| key.is_good(now)).count();
        if good >= MAX_KEYS {
            return Err(Error::conflict(
                "too_many_keys",
                format!("there are {good} keys already, and no more than {MAX_KEYS} are kept"),
                "revoke those that are not used any more",
            ));
        }
        let secret = Secret::key(self.ids.as_ref(), new.live);
        let key = ApiKey {
            id: KeyId(self.ids.id()),
            owner,
            name: text("name", &new.name)?,
            hint: secret.hint(),
            live: new.live,
            scopes: new.scopes,
            created_at: now,
            last_used_at: None,
            expires_at: new.expires_at,
            revoked_at: None,
        };
        self.store.insert_key(&key, &secret.hash()).await?;
        Ok(MadeKey { key, secret })
    }

    /// Takes a key back at once. False when the caller has no such key.
    ///
    /// # Errors
    /// `sign_in_required`; `store_unavailable`.
    pub async fn revoke_key(&self, caller: &Caller, id: KeyId) -> Result<bool> {
        match self.own_key(caller, id).await? {
            Some(_) => self.store.revoke_key(id, self.clock.now()).await,
            None => Ok(false),
        }
    }

    /// Makes a new key in place of one, which goes on opening for `overlap` (a day when `None`), so that programs can
    /// change over. `None` when the caller has no such key that is still good.
    ///
    /// # Errors
    /// `invalid_key` for an overlap of more than 30 days; `sign_in_required`; `store_unavailable`.
    pub async fn rotate_key(
        &self,
        caller: &Caller,
        id: KeyId,
        overlap: Option<Duration>,
    ) -> Result<Option<MadeKey>> {
        let overlap = overlap.unwrap_or(OVERLAP);
        if overlap > MAX_OVERLAP {
            return Err(wrong("the overlap is longer than 30 days"));
        }
        let now = self.clock.now();
        let Some(old) = self.own_key(caller, id).await?.filter(|key| key.is_good(now)) else {
            return Ok(None);
        };
        let secret = Secret::key(self.ids.as_ref(), old.live);
        let end = old.expires_at.map_or(now + overlap, |end| end.min(now + overlap));
        let key = ApiKey {
            id: KeyId(self.ids.id()),
            hint: secret.hint(),
            created_at: now,
            last_used_at: None,
            ..old
        };
        let rotated = self.store.rotate_key(id, end, &key, &secret.hash()).await?;
        Ok(rotated.then_some(MadeKey { key, secret }))
    }

    async fn own_key(&self, caller: &Caller, id: KeyId) -> Result<Option<ApiKey>> {
        let owner = caller.known()?;
        Ok(self.store.key(id).await?.filter(|key| caller.admin || key.owner == *owner))
    }

    /// True once somebody has used an admin link, as far as this process knows.
    pub fn has_admin(&self) -> bool {
        self.has_admin.load(Ordering::Relaxed)
    }

    /// The token of a fresh link that makes its user an admin, once. Links made before go on working until one is used.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn admin_link(&self) -> Result<Secret> {
        let token = Secret::token(self.ids.as_ref());
        let now = self.clock.now();
        self.store.insert_admin_link(&token.hash(), now, now + LINK_LIFE).await?;
        Ok(token)
    }

    /// Uses an admin link: the token of a session of the admin. Every other link is of no use from then on.
    ///
    /// # Errors
    /// `admin_link_invalid` when it was used, has expired or never was one; `store_unavailable`.
    pub async fn use_admin_link(&self, token: &str) -> Result<(Secret, Session)> {
        let now = self.clock.now();
        let session = Session {
            owner: Owner { kind: OwnerKind::User, id: ADMIN.to_owned() },
            admin: true,
            created_at: now,
            expires_at: now + SESSION_LIFE,
        };
        let cookie = Secret::token(self.ids.as_ref());
        let used = match Secret::parse(token) {
            Some(token) => self.store.use_admin_link(&token.hash(), now, &session, &cookie.hash()).await?,
            None => false,
        };
        if !used {
            return Err(Error::new(
                Class::UserViolation,
                Kind::Denied,
                "admin_link_invalid",
                "the admin link was used already, or has expired",
                "start the server with --admin-link to get a new one",
            ));
        }
        self.has_admin.store(true, Ordering::Relaxed);
        Ok((cookie, session))
    }

    /// Ends a session; false when there was none.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn sign_out(&self, token: &str) -> Result<bool> {
        match Secret::parse(token) {
            Some(token) => self.store.end_session(&token.hash()).await,
            None => Ok(false),
        }
    }
}

fn invalid_key() -> Error {
    Error::new(
        Class::UserViolation,
        Kind::SignIn,
        "invalid_api_key",
        "the API key is unknown, has expired or was revoked",
        "check the key, or make a new one",
    )
}

fn wrong(message: impl Into<String>) -> Error {
    Error::usage("invalid_key", message, "see /docs for what a key needs")
}

/// A name that can stand in a list.
fn text(what: &str, value: &str) -> Result<String> {
    let value = value.trim();
    if value.is_empty() || value.chars().count() > MAX_NAME || value.chars().any(char::is_control) {
        return Err(wrong(format!(
            "`{what}` is empty, longer than {MAX_NAME} characters or has control characters"
        )));
    }
    Ok(value.to_owned())
}
