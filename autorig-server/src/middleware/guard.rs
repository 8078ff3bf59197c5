//! Local mode trusts whoever can reach the loopback address, so it must be sure that the request comes from
//! there and from our own page:
//!
//! * the `Host` must be a loopback name, or a web page elsewhere could reach us by pointing its own name at
//!   127.0.0.1 (DNS rebinding);
//! * a request that changes something must not carry the `Origin` of another site.

use std::net::IpAddr;

use poem::{
    Request,
    http::{HeaderMap, Method, StatusCode, header},
};

use crate::problem::Problem;

/// Refuses a request that does not come from this machine's own pages and programs.
pub(crate) fn check(req: &Request) -> Result<(), Problem> {
    let host = host_of(req)?;
    if !is_loopback_name(name_of(&host)) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "host_not_allowed",
            "this server is local and was called by a name that is not",
            "call it as localhost or 127.0.0.1",
        ));
    }
    if is_safe(req.method()) || same_origin(req.headers(), &host) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "origin_not_allowed",
        "a page of another site asked this server to change something",
        "open this server's own page, or call it from a program without an Origin header",
    ))
}

fn host_of(req: &Request) -> Result<String, Problem> {
    let from_header = req.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    // HTTP/2 carries the name in the URI.
    let host = from_header.or_else(|| req.uri().authority().map(poem::http::uri::Authority::as_str));
    host.map(str::to_ascii_lowercase).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "host_missing",
            "the request has no readable Host header",
            "send a Host header",
        )
    })
}

/// The name without the port; an IPv6 address keeps its brackets off.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn is_loopback_name(name: &str) -> bool {
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn same_origin(headers: &HeaderMap, host: &str) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        // Programs send neither; a browser that hides the origin still says that the site is another.
        return headers
            .get("sec-fetch-site")
            .is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    };
    origin
        .to_str()
        .ok()
        .and_then(|origin| origin.strip_prefix("http://"))
        .is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, headers: &[(&str, &str)]) -> Request {
        headers
            .iter()
            .fold(Request::builder().method(method), |r, (name, value)| r.header(*name, *value))
            .finish()
    }

    fn code(method: Method, headers: &[(&str, &str)]) -> String {
        check(&request(method, headers)).map_or_else(|p| p.code, |()| "ok".to_owned())
    }

    #[test]
    fn loopback_names_pass_whatever_the_port() {
        for host in
            ["localhost", "127.0.0.1:7070", "[::1]:7070", "[::1]", "127.8.8.8", "ui.localhost:1", "LOCALHOST"]
        {
            assert_eq!(code(Method::GET, &[("host", host)]), "ok", "{host}");
        }
    }

    #[test]
    fn any_other_name_is_refused() {
        for host in
            ["example.com", "example.com:7070", "10.0.0.1", "localhost.example.com", "[2001:db8::1]:80", ""]
        {
            assert_eq!(code(Method::GET, &[("host", host)]), "host_not_allowed", "{host}");
        }
        assert_eq!(code(Method::GET, &[]), "host_missing");
    }

    #[test]
    fn another_site_may_not_change_anything() {
        let host = ("host", "127.0.0.1:7070");
        for origin in [
            "http://example.com",
            "http://127.0.0.1:9999",
            "https://127.0.0.1:7070",
            "null",
            "http://localhost:7070",
        ] {
            assert_eq!(code(Method::POST, &[host, ("origin", origin)]), "origin_not_allowed", "{origin}");
        }
        assert_eq!(code(Method::POST, &[host, ("sec-fetch-site", "cross-site")]), "origin_not_allowed");
        assert_eq!(code(Method::POST, &[host, ("origin", "http://127.0.0.1:7070")]), "ok");
        assert_eq!(code(Method::POST, &[host]), "ok");
        assert_eq!(code(Method::GET, &[host, ("origin", "http://example.com")]), "ok");
    }
}
