//! Files that a model refers to.

use std::path::Path;

use autorig_engine::read::{Siblings, Source, read};
use autorig_engine::scene::Scene;
use autorig_engine::{Code, Limits, Result};
use base64::Engine as _;
use serde_json::{Value, json};

use crate::build::{Glb, POINTS};

/// A tetrahedron as glTF JSON whose buffer is at `uri`, and that buffer.
fn model(uri: &str) -> (Value, Vec<u8>) {
    let glb = Glb::tetrahedron();
    let mut json = glb.json;
    json["buffers"] = json!([{"byteLength": glb.bin.len(), "uri": uri}]);
    (json, glb.bin)
}

fn read_in(folder: &Path, json: &Value, limits: &Limits) -> Result<Scene> {
    let bytes = serde_json::to_vec(json).unwrap();
    let siblings = Siblings::Folder(folder.to_owned());
    read(&Source { name: "model.gltf".to_owned(), bytes, siblings }, limits)
}

#[test]
fn buffers_come_from_below_the_folder_with_names_decoded() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub dir")).unwrap();
    for (uri, path) in
        [("model.bin", "model.bin"), ("sub%20dir/d%C3%A9.bin", "sub dir/dé.bin"), ("./a.bin", "a.bin")]
    {
        let (json, bin) = model(uri);
        std::fs::write(folder.path().join(path), &bin).unwrap();
        let file = folder.path().join("model.gltf");
        std::fs::write(&file, serde_json::to_vec(&json).unwrap()).unwrap();
        let limits = Limits::default();
        let scene = read(&Source::open(&file, &limits).unwrap(), &limits).unwrap();
        assert_eq!(scene.meshes[0].primitives[0].positions, POINTS);
    }
}

#[test]
fn nothing_outside_of_the_folder_is_read() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("inner");
    std::fs::create_dir(&folder).unwrap();
    let (_, bin) = model("");
    let secret = outer.path().join("secret.bin");
    std::fs::write(&secret, bin).unwrap();
    let mut uris = vec![
        "../secret.bin".to_owned(),
        "%2e%2e/secret.bin".to_owned(),
        "..\\secret.bin".to_owned(),
        "a/../../secret.bin".to_owned(),
        secret.to_string_lossy().into_owned(),
        format!("file://{}", secret.display()),
        "https://example.org/secret.bin".to_owned(),
        "C:\\secret.bin".to_owned(),
        "gone.bin".to_owned(),
        "%00".to_owned(),
        "%FF.bin".to_owned(),
        "".to_owned(),
        ".".to_owned(),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, folder.join("link.bin")).unwrap();
        std::os::unix::fs::symlink(outer.path(), folder.join("up")).unwrap();
        uris.extend(["link.bin".to_owned(), "up/secret.bin".to_owned()]);
    }
    for uri in uris {
        let error = read_in(&folder, &model(&uri).0, &Limits::default()).unwrap_err();
        assert_eq!(error.code, Code::MissingResource, "{uri}: {error}");
    }
}

#[test]
fn an_upload_alone_has_no_neighbours() {
    let bytes = serde_json::to_vec(&model("model.bin").0).unwrap();
    let error = read(&Source::bytes("model.gltf", bytes), &Limits::default()).unwrap_err();
    assert_eq!(error.code, Code::MissingResource);
    assert!(error.message.contains("model.bin") && error.remedy.contains("GLB"), "{error}");
}

#[test]
fn the_sum_of_all_files_is_limited() {
    let folder = tempfile::tempdir().unwrap();
    let (json, bin) = model("model.bin");
    std::fs::write(folder.path().join("model.bin"), vec![0; 5000 + bin.len()]).unwrap();
    let limits = Limits { file_bytes: 5000, ..Limits::default() };
    assert_eq!(read_in(folder.path(), &json, &limits).unwrap_err().code, Code::LimitFileSize);
    let file = folder.path().join("model.bin");
    assert_eq!(Source::open(&file, &limits).unwrap_err().code, Code::LimitFileSize);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_io_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.glb"), folder.path().to_owned()] {
        let error = Source::open(&path, &Limits::default()).unwrap_err();
        assert_eq!(error.code, Code::Io);
        assert!(error.message.contains(&*path.to_string_lossy()), "{error}");
    }
}

#[test]
fn data_uris_are_decoded_with_and_without_padding() {
    let (_, bin) = model("");
    let text = base64::engine::general_purpose::STANDARD.encode(&bin);
    let escaped: String = bin.iter().map(|b| format!("%{b:02X}")).collect();
    for uri in [
        format!("data:application/octet-stream;base64,{text}"),
        format!("DATA:;base64,{}", text.trim_end_matches('=')),
        format!("data:application/octet-stream,{escaped}"),
    ] {
        let scene = read_in(Path::new("."), &model(&uri).0, &Limits::default()).unwrap();
        assert_eq!(scene.meshes[0].primitives[0].positions, POINTS);
    }
    for uri in ["data:application/octet-stream;base64", "data:;base64,???"] {
        let error = read_in(Path::new("."), &model(uri).0, &Limits::default()).unwrap_err();
        assert_eq!(error.code, Code::CorruptFile, "{uri}");
    }
    let error = read_in(Path::new("."), &model("data:;base64,AAAA").0, &Limits::default()).unwrap_err();
    assert_eq!(error.code, Code::TruncatedFile);
}
