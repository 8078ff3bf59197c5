//! Damaged and hostile FBX files: a typed error or a scene, never a panic, never the memory they ask for.

use std::fmt::Write as _;

use autorig_engine::read::{Source, read};
use autorig_engine::write::fbx::{FbxOptions, to_fbx};
use autorig_engine::{Character, Code, Limits, write};
use proptest::prelude::*;

use crate::fbx_write::character;

fn error(bytes: Vec<u8>) -> autorig_engine::Error {
    let limits = Limits::default();
    read(&Source::bytes("x.fbx", bytes), &limits).and_then(|s| s.flatten(&limits)).unwrap_err()
}

/// Reads, flattens, takes for a character and writes; whatever comes of it must be a value.
fn swallow(bytes: Vec<u8>) {
    let limits = Limits { decoded_bytes: 32 << 20, triangles: 10_000, ..Limits::default() };
    let outcome = read(&Source::bytes("x.fbx", bytes), &limits).and_then(|scene| {
        write::scene_glb(&scene)?;
        if let Ok(character) = Character::from_scene(scene.clone()) {
            write::character_glb(&character)?;
        }
        write::scene_glb(&scene.flatten(&limits)?)
    });
    if let Err(error) = outcome {
        assert_ne!(error.code, Code::Internal, "{error}");
        assert!(!error.message.is_empty() && !error.remedy.is_empty());
    }
}

fn seed() -> Vec<u8> {
    to_fbx(&character(), &FbxOptions::default()).unwrap()
}

/// An ASCII file of nodes, each under the one that `parent` names.
fn nodes(count: usize, parent: impl Fn(usize) -> usize) -> Vec<u8> {
    let mut text =
        String::from("; FBX 7.4.0 project file\nFBXHeaderExtension: {\n FBXVersion: 7400\n}\nObjects: {\n");
    for node in 1..=count {
        writeln!(text, " Model: {node}, \"Model::n{node}\", \"LimbNode\" {{\n }}").unwrap();
    }
    text.push_str("}\nConnections: {\n");
    for node in 1..=count {
        writeln!(text, " C: \"OO\",{node},{}", parent(node)).unwrap();
    }
    text.push_str("}\n");
    text.into_bytes()
}

#[test]
fn nodes_in_a_circle_are_refused_or_cut() {
    for length in [1, 2, 3, 50] {
        swallow(nodes(length, |node| node % length + 1));
        let limits = Limits::default();
        let circle = read(&Source::bytes("x.fbx", nodes(length, |node| node % length + 1)), &limits);
        assert!(circle.is_err_and(|e| e.code == Code::CorruptFile) || length == 1, "{length}");
    }
}

#[test]
fn more_nodes_than_are_accepted_and_chains_too_deep_are_refused() {
    assert_eq!(error(nodes(10_001, |_| 0)).code, Code::LimitNodes);
    assert_eq!(error(nodes(10_000, |_| 0)).code, Code::NoGeometry);
    assert_eq!(error(nodes(5_000, |node| node - 1)).code, Code::LimitNodes);
    assert_eq!(error(nodes(1_000, |node| node - 1)).code, Code::NoGeometry);
}

#[test]
fn a_texture_of_two_gigabytes_that_is_only_declared_is_refused_at_once() {
    let mut bytes = seed();
    let at = bytes.windows(7).position(|w| w == b"Content").unwrap() + 7;
    assert_eq!(bytes[at], b'R');
    bytes[at + 1..at + 5].copy_from_slice(&0x7FFF_FFFFu32.to_le_bytes());
    assert!(matches!(error(bytes).code, Code::TruncatedFile | Code::CorruptFile));
}

#[test]
fn an_array_that_unfolds_into_gigabytes_is_refused_without_the_memory() {
    // A count that promises more than the stream holds.
    let mut bytes = seed();
    let at = bytes.windows(8).position(|w| w == b"Vertices").unwrap() + 8;
    assert_eq!(bytes[at], b'd');
    bytes[at + 1..at + 5].copy_from_slice(&0x1FFF_FFFFu32.to_le_bytes());
    assert!(matches!(error(bytes).code, Code::CorruptFile | Code::LimitMemory | Code::TruncatedFile));
}

#[test]
fn a_file_cut_anywhere_is_refused_or_read() {
    let bytes = seed();
    for cut in (0..bytes.len()).step_by(97) {
        swallow(bytes[..cut].to_vec());
    }
    assert_eq!(error(bytes[..bytes.len() / 2].to_vec()).code, Code::TruncatedFile);
}

#[test]
fn a_polygon_of_vertices_that_do_not_exist_is_refused() {
    let text = "; FBX 7.4.0 project file\nFBXHeaderExtension: {\n FBXVersion: 7400\n}\nObjects: {\n Geometry: 1, \"Geometry::\", \"Mesh\" {\n  Vertices: *9 {\n   a: 0,0,0,1,0,0,1,1,0\n  }\n  PolygonVertexIndex: *3 {\n   a: 0,1,-100\n  }\n }\n Model: 2, \"Model::m\", \"Mesh\" {\n }\n}\nConnections: {\n C: \"OO\",2,0\n C: \"OO\",1,2\n}\n";
    assert_eq!(error(text.as_bytes().to_vec()).code, Code::CorruptFile);
    let nan = text.replace("-100", "-3").replace("1,1,0", "nan,1,0");
    assert!(matches!(error(nan.into_bytes()).code, Code::NonFinitePositions | Code::CorruptFile));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn an_fbx_with_damaged_bytes_is_refused_or_read(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = seed();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        swallow(bytes);
    }

    #[test]
    fn arbitrary_bytes_called_fbx_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut binary = b"Kaydara FBX Binary  \0\x1a\0\xe8\x1c\0\0".to_vec();
        binary.extend(&bytes);
        swallow(binary);
    }

    #[test]
    fn arbitrary_ascii_called_fbx_is_refused_or_read(
        lines in prop::collection::vec("(Objects|Connections|Model|Geometry|Vertices|PolygonVertexIndex|C|P|a): ?[-+0-9.,*\"{}eOPo: ]{0,24}", 0..24),
    ) {
        swallow(format!("; FBX 7.4.0 project file\n{}", lines.join("\n")).into_bytes());
    }

    #[test]
    fn nodes_under_any_nodes_are_refused_or_read(parents in prop::collection::vec(0usize..12, 1..12)) {
        let count = parents.len();
        swallow(nodes(count, |node| parents[node - 1] % (count + 1)));
    }
}
