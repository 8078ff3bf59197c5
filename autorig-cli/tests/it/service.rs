//! The served product: the binary as a server, our own client in front of it.

mod process;

use std::{collections::BTreeSet, fs, time::Duration};

use autorig_client::{Client, Event, EventKind, Events, NewTask, Status, Task, TaskOptions};
use autorig_engine::{
    sample::{Sample, generate},
    write::scene_glb,
};
use rustix::process::Signal;

pub(crate) use self::process::Service;
use self::process::{Other, Running};
use crate::{
    glb::assert_rigged,
    shell::{arg, assert_refused, code, folder, folder_with_hero, human, names, run, stderr},
};

/// What any task here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Enough triangles for a rig to be caught in the middle.
fn large() -> Vec<u8> {
    scene_glb(&generate(Sample::Robot, Some(600_000)).unwrap()).unwrap()
}

/// The processes that rig the task. The kernel's list may miss one while others end, so it is read again until the task is finished.
async fn rigging(service: &Service, client: &Client, id: &str) -> Vec<Other> {
    loop {
        let children = service.children();
        if !children.is_empty() || client.get(id).await.unwrap().status != Status::Processing {
            return children;
        }
    }
}

async fn until(events: &mut Events, wanted: impl Fn(&EventKind) -> bool) -> Event {
    while let Some(event) = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap() {
        assert!(!matches!(event.kind, EventKind::Error(_)), "{event:?}");
        if wanted(&event.kind) {
            return event;
        }
    }
    panic!("the events ended before the one that was awaited");
}

async fn rest(events: &mut Events) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    while let Some(event) = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap() {
        kinds.push(event.kind);
    }
    kinds
}

fn keys(task: &Task) -> Vec<&str> {
    task.files.iter().map(|file| file.key.as_str()).collect()
}

/// Pictures and videos of every case would take minutes.
fn rig_only() -> TaskOptions {
    TaskOptions { mode: Some("rig_only".to_owned()), ..TaskOptions::default() }
}

#[tokio::test]
async fn a_character_sent_to_the_server_comes_back_as_from_the_shell() {
    let (folder, hero) = folder_with_hero();
    let shell = folder.path().join("shell");
    let output =
        run(&["rig", arg(&hero), "-o", &format!("{}/", arg(&shell)), "--outputs", "prepared_glb,all_zip"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));

    let service = Service::start(&folder.path().join("data"));
    let client = service.client();
    let options = TaskOptions { outputs: vec!["all_zip".to_owned()], ..rig_only() };
    let created = client.create(&NewTask::file(&hero).options(options)).await.unwrap();
    let kinds = rest(&mut client.events(&created.task_id)).await;
    assert_eq!(kinds.last(), Some(&EventKind::Done { status: Status::Done }), "{kinds:?}");
    let stages: BTreeSet<_> = kinds
        .iter()
        .filter_map(
            |kind| if let EventKind::Stage { stage, .. } = kind { Some(stage.as_str()) } else { None },
        )
        .collect();
    assert_eq!(stages, BTreeSet::from(["read", "analyse", "skeleton", "skin", "export", "pack"]));

    let task = client.wait(&created.task_id, PATIENCE).await.unwrap();
    assert_eq!((task.status.clone(), task.attempt, task.total_count), (Status::Done, 1, 4));
    assert_eq!(keys(&task), ["rigged_glb", "prepared_glb", "report_json", "all_zip"]);
    let served = folder.path().join("served");
    fs::create_dir(&served).unwrap();
    for file in &task.files {
        client.download(file, served.join(&file.name)).await.unwrap();
    }
    assert_eq!(names(&served), names(&shell));
    for name in names(&served) {
        let same = fs::read(served.join(&name)).unwrap() == fs::read(shell.join(&name)).unwrap();
        assert!(same, "{name} differs between the server and the shell");
    }
    assert_rigged(&client.download_bytes(task.file("rigged_glb").unwrap()).await.unwrap());
    let history = client.history(None, None).await.unwrap();
    assert_eq!(history.items.iter().map(|item| &item.id).collect::<Vec<_>>(), [&created.task_id]);
    assert_eq!(client.queue_status().await.unwrap().workers_online, 1);
}

#[tokio::test]
async fn a_server_killed_in_the_middle_of_a_rig_finishes_it_once_after_its_next_start() {
    let folder = folder();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let client = service.client();
    let created = client.create(&NewTask::bytes("robot.glb", large()).options(rig_only())).await.unwrap();
    let mut events = client.events(&created.task_id);
    let seen = until(&mut events, |kind| matches!(kind, EventKind::Stage { .. })).await;
    let children = rigging(&service, &client, &created.task_id).await;
    assert_eq!(children.len(), 1, "a rig is a process of its own");
    drop(events);
    service.signal(Signal::KILL);
    for child in children {
        child.assert_ends();
    }
    drop(service);

    let service = Service::start(&data);
    let client = service.client();
    let mut events = client.events(&created.task_id).after(seen.id.unwrap());
    let kinds = rest(&mut events).await;
    let task = client.wait(&created.task_id, PATIENCE).await.unwrap();
    assert_eq!((task.status.clone(), task.attempt), (Status::Done, 2), "{:?}", task.error);
    assert_eq!(keys(&task), ["rigged_glb", "prepared_glb", "report_json"]);
    assert_eq!(kinds.last(), Some(&EventKind::Done { status: Status::Done }));
    let again = kinds.iter().filter(|kind| matches!(kind, EventKind::Stage { stage, .. } if stage == "read"));
    assert!(again.count() >= 1, "the events tell that it began anew: {kinds:?}");
    let ends = kinds.iter().filter(|kind| kind.is_last()).count();
    let rigs = kinds
        .iter()
        .filter(|kind| matches!(kind, EventKind::File { key, .. } if key == "rigged_glb"))
        .count();
    assert_eq!((ends, rigs), (1, 1), "{kinds:?}");
    assert_rigged(&client.download_bytes(task.file("rigged_glb").unwrap()).await.unwrap());
    assert_eq!(client.history(None, None).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_cancel_kills_the_rig_and_the_server_goes_on() {
    let folder = folder();
    let service = Service::start(&folder.path().join("data"));
    let client = service.client();
    let created = client.create(&NewTask::bytes("robot.glb", large()).options(rig_only())).await.unwrap();
    let mut events = client.events(&created.task_id);
    until(&mut events, |kind| matches!(kind, EventKind::Stage { .. })).await;
    let children = rigging(&service, &client, &created.task_id).await;
    client.cancel(&created.task_id).await.unwrap();
    let kinds = rest(&mut events).await;
    assert!(kinds.last().is_some_and(EventKind::is_last), "{kinds:?}");
    for child in children {
        child.assert_ends();
    }
    let task = client.get(&created.task_id).await.unwrap();
    assert_eq!(task.status, Status::Cancelled);

    let next = client.create(&NewTask::bytes("hero.glb", human())).await.unwrap();
    assert_eq!(client.wait(&next.task_id, PATIENCE).await.unwrap().status, Status::Done);
}

#[tokio::test]
async fn what_is_no_character_fails_with_the_codes_of_the_shell_and_the_server_goes_on() {
    let folder = folder();
    let service = Service::start(&folder.path().join("data"));
    let client = service.client();
    let human = human();
    for (name, bytes, stable) in [
        ("cut.glb", human[..human.len() / 2].to_vec(), "truncated_file"),
        ("picture.glb", b"\x89PNG\r\n\x1a\n0000000000000000".to_vec(), "not_a_model"),
        ("points.obj", b"v 0 0 0\nv 1 0 0\n".to_vec(), "no_geometry"),
    ] {
        // It may be refused at the door already, or by the worker.
        let error = match client.create(&NewTask::bytes(name, bytes)).await {
            Err(refused) => (refused.code().to_owned(), refused.remedy().to_owned()),
            Ok(created) => {
                let task = client.wait(&created.task_id, PATIENCE).await.unwrap();
                assert!(task.files.is_empty(), "{name}: nothing half-made stays");
                let error = task.error.unwrap();
                assert_eq!(error.class, "user_violation");
                (error.code, error.remedy)
            }
        };
        assert_eq!(error.0, stable, "{name}");
        assert!(!error.1.is_empty());
    }
    let link = client.create(&NewTask::link("http://169.254.169.254/hero.glb")).await;
    let code = match link {
        Err(refused) => refused.code().to_owned(),
        Ok(created) => client.wait(&created.task_id, PATIENCE).await.unwrap().error.unwrap().code,
    };
    assert_eq!(code, "link_forbidden_address");
    assert_eq!(client.queue_status().await.unwrap().queued, 0);
}

#[test]
fn a_server_ends_well_when_it_is_asked_to() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = folder();
        let service = Service::start(&folder.path().join("data"));
        service.signal(signal);
        let (status, said) = service.wait();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(said.contains("stopping"), "{said}");
    }
}

#[test]
fn a_server_says_why_it_cannot_start() {
    let folder = folder();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let other = folder.path().join("other");
    let listen = service.url().trim_start_matches("http://").to_owned();
    let output = run(&["serve", "--listen", &listen, "--data", arg(&other)]);
    assert_refused(&output, 7, "listen_failed", &listen);
    let output = run(&["serve", "--listen", "127.0.0.1:0", "--data", arg(&data)]);
    assert_refused(&output, 2, "data_dir_in_use", "data");
    let output = run(&["serve", "--listen", "0.0.0.0:0", "--data", arg(&other)]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
}

#[test]
fn an_interrupted_rig_leaves_nothing() {
    let folder = folder();
    let (input, out) = (folder.path().join("robot.glb"), folder.path().join("out"));
    fs::write(&input, large()).unwrap();
    let running = Running::start(&["rig", arg(&input), "-o", &format!("{}/", arg(&out))]);
    running.until("skeleton");
    running.signal(Signal::INT);
    let (status, said) = running.wait();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("code: cancelled"), "{said}");
    assert_eq!(names(folder.path()), ["robot.glb"]);
}

/// The address of a running server as its own client sees it.
impl Service {
    fn client(&self) -> Client {
        Client::builder(self.url()).build().unwrap()
    }
}

/// A server that rigs nothing itself and takes a worker for dead after three seconds.
fn server_without_slots(data: &std::path::Path) -> Service {
    let settings = [("AUTORIG_WORKER_SLOTS", "0"), ("AUTORIG_LEASE_S", "3"), ("AUTORIG_HEARTBEAT_S", "1")];
    Service::start_with(data, &settings)
}

fn worker_of(service: &Service, name: &str) -> Running {
    let worker = Running::start(&["worker", "--server", service.url(), "--name", name, "--slots", "1"]);
    worker.until(" works for ");
    worker
}

#[tokio::test]
async fn a_worker_elsewhere_rigs_what_the_server_does_not_and_leaves_when_asked() {
    let folder = folder();
    let service = server_without_slots(folder.path());
    let worker = worker_of(&service, "box-1");
    let client = Client::builder(service.url()).build().unwrap();
    let created = client.create(&NewTask::bytes("hero.glb", human()).options(rig_only())).await.unwrap();
    let task = client.wait(&created.task_id, PATIENCE).await.unwrap();
    assert_eq!(task.status, Status::Done, "{task:?}");
    assert_rigged(&client.download_bytes(task.file("rigged_glb").unwrap()).await.unwrap());
    worker.signal(Signal::TERM);
    let (status, said) = worker.wait();
    assert!(status.success(), "{said}");
    assert!(said.contains("stopping"), "{said}");
}

#[tokio::test]
async fn the_task_of_a_killed_worker_is_done_by_another() {
    let folder = folder();
    let service = server_without_slots(folder.path());
    let client = Client::builder(service.url()).build().unwrap();
    let first = worker_of(&service, "box-1");
    let created = client.create(&NewTask::bytes("crowd.glb", large())).await.unwrap();
    let mut events = client.events(&created.task_id);
    until(
        &mut events,
        |event| matches!(event, EventKind::Stage { stage, .. } if stage.as_str() == "analyse"),
    )
    .await;
    first.signal(Signal::KILL);
    let second = worker_of(&service, "box-2");
    until(&mut events, |event| matches!(event, EventKind::Queued { .. })).await;
    until(
        &mut events,
        |event| matches!(event, EventKind::Stage { stage, .. } if stage.as_str() == "analyse"),
    )
    .await;
    // What follows is the same work again; the second worker is asked to stop at once, and gives it back.
    second.signal(Signal::INT);
    second.until("stopping");
    second.signal(Signal::INT);
    let (status, said) = second.wait();
    assert!(status.success(), "{said}");
    until(&mut events, |event| matches!(event, EventKind::Queued { .. })).await;
    let task = client.get(&created.task_id).await.unwrap();
    assert_eq!((task.status, task.attempt), (Status::Created, 2));
}

#[tokio::test]
async fn a_machine_that_listens_rigs_what_a_server_pushes() {
    let (at_server, at_machine) = (folder(), folder());
    let secret = ("AUTORIG_WORKER_SECRET", "a secret of the tests, long enough");
    let listen = ["worker", "--listen", "127.0.0.1:0", "--data", arg(at_machine.path())];
    let machine = Running::start_with(&listen, &[secret]);
    let address = machine.until("AutoRig takes jobs on ").trim().rsplit(' ').next().unwrap().to_owned();
    // The machine has to know where the server will be.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let settings =
        [secret, ("AUTORIG_WORKERS", &address), ("AUTORIG_WORKER_SLOTS", "0"), ("AUTORIG_LISTEN", &listen)];
    let data = ["serve", "--data", arg(at_server.path())];
    let server = Running::start_with(&data, &settings);
    server.until("AutoRig is listening on ");
    let client = Client::builder(format!("http://{listen}")).build().unwrap();
    let created = client.create(&NewTask::bytes("hero.glb", human()).options(rig_only())).await.unwrap();
    let task = client.wait(&created.task_id, PATIENCE).await.unwrap();
    assert_eq!(task.status, Status::Done, "{task:?}");
    assert_rigged(&client.download_bytes(task.file("rigged_glb").unwrap()).await.unwrap());
}

#[test]
fn a_worker_that_cannot_work_says_what_is_missing() {
    let nowhere = run(&["worker"]);
    assert_eq!(code(&nowhere), 2);
    assert!(stderr(&nowhere).contains("--server"));
    let secretless = run(&["worker", "--listen", "127.0.0.1:0"]);
    assert_refused(&secretless, 2, "invalid_secret", "secret");
    let away = run(&["worker", "--server", "http://127.0.0.1:1", "--slots", "1"]);
    assert_refused(&away, 7, "network", "cannot be reached");
}
