//! Bytes of an upload as they arrive, whatever breaks meanwhile.
//!
//! The store says how much of an upload is here, never the length of a file: bytes count once they are synced
//! and the store has noted it. Bytes past that, which a crash has left, are cut off by the next chunk.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::StreamExt;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Chunk, Upload, UploadService, unknown};
use crate::{Error, Result, blob::Appender, task::Owner};

/// Bytes that a crash may cost.
const UNSYNCED: u64 = 8 << 20;

impl UploadService {
    /// Takes bytes of an upload from an offset, which has to be how much is here. Another call that is still
    /// writing this upload, on a line that died without a word, is ended first. The last byte completes it.
    ///
    /// What has arrived when the body breaks off stays, unless there is a checksum; it is kept even when the
    /// caller no longer waits.
    ///
    /// # Errors
    /// `upload_not_found`, `upload_offset_mismatch`, `upload_too_long`, `upload_interrupted`, `chunk_checksum_mismatch`,
    /// `upload_by_put`, the body's own error, those of [`UploadService::finish`].
    pub async fn write(&self, owner: &Owner, id: Uuid, chunk: Chunk) -> Result<Upload> {
        let (service, owner) = (self.clone(), owner.clone());
        let work = async move { service.receive(&owner, id, chunk).await };
        let ended = tokio::spawn(work).await;
        ended.map_err(|error| Error::internal(format!("receiving an upload: {error}")))?
    }

    async fn receive(&self, owner: &Owner, id: Uuid, chunk: Chunk) -> Result<Upload> {
        // Only an owner may end another writer.
        self.get(owner, id).await?.ok_or_else(|| unknown(id))?;
        let turn = self.inner.writers.turn(id).await;
        let upload = self.get(owner, id).await?.ok_or_else(|| unknown(id))?;
        if chunk.offset != upload.received {
            return Err(offset_mismatch(chunk.offset, upload.received));
        }
        if !upload.complete {
            let end = self.inner.blobs.append(&upload.blob, upload.received).await?.ok_or_else(by_put)?;
            let mut writer = Writer {
                service: self,
                id,
                size: upload.size,
                noted: upload.received,
                written: upload.received,
                end,
            };
            writer.take(chunk, &turn.stop).await?;
            if writer.noted == upload.size {
                return self.finish(owner, id).await?.ok_or_else(|| unknown(id));
            }
        }
        drop(turn);
        self.get(owner, id).await?.ok_or_else(|| unknown(id))
    }
}

/// Writes one chunk.
struct Writer<'a> {
    service: &'a UploadService,
    id: Uuid,
    size: u64,
    /// How much the store knows to be here.
    noted: u64,
    written: u64,
    end: Box<dyn Appender>,
}

impl Writer<'_> {
    async fn take(&mut self, mut chunk: Chunk, stop: &CancellationToken) -> Result<()> {
        let checksum = chunk.checksum.take();
        let mut sum = checksum.as_ref().map(super::checksum::Checksum::begin);
        let broken = loop {
            let piece = tokio::select! {
                piece = chunk.body.next() => piece,
                () = stop.cancelled() => break Some(interrupted()),
            };
            let piece = match piece {
                None => break None,
                Some(Err(error)) => break Some(error),
                Some(Ok(piece)) => piece,
            };
            if self.written + piece.len() as u64 > self.size {
                break Some(too_long(self.size));
            }
            self.written += piece.len() as u64;
            if let Some(sum) = &mut sum {
                sum.add(&piece);
            }
            self.end.write(piece).await?;
            if sum.is_none() && self.written - self.noted >= UNSYNCED {
                self.note().await?;
            }
        };
        if let (Some(checksum), Some(sum)) = (checksum, sum) {
            // Bytes that were never noted are cut off by the next chunk.
            if let Some(error) = broken {
                return Err(error);
            }
            if !checksum.is_of(sum) {
                return Err(chunk_mismatch());
            }
        }
        self.note().await?;
        broken.map_or(Ok(()), Err)
    }

    /// Makes what was written count.
    async fn note(&mut self) -> Result<()> {
        if self.written == self.noted {
            return Ok(());
        }
        self.end.sync().await?;
        let now = self.service.inner.clock.now();
        if !self.service.inner.store.advance_upload(self.id, self.noted, self.written, now).await? {
            return Err(unknown(self.id));
        }
        self.noted = self.written;
        Ok(())
    }
}

/// Who writes which upload: one at a time, and the last to come goes first.
#[derive(Default)]
pub(crate) struct Writers(Mutex<HashMap<Uuid, Writing>>);

struct Writing {
    stop: CancellationToken,
    busy: Arc<tokio::sync::Mutex<()>>,
    /// How many hold or wait for it.
    users: usize,
}

/// The right to write one upload.
pub(crate) struct Turn<'a> {
    writers: &'a Writers,
    id: Uuid,
    /// Fires when somebody else wants it.
    pub(crate) stop: CancellationToken,
    busy: Option<OwnedMutexGuard<()>>,
}

impl Writers {
    /// Ends whoever writes this upload, and takes its place.
    pub(crate) async fn turn(&self, id: Uuid) -> Turn<'_> {
        let (mut turn, busy) = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let writing = all.entry(id).or_insert_with(|| Writing {
                stop: CancellationToken::new(),
                busy: Arc::default(),
                users: 0,
            });
            std::mem::replace(&mut writing.stop, CancellationToken::new()).cancel();
            writing.users += 1;
            let turn = Turn { writers: self, id, stop: writing.stop.clone(), busy: None };
            (turn, writing.busy.clone())
        };
        turn.busy = Some(busy.lock_owned().await);
        turn
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(self.busy.take());
        let mut all = self.writers.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = all.get_mut(&self.id).is_some_and(|writing| {
            writing.users -= 1;
            writing.users == 0
        });
        if unused {
            all.remove(&self.id);
        }
    }
}

fn offset_mismatch(offset: u64, received: u64) -> Error {
    Error::conflict(
        "upload_offset_mismatch",
        format!("{received} bytes are here, and these begin at {offset}"),
        "ask how much is here and go on from there",
    )
}

fn too_long(size: u64) -> Error {
    Error::limit(
        "upload_too_long",
        format!("the file was announced with {size} bytes, and there are more"),
        "announce the file again with its real size",
    )
}

fn interrupted() -> Error {
    Error::conflict(
        "upload_interrupted",
        "another request goes on with this upload",
        "send one request at a time; ask how much is here and go on from there",
    )
}

fn chunk_mismatch() -> Error {
    Error::input(
        "chunk_checksum_mismatch",
        "the bytes of this request do not have the checksum that came with them",
        "send them again",
    )
}

fn by_put() -> Error {
    Error::conflict(
        "upload_by_put",
        "the bytes of this upload go to the storage itself",
        "send them by the PUT that its announcement was answered with",
    )
}
