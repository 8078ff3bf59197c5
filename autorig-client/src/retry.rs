//! What is tried again, and when.

use std::time::Duration;

use reqwest::{Response, header::RETRY_AFTER};

/// How often a call is tried, and how long is waited in between.
///
/// Tried again: no connection, a connection that broke, and the statuses 408, 425, 429, 502, 503, 504.
/// A `Retry-After` of the server is obeyed up to [`RetryPolicy::longest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all; 1 means none is repeated.
    pub attempts: u32,
    /// Before the second try; doubled before each further one.
    pub first: Duration,
    /// Never longer than this.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 5, first: Duration::from_millis(250), longest: Duration::from_secs(30) }
    }
}

impl RetryPolicy {
    /// Nothing is tried again.
    pub const NEVER: Self = Self { attempts: 1, first: Duration::ZERO, longest: Duration::ZERO };

    /// How long to wait after try number `attempt` (from 1), or `None` when it was the last.
    pub fn delay(&self, attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(20));
        Some(retry_after.unwrap_or(doubled).min(self.longest))
    }
}

/// Statuses that say "later", not "no".
pub(crate) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 502..=504)
}

/// The seconds of `Retry-After`; its date form is not used by our servers.
pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_limit_and_ends_with_the_attempts() {
        let policy =
            RetryPolicy { attempts: 5, first: Duration::from_secs(1), longest: Duration::from_secs(3) };
        let seconds: Vec<_> = (1..=5).map(|n| policy.delay(n, None).map(|d| d.as_secs())).collect();
        assert_eq!(seconds, [Some(1), Some(2), Some(3), Some(3), None]);
        assert_eq!(RetryPolicy::NEVER.delay(1, None), None);
    }

    #[test]
    fn the_servers_wish_counts_within_the_limit() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(1, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(policy.delay(1, Some(Duration::from_secs(9999))), Some(policy.longest));
    }
}
