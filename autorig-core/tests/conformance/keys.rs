//! API keys, sessions and the admin link, in every store.

use std::time::Duration;

use autorig_core::{
    account::{ApiKey, KeyId, Scope, Scopes, Session},
    clock::{Clock, ManualClock, Time},
    store::Store,
    task::{Owner, OwnerKind},
};

fn after(seconds: u64) -> Time {
    ManualClock::default().now() + Duration::from_secs(seconds)
}

fn user(id: &str) -> Owner {
    Owner { kind: OwnerKind::User, id: id.to_owned() }
}

fn key(id: u128, owner: &Owner, at: Time) -> ApiKey {
    ApiKey {
        id: KeyId(uuid::Uuid::from_u128(id)),
        owner: owner.clone(),
        name: "büro".to_owned(),
        hint: "ark_live_0af9…".to_owned(),
        live: true,
        scopes: [Scope::TasksRead, Scope::Worker].into_iter().collect(),
        created_at: at,
        last_used_at: None,
        expires_at: Some(after(1000)),
        revoked_at: None,
    }
}

pub(super) async fn a_key_reads_back_by_its_id_its_hash_and_its_owner(store: &dyn Store) {
    let (mine, theirs) = (user("me"), user("them"));
    let first = key(1, &mine, after(1));
    let second = ApiKey { live: false, expires_at: None, scopes: Scopes::usual(), ..key(2, &mine, after(2)) };
    let other = key(3, &theirs, after(3));
    for (key, hash) in [(&first, "h1"), (&second, "h2"), (&other, "h3")] {
        store.insert_key(key, hash).await.unwrap();
    }
    assert_eq!(store.key(first.id).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.key_by_hash("h2").await.unwrap().as_ref(), Some(&second));
    assert_eq!(store.key_by_hash("h9").await.unwrap(), None);
    assert_eq!(store.keys(Some(&mine)).await.unwrap(), [second.clone(), first.clone()], "newest first");
    assert_eq!(store.keys(None).await.unwrap().len(), 3);
    assert_eq!(store.keys(Some(&user("nobody"))).await.unwrap(), []);
    assert_eq!(store.insert_key(&key(4, &mine, after(4)), "h1").await.unwrap_err().code, "internal");
    assert_eq!(store.insert_key(&first, "h4").await.unwrap_err().code, "internal");
}

pub(super) async fn a_key_is_used_revoked_once_and_rotated_while_it_is_good(store: &dyn Store) {
    let mine = user("me");
    let first = key(1, &mine, after(1));
    store.insert_key(&first, "h1").await.unwrap();
    store.key_used(first.id, after(5)).await.unwrap();
    assert_eq!(store.key(first.id).await.unwrap().unwrap().last_used_at, Some(after(5)));
    let second = key(2, &mine, after(6));
    assert!(store.rotate_key(first.id, after(60), &second, "h2").await.unwrap());
    assert_eq!(store.key(first.id).await.unwrap().unwrap().expires_at, Some(after(60)));
    assert_eq!(store.key_by_hash("h2").await.unwrap(), Some(second.clone()));
    assert!(store.revoke_key(second.id, after(7)).await.unwrap());
    assert!(!store.revoke_key(second.id, after(8)).await.unwrap());
    assert_eq!(store.key(second.id).await.unwrap().unwrap().revoked_at, Some(after(7)));
    assert!(!store.rotate_key(second.id, after(60), &key(3, &mine, after(9)), "h3").await.unwrap());
    assert_eq!(store.key_by_hash("h3").await.unwrap(), None, "nothing has changed");
    assert!(!store.revoke_key(KeyId(uuid::Uuid::nil()), after(9)).await.unwrap());
}

pub(super) async fn an_admin_link_is_used_once_and_ends_the_others(store: &dyn Store) {
    let session = Session { owner: user("admin"), admin: true, created_at: after(10), expires_at: after(20) };
    assert!(!store.admin_link_used().await.unwrap());
    store.insert_admin_link("old", after(0), after(5)).await.unwrap();
    store.insert_admin_link("a", after(6), after(100)).await.unwrap();
    store.insert_admin_link("b", after(6), after(100)).await.unwrap();
    for (hash, at) in [("old", 5), ("none", 6), ("a", 100)] {
        assert!(!store.use_admin_link(hash, after(at), &session, "no").await.unwrap(), "{hash}");
    }
    assert!(!store.admin_link_used().await.unwrap());
    assert!(store.use_admin_link("a", after(10), &session, "s").await.unwrap());
    assert!(store.admin_link_used().await.unwrap());
    for hash in ["a", "b"] {
        assert!(!store.use_admin_link(hash, after(11), &session, "no").await.unwrap(), "{hash}");
    }
    assert_eq!(store.session("no", after(11)).await.unwrap(), None);
    assert_eq!(store.session("s", after(19)).await.unwrap(), Some(session));
    assert_eq!(store.session("s", after(20)).await.unwrap(), None, "it has ended");
    assert!(store.end_session("s").await.unwrap());
    assert!(!store.end_session("s").await.unwrap());
    assert_eq!(store.session("s", after(11)).await.unwrap(), None);
}
