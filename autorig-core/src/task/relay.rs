//! Nodes that share a store: each calls out what has changed, hears the others, and looks by itself every
//! second or two in case it has missed something.
//!
//! A call is a hint and nothing more. What is called out within [`DEBOUNCE`] goes in one: PostgreSQL's `NOTIFY` holds
//! a lock of the whole server at commit, so its number must not grow with the number of tasks.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream::BoxStream};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{events::Untold, model::TaskId, service::Inner};
use crate::{Result, store::NodeReport, worker::Places};

/// Calls of one node are at least so far apart.
const DEBOUNCE: Duration = Duration::from_millis(20);
/// A node looks by itself after this time, and up to as long again.
const POLL: Duration = Duration::from_secs(1);
/// A node says how it is this often…
const REPORT: Duration = Duration::from_secs(5);
/// …and counts as gone after this time.
const GONE: Duration = Duration::from_secs(20);
/// Most tasks named in one call; a payload has at most 8000 bytes.
const MOST_NAMED: usize = 150;

/// What one node calls out to the others.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Call {
    /// Who calls.
    node: String,
    /// A task waits for a worker.
    waiting: bool,
    /// These have changed; `None` for too many to name.
    tasks: Option<HashSet<TaskId>>,
}

/// Calls out and listens for one node.
pub(crate) struct Relay {
    pub(crate) inner: Arc<Inner>,
}

impl Relay {
    /// Works until `stop` fires; ends at once where there are no other nodes.
    pub(crate) async fn run(self, stop: CancellationToken) {
        if !self.inner.store.is_shared() {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.tell() => {}
            () = self.hear() => {}
            () = self.look() => {}
            () = self.report() => {}
        }
        if let Err(error) = self.inner.store.remove_node(&self.inner.node).await {
            tracing::debug!(%error, "this node could not sign off; the others will notice");
        }
    }

    /// Calls out what has changed here.
    async fn tell(&self) {
        loop {
            let Untold { waiting, tasks } = self.inner.hub.untold().await;
            let tasks = (tasks.len() <= MOST_NAMED).then_some(tasks);
            let call = Call { node: self.inner.node.clone(), waiting, tasks };
            let told = match serde_json::to_string(&call) {
                Ok(words) => self.inner.store.call_out(&words).await,
                Err(error) => Err(crate::Error::internal(format!("calling out: {error}"))),
            };
            if let Err(error) = told {
                tracing::debug!(%error, "other nodes were not told; they look by themselves");
            }
            self.inner.clock.sleep(DEBOUNCE).await;
        }
    }

    /// Hears what other nodes call out.
    async fn hear(&self) {
        loop {
            match self.inner.store.hear().await {
                Ok(calls) => self.hear_from(calls).await,
                Err(error) => tracing::debug!(%error, "other nodes cannot be heard"),
            }
            self.inner.clock.sleep(self.pause()).await;
        }
    }

    async fn hear_from(&self, mut calls: BoxStream<'static, Option<String>>) {
        while let Some(said) = calls.next().await {
            // Something of another version says something: looking again is never wrong.
            let call = said.and_then(|words| serde_json::from_str(&words).ok());
            let call = call.unwrap_or_else(|| Call { node: String::new(), waiting: true, tasks: None });
            if call.node == self.inner.node {
                continue;
            }
            if call.waiting {
                self.inner.wake.here();
                self.inner.hub.queue_moved();
            }
            match call.tasks {
                Some(tasks) => {
                    let ours = self.inner.running_tasks().iter().any(|(id, _)| tasks.contains(id));
                    tasks.into_iter().for_each(|id| self.inner.hub.ring(id));
                    if ours {
                        self.stop_what_is_lost().await;
                    }
                }
                None => {
                    self.inner.hub.ring_all();
                    self.stop_what_is_lost().await;
                }
            }
        }
    }

    /// Looks by itself, for what was not called out or not heard.
    async fn look(&self) {
        loop {
            self.inner.clock.sleep(self.pause()).await;
            self.inner.wake.here();
            self.stop_what_is_lost().await;
        }
    }

    /// Stops attempts of this node whose tasks were cancelled, restarted or removed elsewhere.
    async fn stop_what_is_lost(&self) {
        // First those that run, then the store: every one of them was claimed before it is asked.
        let running = self.inner.running_tasks();
        if running.is_empty() {
            return;
        }
        match self.inner.store.held_by(&self.inner.node).await {
            Ok(held) => {
                let held: HashSet<_> = held.iter().map(|task| (task.id, task.attempt)).collect();
                running.difference(&held).for_each(|attempt| self.inner.stop_running(*attempt));
            }
            Err(error) => tracing::debug!(%error, "whether tasks are still ours could not be asked"),
        }
    }

    /// Says how this node is.
    async fn report(&self) {
        let mut slots = self.inner.slots.subscribe();
        loop {
            if let Err(error) = self.say_how_it_is().await {
                tracing::debug!(%error, "this node could not report itself");
            }
            slots.mark_unchanged();
            tokio::select! {
                () = self.inner.clock.sleep(REPORT) => {}
                _ = slots.changed() => self.inner.clock.sleep(POLL).await,
            }
        }
    }

    async fn say_how_it_is(&self) -> Result<()> {
        let now = self.inner.clock.now();
        let places = self.inner.slots.borrow().clone();
        let count = |places: usize| u32::try_from(places).unwrap_or(u32::MAX);
        let report = NodeReport {
            node: self.inner.node.clone(),
            slots: count(places.iter().map(|worker| worker.total).sum()),
            slots_free: count(places.iter().map(|worker| worker.free).sum()),
            at: now,
        };
        self.inner.store.report_node(&report, now - GONE * 3).await
    }

    fn pause(&self) -> Duration {
        POLL + POLL.mul_f64(self.inner.ids.unit())
    }
}

impl Inner {
    /// What the other nodes have last said of themselves.
    pub(super) async fn places_of_others(&self) -> Result<Vec<Places>> {
        let nodes = self.store.nodes(self.clock.now() - GONE).await?;
        let others = nodes.iter().filter(|other| other.node != self.node && other.slots > 0);
        let places = others.map(|other| Places {
            online: true,
            free: other.slots_free as usize,
            total: other.slots as usize,
        });
        Ok(places.collect())
    }

    /// Attempts of this process.
    fn running_tasks(&self) -> HashSet<(TaskId, u32)> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn stop_running(&self, attempt: (TaskId, u32)) {
        if let Some(running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(&attempt) {
            running.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_call_fits_into_a_notification() {
        let tasks = (0..MOST_NAMED).map(|n| TaskId(uuid::Uuid::from_u128(u128::MAX - n as u128)));
        let call = Call { node: "n".repeat(200), waiting: false, tasks: Some(tasks.collect()) };
        let words = serde_json::to_string(&call).unwrap();
        assert!(words.len() < 8000, "{}", words.len());
        assert_eq!(serde_json::from_str::<Call>(&words).unwrap(), call);
    }
}
