//! STL, PLY and ZIP archives.

use std::io::{Cursor, Write};

use autorig_engine::{
    Code, Limits,
    read::{Source, read},
    scene::Format,
};
use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::build::{FACES, Glb, POINTS, read_bytes};

fn stl() -> Vec<u8> {
    let mut bytes = vec![0; 80];
    bytes.extend((FACES.len() as u32 / 3).to_le_bytes());
    for face in FACES.as_chunks::<3>().0 {
        bytes.extend([0; 12]);
        bytes.extend(face.iter().flat_map(|i| POINTS[usize::from(*i)]).flat_map(f32::to_le_bytes));
        bytes.extend([0; 2]);
    }
    bytes
}

fn stl_text() -> String {
    let corner = |i: &u16| {
        let [x, y, z] = POINTS[usize::from(*i)];
        format!("vertex {x} {y} {z}\n")
    };
    let face = |f: &[u16; 3]| {
        format!(
            "facet normal 0 0 0\nouter loop\n{}endloop\nendfacet\n",
            f.iter().map(corner).collect::<String>()
        )
    };
    format!("solid thing\n{}endsolid thing\n", FACES.as_chunks::<3>().0.iter().map(face).collect::<String>())
}

const PLY: &str = "ply\nformat ascii 1.0\ncomment a square and a triangle\nelement vertex 5\nproperty float x\n\
    property float y\nproperty float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n\
    element face 2\nproperty list uchar int vertex_indices\nelement edge 1\nproperty int a\nend_header\n\
    0 0 0 255 0 0\n1 0 0 0 255 0\n1 1 0 0 0 255\n0 1 0 255 255 255\n0.5 2 0 0 0 0\n4 0 1 2 3\n3 3 2 4\n7\n";

#[test]
fn both_kinds_of_stl_give_the_same_welded_mesh() {
    let binary = read_bytes("thing.stl", stl()).unwrap();
    let text = read_bytes("thing.stl", stl_text().into_bytes()).unwrap();
    for scene in [&binary, &text] {
        assert_eq!(scene.format, Format::Stl);
        assert_eq!(scene.nodes[0].name, "thing");
        let primitive = &scene.meshes[0].primitives[0];
        assert_eq!((primitive.positions.len(), primitive.indices.len()), (4, 12));
        assert!(scene.warnings.is_empty(), "{:?}", scene.warnings);
    }
    assert_eq!(binary.meshes[0].primitives[0].positions, text.meshes[0].primitives[0].positions);
}

#[test]
fn a_ply_has_its_colours_and_its_polygons_become_triangles() {
    let scene = read_bytes("a.ply", PLY.into()).unwrap();
    let primitive = &scene.meshes[0].primitives[0];
    assert_eq!(primitive.indices, [0, 1, 2, 0, 2, 3, 3, 2, 4]);
    assert_eq!(primitive.colors[0][0], [1.0, 0.0, 0.0, 1.0]);
    assert_eq!(primitive.positions[4], [0.5, 2.0, 0.0]);
}

#[test]
fn a_binary_ply_is_read_in_both_byte_orders() {
    for (format, big) in [("binary_little_endian", false), ("binary_big_endian", true)] {
        let mut bytes = format!(
            "ply\nformat {format} 1.0\nelement vertex 4\nproperty double x\nproperty float y\nproperty float z\n\
             element face 4\nproperty list uchar uint vertex_index\nend_header\n"
        )
        .into_bytes();
        for [x, y, z] in POINTS {
            let x = f64::from(x);
            bytes.extend(if big { x.to_be_bytes() } else { x.to_le_bytes() });
            for v in [y, z] {
                bytes.extend(if big { v.to_be_bytes() } else { v.to_le_bytes() });
            }
        }
        for face in FACES.as_chunks::<3>().0 {
            bytes.push(3);
            for corner in face {
                let corner = u32::from(*corner);
                bytes.extend(if big { corner.to_be_bytes() } else { corner.to_le_bytes() });
            }
        }
        let scene = read_bytes("a.ply", bytes).unwrap();
        assert_eq!(scene.meshes[0].primitives[0].positions, POINTS);
        assert_eq!(scene.triangle_count(), 4);
    }
}

#[test]
fn a_broken_ply_or_stl_says_what_is_wrong() {
    let cases = [
        ("a.ply", PLY.replace("3 3 2 4", "3 3 2 9"), Code::CorruptFile),
        ("a.ply", PLY.replace("vertex 5", "vertex 4000000000"), Code::TruncatedFile),
        ("a.ply", PLY.replace("4 0 1 2 3\n3 3 2 4\n7\n", "4 0 1"), Code::TruncatedFile),
        ("a.ply", PLY.replace("0.5 2 0", "0.5 nan 0"), Code::NonFinitePositions),
        ("a.ply", PLY.replace("float x", "floot x"), Code::CorruptFile),
        ("a.ply", PLY.replace("face 2", "face 0").replace("4 0 1 2 3\n3 3 2 4\n", ""), Code::NoGeometry),
        ("a.stl", stl_text().replacen("vertex 0 0 0", "vertex 0 zero 0", 1), Code::CorruptFile),
        ("a.stl", stl_text().replacen("vertex 0 0 0\n", "", 1), Code::TruncatedFile),
    ];
    for (name, text, code) in cases {
        let error = read_bytes(name, text.into_bytes()).unwrap_err();
        assert_eq!(error.code, code, "{error}");
    }
}

/// An archive of these files.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A glTF with its buffer beside it.
fn gltf() -> (Vec<u8>, Vec<u8>) {
    let mut glb = Glb::tetrahedron();
    glb.json["buffers"] = serde_json::json!([{"uri": "data/thing.bin", "byteLength": glb.bin.len()}]);
    (serde_json::to_vec(&glb.json).unwrap(), glb.bin)
}

#[test]
fn a_gltf_in_an_archive_finds_its_buffer_there() {
    let (json, bin) = gltf();
    let files: [(&str, &[u8]); 4] = [
        ("hero/thing.gltf", &json),
        ("hero/DATA/thing.bin", &bin),
        ("hero/readme.txt", b"hello"),
        ("__MACOSX/hero/._thing.gltf", b"junk"),
    ];
    let scene = read_bytes("hero.zip", zip(&files)).unwrap();
    assert_eq!((scene.format, scene.triangle_count()), (Format::Gltf, 4));
    let scene = read_bytes("hero.zip", zip(&files[..1]));
    assert_eq!(scene.unwrap_err().code, Code::MissingResource);
}

#[test]
fn of_one_model_in_several_formats_the_richest_is_read_and_two_models_are_refused() {
    let glb = Glb::tetrahedron().bytes();
    let scene = read_bytes("a.zip", zip(&[("a.glb", &glb), ("a.stl", &stl()), ("a.ply", PLY.as_bytes())]));
    assert_eq!(scene.unwrap().format, Format::Glb);
    let error = read_bytes("a.zip", zip(&[("a.glb", &glb), ("b.glb", &glb)])).unwrap_err();
    assert_eq!(error.code, Code::NotAModel);
    assert!(error.message.contains("a.glb") && error.message.contains("b.glb"), "{error}");
    let error = read_bytes("a.zip", zip(&[("a.txt", b"no")])).unwrap_err();
    assert_eq!(error.code, Code::NotAModel);
}

#[test]
fn an_archive_that_leads_out_of_itself_or_explodes_is_refused() {
    let glb = Glb::tetrahedron().bytes();
    for path in ["../a.glb", "/etc/a.glb", "C:/a.glb", "x/../../a.glb", "..\\a.glb"] {
        let error = read_bytes("a.zip", zip(&[(path, &glb)])).unwrap_err();
        assert_eq!(error.code, Code::CorruptFile, "{path}: {error}");
    }
    let zeros = vec![0; 64 << 20];
    let bomb = zip(&[("a.glb", &glb), ("zeros.bin", &zeros)]);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    assert_eq!(read_bytes("a.zip", bomb).unwrap_err().code, Code::LimitArchive);
    let nested = zip(&[("a.glb", &zip(&[("a.glb", &glb)]))]);
    assert_eq!(read_bytes("a.zip", nested).unwrap_err().code, Code::NotAModel);
}

#[test]
fn a_link_in_an_archive_is_not_followed() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink("a.glb", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    assert_eq!(read_bytes("a.zip", bytes).unwrap_err().code, Code::CorruptFile);
}

#[test]
fn the_limits_of_archives_are_configurable() {
    let (json, bin) = gltf();
    let bytes = zip(&[("a.gltf", &json), ("data/thing.bin", &bin)]);
    let limits = Limits { archive_bytes: 100, ..Limits::default() };
    let error = read(&Source::bytes("a.zip", bytes), &limits).unwrap_err();
    assert_eq!(error.code, Code::LimitArchive);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn spoiled_files_end_in_a_scene_or_a_typed_error(at in 0.0..1.0f64, byte: u8, cut: bool, which in 0..4usize) {
        let glb = Glb::tetrahedron().bytes();
        let mut bytes = match which {
            0 => stl(),
            1 => stl_text().into_bytes(),
            2 => PLY.as_bytes().to_vec(),
            _ => zip(&[("a.glb", &glb), ("b.png", b"x")]),
        };
        let at = (at * bytes.len() as f64) as usize;
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Err(error) = read_bytes("a.x", bytes) {
            prop_assert_ne!(error.code, Code::Internal);
        }
    }
}
