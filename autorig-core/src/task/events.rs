//! How a listener hears of a change at once: a bell per task, rung after a commit.
//!
//! The bell only says "look again"; what happened is read from the store, so a listener that was away, or
//! whose bell rang on another machine, misses nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::model::TaskId;

/// The bells.
#[derive(Debug)]
pub(crate) struct Hub {
    tasks: Mutex<HashMap<TaskId, watch::Sender<u64>>>,
    queue: watch::Sender<u64>,
}

impl Hub {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { tasks: Mutex::default(), queue: watch::Sender::new(0) })
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

    /// Rings for a task.
    pub(crate) fn changed(&self, id: TaskId) {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = tasks.get(&id) {
            bell.send_modify(|count| *count += 1);
        }
    }

    /// Rings for everyone who waits.
    pub(crate) fn queue_moved(&self) {
        self.queue.send_modify(|count| *count += 1);
    }
}
