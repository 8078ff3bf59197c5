//! Several of a thing that can fail or run out, API keys or proxies: in turn, each with a rest after a failure and
//! a limit of its own, and a count of what it was used for (`spec.md` §6.3).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::clock::Time;

/// How members of a pool are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolRules {
    /// How long a member that failed is left alone.
    pub rest: Duration,
    /// Uses of one member within `window`; no limit when `None`.
    pub limit: Option<u32>,
    /// What `limit` counts.
    pub window: Duration,
}

impl Default for PoolRules {
    fn default() -> Self {
        Self { rest: Duration::from_secs(300), limit: None, window: Duration::from_secs(60) }
    }
}

/// What a member was used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How often it was taken.
    pub used: u64,
    /// How often it failed.
    pub failed: u64,
}

/// The members.
#[derive(Debug)]
pub struct Pool<T> {
    members: Vec<T>,
    rules: PoolRules,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: usize,
    members: Vec<MemberState>,
}

#[derive(Debug, Clone, Default)]
struct MemberState {
    usage: Usage,
    resting_until: Option<Time>,
    window_began: Option<Time>,
    in_window: u32,
}

/// A member in use.
#[derive(Debug)]
pub struct Taken<'a, T> {
    /// The member.
    pub member: &'a T,
    index: usize,
    pool: &'a Pool<T>,
}

impl<T> Pool<T> {
    /// A pool of these, used in this order.
    pub fn new(members: Vec<T>, rules: PoolRules) -> Self {
        let state = State { next: 0, members: vec![MemberState::default(); members.len()] };
        Self { members, rules, state: Mutex::new(state) }
    }

    /// How many members there are, resting ones included.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The next member that neither rests nor has reached its limit. `Err` says when there will be one; `None` in
    /// it that there is no member at all.
    ///
    /// # Errors
    /// The moment at which a member is free again.
    pub fn take(&self, now: Time) -> Result<Taken<'_, T>, Option<Time>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.members.len();
        let mut earliest: Option<Time> = None;
        for step in 0..count {
            let index = (state.next + step) % count;
            let (Some(member), Some(own)) = (self.members.get(index), state.members.get_mut(index)) else {
                continue;
            };
            match own.free_at(now, &self.rules) {
                None => {
                    own.count(now, &self.rules);
                    state.next = (index + 1) % count;
                    return Ok(Taken { member, index, pool: self });
                }
                Some(at) => earliest = Some(earliest.map_or(at, |known| known.min(at))),
            }
        }
        Err(earliest)
    }

    /// What each member was used for, in their order.
    pub fn usage(&self) -> Vec<Usage> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.members.iter().map(|member| member.usage).collect()
    }
}

impl MemberState {
    /// When it may be used again; `None` when now.
    fn free_at(&self, now: Time, rules: &PoolRules) -> Option<Time> {
        let rest = self.resting_until.filter(|until| now < *until);
        let full = rules.limit.is_some_and(|limit| self.in_window >= limit);
        let window = self.window_began.map(|began| began + rules.window).filter(|end| full && now < *end);
        rest.max(window)
    }

    fn count(&mut self, now: Time, rules: &PoolRules) {
        if self.window_began.is_none_or(|began| now >= began + rules.window) {
            self.window_began = Some(now);
            self.in_window = 0;
        }
        self.in_window = self.in_window.saturating_add(1);
        self.usage.used += 1;
    }
}

impl<T> Taken<'_, T> {
    /// It did not do what it should: it rests, as long as `told` says or as the pool's rules do.
    pub fn failed(&self, now: Time, told: Option<Duration>) {
        let mut state = self.pool.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = state.members.get_mut(self.index) {
            own.usage.failed += 1;
            own.resting_until = Some(now + told.unwrap_or(self.pool.rules.rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn at(seconds: i64) -> Time {
        DateTime::from_timestamp(1000, 0).unwrap() + TimeDelta::seconds(seconds)
    }

    fn pool(limit: Option<u32>) -> Pool<&'static str> {
        Pool::new(vec!["a", "b", "c"], PoolRules { limit, ..PoolRules::default() })
    }

    fn take(pool: &Pool<&'static str>, seconds: i64) -> &'static str {
        pool.take(at(seconds)).unwrap().member
    }

    #[test]
    fn members_take_turns() {
        let pool = pool(None);
        assert_eq!([0; 5].map(|now| take(&pool, now)), ["a", "b", "c", "a", "b"]);
        assert_eq!(pool.usage().iter().map(|usage| usage.used).collect::<Vec<_>>(), [2, 2, 1]);
    }

    #[test]
    fn one_that_failed_rests_for_five_minutes() {
        let pool = pool(None);
        pool.take(at(0)).unwrap().failed(at(0), None);
        assert_eq!([1, 2, 3, 4].map(|now| take(&pool, now)), ["b", "c", "b", "c"]);
        assert_eq!([299, 299, 300].map(|now| take(&pool, now)), ["b", "c", "a"]);
        assert_eq!(pool.usage()[0].failed, 1);
    }

    #[test]
    fn a_told_rest_counts_instead() {
        let pool = Pool::new(vec!["a"], PoolRules::default());
        pool.take(at(0)).unwrap().failed(at(0), Some(Duration::from_secs(7)));
        assert_eq!(pool.take(at(6)).unwrap_err(), Some(at(7)));
        assert_eq!(take(&pool, 7), "a");
    }

    #[test]
    fn the_limit_of_each_is_kept_and_the_next_free_moment_told() {
        let pool = pool(Some(1));
        assert_eq!([0, 1, 2].map(|now| take(&pool, now)), ["a", "b", "c"]);
        assert_eq!(pool.take(at(3)).unwrap_err(), Some(at(60)));
        assert_eq!(take(&pool, 60), "a");
        assert_eq!(pool.take(at(60)).unwrap_err(), Some(at(61)));
    }

    #[test]
    fn an_empty_pool_has_nothing_to_wait_for() {
        let pool: Pool<&str> = Pool::new(Vec::new(), PoolRules::default());
        assert_eq!(pool.take(at(0)).unwrap_err(), None);
    }
}
