//! Every refusal of the API: RFC 9457 `application/problem+json` with a stable `code` and a `remedy`.
//!
//! Handlers return [`Problem`]; errors that poem itself makes (unknown route, wrong method, unreadable
//! parameter) are turned into one by [`Problem::from_poem`]. The outermost middleware adds what only it
//! knows, the path and the request id, and writes the answer.

use std::fmt;

use poem::{
    Response,
    error::{MethodNotAllowedError, NotFoundError, ParseMultipartError, ResponseError},
    http::{HeaderName, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object,
    error::{ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError},
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::{ToJSON, Type},
};

/// Media type of every error answer.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal: what happened, to which thing, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable machine-readable code, `snake_case`.
    pub code: String,
    /// What happened, to which thing.
    pub detail: String,
    /// What the caller can do.
    pub remedy: String,
    /// The same call may succeed later.
    pub retryable: bool,
    /// The parameter or option that is wrong.
    pub param: Option<String>,
    /// Headers the answer needs: `Allow`, `Retry-After`, `Content-Range`, `RateLimit`, ….
    pub headers: Box<[(HeaderName, String)]>,
}

impl Problem {
    /// A problem that stays until the caller changes something.
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<String>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            remedy: remedy.into(),
            retryable: false,
            param: None,
            headers: Box::default(),
        }
    }

    /// Names the parameter or option at fault.
    #[must_use]
    pub(crate) fn param(mut self, name: impl Into<String>) -> Self {
        self.param = Some(name.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: impl fmt::Display) -> Self {
        let mut headers = self.headers.into_vec();
        headers.push((name, value.to_string()));
        self.headers = headers.into();
        self
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub(crate) fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// No route answers to this path.
    pub(crate) fn no_such_route() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "route_not_found",
            "nothing answers to this path",
            "see /docs for the paths of this server",
        )
    }

    /// There is no such task, or the caller may not know of it.
    pub(crate) fn no_such_task(id: &str) -> Self {
        let shown: String = id.chars().take(64).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            "task_not_found",
            format!("there is no task {shown:?}"),
            "check the id; tasks are removed after their retention time",
        )
    }

    /// There is no such key, or it is another's.
    pub(crate) fn no_such_key(id: &str) -> Self {
        let shown: String = id.chars().take(64).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            "key_not_found",
            format!("there is no key {shown:?}"),
            "use an `id` of the list of keys",
        )
    }

    /// The task has no such file (yet).
    pub(crate) fn no_such_file(key: &str) -> Self {
        let shown: String = key.chars().take(64).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            "file_not_found",
            format!("the task has no file {shown:?}"),
            "ask the task for its files; they appear one by one while it is processed",
        )
    }

    /// The body is not what the content type says.
    pub(crate) fn bad_body(code: &str, detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            code,
            detail,
            "send multipart/form-data with a `file`, or JSON with a `link`; see /docs",
        )
    }

    /// An option is unknown or its value is not acceptable.
    pub(crate) fn bad_option(name: &str, detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_option",
            detail,
            "see /docs for the options of a task",
        )
        .param(name)
    }

    /// A defect of ours. The cause goes to the log, not to the caller.
    pub(crate) fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed to do this",
            "try again; if it stays, report it with the request id",
        )
        .retryable()
    }

    /// Translates an error made by poem or poem-openapi.
    pub(crate) fn from_poem(error: &poem::Error) -> Self {
        if let Some(problem) = error.downcast_ref::<Self>() {
            return problem.clone();
        }
        if error.is::<NotFoundError>() {
            return Self::no_such_route();
        }
        if error.is::<MethodNotAllowedError>() {
            return Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this path does not answer to this method",
                "use a method listed in the Allow header",
            );
        }
        if let Some(e) = error.downcast_ref::<ParseParamError>() {
            return Self::bad_param(e.name, &e.reason);
        }
        if let Some(e) = error.downcast_ref::<ParsePathError>() {
            return Self::bad_param(e.name, &e.reason);
        }
        if let Some(e) = error.downcast_ref::<ParseRequestPayloadError>() {
            return Self::bad_body("invalid_json", e.reason.clone());
        }
        if let Some(e) = error.downcast_ref::<ContentTypeError>() {
            return Self::unsupported_media_type(e.to_string());
        }
        if let Some(e) = error.downcast_ref::<ParseMultipartError>() {
            return Self::bad_body("invalid_multipart", e.to_string());
        }
        let status = error.status();
        if status.is_server_error() {
            return Self::internal(error);
        }
        let code = format!("http_{}", status.as_u16());
        Self::new(status, code, error.to_string(), "see /docs for how to call this server")
    }

    /// The content type is not one this call reads.
    pub(crate) fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ..Self::bad_body("unsupported_media_type", detail)
        }
    }

    /// A path, query or header parameter is not acceptable.
    pub(crate) fn bad_param(name: &str, reason: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_parameter",
            format!("parameter `{name}`: {reason}"),
            "see /docs for the parameters of this call",
        )
        .param(name)
    }

    /// The answer, with what only the outermost middleware knows.
    pub(crate) fn into_response_for(self, instance: &str, request_id: &str) -> Response {
        let body = ProblemBody {
            kind: format!("urn:autorig:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            instance: instance.to_owned(),
            code: self.code,
            remedy: self.remedy,
            request_id: request_id.to_owned(),
            retryable: self.retryable,
            param: self.param,
        };
        let mut response = Response::builder()
            .status(self.status)
            .content_type(PROBLEM_JSON)
            .header(header::CACHE_CONTROL, "no-store");
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(body.to_json_string())
    }
}

/// Core decides what an error is; here it gets its status.
impl From<autorig_core::Error> for Problem {
    fn from(error: autorig_core::Error) -> Self {
        use autorig_core::{Class, Kind, error::Rate};
        let status = match (error.kind, error.code.as_ref()) {
            _ if error.class == Class::RateLimit => StatusCode::TOO_MANY_REQUESTS,
            (Kind::Internal, "internal") => return Self::internal(&error),
            (_, "upload_cut_off" | "invalid_cursor" | "invalid_idempotency_key") => StatusCode::BAD_REQUEST,
            // The key is fine, what is sent with it is not (draft-ietf-httpapi-idempotency-key-header).
            (_, "idempotency_key_reused") => StatusCode::UNPROCESSABLE_ENTITY,
            (Kind::Input | Kind::Usage, _) => StatusCode::UNPROCESSABLE_ENTITY,
            (Kind::Limit, _) => StatusCode::PAYLOAD_TOO_LARGE,
            (Kind::SignIn, _) => StatusCode::UNAUTHORIZED,
            (Kind::Denied, _) => StatusCode::FORBIDDEN,
            (Kind::NotFound, _) => StatusCode::NOT_FOUND,
            (Kind::Conflict | Kind::Cancelled, _) => StatusCode::CONFLICT,
            (Kind::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
            (Kind::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(?error, "request failed");
        }
        let retryable = error.is_retryable()
            || matches!(error.code.as_ref(), "upload_cut_off" | "idempotency_key_running");
        let mut problem = Self { retryable, ..Self::new(status, error.code, error.message, error.remedy) };
        if problem.code == "unknown_option" {
            problem.param = problem.detail.split('`').nth(1).map(str::to_owned);
        }
        if let Some(Rate { name, quota, window }) = error.rate.as_deref() {
            let reset = error.retry_after.map_or(1.0, |after| after.as_secs_f64().ceil());
            let window = window.map(|window| format!(";w={}", window.as_secs())).unwrap_or_default();
            // draft-ietf-httpapi-ratelimit-headers: what is left, and when there is more; the quota by its name.
            problem = problem
                .header(HeaderName::from_static("ratelimit"), format!("\"{name}\";r=0;t={reset}"))
                .header(HeaderName::from_static("ratelimit-policy"), format!("\"{name}\";q={quota}{window}"));
        }
        match error.retry_after {
            // Rounded up: whoever comes back a moment early would be sent away again.
            Some(after) => problem.header(header::RETRY_AFTER, after.as_secs_f64().ceil().max(1.0)),
            None if status == StatusCode::UNAUTHORIZED => problem.header(header::WWW_AUTHENTICATE, "Bearer"),
            None => problem,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        self.clone().into_response_for("", "")
    }
}

impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![MetaResponse {
                description: "The call was refused or failed; `code` says why, `remedy` what to do.",
                status: None,
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: PROBLEM_JSON,
                    schema: ProblemBody::schema_ref(),
                }],
                headers: vec![],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        ProblemBody::register(registry);
    }
}

/// An error answer (RFC 9457).
#[derive(Debug, Clone, Object)]
#[oai(rename = "Problem", skip_serializing_if_is_none)]
pub(crate) struct ProblemBody {
    /// URN of the kind of problem.
    #[oai(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, to which thing.
    pub detail: String,
    /// The path that was called.
    pub instance: String,
    /// Stable machine-readable code.
    pub code: String,
    /// What the caller can do.
    pub remedy: String,
    /// The answer's `X-Request-Id`.
    pub request_id: String,
    /// The same call may succeed later.
    pub retryable: bool,
    /// The parameter or option at fault.
    pub param: Option<String>,
}
