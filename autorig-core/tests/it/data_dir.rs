//! Everything in one folder: what a process finds when it opens it again.

use std::{path::Path, sync::Arc, time::Duration};

use autorig_core::{
    AutoRig, Config,
    task::{NewTask, TaskStatus},
};

use crate::support::{PATIENCE, Scripted, soon, upload};

async fn open(folder: &Path) -> AutoRig {
    let worker = Scripted::new();
    AutoRig::builder().data_dir(folder).await.unwrap().worker(worker).build().await.unwrap()
}

#[tokio::test]
async fn a_task_outlives_its_process_and_an_upload_without_a_task_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).await;
    let task = first.tasks().create(NewTask::rig(upload("hero.glb", b"model"))).await.unwrap().task;
    drop(first);
    let uploads = folder.path().join("blobs/uploads");
    let orphan = uploads.join(uuid::Uuid::from_u128(1).to_string());
    std::fs::write(&orphan, b"its process was killed before it made the task").unwrap();
    let before = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    std::fs::File::options().write(true).open(&orphan).unwrap().set_modified(before).unwrap();
    let second = open(folder.path()).await;
    second.start().await.unwrap();
    let done = soon("the end", async {
        let mut seen = None;
        loop {
            let task = second.tasks().wait(task.id, seen, PATIENCE).await.unwrap().unwrap();
            if task.status.is_terminal() {
                break task;
            }
            seen = Some(task.version);
        }
    })
    .await;
    assert_eq!(done.status, TaskStatus::Done);
    soon("the orphan to go", async {
        while orphan.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(uploads.join(task.id.to_string()).exists());
    second.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_folder_has_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).await;
    let config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
    assert_eq!(AutoRig::open(&config).await.err().unwrap().code, "data_dir_in_use");
    drop(first);
    soon("the first to let go", async {
        while AutoRig::open(&config).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_worker_of_ones_own_joins_what_a_configuration_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data_dir: folder.path().to_owned(), upload_limit_mb: 1, ..Config::default() };
    let worker = Scripted::new();
    let builder = AutoRig::from_config(&config).await.unwrap().worker(Arc::clone(&worker) as Arc<_>);
    let autorig = builder.build().await.unwrap();
    let large = vec![0; (1 << 20) + 1];
    let error = autorig.tasks().create(NewTask::rig(upload("a.glb", &large))).await.unwrap_err();
    assert_eq!(error.code, "limit_file_size");
}
