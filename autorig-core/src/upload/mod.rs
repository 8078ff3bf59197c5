//! Uploads that may take their time: announced first, sent in as many pieces as the line needs, then made
//! tasks of.
//!
//! Where the storage is a bucket, the bytes go there directly by a presigned PUT; where it is a folder they
//! come to us, and a broken upload goes on where it stopped: [`UploadService::write`] takes bytes from an
//! offset, and what it has told to be [received](Upload::received) survives a crash. A file that its owner
//! has here already, by its hash, is not sent again.

mod checksum;
mod receive;

use std::{ops::Range, sync::Arc, time::Duration};

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    Class, Error, Kind, Result,
    blob::{Blob, Hashing, Presigned},
    clock::Time,
    task::{Inner, Owner, clean_name},
};

pub use crate::store::Upload;
pub use checksum::{Algorithm, Checksum};
pub(crate) use receive::Writers;

/// What is announced of a file.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// Whose it will be.
    pub owner: Owner,
    /// Its name, for messages and for the results' names.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256 in hex, if it is known; then it is checked, and a file that is here already is not sent.
    pub sha256: Option<String>,
}

/// An upload that was announced.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The upload; complete at once when its bytes are here.
    pub upload: Upload,
    /// How to send the bytes to the storage itself; `None` when they come to us, or are here.
    pub put: Option<Presigned>,
}

/// Bytes that are being sent.
pub struct Chunk {
    /// Where they belong.
    pub offset: u64,
    /// The bytes; an error in them ends the chunk, and what came before it stays.
    pub body: crate::blob::ByteStream,
    /// Their sum. Then they count all together or not at all.
    pub checksum: Option<Checksum>,
}

/// How long an upload is kept that nothing arrives for, and how long a presigned PUT works.
pub const INCOMPLETE_TTL: Duration = Duration::from_secs(24 * 3600);

/// Takes uploads. Cheap to clone.
#[derive(Clone)]
pub struct UploadService {
    pub(crate) inner: Arc<Inner>,
}

impl UploadService {
    /// Announces a file.
    ///
    /// # Errors
    /// `empty_file`, `limit_file_size`, `invalid_checksum`; `store_unavailable`, `storage_unavailable`.
    pub async fn begin(&self, new: NewUpload) -> Result<Announced> {
        let limit = self.limit();
        if new.size == 0 {
            return Err(Error::input("empty_file", "the file has no bytes", "send the model file itself"));
        }
        if new.size > limit {
            return Err(crate::blob::too_large(limit));
        }
        let sha256 = new.sha256.as_deref().map(checksum::sha256_hex).transpose()?;
        let (id, now) = (self.inner.ids.id(), self.inner.clock.now());
        let put = self.inner.blobs.presign_put(&incoming(id), sha256.as_deref(), INCOMPLETE_TTL).await?;
        let upload = Upload {
            id,
            owner: new.owner,
            name: clean_name(&new.name),
            size: new.size,
            sha256,
            received: 0,
            complete: false,
            // A presigned PUT can be repeated as long as it is valid, so its key is not the one that stays.
            blob: if put.is_some() { incoming(id) } else { final_key(id) },
            token: crate::blob::hex(&self.inner.ids.secret()),
            created_at: now,
            touched_at: now,
        };
        let upload = self.inner.store.insert_upload(&upload).await?;
        let put = put.filter(|_| !upload.complete);
        Ok(Announced { upload, put })
    }

    /// An owner's upload; `None` when there is none, or when it is somebody else's.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn get(&self, owner: &Owner, id: Uuid) -> Result<Option<Upload>> {
        Ok(self.inner.store.upload(id).await?.filter(|upload| upload.owner == *owner))
    }

    /// The largest file that is taken, in bytes.
    pub fn limit(&self) -> u64 {
        self.inner.limits.upload_bytes
    }

    /// When an upload is forgotten if nothing more arrives; `None` once it is complete.
    pub fn expires_at(&self, upload: &Upload) -> Option<Time> {
        (!upload.complete).then(|| upload.touched_at + INCOMPLETE_TTL)
    }

    /// Makes a complete upload of one whose bytes are all here. One that is complete stays so. `None` when there
    /// is no such upload of this owner.
    ///
    /// # Errors
    /// `upload_incomplete`; `upload_checksum_mismatch`, after which the file has to be announced anew;
    /// `store_unavailable`, `io_error`, `storage_unavailable`.
    pub async fn finish(&self, owner: &Owner, id: Uuid) -> Result<Option<Upload>> {
        let Some(upload) = self.get(owner, id).await? else { return Ok(None) };
        if upload.complete {
            return Ok(Some(upload));
        }
        let key = final_key(id);
        if upload.blob != key {
            self.take_over(&upload, &key).await?;
        } else if upload.received < upload.size {
            return Err(incomplete(upload.received, upload.size));
        }
        let Some(blob) = self.inner.blobs.get(&key, None).await? else {
            // Another call may have finished it meanwhile, for bytes that were here under another key.
            return match self.get(owner, id).await? {
                Some(upload) if !upload.complete => Err(incomplete(0, upload.size)),
                finished => Ok(finished),
            };
        };
        let meta = Hashing::all(blob.body, upload.size).await?;
        if meta.size != upload.size || upload.sha256.as_ref().is_some_and(|sum| *sum != meta.sha256) {
            if upload.blob != key {
                // No record has it yet.
                self.inner.blobs.delete(&key).await?;
            }
            self.forget(id).await?;
            return Err(mismatch());
        }
        let done = self.inner.store.finish_upload(id, &key, &meta.sha256, self.inner.clock.now()).await?;
        // What it was put under, and the bytes too where it was cancelled meanwhile or its owner had them before.
        self.inner.reap_some(&[upload.blob, key]).await;
        Ok(done)
    }

    /// Moves what was put to the storage to where no presigned PUT reaches it.
    async fn take_over(&self, upload: &Upload, key: &str) -> Result<()> {
        let blobs = &self.inner.blobs;
        match blobs.size(&upload.blob).await? {
            Some(size) if size == upload.size => {
                blobs.rename(&upload.blob, key).await?;
                Ok(())
            }
            // An earlier call has come as far as this and no further.
            None if blobs.size(key).await? == Some(upload.size) => Ok(()),
            there => Err(incomplete(there.unwrap_or(0), upload.size)),
        }
    }

    /// Forgets an upload and its bytes, unless a task uses them. False when there is no such upload of this owner.
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`, `storage_unavailable`.
    pub async fn cancel(&self, owner: &Owner, id: Uuid) -> Result<bool> {
        if self.get(owner, id).await?.is_none() {
            return Ok(false);
        }
        // Whoever is writing it stops first.
        let _turn = self.inner.writers.turn(id).await;
        self.forget(id).await
    }

    async fn forget(&self, id: Uuid) -> Result<bool> {
        let Some(upload) = self.inner.store.upload(id).await? else { return Ok(false) };
        let was = self.inner.store.remove_upload(id, self.inner.clock.now()).await?;
        self.inner.reap_some(&[upload.blob]).await;
        Ok(was)
    }

    /// Opens a complete upload by its token, whole or in part; `None` when there is none.
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`, `storage_unavailable`; `internal` when the bytes are gone.
    pub async fn open(&self, token: &str, range: Option<Range<u64>>) -> Result<Option<(Upload, Blob)>> {
        let Some(upload) = self.by_token(token).await? else { return Ok(None) };
        match self.inner.blobs.get(&upload.blob, range).await? {
            Some(blob) => Ok(Some((upload, blob))),
            None => Err(Error::internal(format!("the bytes of the upload {} are gone", upload.id))),
        }
    }

    /// A complete upload by its token; `None` when there is none.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn by_token(&self, token: &str) -> Result<Option<Upload>> {
        self.inner.store.upload_by_token(token).await
    }
}

/// Where a presigned PUT puts a file.
fn incoming(id: Uuid) -> String {
    format!("incoming/{id}")
}

/// Where a file stays.
fn final_key(id: Uuid) -> String {
    format!("uploads/{id}")
}

pub(crate) fn unknown(id: Uuid) -> Error {
    Error::new(
        Class::UserViolation,
        Kind::NotFound,
        "upload_not_found",
        format!("there is no upload {id}"),
        "announce the file again; unfinished uploads are forgotten after a day",
    )
}

fn incomplete(received: u64, size: u64) -> Error {
    Error::conflict(
        "upload_incomplete",
        format!("{received} of {size} bytes are here"),
        "send the rest first",
    )
}

fn mismatch() -> Error {
    Error::input(
        "upload_checksum_mismatch",
        "the bytes that arrived are not those that were announced",
        "announce the file again and send it from its beginning",
    )
}

/// Since when an incomplete upload has to be untouched to be forgotten.
pub(crate) fn stale_before(now: Time) -> Time {
    now - TimeDelta::from_std(INCOMPLETE_TTL).unwrap_or_default()
}
