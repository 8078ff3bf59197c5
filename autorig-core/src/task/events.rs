//! How a listener hears of a change at once: a bell per task, rung after a commit.
//!
//! The bell only says "look again"; what happened is read from the store, so a listener that was away, or
//! whose bell rang on another machine, misses nothing. Where nodes share a store, what rings here is also kept
//! for [`super::relay`], which calls it out to the others.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Notify, watch};

use super::model::TaskId;

/// The bells.
#[derive(Debug)]
pub(crate) struct Hub {
    tasks: Mutex<HashMap<TaskId, watch::Sender<u64>>>,
    queue: watch::Sender<u64>,
    /// What other nodes have not been told yet; `None` where there are none.
    untold: Option<Mutex<Untold>>,
    /// Rung when there is something to tell.
    news: Notify,
}

/// What other nodes are to be told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Untold {
    /// A task waits for a worker.
    pub(crate) waiting: bool,
    /// These have changed.
    pub(crate) tasks: HashSet<TaskId>,
}

impl Hub {
    /// Bells of a node, which is alone with its store or shares it.
    pub(crate) fn new(shared: bool) -> Arc<Self> {
        Arc::new(Self {
            tasks: Mutex::default(),
            queue: watch::Sender::new(0),
            untold: shared.then(Mutex::default),
            news: Notify::new(),
        })
    }

    /// A bell that rings when this task changes. Take it before reading the task, or a change is missed.
    pub(crate) fn listen(&self, id: TaskId) -> watch::Receiver<u64> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Bells nobody holds are taken down whenever one is put up, so the map never outgrows the listeners.
        tasks.retain(|other, bell| *other == id || bell.receiver_count() > 0);
        tasks.entry(id).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// A bell that rings when the queue moves.
    pub(crate) fn listen_to_queue(&self) -> watch::Receiver<u64> {
        self.queue.subscribe()
    }

    /// Rings for a task, here and on other nodes.
    pub(crate) fn changed(&self, id: TaskId) {
        self.ring(id);
        self.tell(|untold| {
            untold.tasks.insert(id);
        });
    }

    /// Rings for everyone here who waits.
    pub(crate) fn queue_moved(&self) {
        self.queue.send_modify(|count| *count += 1);
    }

    /// Rings for a task on this node.
    pub(super) fn ring(&self, id: TaskId) {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = tasks.get(&id) {
            bell.send_modify(|count| *count += 1);
        }
    }

    /// Rings every bell of this node.
    pub(super) fn ring_all(&self) {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.values().for_each(|bell| bell.send_modify(|count| *count += 1));
    }

    /// What there is to tell other nodes, as soon as there is something.
    pub(super) async fn untold(&self) -> Untold {
        loop {
            self.news.notified().await;
            let Some(untold) = &self.untold else { continue };
            let untold = std::mem::take(&mut *untold.lock().unwrap_or_else(PoisonError::into_inner));
            if untold != Untold::default() {
                return untold;
            }
        }
    }

    fn tell(&self, what: impl FnOnce(&mut Untold)) {
        if let Some(untold) = &self.untold {
            what(&mut untold.lock().unwrap_or_else(PoisonError::into_inner));
            self.news.notify_one();
        }
    }
}

/// What a dispatcher sleeps on.
#[derive(Debug)]
pub(crate) struct Wake {
    bell: Notify,
    hub: Arc<Hub>,
}

impl Wake {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { bell: Notify::new(), hub }
    }

    /// A task waits to be handed out: wakes the dispatcher of this node and those of the others.
    pub(crate) fn notify_one(&self) {
        self.bell.notify_one();
        self.hub.tell(|untold| untold.waiting = true);
    }

    /// Wakes the dispatcher of this node.
    pub(super) fn here(&self) {
        self.bell.notify_one();
    }

    pub(super) async fn notified(&self) {
        self.bell.notified().await;
    }
}
