//! The collection of real and nasty files, when it is there.

use std::path::{Path, PathBuf};

use autorig_engine::read::{Source, read};
use autorig_engine::scene::Scene;
use autorig_engine::{Limits, Result, write};

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
        if let Some(out) = std::env::var_os("AUTORIG_TEST_OUT") {
            let name = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            std::fs::write(Path::new(&out).join(format!("{name}.glb")), &glb).unwrap();
        }
        let limits = Limits::default();
        let again = read(&Source::bytes("again.glb", glb), &limits).unwrap().flatten(&limits).unwrap();
        let positions = |s: &Scene| -> Vec<[f32; 3]> {
            s.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| p.positions.clone()).collect()
        };
        assert_eq!(positions(&scene), positions(&again), "{}", path.display());
        assert_eq!(scene.materials.len(), again.materials.len());
        count += 1;
    }
    assert!(count > 40, "only {count} cases");
}
