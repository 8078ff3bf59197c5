//! What a holder of a lease may do to its task: one set of writes for workers of this process
//! ([`super::attempt`]) and for those that lease over the network ([`super::leases`]).
//!
//! Every write names the attempt, so that one who has lost the lease can no longer change anything.

use std::sync::Arc;

use super::{
    kind::Deliverable,
    lifecycle::Event,
    model::{Stage, Task, TaskError, TaskFile, TaskId},
    service::Inner,
};
use crate::{Class, Error, Result, blob::ByteStream, store::Applied};

/// Largest file a worker may make.
const MAX_RESULT: u64 = 4 << 30;

/// One attempt's hold on its task.
#[derive(Clone)]
pub(super) struct Hold {
    pub(super) inner: Arc<Inner>,
    /// The task as it was claimed.
    pub(super) task: Task,
    /// Who works on it, for messages.
    pub(super) worker: String,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It is kept, and the lease with it.
    Yes,
    /// Another attempt has the task, or nobody.
    Lost,
}

impl From<Applied> for Held {
    fn from(applied: Applied) -> Self {
        match applied {
            Applied::Done(_) => Self::Yes,
            Applied::Refused(_) | Applied::Missing => Self::Lost,
        }
    }
}

impl Hold {
    fn id(&self) -> TaskId {
        self.task.id
    }

    fn attempt(&self) -> u32 {
        self.task.attempt
    }

    /// What a worker needs beside the task: what was kept for it, and the files to make.
    pub(super) async fn begin(&self) -> Result<(Option<serde_json::Value>, Vec<Deliverable>)> {
        let checkpoint = self.inner.store.checkpoint(self.id()).await?;
        Ok((checkpoint, self.inner.kind(&self.task.kind)?.deliverables(&self.task.params)))
    }

    /// Extends the lease.
    pub(super) async fn renew(&self) -> Result<Held> {
        let until = self.inner.clock.now() + self.inner.settings.lease;
        let kept = self.inner.store.renew(self.id(), self.attempt(), until).await?;
        Ok(if kept { Held::Yes } else { Held::Lost })
    }

    /// Says how far it got, in per cent.
    pub(super) async fn advance(&self, stage: Stage, progress: u8) -> Result<Held> {
        let event = Event::Advance { attempt: self.attempt(), stage, progress };
        self.inner.apply(self.id(), &event).await.map(Held::from)
    }

    /// Keeps what the worker needs to go on after a crash.
    pub(super) async fn keep_checkpoint(&self, value: &serde_json::Value) -> Result<Held> {
        let kept = self.inner.store.keep_checkpoint(self.id(), self.attempt(), value).await?;
        Ok(if kept { Held::Yes } else { Held::Lost })
    }

    /// Stores a file; one of the same key that this attempt made before is replaced.
    pub(super) async fn add_file(&self, key: &str, body: ByteStream) -> Result<Held> {
        let file = self.store_file(key, body).await?;
        let event = Event::AddFile { attempt: self.attempt(), file };
        let held = Held::from(self.inner.apply(self.id(), &event).await?);
        if held == Held::Lost {
            // Unless the task has it from before: this attempt may have ended well already.
            self.tidy().await;
        }
        Ok(held)
    }

    async fn store_file(&self, key: &str, body: ByteStream) -> Result<TaskFile> {
        let kind = self.inner.kind(&self.task.kind)?;
        let files = kind.deliverables(&self.task.params);
        let file = files.iter().find(|file| file.key == key).ok_or_else(|| {
            Error::internal(format!(
                "the worker `{}` made a file `{key}` that no task of kind `{}` has",
                self.worker,
                kind.name()
            ))
        })?;
        let blob = format!("tasks/{}/{}/{key}", self.id(), self.attempt());
        let meta = self.inner.blobs.put(&blob, body, MAX_RESULT).await?;
        Ok(TaskFile {
            index: file.index,
            key: key.to_owned(),
            name: file.file_name(&self.task.input.name),
            size: meta.size,
            sha256: meta.sha256,
            mime: file.mime.to_owned(),
            blob,
        })
    }

    /// Ends the attempt: done, tried again, or failed for good.
    pub(super) async fn conclude(&self, result: Result<()>) -> Result<Held> {
        let event = match result {
            Ok(()) => match self.missing_file().await? {
                None => Event::Complete { attempt: self.attempt() },
                Some(key) => self.after(&Error::internal(format!(
                    "the worker `{}` said it was done without `{key}`",
                    self.worker
                ))),
            },
            Err(error) => self.after(&error),
        };
        self.end(&event).await
    }

    /// Gives the task back unfinished, through no fault of its own.
    pub(super) async fn release(&self) -> Result<Held> {
        self.end(&Event::Release { attempt: self.attempt() }).await
    }

    async fn end(&self, event: &Event) -> Result<Held> {
        let held = Held::from(self.inner.apply(self.id(), event).await?);
        self.inner.wake.notify_one();
        self.inner.hub.queue_moved();
        Ok(held)
    }

    /// What follows an error: another attempt or the end.
    fn after(&self, error: &Error) -> Event {
        let attempt = self.attempt();
        let id = self.id();
        if error.class == Class::Unknown {
            // Nobody has said what this means: it is tried again like a temporary one, and somebody should look.
            tracing::warn!(task = %id, attempt, code = %error.code, %error, "attempt failed, nobody knows why");
        } else {
            tracing::info!(task = %id, attempt, code = %error.code, %error, "attempt failed");
        }
        let told = TaskError::from(error);
        match self.inner.settings.retry.delay(error, self.task.failures, self.inner.ids.unit()) {
            Some(delay) => Event::Retry { attempt, error: told, at: self.inner.clock.now() + delay },
            None => Event::Fail { attempt, error: told },
        }
    }

    async fn missing_file(&self) -> Result<Option<&'static str>> {
        let Some(task) = self.inner.store.task(self.id()).await? else { return Ok(None) };
        let files = self.inner.kind(&task.kind)?.deliverables(&task.params);
        Ok(files.iter().find(|file| file.required && task.file(file.key).is_none()).map(|file| file.key))
    }

    /// Removes what the attempt has stored and its task does not refer to.
    pub(super) async fn tidy(&self) {
        if let Err(error) = self.inner.tidy(self.id(), self.attempt()).await {
            tracing::warn!(%error, task = %self.id(), "files of an attempt could not be removed");
        }
    }
}
