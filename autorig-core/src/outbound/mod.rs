//! The one HTTP client: [`Outbound`] goes where strangers' links say, so it looks where it goes; [`Peer`] calls
//! machines of one's own, and signs what it says; [`Provider`] calls services that are paid for, with pools of keys
//! and proxies.
//!
//! Names are resolved by a resolver of ours that drops forbidden addresses, so the address that is checked
//! is the one that is connected to; literal addresses are checked before. Redirects are followed by hand,
//! each checked like the first link, at most [`MAX_REDIRECTS`]. A body is cut off at its limit whatever its
//! `Content-Length` says.
//!
//! Errors: `link_invalid`, `link_forbidden_address`, `link_redirects_to_forbidden`, `link_too_many_redirects`,
//! `link_unreachable`, `link_status`, `link_too_large`, `link_is_a_page`.

pub mod classify;
mod errors;
mod guard;
mod peer;
pub mod pool;
pub mod provider;
mod resolve;
mod storage;

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use reqwest::{
    Client, ClientBuilder, Response,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION},
};
use url_host::literal_address;

use crate::{Error, Result, blob::ByteStream};

pub use guard::Allow;
pub use peer::Peer;
pub use provider::Provider;
pub use reqwest::Url;
pub(crate) use storage::StorageClient;

mod url_host;

/// Redirects that are followed.
pub const MAX_REDIRECTS: usize = 5;
/// Time to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence while a body arrives.
const SILENCE: Duration = Duration::from_secs(30);

/// Fetches links. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: Client,
    allow: Arc<Allow>,
    /// False on a bare system, which knows no authority that signs certificates.
    https: bool,
}

/// A fetched link, its body still arriving.
pub struct Fetched {
    /// A file name: what the server said, or the end of the link.
    pub name: String,
    /// The media type the server said.
    pub content_type: Option<String>,
    /// The bytes; ends with `link_too_large` or `link_unreachable` when it must.
    pub body: ByteStream,
}

impl Outbound {
    /// A client that goes to public addresses and to those in `allow`; one link may take `time` in all.
    ///
    /// # Errors
    /// `invalid_config` when an entry is no address; `internal` when the client cannot be built.
    pub fn new(allow: &[String], time: Duration) -> Result<Self> {
        let allow = Arc::new(Allow::parse(allow)?);
        // Fails when another part of the program has installed one before, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        if let Ok(client) = client(&allow, time).build() {
            return Ok(Self { client, allow, https: true });
        }
        // Everything but https links works without certificates, so a bare system is served too.
        tracing::warn!("no CA certificates were found: https links cannot be fetched");
        Self::without_certificates(allow, time)
    }

    fn without_certificates(allow: Arc<Allow>, time: Duration) -> Result<Self> {
        let client = client(&allow, time)
            .tls_certs_only([])
            .build()
            .map_err(|error| Error::internal(format!("the HTTP client: {error}")))?;
        Ok(Self { client, allow, https: false })
    }

    /// Fetches a link; at most `limit` bytes.
    ///
    /// # Errors
    /// See the module.
    pub async fn fetch(&self, link: &str, limit: u64) -> Result<Fetched> {
        let mut url = self.check(link, None)?;
        for hop in 0..=MAX_REDIRECTS {
            let response = self.get(&url, hop > 0).await?;
            if !response.status().is_redirection() {
                return accept(response, limit);
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let location = location.ok_or_else(|| errors::status(response.status()))?;
            url = self.check(location, Some(&url))?;
        }
        Err(errors::too_many_redirects())
    }

    /// The address as a URL that may be asked; `from` is where a redirect came from.
    fn check(&self, link: &str, from: Option<&Url>) -> Result<Url> {
        let parsed = match from {
            None => Url::parse(link.trim()),
            Some(base) => base.join(link.trim()),
        };
        let url = parsed.map_err(|error| errors::invalid(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            let what = format!("its scheme is `{}`, not http or https", url.scheme());
            return Err(if from.is_some() {
                errors::redirect_forbidden(&what)
            } else {
                errors::invalid(&what)
            });
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(errors::invalid("it names no host"));
        }
        if url.scheme() == "https" && !self.https {
            return Err(errors::no_certificates());
        }
        match literal_address(&url) {
            Some(address) if !self.allow.permits(address) => Err(errors::forbidden(from.is_some())),
            _ => Ok(url),
        }
    }

    async fn get(&self, url: &Url, redirected: bool) -> Result<Response> {
        self.client.get(url.clone()).send().await.map_err(|error| {
            if resolve::is_refusal(&error) {
                errors::forbidden(redirected)
            } else {
                errors::unreachable(&error)
            }
        })
    }
}

fn client(allow: &Arc<Allow>, time: Duration) -> ClientBuilder {
    #[allow(clippy::disallowed_methods, reason = "the home of the one HTTP client")]
    let builder = Client::builder();
    builder
        .user_agent(concat!("autorig/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // A proxy would resolve names behind our back.
        .no_proxy()
        .dns_resolver(Arc::new(resolve::Guarded::new(allow.clone())))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .timeout(time)
}

fn accept(response: Response, limit: u64) -> Result<Fetched> {
    if !response.status().is_success() {
        return Err(errors::status(response.status()));
    }
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = header(CONTENT_TYPE).map(str::to_owned);
    if content_type.as_deref().is_some_and(is_page) {
        return Err(errors::is_a_page());
    }
    if response.content_length().is_some_and(|size| size > limit) {
        return Err(errors::too_large(limit));
    }
    let name = header(CONTENT_DISPOSITION)
        .and_then(url_host::disposition_name)
        .unwrap_or_else(|| url_host::last_segment(response.url()));
    Ok(Fetched { name, content_type, body: bounded(response, limit) })
}

/// An answer's body, cut off with an error past `limit` bytes.
fn bounded(response: Response, limit: u64) -> ByteStream {
    let mut left = limit;
    let body = response.bytes_stream().map(move |piece| {
        let piece = piece.map_err(|error| errors::unreachable(&error))?;
        left = left.checked_sub(piece.len() as u64).ok_or_else(|| errors::too_large(limit))?;
        Ok(piece)
    });
    Box::pin(body)
}

fn is_page(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("text/html") || media.eq_ignore_ascii_case("application/xhtml+xml")
}

#[cfg(test)]
mod tests {
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

    use super::*;

    #[tokio::test]
    async fn a_system_without_certificates_fetches_http_and_says_what_https_needs() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let allow = Allow::parse(&["127.0.0.1".to_owned()]).unwrap();
        // What `new` has done before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bare = Outbound::without_certificates(Arc::new(allow), Duration::from_secs(10)).unwrap();
        bare.fetch(&format!("{}/a.glb", server.uri()), 1000).await.unwrap();
        let error = bare.fetch("https://example.org/a.glb", 1000).await.err().unwrap();
        assert_eq!(error.code, "link_unreachable");
        assert!(error.remedy.contains("ca-certificates"), "{error}");
    }
}
