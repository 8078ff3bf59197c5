//! Calls to machines of one's own installation, whose addresses are configured and not a stranger's: private
//! addresses are allowed, every request is signed, redirects are not followed.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{CONNECT, bounded, classify::meaning};
use crate::{
    Class, Error, Kind, Result,
    blob::ByteStream,
    clock::{Clock, Ids},
    signature::{self, Secret, request_content},
};

/// Longest answer that is read as JSON.
const MAX_JSON: u64 = 1 << 20;
/// Longest silence of a machine.
const SILENCE: Duration = Duration::from_secs(60);
/// A file may take so long to arrive.
const FILE: Duration = Duration::from_secs(1800);

/// Calls other machines of the installation. Cheap to clone.
#[derive(Clone)]
pub struct Peer {
    client: Client,
    secret: Secret,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer")
    }
}

/// A refusal's body, where the other side has written one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: Option<String>,
    detail: Option<String>,
    message: Option<String>,
    remedy: Option<String>,
}

impl Peer {
    /// Calls that are signed with `secret`.
    ///
    /// # Errors
    /// `internal` when the client cannot be built.
    pub fn new(secret: Secret, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<Self> {
        // Fails when another part of the program has installed one before, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let client = client.map_err(|error| Error::internal(format!("the HTTP client: {error}")))?;
        Ok(Self { client, secret, clock, ids })
    }

    /// Posts JSON and reads JSON. Two calls of one `id` are one call.
    ///
    /// # Errors
    /// `peer_unreachable`, `peer_answer`, or what the other side says, with its class.
    pub async fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        id: Option<&str>,
        body: &impl Serialize,
        time: Duration,
    ) -> Result<T> {
        let body = serde_json::to_vec(body).map_err(|error| Error::internal(format!("a call: {error}")))?;
        json(accepted(self.send(Method::POST, url, id, body, time).await?).await?).await
    }

    /// Reads JSON; `None` when there is nothing.
    ///
    /// # Errors
    /// As [`Peer::post`].
    pub async fn get<T: DeserializeOwned>(&self, url: &Url, time: Duration) -> Result<Option<T>> {
        let response = self.send(Method::GET, url, None, Vec::new(), time).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        json(accepted(response).await?).await.map(Some)
    }

    /// Tells without waiting for more than an answer's head.
    ///
    /// # Errors
    /// As [`Peer::post`].
    pub async fn delete(&self, url: &Url, time: Duration) -> Result<()> {
        accepted(self.send(Method::DELETE, url, None, Vec::new(), time).await?).await.map(drop)
    }

    /// The size of a file; `None` when it is not there yet, 0 when it is not told.
    ///
    /// # Errors
    /// As [`Peer::post`].
    pub async fn size(&self, url: &Url, time: Duration) -> Result<Option<u64>> {
        let response = self.send(Method::HEAD, url, None, Vec::new(), time).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = accepted(response).await?;
        let size = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Some(size.unwrap_or(0)))
    }

    /// The bytes of a file, at most `limit`; `None` when it is not there.
    ///
    /// # Errors
    /// As [`Peer::post`]; while it arrives also `link_too_large`.
    pub async fn open(&self, url: &Url, limit: u64) -> Result<Option<ByteStream>> {
        let response = self.send(Method::GET, url, None, Vec::new(), FILE).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(bounded(accepted(response).await?, limit)))
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        id: Option<&str>,
        body: Vec<u8>,
        time: Duration,
    ) -> Result<Response> {
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let id = id.map_or_else(|| self.ids.id().simple().to_string(), str::to_owned);
        let now = self.clock.now();
        let signature = self.secret.sign(&id, now, &request_content(method.as_str(), &path, &body));
        let mut request = self
            .client
            .request(method, url.clone())
            .timeout(time)
            .header(signature::ID, id)
            .header(signature::TIMESTAMP, now.timestamp())
            .header(signature::SIGNATURE, signature);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        request.send().await.map_err(|error| unreachable(url, &error))
    }
}

fn builder() -> reqwest::ClientBuilder {
    #[allow(clippy::disallowed_methods, reason = "the home of the one HTTP client")]
    let builder = Client::builder();
    builder
        .user_agent(concat!("autorig/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
}

async fn accepted(response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let host = host(response.url());
    let words = text(response).await.unwrap_or_default();
    let refusal: Refusal = serde_json::from_str(&words).unwrap_or_default();
    let said = refusal.detail.or(refusal.message).unwrap_or(words);
    let said: String = said.chars().take(500).collect();
    let meaning = meaning(Some(status.as_u16()), &said, &[]);
    // A machine of ours names what is wrong with an input.
    let (class, kind) = match (status.as_u16(), meaning.class, &refusal.code) {
        (400 | 413 | 415 | 422, Class::Unknown, Some(_)) => (Class::UserViolation, Kind::Input),
        (_, class, _) => (class, Kind::Unavailable),
    };
    let code = refusal.code.map_or(meaning.code, Into::into);
    let remedy = refusal.remedy.unwrap_or_else(|| meaning.remedy.into_owned());
    let message = format!("{host} answered {}: {said}", status.as_u16());
    let error = Error::new(class, kind, code, message, remedy);
    Err(match after {
        Some(after) => error.with_retry_after(after),
        None => error,
    })
}

async fn json<T: DeserializeOwned>(response: Response) -> Result<T> {
    let host = host(response.url());
    let text = text(response).await?;
    serde_json::from_str(&text).map_err(|error| {
        Error::new(
            Class::Temporary,
            Kind::Unavailable,
            "peer_answer",
            format!("{host} answered something that is not understood: {error}"),
            "check that the address is that of an AutoRig worker of this version",
        )
    })
}

async fn text(response: Response) -> Result<String> {
    use futures_util::TryStreamExt;
    let pieces: Vec<_> = bounded(response, MAX_JSON).try_collect().await?;
    Ok(String::from_utf8_lossy(&pieces.concat()).into_owned())
}

fn unreachable(url: &Url, error: &reqwest::Error) -> Error {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(inner) = deepest.source() {
        deepest = inner;
    }
    let why = if error.is_timeout() { "it took too long".to_owned() } else { deepest.to_string() };
    Error::temporary(
        "peer_unreachable",
        format!("{} cannot be reached: {why}", host(url)),
        "it is tried again by itself; check that the machine runs and its address is right",
    )
}

/// A machine's address without anything secret in it.
fn host(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}
