//! The queue of every store: whose turn it is.

use std::time::Duration;

use autorig_core::{
    Class,
    clock::Time,
    store::{Claim, Store},
    task::{Owner, OwnerKind, Task, TaskError, TaskId, lifecycle::Event},
};

use super::store::{after, cases, done, file, memory, now, postgres};
use crate::lifecycle::{failure, task};

fn user(name: &str) -> Owner {
    Owner { kind: OwnerKind::User, id: name.to_owned() }
}

/// Sends tasks of an owner; their ids are `first`, `first + 1`, ….
async fn send(store: &dyn Store, owner: &str, first: u128, count: u128) {
    for id in first..first + count {
        send_at(store, owner, id, 0, now()).await;
    }
}

async fn send_at(store: &dyn Store, owner: &str, id: u128, priority: i32, at: Time) -> TaskId {
    let task = Task { owner: user(owner), priority, ..task(at, id) };
    store.insert(&task, None, &[]).await.unwrap();
    task.id
}

fn claim(limit: u32, per_owner: Option<u32>, at: Time) -> Claim {
    let lease_until = at + Duration::from_secs(60);
    Claim { node: "node".to_owned(), kinds: vec!["rig".to_owned()], limit, per_owner, now: at, lease_until }
}

/// Who is served, in order: the numbers of the claimed tasks, one claim each.
async fn served(store: &dyn Store, count: usize) -> Vec<u128> {
    let mut order = Vec::new();
    for _ in 0..count {
        order.extend(store.claim(&claim(1, None, after(1))).await.unwrap().iter().map(|t| t.id.0.as_u128()));
    }
    order
}

fn numbers(tasks: &[Task]) -> Vec<u128> {
    let mut numbers: Vec<u128> = tasks.iter().map(|task| task.id.0.as_u128()).collect();
    numbers.sort_unstable();
    numbers
}

async fn owners_take_turns_and_each_ones_tasks_go_oldest_first(store: &dyn Store) {
    send(store, "many", 100, 5).await;
    send(store, "some", 200, 2).await;
    assert_eq!(served(store, 3).await, [100, 200, 101]);
    // Who comes later does not wait for those who sent many before.
    send(store, "late", 300, 2).await;
    assert_eq!(served(store, 9).await, [201, 300, 102, 301, 103, 104]);
}

async fn a_higher_priority_goes_first_and_reads_back(store: &dyn Store) {
    send(store, "a", 1, 2).await;
    let urgent = send_at(store, "b", 3, 5, now()).await;
    send_at(store, "b", 4, -5, now()).await;
    assert_eq!(store.task(urgent).await.unwrap().unwrap().priority, 5);
    assert_eq!(store.ahead_of(urgent).await.unwrap(), Some(0));
    assert_eq!(served(store, 5).await, [3, 1, 2, 4]);
}

async fn no_owner_has_more_in_work_than_is_allowed(store: &dyn Store) {
    send(store, "greedy", 100, 10).await;
    send(store, "modest", 200, 1).await;
    let first = store.claim(&claim(8, Some(3), now())).await.unwrap();
    assert_eq!(numbers(&first), [100, 101, 102, 200]);
    assert!(store.claim(&claim(8, Some(3), now())).await.unwrap().is_empty());
    done(store, first[0].id, &Event::Cancel, now()).await;
    assert_eq!(store.claim(&claim(8, Some(3), now())).await.unwrap().len(), 1);
    // The person at this machine may use it as he likes.
    for id in 1..=5 {
        store.insert(&task(now(), id), None, &[]).await.unwrap();
    }
    assert_eq!(numbers(&store.claim(&claim(8, Some(3), now())).await.unwrap()), [1, 2, 3, 4, 5]);
}

async fn owners_who_may_have_no_more_do_not_stand_in_the_way_of_others(store: &dyn Store) {
    send(store, "greedy", 1000, 400).await;
    assert_eq!(store.claim(&claim(8, Some(1), now())).await.unwrap().len(), 1);
    // Their turns come long after the first few hundred of the greedy one.
    send(store, "x", 2000, 350).await;
    store.claim(&claim(8, Some(1), now())).await.unwrap();
    let x = store.held_by("node").await.unwrap();
    assert_eq!(numbers(&x), [1000, 2000]);
    send(store, "y", 3000, 1).await;
    assert_eq!(numbers(&store.claim(&claim(8, Some(1), now())).await.unwrap()), [3000]);
}

async fn claims_at_once_keep_to_the_limit_of_an_owner(store: &dyn Store) {
    send(store, "greedy", 100, 30).await;
    let claims = (0..8).map(|_| async { store.claim(&claim(2, Some(3), now())).await.unwrap().len() });
    let got: usize = futures_util::future::join_all(claims).await.into_iter().sum();
    assert_eq!(got, 3);
}

async fn a_task_that_is_due_again_goes_before_those_that_wait(store: &dyn Store) {
    send(store, "a", 1, 3).await;
    let first = store.claim(&claim(1, None, now())).await.unwrap().remove(0);
    let again = Event::Retry { attempt: 1, error: failure(), at: after(5) };
    done(store, first.id, &again, now()).await;
    assert_eq!(store.ahead_of(first.id).await.unwrap(), Some(0));
    assert_eq!(numbers(&store.claim(&claim(1, None, after(4))).await.unwrap()), [2]);
    assert_eq!(numbers(&store.claim(&claim(1, Some(9), after(5))).await.unwrap()), [1]);
}

async fn a_task_given_back_does_not_move_the_queue_back(store: &dyn Store) {
    send(store, "many", 100, 20).await;
    let early = store.claim(&claim(1, None, now())).await.unwrap().remove(0);
    served(store, 10).await;
    done(store, early.id, &Event::Release { attempt: 1 }, now()).await;
    send(store, "late", 200, 3).await;
    assert_eq!(served(store, 6).await, [100, 111, 200, 112, 201, 113]);
}

async fn only_failures_that_are_not_the_senders_fault_are_dead_letters(store: &dyn Store) {
    send(store, "a", 1, 4).await;
    let claimed = store.claim(&claim(4, None, now())).await.unwrap();
    let fail = |class, seconds| {
        let error = TaskError { class, ..failure() };
        (Event::Fail { attempt: 1, error }, after(seconds))
    };
    let classes = [Class::Temporary, Class::UserViolation, Class::Billing, Class::Unknown];
    for (task, (event, at)) in claimed.iter().zip(classes.into_iter().zip(1..).map(|(c, s)| fail(c, s))) {
        done(store, task.id, &event, at).await;
    }
    let letters = store.dead_letters(None, 2).await.unwrap();
    assert_eq!(letters.iter().map(|task| task.id.0.as_u128()).collect::<Vec<_>>(), [4, 3]);
    let last = letters.last().unwrap();
    let rest = store.dead_letters(Some((last.finished_at.unwrap(), last.id)), 9).await.unwrap();
    assert_eq!(numbers(&rest), [1]);
}

macro_rules! queue_suite {
    ($name:ident, $make:expr) => {
        cases! { $name, $make;
            owners_take_turns_and_each_ones_tasks_go_oldest_first
            a_higher_priority_goes_first_and_reads_back
            no_owner_has_more_in_work_than_is_allowed
            owners_who_may_have_no_more_do_not_stand_in_the_way_of_others
            claims_at_once_keep_to_the_limit_of_an_owner
            a_task_that_is_due_again_goes_before_those_that_wait
            a_task_given_back_does_not_move_the_queue_back
            only_failures_that_are_not_the_senders_fault_are_dead_letters
        }
    };
}

queue_suite!(sqlite_file, super::file());
queue_suite!(sqlite_in_memory, super::memory());
queue_suite!(postgres, super::postgres());
