//! Which failures are tried again, and when (`spec.md` §5): the policy as data.

use std::time::Duration;

use crate::{Class, Error};

/// Delays before the next attempts of one error class; as many attempts as delays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// For `temporary`.
    pub temporary: Vec<Duration>,
    /// For `rate_limit`.
    pub rate_limit: Vec<Duration>,
    /// For `unknown`.
    pub unknown: Vec<Duration>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let seconds = |list: [u64; 4]| list.map(Duration::from_secs).to_vec();
        Self {
            temporary: seconds([5, 10, 20, 40]),
            rate_limit: seconds([60, 120, 240, 240]),
            unknown: seconds([5, 10, 20, 40]),
        }
    }
}

/// Retries are spread by up to this part of their delay, so that tasks that failed together do not come
/// back together.
const JITTER: f64 = 0.1;

/// Whoever says "come back later" is believed up to this time.
const LONGEST: Duration = Duration::from_secs(3600);

impl RetryPolicy {
    /// How long to wait after `error`, when `failures` attempts had failed before it; `None` when it is final.
    ///
    /// `unit` is a random number in `0.0..1.0`.
    pub fn delay(&self, error: &Error, failures: u32, unit: f64) -> Option<Duration> {
        let delays = match error.class {
            Class::Temporary => &self.temporary,
            Class::RateLimit => &self.rate_limit,
            Class::Unknown => &self.unknown,
            Class::UserViolation | Class::Billing => return None,
        };
        let planned = *delays.get(usize::try_from(failures).unwrap_or(usize::MAX))?;
        let base = match error.class {
            Class::RateLimit => error.retry_after.unwrap_or(planned).min(LONGEST),
            _ => planned,
        };
        Some(base + base.mul_f64(JITTER * unit.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn error(class: Class) -> Error {
        Error::new(class, Kind::Internal, "x", "x", "x")
    }

    #[test]
    fn each_class_is_retried_as_the_specification_says() {
        let policy = RetryPolicy::default();
        let delays = |class| -> Vec<u64> {
            (0..9).map_while(|n| policy.delay(&error(class), n, 0.0)).map(|d| d.as_secs()).collect()
        };
        assert_eq!(delays(Class::Temporary), [5, 10, 20, 40]);
        assert_eq!(delays(Class::Unknown), [5, 10, 20, 40]);
        assert_eq!(delays(Class::RateLimit), [60, 120, 240, 240]);
        assert!(delays(Class::UserViolation).is_empty());
        assert!(delays(Class::Billing).is_empty());
    }

    #[test]
    fn a_rate_limit_waits_as_long_as_it_was_told() {
        let told = error(Class::RateLimit).with_retry_after(Duration::from_secs(7));
        assert_eq!(RetryPolicy::default().delay(&told, 0, 0.0), Some(Duration::from_secs(7)));
    }

    #[test]
    fn nobody_can_put_a_task_off_for_longer_than_an_hour() {
        let told = error(Class::RateLimit).with_retry_after(Duration::MAX);
        assert_eq!(RetryPolicy::default().delay(&told, 0, 1.0), Some(LONGEST + LONGEST / 10));
    }

    #[test]
    fn jitter_only_ever_adds_and_at_most_a_tenth() {
        let policy = RetryPolicy::default();
        let delay = |unit| policy.delay(&error(Class::Temporary), 3, unit).unwrap().as_secs_f64();
        assert!(delay(0.5) > 40.0 && delay(1.0) <= 44.0 + 1e-9);
    }
}
