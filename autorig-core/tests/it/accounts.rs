//! Who calls, what they may do, and their keys.

use std::time::Duration;

use autorig_core::{
    Error,
    account::{
        Caller, Credentials, Denied, MadeKey, Need, NewKey, Scope, Scopes, Secret, Via, access::check,
    },
    clock::{Clock, ManualClock},
    task::{Owner, OwnerKind, Task, Visibility},
};

use crate::{lifecycle::task, support::World};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn user(id: &str) -> Owner {
    Owner { kind: OwnerKind::User, id: id.to_owned() }
}

fn person(id: &str) -> Caller {
    Caller { owner: Some(user(id)), admin: false, scopes: None, via: Via::Session }
}

fn admin() -> Caller {
    Caller { admin: true, ..person("admin") }
}

fn with_key(id: &str, scopes: &[Scope]) -> Caller {
    let scopes: Scopes = scopes.iter().copied().collect();
    Caller { admin: scopes.allow(Scope::Admin), scopes: Some(scopes), ..person(id) }
}

fn named(name: &str) -> NewKey {
    NewKey { name: name.to_owned(), scopes: Scopes::usual(), live: true, expires_at: None, user: None }
}

fn task_of(owner: &str, visibility: Visibility) -> Task {
    Task { owner: user(owner), visibility, ..task(ManualClock::default().now(), 1) }
}

#[test]
fn who_may_read_and_write_a_task_is_as_the_specification_says() {
    use Scope::{TasksRead as R, TasksWrite as W};
    let (hidden, not_owner, sign_in) = (Err(Denied::Hidden), Err(Denied::NotOwner), Err(Denied::SignIn));
    let no = |scope| Err(Denied::Scope(scope));
    // Caller; read and write of a public or unlisted task of `me`, then of a private one.
    let table = [
        ("a stranger", Caller::stranger(), Ok(()), sign_in, hidden, hidden),
        ("another person", person("them"), Ok(()), not_owner, hidden, hidden),
        ("another's key", with_key("them", &[R, W]), Ok(()), not_owner, hidden, hidden),
        ("the owner", person("me"), Ok(()), Ok(()), Ok(()), Ok(())),
        ("the owner's key", with_key("me", &[R, W]), Ok(()), Ok(()), Ok(()), Ok(())),
        ("the owner's reading key", with_key("me", &[R]), Ok(()), no(W), Ok(()), no(W)),
        ("the owner's writing key", with_key("me", &[W]), no(R), Ok(()), no(R), Ok(())),
        ("a worker's key", with_key("me", &[Scope::Worker]), no(R), no(W), no(R), no(W)),
        ("an admin", admin(), Ok(()), Ok(()), Ok(()), Ok(())),
        ("an admin's key", with_key("admin", &[Scope::Admin]), Ok(()), Ok(()), Ok(()), Ok(())),
        ("an admin's key without the scope", with_key("admin", &[R, W]), Ok(()), not_owner, hidden, hidden),
        ("whoever is at the machine", Caller::local(), Ok(()), Ok(()), Ok(()), Ok(())),
    ];
    for (who, caller, read, write, read_private, write_private) in table {
        for visibility in [Visibility::Public, Visibility::Unlisted] {
            let task = task_of("me", visibility);
            assert_eq!(check(&caller, Need::ReadTask(R), Some(&task)), read, "{who} reads");
            assert_eq!(check(&caller, Need::WriteTask(W), Some(&task)), write, "{who} writes");
        }
        let private = task_of("me", Visibility::Private);
        assert_eq!(check(&caller, Need::ReadTask(R), Some(&private)), read_private, "{who} reads, private");
        assert_eq!(
            check(&caller, Need::WriteTask(W), Some(&private)),
            write_private,
            "{who} writes, private"
        );
    }
}

#[test]
fn a_task_that_is_not_there_is_hidden_from_everyone_and_a_user_of_another_kind_is_another() {
    for caller in [Caller::stranger(), person("me"), admin(), Caller::local()] {
        assert_eq!(check(&caller, Need::ReadTask(Scope::TasksRead), None), Err(Denied::Hidden));
        assert_eq!(check(&caller, Need::WriteTask(Scope::TasksWrite), None), Err(Denied::Hidden));
    }
    let mut task = task_of("me", Visibility::Private);
    task.owner.kind = OwnerKind::Anonymous;
    assert_eq!(check(&person("me"), Need::ReadTask(Scope::TasksRead), Some(&task)), Err(Denied::Hidden));
}

#[test]
fn other_calls_need_a_name_a_scope_a_person_or_an_admin() {
    let worker = with_key("w", &[Scope::Worker]);
    let usual = with_key("u", &[Scope::TasksRead]);
    let root = with_key("admin", &[Scope::Admin]);
    for (caller, need, expected) in [
        (&Caller::stranger(), Need::Nothing, Ok(())),
        (&Caller::stranger(), Need::Known(Scope::TasksWrite), Err(Denied::SignIn)),
        (&worker, Need::Known(Scope::Worker), Ok(())),
        (&usual, Need::Known(Scope::Worker), Err(Denied::Scope(Scope::Worker))),
        (&person("p"), Need::Known(Scope::TasksWrite), Ok(())),
        (&Caller::stranger(), Need::Person, Err(Denied::SignIn)),
        (&usual, Need::Person, Err(Denied::Person)),
        (&person("p"), Need::Person, Ok(())),
        (&root, Need::Person, Ok(())),
        (&person("p"), Need::Admin(Scope::Admin), Err(Denied::NotAdmin)),
        (&usual, Need::Admin(Scope::Admin), Err(Denied::Scope(Scope::Admin))),
        (&root, Need::Admin(Scope::Admin), Ok(())),
        (&Caller::local(), Need::Admin(Scope::Admin), Ok(())),
    ] {
        assert_eq!(check(caller, need, None), expected, "{caller:?} {need:?}");
    }
}

async fn call_with(world: &World, key: &Secret) -> Result<Caller, Error> {
    let credentials = Credentials { key: Some(key.reveal()), session: None };
    world.autorig.accounts().caller(credentials).await
}

#[tokio::test]
async fn a_key_opens_until_it_is_revoked_or_expires() {
    let world = World::new().await;
    let accounts = world.autorig.accounts();
    let MadeKey { key, secret } = accounts.make_key(&person("me"), named("build")).await.unwrap();
    let caller = call_with(&world, &secret).await.unwrap();
    assert_eq!((caller.owner, caller.admin), (Some(user("me")), false));
    assert_eq!(caller.via, Via::Key { id: key.id, live: true });
    assert!(accounts.revoke_key(&person("me"), key.id).await.unwrap());
    assert_eq!(call_with(&world, &secret).await.unwrap_err().code, "invalid_api_key");

    let end = world.clock.now() + DAY;
    let new = NewKey { expires_at: Some(end), ..named("a day") };
    let made = accounts.make_key(&person("me"), new).await.unwrap();
    world.clock.advance(DAY - Duration::from_secs(1));
    assert!(call_with(&world, &made.secret).await.is_ok());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(call_with(&world, &made.secret).await.unwrap_err().code, "invalid_api_key");
}

#[tokio::test]
async fn what_is_no_key_opens_nothing_and_a_cookie_that_is_none_makes_a_stranger() {
    let world = World::new().await;
    let accounts = world.autorig.accounts();
    for key in ["", "x", &format!("ark_live_{}", "0".repeat(64))] {
        let error = accounts.caller(Credentials { key: Some(key), session: None }).await.unwrap_err();
        assert_eq!(error.code, "invalid_api_key");
    }
    for session in [None, Some("x"), Some("0".repeat(64).as_str())] {
        let caller = accounts.caller(Credentials { key: None, session }).await.unwrap();
        assert_eq!(caller, Caller::stranger());
    }
}

#[tokio::test]
async fn a_use_is_noted_now_and_then_only() {
    let world = World::new().await;
    let accounts = world.autorig.accounts();
    let made = accounts.make_key(&person("me"), named("k")).await.unwrap();
    let used = async || accounts.keys(&person("me")).await.unwrap()[0].last_used_at;
    assert_eq!(used().await, None);
    call_with(&world, &made.secret).await.unwrap();
    let first = world.clock.now();
    assert_eq!(used().await, Some(first));
    world.clock.advance(Duration::from_secs(299));
    call_with(&world, &made.secret).await.unwrap();
    assert_eq!(used().await, Some(first));
    world.clock.advance(Duration::from_secs(1));
    call_with(&world, &made.secret).await.unwrap();
    assert_eq!(used().await, Some(world.clock.now()));
}

#[tokio::test]
async fn a_rotated_key_opens_beside_the_new_one_for_a_while() {
    let world = World::new().await;
    let accounts = world.autorig.accounts();
    let me = person("me");
    let old = accounts.make_key(&me, NewKey { live: false, ..named("k") }).await.unwrap();
    let new = accounts.rotate_key(&me, old.key.id, None).await.unwrap().unwrap();
    assert_eq!((&new.key.name, &new.key.scopes, new.key.live), (&old.key.name, &old.key.scopes, false));
    assert!(new.secret.reveal().starts_with("ark_test_"));
    world.clock.advance(DAY - Duration::from_secs(1));
    assert!(call_with(&world, &old.secret).await.is_ok());
    world.clock.advance(Duration::from_secs(1));
    assert!(call_with(&world, &old.secret).await.is_err());
    assert!(call_with(&world, &new.secret).await.is_ok());
    let at_once = accounts.rotate_key(&me, new.key.id, Some(Duration::ZERO)).await.unwrap().unwrap();
    assert!(call_with(&world, &new.secret).await.is_err());
    assert!(call_with(&world, &at_once.secret).await.is_ok());
    assert!(accounts.rotate_key(&me, new.key.id, None).await.unwrap().is_none(), "it has expired");
    let long = accounts.rotate_key(&me, at_once.key.id, Some(31 * DAY)).await.unwrap_err();
    assert_eq!(long.code, "invalid_key");
}

#[tokio::test]
async fn nobody_manages_the_keys_of_another_but_an_admin() {
    let world = World::new().await;
    let accounts = world.autorig.accounts();
    let (me, them) = (person("me"), person("them"));
    let made = accounts.make_key(&me, named("mine")).await.unwrap();
    assert!(accounts.keys(&them).await.unwrap().is_empty());
    assert!(!accounts.revoke_key(&them, made.key.id).await.unwrap());
    assert!(accounts.rotate_key(&them, made.key.id, None).await.unwrap().is_none());
    assert_eq!(accounts.keys(&Caller::stranger()).await.unwrap_err().code, "sign_in_required");
    let given = NewKey { user: Some("acme".to_owned()), ..named("theirs") };
    assert_eq!(accounts.make_key(&me, given.clone()).await.unwrap_err().code, "admin_required");
    let given = accounts.make_key(&admin(), given).await.unwrap();
    assert_eq!(given.key.owner, user("acme"));
    assert_eq!(accounts.keys(&admin()).await.unwrap().len(), 2);
    assert!(accounts.revoke_key(&admin(), made.key.id).await.unwrap());
}

#[tokio::test]
async fn nobody_gives_a_key_more_than_they_have() {
    let world = World::new().await;
    let accounts = world.autorig.accounts();
    let key = |scopes: &[Scope]| NewKey { scopes: scopes.iter().copied().collect(), ..named("k") };
    for scope in [Scope::Admin, Scope::Worker] {
        let error = accounts.make_key(&person("me"), key(&[scope])).await.unwrap_err();
        assert_eq!(error.code, "admin_required", "{scope}");
        assert!(accounts.make_key(&admin(), key(&[scope])).await.is_ok());
    }
    let reading = with_key("me", &[Scope::TasksRead]);
    let error = accounts.make_key(&reading, key(&[Scope::TasksWrite])).await.unwrap_err();
    assert_eq!(error.code, "scope_missing");
    for wrong in [
        key(&[]),
        named(" "),
        named(&"x".repeat(101)),
        named("a\nb"),
        NewKey { expires_at: Some(world.clock.now()), ..named("late") },
    ] {
        assert_eq!(accounts.make_key(&person("me"), wrong).await.unwrap_err().code, "invalid_key");
    }
}

#[tokio::test]
async fn an_admin_link_makes_one_admin_once() {
    let world = World::new().await;
    let accounts = world.autorig.accounts();
    assert!(!accounts.has_admin());
    let (first, second) = (accounts.admin_link().await.unwrap(), accounts.admin_link().await.unwrap());
    let (cookie, session) = accounts.use_admin_link(first.reveal()).await.unwrap();
    assert!(accounts.has_admin() && session.admin);
    let caller = accounts.caller(Credentials { key: None, session: Some(cookie.reveal()) }).await.unwrap();
    assert_eq!(caller, admin());
    for link in [first.reveal(), second.reveal(), "x", ""] {
        assert_eq!(accounts.use_admin_link(link).await.unwrap_err().code, "admin_link_invalid");
    }
    assert!(accounts.sign_out(cookie.reveal()).await.unwrap());
    let gone = accounts.caller(Credentials { key: None, session: Some(cookie.reveal()) }).await.unwrap();
    assert_eq!(gone, Caller::stranger());
    let late = accounts.admin_link().await.unwrap();
    world.clock.advance(DAY);
    assert_eq!(accounts.use_admin_link(late.reveal()).await.unwrap_err().code, "admin_link_invalid");
}
