//! Tasks that failed for good through no fault of their senders: an admin looks into them and replays them.

use super::{
    model::{Page, Task, TaskId},
    service::{MAX_PAGE, TaskService, read_cursor, write_cursor},
};
use crate::{Error, Result};

impl TaskService {
    /// Tasks whose retries are used up, or whose failure is never retried, latest first.
    ///
    /// # Errors
    /// `invalid_cursor`, `store_unavailable`.
    pub async fn dead_letters(&self, cursor: Option<&str>, limit: u32) -> Result<Page<Task>> {
        let before = cursor.map(read_cursor).transpose()?;
        let limit = limit.clamp(1, MAX_PAGE);
        let mut items = self.inner.store.dead_letters(before, limit + 1).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let last = items.last().filter(|_| more);
        let next = last.map(|task| write_cursor(task.finished_at.unwrap_or(task.created_at), task.id));
        Ok(Page { items, next })
    }

    /// Begins a dead letter anew, with all its retries. `None` when there is no such task.
    ///
    /// # Errors
    /// `task_not_restartable` when it is none, or no longer; `input_gone`, `store_unavailable`.
    pub async fn replay(&self, id: TaskId) -> Result<Option<Task>> {
        match self.get(id).await? {
            None => Ok(None),
            Some(task) if task.is_dead_letter() => self.restart(id, true).await,
            Some(task) => Err(Error::conflict(
                "task_not_restartable",
                format!("the task is `{}` and no dead letter", task.status),
                "look at the list of dead letters; whoever sent the task may restart it himself",
            )),
        }
    }
}
