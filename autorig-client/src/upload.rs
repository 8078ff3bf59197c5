//! Large files: sent in one stream that goes on where it broke, or straight to the server's storage.

use std::{
    io::SeekFrom,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::StreamExt;
use reqwest::{Method, RequestBuilder, Response, Url, header};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
    time::sleep,
};
use tokio_util::io::ReaderStream;

use crate::{
    Client, Error, Result,
    client::{is_worth_repeating, json, refusal},
};

/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// An upload as the server tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Upload {
    /// Its id, for [`Input::Uploaded`](crate::Input::Uploaded).
    pub upload_id: String,
    /// Its name.
    pub name: String,
    /// Bytes in all.
    pub size: u64,
    /// Bytes that are there.
    pub received: u64,
    /// True when a task can be made of it.
    pub complete: bool,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: Option<String>,
    /// Path below the server from which anyone who knows it gets the file, once it is complete.
    pub link: Option<String>,
    /// `tus`, `put` or `none`: how the bytes are to be sent.
    method: String,
    url: Option<String>,
    headers: Vec<UploadHeader>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct UploadHeader {
    name: String,
    value: String,
}

/// Told how many bytes are with the server, and how many there are in all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

impl Client {
    /// Sends a file, for a task that is made of it afterwards. It is read twice: its hash is told first, so that
    /// a file that is there already is not sent, and one that arrives damaged is refused. When the line breaks it
    /// goes on with what the server has, as long as the retry policy allows without any progress.
    ///
    /// # Errors
    /// The server's refusal, a connection that stays lost, [`Error::File`].
    pub async fn upload(&self, path: impl AsRef<Path>, progress: Progress<'_>) -> Result<Upload> {
        let source = Source::open(path.as_ref()).await?;
        let url = self.url(&["api", "uploads"])?;
        let announced = json!({"name": source.name, "size": source.size, "sha256": source.sha256});
        let upload: Upload =
            json(self.send(async || Ok(self.request(Method::POST, url.clone()).json(&announced))).await?)
                .await?;
        progress(upload.received, upload.size);
        match upload.method.as_str() {
            "tus" => self.send_by_tus(&upload, &source, progress).await?,
            "put" => self.send_by_put(&upload, &source, progress).await?,
            _ => return Ok(upload),
        }
        let url = self.upload_url(&upload, &[])?;
        json(self.send(async || Ok(self.request(Method::GET, url.clone()))).await?).await
    }

    /// PATCHes from where the server is until it has everything.
    async fn send_by_tus(&self, upload: &Upload, source: &Source, progress: Progress<'_>) -> Result<()> {
        let url = self.upload_url(upload, &[])?;
        let (mut offset, mut attempt) = (upload.received, 1);
        loop {
            let error = match self.patch(&url, source, offset, progress).await {
                Ok(now) if now >= source.size => return Ok(()),
                Ok(now) => {
                    offset = now;
                    continue;
                }
                Err(error) if goes_on(&error) => error,
                Err(error) => return Err(error),
            };
            let delay = self.retry().delay(attempt, None);
            let Some(delay) = delay else { return Err(error) };
            sleep(delay).await;
            let there = self.offset(&url).await?;
            // Whatever got through begins the patience anew.
            attempt = if there > offset { 1 } else { attempt + 1 };
            offset = there;
            progress(offset, source.size);
            if offset >= source.size {
                return Ok(());
            }
        }
    }

    async fn patch(&self, url: &Url, source: &Source, offset: u64, progress: Progress<'_>) -> Result<u64> {
        let request = tus(self.request(Method::PATCH, url.clone()))
            .header("Upload-Offset", offset)
            .header(header::CONTENT_TYPE, "application/offset+octet-stream")
            .header(header::CONTENT_LENGTH, source.size - offset);
        offset_of(&stream(request, source, offset, progress).await?)
    }

    /// How much is there, asked until there is an answer.
    async fn offset(&self, url: &Url) -> Result<u64> {
        offset_of(&self.send(async || Ok(tus(self.request(Method::HEAD, url.clone())))).await?)
    }

    /// PUTs everything to the storage, then tells the server.
    async fn send_by_put(&self, upload: &Upload, source: &Source, progress: Progress<'_>) -> Result<()> {
        let place: Option<Url> = upload.url.as_deref().and_then(|url| url.parse().ok());
        let place = place.ok_or_else(|| strange("an upload without an address"))?;
        let mut attempt = 1;
        loop {
            // The storage is somebody else: it does not get the API key.
            let request = self.stranger().put(place.clone()).header(header::CONTENT_LENGTH, source.size);
            let request = upload
                .headers
                .iter()
                .fold(request, |request, header| request.header(&header.name, &header.value));
            match stream(request, source, 0, progress).await {
                Ok(_) => break,
                Err(error) => {
                    let delay = self.retry().delay(attempt, None).filter(|_| is_worth_repeating(&error));
                    let Some(delay) = delay else { return Err(error) };
                    sleep(delay).await;
                    attempt += 1;
                }
            }
        }
        let url = self.upload_url(upload, &["complete"])?;
        self.send(async || Ok(self.request(Method::POST, url.clone()))).await.map(drop)
    }

    fn upload_url(&self, upload: &Upload, rest: &[&str]) -> Result<Url> {
        self.url(&[&["api", "uploads", upload.upload_id.as_str()], rest].concat())
    }
}

/// A file to send.
struct Source {
    path: PathBuf,
    name: String,
    size: u64,
    sha256: String,
}

impl Source {
    async fn open(path: &Path) -> Result<Self> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        let mut file = File::open(path).await.map_err(failed)?;
        let (mut hasher, mut size, mut piece) = (Sha256::new(), 0_u64, vec![0; PIECE]);
        loop {
            let count = file.read(&mut piece).await.map_err(failed)?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
            hasher.update(read);
            size += count as u64;
        }
        let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { path: path.to_owned(), name, size, sha256 })
    }
}

/// Sends a file from an offset on; the answer, if it is a good one.
async fn stream(
    request: RequestBuilder,
    source: &Source,
    offset: u64,
    progress: Progress<'_>,
) -> Result<Response> {
    let failed = |error| Error::File { path: source.path.clone(), source: error };
    let mut file = File::open(&source.path).await.map_err(failed)?;
    file.seek(SeekFrom::Start(offset)).await.map_err(failed)?;
    let sent = Arc::new(AtomicU64::new(offset));
    let counted = sent.clone();
    let body = ReaderStream::with_capacity(file.take(source.size - offset), PIECE).inspect(move |piece| {
        let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        counted.fetch_add(length, Ordering::Relaxed);
    });
    let mut answer = std::pin::pin!(request.body(reqwest::Body::wrap_stream(body)).send());
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(200));
    let answer = loop {
        tokio::select! {
            answer = &mut answer => break answer?,
            _ = tick.tick() => progress(sent.load(Ordering::Relaxed), source.size),
        }
    };
    if !answer.status().is_success() {
        return Err(refusal(answer).await);
    }
    progress(sent.load(Ordering::Relaxed), source.size);
    Ok(answer)
}

fn tus(request: RequestBuilder) -> RequestBuilder {
    request.header("Tus-Resumable", "1.0.0")
}

fn offset_of(response: &Response) -> Result<u64> {
    let offset = response.headers().get("Upload-Offset").and_then(|value| value.to_str().ok()?.parse().ok());
    offset.ok_or_else(|| strange("it does not say how much of the upload is there"))
}

/// True when the upload may go on: the line broke, or the server knows better how much is there.
fn goes_on(error: &Error) -> bool {
    is_worth_repeating(error)
        || matches!(error.code(), "upload_offset_mismatch" | "upload_interrupted" | "upload_cut_off")
}

fn strange(message: &str) -> Error {
    Error::UnexpectedAnswer { status: None, message: message.to_owned() }
}
