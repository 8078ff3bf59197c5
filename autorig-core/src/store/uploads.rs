//! Uploads, and who refers to which stored file.

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    Result,
    clock::Time,
    task::{Owner, TaskId},
};

/// A file on its way to us, or here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub owner: Owner,
    /// The name it came with, without folders.
    pub name: String,
    /// Bytes in all.
    pub size: u64,
    /// SHA-256 of the bytes, lower-case hex: announced at first, if at all; true once it is complete.
    pub sha256: Option<String>,
    /// Bytes that are durably here.
    pub received: u64,
    /// True when all of it is here and its hash is known.
    pub complete: bool,
    /// Where its bytes are, or are being put.
    pub blob: String,
    /// What its public address is made of; nobody can guess it.
    pub token: String,
    /// When it was announced.
    pub created_at: Time,
    /// When a byte of it last arrived, or when it was last made a task of.
    pub touched_at: Time,
}

/// Uploads. Each refers to one blob from its beginning to its end.
#[async_trait]
pub trait Uploads: Send + Sync + 'static {
    /// Keeps a new upload. One whose owner has the same bytes here already, by hash and size, shares them and is
    /// complete at once. As it was kept.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn insert_upload(&self, upload: &Upload) -> Result<Upload>;

    /// The upload of this id.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn upload(&self, id: Uuid) -> Result<Option<Upload>>;

    /// The complete upload of this token.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn upload_by_token(&self, token: &str) -> Result<Option<Upload>>;

    /// Notes that bytes are durably here; false when it is complete, gone, or no longer at `from`.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn advance_upload(&self, id: Uuid, from: u64, received: u64, now: Time) -> Result<bool>;

    /// Notes that an upload is complete, with its bytes now under `blob`. Where its owner has the same bytes
    /// already it refers to those, and `blob` is doomed. As it is then; `None` when it is gone.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn finish_upload(&self, id: Uuid, blob: &str, sha256: &str, now: Time) -> Result<Option<Upload>>;

    /// Forgets an upload; false when there is none.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn remove_upload(&self, id: Uuid, now: Time) -> Result<bool>;

    /// Forgets at most `limit` uploads: incomplete ones untouched since `incomplete`, complete ones since
    /// `complete` if that is given. How many.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn expire_uploads(
        &self,
        incomplete: Time,
        complete: Option<Time>,
        now: Time,
        limit: u32,
    ) -> Result<u64>;
}

/// What is wrong between the records of the files and what refers to them; nothing, in a healthy store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Miscounts {
    /// Files whose count of references is not how many there are.
    pub keys: Vec<String>,
}

/// Which stored files there are and whether anything refers to them. Rows appear and change with what refers to
/// them, in the same transaction: see [`super::Tasks`] and [`Uploads`].
#[async_trait]
pub trait BlobRecords: Send + Sync + 'static {
    /// At most `limit` files that nothing refers to any more, oldest first.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn doomed_blobs(&self, limit: u32) -> Result<Vec<String>>;

    /// Those of some files that nothing refers to any more.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn doomed_among(&self, keys: &[String]) -> Result<Vec<String>>;

    /// Forgets doomed files whose bytes are gone; what is referred to stays.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn forget_blobs(&self, keys: &[String]) -> Result<()>;

    /// Those of some files that there is no record of.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn unrecorded_among(&self, keys: &[String]) -> Result<Vec<String>>;

    /// At most `limit` files after a key, in order, whose bytes have to be there: referred to, and not by an
    /// upload that is still on its way.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn recorded_blobs(&self, after: &str, limit: u32) -> Result<Vec<String>>;

    /// At most `limit` wrong counts; for a look at a store that rests, not for one at work.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn miscounted_blobs(&self, limit: u32) -> Result<Miscounts>;

    /// At most `limit` tasks of an owner kind that were finished before a moment, oldest first.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn finished_tasks(
        &self,
        owner: crate::task::OwnerKind,
        before: Time,
        limit: u32,
    ) -> Result<Vec<TaskId>>;

    /// Removes the events, the last excepted, of about `limit` tasks of an owner kind that were finished before
    /// a moment and were not cleaned before. How many tasks.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn expire_logs(&self, owner: crate::task::OwnerKind, before: Time, limit: u32) -> Result<u64>;

    /// Removes at most `limit` messages that were delivered before a moment, and every idempotent call that has
    /// expired at `now`. How many rows.
    ///
    /// # Errors
    /// `store_unavailable`.
    async fn expire_records(&self, delivered: Time, now: Time, limit: u32) -> Result<u64>;
}
