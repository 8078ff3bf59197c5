//! Following a task: its events as they are kept, then those to come.

use tokio::sync::watch;

use super::{
    model::{EventKind, Task, TaskEvent, TaskId, TaskStatus},
    service::{POLL, TaskService},
};
use crate::{Error, Result};

/// Most events read at once.
const EVENT_BATCH: u32 = 200;

/// One listener of [`TaskService::events`].
pub(super) struct Listening {
    service: TaskService,
    id: TaskId,
    after: u64,
    bell: watch::Receiver<u64>,
    queue: watch::Receiver<u64>,
    waiting: std::vec::IntoIter<TaskEvent>,
    /// The queue position last told.
    position: Option<u64>,
    over: bool,
}

impl Listening {
    pub(super) fn new(service: TaskService, id: TaskId, after: u64) -> Self {
        let hub = &service.inner.hub;
        let (bell, queue) = (hub.listen(id), hub.listen_to_queue());
        let waiting = Vec::new().into_iter();
        Self { service, id, after, bell, queue, waiting, position: None, over: false }
    }

    pub(super) async fn next(&mut self) -> Option<Result<TaskEvent>> {
        if self.over {
            return None;
        }
        loop {
            match self.step().await {
                Ok(Step::Tell(event)) => {
                    self.after = self.after.max(event.id);
                    if event.kind.is_terminal() {
                        match self.is_last(event.id).await {
                            Ok(true) => self.over = true,
                            // It was restarted since: this end was none.
                            Ok(false) => continue,
                            Err(error) => return self.broken(error),
                        }
                    }
                    return Some(Ok(event));
                }
                Ok(Step::Again) => {}
                Ok(Step::Over) => return None,
                Err(error) => return self.broken(error),
            }
        }
    }

    fn broken(&mut self, error: Error) -> Option<Result<TaskEvent>> {
        self.over = true;
        Some(Err(error))
    }

    /// True when nothing has happened to the task after this event.
    async fn is_last(&self, event: u64) -> Result<bool> {
        Ok(self.service.get(self.id).await?.is_none_or(|task| task.version <= event))
    }

    async fn step(&mut self) -> Result<Step> {
        if let Some(mut event) = self.waiting.next() {
            if let EventKind::Queued { position, .. } = &mut event.kind {
                *position = self.service.queue_position(self.id).await?.map(|queue| queue.position);
                self.position = *position;
            }
            return Ok(Step::Tell(event));
        }
        let inner = self.service.inner.clone();
        self.bell.mark_unchanged();
        self.queue.mark_unchanged();
        let events = inner.store.events(self.id, self.after, EVENT_BATCH).await?;
        if !events.is_empty() {
            self.waiting = events.into_iter();
            return Ok(Step::Again);
        }
        let Some(task) = self.service.get(self.id).await? else { return Ok(Step::Over) };
        if task.version > self.after {
            return Ok(Step::Again);
        }
        if task.status.is_terminal() {
            return Ok(Step::Over);
        }
        if let Some(event) = self.moved_up(&task).await? {
            return Ok(Step::Tell(event));
        }
        tokio::select! {
            _ = self.bell.changed() => {}
            _ = self.queue.changed(), if task.status == TaskStatus::Created => {}
            () = inner.clock.sleep(POLL) => {}
        }
        Ok(Step::Again)
    }

    /// A waiting task whose position has changed says so, under the id of its last event.
    async fn moved_up(&mut self, task: &Task) -> Result<Option<TaskEvent>> {
        if task.status != TaskStatus::Created {
            return Ok(None);
        }
        let position = self.service.queue_position(self.id).await?.map(|queue| queue.position);
        if position.is_none() || position == self.position {
            return Ok(None);
        }
        self.position = position;
        let kind = EventKind::Queued { position, next_attempt_at: task.next_attempt_at };
        Ok(Some(TaskEvent { id: task.version, at: self.service.inner.clock.now(), kind }))
    }
}

enum Step {
    Tell(TaskEvent),
    Again,
    Over,
}
