//! The state machine, against every event in every state and against random lives.

use std::{collections::BTreeMap, time::Duration};

use autorig_core::{
    Class,
    clock::{Clock, ManualClock, Time},
    task::{
        EventKind, InputFile, Owner, Stage, Task, TaskError, TaskFile, TaskId, TaskStatus, Visibility,
        lifecycle::{Event, RESTART_AFTER, Refused, TABLE, TASK_LIMIT, Trigger, apply},
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
        priority: 0,
        visibility: Visibility::Unlisted,
        title: None,
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
        Trigger::Log => Event::Log { attempt, line: format!("line {n}") },
        Trigger::Complete => Event::Complete { attempt },
        Trigger::Retry => Event::Retry { attempt, error: failure(), at: now + Duration::from_secs(5) },
        Trigger::Release => Event::Release { attempt },
        Trigger::Fail => Event::Fail { attempt, error: failure() },
        Trigger::Cancel => Event::Cancel,
        Trigger::Restart => Event::Restart { forced: n % 2 == 1 },
        Trigger::Correct => {
            Event::Correct { params: serde_json::json!({"influences": n % 8 + 1}), total_count: 3 }
        }
        Trigger::Edit => Event::Edit {
            title: Some(n.is_multiple_of(2).then(|| format!("title {n}"))),
            visibility: Some(Visibility::ALL[usize::from(n) % Visibility::ALL.len()]),
        },
    }
}

/// The moves as `spec.md` §5 tells them, written down a second time.
fn expected(from: TaskStatus, on: Trigger) -> Option<TaskStatus> {
    use TaskStatus::{Cancelled, Created, Done, Error, Processing};
    match (from, on) {
        (Created, Trigger::Claim) => Some(Processing),
        (Created | Processing, Trigger::Cancel) => Some(Cancelled),
        (Processing, Trigger::Advance | Trigger::AddFile | Trigger::Log) => Some(Processing),
        (Processing, Trigger::Complete) => Some(Done),
        (Processing, Trigger::Retry | Trigger::Release) => Some(Created),
        (Processing, Trigger::Fail) => Some(Error),
        (Error | Processing, Trigger::Restart) => Some(Created),
        (Done, Trigger::Correct) => Some(Created),
        (same, Trigger::Edit) => Some(same),
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
fn a_restart_begins_anew_but_the_attempts_go_on_counting() {
    let mut now = ManualClock::default().now();
    let claimed = apply(&task(now, 1), &event(Trigger::Claim, 0, now, 0), now).unwrap().task;
    let filed = apply(&claimed, &event(Trigger::AddFile, 1, now, 1), now).unwrap().task;
    let failed = apply(&filed, &event(Trigger::Fail, 1, now, 0), now).unwrap().task;
    let again = Event::Restart { forced: false };
    let early = apply(&failed, &again, now + RESTART_AFTER - Duration::from_micros(1));
    assert_eq!(early.unwrap_err(), Refused::TooSoon { at: now + RESTART_AFTER });
    now += RESTART_AFTER;
    let anew = apply(&failed, &again, now).unwrap();
    assert_eq!(anew.released, ["tasks/x/1/1"]);
    let expected = Task { attempt: 1, version: anew.task.version, ..task(filed.created_at, 1) };
    assert_eq!(anew.task, expected, "as it was created, but for what fences off late workers");
    let second = apply(&anew.task, &event(Trigger::Claim, 0, now, 0), now).unwrap().task;
    let late = apply(&second, &event(Trigger::Complete, 1, now, 0), now).unwrap_err();
    assert_eq!(late, Refused::Stale { spoke: 1, current: 2 });
}

#[test]
fn an_admin_need_not_wait_and_an_owner_may_restart_what_is_stuck() {
    let now = ManualClock::default().now();
    let claimed = apply(&task(now, 1), &event(Trigger::Claim, 0, now, 0), now).unwrap().task;
    let again = Event::Restart { forced: false };
    assert_eq!(apply(&claimed, &again, now).unwrap_err(), Refused::TooSoon { at: now + TASK_LIMIT });
    let stuck = apply(&claimed, &again, now + TASK_LIMIT).unwrap().task;
    assert_eq!((stuck.status, stuck.lease_until, stuck.stage), (TaskStatus::Created, None, None));
    let forced = apply(&claimed, &Event::Restart { forced: true }, now).unwrap().task;
    assert_eq!(forced.status, TaskStatus::Created);
}

#[test]
fn an_edit_changes_what_people_see_and_nothing_of_the_work() {
    let now = ManualClock::default().now();
    let before = task(now, 1);
    let title = Some("Hero".to_owned());
    let edit = Event::Edit { title: Some(title.clone()), visibility: Some(Visibility::Private) };
    let outcome = apply(&before, &edit, now).unwrap();
    assert_eq!(outcome.task, Task { title, visibility: Visibility::Private, ..before.clone() });
    assert!(outcome.events.is_empty());
    let nothing = Event::Edit { title: None, visibility: None };
    assert_eq!(apply(&outcome.task, &nothing, now).unwrap().task, outcome.task);
    let untitled = Event::Edit { title: Some(None), visibility: Some(Visibility::Unlisted) };
    assert_eq!(apply(&outcome.task, &untitled, now).unwrap().task, before);
}

#[test]
fn a_correction_keeps_the_old_files_aside_and_begins_the_next_revision() {
    let now = ManualClock::default().now();
    let mut life = task(now, 1);
    for (trigger, n) in [(Trigger::Claim, 0), (Trigger::AddFile, 2), (Trigger::Complete, 0)] {
        life = apply(&life, &event(trigger, 1, now, n), now).unwrap().task;
    }
    let params = serde_json::json!({"influences": 2});
    let correct = Event::Correct { params: params.clone(), total_count: 5 };
    let outcome = apply(&life, &correct, now).unwrap();
    let old = outcome.archived.unwrap();
    assert_eq!((old.revision, &old.files), (1, &life.files));
    assert!(outcome.released.is_empty(), "what the first revision has made stays");
    let next = outcome.task;
    assert_eq!((next.status, next.revision, next.files.len()), (TaskStatus::Created, 2, 0));
    assert_eq!((next.params.clone(), next.total_count, next.finished_at), (params, 5, None));
    let claimed = apply(&next, &event(Trigger::Claim, 0, now, 0), now).unwrap().task;
    assert_eq!(claimed.attempt, 2, "so its files do not meet those of the first");
}

#[test]
fn a_log_line_is_kept_short_and_without_control_characters() {
    let now = ManualClock::default().now();
    let claimed = apply(&task(now, 1), &event(Trigger::Claim, 0, now, 0), now).unwrap().task;
    let said = |line: &str| {
        let event = Event::Log { attempt: 1, line: line.to_owned() };
        apply(&claimed, &event, now).unwrap().events
    };
    assert_eq!(said(" a\x1b[2Jb\n"), [EventKind::Log { message: "a [2Jb".to_owned() }]);
    assert!(said(" \n").is_empty());
    let [EventKind::Log { message }] = &said(&"é".repeat(5000))[..] else { panic!("one line") };
    assert_eq!(message.len(), 2000);
}

#[test]
fn a_failed_attempt_says_why_in_the_log() {
    let now = ManualClock::default().now();
    let claimed = apply(&task(now, 1), &event(Trigger::Claim, 0, now, 0), now).unwrap().task;
    let failed = apply(&claimed, &event(Trigger::Retry, 1, now, 0), now).unwrap();
    let why = EventKind::Log { message: "attempt 1 failed: gone (worker_lost)".to_owned() };
    assert_eq!(failed.events.first(), Some(&why));
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
        steps in proptest::collection::vec((0_usize..Trigger::ALL.len(), 0_u32..4, any::<u8>()), 1..80),
    ) {
        let clock = ManualClock::default();
        let mut life = task(clock.now(), 1);
        let mut ends = 0_i32;
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
                Err(Refused::TooSoon { at }) => prop_assert!(on_restart(&event) && n % 2 == 0 && at > now),
                Ok(outcome) => {
                    let after = outcome.task;
                    let edited = event.trigger() == Trigger::Edit;
                    let reopened = (life.status == TaskStatus::Error && on_restart(&event))
                        || event.trigger() == Trigger::Correct;
                    prop_assert!(!life.status.is_terminal() || edited || reopened, "nothing else follows the end");
                    prop_assert!(!edited || outcome.events.is_empty());
                    ends -= i32::from(reopened);
                    prop_assert!(event.attempt().is_none_or(|speaks| speaks == life.attempt));
                    let claims = u32::from(event.trigger() == Trigger::Claim);
                    prop_assert_eq!(after.attempt, life.attempt + claims, "attempts only grow, by claims");
                    let same = after.attempt == life.attempt && after.status == TaskStatus::Processing;
                    prop_assert!(!same || after.progress >= life.progress, "progress never falls");
                    prop_assert!(after.progress <= 100 && (after.progress == 100) <= (n >= 100 || after.status == TaskStatus::Done || life.progress == 100));
                    prop_assert_eq!(after.version, life.version + outcome.events.len() as u64);
                    ends += i32::try_from(outcome.events.iter().filter(|event| event.is_terminal()).count()).unwrap();
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

fn on_restart(event: &Event) -> bool {
    event.trigger() == Trigger::Restart
}

#[test]
fn events_have_the_names_of_the_api() {
    let names = [
        EventKind::Queued { position: None, next_attempt_at: None }.name(),
        EventKind::Stage { stage: Stage::Read, progress: 0 }.name(),
        EventKind::Log { message: String::new() }.name(),
        EventKind::Done.name(),
        EventKind::Error(failure()).name(),
        EventKind::Cancelled.name(),
    ];
    assert_eq!(names, ["queued", "stage", "log", "done", "error", "cancelled"]);
}
