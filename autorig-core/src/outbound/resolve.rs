//! Name resolution that drops forbidden addresses, so nothing can be rebound between check and connect.

use std::{
    error::Error as StdError,
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::Allow;

/// Asks the system, passes on only what may be connected to.
#[derive(Debug)]
pub(super) struct Guarded {
    allow: Arc<Allow>,
}

impl Guarded {
    pub(super) fn new(allow: Arc<Allow>) -> Self {
        Self { allow }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = self.allow.clone();
        Box::pin(async move {
            let found = addresses(name.as_str()).await?;
            let fine: Vec<SocketAddr> =
                found.into_iter().filter(|address| allow.permits(address.ip())).collect();
            if fine.is_empty() {
                return Err(Refusal.into());
            }
            Ok(Box::new(fine.into_iter()) as Addrs)
        })
    }
}

/// What a name stands for. `localhost` is loopback by definition (RFC 6761 §6.3), also on a system that has no entry for it.
async fn addresses(name: &str) -> io::Result<Vec<SocketAddr>> {
    let bare = name.trim_end_matches('.').to_ascii_lowercase();
    if bare == "localhost" || bare.ends_with(".localhost") {
        return Ok(vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]);
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// Every address of a name is forbidden.
#[derive(Debug)]
struct Refusal;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to forbidden addresses only")
    }
}

impl StdError for Refusal {}

/// True when a request failed because of [`Guarded`].
pub(super) fn is_refusal(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<Refusal>() {
            return true;
        }
        cause = inner.source();
    }
    false
}
