//! Every blob store.

use std::path::PathBuf;

use autorig_core::{
    Error,
    blob::{BlobStore, ByteStream, LocalBlobs, Presented, S3Blobs, bytes_body},
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::s3_server::S3Server;

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
    for key in ["nothing", "b/c"] {
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

/// Larger than several parts of a multipart upload, in pieces that fit none of them.
async fn a_large_body_goes_through_in_pieces_of_any_size(blobs: &dyn BlobStore) {
    let size = (20 << 20) + 12_345;
    let whole: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
    let all = Bytes::from(whole.clone());
    let mut cut: Vec<Result<Bytes, Error>> = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let end = all.len().min(at + 1 + (at * 7) % 999_983);
        cut.push(Ok(all.slice(at..end)));
        at = end;
    }
    let meta = blobs.put("big", stream::iter(cut).boxed(), PLENTY).await.unwrap();
    assert_eq!(meta.size, u64::from(size));
    assert!(read(blobs, "big", None).await.unwrap() == whole);
    let middle = read(blobs, "big", Some(8_388_600..8_388_620)).await.unwrap();
    assert_eq!(middle, &whole[8_388_600..8_388_620]);
    let body = stream::iter([Ok(all), Err(Error::upload_cut_off("test"))]).boxed();
    assert_eq!(blobs.put("big", body, PLENTY).await.unwrap_err().code, "upload_cut_off");
    assert_eq!(blobs.size("big").await.unwrap(), Some(u64::from(size)));
}

async fn a_listing_tells_size_and_age_and_only_what_is_below(blobs: &dyn BlobStore) {
    for (key, bytes) in [("u/1", "one"), ("u/2/a", "three"), ("ub", "x"), ("v/1", "y")] {
        blobs.put(key, bytes_body(bytes.as_bytes()), PLENTY).await.unwrap();
    }
    let entries = |prefix: &'static str| async move {
        let mut entries: Vec<_> = blobs.entries(prefix).try_collect().await.unwrap();
        entries.sort_by(|a: &autorig_core::blob::BlobEntry, b| a.key.cmp(&b.key));
        entries
    };
    let below = entries("u/").await;
    let told: Vec<_> = below.iter().map(|entry| (entry.key.as_str(), entry.size)).collect();
    assert_eq!(told, [("u/1", 3), ("u/2/a", 5)]);
    assert_eq!(entries("").await.len(), 4);
    // Written after the year 2020 and not in the future: a time, not a guess at one.
    assert!(below.iter().all(|entry| entry.modified.timestamp() > 1_577_836_800));
    assert!(blobs.entries("../").next().await.unwrap().is_err());
}

async fn a_renamed_blob_is_found_under_its_new_key_only(blobs: &dyn BlobStore) {
    blobs.put("incoming/a", bytes_body(&b"new"[..]), PLENTY).await.unwrap();
    blobs.put("uploads/a", bytes_body(&b"old"[..]), PLENTY).await.unwrap();
    assert!(blobs.rename("incoming/a", "uploads/a").await.unwrap());
    assert_eq!(read(blobs, "uploads/a", None).await.unwrap(), b"new");
    assert_eq!(blobs.size("incoming/a").await.unwrap(), None);
    assert!(!blobs.rename("incoming/a", "uploads/b").await.unwrap());
    assert_eq!(blobs.size("uploads/b").await.unwrap(), None);
    assert_eq!(blobs.list("").await.unwrap(), ["uploads/a"]);
}

/// Deletes take empty folders away while puts next to them need these.
async fn puts_and_deletes_next_to_each_other_do_not_meet(blobs: &dyn BlobStore) {
    let one = |number: u32| async move {
        let key = format!("busy/{}/{number}", number % 2);
        for _ in 0..20 {
            blobs.put(&key, bytes_body(&b"x"[..]), PLENTY).await.unwrap();
            assert!(blobs.delete(&key).await.unwrap());
        }
    };
    futures_util::future::join_all((0..8).map(one)).await;
    assert!(blobs.list("busy/").await.unwrap().is_empty());
}

async fn a_store_that_answers_says_so(blobs: &dyn BlobStore) {
    blobs.ping().await.unwrap();
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
            a_large_body_goes_through_in_pieces_of_any_size
            a_listing_tells_size_and_age_and_only_what_is_below
            a_renamed_blob_is_found_under_its_new_key_only
            puts_and_deletes_next_to_each_other_do_not_meet
            a_store_that_answers_says_so
        }
    };
}

async fn local() -> (LocalBlobs, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (LocalBlobs::open(folder.path().join("blobs")).await.unwrap(), folder)
}

async fn s3() -> (S3Blobs, S3Server) {
    let server = S3Server::start().await;
    (S3Blobs::open(&server.settings("")).unwrap(), server)
}

async fn s3_below_a_prefix() -> (S3Blobs, S3Server) {
    let server = S3Server::start().await;
    // What others keep in the same bucket is none of ours.
    let all = S3Blobs::open(&server.settings("")).unwrap();
    all.put("team/autorigs/x", bytes_body(&b"theirs"[..]), PLENTY).await.unwrap();
    (S3Blobs::open(&server.settings("team/autorig")).unwrap(), server)
}

blob_suite!(local_folder, super::local());
blob_suite!(s3_bucket, super::s3());
blob_suite!(s3_prefix, super::s3_below_a_prefix());

fn shown() -> Presented {
    Presented {
        disposition: "attachment; filename=\"a b.glb\"; filename*=UTF-8''%C3%A9.glb".to_owned(),
        mime: "model/gltf-binary".to_owned(),
    }
}

#[allow(clippy::disallowed_methods, reason = "a caller outside, with a client of its own")]
pub(crate) fn outsider() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

#[tokio::test]
async fn a_local_folder_is_no_file_and_a_file_no_folder() {
    let (blobs, _folder) = local().await;
    blobs.put("a/file", bytes_body(&b"x"[..]), PLENTY).await.unwrap();
    for key in ["a", "a/file/deeper"] {
        assert!(blobs.get(key, None).await.unwrap().is_none());
        assert_eq!(blobs.size(key).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_local_folder_has_no_address_of_its_own() {
    let (blobs, _folder) = local().await;
    assert_eq!(blobs.presign_get("a", &shown(), MINUTE).await.unwrap(), None);
    assert_eq!(blobs.presign_put("a", None, MINUTE).await.unwrap(), None);
    assert!(blobs.presign_get("../a", &shown(), MINUTE).await.is_err());
}

#[tokio::test]
async fn a_presigned_download_is_presented_as_asked_and_takes_ranges() {
    let (blobs, _server) = s3().await;
    blobs.put("results/a", bytes_body(&b"hello world"[..]), PLENTY).await.unwrap();
    let url = blobs.presign_get("results/a", &shown(), MINUTE).await.unwrap().unwrap();
    let whole = outsider().get(&url).send().await.unwrap();
    assert_eq!(whole.headers()["content-disposition"], shown().disposition);
    assert_eq!(whole.headers()["content-type"], shown().mime);
    assert_eq!(whole.bytes().await.unwrap(), "hello world");
    let part = outsider().get(&url).header("range", "bytes=6-8").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().as_ref()), (206, &b"wor"[..]));
    let other = url.replace("results/a", "results/b");
    assert_eq!(outsider().get(other).send().await.unwrap().status(), 403, "signed for one blob only");
}

#[tokio::test]
async fn a_presigned_upload_takes_the_announced_file_and_no_other() {
    let (blobs, _server) = s3().await;
    let sum = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    let signed = blobs.presign_put("incoming/a", Some(sum), MINUTE).await.unwrap().unwrap();
    let put = |body: &'static str| {
        let request = outsider().put(&signed.url).body(body);
        signed.headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
    };
    assert!(!put("hello earth").await.unwrap().status().is_success());
    assert!(put("hello world").await.unwrap().status().is_success());
    assert_eq!(read(&blobs, "incoming/a", None).await.unwrap(), b"hello world");
    let bare = outsider().put(&signed.url).body("hello world").send().await.unwrap();
    assert_eq!(bare.status(), 403, "the hash is a part of the signature");
    let free = blobs.presign_put("incoming/b", None, MINUTE).await.unwrap().unwrap();
    assert!(outsider().put(&free.url).body("anything").send().await.unwrap().status().is_success());
    assert!(free.headers.is_empty());
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_or_refuses_is_told_apart() {
    let server = S3Server::start().await;
    let mut settings = server.settings("");
    settings.bucket = "elsewhere".to_owned();
    assert_eq!(S3Blobs::open(&settings).unwrap().ping().await.unwrap_err().code, "storage_unavailable");
    let mut settings = server.settings("");
    settings.keys = Some(("test-access".to_owned(), "wrong".to_owned()));
    let error = S3Blobs::open(&settings).unwrap().ping().await.unwrap_err();
    assert_eq!(error.code, "storage_denied");
    assert!(!error.to_string().contains("wrong"), "{error}");
}

#[tokio::test]
async fn a_blob_is_written_bit_by_bit_from_where_it_is_known_to_be() {
    let (blobs, _folder) = local().await;
    let piece = |text: &'static str| Bytes::from_static(text.as_bytes());
    let mut end = blobs.append("incoming/a", 0).await.unwrap().unwrap();
    end.write(piece("hello ")).await.unwrap();
    end.sync().await.unwrap();
    end.write(piece("never acknowledged")).await.unwrap();
    drop(end);
    let mut end = blobs.append("incoming/a", 6).await.unwrap().unwrap();
    end.write(piece("world")).await.unwrap();
    end.sync().await.unwrap();
    assert_eq!(read(&blobs, "incoming/a", None).await.unwrap(), b"hello world");
    for (key, offset) in [("incoming/a", 12), ("incoming/b", 1)] {
        assert_eq!(blobs.append(key, offset).await.err().unwrap().code, "blob_too_short", "{key}");
    }
    let (s3, _server) = s3().await;
    assert!(s3.append("incoming/a", 0).await.unwrap().is_none());
}

#[tokio::test]
async fn a_local_folder_forgets_what_a_crash_left_half_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(".tmp")).unwrap();
    std::fs::write(folder.path().join(".tmp/7"), b"half").unwrap();
    let blobs = LocalBlobs::open(folder.path()).await.unwrap();
    a_put_that_is_dropped_half_way_leaves_nothing(&blobs).await;
    assert_eq!(std::fs::read_dir(folder.path().join(".tmp")).unwrap().count(), 0);
}
