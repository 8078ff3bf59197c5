//! API keys, and who calls.

use std::time::Duration;

use autorig_core::account::{KeyId, NewKey, Scope as CoreScope, Scopes};
use chrono::{DateTime, Utc};
use poem::Request;
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json, types::Example};

use super::{
    Ctx, Group, Who,
    wire::{KeyList, KeyView, MadeKeyView, Me, Scope},
};
use crate::{access::COOKIE, json_body::JsonBody, problem::Problem};

pub(crate) struct KeysApi;

/// What a new key is to be.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none, example)]
pub(crate) struct CreateKey {
    /// What to call it: where it is used.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub name: String,
    /// What it may be used for; `tasks:read`, `tasks:write` and `files:read` when left out.
    pub scopes: Option<Vec<Scope>>,
    /// A test key: it never spends.
    #[oai(default)]
    pub test: bool,
    /// From then on it is of no use; never when left out.
    pub expires_at: Option<DateTime<Utc>>,
    /// Admins only: the user whose key it is. What it makes is theirs.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub user: Option<String>,
}

impl Example for CreateKey {
    fn example() -> Self {
        Self {
            name: "build server".to_owned(),
            scopes: Some(vec![Scope::TasksRead, Scope::TasksWrite, Scope::FilesRead]),
            test: false,
            expires_at: None,
            user: None,
        }
    }
}

/// How a key is rotated.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct RotateKey {
    /// Seconds for which the old key still opens; a day when left out, at most 30 days.
    pub overlap_seconds: Option<u64>,
}

/// A key that was just made.
#[derive(ApiResponse)]
enum KeyMade {
    /// The key: this answer is the only one that has it.
    #[oai(status = 201)]
    Made(Json<MadeKeyView>),
}

/// The key is of no use any more.
#[derive(ApiResponse)]
enum KeyGone {
    /// The key is of no use any more.
    #[oai(status = 204)]
    Gone,
}

/// The browser is signed out.
#[derive(ApiResponse)]
enum SignedOut {
    /// The session has ended.
    #[oai(status = 204)]
    Out(
        /// Takes the cookie away.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

#[OpenApi(tag = "Group::Account")]
impl KeysApi {
    /// Who am I?
    ///
    /// Whom the server takes the caller for: by session, by key, or nobody.
    #[oai(path = "/auth/me", method = "get", operation_id = "whoami")]
    async fn me(&self, state: Ctx<'_>, caller: Who<'_>) -> Result<Json<Me>, Problem> {
        Ok(Json(Me::of(caller.0, state.config.public_url.is_some())))
    }

    /// Sign out
    #[oai(path = "/auth/logout", method = "post", operation_id = "sign_out")]
    async fn sign_out(&self, state: Ctx<'_>, req: &Request) -> Result<SignedOut, Problem> {
        if let Some(token) = crate::access::cookie(req.headers(), COOKIE) {
            state.accounts.sign_out(token).await?;
        }
        Ok(SignedOut::Out(format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")))
    }

    /// List API keys
    ///
    /// The caller's own, newest first; an admin sees everyone's. The keys themselves are not kept: `hint` is how they begin.
    #[oai(path = "/api/keys", method = "get", operation_id = "list_keys")]
    async fn list(&self, state: Ctx<'_>, caller: Who<'_>) -> Result<Json<KeyList>, Problem> {
        let keys = state.accounts.keys(caller.0).await?;
        Ok(Json(KeyList { items: keys.iter().map(KeyView::from).collect() }))
    }

    /// Make an API key
    ///
    /// Send it as `Authorization: Bearer ark_live_…` or as `X-API-Key`. It is shown in this answer and never again. The scopes
    /// `worker` and `admin` are an admin's to give.
    #[oai(path = "/api/keys", method = "post", operation_id = "create_key")]
    async fn create(
        &self,
        state: Ctx<'_>,
        caller: Who<'_>,
        key: JsonBody<CreateKey>,
    ) -> Result<KeyMade, Problem> {
        let CreateKey { name, scopes, test, expires_at, user } = key.0;
        let scopes =
            scopes.map_or_else(Scopes::usual, |list| list.into_iter().map(CoreScope::from).collect());
        let new = NewKey { name, scopes, live: !test, expires_at, user };
        let made = state.accounts.make_key(caller.0, new).await?;
        tracing::info!(key = %made.key.id, "API key made");
        Ok(KeyMade::Made(Json((&made).into())))
    }

    /// Revoke an API key
    ///
    /// It opens nothing from this moment on.
    #[oai(path = "/api/keys/:key_id", method = "delete", operation_id = "revoke_key")]
    async fn revoke(
        &self,
        state: Ctx<'_>,
        caller: Who<'_>,
        /// The key's id.
        key_id: Path<String>,
    ) -> Result<KeyGone, Problem> {
        let id = key_of(&key_id)?;
        if !state.accounts.revoke_key(caller.0, id).await? {
            return Err(Problem::no_such_key(&key_id));
        }
        tracing::info!(key = %id, "API key revoked");
        Ok(KeyGone::Gone)
    }

    /// Rotate an API key
    ///
    /// A new key with the same name, scopes and end. The old one still opens for a day, or for as long as is said, so that
    /// programs can change over.
    #[oai(path = "/api/keys/:key_id/rotate", method = "post", operation_id = "rotate_key")]
    async fn rotate(
        &self,
        state: Ctx<'_>,
        caller: Who<'_>,
        /// The key's id.
        key_id: Path<String>,
        how: JsonBody<RotateKey>,
    ) -> Result<KeyMade, Problem> {
        let id = key_of(&key_id)?;
        let overlap = how.0.overlap_seconds.map(Duration::from_secs);
        let made = state.accounts.rotate_key(caller.0, id, overlap).await?;
        let made = made.ok_or_else(|| Problem::no_such_key(&key_id))?;
        tracing::info!(old = %id, key = %made.key.id, "API key rotated");
        Ok(KeyMade::Made(Json((&made).into())))
    }
}

fn key_of(text: &str) -> Result<KeyId, Problem> {
    text.parse().map_err(|_| Problem::no_such_key(text))
}
