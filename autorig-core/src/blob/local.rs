//! Blobs as files of one folder.
//!
//! A put writes a temporary file, syncs it and renames it into place, so a blob is there whole or not at
//! all, also after a crash. Left-over temporary files are removed when the folder is opened.

use std::{
    io::SeekFrom,
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};
use tokio_util::io::ReaderStream;

use super::{Blob, BlobMeta, BlobStore, ByteStream, check_key, hex, too_large};
use crate::{Error, Result};

/// Blobs in a folder of this machine. One process at a time opens it.
#[derive(Debug)]
pub struct LocalBlobs {
    root: PathBuf,
    next: AtomicU64,
}

/// Bytes read at once.
const PIECE: usize = 1 << 18;
/// Folder of files being written; no key begins with a dot.
const TEMPORARY: &str = ".tmp";

impl LocalBlobs {
    /// Opens a folder, making it when it does not exist, and removes what an earlier crash left half-written.
    ///
    /// # Errors
    /// `io_error`.
    pub async fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        let failed = |error| Error::io(format!("opening the blob folder `{}`", root.display()), error);
        let temporary = root.join(TEMPORARY);
        match fs::remove_dir_all(&temporary).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        fs::create_dir_all(&temporary).await.map_err(failed)?;
        Ok(Self { root, next: AtomicU64::new(0) })
    }

    fn path(&self, key: &str) -> Result<PathBuf> {
        check_key(key)?;
        Ok(self.root.join(key))
    }
}

#[async_trait]
impl BlobStore for LocalBlobs {
    async fn put(&self, key: &str, body: ByteStream, limit: u64) -> Result<BlobMeta> {
        let path = self.path(key)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let temporary = Temporary(self.root.join(TEMPORARY).join(number.to_string()));
        let meta = write(&temporary.0, body, limit).await?;
        let failed = |error| Error::io(format!("storing `{key}`"), error);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).await.map_err(failed)?;
        fs::rename(&temporary.0, &path).await.map_err(failed)?;
        sync_folder(folder).await.map_err(failed)?;
        Ok(meta)
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<Blob>> {
        let path = self.path(key)?;
        let failed = |error| Error::io(format!("reading `{key}`"), error);
        let Some(mut file) = found(File::open(&path).await).map_err(failed)? else { return Ok(None) };
        let meta = file.metadata().await.map_err(failed)?;
        if !meta.is_file() {
            return Ok(None);
        }
        let size = meta.len();
        let wanted = range.unwrap_or(0..size);
        let end = wanted.end.min(size);
        let range = wanted.start.min(end)..end;
        file.seek(SeekFrom::Start(range.start)).await.map_err(failed)?;
        let part = file.take(range.end - range.start);
        let body = ReaderStream::with_capacity(part, PIECE)
            .map_err(|error| Error::io("reading a stored file", error))
            .boxed();
        Ok(Some(Blob { size, range, body }))
    }

    async fn size(&self, key: &str) -> Result<Option<u64>> {
        let path = self.path(key)?;
        let meta = found(fs::metadata(&path).await)
            .map_err(|error| Error::io(format!("looking at `{key}`"), error))?;
        Ok(meta.filter(std::fs::Metadata::is_file).map(|meta| meta.len()))
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let path = self.path(key)?;
        let removed = found(fs::remove_file(&path).await)
            .map_err(|error| Error::io(format!("removing `{key}`"), error))?
            .is_some();
        // Folders are part of the keys: empty ones go, up to the root; a full one refuses, which ends it.
        let mut folder = path.parent();
        while let Some(empty) = folder.filter(|folder| *folder != self.root) {
            if fs::remove_dir(empty).await.is_err() {
                break;
            }
            folder = empty.parent();
        }
        Ok(removed)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let folder = prefix.strip_suffix('/').unwrap_or(prefix);
        let mut open = vec![self.path(folder)?];
        let mut keys = Vec::new();
        let failed = |error| Error::io(format!("listing `{prefix}`"), error);
        while let Some(folder) = open.pop() {
            let Some(mut entries) = found(fs::read_dir(&folder).await).map_err(failed)? else { continue };
            while let Some(entry) = entries.next_entry().await.map_err(failed)? {
                let kind = entry.file_type().await.map_err(failed)?;
                if kind.is_dir() {
                    open.push(entry.path());
                } else if let Some(key) = self.key(&entry.path()) {
                    keys.push(key);
                }
            }
        }
        keys.sort();
        Ok(keys)
    }

    fn local_path(&self, key: &str) -> Option<PathBuf> {
        self.path(key).ok()
    }
}

impl LocalBlobs {
    fn key(&self, path: &Path) -> Option<String> {
        let key = path.strip_prefix(&self.root).ok()?.to_str()?.replace(std::path::MAIN_SEPARATOR, "/");
        check_key(&key).is_ok().then_some(key)
    }
}

async fn write(path: &Path, mut body: ByteStream, limit: u64) -> Result<BlobMeta> {
    let failed = |error| Error::io("storing a file", error);
    // Made here and not on a pool thread, which could make it after a dropped put has removed it.
    let mut file = File::from_std(std::fs::File::create(path).map_err(failed)?);
    let mut hasher = Sha256::new();
    let mut size = 0_u64;
    while let Some(piece) = body.next().await {
        let piece = piece?;
        size += piece.len() as u64;
        if size > limit {
            return Err(too_large(limit));
        }
        hasher.update(&piece);
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    Ok(BlobMeta { size, sha256: hex(&hasher.finalize()) })
}

/// The rename itself survives a power cut only when the folder is synced too.
async fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder).await?.sync_all().await } else { Ok(()) }
}

/// Not found is no error.
fn found<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A file being written; removed unless it was renamed, also when the put is dropped half-way.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // After the rename there is nothing under this name.
        let _ = std::fs::remove_file(&self.0);
    }
}
