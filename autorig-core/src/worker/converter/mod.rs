//! A pool of converter machines as one worker: jobs are pushed to them over HTTP (`spec.md` §6.1,
//! `openapi/worker.yaml`), and their files fetched as they appear.
//!
//! | module | |
//! | --- | --- |
//! | `protocol` | what is said |
//! | `machine` | what is known of a machine, the circuit breaker, which one gets a job; pure |
//! | `follow` | one job on one machine, from its pre-step to its last file |
//! | `links` | where a machine fetches the model |
//!
//! The pool never waits on a machine: each job asks for itself, at most [`CALLS`] at once to one machine, so a slow
//! or dead machine delays no other's jobs. What a restarted server needs to go on with a job is kept with the task
//! ([`JobEvent::Checkpoint`](super::JobEvent)).

mod follow;
mod links;
pub mod machine;
pub mod protocol;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Events, Job, Places, Worker};
use crate::{
    Class, Error, Result,
    clock::{Clock, Ids},
    outbound::{Peer, Url},
    signature::Secret,
};
pub use links::InputLinks;
use machine::{Machine, Needs, choose};
use protocol::{Checkpoint, QueueAnswer};

/// Calls to one machine at once.
pub const CALLS: usize = 8;

/// How patient the pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolTimes {
    /// Between two looks at a job.
    pub poll: Duration,
    /// Between two looks at a machine.
    pub probe: Duration,
    /// One short call.
    pub call: Duration,
    /// The pre-step, which a machine answers when it is over.
    pub pre_step: Duration,
    /// Optional files that are not there so long after the job is done will not come.
    pub optional: Duration,
    /// A whole job.
    pub job: Duration,
}

impl Default for PoolTimes {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            probe: Duration::from_secs(5),
            call: Duration::from_secs(15),
            pre_step: Duration::from_secs(600),
            optional: Duration::from_secs(600),
            job: Duration::from_secs(3600),
        }
    }
}

/// Which machines there are.
#[derive(Debug, Clone)]
pub struct Converters {
    /// Their addresses.
    pub addresses: Vec<String>,
    /// What they share with this server.
    pub secret: Secret,
    /// Where they reach this server.
    pub callback: Url,
}

/// The machines.
pub struct ConverterPool {
    machines: Vec<Handle>,
    peer: Peer,
    links: InputLinks,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    times: PoolTimes,
}

struct Handle {
    /// Its address, which is its name as well.
    name: String,
    base: Url,
    state: Mutex<Machine>,
    calls: Semaphore,
}

impl Handle {
    fn state<T>(&self, look: impl FnOnce(&mut Machine) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A call of the machine, `api-queue` or `api-task/…`.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Checked when the pool was made.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

impl ConverterPool {
    /// The machines of a configuration.
    ///
    /// # Errors
    /// `invalid_config` when an address is none; `internal` when the HTTP client cannot be built.
    pub fn new(converters: &Converters, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<Self> {
        let handle = |address: &String| {
            let base = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let base = base.filter(|url| url.host_str().is_some()).ok_or_else(|| {
                let message = format!("workers: `{address}` is no http(s) address");
                Error::usage("invalid_config", message, "write http://machine:port, separated by commas")
            })?;
            Ok(Handle {
                name: address.trim_end_matches('/').to_owned(),
                base,
                state: Mutex::default(),
                calls: Semaphore::new(CALLS),
            })
        };
        let machines = converters.addresses.iter().map(handle).collect::<Result<Vec<_>>>()?;
        let peer = Peer::new(converters.secret.clone(), clock.clone(), ids.clone())?;
        let links = InputLinks::new(converters.callback.clone(), converters.secret.clone());
        Ok(Self { machines, peer, links, clock, ids, times: PoolTimes::default() })
    }

    /// Other times than the usual ones.
    #[must_use]
    pub fn times(mut self, times: PoolTimes) -> Self {
        self.times = times;
        self
    }

    /// The links by which machines fetch models.
    pub fn links(&self) -> &InputLinks {
        &self.links
    }

    /// A place on the machine that suits the job best.
    fn take(&self, job: &Job, checkpoint: &Checkpoint) -> Result<Place<'_>> {
        let format = job.input.name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
        let began = (!checkpoint.machine.is_empty()).then_some(checkpoint.machine.as_str());
        let needs = Needs { kind: &job.kind, format: &format, machine: began };
        let states: Vec<(String, Machine)> = self
            .machines
            .iter()
            .map(|handle| (handle.name.clone(), handle.state(|state| state.clone())))
            .collect();
        let chosen = choose(&states, &needs);
        let handle = chosen.and_then(|name| self.machines.iter().find(|handle| handle.name == name));
        let handle = handle.ok_or_else(|| {
            Error::temporary(
                "no_converter_free",
                "no converter machine has a free place for this job",
                "it is tried again by itself; add machines if it stays so",
            )
        })?;
        handle.state(|state| state.ours += 1);
        Ok(Place(handle))
    }

    async fn convert(&self, job: &Job, events: &Events) -> Result<()> {
        let kept = job.checkpoint.clone().map(serde_json::from_value).transpose();
        // What another version has kept is worth nothing.
        let checkpoint: Checkpoint = kept.ok().flatten().unwrap_or_default();
        let place = self.take(job, &checkpoint)?;
        let handle = place.0;
        let checkpoint = if checkpoint.machine == handle.name {
            checkpoint
        } else {
            Checkpoint { machine: handle.name.clone(), ..Checkpoint::default() }
        };
        let begin = self.clock.now();
        let result = follow::Following { pool: self, handle, job, events, checkpoint }.run().await;
        let now = self.clock.now();
        handle.state(|state| match &result {
            Ok(()) => {
                state.circuit.succeeded();
                state.measured((now - begin).to_std().unwrap_or_default());
            }
            Err(error) if error.class == Class::Temporary => state.circuit.failed(now),
            Err(_) => {}
        });
        result
    }

    /// Asks a machine how it is; true when it takes more or less than before.
    async fn probe(&self, handle: &Handle) -> bool {
        let now = self.clock.now();
        if handle.state(|state| state.circuit.is_open(now)) {
            return false;
        }
        let url = handle.url(&["api-queue"]);
        let answer = self.peer.get::<QueueAnswer>(&url, self.times.call).await;
        let answer = answer.and_then(|answer| {
            answer.ok_or_else(|| Error::temporary("peer_answer", "it has no queue", "check the address"))
        });
        handle.state(|state| {
            let before = (state.is_online(), state.free());
            match answer {
                Ok(queue) => {
                    if state.circuit.is_suspect() || state.queue.is_none() {
                        tracing::info!(worker = handle.name, "a converter is online");
                        state.circuit.succeeded();
                    }
                    state.queue = Some(queue);
                }
                Err(error) => {
                    if state.queue.take().is_some() {
                        tracing::warn!(worker = handle.name, %error, "a converter is offline");
                    }
                    state.circuit.failed(now);
                }
            }
            (state.is_online(), state.free()) != before
        })
    }
}

/// One of a machine's places, given back when dropped.
struct Place<'a>(&'a Handle);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.state(|state| state.ours = state.ours.saturating_sub(1));
    }
}

#[async_trait]
impl Worker for ConverterPool {
    fn name(&self) -> &str {
        "converters"
    }

    fn slots(&self) -> usize {
        let slots = |machine: &mut Machine| machine.ours.saturating_add(machine.free());
        self.machines.iter().map(|handle| handle.state(slots) as usize).sum()
    }

    fn kinds(&self) -> Vec<String> {
        vec!["rig".to_owned()]
    }

    fn machines(&self) -> Option<Vec<Places>> {
        let places = |machine: &mut Machine| Places {
            online: machine.is_online(),
            free: machine.free() as usize,
            total: machine.queue.as_ref().map_or(0, |queue| queue.max_concurrent) as usize,
        };
        Some(self.machines.iter().map(|handle| handle.state(places)).collect())
    }

    async fn watch(&self, changed: &(dyn Fn() + Send + Sync), stop: CancellationToken) {
        let mut watching: FuturesUnordered<_> = self
            .machines
            .iter()
            .map(|handle| async move {
                loop {
                    if self.probe(handle).await {
                        changed();
                    }
                    // Many servers do not ask at the same moment.
                    let pause = self.times.probe.mul_f64(0.75 + 0.5 * self.ids.unit());
                    self.clock.sleep(pause).await;
                }
            })
            .collect();
        tokio::select! {
            () = stop.cancelled() => {}
            Some(()) = watching.next() => {}
        }
    }

    async fn run(&self, job: Job, events: Events, cancel: CancellationToken) -> Result<()> {
        tokio::select! {
            result = self.convert(&job, &events) => result,
            () = cancel.cancelled() => Err(Error::cancelled()),
            () = self.clock.sleep(self.times.job) => Err(Error::temporary(
                "worker_timeout",
                format!("the converter took longer than {} min", self.times.job.as_secs() / 60),
                "it is tried again by itself; simplify the mesh if it stays so",
            )),
        }
    }
}
