//! Uploads in pieces, whatever breaks, on both kinds of storage.

use std::{sync::Arc, time::Duration};

use autorig_core::{
    Error,
    blob::{BlobStore, S3Blobs},
    task::{Input, NewTask, Owner, OwnerKind},
    upload::{Checksum, Chunk, NewUpload, Upload, UploadService},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    conformance::s3_server::S3Server,
    support::{World, soon},
};

fn me() -> Owner {
    Owner::local()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 % 251) as u8).collect()
}

async fn announce(uploads: &UploadService, bytes: &[u8], sha256: Option<String>) -> Upload {
    let new = NewUpload { owner: me(), name: "hero.glb".to_owned(), size: bytes.len() as u64, sha256 };
    uploads.begin(new).await.unwrap().upload
}

fn chunk(offset: u64, bytes: &[u8]) -> Chunk {
    let body = stream::iter([Ok(Bytes::copy_from_slice(bytes))]).boxed();
    Chunk { offset, body, checksum: None }
}

/// A chunk whose line breaks after its bytes.
fn broken(offset: u64, bytes: &[u8]) -> Chunk {
    let cut = Err(Error::upload_cut_off("test"));
    let body = stream::iter([Ok(Bytes::copy_from_slice(bytes)), cut]).boxed();
    Chunk { offset, body, checksum: None }
}

async fn code(uploads: &UploadService, id: Uuid, chunk: Chunk) -> String {
    uploads.write(&me(), id, chunk).await.unwrap_err().code.into_owned()
}

async fn assert_clean(world: &World) {
    let audit = world.autorig.audit().await.unwrap();
    assert!(audit.is_clean(), "{audit:?}");
}

#[tokio::test]
async fn a_file_arrives_in_pieces_and_is_made_a_task_of() {
    let world = World::new().await;
    let uploads = world.autorig.uploads();
    let bytes = content(1000);
    let upload = announce(&uploads, &bytes, None).await;
    assert_eq!(code(&uploads, upload.id, broken(0, &bytes[..300])).await, "upload_cut_off");
    assert_eq!(uploads.get(&me(), upload.id).await.unwrap().unwrap().received, 300);
    for wrong in [0, 299, 301, 1000] {
        assert_eq!(code(&uploads, upload.id, chunk(wrong, &bytes[300..])).await, "upload_offset_mismatch");
    }
    let early = NewTask { input: Input::Announced(upload.id), ..NewTask::rig(Input::Link(String::new())) };
    assert_eq!(world.tasks().create(early).await.unwrap_err().code, "upload_incomplete");
    let done = uploads.write(&me(), upload.id, chunk(300, &bytes[300..])).await.unwrap();
    assert!(done.complete);
    assert_eq!(done.sha256, Some(hex(&bytes)));
    let new = NewTask { input: Input::Announced(upload.id), ..NewTask::rig(Input::Link(String::new())) };
    let task = world.tasks().create(new).await.unwrap().task;
    assert_eq!((task.input.name.as_str(), task.input.size), ("hero.glb", 1000));
    // Either of the two keeps the bytes.
    assert!(uploads.cancel(&me(), upload.id).await.unwrap());
    assert_eq!(world.blobs.size(&task.input.blob).await.unwrap(), Some(1000));
    assert_clean(&world).await;
}

#[tokio::test]
async fn bytes_beyond_the_announced_size_are_refused_and_those_before_it_stay() {
    let world = World::new().await;
    let uploads = world.autorig.uploads();
    let upload = announce(&uploads, &content(10), None).await;
    let pieces = [Bytes::from_static(b"12345"), Bytes::from_static(b"678901")];
    let body = stream::iter(pieces.map(Ok)).boxed();
    assert_eq!(code(&uploads, upload.id, Chunk { offset: 0, body, checksum: None }).await, "upload_too_long");
    assert_eq!(uploads.get(&me(), upload.id).await.unwrap().unwrap().received, 5);
}

#[tokio::test]
async fn a_chunk_with_a_wrong_or_unproven_checksum_does_not_count() {
    let world = World::new().await;
    let uploads = world.autorig.uploads();
    let upload = announce(&uploads, b"hello world", None).await;
    let sum = || Some(Checksum::parse("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").unwrap());
    let wrong = Chunk { checksum: sum(), ..chunk(0, b"hello earth") };
    assert_eq!(code(&uploads, upload.id, wrong).await, "chunk_checksum_mismatch");
    let cut = Chunk { checksum: sum(), ..broken(0, b"hello world") };
    assert_eq!(code(&uploads, upload.id, cut).await, "upload_cut_off");
    assert_eq!(uploads.get(&me(), upload.id).await.unwrap().unwrap().received, 0);
    let right = Chunk { checksum: sum(), ..chunk(0, b"hello world") };
    assert!(uploads.write(&me(), upload.id, right).await.unwrap().complete);
}

#[tokio::test]
async fn a_file_that_is_not_the_announced_one_is_thrown_away() {
    let world = World::new().await;
    let uploads = world.autorig.uploads();
    let upload = announce(&uploads, b"hello world", Some(hex(b"hello world"))).await;
    assert_eq!(code(&uploads, upload.id, chunk(0, b"hello earth")).await, "upload_checksum_mismatch");
    assert!(uploads.get(&me(), upload.id).await.unwrap().is_none());
    assert!(world.uploads().await.is_empty());
    assert_clean(&world).await;
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_for_one_owner_and_told_to_no_other() {
    let world = World::new().await;
    let uploads = world.autorig.uploads();
    let bytes = content(500);
    let first = announce(&uploads, &bytes, None).await;
    uploads.write(&me(), first.id, chunk(0, &bytes)).await.unwrap();
    // Told by hash: nothing has to be sent.
    let second = announce(&uploads, &bytes, Some(hex(&bytes))).await;
    assert!(second.complete && second.id != first.id && second.token != first.token);
    // Sent without a hash: kept once all the same.
    let third = announce(&uploads, &bytes, None).await;
    assert!(!third.complete);
    assert!(uploads.write(&me(), third.id, chunk(0, &bytes)).await.unwrap().complete);
    assert_eq!(world.uploads().await, std::slice::from_ref(&first.blob));
    // Somebody else, who knows the hash but not the file.
    let stranger = Owner { kind: OwnerKind::User, id: "other".to_owned() };
    let new =
        NewUpload { owner: stranger.clone(), name: "x".to_owned(), size: 500, sha256: Some(hex(&bytes)) };
    let theirs = uploads.begin(new).await.unwrap().upload;
    assert!(!theirs.complete && theirs.received == 0);
    for id in [first.id, second.id] {
        assert!(uploads.get(&stranger, id).await.unwrap().is_none());
        assert!(!uploads.cancel(&stranger, id).await.unwrap());
        let write = uploads.write(&stranger, id, chunk(0, b"x")).await;
        assert_eq!(write.unwrap_err().code, "upload_not_found");
    }
    // The bytes go with the last of them.
    for id in [first.id, second.id] {
        assert!(uploads.cancel(&me(), id).await.unwrap());
        assert_eq!(world.uploads().await, std::slice::from_ref(&first.blob));
    }
    assert!(uploads.cancel(&me(), third.id).await.unwrap());
    uploads.cancel(&stranger, theirs.id).await.unwrap();
    assert!(world.uploads().await.is_empty());
    assert_clean(&world).await;
}

#[tokio::test]
async fn a_caller_that_comes_back_ends_its_own_dead_line() {
    let world = World::new().await;
    let uploads = world.autorig.uploads();
    let bytes = content(100);
    let upload = announce(&uploads, &bytes, None).await;
    let (sender, mut first_read) = tokio::sync::mpsc::channel::<()>(1);
    let first = Bytes::copy_from_slice(&bytes[..40]);
    // After its bytes the line is silent for ever.
    let body = stream::once(async move { Ok(first) })
        .chain(stream::once(async move {
            sender.send(()).await.unwrap();
            std::future::pending::<autorig_core::Result<Bytes>>().await
        }))
        .boxed();
    let service = uploads.clone();
    let dead = tokio::spawn(async move {
        service.write(&me(), upload.id, Chunk { offset: 0, body, checksum: None }).await
    });
    soon("the first bytes", first_read.recv()).await.unwrap();
    // What the dead line had brought counts, so this one begins at the wrong place and asks again.
    assert_eq!(code(&uploads, upload.id, chunk(0, &bytes)).await, "upload_offset_mismatch");
    assert_eq!(soon("its end", dead).await.unwrap().unwrap_err().code, "upload_interrupted");
    assert!(uploads.write(&me(), upload.id, chunk(40, &bytes[40..])).await.unwrap().complete);
}

#[tokio::test]
async fn a_bucket_takes_a_file_by_put_and_keeps_it_where_no_put_reaches() {
    let server = S3Server::start().await;
    let blobs: Arc<dyn BlobStore> = Arc::new(S3Blobs::open(&server.settings("autorig")).unwrap());
    let world = World::with(|builder| builder.blobs(blobs.clone())).await;
    let uploads = world.autorig.uploads();
    let bytes = content(3000);
    let new = NewUpload { owner: me(), name: "a.glb".to_owned(), size: 3000, sha256: None };
    let announced = uploads.begin(new).await.unwrap();
    let put = announced.put.unwrap();
    let id = announced.upload.id;
    assert_eq!(uploads.finish(&me(), id).await.unwrap_err().code, "upload_incomplete");
    assert_eq!(code(&uploads, id, chunk(0, &bytes)).await, "upload_by_put");
    let client = crate::conformance::outsider();
    let short = client.put(&put.url).body(bytes[..10].to_vec()).send().await.unwrap();
    assert!(short.status().is_success());
    assert_eq!(uploads.finish(&me(), id).await.unwrap_err().code, "upload_incomplete");
    client.put(&put.url).body(bytes.clone()).send().await.unwrap();
    let done = uploads.finish(&me(), id).await.unwrap().unwrap();
    assert_eq!((done.complete, done.sha256.clone()), (true, Some(hex(&bytes))));
    // The address still works, but what it puts is nobody's and goes with the next comparison.
    client.put(&put.url).body(b"something else".to_vec()).send().await.unwrap();
    let (_, read) = uploads.open(&done.token, Some(0..5)).await.unwrap().unwrap();
    assert_eq!((read.size, read.range), (3000, 0..5));
    let audit = world.autorig.audit().await.unwrap();
    assert_eq!(audit.unrecorded, [format!("incoming/{id}")]);
    let later = autorig_core::clock::Time::MAX_UTC;
    assert_eq!(world.autorig.remove_orphans(later).await.unwrap(), 1);
    let audit = world.autorig.audit().await.unwrap();
    assert!(audit.is_clean(), "{audit:?}");
}

#[tokio::test]
async fn an_upload_that_is_not_gone_on_with_is_forgotten() {
    let world = World::new().await;
    let uploads = world.autorig.uploads();
    let upload = announce(&uploads, &content(100), None).await;
    code(&uploads, upload.id, broken(0, &content(50))).await;
    let keep = autorig_core::sweep::Retention::default();
    world.clock.advance(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(world.autorig.sweep(&keep).await.unwrap().uploads, 0);
    world.clock.advance(Duration::from_secs(1));
    let swept = world.autorig.sweep(&keep).await.unwrap();
    assert_eq!((swept.uploads, swept.files), (1, 1));
    assert!(uploads.get(&me(), upload.id).await.unwrap().is_none());
    assert!(world.blobs.list("").await.unwrap().is_empty());
    assert_clean(&world).await;
}

/// What a caller may do next.
#[derive(Debug, Clone)]
enum Step {
    /// Send so many bytes from where the server is.
    Send(usize),
    /// The same, and the line breaks after them.
    Break(usize),
    /// Send from somewhere else.
    Elsewhere(u64),
    /// A crash has left bytes that were never noted.
    Garbage(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..400_usize).prop_map(Step::Send),
        (0..400_usize).prop_map(Step::Break),
        (0..1100_u64).prop_map(Step::Elsewhere),
        (1..400_usize).prop_map(Step::Garbage),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// Whatever the order, the server's offset is the number of bytes it took, and the file comes out whole.
    #[test]
    fn offsets_follow_what_was_taken(steps in prop::collection::vec(step(), 0..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let uploads = world.autorig.uploads();
            let bytes = content(1000);
            let upload = announce(&uploads, &bytes, Some(hex(&bytes))).await;
            let mut at = 0_usize;
            for step in steps {
                if at == bytes.len() {
                    break;
                }
                match step {
                    Step::Send(count) => {
                        let end = bytes.len().min(at + count);
                        let sent = uploads.write(&me(), upload.id, chunk(at as u64, &bytes[at..end])).await;
                        at = end;
                        prop_assert_eq!(sent.unwrap().received, at as u64);
                    }
                    Step::Break(count) => {
                        let end = (bytes.len() - 1).min(at + count);
                        prop_assert_eq!(code(&uploads, upload.id, broken(at as u64, &bytes[at..end])).await, "upload_cut_off");
                        at = end;
                    }
                    Step::Elsewhere(offset) if offset != at as u64 => {
                        prop_assert_eq!(code(&uploads, upload.id, chunk(offset, b"x")).await, "upload_offset_mismatch");
                    }
                    Step::Elsewhere(_) => {}
                    Step::Garbage(count) => {
                        let mut end = world.blobs.append(&upload.blob, at as u64).await.unwrap().unwrap();
                        end.write(Bytes::from(vec![0xee; count])).await.unwrap();
                        end.sync().await.unwrap();
                    }
                }
                let there = uploads.get(&me(), upload.id).await.unwrap().unwrap();
                prop_assert_eq!((there.received, there.complete), (at as u64, at == bytes.len()));
            }
            if at < bytes.len() {
                uploads.write(&me(), upload.id, chunk(at as u64, &bytes[at..])).await.unwrap();
            }
            // Complete only when every byte is the announced one: the hash was checked.
            prop_assert!(uploads.get(&me(), upload.id).await.unwrap().unwrap().complete);
            Ok(())
        })?;
    }
}
