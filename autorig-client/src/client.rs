//! The client: one method a call of the API.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{
    Method, RequestBuilder, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use crate::{
    Created, Error, Events, HistoryPage, Input, NewTask, Problem, QueueStatus, Result, RetryPolicy, Task,
    retry::{is_transient, retry_after},
};

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two pieces of an answer; longer than the server's long poll and its heartbeat.
const READ_TIMEOUT: Duration = Duration::from_secs(90);
/// What one long poll asks for.
const LONG_POLL: Duration = Duration::from_secs(30);
/// A file larger than this is sent so that it goes on where the line breaks.
const LARGE: u64 = 16 << 20;
/// Longest JSON answer that is read.
const MAX_ANSWER: usize = 16 << 20;

type KeySource = dyn Fn() -> String + Send + Sync;

/// A connection to one AutoRig server; cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Without our key, for addresses that are not the server's.
    stranger: reqwest::Client,
    base: Url,
    retry: RetryPolicy,
    keys: Arc<KeySource>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).field("retry", &self.retry).finish()
    }
}

/// Settings of a [`Client`].
pub struct Builder {
    url: String,
    api_key: Option<String>,
    retry: RetryPolicy,
    keys: Arc<KeySource>,
}

impl Builder {
    /// Sends this API key with every call.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// What is tried again, and when.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Where idempotency keys come from; random UUIDs by default.
    #[must_use]
    pub fn idempotency_keys(mut self, source: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.keys = Arc::new(source);
        self
    }

    /// The client.
    ///
    /// Installs `ring` as the process's TLS provider when the program has not chosen one.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`] when the address is no http(s) URL or the key cannot be a header.
    pub fn build(self) -> Result<Client> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Losing the race to another thread is as good as winning it.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let base = parse_base(&self.url)?;
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.api_key {
            let mut value =
                HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| Error::InvalidUrl {
                    url: self.url.clone(),
                    message: "the API key has characters that no key has".to_owned(),
                })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = |headers| match http(&base, headers).build() {
            // A bare system knows no authority that signs certificates; plain http needs none.
            Err(_) if base.scheme() == "http" => http(&base, headers).tls_certs_only([]).build(),
            built => built,
        };
        let (http, stranger) = (client(&headers)?, client(&HeaderMap::new())?);
        Ok(Client { http, stranger, base, retry: self.retry, keys: self.keys })
    }
}

fn http(base: &Url, headers: &HeaderMap) -> reqwest::ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "this crate is one of the two homes of an HTTP client")]
    let http = reqwest::Client::builder()
        .user_agent(concat!("autorig-client/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers.clone())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(Policy::limited(5));
    // A proxy of the environment cannot reach our own machine.
    if is_loopback(base) { http.no_proxy() } else { http }
}

impl Client {
    /// A client of the server at `url`, as a browser would write it.
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder { url: url.into(), api_key: None, retry: RetryPolicy::default(), keys: Arc::new(random_key) }
    }

    /// The server's address.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Makes a task. Repeated after a lost answer under the same idempotency key, so that it is made once. A large
    /// file is [sent](Client::upload) first, so that a broken line does not cost all of it.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn create(&self, task: &NewTask) -> Result<Created> {
        if let Input::File(path) = &task.input
            && tokio::fs::metadata(path).await.is_ok_and(|file| file.len() > LARGE)
        {
            let upload = self.upload(path, &|_, _| ()).await?;
            let task = NewTask { input: Input::Uploaded(upload.upload_id), ..task.clone() };
            return Box::pin(self.create(&task)).await;
        }
        let key = task.idempotency_key.clone().unwrap_or_else(|| (self.keys)());
        let url = self.url(&["api", "task", "create"])?;
        let response = self
            .send(async || {
                let request = self.http.post(url.clone()).header("Idempotency-Key", &key);
                task.write_to(request).await
            })
            .await?;
        json(response).await
    }

    /// A task as it is now.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn get(&self, task_id: &str) -> Result<Task> {
        self.get_json(self.task_url(task_id, &[])?).await
    }

    /// A task once it is done, failed or cancelled; asks by long poll.
    ///
    /// # Errors
    /// [`Error::WaitedTooLong`] after `patience`; the server's refusal, or no connection.
    pub async fn wait(&self, task_id: &str, patience: Duration) -> Result<Task> {
        let start = Instant::now();
        loop {
            let left = patience.saturating_sub(start.elapsed());
            let mut url = self.task_url(task_id, &[])?;
            let seconds = LONG_POLL.min(left).as_secs();
            url.query_pairs_mut().append_pair("wait", &seconds.to_string());
            let before = Instant::now();
            let task: Task = self.get_json(url).await?;
            if task.status.is_terminal() {
                return Ok(task);
            }
            if start.elapsed() >= patience {
                return Err(Error::WaitedTooLong { waited: patience });
            }
            // A server that answers a long poll at once must not be asked in a tight loop.
            sleep(Duration::from_millis(200).saturating_sub(before.elapsed())).await;
        }
    }

    /// What happens to a task, as it happens.
    pub fn events(&self, task_id: impl Into<String>) -> Events {
        Events::new(self.clone(), task_id.into())
    }

    /// Stops a task.
    ///
    /// # Errors
    /// The server's refusal (it is over already), or no connection.
    pub async fn cancel(&self, task_id: &str) -> Result<()> {
        let url = self.task_url(task_id, &["cancel"])?;
        self.send(async || Ok(self.http.post(url.clone()))).await.map(drop)
    }

    /// A page of the caller's tasks, newest first.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn history(&self, limit: Option<u32>, cursor: Option<&str>) -> Result<HistoryPage> {
        let mut url = self.url(&["api", "history"])?;
        if let Some(limit) = limit {
            url.query_pairs_mut().append_pair("limit", &limit.to_string());
        }
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        self.get_json(url).await
    }

    /// How busy the server is.
    ///
    /// # Errors
    /// The server's refusal, or no connection.
    pub async fn queue_status(&self) -> Result<QueueStatus> {
        self.get_json(self.url(&["api", "queue", "status"])?).await
    }

    pub(crate) async fn get_json<T: DeserializeOwned>(&self, url: Url) -> Result<T> {
        json(self.send(async || Ok(self.http.get(url.clone()))).await?).await
    }

    /// A URL of the API; segments are escaped.
    pub(crate) fn url(&self, segments: &[&str]) -> Result<Url> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| invalid(self.base.as_str(), "it cannot have paths"))?
            .pop_if_empty()
            .extend(segments);
        Ok(url)
    }

    pub(crate) fn task_url(&self, task_id: &str, rest: &[&str]) -> Result<Url> {
        // `.` and `..` would be taken for path steps, and an empty id for another call.
        if matches!(task_id, "" | "." | "..") {
            return Err(invalid(task_id, "it is no task id"));
        }
        self.url(&[&["api", "task", task_id], rest].concat())
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// A fresh idempotency key.
    pub(crate) fn fresh_key(&self) -> String {
        (self.keys)()
    }

    /// A client of the same server without a key that follows nothing: what the redirect carries is wanted.
    pub(crate) fn without_redirects(&self) -> Result<reqwest::Client> {
        let plain = || http(&self.base, &HeaderMap::new()).redirect(Policy::none());
        match plain().build() {
            Err(_) if self.base.scheme() == "http" => Ok(plain().tls_certs_only([]).build()?),
            built => Ok(built?),
        }
    }

    pub(crate) fn stranger(&self) -> &reqwest::Client {
        &self.stranger
    }

    pub(crate) fn retry(&self) -> RetryPolicy {
        self.retry
    }

    /// Sends what `build` makes until it is answered for good.
    pub(crate) async fn send(&self, build: impl AsyncFn() -> Result<RequestBuilder>) -> Result<Response> {
        let mut attempt = 1;
        loop {
            let (error, wish) = match build().await?.send().await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => {
                    let wish = retry_after(&response);
                    (refusal(response).await, wish)
                }
                Err(error) => (Error::from(error), None),
            };
            let delay = self.retry.delay(attempt, wish).filter(|_| is_worth_repeating(&error));
            let Some(delay) = delay else { return Err(error) };
            sleep(delay).await;
            attempt += 1;
        }
    }
}

pub(crate) fn is_worth_repeating(error: &Error) -> bool {
    match error {
        Error::Network { .. } => true,
        Error::Problem(problem) => problem.retryable || is_transient(problem.status),
        Error::UnexpectedAnswer { status: Some(status), .. } => is_transient(*status),
        _ => false,
    }
}

/// What a refusing answer says.
pub(crate) async fn refusal(response: Response) -> Error {
    let status = response.status();
    let body = read(response).await.unwrap_or_default();
    match serde_json::from_slice::<Problem>(&body) {
        Ok(mut problem) => {
            problem.status = status.as_u16();
            Error::Problem(Box::new(problem))
        }
        Err(_) => unexpected(status, format!("HTTP {status} without a reason")),
    }
}

pub(crate) async fn json<T: DeserializeOwned>(response: Response) -> Result<T> {
    let status = response.status();
    let body = read(response).await?;
    serde_json::from_slice(&body).map_err(|error| unexpected(status, error.to_string()))
}

async fn read(mut response: Response) -> Result<Vec<u8>> {
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(unexpected(status, "it is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unexpected(status: StatusCode, message: String) -> Error {
    Error::UnexpectedAnswer { status: Some(status.as_u16()), message }
}

fn invalid(url: &str, message: impl Into<String>) -> Error {
    Error::InvalidUrl { url: url.to_owned(), message: message.into() }
}

fn parse_base(text: &str) -> Result<Url> {
    let url: Url = text.parse().map_err(|error| invalid(text, format!("{error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(invalid(text, "it must begin with http:// or https://"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn random_key() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the default of an injected source; Builder::idempotency_keys"
    )]
    let key = uuid::Uuid::now_v7();
    key.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_found_below_any_path_and_ids_cannot_leave_it() {
        for (base, expected) in [
            ("http://a", "http://a/api/task/1"),
            ("http://a/", "http://a/api/task/1"),
            ("http://a/rig", "http://a/rig/api/task/1"),
            ("http://a/rig/", "http://a/rig/api/task/1"),
        ] {
            let client = Client::builder(base).build().unwrap();
            assert_eq!(client.task_url("1", &[]).unwrap().as_str(), expected);
        }
        let client = Client::builder("http://a").build().unwrap();
        assert_eq!(client.task_url("../x", &[]).unwrap().as_str(), "http://a/api/task/..%2Fx");
        assert!(client.task_url("..", &[]).is_err());
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for text in ["", "hero", "ftp://a", "file:///etc/passwd", "http://"] {
            let error = Client::builder(text).build().unwrap_err();
            assert_eq!(error.code(), "invalid_url", "{text}");
        }
    }
}
