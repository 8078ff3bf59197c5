//! A site: a server with an address that the world knows it by.

use std::net::IpAddr;

use poem::http::{HeaderMap, header};

/// The public address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    /// `https://rig.example.org`, as browsers write an origin.
    pub(crate) origin: String,
}

impl Site {
    /// The site of an address, `http` or `https` with a host and nothing behind it.
    pub(crate) fn of(public_url: &str) -> Option<Self> {
        autorig_core::config::origin(public_url).map(|origin| Self { origin })
    }

    /// True when browsers reach it by https.
    pub(crate) fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// True when a request comes from a page of this site, or of the same server by its loopback name: where its
    /// operator opens the admin link before anybody else can reach it.
    pub(crate) fn is_own_page(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        match text(header::ORIGIN) {
            Some(origin) => {
                let origin = origin.to_ascii_lowercase();
                let local = text(header::HOST)
                    .filter(|host| is_loopback_host(host))
                    .is_some_and(|host| origin == format!("http://{}", host.to_ascii_lowercase()));
                origin == self.origin || local
            }
            // Browsers of the last years that send no Origin say at least this; who says neither is no browser.
            None => text(header::HeaderName::from_static("sec-fetch-site")) == Some("same-origin"),
        }
    }
}

/// True for a `Host` that leads to this machine only.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn own(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)));
        Site::of("https://rig.example.org").unwrap().is_own_page(&headers.collect())
    }

    #[test]
    fn only_a_page_of_the_site_may_use_its_cookie() {
        assert!(own(&[("origin", "https://rig.example.org")]));
        assert!(own(&[("origin", "http://127.0.0.1:7070"), ("host", "127.0.0.1:7070")]));
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        for wrong in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "http://rig.example.org")],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:9"), ("host", "127.0.0.1:7070")],
            &[("origin", "http://evil.example"), ("host", "evil.example")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
            &[],
        ] {
            assert!(!own(wrong), "{wrong:?}");
        }
    }
}
