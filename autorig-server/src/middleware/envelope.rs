//! The outermost layer: gives the request an id and a log span, runs the guard, turns every error and panic
//! into a problem answer, and dresses the answer with headers.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use futures_util::FutureExt;
use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    http::{HeaderValue, Method, StatusCode, header},
    web::CompressionLevel,
};
use tracing::Instrument;

use super::{compress, guard, headers};
use crate::{
    api::uploads::{TUS_RESUMABLE, TUS_VERSION},
    problem::Problem,
    routes::Routes,
};

/// Header that carries the id both ways.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// Makes request ids.
pub(crate) type NewId = Arc<dyn Fn() -> String + Send + Sync>;

/// Marks a HEAD request: a handler of GET gets it as one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadersOnly;

/// The wrapped application.
pub(crate) struct Envelope<E> {
    /// The application.
    pub(crate) inner: E,
    /// Source of ids.
    pub(crate) new_id: NewId,
    /// What the API answers to, for `Allow`.
    pub(crate) routes: Routes,
    /// The server is local, and trusts whoever reaches it.
    pub(crate) local: bool,
}

impl<E: Endpoint> Endpoint for Envelope<E> {
    type Output = Response;

    async fn call(&self, mut req: Request) -> Result<Response> {
        if req.method() == Method::HEAD {
            req.extensions_mut().insert(HeadersOnly);
        }
        let started = Instant::now();
        let id = incoming_id(&req).unwrap_or_else(|| (self.new_id)());
        let path = req.uri().path().to_owned();
        let method = req.method().clone();
        let packing = compress::negotiate(req.headers());
        let span =
            tracing::info_span!("http", request_id = %id, %method, %path, task_id = tracing::field::Empty);

        let answer = async {
            if self.local {
                guard::check(&req).map_err(poem::Error::from)?;
            }
            self.inner.call(req).await.map(IntoResponse::into_response)
        };
        let answer = AssertUnwindSafe(answer).catch_unwind().instrument(span.clone()).await;
        let _inside = span.enter();
        let mut response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => self.refuse(Problem::from_poem(&error), &path, &id),
            Err(_panic) => self.refuse(Problem::internal(&"a handler panicked"), &path, &id),
        };
        headers::protect(&mut response);
        if path.starts_with("/api/uploads") {
            response.headers_mut().insert(TUS_RESUMABLE, HeaderValue::from_static(TUS_VERSION));
        }
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(status = response.status().as_u16(), elapsed_ms, "answered");
        Ok(compress::pack(response, packing, CompressionLevel::Fastest))
    }
}

impl<E> Envelope<E> {
    fn refuse(&self, mut problem: Problem, path: &str, id: &str) -> Response {
        if problem.status == StatusCode::METHOD_NOT_ALLOWED
            && problem.headers.is_empty()
            && let Some(methods) = self.routes.allow(path)
        {
            problem = problem.header(header::ALLOW, methods);
        }
        let close = problem.status == StatusCode::PAYLOAD_TOO_LARGE;
        let mut response = problem.into_response_for(path, id);
        if close {
            // The rest of the body is not wanted; without this the client would have to send it all.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The caller's own id, if it is one that may stand in a log line.
fn incoming_id(req: &Request) -> Option<String> {
    let id = req.headers().get(REQUEST_ID)?.to_str().ok()?;
    let sane = (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'));
    sane.then(|| id.to_owned())
}
