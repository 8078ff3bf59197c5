//! Where bytes are kept: uploads and results, by key.
//!
//! [`BlobStore`] is small on purpose. A put is all or nothing: a body that ends early, fails or is dropped
//! leaves nothing behind. Keys are made by the core, `uploads/<task>` and `tasks/<task>/<attempt>/<key>`: the
//! attempt is part of the key, so a late worker cannot overwrite a newer one's file.

pub mod local;

use std::{ops::Range, path::PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::{Error, Result};

pub use local::LocalBlobs;

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

/// Keeps bytes by key.
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

    /// Every key below a prefix that ends at a `/`, in order.
    ///
    /// # Errors
    /// `invalid_blob_key`, `io_error`.
    async fn list(&self, prefix: &str) -> Result<Vec<String>>;

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
