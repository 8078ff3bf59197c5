//! The state machine, against every event in every state and against random lives.

use std::{collections::BTreeMap, time::Duration};

use autorig_core::{
    Class,
    clock::{Clock, ManualClock, Time},
    task::{
        EventKind, InputFile, Owner, Stage, Task, TaskError, TaskFile, TaskId, TaskStatus, Visibility,
        lifecycle::{Event, Refused, TABLE, Trigger, apply},
    },
};
use proptest::prelude::*;

pub(crate) fn task(at: Time, id: u128) -> Task {
    let id = TaskId(uuid::Uuid::from_u128(id));
    Task {
        id,
        kind: "rig".to_owned(),
        params: serde_json::json!({"influences": 4}),
        owner: Owner::local(),
        visibility: Visibility::Unlisted,
        input: InputFile {
            blob: format!("uploads/{id}"),
            name: "hero.glb".to_owned(),
            size: 3,
            sha256: "00".repeat(32),
        },
        status: TaskStatus::Created,
        stage: None,
        progress: 0,
        attempt: 0,
        failures: 0,
        files: Vec::new(),
        total_count: 3,
        error: None,
        last_failure: None,
        revision: 1,
        version: 1,
        lease_owner: None,
        lease_until: None,
        next_attempt_at: None,
        created_at: at,
        started_at: None,
        finished_at: None,
        timings: BTreeMap::new(),
        stage_started_at: None,
    }
}

pub(crate) fn task_file(index: u32, key: &str, blob: &str) -> TaskFile {
    TaskFile {
        index,
        key: key.to_owned(),
        name: format!("hero_{key}"),
        size: 7,
        sha256: "11".repeat(32),
        mime: "model/gltf-binary".to_owned(),
        blob: blob.to_owned(),
    }
}

pub(crate) fn failure() -> TaskError {
    TaskError {
        class: Class::Temporary,
        code: "worker_lost".to_owned(),
        message: "gone".to_owned(),
        remedy: "wait".to_owned(),
    }
}

pub(crate) fn event(trigger: Trigger, attempt: u32, now: Time, n: u8) -> Event {
    let stage = Stage::ALL[usize::from(n) % Stage::ALL.len()];
    match trigger {
        Trigger::Claim => {
            Event::Claim { node: "node".to_owned(), lease_until: now + Duration::from_secs(60) }
        }
        Trigger::Advance => Event::Advance { attempt, stage, progress: n },
        Trigger::AddFile => {
            let (index, key) = [(0, "rigged_glb"), (9, "prepared_glb")][usize::from(n % 2)];
            Event::AddFile { attempt, file: task_file(index, key, &format!("tasks/x/{attempt}/{n}")) }
        }
        Trigger::Complete => Event::Complete { attempt },
        Trigger::Retry => Event::Retry { attempt, error: failure(), at: now + Duration::from_secs(5) },
        Trigger::Release => Event::Release { attempt },
        Trigger::Fail => Event::Fail { attempt, error: failure() },
        Trigger::Cancel => Event::Cancel,
    }
}

/// The moves as `spec.md` §5 tells them, written down a second time.
fn expected(from: TaskStatus, on: Trigger) -> Option<TaskStatus> {
    use TaskStatus::{Cancelled, Created, Done, Error, Processing};
    match (from, on) {
        (Created, Trigger::Claim) => Some(Processing),
        (Created | Processing, Trigger::Cancel) => Some(Cancelled),
        (Processing, Trigger::Advance | Trigger::AddFile) => Some(Processing),
        (Processing, Trigger::Complete) => Some(Done),
        (Processing, Trigger::Retry | Trigger::Release) => Some(Created),
        (Processing, Trigger::Fail) => Some(Error),
        _ => None,
    }
}

#[test]
fn every_trigger_in_every_status_does_what_the_specification_says() {
    let now = ManualClock::default().now();
    let mut moves = 0;
    for from in TaskStatus::ALL {
        for on in Trigger::ALL {
            let mut task = task(now, 1);
            task.status = *from;
            task.attempt = 1;
            let result = apply(&task, &event(on, 1, now, 7), now);
            match expected(*from, on) {
                Some(to) => {
                    assert_eq!(result.unwrap().task.status, to, "{from} {on:?}");
                    moves += 1;
                }
                None => assert_eq!(result.unwrap_err(), Refused::Illegal { from: *from, on }),
            }
        }
    }
    assert_eq!(TABLE.len(), moves, "the table holds no move twice");
}

#[test]
fn a_failed_attempt_lets_go_of_its_files_and_the_next_starts_from_nothing() {
    let clock = ManualClock::default();
    let mut now = clock.now();
    let mut life = task(now, 1);
    for (trigger, n) in [(Trigger::Claim, 0), (Trigger::AddFile, 1), (Trigger::Advance, 39)] {
        life = apply(&life, &event(trigger, 1, now, n), now).unwrap().task;
    }
    assert_eq!((life.files.len(), life.progress, life.stage), (1, 39, Some(Stage::Pack)));
    now += Duration::from_secs(2);
    let failed = apply(&life, &event(Trigger::Retry, 1, now, 0), now).unwrap();
    assert_eq!(failed.released, ["tasks/x/1/1"]);
    assert_eq!((failed.task.progress, failed.task.failures), (0, 1));
    assert_eq!(failed.task.next_attempt_at, Some(now + Duration::from_secs(5)));
    assert_eq!(failed.task.timings["pack"], 2000);
    assert_eq!((&failed.task.error, &failed.task.last_failure), (&None, &Some(failure())));
    let again = apply(&failed.task, &event(Trigger::Claim, 0, now, 0), now).unwrap().task;
    assert_eq!((again.attempt, again.last_failure, again.timings.len()), (2, None, 0));
}

#[test]
fn a_release_is_no_failure() {
    let now = ManualClock::default().now();
    let claimed = apply(&task(now, 1), &event(Trigger::Claim, 0, now, 0), now).unwrap().task;
    let released = apply(&claimed, &event(Trigger::Release, 1, now, 0), now).unwrap().task;
    assert_eq!((released.status, released.failures), (TaskStatus::Created, 0));
    assert_eq!(released.next_attempt_at, None);
}

#[test]
fn a_file_made_twice_replaces_the_first() {
    let now = ManualClock::default().now();
    let claimed = apply(&task(now, 1), &event(Trigger::Claim, 0, now, 0), now).unwrap().task;
    let once = apply(&claimed, &event(Trigger::AddFile, 1, now, 2), now).unwrap().task;
    let twice = apply(&once, &event(Trigger::AddFile, 1, now, 4), now).unwrap();
    assert_eq!(twice.task.files.len(), 1);
    assert_eq!(twice.released, ["tasks/x/1/2"]);
}

proptest! {
    #[test]
    fn no_life_breaks_the_rules(
        steps in proptest::collection::vec((0_usize..8, 0_u32..4, any::<u8>()), 1..80),
    ) {
        let clock = ManualClock::default();
        let mut life = task(clock.now(), 1);
        let mut ends = 0;
        for (trigger, behind, n) in steps {
            clock.advance(Duration::from_millis(u64::from(n)));
            let now = clock.now();
            let attempt = life.attempt.saturating_sub(behind);
            let event = event(Trigger::ALL[trigger], attempt, now, n);
            match apply(&life, &event, now) {
                Err(Refused::Stale { spoke, current }) => {
                    prop_assert!(event.attempt() == Some(spoke) && spoke < current);
                }
                Err(Refused::Illegal { from, on }) => prop_assert_eq!(expected(from, on), None),
                Ok(outcome) => {
                    let after = outcome.task;
                    prop_assert!(!life.status.is_terminal(), "nothing follows the end");
                    prop_assert!(event.attempt().is_none_or(|speaks| speaks == life.attempt));
                    let claims = u32::from(event.trigger() == Trigger::Claim);
                    prop_assert_eq!(after.attempt, life.attempt + claims, "attempts only grow, by claims");
                    let same = after.attempt == life.attempt && after.status == TaskStatus::Processing;
                    prop_assert!(!same || after.progress >= life.progress, "progress never falls");
                    prop_assert!(after.progress <= 100 && (after.progress == 100) <= (n >= 100 || after.status == TaskStatus::Done || life.progress == 100));
                    prop_assert_eq!(after.version, life.version + outcome.events.len() as u64);
                    ends += outcome.events.iter().filter(|event| event.is_terminal()).count();
                    prop_assert!(ends <= 1, "one end");
                    prop_assert_eq!(ends == 1, after.status.is_terminal());
                    life = after;
                }
            }
            prop_assert_eq!(life.lease_until.is_some(), life.status == TaskStatus::Processing);
            prop_assert_eq!(life.lease_owner.is_some(), life.status == TaskStatus::Processing);
            prop_assert_eq!(life.finished_at.is_some(), life.status.is_terminal());
            prop_assert!(life.files.is_sorted_by_key(|file| file.index));
        }
    }
}

#[test]
fn events_have_the_names_of_the_api() {
    let names = [
        EventKind::Queued { position: None, next_attempt_at: None }.name(),
        EventKind::Stage { stage: Stage::Read, progress: 0 }.name(),
        EventKind::Done.name(),
        EventKind::Error(failure()).name(),
        EventKind::Cancelled.name(),
    ];
    assert_eq!(names, ["queued", "stage", "done", "error", "cancelled"]);
}
