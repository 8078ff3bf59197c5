//! What a file is taken for.

use autorig_engine::scene::Format;
use autorig_engine::{Code, Error};
use serde_json::json;

use crate::build::{Glb, png, read_bytes, warns};

fn refusal(name: &str, bytes: &[u8]) -> Error {
    read_bytes(name, bytes.to_vec()).unwrap_err()
}

#[test]
fn things_that_are_no_models_are_called_by_their_names() {
    let mut webp = b"RIFF\x10\0\0\0WEBPVP8 ".to_vec();
    webp.extend([0; 20]);
    let cases: [(&[u8], &str); 12] = [
        (&png(1, 1), "PNG"),
        (b"\xFF\xD8\xFF\xE0\0\x10JFIF", "JPEG"),
        (&webp, "WebP"),
        (b"GIF89a\x01\0\x01\0", "GIF"),
        (b"  \n<!DOCTYPE html><html><body>Not found", "web page"),
        (b"<html><head>", "web page"),
        (b"<?xml version=\"1.0\"?><svg xmlns=\"x\">", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0", "video"),
        (b"\x1A\x45\xDF\xA3\x01", "video"),
        (b"Rar!\x1A\x07\0", "RAR"),
        (b"{\"error\": \"not found\"}", "not glTF"),
    ];
    for (bytes, word) in cases {
        let error = refusal("model.glb", bytes);
        assert_eq!(error.code, Code::NotAModel, "{word}: {error}");
        assert!(error.message.contains(word), "{word}: {error}");
    }
}

#[test]
fn formats_that_are_not_read_yet_are_named_with_the_way_out() {
    let cases: [(&str, &[u8], &str); 8] = [
        ("a.blend", b"BLENDER-v404", "Blender"),
        ("a", b"MD5Version 10\ncommandline", "MD5"),
        ("a", b"<?xml version=\"1.0\"?>\n<COLLADA xmlns=\"x\">", "COLLADA"),
        ("a", b"PXR-USDC\0", "USD"),
        ("a", b"#usda 1.0\n", "USD"),
        ("a.max", b"something\0of its own", "3ds Max"),
        ("a.usdz", b"PK\x03\x04\x14\0\0\0", "usdz"),
        ("a", b"glTF\x01\0\0\0\x14\0\0\0\0\0\0\0\0\0\0\0", "version 1"),
    ];
    for (name, bytes, word) in cases {
        let error = refusal(name, bytes);
        assert_eq!(error.code, Code::UnsupportedFormat, "{word}: {error}");
        assert!(error.message.contains(word), "{word}: {error}");
        assert!(error.remedy.contains("GLB"), "{error}");
    }
}

#[test]
fn emptiness_and_noise_are_told_apart() {
    assert_eq!(refusal("a.glb", b"").code, Code::EmptyFile);
    assert_eq!(refusal("a.obj", b" \r\n\t").code, Code::EmptyFile);
    assert_eq!(refusal("a.glb", &[0; 5000]).code, Code::UnknownFormat);
    assert_eq!(refusal("a.fbx", &[7, 250, 3, 0, 99]).code, Code::UnknownFormat);
    assert_eq!(refusal("a.glb", b"Kaydara FBX Binary  \0\x1A\0").code, Code::TruncatedFile);
    assert_eq!(refusal("a.bin", &[7, 250, 3, 0, 99]).code, Code::UnknownFormat);
    assert_eq!(refusal("notes.txt", b"Dear customer,\nv is a letter\n").code, Code::UnknownFormat);
}

#[test]
fn the_content_decides_and_a_lying_extension_is_said() {
    let glb = Glb::tetrahedron().bytes();
    let text = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n".to_vec();
    for (name, bytes, format, lies) in [
        ("a.glb", &glb, Format::Glb, false),
        ("a", &glb, Format::Glb, false),
        ("a.GLB", &glb, Format::Glb, false),
        ("a.v2", &glb, Format::Glb, false),
        ("a.fbx", &glb, Format::Glb, true),
        ("a.vrm", &glb, Format::Glb, true),
        ("a.obj", &text, Format::Obj, false),
        ("a.glb", &text, Format::Obj, true),
        ("a.png", &text, Format::Obj, true),
    ] {
        let scene = read_bytes(name, bytes.clone()).unwrap();
        assert_eq!(scene.format, format, "{name}");
        assert_eq!(warns(&scene, "extension_mismatch"), lies, "{name}");
    }
}

#[test]
fn a_vrm_of_either_version_is_called_vrm() {
    for extension in ["VRM", "VRMC_vrm"] {
        let mut glb = Glb::tetrahedron();
        glb.json["extensionsUsed"] = json!([extension]);
        for name in ["a.vrm", "a.glb"] {
            let scene = read_bytes(name, glb.bytes()).unwrap();
            assert_eq!(scene.format, Format::Vrm);
            assert!(!warns(&scene, "extension_mismatch"));
        }
    }
}
