//! What can be wrong with a link, in words.

use reqwest::StatusCode;

use crate::{Class, Error, Kind};

pub(super) fn invalid(why: &str) -> Error {
    Error::input(
        "link_invalid",
        format!("the link cannot be used: {why}"),
        "send a whole link that starts with https://",
    )
}

pub(super) fn forbidden(redirected: bool) -> Error {
    if redirected {
        redirect_forbidden("its address is private or reserved")
    } else {
        Error::input(
            "link_forbidden_address",
            "the link leads to a private or reserved address",
            "send a link that anyone on the internet can open, or upload the file",
        )
    }
}

pub(super) fn redirect_forbidden(why: &str) -> Error {
    Error::input(
        "link_redirects_to_forbidden",
        format!("the link redirects to a place that is not allowed: {why}"),
        "send the direct link to the file, or upload the file",
    )
}

pub(super) fn too_many_redirects() -> Error {
    Error::input(
        "link_too_many_redirects",
        format!("the link redirects more than {} times", super::MAX_REDIRECTS),
        "send the direct link to the file, or upload the file",
    )
}

/// The caller waits for the answer, so it is told at once instead of being retried behind its back.
pub(super) fn unreachable(error: &reqwest::Error) -> Error {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(inner) = deepest.source() {
        deepest = inner;
    }
    let why = if error.is_timeout() { "it took too long".to_owned() } else { deepest.to_string() };
    Error::new(
        Class::Temporary,
        Kind::Input,
        "link_unreachable",
        format!("the link could not be fetched: {why}"),
        "check that the link opens in a browser, or upload the file",
    )
    .with_source(error_text(error))
}

pub(super) fn no_certificates() -> Error {
    Error::new(
        Class::Temporary,
        Kind::Input,
        "link_unreachable",
        "the link could not be fetched: this server has no CA certificates to check https with",
        "install the package ca-certificates on the server and restart it, or upload the file",
    )
}

pub(super) fn status(status: StatusCode) -> Error {
    let class = if status.is_server_error() { Class::Temporary } else { Class::UserViolation };
    Error::new(
        class,
        Kind::Input,
        "link_status",
        format!("the link answered {}", status.as_u16()),
        "check that the link opens without signing in, or upload the file",
    )
}

pub(super) fn too_large(limit: u64) -> Error {
    Error::limit(
        "link_too_large",
        format!("the file behind the link is larger than {} MB", limit >> 20),
        "send a link to a smaller file",
    )
}

pub(super) fn is_a_page() -> Error {
    Error::input(
        "link_is_a_page",
        "the link leads to a web page, not to a model file",
        "send the direct download link of the file, or upload the file",
    )
}

/// The whole chain as one source; the request error itself cannot be cloned.
fn error_text(error: &reqwest::Error) -> std::io::Error {
    std::io::Error::other(error.to_string())
}
