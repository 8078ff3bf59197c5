//! Blobs in a bucket of S3 or of anything that speaks its protocol.
//!
//! A body is sent in parts as it arrives, a few in memory at a time; it becomes visible with the last one, so
//! a put is all or nothing here too. Parts of a put that was killed are not visible and not listed: a
//! lifecycle rule of the bucket (`AbortIncompleteMultipartUpload`) removes them.

mod settings;

use std::{ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, UploadPart,
    aws::AmazonS3,
    path::Path,
    signer::{HeaderName, HeaderValue, Method, SignedUrlOptions, Signer},
};
use tokio::task::JoinSet;

use super::{
    Blob, BlobEntry, BlobMeta, BlobStore, ByteStream, Hashing, Presented, Presigned, check_key, check_prefix,
};
use crate::{Class, Error, Kind, Result};

pub use settings::S3Settings;

/// Blobs in one bucket, below one prefix. Any number of processes may share it.
#[derive(Debug, Clone)]
pub struct S3Blobs {
    store: Arc<AmazonS3>,
    /// Signs for the address that callers outside reach.
    signer: Arc<AmazonS3>,
    prefix: Path,
}

/// One part of a large body; S3 takes none under 5 MiB but the last, and 10,000 in all.
const PART: usize = 8 << 20;
/// Parts on their way at once; with the one being filled this bounds the memory of a put.
const PARTS_AT_ONCE: usize = 2;

impl S3Blobs {
    /// Opens a bucket; whether it answers is found out by the first call, or by [`BlobStore::ping`].
    ///
    /// # Errors
    /// `invalid_config` when the settings do not fit together; `internal` when there is no HTTP client.
    pub fn open(settings: &S3Settings) -> Result<Self> {
        let (store, signer) = settings.stores()?;
        Ok(Self { store: Arc::new(store), signer: Arc::new(signer), prefix: settings.prefix() })
    }

    fn path(&self, key: &str) -> Result<Path> {
        check_key(key)?;
        Ok(self.below(key))
    }

    fn below(&self, key: &str) -> Path {
        key.split('/').fold(self.prefix.clone(), Path::join)
    }

    /// Sends a body larger than one part.
    async fn put_parts(&self, path: &Path, first: Bytes, mut body: Parts) -> Result<BlobMeta> {
        let upload =
            self.store.put_multipart(path).await.map_err(|error| failed("storing a file", &error))?;
        let mut upload = Unfinished(Some(upload));
        let mut sending = JoinSet::new();
        let mut next = Some(first);
        while let Some(part) = next {
            while sending.len() >= PARTS_AT_ONCE {
                sent(sending.join_next().await)?;
            }
            if let Some(part) = upload.part(part) {
                sending.spawn(part);
            }
            next = body.next().await?;
        }
        while !sending.is_empty() {
            sent(sending.join_next().await)?;
        }
        upload.complete().await?;
        Ok(body.body.finish())
    }
}

#[async_trait]
impl BlobStore for S3Blobs {
    async fn put(&self, key: &str, body: ByteStream, limit: u64) -> Result<BlobMeta> {
        let path = self.path(key)?;
        let mut body = Parts { body: Hashing::new(body, limit), rest: BytesMut::new(), over: false };
        let first = body.next().await?.unwrap_or_default();
        if !body.over {
            return self.put_parts(&path, first, body).await;
        }
        let sent = self.store.put(&path, PutPayload::from_bytes(first)).await;
        sent.map_err(|error| failed("storing a file", &error))?;
        Ok(body.body.finish())
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<Blob>> {
        let path = self.path(key)?;
        // A range outside of the blob is an error to S3 and nothing to us, so the size comes first.
        let range = match range {
            None => None,
            Some(wanted) => {
                let Some(size) = self.size(key).await? else { return Ok(None) };
                let end = wanted.end.min(size);
                let range = wanted.start.min(end)..end;
                if range.is_empty() {
                    return Ok(Some(Blob { size, range, body: stream::empty().boxed() }));
                }
                Some(range)
            }
        };
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let Some(got) = found(self.store.get_opts(&path, options).await, "reading a file")? else {
            return Ok(None);
        };
        let (size, range) = (got.meta.size, got.range.clone());
        let body = got.into_stream().map_err(|error| failed("reading a file", &error)).boxed();
        Ok(Some(Blob { size, range, body }))
    }

    async fn size(&self, key: &str) -> Result<Option<u64>> {
        let path = self.path(key)?;
        let head = found(self.store.head(&path).await, "looking at a file")?;
        Ok(head.map(|meta| meta.size))
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        // S3 answers the same whether there was something or not.
        let there = self.size(key).await?.is_some();
        found(self.store.delete(&self.path(key)?).await, "removing a file")?;
        Ok(there)
    }

    fn entries(&self, prefix: &str) -> BoxStream<'_, Result<BlobEntry>> {
        if let Err(error) = check_prefix(prefix) {
            return stream::once(async move { Err(error) }).boxed();
        }
        let below = match prefix.strip_suffix('/') {
            Some(folder) => self.below(folder),
            None => self.prefix.clone(),
        };
        let own = self.prefix.as_ref().len();
        self.store
            .list(Some(&below))
            .map_err(|error| failed("listing the stored files", &error))
            .try_filter_map(move |meta| async move {
                let key = meta.location.as_ref().get(own..).unwrap_or_default().trim_start_matches('/');
                // What is no key of ours was not put by us.
                let entry = check_key(key).ok().map(|()| BlobEntry {
                    key: key.to_owned(),
                    size: meta.size,
                    modified: meta.last_modified,
                });
                Ok(entry)
            })
            .boxed()
    }

    async fn rename(&self, from: &str, to: &str) -> Result<bool> {
        let (old, new) = (self.path(from)?, self.path(to)?);
        if found(self.store.copy(&old, &new).await, "renaming a file")?.is_none() {
            return Ok(false);
        }
        found(self.store.delete(&old).await, "renaming a file")?;
        Ok(true)
    }

    async fn ping(&self) -> Result<()> {
        // A bucket that does not exist is nothing but "not found" to every other question.
        self.entries("").next().await.transpose().map(|_| ())
    }

    async fn presign_get(&self, key: &str, shown: &Presented, ttl: Duration) -> Result<Option<String>> {
        let options = SignedUrlOptions::new().with_query([
            ("response-content-disposition", shown.disposition.as_str()),
            ("response-content-type", shown.mime.as_str()),
        ]);
        let url = self.signer.signed_url_opts(Method::GET, &self.path(key)?, ttl, &options).await;
        url.map(|url| Some(url.into())).map_err(|error| failed("signing a download", &error))
    }

    async fn presign_put(&self, key: &str, sha256: Option<&str>, ttl: Duration) -> Result<Option<Presigned>> {
        let mut options = SignedUrlOptions::new();
        let mut headers = Vec::new();
        if let Some(sum) = sha256.and_then(base64_of_hex)
            && let Ok(value) = HeaderValue::from_str(&sum)
        {
            // Signed, so that nobody can put anything but the file that was announced.
            options = options.with_signed_header(HeaderName::from_static(CHECKSUM), value);
            headers.push((CHECKSUM.to_owned(), sum));
        }
        let url = self.signer.signed_url_opts(Method::PUT, &self.path(key)?, ttl, &options).await;
        let url = url.map_err(|error| failed("signing an upload", &error))?.into();
        Ok(Some(Presigned { url, headers }))
    }
}

/// S3 checks the body against this header.
const CHECKSUM: &str = "x-amz-checksum-sha256";

/// A body cut into parts of one size, the last one excepted; some stores insist on that.
struct Parts {
    body: Hashing,
    rest: BytesMut,
    over: bool,
}

impl Parts {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.rest.len() < PART && !self.over {
            match self.body.next().await? {
                Some(piece) => self.rest.extend_from_slice(&piece),
                None => self.over = true,
            }
        }
        if self.rest.len() >= PART {
            // Exactly one part left over is the last one.
            return Ok(Some(self.rest.split_to(PART).freeze()));
        }
        Ok((!self.rest.is_empty()).then(|| self.rest.split().freeze()))
    }
}

/// A put whose parts are removed unless it was completed, also when it is dropped half-way.
struct Unfinished(Option<Box<dyn MultipartUpload>>);

impl Unfinished {
    fn part(&mut self, part: Bytes) -> Option<UploadPart> {
        self.0.as_mut().map(|upload| upload.put_part(PutPayload::from_bytes(part)))
    }

    async fn complete(mut self) -> Result<()> {
        if let Some(upload) = &mut self.0 {
            upload.complete().await.map_err(|error| failed("storing a file", &error))?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let (Some(mut upload), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = upload.abort().await {
                tracing::warn!(%error, "the parts of an unfinished file stay until the bucket's lifecycle rule");
            }
        });
    }
}

/// The end of one part.
fn sent(ended: Option<Result<object_store::Result<()>, tokio::task::JoinError>>) -> Result<()> {
    match ended {
        None | Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error))) => Err(failed("storing a part of a file", &error)),
        Some(Err(error)) => Err(Error::internal(format!("storing a part of a file: {error}"))),
    }
}

/// Not found is no error.
fn found<T>(result: object_store::Result<T>, doing: &str) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(doing, &error)),
    }
}

/// What the storage says, for people: the innermost cause, which names no signed address.
fn failed(doing: &str, error: &object_store::Error) -> Error {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(inner) = deepest.source() {
        deepest = inner;
    }
    let why = deepest.to_string();
    let denied = matches!(
        error,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }
    );
    // Listings keep the status in their text only.
    if denied || why.contains("403 Forbidden") {
        return Error::new(
            Class::Unknown,
            Kind::Unavailable,
            "storage_denied",
            format!("{doing}: the storage refuses our keys"),
            "check storage_access_key, storage_secret_key and what they may do in the bucket",
        );
    }
    Error::temporary(
        "storage_unavailable",
        format!("{doing}: {why}"),
        "check that the storage is up and the bucket exists; it is tried again",
    )
}

/// A hash as S3 wants it; `None` when it is none.
fn base64_of_hex(hex: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes: Option<Vec<u8>> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        })
        .collect();
    bytes.map(|bytes| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes))
}
