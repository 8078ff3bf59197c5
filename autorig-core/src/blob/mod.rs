//! Where bytes are kept: uploads and results, by key.
//!
//! [`BlobStore`] is small on purpose. A put is all or nothing: a body that ends early, fails or is dropped
//! leaves nothing behind. Keys are made by the core, `uploads/<id>`, `incoming/<id>` while an upload is not
//! complete, and `tasks/<task>/<attempt>/<key>`: the attempt is part of the key, so a late worker cannot
//! overwrite a newer one's file.

mod hashing;
pub mod local;
pub mod s3;

use std::{ops::Range, path::PathBuf, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{TryStreamExt, stream::BoxStream};

use crate::{Error, Result, clock::Time};

pub(crate) use hashing::Hashing;
pub use local::LocalBlobs;
pub use s3::{S3Blobs, S3Settings};

/// A body, piece by piece.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// What a put has stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobMeta {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
}

/// A blob being read.
pub struct Blob {
    /// Bytes of the whole blob.
    pub size: u64,
    /// The part that `body` holds.
    pub range: Range<u64>,
    /// The bytes.
    pub body: ByteStream,
}

/// One blob of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobEntry {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written, by the clock of the storage.
    pub modified: Time,
}

/// How a download is to present itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The `Content-Disposition`.
    pub disposition: String,
    /// The media type.
    pub mime: String,
}

/// A request that somebody else may make in our name for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    /// Where.
    pub url: String,
    /// Headers that have to be sent, exactly so.
    pub headers: Vec<(String, String)>,
}

/// Writes the end of a blob that is not complete yet.
#[async_trait]
pub trait Appender: Send {
    /// Adds bytes; what was added may be lost by a crash until [`Appender::sync`] has returned.
    ///
    /// # Errors
    /// `io_error`.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Makes sure that everything added so far survives a crash and a power cut.
    ///
    /// # Errors
    /// `io_error`.
    async fn sync(&mut self) -> Result<()>;
}

/// Keeps bytes by key. Where an error is `io_error`, a store behind a network has `storage_unavailable` and
/// `storage_denied` instead.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
    /// Stores a body under a key, replacing what was there; at most `limit` bytes.
    ///
    /// # Errors
    /// The body's own error, `limit_file_size`, `invalid_blob_key`, `io_error`.
    async fn put(&self, key: &str, body: ByteStream, limit: u64) -> Result<BlobMeta>;

    /// Opens a blob, whole or in part; a range is cut to the blob's end. `None` when there is none.
    ///
    /// # Errors
    /// `invalid_blob_key`, `io_error`.
    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<Blob>>;

    /// A blob's size; `None` when there is none.
    ///
    /// # Errors
    /// `invalid_blob_key`, `io_error`.
    async fn size(&self, key: &str) -> Result<Option<u64>>;

    /// Removes a blob; false when there was none.
    ///
    /// # Errors
    /// `invalid_blob_key`, `io_error`.
    async fn delete(&self, key: &str) -> Result<bool>;

    /// Every blob below a prefix that ends at a `/`, all for an empty one, in no order; what is put or removed
    /// meanwhile may be in it or not. The stream's errors are `invalid_blob_key` and `io_error`.
    fn entries(&self, prefix: &str) -> BoxStream<'_, Result<BlobEntry>>;

    /// Every key below a prefix that ends at a `/`, in order; for few.
    ///
    /// # Errors
    /// `invalid_blob_key`, `io_error`.
    async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let mut keys: Vec<String> = self.entries(prefix).map_ok(|entry| entry.key).try_collect().await?;
        keys.sort();
        Ok(keys)
    }

    /// Gives a blob another key, replacing what was there; false when there was none. It is never gone in
    /// between: a crash may leave it under both keys.
    ///
    /// # Errors
    /// `invalid_blob_key`, `io_error`.
    async fn rename(&self, from: &str, to: &str) -> Result<bool>;

    /// Goes on with a blob that is written bit by bit, at `offset`: what is there past it is cut off. `None`
    /// when this store cannot do that; then it can [`BlobStore::presign_put`].
    ///
    /// # Errors
    /// `blob_too_short` when fewer than `offset` bytes are there; `invalid_blob_key`, `io_error`.
    async fn append(&self, key: &str, offset: u64) -> Result<Option<Box<dyn Appender>>> {
        check_key(key)?;
        let _ = offset;
        Ok(None)
    }

    /// An address from which anyone may get the blob for `ttl` without passing this server; `None` when the
    /// store has none.
    ///
    /// # Errors
    /// `invalid_blob_key`, `io_error`.
    async fn presign_get(&self, key: &str, shown: &Presented, ttl: Duration) -> Result<Option<String>> {
        check_key(key)?;
        let _ = (shown, ttl);
        Ok(None)
    }

    /// A request with which anyone may put a file under the key for `ttl`, only the one of this hash (lower-case
    /// hex) where one is given; `None` when the store has none.
    ///
    /// # Errors
    /// `invalid_blob_key`, `io_error`.
    async fn presign_put(&self, key: &str, sha256: Option<&str>, ttl: Duration) -> Result<Option<Presigned>> {
        check_key(key)?;
        let _ = (sha256, ttl);
        Ok(None)
    }

    /// Answers when the store can be used.
    ///
    /// # Errors
    /// `io_error`, `storage_unavailable`, `storage_denied`.
    async fn ping(&self) -> Result<()> {
        self.size("ping").await.map(|_| ())
    }

    /// The blob as a file of this machine, where it is one: saves workers a copy.
    fn local_path(&self, key: &str) -> Option<PathBuf> {
        let _ = key;
        None
    }
}

/// A body of bytes that are already in memory.
pub fn bytes_body(bytes: impl Into<Bytes>) -> ByteStream {
    let bytes = bytes.into();
    Box::pin(futures_util::stream::once(async move { Ok(bytes) }))
}

/// Longest key.
const MAX_KEY: usize = 240;

/// Refuses keys that could leave the store or that some store cannot keep.
///
/// # Errors
/// `invalid_blob_key`.
pub fn check_key(key: &str) -> Result<()> {
    let fine = !key.is_empty()
        && key.len() <= MAX_KEY
        && key.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        });
    if fine {
        Ok(())
    } else {
        let shown: String = key.chars().take(80).collect();
        Err(Error::usage(
            "invalid_blob_key",
            format!("`{shown}` cannot be a blob key"),
            "use letters, digits, `-`, `_` and `.` in parts separated by `/`",
        ))
    }
}

/// A listing's prefix: a key with a `/` at its end, or nothing.
fn check_prefix(prefix: &str) -> Result<()> {
    if prefix.is_empty() { Ok(()) } else { check_key(prefix.strip_suffix('/').unwrap_or(prefix)) }
}

/// A body that is larger than allowed.
pub(crate) fn too_large(limit: u64) -> Error {
    Error::limit(
        "limit_file_size",
        format!("the file is larger than {} MB", limit >> 20),
        "send a smaller file",
    )
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
