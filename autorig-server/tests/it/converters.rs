//! A pool of converter machines: real ones, and strange ones played by wiremock.

use std::{net::TcpListener, sync::Arc, time::Duration};

use autorig_core::{
    AutoRig,
    clock::SystemClock,
    outbound::Outbound,
    signature::Secret,
    task::{RetryPolicy, Task, TaskId, TaskStatus},
    worker::{
        InProcessWorker, Worker,
        converter::{Converters, PoolTimes},
    },
};
use autorig_server::{ConverterSettings, Server, ServerConfig};
use serde_json::json;
use tokio::sync::oneshot;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, path_regex},
};

use crate::support::{PATIENCE, PuppetWorker, Strings, problem, puppet_content};

const SECRET: &str = "a secret of the tests, long enough";

fn secret() -> Secret {
    Secret::parse(SECRET).unwrap()
}

/// A running server of either kind. Dropping it kills it.
struct Running {
    autorig: Arc<AutoRig>,
    url: String,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), autorig_server::ServerError>>,
}

fn run(autorig: AutoRig, bind: impl FnOnce(Arc<AutoRig>) -> Server) -> Running {
    let autorig = Arc::new(autorig);
    let server = bind(autorig.clone());
    let url = server.url();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Running { autorig, url, stop, ended }
}

async fn converter(folder: &tempfile::TempDir, worker: Arc<dyn Worker>) -> Running {
    let allow = ["127.0.0.1".to_owned()];
    let slots = u32::try_from(worker.slots()).unwrap();
    let autorig = AutoRig::builder()
        .data_dir(folder.path())
        .await
        .unwrap()
        .outbound(Outbound::new(&allow, PATIENCE).unwrap())
        .worker(worker)
        .build()
        .await
        .unwrap();
    let config = ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        grace: Duration::ZERO,
        ..ServerConfig::default()
    };
    let settings = ConverterSettings { secret: secret(), slots, clock: Arc::new(SystemClock) };
    run(autorig, |autorig| Server::bind_converter(autorig, config, settings).unwrap())
}

/// A server that rigs nothing itself, with these machines.
async fn site(folder: &tempfile::TempDir, machines: &[&str]) -> Running {
    // The machines must know the address before it is taken.
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let converters = Converters {
        addresses: machines.iter().map(|url| (*url).to_owned()).collect(),
        secret: secret(),
        callback: format!("http://{listen}").parse().unwrap(),
    };
    let fast = Duration::from_millis(20);
    let times = PoolTimes { poll: fast, probe: fast, optional: Duration::ZERO, ..PoolTimes::default() };
    let at_once = vec![Duration::from_millis(50); 40];
    let retry = RetryPolicy { temporary: at_once.clone(), unknown: at_once.clone(), rate_limit: at_once };
    let autorig = AutoRig::builder()
        .data_dir(folder.path())
        .await
        .unwrap()
        .converters(converters, times)
        .retry(retry)
        .build()
        .await
        .unwrap();
    let config = ServerConfig { listen, grace: Duration::ZERO, ..ServerConfig::default() };
    run(autorig, |autorig| Server::bind(autorig, config).unwrap())
}

fn human() -> Vec<u8> {
    use autorig_engine::{
        sample::{Sample, generate},
        write::scene_glb,
    };
    scene_glb(&generate(Sample::Human, Some(4000)).unwrap()).unwrap()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

impl Running {
    /// Ends it without waiting for what it does.
    async fn stop(self) {
        drop(self.stop);
        self.ended.await.unwrap().unwrap();
    }

    async fn create(&self, name: &str, bytes: Vec<u8>) -> TaskId {
        use autorig_core::{
            blob::bytes_body,
            task::{Input, NewTask},
        };
        let input = Input::Upload { name: name.to_owned(), body: bytes_body(bytes) };
        let new = NewTask { params: json!({"mode": "rig_only"}), ..NewTask::rig(input) };
        self.autorig.tasks().create(new).await.unwrap().task.id
    }

    async fn until(&self, id: TaskId, wanted: impl Fn(&Task) -> bool) -> Task {
        let waiting = async {
            let mut seen = None;
            loop {
                let task = self.autorig.tasks().wait(id, seen, PATIENCE).await.unwrap().unwrap();
                if wanted(&task) {
                    return task;
                }
                assert!(!task.status.is_terminal(), "{task:?}");
                seen = Some(task.version);
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the task does not get there")
    }

    async fn done(&self, id: TaskId) -> Task {
        self.until(id, |task| task.status == TaskStatus::Done).await
    }

    async fn file(&self, id: TaskId, key: &str) -> Vec<u8> {
        let url = format!("{}/api/task/{id}/files/{key}", self.url);
        reqwest::get(url).await.unwrap().error_for_status().unwrap().bytes().await.unwrap().to_vec()
    }
}

fn held() -> (Arc<PuppetWorker>, Strings) {
    let (worker, strings) = PuppetWorker::held();
    (Arc::new(worker), strings)
}

#[tokio::test]
async fn a_job_is_pushed_to_a_machine_that_rigs_it_with_the_real_engine() {
    let (at_machine, at_site) = (folder(), folder());
    let machine = converter(&at_machine, Arc::new(InProcessWorker::new(1))).await;
    let site = site(&at_site, &[&machine.url]).await;
    let id = site.create("held.glb", human()).await;
    let done = site.done(id).await;
    assert_eq!(
        done.files.iter().map(|file| file.key.as_str()).collect::<Vec<_>>(),
        ["rigged_glb", "prepared_glb", "report_json"]
    );
    assert_eq!(done.file("rigged_glb").unwrap().name, "held_rigged.glb");
    assert_eq!(&site.file(id, "rigged_glb").await[..4], b"glTF");
    let queue = site.autorig.tasks().queue_status().await.unwrap();
    assert_eq!((queue.workers_total, queue.workers_online), (1, 1));
}

#[tokio::test]
async fn files_come_one_by_one_while_the_machine_works() {
    let (at_machine, at_site) = (folder(), folder());
    let (worker, strings) = held();
    let machine = converter(&at_machine, worker).await;
    let site = site(&at_site, &[&machine.url]).await;
    let id = site.create("hero.glb", b"model".to_vec()).await;
    strings.step();
    let half = site.until(id, |task| !task.files.is_empty()).await;
    assert_eq!((half.status, half.files[0].key.as_str()), (TaskStatus::Processing, "prepared_glb"));
    strings.step();
    site.done(id).await;
    assert_eq!(site.file(id, "rigged_glb").await, puppet_content("rigged_glb").into_bytes());
}

#[tokio::test]
async fn a_restarted_server_goes_on_with_the_job_it_had_pushed() {
    let (at_machine, at_site) = (folder(), folder());
    let (worker, strings) = held();
    let machine = converter(&at_machine, worker).await;
    let first = site(&at_site, &[&machine.url]).await;
    let id = first.create("hero.glb", b"model".to_vec()).await;
    strings.step();
    first.until(id, |task| !task.files.is_empty()).await;
    first.stop().await;
    let second = site(&at_site, &[&machine.url]).await;
    strings.step();
    let done = second.done(id).await;
    assert_eq!(done.attempt, 2);
    let jobs = machine.autorig.tasks().history(&autorig_core::task::Owner::local(), None, 100).await.unwrap();
    assert_eq!(jobs.items.len(), 1, "the machine has done it once");
}

#[tokio::test]
async fn the_job_of_a_machine_that_dies_is_done_by_another() {
    let (at_first, at_second, at_site) = (folder(), folder(), folder());
    let (stuck, _strings) = held();
    let first = converter(&at_first, stuck).await;
    let second = converter(&at_second, Arc::new(PuppetWorker::free())).await;
    let site = site(&at_site, &[&first.url, &second.url]).await;
    let id = site.create("hero.glb", b"model".to_vec()).await;
    let begun = || async { first.autorig.tasks().queue_status().await.unwrap().processing };
    if begun().await == 0 {
        // It may have gone to the other at once; then there is nothing to see.
        site.until(id, |task| task.status != TaskStatus::Created).await;
    }
    first.stop().await;
    site.done(id).await;
}

#[tokio::test]
async fn a_dead_machine_delays_no_task_of_the_others() {
    let (at_machine, at_site) = (folder(), folder());
    let dead = MockServer::start().await;
    let queue = json!({"active": 0, "queued": 0, "max_concurrent": 4});
    let silent = ResponseTemplate::new(200).set_delay(PATIENCE);
    Mock::given(path("/api-queue"))
        .respond_with(ResponseTemplate::new(200).set_body_json(queue))
        .mount(&dead)
        .await;
    Mock::given(method("POST")).respond_with(silent).mount(&dead).await;
    let machine = converter(&at_machine, Arc::new(PuppetWorker::free())).await;
    let site = site(&at_site, &[&dead.uri(), &machine.url]).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(site.create(&format!("hero{n}.glb"), b"model".to_vec()).await);
    }
    // At most four hang at the dead one.
    let mut done = 0;
    while done < 16 {
        let mut count = 0;
        for id in &ids {
            let task = site.autorig.tasks().get(*id).await.unwrap().unwrap();
            count += usize::from(task.status == TaskStatus::Done);
        }
        done = count;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn fbx_is_turned_into_glb_first_where_a_machine_reads_no_fbx() {
    let at_site = folder();
    let old = MockServer::start().await;
    let answer = |body| ResponseTemplate::new(200).set_body_json(body);
    let queue = json!({"active": 0, "max_concurrent": 1, "formats": ["glb"]});
    Mock::given(path("/api-queue")).respond_with(answer(queue)).mount(&old).await;
    let pre = json!({"output_url": "/done/hero.glb"});
    Mock::given(path("/api-converter-glb-to-fbx")).respond_with(answer(pre)).expect(1).mount(&old).await;
    let urls = ["/o/hero_rigged.glb", "/o/hero_report.json", "/o/hero_model_prepared.glb"];
    let job = json!({"worker_task_id": "7", "guid": "o", "output_urls": urls});
    Mock::given(path("/api-converter-glb")).respond_with(answer(job)).expect(1).mount(&old).await;
    Mock::given(path("/api-task/7")).respond_with(answer(json!({"status": "done"}))).mount(&old).await;
    let bytes = ResponseTemplate::new(200).set_body_bytes("made");
    Mock::given(path_regex("^/o/")).respond_with(bytes).mount(&old).await;
    let site = site(&at_site, &[&old.uri()]).await;
    let id = site.create("hero.fbx", b"Kaydara".to_vec()).await;
    let done = site.done(id).await;
    assert!(done.timings.contains_key("convert"), "{:?}", done.timings);
    let requests = old.received_requests().await.unwrap();
    let body = |wanted: &str| {
        let request = requests.iter().find(|request| request.url.path() == wanted).unwrap();
        request.body_json::<serde_json::Value>().unwrap()
    };
    let input = body("/api-converter-glb-to-fbx")["input_url"].as_str().unwrap().to_owned();
    assert_eq!(reqwest::get(&input).await.unwrap().bytes().await.unwrap(), "Kaydara");
    assert_eq!(body("/api-converter-glb")["input_url"], format!("{}/done/hero.glb", old.uri()));
    let view: serde_json::Value =
        reqwest::get(format!("{}/api/task/{id}", site.url)).await.unwrap().json().await.unwrap();
    assert_eq!(view["pre_step"]["status"], "done");
}

#[tokio::test]
async fn a_machine_answers_to_nobody_without_the_secret() {
    let at_machine = folder();
    let machine = converter(&at_machine, Arc::new(PuppetWorker::free())).await;
    for path in ["/api-queue", "/api-task/1", "/outputs/1/a.glb"] {
        let answer = reqwest::get(format!("{}{path}", machine.url)).await.unwrap();
        problem(answer, 403, "invalid_signature").await;
    }
}

#[tokio::test]
async fn a_link_to_a_model_is_good_for_that_model_only() {
    let at_site = folder();
    let site = site(&at_site, &["http://127.0.0.1:1"]).await;
    let id = site.create("hero.glb", b"model".to_vec()).await;
    for token in ["x", &format!("{id}.9999999999.AAAA"), &id.to_string()] {
        let answer = reqwest::get(format!("{}/api/worker-input/{token}/hero.glb", site.url)).await.unwrap();
        problem(answer, 403, "invalid_signature").await;
    }
}

#[test]
fn the_protocols_document_is_the_one_in_the_repository() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/worker.yaml");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, autorig_server::worker_yaml()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == autorig_server::worker_yaml(),
        "openapi/worker.yaml is stale: run this test with UPDATE_OPENAPI=1"
    );
}
