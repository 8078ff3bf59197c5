//! Files that cannot be rigged, through the real engine: the call is accepted, the task ends with an error of its
//! own, nothing half-made stays, and the server goes on.

use serde_json::Value;

use crate::support::{TestServer, glb, sse::Stream};

/// Uploads a file and asserts how its task fails.
async fn fails(server: &TestServer, name: &str, bytes: Vec<u8>, code: &str) {
    let id = server.create(name, bytes).await;
    let task = server.finished(&id).await;
    assert_eq!(
        (task["status"].as_str(), task["error"]["code"].as_str()),
        (Some("error"), Some(code)),
        "{name}: {task}"
    );
    assert_eq!(task["error"]["class"], "user_violation");
    for words in ["message", "remedy"] {
        assert!(task["error"][words].as_str().is_some_and(|text| text.len() > 10), "{words}: {task}");
    }
    assert_eq!(
        (&task["attempt"], &task["next_attempt_at"]),
        (&Value::from(1), &Value::Null),
        "it is not tried again"
    );
    assert!(task["files"].as_array().unwrap().iter().all(|file| file["key"] == "prepared_glb"), "{task}");
    let last = Stream::open(server, &id, None).await.rest().await.pop().unwrap();
    assert_eq!((last.name.as_str(), &last.data), ("error", &task["error"]));
    let listed = server.history().await.into_iter().find(|item| item["id"] == *id).unwrap();
    assert_eq!(listed["error"], task["error"]);
}

#[tokio::test]
async fn bytes_that_are_no_model_are_refused_by_what_they_are() {
    let server = TestServer::with_engine().await;
    fails(&server, "noise.glb", vec![7; 1000], "unknown_format").await;
    fails(&server, "page.glb", b"<!doctype html><html><body>sign in</body></html>".to_vec(), "not_a_model")
        .await;
    fails(&server, "picture.glb", glb::png(8, 8), "not_a_model").await;
    fails(&server, "cut.fbx", b"Kaydara FBX Binary  \0\x1a\0\xe8\x1c\0\0".to_vec(), "truncated_file").await;
    server.assert_still_serves().await;
}

#[tokio::test]
async fn a_model_with_another_extension_is_read_by_its_content() {
    let server = TestServer::with_engine().await;
    // A tetrahedron is no character: the file was read, whatever it is called.
    let id = server.create("model.obj", glb::tetrahedron(1.0)).await;
    let task = server.finished(&id).await;
    let code = task["error"]["code"].as_str().unwrap();
    assert!(!matches!(code, "unknown_format" | "corrupt_file" | "not_a_model"), "{task}");
}

#[tokio::test]
async fn a_model_that_ends_too_early_is_truncated() {
    let server = TestServer::with_engine().await;
    let whole = glb::tetrahedron(1.0);
    fails(&server, "a.glb", whole[..whole.len() - 20].to_vec(), "truncated_file").await;
    fails(&server, "a.glb", whole[..30].to_vec(), "truncated_file").await;
    server.assert_still_serves().await;
}

#[tokio::test]
async fn a_model_without_a_shape_is_refused_by_what_is_missing() {
    let server = TestServer::with_engine().await;
    fails(&server, "a.glb", glb::without_triangles(), "no_geometry").await;
    fails(&server, "a.glb", glb::mesh(&[[1.0; 3]; 3], &[0, 1, 2], None), "degenerate_geometry").await;
    fails(&server, "a.glb", glb::with_nan(), "non_finite_positions").await;
    fails(&server, "a.glb", glb::tetrahedron(1e12), "scale_out_of_range").await;
    fails(&server, "a.glb", glb::tetrahedron(1e-9), "scale_out_of_range").await;
    fails(&server, "a.glb", glb::tetrahedron(1.0), "no_character_found").await;
    server.assert_still_serves().await;
}

#[tokio::test]
async fn a_texture_that_claims_to_be_huge_is_refused_unread() {
    let server = TestServer::with_engine().await;
    fails(&server, "a.glb", glb::with_texture_bomb(), "limit_texture").await;
    server.assert_still_serves().await;
}

#[tokio::test]
async fn a_model_with_too_many_triangles_is_refused() {
    let server = TestServer::with_engine().await;
    // Six million in a small file: ten thousand, placed six hundred times.
    fails(&server, "a.glb", glb::instances(71, 600), "limit_triangles").await;
    server.assert_still_serves().await;
}

#[tokio::test]
async fn a_failed_task_leaves_only_what_it_lists() {
    let server = TestServer::with_engine().await;
    fails(&server, "a.glb", glb::without_triangles(), "no_geometry").await;
    // The upload stays for a later restart of the task, nothing else does.
    assert_eq!(server.stored_files().len(), 1, "{:?}", server.stored_files());
}

/// What the names of files say that cannot be read or rigged.
const BROKEN: [&str; 16] = [
    "accessor",
    "all_same",
    "cyclic",
    "degenerate",
    "draco",
    "empty",
    "far_from",
    "fbx_",
    "index_out",
    "inf_pos",
    "is_a_",
    "meshopt",
    "nan_pos",
    "points_only",
    "truncated",
    "zero_faces",
];

#[tokio::test]
async fn every_broken_file_of_the_collection_ends_as_done_or_as_a_clear_error() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rigbench/inputs");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("skipped: the collection of files is not here");
        return;
    };
    let server = TestServer::with_engine().await;
    // What can be rigged is for the engine's own tests; here it is the server that must get through.
    let broken = |path: &std::path::PathBuf| BROKEN.iter().any(|word| path.to_string_lossy().contains(word));
    for path in entries.map(|entry| entry.unwrap().path()).filter(broken) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let answer = server.upload(&name, std::fs::read(&path).unwrap()).await;
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
        if status != 202 {
            assert!(status.is_client_error() && body["remedy"].is_string(), "{name}: {body}");
            continue;
        }
        let task = server.finished(body["task_id"].as_str().unwrap()).await;
        let error = &task["error"];
        let clear =
            error["class"] == "user_violation" && error["code"].is_string() && error["remedy"].is_string();
        assert!(task["status"] == "done" || clear, "{name}: {task}");
    }
    server.assert_still_serves().await;
}
