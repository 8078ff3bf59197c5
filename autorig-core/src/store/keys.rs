//! API keys, sessions and the admin link. Secrets come here as their hashes only.

use async_trait::async_trait;

use crate::{
    Result,
    account::{ApiKey, KeyId, Session},
    clock::Time,
    task::Owner,
};

/// Keeps the ways in.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// Keeps a new key under the hash of its secret.
    ///
    /// # Errors
    /// `store_unavailable`; `internal` when the id or the hash exists.
    async fn insert_key(&self, key: &ApiKey, hash: &str) -> Result<()>;

    /// The key of this id.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>>;

    /// The key whose secret has this hash, good or not.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>>;

    /// An owner's keys, or everyone's, newest first.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn keys(&self, owner: Option<&Owner>) -> Result<Vec<ApiKey>>;

    /// Notes a use.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn key_used(&self, id: KeyId, at: Time) -> Result<()>;

    /// Takes a key back; false when there is none or it was taken back before.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn revoke_key(&self, id: KeyId, at: Time) -> Result<bool>;

    /// Keeps a new key, and the old one only until `end`. False, and nothing changes, when the old one is not there
    /// or was taken back.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn rotate_key(&self, old: KeyId, end: Time, new: &ApiKey, hash: &str) -> Result<bool>;

    /// Keeps an admin link, and forgets those that have expired unused.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn insert_admin_link(&self, hash: &str, now: Time, expires: Time) -> Result<()>;

    /// Uses a link and opens a session in one transaction; the other links go. False when there is no such link, or it
    /// was used or has expired.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn use_admin_link(
        &self,
        hash: &str,
        now: Time,
        session: &Session,
        session_hash: &str,
    ) -> Result<bool>;

    /// True once a link has been used.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn admin_link_used(&self) -> Result<bool>;

    /// The session of this hash, unless it has ended at `now`.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn session(&self, hash: &str, now: Time) -> Result<Option<Session>>;

    /// Ends a session; false when there is none.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn end_session(&self, hash: &str) -> Result<bool>;
}
