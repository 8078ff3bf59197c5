//! Every blob store.

use std::path::PathBuf;

use autorig_core::{
    Error,
    blob::{BlobStore, ByteStream, LocalBlobs, bytes_body},
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

const PLENTY: u64 = 1 << 30;

async fn read(blobs: &dyn BlobStore, key: &str, range: Option<std::ops::Range<u64>>) -> Option<Vec<u8>> {
    let blob = blobs.get(key, range).await.unwrap()?;
    let pieces: Vec<Bytes> = blob.body.try_collect().await.unwrap();
    let bytes = pieces.concat();
    assert_eq!(bytes.len() as u64, blob.range.end - blob.range.start);
    Some(bytes)
}

fn pieces(list: Vec<Result<&'static [u8], Error>>) -> ByteStream {
    stream::iter(list).map(|piece| piece.map(Bytes::from_static)).boxed()
}

async fn what_is_put_can_be_got_whole_and_in_part(blobs: &dyn BlobStore) {
    let body = pieces(vec![Ok(b"hello "), Ok(b""), Ok(b"world")]);
    let meta = blobs.put("a/b-1/c_2.glb", body, PLENTY).await.unwrap();
    assert_eq!(meta.size, 11);
    assert_eq!(meta.sha256, "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
    assert_eq!(read(blobs, "a/b-1/c_2.glb", None).await.unwrap(), b"hello world");
    assert_eq!(read(blobs, "a/b-1/c_2.glb", Some(6..9)).await.unwrap(), b"wor");
    assert_eq!(read(blobs, "a/b-1/c_2.glb", Some(6..999)).await.unwrap(), b"world");
    assert_eq!(read(blobs, "a/b-1/c_2.glb", Some(50..60)).await.unwrap(), b"");
    assert_eq!(blobs.size("a/b-1/c_2.glb").await.unwrap(), Some(11));
}

async fn what_is_not_there_is_none_and_no_error(blobs: &dyn BlobStore) {
    blobs.put("a/file", bytes_body(&b"x"[..]), PLENTY).await.unwrap();
    for key in ["nothing", "a", "a/file/deeper", "b/c"] {
        assert!(blobs.get(key, None).await.unwrap().is_none(), "{key}");
        assert_eq!(blobs.size(key).await.unwrap(), None, "{key}");
    }
    assert!(!blobs.delete("nothing").await.unwrap());
    assert!(blobs.list("nothing/").await.unwrap().is_empty());
}

async fn a_second_put_replaces_the_first(blobs: &dyn BlobStore) {
    blobs.put("k", bytes_body(&b"first one"[..]), PLENTY).await.unwrap();
    blobs.put("k", bytes_body(&b"second"[..]), PLENTY).await.unwrap();
    assert_eq!(read(blobs, "k", None).await.unwrap(), b"second");
}

async fn a_body_that_fails_leaves_what_was_there(blobs: &dyn BlobStore) {
    blobs.put("k", bytes_body(&b"old"[..]), PLENTY).await.unwrap();
    for (key, before) in [("k", Some(&b"old"[..])), ("new", None)] {
        let body = pieces(vec![Ok(b"half"), Err(Error::upload_cut_off("test"))]);
        assert_eq!(blobs.put(key, body, PLENTY).await.unwrap_err().code, "upload_cut_off");
        assert_eq!(read(blobs, key, None).await.as_deref(), before);
    }
}

async fn a_body_over_the_limit_is_refused_and_leaves_nothing(blobs: &dyn BlobStore) {
    let body = || pieces(vec![Ok(b"12345"), Ok(b"67890")]);
    assert_eq!(blobs.put("k", body(), 9).await.unwrap_err().code, "limit_file_size");
    assert_eq!(blobs.size("k").await.unwrap(), None);
    assert_eq!(blobs.put("k", body(), 10).await.unwrap().size, 10);
}

async fn a_put_that_is_dropped_half_way_leaves_nothing(blobs: &dyn BlobStore) {
    let body = stream::iter([Ok(Bytes::from_static(b"half"))]).chain(stream::pending()).boxed();
    let mut put = blobs.put("k", body, PLENTY);
    for _ in 0..50 {
        assert!(futures_util::poll!(&mut put).is_pending());
        tokio::task::yield_now().await;
    }
    drop(put);
    assert_eq!(blobs.size("k").await.unwrap(), None);
}

async fn what_is_deleted_is_gone_and_its_neighbours_stay(blobs: &dyn BlobStore) {
    for key in ["t/1/a", "t/1/b", "t/2/a"] {
        blobs.put(key, bytes_body(&b"x"[..]), PLENTY).await.unwrap();
    }
    assert_eq!(blobs.list("t/").await.unwrap(), ["t/1/a", "t/1/b", "t/2/a"]);
    assert_eq!(blobs.list("t/1/").await.unwrap(), ["t/1/a", "t/1/b"]);
    assert!(blobs.delete("t/1/a").await.unwrap());
    assert!(!blobs.delete("t/1/a").await.unwrap());
    assert_eq!(blobs.list("t/").await.unwrap(), ["t/1/b", "t/2/a"]);
    blobs.put("t/1/a", bytes_body(&b"y"[..]), PLENTY).await.unwrap();
    assert_eq!(read(blobs, "t/1/a", None).await.unwrap(), b"y");
}

async fn keys_cannot_leave_the_store(blobs: &dyn BlobStore) {
    let long = "x".repeat(300);
    for key in
        ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a\\b", "a b", "a\0b", "é", &long]
    {
        let put = blobs.put(key, bytes_body(&b"x"[..]), PLENTY).await;
        assert_eq!(put.unwrap_err().code, "invalid_blob_key", "{key}");
        assert!(blobs.get(key, None).await.is_err(), "{key}");
        assert!(blobs.size(key).await.is_err(), "{key}");
        assert!(blobs.delete(key).await.is_err(), "{key}");
        assert_eq!(blobs.local_path(key), None::<PathBuf>, "{key}");
    }
}

async fn an_empty_body_is_a_blob_of_no_bytes(blobs: &dyn BlobStore) {
    assert_eq!(blobs.put("k", pieces(vec![]), 0).await.unwrap().size, 0);
    assert_eq!(read(blobs, "k", None).await.unwrap(), b"");
}

macro_rules! suite {
    ($name:ident, $make:expr; $($test:ident)+) => {
        mod $name {
            $(#[tokio::test]
            async fn $test() {
                let (blobs, _guard) = $make.await;
                super::$test(&blobs).await;
            })+
        }
    };
}

macro_rules! blob_suite {
    ($name:ident, $make:expr) => {
        suite! { $name, $make;
            what_is_put_can_be_got_whole_and_in_part
            what_is_not_there_is_none_and_no_error
            a_second_put_replaces_the_first
            a_body_that_fails_leaves_what_was_there
            a_body_over_the_limit_is_refused_and_leaves_nothing
            a_put_that_is_dropped_half_way_leaves_nothing
            what_is_deleted_is_gone_and_its_neighbours_stay
            keys_cannot_leave_the_store
            an_empty_body_is_a_blob_of_no_bytes
        }
    };
}

async fn local() -> (LocalBlobs, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (LocalBlobs::open(folder.path().join("blobs")).await.unwrap(), folder)
}

blob_suite!(local_folder, super::local());

#[tokio::test]
async fn a_local_folder_forgets_what_a_crash_left_half_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(".tmp")).unwrap();
    std::fs::write(folder.path().join(".tmp/7"), b"half").unwrap();
    let blobs = LocalBlobs::open(folder.path()).await.unwrap();
    a_put_that_is_dropped_half_way_leaves_nothing(&blobs).await;
    assert_eq!(std::fs::read_dir(folder.path().join(".tmp")).unwrap().count(), 0);
}
