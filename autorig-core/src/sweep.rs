//! What goes by itself: files that nothing refers to, and what has grown old.
//!
//! A file's last reference and the note that it is doomed end in one transaction; then its bytes go, then the
//! note. Bytes that were put for something that never came to be have no record: they are found by comparing
//! the storage with the records. Whatever step a crash comes between, a later sweep does the rest, and several
//! nodes may sweep at once.

use std::{sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    stream::{BoxStream, Fuse},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    blob::BlobEntry,
    clock::Time,
    task::{Inner, OwnerKind},
    upload::stale_before,
};

/// How long things are kept; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Uploads that no task uses, since they were last used.
    pub uploads: Option<Duration>,
    /// Finished tasks with their results and their input, since they ended.
    pub results: Option<Duration>,
    /// The same for tasks of visitors without an account, where that is shorter.
    pub anonymous: Option<Duration>,
    /// The log of a finished task, since it ended.
    pub logs: Option<Duration>,
    /// How often all this is looked at.
    pub interval: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            uploads: None,
            results: None,
            anonymous: Some(Duration::from_secs(30 * 86_400)),
            logs: Some(Duration::from_secs(90 * 86_400)),
            interval: Duration::from_secs(600),
        }
    }
}

/// What a sweep has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Uploads that were forgotten.
    pub uploads: u64,
    /// Tasks that were removed.
    pub tasks: u64,
    /// Tasks whose log was removed.
    pub logs: u64,
    /// Delivered messages and expired idempotent calls that were forgotten.
    pub records: u64,
    /// Files whose bytes were removed because nothing refers to them any more.
    pub files: u64,
    /// Files whose bytes were removed because nothing ever referred to them.
    pub orphans: u64,
}

/// What does not fit together between the storage and the records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// Files of the storage without a record; what was put this moment is among them.
    pub unrecorded: Vec<String>,
    /// Recorded files whose bytes are not in the storage.
    pub missing: Vec<String>,
    /// Recorded files whose count of references is wrong.
    pub miscounted: Vec<String>,
    /// Files that are about to be removed.
    pub doomed: u64,
}

impl Audit {
    /// True when everything fits.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// Things that are looked at in one go.
const BATCH: u32 = 200;
/// How long a file may be without a record: the time between a put and the transaction that records it.
const GRACE: Duration = Duration::from_secs(3600);
/// How often the whole storage is compared with the records.
const COMPARE_EVERY: Duration = Duration::from_secs(86_400);
/// How long delivered messages are kept, so that one that is sent again is recognised.
const DELIVERED_TTL: Duration = Duration::from_secs(7 * 86_400);
/// Most keys of one kind that an audit names.
const NAMED: usize = 1000;

impl Inner {
    /// Removes the bytes of doomed files, then their records. How many.
    pub(crate) async fn reap(&self) -> Result<u64> {
        let mut reaped = 0;
        loop {
            let doomed = self.store.doomed_blobs(BATCH).await?;
            self.remove_bytes(&doomed).await?;
            self.store.forget_blobs(&doomed).await?;
            reaped += doomed.len() as u64;
            if doomed.len() < BATCH as usize {
                return Ok(reaped);
            }
        }
    }

    /// The same for those of some files that are doomed. A failure is not the caller's: a sweep tries again.
    pub(crate) async fn reap_some(&self, keys: &[String]) -> u64 {
        if keys.is_empty() {
            return 0;
        }
        let reaped = async {
            let doomed = self.store.doomed_among(keys).await?;
            self.remove_bytes(&doomed).await?;
            self.store.forget_blobs(&doomed).await?;
            Ok::<_, crate::Error>(doomed.len() as u64)
        };
        reaped.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "released files stay until the next sweep");
            0
        })
    }

    async fn remove_bytes(&self, keys: &[String]) -> Result<()> {
        const AT_ONCE: usize = 8;
        for some in keys.chunks(AT_ONCE) {
            let removals = some.iter().cloned().map(|key| {
                let blobs = self.blobs.clone();
                async move { blobs.delete(&key).await }
            });
            futures_util::future::try_join_all(removals).await?;
        }
        Ok(())
    }

    /// Removes everything that has grown old and every doomed file.
    pub(crate) async fn sweep(&self, keep: &Retention) -> Result<Swept> {
        let now = self.clock.now();
        let before = |ttl: Duration| now.checked_sub_signed(chrono::TimeDelta::from_std(ttl).ok()?);
        let mut swept = Swept::default();
        loop {
            let complete = keep.uploads.and_then(before);
            let ended = self.store.expire_uploads(stale_before(now), complete, now, BATCH).await?;
            swept.uploads += ended;
            if ended < u64::from(BATCH) {
                break;
            }
        }
        for owner in OwnerKind::ALL {
            let shortest = match owner {
                OwnerKind::Anonymous => keep.results.into_iter().chain(keep.anonymous).min(),
                _ => keep.results,
            };
            if let Some(before) = shortest.and_then(before) {
                let (tasks, files) = self.remove_finished(*owner, before).await?;
                swept.tasks += tasks;
                swept.files += files;
            }
            while let Some(before) = keep.logs.and_then(before) {
                let cleaned = self.store.expire_logs(*owner, before, BATCH).await?;
                swept.logs += cleaned;
                if cleaned == 0 {
                    break;
                }
            }
        }
        while let Some(before) = before(DELIVERED_TTL) {
            let forgotten = self.store.expire_records(before, now, BATCH).await?;
            swept.records += forgotten;
            if forgotten < u64::from(BATCH) {
                break;
            }
        }
        swept.files += self.reap().await?;
        Ok(swept)
    }

    /// Removes an owner's tasks that ended before a moment. How many, and how many files with them.
    async fn remove_finished(&self, owner: OwnerKind, before: Time) -> Result<(u64, u64)> {
        let (mut removed, mut files) = (0, 0);
        loop {
            let old = self.store.finished_tasks(owner, before, BATCH).await?;
            for id in &old {
                // One that was begun anew in between stays.
                if let Some(task) = self.store.remove(*id, Some(before), self.clock.now()).await? {
                    self.hub.changed(*id);
                    files += self.discard(&task).await?;
                    removed += 1;
                }
            }
            if old.len() < BATCH as usize {
                return Ok((removed, files));
            }
        }
    }

    /// Removes files without a record that were written before a moment. How many.
    pub(crate) async fn remove_orphans(&self, before: Time) -> Result<u64> {
        let mut removed = 0;
        let mut entries = self.blobs.entries("").fuse();
        loop {
            let batch = some_keys(&mut entries, Some(before)).await?;
            if batch.is_empty() {
                break;
            }
            let orphans = self.store.unrecorded_among(&batch).await?;
            self.remove_bytes(&orphans).await?;
            removed += orphans.len() as u64;
            for blob in orphans {
                tracing::info!(blob, "removed a file that nothing refers to");
            }
        }
        Ok(removed)
    }

    /// Compares the storage with the records.
    pub(crate) async fn audit(&self) -> Result<Audit> {
        let mut audit = Audit::default();
        let mut entries = self.blobs.entries("").fuse();
        loop {
            let keys = some_keys(&mut entries, None).await?;
            if keys.is_empty() {
                break;
            }
            audit.unrecorded.extend(self.store.unrecorded_among(&keys).await?);
            audit.unrecorded.truncate(NAMED);
        }
        audit.unrecorded.sort();
        let mut after = String::new();
        loop {
            let keys = self.store.recorded_blobs(&after, BATCH).await?;
            let Some(last) = keys.last() else { break };
            after.clone_from(last);
            for key in keys {
                if audit.missing.len() < NAMED && self.blobs.size(&key).await?.is_none() {
                    audit.missing.push(key);
                }
            }
        }
        audit.miscounted = self.store.miscounted_blobs(BATCH).await?.keys;
        audit.doomed = self.store.doomed_blobs(BATCH).await?.len() as u64;
        Ok(audit)
    }
}

/// The next keys of a listing, those written after a moment left out; none at its end.
async fn some_keys(
    entries: &mut Fuse<BoxStream<'_, Result<BlobEntry>>>,
    before: Option<Time>,
) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    while keys.len() < BATCH as usize
        && let Some(entry) = entries.next().await.transpose()?
    {
        if before.is_none_or(|before| entry.modified <= before) {
            keys.push(entry.key);
        }
    }
    Ok(keys)
}

/// Sweeps until `stop` fires. Files that were written before `alone_since` and have no record are orphans at
/// once, where nobody else can have been writing then.
pub(crate) async fn run(
    inner: Arc<Inner>,
    keep: Retention,
    alone_since: Option<Time>,
    stop: CancellationToken,
) {
    let mut compare_at = inner.clock.now();
    let mut first = alone_since;
    loop {
        let now = inner.clock.now();
        let work = async {
            let mut swept = inner.sweep(&keep).await?;
            if now >= compare_at {
                swept.orphans = inner.remove_orphans(first.unwrap_or(now - GRACE)).await?;
            }
            Ok::<_, crate::Error>(swept)
        };
        match work.await {
            Ok(swept) => {
                if now >= compare_at {
                    compare_at = now + COMPARE_EVERY;
                    first = None;
                }
                if swept != Swept::default() {
                    tracing::info!(?swept, "swept");
                }
            }
            Err(error) => tracing::warn!(%error, "a sweep could not be finished; the next one goes on"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = inner.clock.sleep(keep.interval) => {}
        }
    }
}
