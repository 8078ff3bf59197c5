//! The collection of real and nasty files, when it is there.

use std::path::{Path, PathBuf};

use autorig_engine::read::{Source, read};
use autorig_engine::scene::{Format, Scene};
use autorig_engine::{Code, Limits, Result, write};

use crate::build::keep;

/// The folder with the collection; `None` where it is not installed.
fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rigbench");
    let path = std::env::var_os("AUTORIG_RIGBENCH").map_or(root, PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

fn load(path: &Path) -> Result<Scene> {
    let limits = Limits::default();
    read(&Source::open(path, &limits)?, &limits)?.flatten(&limits)
}

fn positions(scene: &Scene) -> Vec<[f32; 3]> {
    scene.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| p.positions.clone()).collect()
}

#[test]
fn every_development_case_reads_flattens_and_writes_the_same_positions() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join("dev")).unwrap() {
        let path = entry.unwrap().path().join("mesh.glb");
        if !path.is_file() {
            continue;
        }
        let scene = load(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let glb = write::scene_glb(&scene).unwrap();
        keep(&path.parent().unwrap().file_name().unwrap().to_string_lossy(), &glb);
        let limits = Limits::default();
        let again = read(&Source::bytes("again.glb", glb), &limits).unwrap().flatten(&limits).unwrap();
        assert_eq!(positions(&scene), positions(&again), "{}", path.display());
        assert_eq!(scene.materials.len(), again.materials.len());
        count += 1;
    }
    assert!(count > 40, "only {count} cases");
}

#[test]
fn the_same_case_as_obj_has_the_same_vertices_in_the_same_order() {
    let Some(folder) = folder() else { return };
    for case in ["mh_child", "q_knight", "khr_cesiumman", "qmen_king"] {
        let glb = load(&folder.join("dev").join(case).join("mesh.glb")).unwrap();
        let obj = load(&folder.join("dev").join(case).join("mesh.obj")).unwrap();
        let (from_glb, from_obj) = (positions(&glb), positions(&obj));
        assert_eq!(from_glb.len(), from_obj.len(), "{case}");
        for (a, b) in from_glb.iter().zip(&from_obj) {
            for (x, y) in a.iter().zip(b) {
                assert!((x - y).abs() < 1e-5, "{case}: {a:?} {b:?}");
            }
        }
        assert_eq!(glb.triangle_count(), obj.triangle_count(), "{case}");
    }
}

/// Files that must be refused, and how.
const REFUSED: &[(&str, Code)] = &[
    ("fbx_6100_ascii_maya_character.fbx", Code::NoGeometry),
    ("fbx_6100_binary_skeleton_only.fbx", Code::NoGeometry),
    ("fbx_7400_ascii_skeleton_only.fbx", Code::NoGeometry),
    ("fbx_is_a_zip.fbx", Code::CorruptFile),
    ("glb_accessor_huge_count.glb", Code::CorruptFile),
    ("glb_accessor_overrun.glb", Code::CorruptFile),
    ("glb_cyclic_nodes.glb", Code::CorruptFile),
    ("glb_empty.glb", Code::EmptyFile),
    ("glb_index_out_of_range.glb", Code::CorruptFile),
    ("glb_inf_positions.glb", Code::NonFinitePositions),
    ("glb_box_with_infinites.glb", Code::NonFinitePositions),
    ("glb_is_a_png.glb", Code::NotAModel),
    ("glb_nan_positions.glb", Code::NonFinitePositions),
    ("glb_points_only.glb", Code::NoGeometry),
    ("glb_truncated.glb", Code::TruncatedFile),
    ("glb_truncated_header.glb", Code::TruncatedFile),
    ("glb_unknown_required_ext.glb", Code::UnsupportedExtension),
    ("glb_zero_faces.glb", Code::NoGeometry),
    ("gltf_draco_truck_missing_bin.gltf", Code::MissingResource),
    ("gltf_missing_bin/model.gltf", Code::MissingResource),
    ("md5_bob.md5mesh", Code::UnsupportedFormat),
    ("obj_empty.obj", Code::EmptyFile),
    ("obj_lines_only.obj", Code::NoGeometry),
    ("obj_malformed.obj", Code::CorruptFile),
    ("obj_malformed2.obj", Code::CorruptFile),
    ("obj_nan.obj", Code::NonFinitePositions),
    ("obj_number_formats.obj", Code::CorruptFile),
    ("obj_point_cloud.obj", Code::NoGeometry),
    ("obj_verts_no_faces.obj", Code::NoGeometry),
];

/// What refuses a file; the longest match of a name counts.
fn expected(name: &str) -> Option<Code> {
    let fits = REFUSED.iter().filter(|(key, _)| name.starts_with(key));
    fits.max_by_key(|(key, _)| key.len()).map(|(_, code)| *code)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e != "json" && e != "md" && e != "bin") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_nasty_file_is_read_or_refused_with_the_right_code() {
    let Some(folder) = folder().map(|f| f.join("inputs")) else { return };
    let mut wrong = Vec::new();
    let files = files(&folder);
    for path in &files {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let result = load(path);
        let code = result.as_ref().err().map(|e| e.code);
        match &result {
            Ok(scene) => {
                println!("{name}: {:?}", scene.warnings.iter().map(|w| &w.message).collect::<Vec<_>>());
            }
            Err(error) => println!("{name}: {} {error}", error.code),
        }
        if code != expected(&name) {
            wrong.push(format!("{name}: {code:?}, not {:?}", expected(&name)));
        }
        if let Ok(scene) = result {
            assert!(positions(&scene).iter().flatten().all(|x| x.is_finite()), "{name}");
            keep(&name.replace(['/', '.'], "_"), &write::scene_glb(&scene).unwrap());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(files.len() > 70, "only {} files", files.len());
}

#[test]
fn every_nasty_file_without_its_neighbours_ends_in_a_model_or_a_typed_error() {
    let Some(folder) = folder().map(|f| f.join("inputs")) else { return };
    let limits = Limits::default();
    for path in files(&folder) {
        let source = Source::bytes("upload", std::fs::read(&path).unwrap());
        if let Err(error) = read(&source, &limits).and_then(|s| s.flatten(&limits)) {
            assert_ne!(error.code, Code::Internal, "{}: {error}", path.display());
        }
    }
}

#[test]
fn a_vrm_is_read_as_glb_and_called_vrm() {
    let Some(folder) = folder() else { return };
    let scene = load(&folder.join("inputs/vrm1_example.vrm")).unwrap();
    assert_eq!(scene.format, Format::Vrm);
    assert!(scene.warnings.iter().any(|w| w.code == "extension_dropped"));
}
