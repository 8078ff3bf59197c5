//! What every put does with a body: count it, hash it, cut it off at its limit.

use bytes::Bytes;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::{BlobMeta, ByteStream, hex, too_large};
use crate::Result;

/// A body that is counted and hashed while it passes.
pub(crate) struct Hashing {
    body: ByteStream,
    hasher: Sha256,
    size: u64,
    limit: u64,
}

impl Hashing {
    /// Passes at most `limit` bytes of `body`.
    pub(crate) fn new(body: ByteStream, limit: u64) -> Self {
        Self { body, hasher: Sha256::new(), size: 0, limit }
    }

    /// The next piece; `None` at the body's end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(piece) = self.body.next().await.transpose()? else { return Ok(None) };
        self.size += piece.len() as u64;
        if self.size > self.limit {
            return Err(too_large(self.limit));
        }
        self.hasher.update(&piece);
        Ok(Some(piece))
    }

    /// Size and hash of what has passed.
    pub(crate) fn finish(self) -> BlobMeta {
        BlobMeta { size: self.size, sha256: hex(&self.hasher.finalize()) }
    }

    /// Reads a body to its end for its size and hash alone.
    pub(crate) async fn all(body: ByteStream, limit: u64) -> Result<BlobMeta> {
        let mut body = Self::new(body, limit);
        while body.next().await?.is_some() {}
        Ok(body.finish())
    }
}
