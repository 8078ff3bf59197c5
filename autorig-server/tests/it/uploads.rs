//! Uploads over real connections, cut wherever it hurts.

use std::{sync::Arc, time::Duration};

use autorig_core::blob::S3Blobs;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Setup, TestServer, problem, s3_server::S3Server};

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 % 251) as u8).collect()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn announce(server: &TestServer, body: &Value) -> Value {
    let answer = server.post("/api/uploads").json(body).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    answer.json().await.unwrap()
}

fn request(server: &TestServer, method: &str, path: &str) -> reqwest::RequestBuilder {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    server.http.request(method, format!("{}{path}", server.url)).header("Tus-Resumable", "1.0.0")
}

async fn patch(server: &TestServer, path: &str, offset: usize, bytes: &[u8]) -> Response {
    request(server, "PATCH", path)
        .header("Content-Type", "application/offset+octet-stream")
        .header("Upload-Offset", offset)
        .body(bytes.to_vec())
        .send()
        .await
        .unwrap()
}

async fn offset(server: &TestServer, path: &str) -> usize {
    let answer = request(server, "HEAD", path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    answer.headers()["upload-offset"].to_str().unwrap().parse().unwrap()
}

/// Announces all the rest and hangs up after `sent` bytes of it.
async fn cut(server: &TestServer, path: &str, offset: usize, rest: &[u8], sent: usize) {
    let address = server.url.trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: {address}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
        rest.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&rest[..sent]).await.unwrap();
    socket.shutdown().await.unwrap();
    // The server answers or hangs up; either way it has heard of the end.
    let _ = socket.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn a_file_announced_by_tus_is_sent_in_two_pieces_and_made_a_task_of() {
    let server = TestServer::start().await;
    let options = request(&server, "OPTIONS", "/api/uploads").send().await.unwrap();
    assert_eq!(options.status(), 204);
    assert_eq!(options.headers()["tus-version"], "1.0.0");
    assert_eq!(options.headers()["tus-extension"], "creation,termination,checksum,expiration");
    assert_eq!(options.headers()["tus-checksum-algorithm"], "sha1,sha256");
    assert_eq!(options.headers()["tus-max-size"], (4 << 20).to_string());

    let answer = request(&server, "POST", "/api/uploads")
        .header("Upload-Length", 11)
        .header("Upload-Metadata", "filename aGVyby5nbGI=,filetype bW9kZWw=")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["tus-resumable"], "1.0.0");
    assert!(answer.headers().contains_key("upload-expires"));
    let path = answer.headers()["location"].to_str().unwrap().to_owned();
    let first = patch(&server, &path, 0, b"hello ").await;
    assert_eq!((first.status().as_u16(), &first.headers()["upload-offset"]), (204, &"6".parse().unwrap()));
    assert_eq!(offset(&server, &path).await, 6);
    assert_eq!(patch(&server, &path, 6, b"world").await.status(), 204);
    let view: Value = server.get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(view["complete"], true);
    assert_eq!((&view["name"], &view["sha256"]), (&json!("hero.glb"), &json!(hex(b"hello world"))));

    let body = json!({"upload_id": view["upload_id"], "mode": "rig_only"});
    let answer = server.post("/api/task/create").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let created: Value = answer.json().await.unwrap();
    let task = server.finished(created["task_id"].as_str().unwrap()).await;
    assert_eq!(task["files"][0]["name"], "hero_rigged.glb");
    let gone = request(&server, "DELETE", &path).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    problem(server.get(&path).send().await.unwrap(), 404, "upload_not_found").await;
}

#[tokio::test]
async fn a_connection_cut_at_any_byte_costs_only_what_did_not_arrive() {
    let server = TestServer::start().await;
    let bytes = content(2 << 20);
    let body = json!({"name": "big.glb", "size": bytes.len(), "sha256": hex(&bytes)});
    let view = announce(&server, &body).await;
    assert_eq!(view["method"], "tus");
    let path = view["url"].as_str().unwrap();
    let (mut at, mut cuts) = (0, 0_usize);
    while at < bytes.len() {
        let rest = &bytes[at..];
        // From nothing and one byte to more than is left.
        let sent = rest.len().min([0, 1, 4095, 65_536, 300_001][cuts % 5]);
        cut(&server, path, at, rest, sent).await;
        cuts += 1;
        // The server may still be noting what has arrived; it never tells of more than was sent.
        let noted = async {
            loop {
                let now = offset(&server, path).await;
                assert!(now <= at + sent, "{now} of {at} + {sent}");
                if now == at + sent {
                    return now;
                }
                tokio::task::yield_now().await;
            }
        };
        at = tokio::time::timeout(crate::support::PATIENCE, noted).await.expect("bytes are lost");
    }
    assert!(cuts > 15, "{cuts}");
    // The hash of the whole was checked before it said so.
    let done = async {
        loop {
            let view: Value = server.get(path).send().await.unwrap().json().await.unwrap();
            if view["complete"] == true {
                return view;
            }
            tokio::task::yield_now().await;
        }
    };
    let view = tokio::time::timeout(crate::support::PATIENCE, done).await.expect("it is never complete");
    let link = view["link"].as_str().unwrap();
    let read = server.get(link).send().await.unwrap().bytes().await.unwrap();
    assert!(read == bytes);
}

#[tokio::test]
async fn what_does_not_follow_the_protocol_is_told_what_is_wrong() {
    let server = TestServer::start().await;
    let path =
        announce(&server, &json!({"name": "a.glb", "size": 10})).await["url"].as_str().unwrap().to_owned();
    problem(patch(&server, &path, 3, b"x").await, 409, "upload_offset_mismatch").await;
    problem(patch(&server, &path, 0, &[0; 11]).await, 413, "upload_too_long").await;
    let bare = server.http.patch(format!("{}{path}", server.url)).body("x").send().await.unwrap();
    assert_eq!(bare.headers()["tus-version"], "1.0.0");
    problem(bare, 412, "tus_version").await;
    let typed = request(&server, "PATCH", &path).header("Upload-Offset", 0).body("x").send().await.unwrap();
    problem(typed, 415, "unsupported_media_type").await;
    let sum = request(&server, "PATCH", &path)
        .header("Content-Type", "application/offset+octet-stream")
        .header("Upload-Offset", 0)
        .header("Upload-Checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=")
        .body("0123456789")
        .send()
        .await
        .unwrap();
    problem(sum, 460, "chunk_checksum_mismatch").await;
    assert_eq!(offset(&server, &path).await, 0);
    let large =
        server.post("/api/uploads").json(&json!({"name": "a", "size": 5 << 20})).send().await.unwrap();
    problem(large, 413, "limit_upload").await;
    let empty = server.post("/api/uploads").json(&json!({"name": "a", "size": 0})).send().await.unwrap();
    problem(empty, 422, "empty_file").await;
    let early = server.post("/api/task/create").json(&json!({"upload_id": path.rsplit('/').next()}));
    problem(early.send().await.unwrap(), 409, "upload_incomplete").await;
    for id in ["0190f5fe-7c00-7a00-8000-000000000000", "nothing"] {
        let answer = server.get(&format!("/api/uploads/{id}")).send().await.unwrap();
        problem(answer, 404, "upload_not_found").await;
    }
}

#[tokio::test]
async fn an_upload_is_public_by_its_token_alone_and_never_shown_in_place() {
    let server = TestServer::start().await;
    let view = announce(&server, &json!({"name": "my héro.html", "size": 11})).await;
    let path = view["url"].as_str().unwrap();
    assert_eq!(view["link"], Value::Null, "there is nothing to get yet");
    patch(&server, path, 0, b"hello world").await;
    let view: Value = server.get(path).send().await.unwrap().json().await.unwrap();
    let link = view["link"].as_str().unwrap().to_owned();
    let token = link.split('/').nth(2).unwrap();
    assert_eq!(token.len(), 64, "256 bits");
    let answer = server.get(&link).header("range", "bytes=6-8").send().await.unwrap();
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let named = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(named.starts_with("attachment; filename=\"my h_ro.html\"; filename*="), "{named}");
    assert_eq!(answer.text().await.unwrap(), "wor");
    let last = if token.ends_with('0') { '1' } else { '0' };
    let wrong = format!("/u/{}{last}/x", &token[..63]);
    problem(server.get(&wrong).send().await.unwrap(), 404, "upload_not_found").await;
}

#[tokio::test]
async fn a_large_file_is_sent_by_the_client_and_is_not_sent_twice() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hero.glb");
    let bytes = content(3 << 20);
    std::fs::write(&file, &bytes).unwrap();
    let client = autorig_client::Client::builder(&server.url).build().unwrap();
    let told = std::sync::Mutex::new(Vec::new());
    let progress = |sent, all| told.lock().unwrap().push((sent, all));
    let upload = client.upload(&file, &progress).await.unwrap();
    assert_eq!((upload.complete, upload.sha256), (true, Some(hex(&bytes))));
    let size = bytes.len() as u64;
    assert_eq!(told.lock().unwrap().last(), Some(&(size, size)));
    told.lock().unwrap().clear();
    let again = client.upload(&file, &progress).await.unwrap();
    assert!(again.complete && again.upload_id != upload.upload_id);
    assert_eq!(*told.lock().unwrap(), [(size, size)], "all of it was there");
    let created = client.create(&autorig_client::NewTask::uploaded(again.upload_id)).await.unwrap();
    let task = client.wait(&created.task_id, Duration::from_secs(60)).await.unwrap();
    assert_eq!(task.status, autorig_client::Status::Done);
}

#[tokio::test]
async fn with_a_bucket_the_client_sends_straight_to_the_storage() {
    let bucket = S3Server::start().await;
    let blobs = Arc::new(S3Blobs::open(&bucket.settings("autorig")).unwrap());
    let server = Setup { blobs: Some(blobs), ..Setup::default() }.start().await;
    let tus = request(&server, "POST", "/api/uploads").header("Upload-Length", 11).send().await.unwrap();
    problem(tus, 409, "upload_by_put").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hero.glb");
    std::fs::write(&file, content(100_000)).unwrap();
    let client = autorig_client::Client::builder(&server.url).api_key("ark_live_secret").build().unwrap();
    let upload = client.upload(&file, &|_, _| ()).await.unwrap();
    assert!(upload.complete);
    let read = server.get(&upload.link.unwrap()).send().await.unwrap().bytes().await.unwrap();
    assert!(read == content(100_000));
}
