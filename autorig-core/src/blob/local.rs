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
use bytes::Bytes;
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};
use tokio_util::io::ReaderStream;

use super::{Appender, Blob, BlobEntry, BlobMeta, BlobStore, ByteStream, Hashing, check_key, check_prefix};
use crate::{Error, Result, clock::Time};

/// Blobs in a folder of this machine. One process at a time opens it.
#[derive(Debug)]
pub struct LocalBlobs {
    root: PathBuf,
    next: AtomicU64,
}

/// Bytes read at once.
const PIECE: usize = 1 << 18;
/// How often a folder is made that deletes next to it keep taking away.
const FOLDER_TRIES: u32 = 100;
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
        self.in_its_folder(&path, || fs::rename(&temporary.0, &path)).await.map_err(failed)?;
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
        self.remove_empty_folders(&path).await;
        Ok(removed)
    }

    fn entries(&self, prefix: &str) -> BoxStream<'_, Result<BlobEntry>> {
        let start = match check_prefix(prefix) {
            Ok(()) => self.root.join(prefix),
            Err(error) => return stream::once(async move { Err(error) }).boxed(),
        };
        let walk = Walk { blobs: self, open: vec![start], found: Vec::new() };
        stream::try_unfold(walk, |mut walk| async move {
            let entry = walk.next().await.map_err(|error| Error::io("listing the stored files", error))?;
            Ok(entry.map(|entry| (entry, walk)))
        })
        .boxed()
    }

    async fn rename(&self, from: &str, to: &str) -> Result<bool> {
        let (old, new) = (self.path(from)?, self.path(to)?);
        let failed = |error| Error::io(format!("renaming `{from}`"), error);
        if found(fs::metadata(&old).await).map_err(failed)?.is_none() {
            return Ok(false);
        }
        let renamed = found(self.in_its_folder(&new, || fs::rename(&old, &new)).await).map_err(failed)?;
        self.remove_empty_folders(&old).await;
        Ok(renamed.is_some())
    }

    async fn append(&self, key: &str, offset: u64) -> Result<Option<Box<dyn Appender>>> {
        let path = self.path(key)?;
        let failed = |error| Error::io(format!("going on with `{key}`"), error);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(offset == 0).truncate(false);
        let file = if offset == 0 {
            Some(self.in_its_folder(&path, || options.open(&path)).await.map_err(failed)?)
        } else {
            found(options.open(&path).await).map_err(failed)?
        };
        let length = match &file {
            Some(file) => file.metadata().await.map_err(failed)?.len(),
            None => 0,
        };
        let Some(mut file) = file.filter(|_| length >= offset) else {
            return Err(too_short(key, length, offset));
        };
        file.set_len(offset).await.map_err(failed)?;
        file.seek(SeekFrom::Start(offset)).await.map_err(failed)?;
        Ok(Some(Box::new(OpenEnd(file))))
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

    /// Makes a file's folder, does what puts the file there and makes both survive a power cut. A delete next
    /// to it may take the empty folder away in between; then it is made again.
    async fn in_its_folder<T, F>(&self, path: &Path, put: impl Fn() -> F) -> std::io::Result<T>
    where
        F: Future<Output = std::io::Result<T>>,
    {
        let folder = path.parent().unwrap_or(&self.root);
        let mut tries = 0;
        loop {
            let new = !fs::try_exists(folder).await?;
            let done = match fs::create_dir_all(folder).await {
                Ok(()) => put().await,
                Err(error) => Err(error),
            };
            tries += 1;
            match done {
                Err(error) if tries < FOLDER_TRIES && taken_away(&error) => {}
                Err(error) => return Err(error),
                Ok(done) => {
                    let up_to = if new { &self.root } else { folder };
                    for folder in folder.ancestors().take_while(|above| above.starts_with(up_to)) {
                        // One that was taken away again has nothing in it to keep.
                        found(sync_folder(folder).await)?;
                    }
                    return Ok(done);
                }
            }
        }
    }

    /// Folders are part of the keys: empty ones go, up to the root; a full one refuses, which ends it.
    async fn remove_empty_folders(&self, path: &Path) {
        let mut folder = path.parent();
        while let Some(empty) = folder.filter(|folder| *folder != self.root) {
            if fs::remove_dir(empty).await.is_err() {
                break;
            }
            folder = empty.parent();
        }
    }
}

/// A walk through folders: one folder's files are in memory at a time.
struct Walk<'a> {
    blobs: &'a LocalBlobs,
    open: Vec<PathBuf>,
    found: Vec<BlobEntry>,
}

impl Walk<'_> {
    async fn next(&mut self) -> std::io::Result<Option<BlobEntry>> {
        loop {
            if let Some(entry) = self.found.pop() {
                return Ok(Some(entry));
            }
            let Some(folder) = self.open.pop() else { return Ok(None) };
            let Some(mut entries) = found(fs::read_dir(&folder).await)? else { continue };
            while let Some(entry) = entries.next_entry().await? {
                // What is removed meanwhile is in no listing.
                let Some(meta) = found(entry.metadata().await)? else { continue };
                let path = entry.path();
                if meta.is_dir() {
                    self.open.push(path);
                } else if let Some(key) = self.blobs.key(&path) {
                    let modified = meta.modified().map(Time::from)?;
                    self.found.push(BlobEntry { key, size: meta.len(), modified });
                }
            }
        }
    }
}

/// A file whose end is being written.
struct OpenEnd(File);

#[async_trait]
impl Appender for OpenEnd {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.0.write_all(&bytes).await.map_err(|error| Error::io("storing a part of a file", error))
    }

    async fn sync(&mut self) -> Result<()> {
        let failed = |error| Error::io("storing a part of a file", error);
        self.0.flush().await.map_err(failed)?;
        self.0.sync_data().await.map_err(failed)
    }
}

fn too_short(key: &str, length: u64, offset: u64) -> Error {
    Error::conflict(
        "blob_too_short",
        format!("`{key}` has {length} bytes and cannot go on at {offset}"),
        "send the file again from its beginning",
    )
}

async fn write(path: &Path, body: ByteStream, limit: u64) -> Result<BlobMeta> {
    let failed = |error| Error::io("storing a file", error);
    // Made here and not on a pool thread, which could make it after a dropped put has removed it.
    let mut file = File::from_std(std::fs::File::create(path).map_err(failed)?);
    let mut body = Hashing::new(body, limit);
    while let Some(piece) = body.next().await? {
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    Ok(body.finish())
}

/// The rename itself survives a power cut only when the folder is synced too.
async fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder).await?.sync_all().await } else { Ok(()) }
}

/// True when a folder went while it was made or filled.
fn taken_away(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::AlreadyExists)
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
