//! One whole rig: a character goes in, its story is heard, a valid rigged model comes out.

use std::{path::Path, process::Command};

use autorig_engine::sample::{Sample, generate};
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{TestServer, sse::Stream};

fn human() -> Vec<u8> {
    let scene = generate(Sample::Human, Some(6000)).unwrap();
    autorig_engine::write::scene_glb(&scene).unwrap()
}

#[tokio::test]
async fn a_character_is_rigged_through_the_api() {
    let server = TestServer::with_engine().await;
    let id = server.create("hero.glb", human()).await;
    let events = Stream::open(&server, &id, None).await.rest().await;
    let stages: Vec<&str> =
        events.iter().filter(|e| e.name == "stage").map(|e| e.data["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["read", "analyse", "skeleton", "skin", "export", "pack"]);
    let progress: Vec<u64> = events.iter().filter_map(|e| e.data["progress"].as_u64()).collect();
    assert!(progress.is_sorted(), "{progress:?}");
    let files: Vec<&str> =
        events.iter().filter(|e| e.name == "file").map(|e| e.data["key"].as_str().unwrap()).collect();
    assert_eq!(files.first(), Some(&"prepared_glb"));
    assert_eq!(events.last().unwrap().name, "done");

    let task = server.task(&id).await;
    assert_eq!((&task["status"], &task["ready_count"]), (&Value::from("done"), &Value::from(3)));
    let rigged =
        server.get(&format!("/api/task/{id}/model.glb")).send().await.unwrap().bytes().await.unwrap();
    let document = document_of(&rigged);
    let joints = document["skins"][0]["joints"].as_array().unwrap().len();
    assert!(joints > 15, "{joints} joints");
    let report: Value =
        server.get(&format!("/api/task/{id}/files/report_json")).send().await.unwrap().json().await.unwrap();
    assert_eq!(report["class"], "humanoid");
    assert_eq!(report["joints"].as_array().unwrap().len(), joints);
    let quality = &report["quality"];
    assert_eq!(task["quality"]["verdict"], quality["verdict"]);
    let codes: Vec<&Value> = quality["reasons"].as_array().unwrap().iter().map(|r| &r["code"]).collect();
    assert_eq!(task["quality"]["reasons"].as_array().unwrap().iter().collect::<Vec<_>>(), codes);
    let prepared =
        server.get(&format!("/api/task/{id}/prepared.glb")).send().await.unwrap().bytes().await.unwrap();
    for (name, bytes) in [("rigged.glb", &rigged), ("prepared.glb", &prepared)] {
        validate(name, bytes);
    }
}

#[tokio::test]
async fn a_full_task_can_be_seen_heard_of_by_place_and_taken_away_in_one_archive() {
    let server = TestServer::with_engine().await;
    let answer = server.upload_as("full", "hero.glb", human()).await;
    let id = answer.json::<Value>().await.unwrap()["task_id"].as_str().unwrap().to_owned();
    let task = server.finished(&id).await;
    assert_eq!((&task["status"], &task["video_ready"]), (&Value::from("done"), &Value::from(true)), "{task}");
    let get = async |path: &str| server.get(path).send().await.unwrap();
    let header = |answer: &reqwest::Response, name: &str| {
        answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };

    let video = get(&format!("/api/video/{id}")).await;
    assert_eq!(header(&video, "content-type"), "video/mp4");
    assert_eq!(header(&video, "content-disposition"), "inline; filename=\"hero_video.mp4\"");
    let part = server.get(&format!("/api/video/{id}")).header("range", "bytes=4-7").send().await.unwrap();
    assert_eq!(
        (part.status(), &part.bytes().await.unwrap()[..]),
        (StatusCode::PARTIAL_CONTENT, &b"ftyp"[..])
    );
    let thumb = get(&format!("/api/thumb/{id}")).await;
    assert_eq!(header(&thumb, "content-type"), "image/png");
    assert!(thumb.bytes().await.unwrap().starts_with(b"\x89PNG"));

    let by_place = get(&format!("/api/file/{id}/0")).await.bytes().await.unwrap();
    assert_eq!(by_place, get(&format!("/api/task/{id}/model.glb")).await.bytes().await.unwrap());
    for place in ["15000", "-1", "x", "4"] {
        assert_eq!(get(&format!("/api/file/{id}/{place}")).await.status(), StatusCode::NOT_FOUND, "{place}");
    }
    for (path, magic) in [
        ("animations.glb", &b"glTF"[..]),
        ("animations.fbx", b"Kaydara"),
        ("all.zip", b"PK"),
        ("files/vrm", b"glTF"),
    ] {
        let file = get(&format!("/api/task/{id}/{path}")).await;
        assert!(header(&file, "content-disposition").starts_with("attachment"), "{path}");
        assert!(file.bytes().await.unwrap().starts_with(magic), "{path}");
    }
}

/// The JSON of a GLB.
fn document_of(glb: &[u8]) -> Value {
    let length = u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
    serde_json::from_slice(&glb[20..20 + length]).unwrap()
}

/// Runs the Khronos validator where `./dev` has installed it.
#[expect(clippy::print_stderr, reason = "a check that did not happen must be seen")]
fn validate(name: &str, bytes: &[u8]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = root.join("scripts/validator/validate.mjs");
    let node = root.join(".venv/bin/node");
    if !root.join("scripts/validator/node_modules").is_dir() || !node.exists() {
        eprintln!("skipped: the Khronos validator is not installed (./dev installs it)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let out = Command::new(node).arg(script).arg(&path).output().unwrap();
    assert!(
        out.status.success(),
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}
