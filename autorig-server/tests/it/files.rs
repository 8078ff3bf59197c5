//! Downloading.

use std::sync::Arc;

use autorig_core::blob::S3Blobs;
use reqwest::{Method, Response};

use crate::support::{
    PuppetWorker, Setup, TestServer, problem, puppet_content, s3_server::S3Server, sse::Stream,
};

struct Done {
    server: TestServer,
    path: String,
    content: String,
}

async fn done() -> Done {
    let server = TestServer::start().await;
    let id = server.create("my hero.glb", b"x".to_vec()).await;
    server.finished(&id).await;
    Done { path: format!("/api/task/{id}/files/rigged_glb"), server, content: puppet_content("rigged_glb") }
}

impl Done {
    async fn get(&self, headers: &[(&str, &str)]) -> Response {
        headers.iter().fold(self.server.get(&self.path), |r, (k, v)| r.header(*k, *v)).send().await.unwrap()
    }
}

#[tokio::test]
async fn a_file_comes_whole_with_its_name_type_and_version() {
    let done = done().await;
    let answer = done.get(&[]).await;
    assert_eq!(answer.status(), 200);
    let headers = answer.headers().clone();
    assert_eq!(headers["content-type"], "model/gltf-binary");
    assert_eq!(headers["content-disposition"], "attachment; filename=\"my_hero_rigged.glb\"");
    assert_eq!(headers["content-length"], done.content.len().to_string());
    assert_eq!(headers["accept-ranges"], "bytes");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "private, no-cache");
    let etag = headers["etag"].to_str().unwrap();
    assert!(etag.starts_with('"') && etag.len() == 66, "{etag}");
    assert_eq!(answer.text().await.unwrap(), done.content);
}

#[tokio::test]
async fn head_tells_the_same_without_the_bytes() {
    let done = done().await;
    let head = done
        .server
        .http
        .request(Method::HEAD, format!("{}{}", done.server.url, done.path))
        .send()
        .await
        .unwrap();
    let get = done.get(&[]).await;
    assert_eq!(head.status(), 200);
    for name in ["content-type", "content-length", "etag", "content-disposition", "accept-ranges"] {
        assert_eq!(head.headers()[name], get.headers()[name], "{name}");
    }
    assert_eq!(head.text().await.unwrap(), "");
}

#[tokio::test]
async fn a_part_of_a_file_can_be_had() {
    let done = done().await;
    let size = done.content.len();
    for (range, part) in [
        ("bytes=3-9", 3..10),
        ("bytes=5-", 5..size),
        ("bytes=-4", size - 4..size),
        ("bytes=0-99999", 0..size),
    ] {
        let answer = done.get(&[("range", range)]).await;
        assert_eq!(answer.status(), 206, "{range}");
        let expected = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        assert_eq!(answer.headers()["content-range"].to_str().unwrap(), expected);
        assert_eq!(answer.headers()["content-length"], part.len().to_string());
        assert_eq!(answer.text().await.unwrap(), done.content[part]);
    }
}

#[tokio::test]
async fn a_part_that_does_not_exist_is_refused_with_the_size() {
    let done = done().await;
    let answer = done.get(&[("range", "bytes=999999-")]).await;
    assert_eq!(
        answer.headers()["content-range"].to_str().unwrap(),
        format!("bytes */{}", done.content.len())
    );
    problem(answer, 416, "range_not_satisfiable").await;
}

#[tokio::test]
async fn a_held_version_is_not_sent_again_and_a_part_of_another_one_comes_whole() {
    let done = done().await;
    let etag = done.get(&[]).await.headers()["etag"].to_str().unwrap().to_owned();
    let held = done.get(&[("if-none-match", &etag)]).await;
    assert_eq!(held.status(), 304);
    assert_eq!(held.text().await.unwrap(), "");
    assert_eq!(done.get(&[("range", "bytes=0-1"), ("if-range", &etag)]).await.status(), 206);
    assert_eq!(done.get(&[("range", "bytes=0-1"), ("if-range", "\"other\"")]).await.status(), 200);
}

#[tokio::test]
async fn models_have_short_paths_of_their_own() {
    let done = done().await;
    let id = done.path.split('/').nth(3).unwrap();
    for (path, key) in [("prepared.glb", "prepared_glb"), ("model.glb", "rigged_glb")] {
        let answer = done.server.get(&format!("/api/task/{id}/{path}")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), puppet_content(key));
    }
}

#[tokio::test]
async fn the_prepared_model_can_be_seen_while_the_rest_is_being_made() {
    let (worker, strings) = PuppetWorker::held();
    let server = Setup { worker: Arc::new(worker), ..Setup::default() }.start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    let prepared = format!("/api/task/{id}/prepared.glb");
    problem(server.get(&prepared).send().await.unwrap(), 404, "file_not_found").await;
    let mut events = Stream::open(&server, &id, None).await;
    strings.step();
    while events.next().await.unwrap().name != "file" {}
    let answer = server.get(&prepared).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), puppet_content("prepared_glb"));
    problem(server.get(&format!("/api/task/{id}/model.glb")).send().await.unwrap(), 404, "file_not_found")
        .await;
    strings.step();
    server.finished(&id).await;
}

#[tokio::test]
async fn a_key_that_no_file_has_is_not_found() {
    let done = done().await;
    let id = done.path.split('/').nth(3).unwrap();
    for key in ["unity_fbx", "nothing", "%2e%2e%2f"] {
        let answer = done.server.get(&format!("/api/task/{id}/files/{key}")).send().await.unwrap();
        problem(answer, 404, "file_not_found").await;
    }
}

#[tokio::test]
async fn files_in_a_bucket_pass_the_server_unless_it_is_told_to_redirect() {
    let bucket = S3Server::start().await;
    for storage_redirect in [false, true] {
        let blobs: Arc<S3Blobs> = Arc::new(S3Blobs::open(&bucket.settings("autorig")).unwrap());
        let setup = Setup { blobs: Some(blobs), storage_redirect, ..Setup::default() };
        let server = setup.start().await;
        let id = server.create("hero.glb", b"x".to_vec()).await;
        server.finished(&id).await;
        let path = format!("/api/task/{id}/files/rigged_glb");
        let part = server.get(&path).header("range", "bytes=3-9").send().await.unwrap();
        if !storage_redirect {
            assert_eq!(part.status(), 206);
            assert_eq!(part.text().await.unwrap(), puppet_content("rigged_glb")[3..10]);
            continue;
        }
        assert_eq!(part.status(), 302);
        let place = part.headers()["location"].to_str().unwrap();
        let answer = server.http.get(place).send().await.unwrap();
        assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"hero_rigged.glb\"");
        assert_eq!(answer.text().await.unwrap(), puppet_content("rigged_glb"));
        let head = server.http.head(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(head.status(), 200, "an address is signed for GET alone");
    }
}
