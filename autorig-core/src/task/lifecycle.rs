//! The life of a task as a table: `(status, trigger) -> (status, effects)`.
//!
//! [`apply`] is pure: a task and an event in, the changed task and what follows out, or a refusal. A store
//! calls it inside one transaction, so the same rules hold whatever the store is. Whoever works on a task
//! names its attempt; an event of an older attempt is refused ([`Refused::Stale`]), which is the fencing
//! that keeps a late worker from overwriting a newer one.

use std::time::Duration;

use serde_json::Value;

use super::model::{EventKind, Stage, Task, TaskError, TaskFile, TaskStatus, Visibility};
use crate::clock::Time;

/// A failed task may be restarted by its owner after this time: whoever presses a button twice restarts it once.
pub const RESTART_AFTER: Duration = Duration::from_secs(60);
/// A task that is processed longer than this is stuck, and its owner may restart it.
pub const TASK_LIMIT: Duration = Duration::from_secs(60 * 60);
/// Longest line of a task's log, in bytes; what is longer is cut.
pub const MAX_LOG_LINE: usize = 2000;

/// Something that happens to a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A worker takes it.
    Claim {
        /// Who.
        node: String,
        /// Until when, unless renewed.
        lease_until: Time,
    },
    /// The worker got further.
    Advance {
        /// Which attempt says so.
        attempt: u32,
        /// What it is doing.
        stage: Stage,
        /// Per cent of the whole.
        progress: u8,
    },
    /// The worker made a file, and it is stored.
    AddFile {
        /// Which attempt says so.
        attempt: u32,
        /// The file.
        file: TaskFile,
    },
    /// The worker has something to say to people.
    Log {
        /// Which attempt says so.
        attempt: u32,
        /// What.
        line: String,
    },
    /// The worker made everything.
    Complete {
        /// Which attempt says so.
        attempt: u32,
    },
    /// The attempt failed, another will follow.
    Retry {
        /// Which attempt failed.
        attempt: u32,
        /// Why.
        error: TaskError,
        /// Not before this moment.
        at: Time,
    },
    /// The worker gives it back unfinished, through no fault of the task: it is being shut down.
    Release {
        /// Which attempt.
        attempt: u32,
    },
    /// The attempt failed, and that is final.
    Fail {
        /// Which attempt failed.
        attempt: u32,
        /// Why.
        error: TaskError,
    },
    /// The owner stops it.
    Cancel,
    /// It begins anew under the same id.
    Restart {
        /// An admin asks: [`RESTART_AFTER`] and [`TASK_LIMIT`] do not matter.
        forced: bool,
    },
    /// The owner wants the result made again with other parameters; what there is stays as an older revision.
    Correct {
        /// The parameters, checked by the kind.
        params: Value,
        /// How many files there will be.
        total_count: u32,
    },
    /// The owner changes what people see of it.
    Edit {
        /// What it is called from now on; `Some(None)` takes the name away.
        title: Option<Option<String>>,
        /// Who may see it from now on.
        visibility: Option<Visibility>,
    },
}

/// What kind of event; the second column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "one for each Event, where they are described")]
pub enum Trigger {
    Claim,
    Advance,
    AddFile,
    Log,
    Complete,
    Retry,
    Release,
    Fail,
    Cancel,
    Restart,
    Correct,
    Edit,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 12] = [
        Self::Claim,
        Self::Advance,
        Self::AddFile,
        Self::Log,
        Self::Complete,
        Self::Retry,
        Self::Release,
        Self::Fail,
        Self::Cancel,
        Self::Restart,
        Self::Correct,
        Self::Edit,
    ];
}

impl Event {
    /// What kind of event it is.
    pub fn trigger(&self) -> Trigger {
        match self {
            Self::Claim { .. } => Trigger::Claim,
            Self::Advance { .. } => Trigger::Advance,
            Self::AddFile { .. } => Trigger::AddFile,
            Self::Log { .. } => Trigger::Log,
            Self::Complete { .. } => Trigger::Complete,
            Self::Retry { .. } => Trigger::Retry,
            Self::Release { .. } => Trigger::Release,
            Self::Fail { .. } => Trigger::Fail,
            Self::Cancel => Trigger::Cancel,
            Self::Restart { .. } => Trigger::Restart,
            Self::Correct { .. } => Trigger::Correct,
            Self::Edit { .. } => Trigger::Edit,
        }
    }

    /// The attempt that speaks, if a worker does.
    pub fn attempt(&self) -> Option<u32> {
        match self {
            Self::Advance { attempt, .. }
            | Self::AddFile { attempt, .. }
            | Self::Log { attempt, .. }
            | Self::Complete { attempt }
            | Self::Retry { attempt, .. }
            | Self::Release { attempt }
            | Self::Fail { attempt, .. } => Some(*attempt),
            Self::Claim { .. }
            | Self::Cancel
            | Self::Restart { .. }
            | Self::Correct { .. }
            | Self::Edit { .. } => None,
        }
    }
}

/// What a move does besides changing the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Next attempt begins: count it, hold the lease, start from nothing.
    BeginAttempt,
    /// Take over stage and progress, never backwards.
    MoveForward,
    /// Keep the file.
    KeepFile,
    /// Tell the line.
    TellLog,
    /// Keep the error and count the failure.
    RecordFailure,
    /// Let go of the files of the failed attempt.
    ReleaseFiles,
    /// Wait, until the given moment if there is one.
    Schedule,
    /// Let go of the lease.
    DropLease,
    /// Note the end.
    Finish,
    /// Forget the end and what led to it.
    Reopen,
    /// Put the files aside as those of an older revision, and take over the parameters of the next.
    Revise,
    /// Take over what the owner says of it.
    TakeOver,
}

/// One legal move.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// From this status…
    pub from: TaskStatus,
    /// …on this trigger…
    pub on: Trigger,
    /// …to this status…
    pub to: TaskStatus,
    /// …doing this, in this order.
    pub effects: &'static [Effect],
}

/// Every legal move. What is not here is refused.
pub const TABLE: &[Move] = &[
    row(TaskStatus::Created, Trigger::Claim, TaskStatus::Processing, &[Effect::BeginAttempt]),
    row(TaskStatus::Created, Trigger::Cancel, TaskStatus::Cancelled, &[Effect::Finish]),
    row(TaskStatus::Processing, Trigger::Advance, TaskStatus::Processing, &[Effect::MoveForward]),
    row(TaskStatus::Processing, Trigger::AddFile, TaskStatus::Processing, &[Effect::KeepFile]),
    row(TaskStatus::Processing, Trigger::Log, TaskStatus::Processing, &[Effect::TellLog]),
    row(TaskStatus::Processing, Trigger::Complete, TaskStatus::Done, &[Effect::DropLease, Effect::Finish]),
    row(
        TaskStatus::Processing,
        Trigger::Retry,
        TaskStatus::Created,
        &[Effect::RecordFailure, Effect::DropLease, Effect::ReleaseFiles, Effect::Schedule],
    ),
    row(
        TaskStatus::Processing,
        Trigger::Release,
        TaskStatus::Created,
        &[Effect::DropLease, Effect::ReleaseFiles, Effect::Schedule],
    ),
    row(
        TaskStatus::Processing,
        Trigger::Fail,
        TaskStatus::Error,
        &[Effect::RecordFailure, Effect::DropLease, Effect::Finish],
    ),
    row(TaskStatus::Processing, Trigger::Cancel, TaskStatus::Cancelled, &[Effect::DropLease, Effect::Finish]),
    row(
        TaskStatus::Error,
        Trigger::Restart,
        TaskStatus::Created,
        &[Effect::Reopen, Effect::ReleaseFiles, Effect::Schedule],
    ),
    row(
        TaskStatus::Processing,
        Trigger::Restart,
        TaskStatus::Created,
        &[Effect::DropLease, Effect::Reopen, Effect::ReleaseFiles, Effect::Schedule],
    ),
    row(
        TaskStatus::Done,
        Trigger::Correct,
        TaskStatus::Created,
        &[Effect::Revise, Effect::Reopen, Effect::Schedule],
    ),
    row(TaskStatus::Created, Trigger::Edit, TaskStatus::Created, &[Effect::TakeOver]),
    row(TaskStatus::Processing, Trigger::Edit, TaskStatus::Processing, &[Effect::TakeOver]),
    row(TaskStatus::Done, Trigger::Edit, TaskStatus::Done, &[Effect::TakeOver]),
    row(TaskStatus::Error, Trigger::Edit, TaskStatus::Error, &[Effect::TakeOver]),
    row(TaskStatus::Cancelled, Trigger::Edit, TaskStatus::Cancelled, &[Effect::TakeOver]),
];

const fn row(from: TaskStatus, on: Trigger, to: TaskStatus, effects: &'static [Effect]) -> Move {
    Move { from, on, to, effects }
}

/// Why an event was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The table has no such move.
    #[error("a task in status `{from}` takes no `{on:?}`")]
    Illegal {
        /// The status it is in.
        from: TaskStatus,
        /// What was asked.
        on: Trigger,
    },
    /// The attempt that speaks no longer holds the task.
    #[error("attempt {spoke} no longer holds the task, attempt {current} does")]
    Stale {
        /// The attempt that spoke.
        spoke: u32,
        /// The task's latest attempt.
        current: u32,
    },
    /// It may be asked later.
    #[error("the task may be restarted at {at}")]
    TooSoon {
        /// From then on.
        at: Time,
    },
}

/// What an event has led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The task afterwards; its `version` counts the events.
    pub task: Task,
    /// What to tell listeners, in order; empty when nothing changed.
    pub events: Vec<EventKind>,
    /// Blobs that nothing refers to any more.
    pub released: Vec<String>,
    /// Files that are those of an older revision from now on.
    pub archived: Option<OldFiles>,
}

/// The files of a result that a correction has replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct OldFiles {
    /// Which result.
    pub revision: u32,
    /// Its files, by place.
    pub files: Vec<TaskFile>,
}

/// Applies an event to a task.
///
/// # Errors
/// [`Refused`] when the table has no such move, when an older attempt speaks, or when it is too soon to restart.
pub fn apply(task: &Task, event: &Event, now: Time) -> Result<Outcome, Refused> {
    let on = event.trigger();
    let step = TABLE
        .iter()
        .find(|step| step.from == task.status && step.on == on)
        .ok_or(Refused::Illegal { from: task.status, on })?;
    if let Some(spoke) = event.attempt()
        && spoke != task.attempt
    {
        return Err(Refused::Stale { spoke, current: task.attempt });
    }
    if matches!(event, Event::Restart { forced: false }) && restart_from(task) > now {
        return Err(Refused::TooSoon { at: restart_from(task) });
    }
    let mut outcome =
        Outcome { task: task.clone(), events: Vec::new(), released: Vec::new(), archived: None };
    outcome.task.status = step.to;
    for effect in step.effects {
        perform(*effect, event, now, &mut outcome);
    }
    let count = u64::try_from(outcome.events.len()).unwrap_or(0);
    outcome.task.version += count;
    Ok(outcome)
}

/// When the owner may restart the task, given that its status allows it.
fn restart_from(task: &Task) -> Time {
    match task.status {
        TaskStatus::Processing => task.started_at.unwrap_or(task.created_at) + TASK_LIMIT,
        _ => task.finished_at.unwrap_or(task.created_at) + RESTART_AFTER,
    }
}

fn perform(effect: Effect, event: &Event, now: Time, outcome: &mut Outcome) {
    let task = &mut outcome.task;
    match (effect, event) {
        (Effect::BeginAttempt, Event::Claim { node, lease_until }) => {
            task.attempt += 1;
            task.lease_owner = Some(node.clone());
            task.lease_until = Some(*lease_until);
            task.next_attempt_at = None;
            task.last_failure = None;
            task.stage = Some(Stage::Read);
            task.progress = 0;
            task.timings.clear();
            task.started_at = Some(now);
            task.stage_started_at = Some(now);
            outcome.events.push(EventKind::Stage { stage: Stage::Read, progress: 0 });
        }
        (Effect::MoveForward, Event::Advance { stage, progress, .. }) => {
            move_forward(*stage, *progress, now, outcome);
        }
        (Effect::KeepFile, Event::AddFile { file, .. }) => keep_file(file, outcome),
        (Effect::TellLog, Event::Log { line, .. }) => outcome.events.extend(log(line)),
        (Effect::RecordFailure, Event::Retry { error, .. }) => {
            task.failures += 1;
            task.last_failure = Some(error.clone());
            // People who look see only that it waits again; the log says why.
            let line = format!("attempt {} failed: {} ({})", task.attempt, error.message, error.code);
            outcome.events.extend(log(&line));
        }
        (Effect::RecordFailure, Event::Fail { error, .. }) => {
            task.failures += 1;
            task.error = Some(error.clone());
        }
        (Effect::Reopen, _) => reopen(task),
        (Effect::Revise, Event::Correct { params, total_count }) => {
            let files = std::mem::take(&mut task.files);
            outcome.archived = Some(OldFiles { revision: task.revision, files });
            task.revision += 1;
            task.params = params.clone();
            task.total_count = *total_count;
        }
        (Effect::TakeOver, Event::Edit { title, visibility }) => {
            task.visibility = visibility.unwrap_or(task.visibility);
            task.title = title.clone().unwrap_or_else(|| task.title.take());
        }
        (Effect::ReleaseFiles, _) => {
            outcome.released.extend(task.files.drain(..).map(|file| file.blob));
        }
        (Effect::Schedule, _) => {
            task.next_attempt_at = match event {
                Event::Retry { at, .. } => Some(*at),
                _ => None,
            };
            task.stage = None;
            task.progress = 0;
            let next_attempt_at = task.next_attempt_at;
            outcome.events.push(EventKind::Queued { position: None, next_attempt_at });
        }
        (Effect::DropLease, _) => {
            close_stage(task, now);
            task.lease_owner = None;
            task.lease_until = None;
        }
        (Effect::Finish, _) => finish(now, outcome),
        // The table pairs every effect with the events it reads; a wrong pair does nothing.
        (
            Effect::BeginAttempt
            | Effect::MoveForward
            | Effect::KeepFile
            | Effect::TellLog
            | Effect::RecordFailure
            | Effect::Revise
            | Effect::TakeOver,
            _,
        ) => debug_assert!(false, "{effect:?} on {event:?}"),
    }
}

fn move_forward(stage: Stage, progress: u8, now: Time, outcome: &mut Outcome) {
    let task = &mut outcome.task;
    let progress = progress.min(100).max(task.progress);
    // A claim does not know whether there is a pre-step, which comes before everything.
    let before_all = stage == Stage::Convert && task.stage == Some(Stage::Read) && task.progress == 0;
    if before_all || task.stage.is_none_or(|current| stage > current) {
        close_stage(task, now);
        task.stage = Some(stage);
        task.stage_started_at = Some(now);
        task.progress = progress;
        outcome.events.push(EventKind::Stage { stage, progress });
    } else if progress > task.progress {
        task.progress = progress;
        let stage = task.stage.unwrap_or(stage);
        outcome.events.push(EventKind::Progress { stage, progress });
    }
}

fn keep_file(file: &TaskFile, outcome: &mut Outcome) {
    let files = &mut outcome.task.files;
    if let Some(at) = files.iter().position(|known| known.key == file.key) {
        let old = files.remove(at);
        if old.blob != file.blob {
            outcome.released.push(old.blob);
        }
    }
    let at = files.partition_point(|known| known.index < file.index);
    files.insert(at, file.clone());
    outcome.events.push(EventKind::File { key: file.key.clone(), name: file.name.clone(), size: file.size });
}

/// A line as it is kept: nothing that steers a terminal, not too long; `None` when nothing is left.
fn log(line: &str) -> Option<EventKind> {
    let mut message: String = line.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    message.truncate(message.floor_char_boundary(MAX_LOG_LINE));
    (!message.is_empty()).then_some(EventKind::Log { message })
}

/// Everything as it was before the first attempt, but for the number of attempts: it fences off late workers.
fn reopen(task: &mut Task) {
    task.failures = 0;
    task.error = None;
    task.last_failure = None;
    task.started_at = None;
    task.finished_at = None;
    task.stage_started_at = None;
    task.timings.clear();
}

fn finish(now: Time, outcome: &mut Outcome) {
    let task = &mut outcome.task;
    task.finished_at = Some(now);
    task.next_attempt_at = None;
    task.stage_started_at = None;
    let told = match task.status {
        TaskStatus::Done => {
            task.progress = 100;
            EventKind::Done
        }
        TaskStatus::Error => match &task.error {
            Some(error) => EventKind::Error(error.clone()),
            None => return,
        },
        _ => EventKind::Cancelled,
    };
    task.last_failure = None;
    outcome.events.push(told);
}

fn close_stage(task: &mut Task, now: Time) {
    if let (Some(stage), Some(since)) = (task.stage, task.stage_started_at.take()) {
        let spent = u64::try_from((now - since).num_milliseconds()).unwrap_or(0);
        *task.timings.entry(stage.as_str().to_owned()).or_default() += spent;
    }
}
