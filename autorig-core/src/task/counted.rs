//! How long the queue is. Counting a million takes longer than a caller should wait, so a long queue is
//! counted in the background, and what is told is a moment old.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::service::Inner;
use crate::{Result, clock::Time, store::Counts};

/// A queue of so many is told from memory.
const LONG: u64 = 10_000;
/// What is told of a long queue is counted anew after this time.
const FRESH: Duration = Duration::from_secs(2);

/// The last count of a long queue.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    last: Mutex<Option<(Time, Counts)>>,
    counting: AtomicBool,
}

impl Inner {
    /// How many tasks wait and are worked on; of a long queue, a moment ago.
    pub(super) async fn counts(self: &Arc<Self>) -> Result<Counts> {
        let last = *self.counted.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last {
            Some((at, counts)) if counts.queued >= LONG => {
                if self.clock.now() >= at + FRESH && !self.counted.counting.swap(true, Ordering::AcqRel) {
                    let inner = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = inner.count().await {
                            tracing::debug!(%error, "the queue could not be counted");
                        }
                        inner.counted.counting.store(false, Ordering::Release);
                    });
                }
                Ok(counts)
            }
            _ => self.count().await,
        }
    }

    async fn count(&self) -> Result<Counts> {
        let counts = self.store.counts().await?;
        let now = self.clock.now();
        *self.counted.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, counts));
        Ok(counts)
    }
}
