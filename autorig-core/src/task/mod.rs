//! Tasks: a rig with a promise around it. Run once, delivered once, whatever crashes.
//!
//! [`model`] is the data, [`lifecycle`] the state machine as a table, [`retry`] the policy after a failure,
//! [`kind`] what kinds of tasks there are, [`TaskService`] what callers do with them, `dispatcher` what
//! happens by itself.

pub mod kind;
pub mod lifecycle;
pub mod model;
pub mod retry;

mod attempt;
mod correct;
mod counted;
mod create;
mod dead_letters;
mod dispatcher;
mod events;
mod hold;
mod leases;
mod listen;
mod quality;
mod relay;
mod service;

pub use autorig_engine::{JointHint, rig::Symmetry};
pub use correct::{Correction, RigJoint, TaskRig};
pub use create::{Created, Input, NewTask};
pub use kind::{Deliverable, RigKind, RigMode, RigOptions, TaskKind, safe_stem};
pub use leases::{Failure, Lease, LeaseId, Leases, WorkerName};
pub use model::{
    EventKind, InputFile, Owner, OwnerKind, Page, QueuePosition, QueueStatus, Stage, Task, TaskError,
    TaskEvent, TaskFile, TaskId, TaskStatus, Visibility,
};
pub use quality::TaskQuality;
pub use retry::RetryPolicy;
pub use service::{OpenFile, TaskService};

pub(crate) use create::clean_name;
pub(crate) use dispatcher::{Dispatcher, DispatcherSettings};
pub(crate) use events::{Hub, Wake};
pub(crate) use relay::Relay;
pub(crate) use service::{Inner, ServiceLimits};
