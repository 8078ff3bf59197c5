//! Time, ids and randomness, as things that are passed in.
//!
//! The rest of the core never asks the system: a test hands in a [`ManualClock`] and [`SequentialIds`], and
//! a retry in forty seconds is tested in none.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use uuid::Uuid;

/// A moment in UTC, exact to the microsecond as stores keep it.
pub type Time = DateTime<Utc>;

/// Tells the time and waits.
pub trait Clock: Send + Sync + 'static {
    /// The time now, UTC.
    fn now(&self) -> Time;

    /// Completes at a moment, at once when it has passed.
    fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()>;

    /// Completes when `duration` of this clock's time has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep_until(self.now() + duration)
    }
}

/// Makes ids and the randomness that spreads retries.
pub trait Ids: Send + Sync + 'static {
    /// A fresh id; ids made later sort later.
    fn id(&self) -> Uuid;

    /// A number in `0.0..1.0`.
    fn unit(&self) -> f64 {
        // The low 52 bits of a version 7 id are random.
        let bits = self.id().as_u128() & ((1 << 52) - 1);
        bits as f64 / (1_u64 << 52) as f64
    }

    /// 256 bits that nobody can guess: what keys and sessions are made of.
    fn secret(&self) -> [u8; 32];
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place where the core asks the system for the time")]
    fn now(&self) -> Time {
        truncate(Utc::now())
    }

    fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()> {
        self.sleep((at - self.now()).to_std().unwrap_or_default())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// UUID version 7.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[allow(clippy::disallowed_methods, reason = "the one place where the core makes ids")]
    fn id(&self) -> Uuid {
        Uuid::now_v7()
    }

    /// A machine without randomness must not hand out keys: this panics there, as [`Ids::id`] does.
    fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the system has randomness");
        bytes
    }
}

/// A clock that stands still until it is moved; sleepers wake when it passes their time.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<Manual>,
}

#[derive(Debug)]
struct Manual {
    now: Time,
    sleepers: Vec<(Time, oneshot::Sender<()>)>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Time) -> Self {
        Self { state: Mutex::new(Manual { now: truncate(now), sleepers: Vec::new() }) }
    }

    /// Moves the clock forward and wakes whoever waited for it.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now += by;
        let now = state.now;
        let (due, later) = std::mem::take(&mut state.sleepers).into_iter().partition(|(at, _)| *at <= now);
        state.sleepers = later;
        drop(state);
        let due: Vec<(Time, oneshot::Sender<()>)> = due;
        for (_, sleeper) in due {
            // A sleeper that was dropped meanwhile needs no waking.
            let _ = sleeper.send(());
        }
    }

    /// How many sleeps are waiting, so that a test knows when to move on.
    pub fn sleepers(&self) -> usize {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.sleepers.retain(|(_, sleeper)| !sleeper.is_closed());
        state.sleepers.len()
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new(DateTime::from_timestamp_nanos(1_700_000_000_000_000_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if at > state.now {
            state.sleepers.push((at, sender));
        }
        drop(state);
        Box::pin(async move {
            // An error means that the clock is gone or the moment has passed: nothing to wait for.
            let _ = receiver.await;
        })
    }
}

/// Ids that count up, for tests whose output must be the same each time.
#[derive(Debug, Default)]
pub struct SequentialIds {
    next: AtomicU64,
}

impl Ids for SequentialIds {
    fn id(&self) -> Uuid {
        let n = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | n)
    }

    fn unit(&self) -> f64 {
        0.5
    }

    fn secret(&self) -> [u8; 32] {
        Sha256::digest(self.id().as_bytes()).into()
    }
}

/// Cuts a time to whole microseconds, which is what stores keep.
fn truncate(time: Time) -> Time {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_only_those_whose_time_has_come() {
        let clock = ManualClock::default();
        let early = clock.sleep(Duration::from_secs(5));
        let mut late = clock.sleep(Duration::from_secs(50));
        assert_eq!(clock.sleepers(), 2);
        clock.advance(Duration::from_secs(5));
        early.await;
        assert!(futures_util::poll!(&mut late).is_pending());
        clock.advance(Duration::from_secs(45));
        late.await;
    }

    #[test]
    fn system_ids_grow_and_their_units_are_fractions() {
        let (first, second) = (SystemIds.id(), SystemIds.id());
        assert!(first < second);
        assert!((0.0..1.0).contains(&SystemIds.unit()));
    }
}
