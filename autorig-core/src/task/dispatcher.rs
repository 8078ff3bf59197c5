//! What happens by itself: tasks are handed to workers, leases are kept alive or taken back.
//!
//! Woken by a new task, a freed slot, a due retry or the end of a lease; a sweep every
//! [`DispatcherSettings::interval`] is only the safety net.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    attempt::Attempt,
    hold::Hold,
    lifecycle::Event,
    model::{Task, TaskError},
    retry::RetryPolicy,
    service::Inner,
};
use crate::{
    Error, Result,
    clock::Time,
    store::Claim,
    worker::{Places, Worker},
};

/// How the dispatcher behaves.
#[derive(Debug, Clone)]
pub(crate) struct DispatcherSettings {
    pub(crate) interval: Duration,
    pub(crate) lease: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) retry: RetryPolicy,
    /// Most tasks of one owner in work.
    pub(crate) per_owner: Option<u32>,
}

pub(crate) struct Dispatcher {
    pub(crate) inner: Arc<Inner>,
    pub(crate) workers: Vec<Arc<dyn Worker>>,
}

/// When the store fails, it is asked again after this time.
const STORE_PAUSE: Duration = Duration::from_secs(1);

impl Dispatcher {
    /// Takes back what a former run of this node held, before anything is handed out.
    pub(crate) async fn recover(&self) -> Result<()> {
        let calls = self.inner.store.abandon_calls_of(&self.inner.node).await?;
        let held = self.inner.store.held_by(&self.inner.node).await?;
        if calls > 0 || !held.is_empty() {
            tracing::info!(tasks = held.len(), calls, "taking back what the last run left unfinished");
        }
        for task in held {
            self.take_back(&task, "the server was stopped while the task was processed").await?;
        }
        Ok(())
    }

    /// Hands out tasks until `stop` fires, then waits for the attempts; `abort` ends them early.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken, abort: CancellationToken) {
        let mut attempts: JoinSet<usize> = JoinSet::new();
        let mut busy = vec![0_usize; self.workers.len()];
        loop {
            let next = match self.round(&mut attempts, &mut busy, &abort).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "the dispatcher could not use the store");
                    self.inner.clock.now() + STORE_PAUSE
                }
            };
            self.publish(&busy);
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.inner.wake.notified() => {}
                () = self.inner.clock.sleep_until(next) => {}
                Some(ended) = attempts.join_next() => free(&mut busy, ended),
            }
        }
        while let Some(ended) = attempts.join_next().await {
            free(&mut busy, ended);
            self.publish(&busy);
        }
    }

    /// One look at everything; answers when to look again.
    async fn round(
        self: &Arc<Self>,
        attempts: &mut JoinSet<usize>,
        busy: &mut [usize],
        abort: &CancellationToken,
    ) -> Result<Time> {
        let now = self.inner.clock.now();
        for task in self.inner.store.expired(now).await? {
            tracing::warn!(task = %task.id, attempt = task.attempt, "the lease ended without a sign of life");
            self.take_back(&task, "the worker gave no sign of life").await?;
        }
        for (index, worker) in self.workers.iter().enumerate() {
            let Some(taken) = busy.get_mut(index) else { continue };
            let free = worker.slots().saturating_sub(*taken);
            if free == 0 {
                continue;
            }
            let tasks = self.claim(worker.as_ref(), free).await?;
            *taken += tasks.len();
            for task in tasks {
                attempts.spawn(self.clone().attempt(index, task, worker.clone(), abort.child_token()));
            }
        }
        let now = self.inner.clock.now();
        let due = self.inner.store.next_due(now).await?;
        let sweep = now + self.inner.settings.interval;
        Ok(due.map_or(sweep, |due| due.min(sweep)))
    }

    async fn claim(&self, worker: &dyn Worker, free: usize) -> Result<Vec<Task>> {
        let now = self.inner.clock.now();
        let claim = Claim {
            node: self.inner.node.clone(),
            kinds: worker.kinds(),
            limit: u32::try_from(free).unwrap_or(u32::MAX),
            per_owner: self.inner.settings.per_owner,
            now,
            lease_until: now + self.inner.settings.lease,
        };
        let tasks = self.inner.store.claim(&claim).await?;
        for task in &tasks {
            self.inner.hub.changed(task.id);
        }
        if !tasks.is_empty() {
            self.inner.hub.queue_moved();
        }
        Ok(tasks)
    }

    async fn attempt(
        self: Arc<Self>,
        index: usize,
        task: Task,
        worker: Arc<dyn Worker>,
        abort: CancellationToken,
    ) -> usize {
        let held = (task.id, task.attempt);
        let cancel = CancellationToken::new();
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).insert(held, cancel.clone());
        let hold = Hold { inner: self.inner.clone(), task, worker: worker.name().to_owned() };
        Attempt { hold, worker, cancel, abort }.run().await;
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&held);
        index
    }

    /// Ends an attempt whose worker is gone: another follows at once, unless too many have failed.
    async fn take_back(&self, task: &Task, why: &str) -> Result<()> {
        let error = lost(why);
        let attempt = task.attempt;
        let event = match self.inner.settings.retry.delay(&error, task.failures, 0.0) {
            Some(_) => Event::Retry { attempt, error: TaskError::from(&error), at: self.inner.clock.now() },
            None => Event::Fail { attempt, error: TaskError::from(&error) },
        };
        self.inner.apply(task.id, &event).await?;
        if let Err(error) = self.inner.tidy(task.id, attempt).await {
            tracing::warn!(%error, task = %task.id, "files of a lost attempt could not be removed");
        }
        Ok(())
    }

    fn publish(&self, busy: &[usize]) {
        let places = self.workers.iter().zip(busy).flat_map(|(worker, taken)| {
            let total = worker.slots();
            let own = || vec![Places { online: true, free: total.saturating_sub(*taken), total }];
            worker.machines().unwrap_or_else(own)
        });
        self.inner.slots.send_replace(places.collect());
    }
}

fn free(busy: &mut [usize], ended: Result<usize, tokio::task::JoinError>) {
    match ended {
        Ok(index) => {
            if let Some(taken) = busy.get_mut(index) {
                *taken = taken.saturating_sub(1);
            }
        }
        // An attempt catches its worker's panics, so this is a defect of the core itself; the lease will end.
        Err(error) => tracing::error!(%error, "an attempt ended without a result"),
    }
}

fn lost(why: &str) -> Error {
    Error::temporary("worker_lost", why, "it is tried again by itself; if it fails again, create a new task")
}
