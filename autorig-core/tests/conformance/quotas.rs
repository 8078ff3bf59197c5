//! What owners may create, in every store.

use std::time::Duration;

use autorig_core::{
    clock::{Clock, ManualClock, Time},
    store::{Quota, Store, UsedUp},
    task::{Owner, OwnerKind, Task, TaskId, lifecycle::Event},
};

use crate::lifecycle::task;

const QUOTA: Quota = Quota { at_once: 2, a_day: 4, apart: Duration::from_secs(5) };

fn after(seconds: u64) -> Time {
    ManualClock::default().now() + Duration::from_secs(seconds)
}

fn user(id: &str) -> Owner {
    Owner { kind: OwnerKind::User, id: id.to_owned() }
}

fn id(n: u128) -> TaskId {
    TaskId(uuid::Uuid::from_u128(n))
}

/// Takes a place and, where there is one, makes the task.
async fn create(store: &dyn Store, n: u128, at: Time) -> Option<UsedUp> {
    let used_up = store.take_place(&user("me"), id(n), at, &QUOTA).await.unwrap();
    if used_up.is_none() {
        store.insert(&Task { owner: user("me"), ..task(at, n) }, None, &[]).await.unwrap();
        store.place_used(id(n)).await.unwrap();
    }
    used_up
}

pub(super) async fn an_owner_gets_as_many_places_as_the_quota_says(store: &dyn Store) {
    assert_eq!(create(store, 1, after(0)).await, None);
    assert_eq!(create(store, 2, after(4)).await, Some(UsedUp::Apart(Duration::from_secs(1))));
    assert_eq!(create(store, 2, after(5)).await, None);
    assert_eq!(create(store, 3, after(10)).await, Some(UsedUp::AtOnce));
    let other = store.take_place(&user("them"), id(9), after(10), &QUOTA).await.unwrap();
    assert_eq!(other, None, "everybody has a quota of their own");
    for n in [1, 2] {
        store.apply(id(n), &Event::Cancel, after(11), &[]).await.unwrap();
    }
    assert_eq!(create(store, 3, after(12)).await, None);
    store.remove(id(3), None, after(12)).await.unwrap();
    assert_eq!(create(store, 4, after(20)).await, None);
    store.apply(id(4), &Event::Cancel, after(21), &[]).await.unwrap();
    let day = 24 * 60 * 60;
    let wait = Duration::from_secs(day - 30);
    assert_eq!(
        create(store, 5, after(30)).await,
        Some(UsedUp::ADay(wait)),
        "a removed task has been created, too"
    );
    assert_eq!(create(store, 5, after(day)).await, None, "the first has left the day");
}

pub(super) async fn a_place_without_a_task_is_given_back_or_lost_in_time(store: &dyn Store) {
    let at_once = Quota { at_once: 1, a_day: 0, apart: Duration::ZERO };
    let take =
        async |n: u128, at: u64| store.take_place(&user("me"), id(n), after(at), &at_once).await.unwrap();
    assert_eq!(take(1, 0).await, None);
    assert_eq!(take(2, 1).await, Some(UsedUp::AtOnce));
    store.give_place_back(id(1)).await.unwrap();
    assert_eq!(take(2, 2).await, None);
    assert_eq!(take(3, 3601).await, Some(UsedUp::AtOnce));
    assert_eq!(take(3, 3602).await, None, "whoever took it an hour ago has crashed");
    store.place_used(id(3)).await.unwrap();
    store.give_place_back(id(3)).await.unwrap();
    let daily = Quota { at_once: 0, a_day: 2, apart: Duration::ZERO };
    let used = store.take_place(&user("me"), id(4), after(3603), &daily).await.unwrap();
    assert!(matches!(used, Some(UsedUp::ADay(_))), "a used place is not given back: {used:?}");
    let none = Quota { at_once: 0, a_day: 0, apart: Duration::ZERO };
    assert_eq!(store.take_place(&user("me"), id(4), after(3603), &none).await.unwrap(), None);
}

pub(super) async fn many_at_once_get_no_more_places_than_there_are(store: &dyn Store) {
    let quota = Quota { at_once: 3, a_day: 0, apart: Duration::ZERO };
    let me = user("me");
    let takes = (1..=12).map(|n| {
        let (me, quota) = (&me, &quota);
        async move { store.take_place(me, id(n), after(0), quota).await.unwrap() }
    });
    let taken = futures_util::future::join_all(takes).await;
    assert_eq!(taken.iter().filter(|used_up| used_up.is_none()).count(), 3, "{taken:?}");
}
