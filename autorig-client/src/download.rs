//! Whole files or none: a broken download goes on where it stopped, and the bytes are checked.

use std::{
    io,
    path::{Path, PathBuf},
};

use reqwest::{Method, Response, StatusCode, Url, header};
use sha2::{Digest, Sha256};
use tokio::{fs, io::AsyncReadExt, io::AsyncWriteExt, time::sleep};

use crate::{Client, Error, File, Result, client::refusal};

/// A download that was sent from its beginning again this often has no end.
const MAX_RESTARTS: u32 = 3;

impl Client {
    /// Saves a file of a task at `path`, replacing what is there once it is whole.
    ///
    /// It is first written beside `path`, under a name made of its SHA-256: a later call finds what an
    /// earlier one has left, even in another process, and goes on from there.
    ///
    /// # Errors
    /// The server's refusal, a connection that stays lost, [`Error::CorruptDownload`], [`Error::File`].
    pub async fn download(&self, file: &File, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let part = part_path(path, file);
        self.fetch(file, &part).await?;
        if !is_intact(file, &part).await? {
            remove(&part).await;
            return Err(Error::CorruptDownload { name: file.name.clone() });
        }
        fs::rename(&part, path).await.map_err(|source| failed(path, source))
    }

    /// A file of a task in memory.
    ///
    /// # Errors
    /// As [`Client::download`].
    pub async fn download_bytes(&self, file: &File) -> Result<Vec<u8>> {
        let url = self.file_url(file)?;
        let mut bytes = Vec::new();
        let mut validator = None;
        let mut broken = 0;
        loop {
            let before = bytes.len();
            let Some(mut response) = self.open(&url, before as u64, validator.as_deref()).await? else {
                break;
            };
            if response.status() != StatusCode::PARTIAL_CONTENT {
                bytes.clear();
            }
            validator = etag(&response);
            let ended = loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(Error::from(error)),
                }
            };
            let Err(error) = ended else { break };
            broken = if bytes.len() > before { 1 } else { broken + 1 };
            self.pause(broken, error).await?;
        }
        match &file.sha256 {
            Some(expected) if *expected != hex(&Sha256::digest(&bytes)) => {
                Err(Error::CorruptDownload { name: file.name.clone() })
            }
            _ => Ok(bytes),
        }
    }

    /// Brings `part` to its full length.
    async fn fetch(&self, file: &File, part: &Path) -> Result<()> {
        let url = self.file_url(file)?;
        let mut options = fs::OpenOptions::new();
        // Without a checksum nothing ties an old part to this file.
        let fresh = file.sha256.is_none();
        options.create(true).write(true).truncate(fresh);
        let mut out = options.open(part).await.map_err(|source| failed(part, source))?;
        let (mut broken, mut restarts) = (0, 0);
        let mut validator = None;
        loop {
            let have = seek_end(&mut out).await.map_err(|source| failed(part, source))?;
            if file.size.is_some_and(|size| have >= size && size > 0) {
                break;
            }
            let Some(mut response) = self.open(&url, have, validator.as_deref()).await? else { break };
            validator = etag(&response);
            if have > 0 && response.status() != StatusCode::PARTIAL_CONTENT {
                restarts += 1;
                if restarts > MAX_RESTARTS {
                    return Err(Error::CorruptDownload { name: file.name.clone() });
                }
                out.set_len(0).await.map_err(|source| failed(part, source))?;
                seek_end(&mut out).await.map_err(|source| failed(part, source))?;
            }
            let Err(error) = copy(&mut response, &mut out, part).await? else { break };
            let now = seek_end(&mut out).await.map_err(|source| failed(part, source))?;
            broken = if now > have { 1 } else { broken + 1 };
            self.pause(broken, error).await?;
        }
        out.sync_all().await.map_err(|source| failed(part, source))
    }

    /// Asks for the file from byte `from` on; `None` when there is nothing after it.
    async fn open(&self, url: &Url, from: u64, validator: Option<&str>) -> Result<Option<Response>> {
        let answered = self
            .send(async || {
                let mut request = self.request(Method::GET, url.clone());
                // Bytes of a compressed answer are not those that the range and the checksum count.
                request = request.header(header::ACCEPT_ENCODING, "identity");
                if from > 0 {
                    request = request.header(header::RANGE, format!("bytes={from}-"));
                    if let Some(validator) = validator {
                        request = request.header(header::IF_RANGE, validator);
                    }
                }
                Ok(request)
            })
            .await;
        match answered {
            Err(error) if from > 0 && error.status() == Some(416) => Ok(None),
            Ok(response) if response.status().is_success() => Ok(Some(response)),
            Ok(response) => Err(refusal(response).await),
            Err(error) => Err(error),
        }
    }

    /// Waits before a broken download goes on, or gives its error back.
    async fn pause(&self, broken: u32, error: Error) -> Result<()> {
        let Some(delay) = self.retry().delay(broken, None) else { return Err(error) };
        sleep(delay).await;
        Ok(())
    }

    fn file_url(&self, file: &File) -> Result<Url> {
        let url = self
            .base()
            .join(&file.url)
            .map_err(|error| Error::InvalidUrl { url: file.url.clone(), message: error.to_string() })?;
        // Our key goes with every request: it must not go to anyone else.
        if url.origin() != self.base().origin() {
            return Err(Error::InvalidUrl {
                url: file.url.clone(),
                message: "it is on another server".to_owned(),
            });
        }
        Ok(url)
    }
}

/// The inner error is the connection's, which may be tried again; the outer one the disk's.
async fn copy(response: &mut Response, out: &mut fs::File, part: &Path) -> Result<Result<()>> {
    let ended = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => out.write_all(&chunk).await.map_err(|source| failed(part, source))?,
            Ok(None) => break Ok(()),
            Err(error) => break Err(Error::from(error)),
        }
    };
    out.flush().await.map_err(|source| failed(part, source))?;
    Ok(ended)
}

async fn seek_end(file: &mut fs::File) -> io::Result<u64> {
    use tokio::io::AsyncSeekExt;
    file.seek(io::SeekFrom::End(0)).await
}

async fn is_intact(file: &File, part: &Path) -> Result<bool> {
    let Some(expected) = &file.sha256 else { return Ok(true) };
    let mut input = fs::File::open(part).await.map_err(|source| failed(part, source))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = input.read(&mut buffer).await.map_err(|source| failed(part, source))?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
    }
    Ok(*expected == hex(&hash.finalize()))
}

/// `.hero_rigged.glb.1a2b3c4d5e6f7081.part`
fn part_path(path: &Path, file: &File) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let tag: String =
        file.sha256.iter().flat_map(|sha| sha.chars()).filter(char::is_ascii_alphanumeric).take(16).collect();
    path.with_file_name(format!(".{name}.{tag}.part"))
}

fn etag(response: &Response) -> Option<String> {
    let tag = response.headers().get(header::ETAG)?.to_str().ok()?;
    // A weak tag does not promise the same bytes.
    (!tag.starts_with("W/")).then(|| tag.to_owned())
}

async fn remove(path: &Path) {
    // Left behind, it would only be found wrong again.
    let _ = fs::remove_file(path).await;
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
