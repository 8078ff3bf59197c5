//! Several nodes on one PostgreSQL, as `./dev crash` runs them in processes of their own.

use std::{collections::HashSet, sync::Arc, time::Duration};

use autorig_core::{
    blob::{BlobStore, LocalBlobs},
    clock::SystemIds,
    store::{PostgresSettings, PostgresStore},
    task::{NewTask, TaskId, TaskStatus},
};
use tokio::sync::oneshot;

use crate::{
    cluster::TestDatabase,
    support::{World, everything, soon, upload},
};

/// What nodes share.
struct Site {
    database: TestDatabase,
    blobs: Arc<dyn BlobStore>,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Arc::new(LocalBlobs::open(folder.path()).await.unwrap());
        Self { database: TestDatabase::new().await, blobs, _folder: folder }
    }

    /// A node that is started; an API node does no work itself.
    async fn node(&self, api: bool) -> World {
        let settings = PostgresSettings { connections: 6 };
        let store = PostgresStore::connect(&self.database.url, settings).await.unwrap();
        let blobs = self.blobs.clone();
        let world = World::over(Arc::new(store), |builder| {
            let builder = builder.blobs(blobs).ids(Arc::new(SystemIds));
            if api { builder.work_elsewhere() } else { builder }
        })
        .await;
        world.start().await;
        world
    }
}

/// Time passes on every node until it is as wanted.
async fn until<F: Future<Output = bool>>(what: &str, nodes: &[&World], wanted: impl Fn() -> F) {
    soon(what, async {
        while !wanted().await {
            nodes.iter().for_each(|node| node.clock.advance(Duration::from_millis(20)));
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn is(node: &World, id: TaskId, status: TaskStatus) -> bool {
    node.task(id).await.status == status
}

#[tokio::test]
async fn on_postgres_a_task_made_on_one_node_wakes_the_dispatcher_of_another() {
    let site = Site::new().await;
    let (api, worker) = (site.node(true).await, site.node(false).await);
    let (begins, begun) = oneshot::channel();
    worker.worker.then(move |_, events, _| async move {
        begins.send(()).unwrap();
        everything(&events).await
    });
    // The other node is heard once it listens, which nobody announces.
    until("the nodes to hear each other", &[&api, &worker], || async {
        api.tasks().queue_status().await.unwrap().workers_free == 1
    })
    .await;
    let task = api.create().await;
    // No clock moves, so nothing but the call can have woken it, unless it has looked already.
    until("the worker", &[], || async { !worker.worker.attempts.lock().unwrap().is_empty() }).await;
    soon("the worker to begin", begun).await.unwrap();
    until("the end", &[&api, &worker], || is(&api, task.id, TaskStatus::Done)).await;
    assert_eq!(api.task(task.id).await.attempt, 1);
    assert!(api.worker.attempts.lock().unwrap().is_empty(), "an API node does no work");
}

#[tokio::test]
async fn on_postgres_a_cancel_reaches_the_worker_of_another_node() {
    let site = Site::new().await;
    let (api, worker) = (site.node(true).await, site.node(false).await);
    let (stops, stopped) = oneshot::channel();
    worker.worker.then(|_, _, cancel| async move {
        cancel.cancelled().await;
        stops.send(()).unwrap();
        Err(autorig_core::Error::cancelled())
    });
    let task = api.create().await;
    until("the worker", &[&api, &worker], || is(&api, task.id, TaskStatus::Processing)).await;
    api.tasks().cancel(task.id).await.unwrap().unwrap();
    let mut stopped = Some(stopped);
    let stop = stopped.take().unwrap();
    tokio::pin!(stop);
    soon("the worker to be stopped", async {
        while futures_util::poll!(&mut stop).is_pending() {
            [&api, &worker].iter().for_each(|node| node.clock.advance(Duration::from_millis(20)));
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(is(&worker, task.id, TaskStatus::Cancelled).await);
}

#[tokio::test]
async fn on_postgres_three_api_nodes_and_two_dispatchers_do_every_task_once() {
    let site = Site::new().await;
    let apis = [site.node(true).await, site.node(true).await, site.node(true).await];
    let workers = [site.node(false).await, site.node(false).await];
    let mut ids = HashSet::new();
    for n in 0..30 {
        // The same call over two nodes makes one task.
        let key = format!("call {n}");
        for api in [&apis[n % 3], &apis[(n + 1) % 3]] {
            let mut new = NewTask::rig(upload("hero.glb", b"glTF model"));
            new.idempotency_key = Some(key.clone());
            ids.insert(api.tasks().create(new).await.unwrap().task.id);
        }
    }
    assert_eq!(ids.len(), 30);
    let nodes: Vec<&World> = apis.iter().chain(&workers).collect();
    until("every task", &nodes, || async { apis[0].store.counts().await.unwrap() == Default::default() })
        .await;
    for id in &ids {
        let task = apis[1].task(*id).await;
        assert_eq!((task.status, task.attempt, task.files.len()), (TaskStatus::Done, 1, 3));
    }
    let done: Vec<TaskId> = workers
        .iter()
        .flat_map(|node| node.worker.attempts.lock().unwrap().clone())
        .map(|(id, _)| id)
        .collect();
    assert_eq!(done.len(), 30);
    assert_eq!(done.into_iter().collect::<HashSet<_>>(), ids);
}

#[tokio::test]
async fn on_postgres_what_a_dead_node_held_is_done_by_another_after_its_lease() {
    let site = Site::new().await;
    let dead = site.node(false).await;
    dead.worker.then(|_, _, _| std::future::pending());
    let task = dead.create().await;
    until("the first worker", &[&dead], || is(&dead, task.id, TaskStatus::Processing)).await;
    drop(dead);
    let other = site.node(false).await;
    assert!(is(&other, task.id, TaskStatus::Processing).await, "its node may live: only the lease tells");
    other.clock.advance(Duration::from_secs(61));
    until("the end", &[&other], || is(&other, task.id, TaskStatus::Done)).await;
    assert_eq!(other.task(task.id).await.attempt, 2);
}
