//! Whole files or none.

use autorig_client::File;
use serde_json::json;

use crate::{
    client,
    script::{Script, answer},
};

const CONTENTS: &[u8] = b"0123456789";
/// `printf 0123456789 | sha256sum`
const SHA256: &str = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";

fn file(sha256: Option<&str>) -> File {
    serde_json::from_value(json!({
        "key": "rigged_glb", "name": "hero_rigged.glb", "size": 10, "sha256": sha256, "url": "/files/a",
    }))
    .unwrap()
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_stopped() {
    let rest = answer("206 Partial Content", "Content-Range: bytes 4-9/10\r\n", 6, &CONTENTS[4..]);
    let script = Script::start(vec![answer("200 OK", "ETag: \"a\"\r\n", 10, &CONTENTS[..4]), rest]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hero.glb");
    client(&script.url).download(&file(Some(SHA256)), &path).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), CONTENTS);
    assert_eq!(names(&folder), ["hero.glb"]);
    let requests = script.requests();
    assert!(!requests[0].contains("range:"));
    assert!(requests[1].contains("range: bytes=4-") && requests[1].contains("if-range: \"a\""));
}

#[tokio::test]
async fn a_server_that_starts_again_is_followed_from_the_beginning() {
    let script =
        Script::start(vec![answer("200 OK", "", 10, &CONTENTS[..4]), answer("200 OK", "", 10, CONTENTS)])
            .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hero.glb");
    client(&script.url).download(&file(Some(SHA256)), &path).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), CONTENTS);
}

#[tokio::test]
async fn a_later_call_finds_what_an_earlier_one_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hero.glb");
    let half = || answer("200 OK", "", 10, &CONTENTS[..7]);
    let nothing = || answer("206 Partial Content", "", 3, b"");
    let script = Script::start(vec![half(), nothing(), nothing()]).await;
    let error = client(&script.url).download(&file(Some(SHA256)), &path).await.unwrap_err();
    assert_eq!(error.code(), "network");
    assert!(!path.exists());

    let script = Script::start(vec![answer("206 Partial Content", "", 3, &CONTENTS[7..])]).await;
    client(&script.url).download(&file(Some(SHA256)), &path).await.unwrap();
    assert!(script.requests()[0].contains("range: bytes=7-"));
    assert_eq!(std::fs::read(&path).unwrap(), CONTENTS);
}

#[tokio::test]
async fn wrong_bytes_are_refused_and_leave_nothing() {
    let script = Script::start(vec![answer("200 OK", "", 10, b"9876543210"); 2]).await;
    let folder = tempfile::tempdir().unwrap();
    let client = client(&script.url);
    let error = client.download(&file(Some(SHA256)), folder.path().join("a")).await.unwrap_err();
    assert_eq!(error.code(), "corrupt_download");
    assert!(names(&folder).is_empty());
    assert_eq!(client.download_bytes(&file(Some(SHA256))).await.unwrap_err().code(), "corrupt_download");
}

#[tokio::test]
async fn bytes_in_memory_are_resumed_as_well() {
    let rest = answer("206 Partial Content", "", 1, &CONTENTS[9..]);
    let script = Script::start(vec![answer("200 OK", "", 10, &CONTENTS[..9]), rest]).await;
    assert_eq!(client(&script.url).download_bytes(&file(None)).await.unwrap(), CONTENTS);
}

#[tokio::test]
async fn our_key_is_not_sent_to_another_server() {
    let script = Script::start(Vec::new()).await;
    let mut file = file(None);
    file.url = "https://example.org/hero.glb".to_owned();
    assert_eq!(client(&script.url).download_bytes(&file).await.unwrap_err().code(), "invalid_url");
}
