//! Calls to services that are paid for: with a pool of API keys and, where they are configured, a pool of proxies.
//! A proxy that does not answer and a key that is refused or exhausted rest, and the next ones are tried.
//!
//! Links of strangers never go this way: a proxy resolves names itself, so the address guard of
//! [`super::Outbound`] would not see where they lead.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, Method, Proxy, RequestBuilder, Response, StatusCode, header::RETRY_AFTER};

use super::{
    CONNECT, SILENCE, bounded,
    classify::{Pattern, meaning},
    pool::{Pool, PoolRules, Taken, Usage},
};
use crate::{Class, Error, Kind, Result, blob::ByteStream, clock::Clock};

/// Keys and proxies that are tried for one call.
const TRIES: usize = 6;
/// What is read of a refusal.
const MAX_WORDS: u64 = 64 << 10;

/// An API key; it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderKey(String);

impl ProviderKey {
    /// The key as the service gave it.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// For the header that carries it, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderKey(***)")
    }
}

/// The proxies of a list, `host:port` or `host:port:user:pass` or a whole URL (`socks5://…`), one a line; empty lines
/// and those that begin with `#` are left out.
///
/// # Errors
/// `invalid_config`, naming the line but not what is secret in it.
pub fn parse_proxies(list: &str) -> Result<Vec<Proxy>> {
    let lines = list.lines().enumerate().map(|(n, line)| (n + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(n, line)| proxy(n, line))
        .collect()
}

fn proxy(number: usize, line: &str) -> Result<Proxy> {
    let wrong = || {
        Error::usage(
            "invalid_config",
            format!("line {number} of the proxies is none"),
            "write host:port:user:pass, or a URL such as socks5://host:port, one a line",
        )
    };
    if line.contains("://") {
        return Proxy::all(line).map_err(|_| wrong());
    }
    let mut parts = line.splitn(4, ':');
    let (host, port) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    let proxy = Proxy::all(format!("http://{host}:{port}")).map_err(|_| wrong())?;
    match (parts.next(), parts.next()) {
        (None, _) => Ok(proxy),
        // A password may have colons in it.
        (Some(user), Some(password)) => Ok(proxy.basic_auth(user, password)),
        (Some(_), None) => Err(wrong()),
    }
}

/// One service.
pub struct Provider {
    name: String,
    keys: Pool<ProviderKey>,
    /// One client a proxy, or the direct one.
    clients: Pool<Client>,
    patterns: Vec<Pattern>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Provider {
    /// A service that is called with these keys, through these proxies or directly.
    ///
    /// # Errors
    /// `invalid_config` without a key; `internal` when the HTTP client cannot be built.
    pub fn new(
        name: impl Into<String>,
        keys: Vec<ProviderKey>,
        proxies: &[Proxy],
        rules: PoolRules,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let name = name.into();
        if keys.is_empty() {
            let message = format!("there is no key for `{name}`");
            return Err(Error::usage("invalid_config", message, "configure at least one"));
        }
        let clients = if proxies.is_empty() {
            vec![client(None)?]
        } else {
            proxies.iter().map(|proxy| client(Some(proxy))).collect::<Result<_>>()?
        };
        let ways = PoolRules { limit: None, ..rules };
        let (keys, clients) = (Pool::new(keys, rules), Pool::new(clients, ways));
        Ok(Self { name, keys, clients, patterns: Vec::new(), clock })
    }

    /// What this service's words mean, before the usual patterns.
    #[must_use]
    pub fn patterns(mut self, patterns: Vec<Pattern>) -> Self {
        self.patterns = patterns;
        self
    }

    /// What each key was used for.
    pub fn usage(&self) -> Vec<Usage> {
        self.keys.usage()
    }

    /// Calls the service; `build` puts key and body into a request. Tries the next key or proxy where that can help,
    /// at most six in all.
    ///
    /// # Errors
    /// What the last failure means (`provider_…`), by the service's words and status.
    pub async fn call(
        &self,
        method: Method,
        url: &str,
        build: impl Fn(RequestBuilder, &ProviderKey) -> RequestBuilder + Send + Sync,
    ) -> Result<Response> {
        let mut last = None;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let (key, way) = match (self.keys.take(now), self.clients.take(now)) {
                (Ok(key), Ok(way)) => (key, way),
                (Err(until), _) | (_, Err(until)) => {
                    return Err(last.unwrap_or_else(|| self.exhausted(until)));
                }
            };
            let request = build(way.member.request(method.clone(), url), key.member);
            match request.send().await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => {
                    let (error, helps) = self.refused(response, &key).await;
                    if !helps {
                        return Err(error);
                    }
                    last = Some(error);
                }
                Err(error) => {
                    // Without a proxy there is no other way.
                    if self.clients.len() > 1 && (error.is_connect() || error.is_timeout()) {
                        way.failed(self.clock.now(), None);
                    }
                    let stay = self.clients.len() < 2;
                    last = Some(self.meant(None, &innermost(&error), None));
                    if stay {
                        break;
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| self.exhausted(None)))
    }

    /// A refusal, and whether another key can help.
    async fn refused(&self, response: Response, key: &Taken<'_, ProviderKey>) -> (Error, bool) {
        let status = response.status();
        let after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let words = words(response).await;
        let error = self.meant(Some(status.as_u16()), &words, after);
        let of_the_key = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            || matches!(error.class, Class::Billing | Class::RateLimit);
        if of_the_key {
            key.failed(self.clock.now(), after);
        }
        (error, of_the_key && self.keys.len() > 1)
    }

    fn meant(&self, status: Option<u16>, words: &str, after: Option<Duration>) -> Error {
        let meaning = meaning(status, words, &self.patterns);
        let words: String = words.chars().take(500).collect();
        let message = match status {
            Some(status) => format!("{} answered {status}: {words}", self.name),
            None => format!("{} cannot be reached: {words}", self.name),
        };
        let error = Error::new(meaning.class, Kind::Unavailable, meaning.code, message, meaning.remedy);
        match after {
            Some(after) => error.with_retry_after(after),
            None => error,
        }
    }

    fn exhausted(&self, until: Option<crate::clock::Time>) -> Error {
        let wait =
            until.and_then(|at| (at - self.clock.now()).to_std().ok()).unwrap_or(Duration::from_secs(60));
        Error::new(
            Class::RateLimit,
            Kind::Unavailable,
            "provider_rate_limit",
            format!("every key or proxy of {} is resting", self.name),
            "it is tried again by itself",
        )
        .with_retry_after(wait)
    }
}

/// The service's own words, shortened to what can be understood.
async fn words(response: Response) -> String {
    use futures_util::StreamExt;
    let mut body: ByteStream = bounded(response, MAX_WORDS);
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = body.next().await {
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The reason without the address, whose query may hold a key.
fn innermost(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(inner) = deepest.source() {
        deepest = inner;
    }
    if error.is_timeout() { "timeout".to_owned() } else { deepest.to_string() }
}

fn client(proxy: Option<&Proxy>) -> Result<Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let build = |certificates: bool| {
        #[allow(clippy::disallowed_methods, reason = "the home of the one HTTP client")]
        let builder = Client::builder();
        let builder = builder
            .user_agent(concat!("autorig/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE);
        let builder = match proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder.no_proxy(),
        };
        if certificates { builder.build() } else { builder.tls_certs_only([]).build() }
    };
    build(true)
        .or_else(|_| build(false))
        .map_err(|error| Error::internal(format!("the HTTP client: {error}")))
}

#[cfg(test)]
mod tests {
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{any, header},
    };

    use super::*;
    use crate::clock::ManualClock;

    fn keys(names: &[&str]) -> Vec<ProviderKey> {
        names.iter().map(|name| ProviderKey::new(*name)).collect()
    }

    fn provider(names: &[&str], proxies: &[Proxy]) -> (Provider, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        let made = Provider::new("cakes", keys(names), proxies, PoolRules::default(), clock.clone());
        (made.unwrap(), clock)
    }

    async fn call(provider: &Provider, url: &str) -> Result<Response> {
        provider.call(Method::GET, url, |request, key| request.header("x-key", key.expose())).await
    }

    async fn answers(server: &MockServer, key: &str, answer: ResponseTemplate) {
        Mock::given(header("x-key", key)).respond_with(answer).mount(server).await;
    }

    #[tokio::test]
    async fn a_refused_key_rests_and_the_next_is_taken() {
        let service = MockServer::start().await;
        answers(&service, "old", ResponseTemplate::new(401)).await;
        answers(&service, "good", ResponseTemplate::new(200)).await;
        let (provider, clock) = provider(&["old", "good"], &[]);
        for _ in 0..3 {
            call(&provider, &service.uri()).await.unwrap();
        }
        assert_eq!(provider.usage()[0], Usage { used: 1, failed: 1 });
        clock.advance(Duration::from_secs(300));
        call(&provider, &service.uri()).await.unwrap();
        call(&provider, &service.uri()).await.unwrap();
        assert_eq!(provider.usage()[0], Usage { used: 2, failed: 2 });
    }

    #[tokio::test]
    async fn when_every_key_is_exhausted_the_last_words_are_told_and_then_when_to_come_back() {
        let service = MockServer::start().await;
        let busy = ResponseTemplate::new(429).insert_header("retry-after", "7");
        Mock::given(any()).respond_with(busy).expect(2).mount(&service).await;
        let (provider, _clock) = provider(&["a", "b"], &[]);
        for _ in 0..2 {
            let error = call(&provider, &service.uri()).await.unwrap_err();
            assert_eq!((error.class, error.retry_after), (Class::RateLimit, Some(Duration::from_secs(7))));
        }
    }

    #[tokio::test]
    async fn what_another_key_cannot_help_is_told_at_once() {
        let service = MockServer::start().await;
        let words = ResponseTemplate::new(422).set_body_string("Image too small");
        Mock::given(any()).respond_with(words).expect(1).mount(&service).await;
        let (provider, _clock) = provider(&["a", "b"], &[]);
        let error = call(&provider, &service.uri()).await.unwrap_err();
        assert_eq!((error.class, error.code.as_ref()), (Class::UserViolation, "image_too_small"));
    }

    #[tokio::test]
    async fn a_dead_proxy_rests_and_another_is_taken() {
        // It plays the proxy: what is asked of it is the service's whole address.
        let proxy = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(3).mount(&proxy).await;
        let list = format!("127.0.0.1:1:user:pa:ss\n\n# none\n{}", proxy.address());
        let (provider, _clock) = provider(&["a"], &parse_proxies(&list).unwrap());
        for _ in 0..3 {
            call(&provider, "http://cakes.example/now").await.unwrap();
        }
    }

    #[test]
    fn lines_that_are_no_proxies_are_named_without_their_secrets() {
        for line in ["host", "host:x", ":80", "host:80:user", "gopher://[", "host:99999:u:secret"] {
            let error = parse_proxies(&format!("a:1\n{line}")).unwrap_err();
            assert!(error.message.contains("line 2") && !error.message.contains("secret"), "{error}");
        }
        assert_eq!(parse_proxies("a:1\nsocks5://b:2\nc:3:u:p").unwrap().len(), 3);
    }

    #[test]
    fn keys_are_not_shown() {
        assert_eq!(format!("{:?}", keys(&["secret"])), "[ProviderKey(***)]");
    }
}
