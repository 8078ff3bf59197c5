//! Creating a task: the upload or the link becomes a stored file, then one transaction makes the task.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{
    kind::TaskKind,
    model::{InputFile, Owner, Task, TaskId, TaskStatus, Visibility},
    service::{Inner, TaskService, input_gone},
};
use crate::{
    Class, Error, Kind, Result,
    blob::{BlobMeta, ByteStream, Hashing},
    error::Rate,
    store::{Begun, CallKey, FinishedCall, Quota, UsedUp, idempotency_key_running},
    upload::UploadService,
};

/// What to make a task of.
pub struct NewTask {
    /// What is to be done: `rig`.
    pub kind: String,
    /// Whose it will be.
    pub owner: Owner,
    /// The model.
    pub input: Input,
    /// The kind's options; `null` for the defaults.
    pub params: Value,
    /// Who may see it.
    pub visibility: Visibility,
    /// The higher, the sooner it is worked on; 0 is usual.
    pub priority: i32,
    /// What it is called; its input's name when `None`.
    pub title: Option<String>,
    /// A key under which the call happens once, however often it is made.
    pub idempotency_key: Option<String>,
    /// The owner's quota counts: a stranger's or a user's task on a site, but no admin's.
    pub limited: bool,
}

impl NewTask {
    /// A rig with default options for the local owner.
    pub fn rig(input: Input) -> Self {
        Self {
            kind: "rig".to_owned(),
            owner: Owner::local(),
            input,
            params: Value::Null,
            visibility: Visibility::Unlisted,
            priority: 0,
            title: None,
            idempotency_key: None,
            limited: false,
        }
    }

    /// Another task with the input and the options of one there is; options in `params` replace its own.
    pub fn another(task: &Task, owner: Owner, params: Value) -> Self {
        let params = match (task.params.clone(), params) {
            (params, Value::Null) => params,
            (Value::Object(mut kept), Value::Object(changed)) => {
                kept.extend(changed);
                Value::Object(kept)
            }
            (_, changed) => changed,
        };
        Self {
            kind: task.kind.clone(),
            owner,
            input: Input::Of(task.id, task.input.clone()),
            params,
            visibility: task.visibility,
            priority: task.priority,
            title: task.title.clone(),
            idempotency_key: None,
            limited: false,
        }
    }
}

/// Where the model comes from.
pub enum Input {
    /// A file, as it arrives.
    Upload {
        /// Its name, for messages and for the results' names.
        name: String,
        /// Its bytes; an error in it (`upload_cut_off`) leaves nothing behind.
        body: ByteStream,
    },
    /// A link to fetch it from.
    Link(String),
    /// The input of another task, under its name; its bytes are shared, and stay as long as either task.
    Of(TaskId, InputFile),
    /// An upload of this owner that was announced and sent before.
    Announced(Uuid),
}

/// A created task.
#[derive(Debug, Clone)]
pub struct Created {
    /// The task.
    pub task: Task,
    /// True when an earlier call of the same idempotency key had made it.
    pub replayed: bool,
}

/// Longest idempotency key.
const MAX_KEY: usize = 255;
/// Longest file name that is kept.
const MAX_NAME: usize = 200;

pub(super) async fn create(service: &TaskService, new: NewTask) -> Result<Created> {
    let inner = &service.inner;
    let kind = inner.kind(&new.kind)?.clone();
    let params = kind.check(new.params.clone())?;
    let id = TaskId(inner.ids.id());
    let Some(key) = &new.idempotency_key else {
        let place = Place::take(inner, new.limited.then(|| new.owner.clone()), id).await?;
        let prepared = prepare(inner, id, new, params).await?;
        let task = prepared.commit(kind.as_ref(), None).await?;
        place.used().await;
        return Ok(Created { task, replayed: false });
    };
    let call = call_key(&new.owner, key)?;
    let now = inner.clock.now();
    match inner.store.begin_call(&call, &inner.node, now, now + inner.settings.lease).await? {
        Begun::Running => Err(idempotency_key_running()),
        Begun::Finished { fingerprint, task } => replay(inner, new, &params, &fingerprint, task).await,
        Begun::First => {
            let guard = CallGuard::new(inner.clone(), call.clone());
            let place = Place::take(inner, new.limited.then(|| new.owner.clone()), id).await?;
            let prepared = prepare(inner, id, new, params).await?;
            let (node, fingerprint) = (inner.node.clone(), prepared.fingerprint.clone());
            let finished = FinishedCall { call, node, fingerprint };
            let task = prepared.commit(kind.as_ref(), Some(finished)).await?;
            guard.done();
            place.used().await;
            Ok(Created { task, replayed: false })
        }
    }
}

fn call_key(owner: &Owner, key: &str) -> Result<CallKey> {
    if key.is_empty() || key.len() > MAX_KEY || key.chars().any(char::is_control) {
        return Err(Error::usage(
            "invalid_idempotency_key",
            format!("the idempotency key is empty, longer than {MAX_KEY} bytes or has control characters"),
            "use a fresh UUID",
        ));
    }
    Ok(CallKey { scope: format!("{}:{}", owner.kind, owner.id), key: key.to_owned() })
}

/// Everything of a task that is known before it is in the store. Dropping it removes the stored input.
struct Prepared {
    inner: Arc<Inner>,
    id: TaskId,
    owner: Owner,
    params: Value,
    visibility: Visibility,
    priority: i32,
    title: Option<String>,
    input: InputFile,
    fingerprint: String,
    kept: bool,
}

async fn prepare(inner: &Arc<Inner>, id: TaskId, new: NewTask, params: Value) -> Result<Prepared> {
    let blob = format!("uploads/{id}");
    let limit = inner.limits.upload_bytes;
    match &new.input {
        Input::Announced(upload) => {
            let input = announced(inner, &new.owner, *upload).await?;
            let source = json!({"name": input.name, "sha256": input.sha256});
            return Ok(prepare_shared(inner, id, new, params, input, &source));
        }
        Input::Of(task, input) => {
            let (task, input) = (*task, input.clone());
            if inner.blobs.size(&input.blob).await?.is_none() {
                return Err(input_gone());
            }
            return Ok(prepare_shared(inner, id, new, params, input, &json!({"task": task})));
        }
        _ => {}
    }
    let (name, source, meta) = match new.input {
        Input::Upload { name, body } => {
            let name = clean_name(&name);
            let meta = store_input(inner, &blob, body, limit).await?;
            (name.clone(), json!({"name": name, "sha256": meta.sha256}), meta)
        }
        Input::Link(link) => {
            let fetched = inner.outbound.fetch(&link, limit).await?;
            let name = clean_name(&fetched.name);
            let meta = store_input(inner, &blob, fetched.body, limit).await?;
            (name, json!({"link": link}), meta)
        }
        Input::Of(..) | Input::Announced(_) => return Err(Error::internal("no body that is to be stored")),
    };
    let fingerprint = fingerprint(&new.kind, &params, new.visibility, &source);
    Ok(Prepared {
        inner: inner.clone(),
        id,
        owner: new.owner,
        params,
        visibility: new.visibility,
        priority: new.priority,
        title: new.title,
        input: InputFile { blob, name, size: meta.size, sha256: meta.sha256 },
        fingerprint,
        kept: false,
    })
}

/// The file of an upload that is complete, or can be completed.
async fn announced(inner: &Arc<Inner>, owner: &Owner, upload: Uuid) -> Result<InputFile> {
    let service = UploadService { inner: inner.clone() };
    let found = service.finish(owner, upload).await?.ok_or_else(|| crate::upload::unknown(upload))?;
    let sha256 = found.sha256.unwrap_or_default();
    Ok(InputFile { blob: found.blob, name: found.name, size: found.size, sha256 })
}

/// A task of a file that something else has brought refers to the same bytes, which stay as long as either.
fn prepare_shared(
    inner: &Arc<Inner>,
    id: TaskId,
    new: NewTask,
    params: Value,
    input: InputFile,
    source: &Value,
) -> Prepared {
    let fingerprint = fingerprint(&new.kind, &params, new.visibility, source);
    Prepared {
        inner: inner.clone(),
        id,
        owner: new.owner,
        params,
        visibility: new.visibility,
        priority: new.priority,
        title: new.title,
        input,
        fingerprint,
        kept: true,
    }
}

async fn store_input(inner: &Inner, blob: &str, body: ByteStream, limit: u64) -> Result<BlobMeta> {
    let meta = inner.blobs.put(blob, body, limit).await?;
    if meta.size == 0 {
        inner.blobs.delete(blob).await?;
        return Err(Error::input(
            "empty_file",
            "the file has no bytes",
            "send the model file itself; the upload may have been cut off",
        ));
    }
    Ok(meta)
}

impl Prepared {
    async fn commit(mut self, kind: &dyn TaskKind, call: Option<FinishedCall>) -> Result<Task> {
        let now = self.inner.clock.now();
        let total = kind.deliverables(&self.params).len();
        let task = Task {
            id: self.id,
            kind: kind.name().to_owned(),
            params: std::mem::take(&mut self.params),
            owner: self.owner.clone(),
            priority: self.priority,
            visibility: self.visibility,
            title: self.title.take(),
            input: self.input.clone(),
            status: TaskStatus::Created,
            stage: None,
            progress: 0,
            attempt: 0,
            failures: 0,
            files: Vec::new(),
            total_count: u32::try_from(total).unwrap_or(u32::MAX),
            error: None,
            last_failure: None,
            revision: 1,
            version: 1,
            lease_owner: None,
            lease_until: None,
            next_attempt_at: None,
            created_at: now,
            started_at: None,
            finished_at: None,
            timings: BTreeMap::new(),
            stage_started_at: None,
        };
        // From here on the input belongs to the task. A caller that goes away in the middle must not leave
        // one without the other, so the rest happens whether anybody waits for it or not.
        self.kept = true;
        let inner = self.inner.clone();
        tokio::spawn(async move { insert(&inner, &task, call.as_ref()).await.map(|()| task) })
            .await
            .map_err(|error| Error::internal(format!("keeping a task: {error}")))?
    }
}

async fn insert(inner: &Inner, task: &Task, call: Option<&FinishedCall>) -> Result<()> {
    if let Err(error) = inner.store.insert(task, call, &[]).await {
        // An insert whose answer is lost may have happened. A file that something else refers to is not ours.
        if task.input.blob == task.own_input()
            && let Ok(None) = inner.store.task(task.id).await
        {
            inner.blobs.delete(&task.input.blob).await?;
        }
        return Err(error);
    }
    inner.wake.notify_one();
    inner.hub.queue_moved();
    Ok(())
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let (inner, blob) = (self.inner.clone(), self.input.blob.clone());
        spawn_cleanup(async move {
            if let Err(error) = inner.blobs.delete(&blob).await {
                tracing::warn!(%error, blob, "an upload without a task could not be removed");
            }
        });
    }
}

async fn replay(
    inner: &Arc<Inner>,
    new: NewTask,
    params: &Value,
    fingerprint_then: &str,
    id: TaskId,
) -> Result<Created> {
    let source = match new.input {
        Input::Upload { name, body } => {
            let sha256 = Hashing::all(body, inner.limits.upload_bytes).await?.sha256;
            json!({"name": clean_name(&name), "sha256": sha256})
        }
        Input::Link(link) => json!({"link": link}),
        Input::Of(task, _) => json!({"task": task}),
        Input::Announced(upload) => match inner.store.upload(upload).await? {
            Some(known) if known.owner == new.owner => json!({"name": known.name, "sha256": known.sha256}),
            // It has been removed since; the key alone says that it is the same call.
            _ => return made_before(inner, id).await,
        },
    };
    if fingerprint(&new.kind, params, new.visibility, &source) != fingerprint_then {
        return Err(Error::conflict(
            "idempotency_key_reused",
            "this idempotency key was used for another file or other options",
            "use a fresh key for a new task",
        ));
    }
    made_before(inner, id).await
}

async fn made_before(inner: &Inner, id: TaskId) -> Result<Created> {
    match inner.store.task(id).await? {
        Some(task) => Ok(Created { task, replayed: true }),
        None => Err(Error::conflict(
            "idempotency_key_reused",
            "the task that this idempotency key had made was removed",
            "use a fresh key for a new task",
        )),
    }
}

fn fingerprint(kind: &str, params: &Value, visibility: Visibility, source: &Value) -> String {
    let asked = json!({"kind": kind, "params": params, "visibility": visibility, "source": source});
    crate::blob::hex(&Sha256::digest(asked.to_string().as_bytes()))
}

/// The last part of a name, without control characters, not too long, never empty.
pub(crate) fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut clean: String = last.chars().filter(|c| !c.is_control()).collect();
    if clean.len() > MAX_NAME {
        // The extension is at the end, so the beginning goes.
        let excess = clean.len() - MAX_NAME;
        let cut = (excess..).find(|at| clean.is_char_boundary(*at)).unwrap_or(0);
        clean.drain(..cut);
    }
    if clean.trim_matches(['.', ' ']).is_empty() { "model".to_owned() } else { clean }
}

/// A place of the owner's quota, given back when the task comes to nothing, also when its future is dropped.
struct Place {
    inner: Arc<Inner>,
    task: Option<TaskId>,
}

impl Place {
    /// A place for a task of this owner; without an owner nothing is counted.
    async fn take(inner: &Arc<Inner>, owner: Option<Owner>, task: TaskId) -> Result<Self> {
        let mut place = Self { inner: inner.clone(), task: None };
        let Some(owner) = owner else { return Ok(place) };
        let quota = &inner.limits.quota;
        match inner.store.take_place(&owner, task, inner.clock.now(), quota).await? {
            None => place.task = Some(task),
            Some(used_up) => return Err(refused(used_up, quota)),
        }
        Ok(place)
    }

    /// The task exists. When this cannot be noted it counts twice for an hour, which harms nobody.
    async fn used(mut self) {
        let Some(task) = self.task.take() else { return };
        if let Err(error) = self.inner.store.place_used(task).await {
            tracing::warn!(%error, %task, "a place of a quota could not be noted as used");
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(task) = self.task.take() else { return };
        let inner = self.inner.clone();
        spawn_cleanup(async move {
            if let Err(error) = inner.store.give_place_back(task).await {
                tracing::warn!(%error, %task, "a place of a quota could not be given back");
            }
        });
    }
}

fn refused(used_up: UsedUp, quota: &Quota) -> Error {
    /// Nobody knows when a task ends; asking this often does no harm.
    const LATER: Duration = Duration::from_secs(10);
    let (code, message, remedy, wait, rate) = match used_up {
        UsedUp::AtOnce => (
            "limit_concurrent",
            format!("{} of your tasks are waiting or being worked on, and no more may be", quota.at_once),
            "wait until one of them is done, or cancel it",
            LATER,
            Rate { name: "concurrent", quota: quota.at_once, window: None },
        ),
        UsedUp::ADay(wait) => (
            "limit_daily",
            format!("you have created {} tasks in the last 24 hours, and no more may be", quota.a_day),
            "come back as Retry-After says",
            wait,
            Rate { name: "day", quota: quota.a_day, window: Some(Duration::from_secs(24 * 60 * 60)) },
        ),
        UsedUp::Apart(wait) => (
            "limit_too_fast",
            format!("two tasks are created at least {} seconds apart", quota.apart.as_secs()),
            "come back as Retry-After says",
            wait,
            Rate { name: "apart", quota: 1, window: Some(quota.apart) },
        ),
    };
    Error::new(Class::RateLimit, Kind::Limit, code, message, remedy).with_retry_after(wait).with_rate(rate)
}

/// Forgets an idempotent call that ends without a task, also when its future is dropped.
struct CallGuard {
    inner: Arc<Inner>,
    call: Option<CallKey>,
    beat: JoinHandle<()>,
}

impl CallGuard {
    fn new(inner: Arc<Inner>, call: CallKey) -> Self {
        let beat = tokio::spawn(keep_call(inner.clone(), call.clone()));
        Self { inner, call: Some(call), beat }
    }

    fn done(mut self) {
        self.call = None;
    }
}

/// Gives signs of life for a call: a large upload takes longer than a call without any is remembered.
async fn keep_call(inner: Arc<Inner>, call: CallKey) {
    loop {
        inner.clock.sleep(inner.settings.heartbeat).await;
        let expires = inner.clock.now() + inner.settings.lease;
        if let Err(error) = inner.store.renew_call(&call, &inner.node, expires).await {
            tracing::warn!(%error, key = call.key, "an idempotent call could not be kept");
        }
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.beat.abort();
        let Some(call) = self.call.take() else { return };
        let inner = self.inner.clone();
        spawn_cleanup(async move {
            if let Err(error) = inner.store.abandon_call(&call).await {
                tracing::warn!(%error, key = call.key, "an idempotent call could not be forgotten");
            }
        });
    }
}

/// Runs a clean-up that a `drop` has asked for; without a runtime there is nothing left to clean for.
fn spawn_cleanup(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_its_folders_and_keeps_its_extension() {
        assert_eq!(clean_name("a/b\\c.glb"), "c.glb");
        assert_eq!(clean_name("a\n\0b.obj"), "ab.obj");
        assert_eq!(clean_name(""), "model");
        assert_eq!(clean_name(".."), "model");
        let long = clean_name(&format!("{}.glb", "é".repeat(300)));
        assert!(long.len() <= MAX_NAME && long.ends_with(".glb"));
    }
}
