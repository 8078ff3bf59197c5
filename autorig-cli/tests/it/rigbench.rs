//! Real and hostile files found in the world: each is rigged or refused with one clear line, none crashes.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    glb::assert_skinned,
    shell::{arg, assert_refused, autorig, code, envelope, folder, names, run, stderr},
};

/// Files that are kept beside the repository.
fn inputs() -> Option<PathBuf> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rigbench/inputs");
    let folder = env::var_os("AUTORIG_RIGBENCH_INPUTS").map_or(usual, PathBuf::from);
    folder.join("inputs.json").is_file().then_some(folder)
}

// In parts, so that a busy machine does not take one test for stuck.
#[test]
fn every_glb_is_rigged_or_refused_with_one_clear_line_part_1() {
    check_part("glb", 0, 3);
}

#[test]
fn every_glb_is_rigged_or_refused_with_one_clear_line_part_2() {
    check_part("glb", 1, 3);
}

#[test]
fn every_glb_is_rigged_or_refused_with_one_clear_line_part_3() {
    check_part("glb", 2, 3);
}

#[test]
fn every_gltf_is_rigged_or_refused_with_one_clear_line() {
    check_all("gltf");
}

#[test]
fn every_obj_is_rigged_or_refused_with_one_clear_line_part_1() {
    check_part("obj", 0, 2);
}

#[test]
fn every_obj_is_rigged_or_refused_with_one_clear_line_part_2() {
    check_part("obj", 1, 2);
}

#[test]
fn every_fbx_is_rigged_or_refused_with_one_clear_line() {
    check_all("fbx");
}

#[test]
fn every_other_file_is_rigged_or_refused_with_one_clear_line() {
    check_all("");
}

/// Checks the files with this extension, or with `""` those that have none of the tests above.
fn check_all(extension: &str) {
    check_part(extension, 0, 1);
}

#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn check_part(extension: &str, part: usize, parts: usize) {
    let Some(inputs) = inputs() else {
        eprintln!("skipped: shared/rigbench/inputs is not there");
        return;
    };
    let list = std::fs::read(inputs.join("inputs.json")).unwrap();
    let list: Vec<serde_json::Value> = serde_json::from_slice(&list).unwrap();
    let names = list.iter().map(|entry| entry["file"].as_str().unwrap());
    let names: Vec<_> = names
        .filter(|name| {
            let own = Path::new(name).extension().unwrap().to_str().unwrap();
            if extension.is_empty() {
                !["glb", "gltf", "obj", "fbx"].contains(&own)
            } else {
                own == extension
            }
        })
        .collect();
    assert!(!names.is_empty());
    let names: Vec<_> = names.into_iter().skip(part).step_by(parts).collect();
    let mut faults = Vec::new();
    for name in &names {
        if let Err(reason) = std::panic::catch_unwind(|| check(&inputs.join(name))) {
            let reason = reason.downcast_ref::<String>().cloned().unwrap_or_else(|| "no reason".to_owned());
            faults.push(format!("{name}: {reason}"));
        }
    }
    assert!(faults.is_empty(), "{} of {} files:\n{}", faults.len(), names.len(), faults.join("\n"));
}

fn check(input: &Path) {
    let folder = folder();
    let out = folder.path().join("out.glb");
    let output = autorig(&["rig", arg(input), "-o", arg(&out)]).output().unwrap();
    let said = stderr(&output);
    assert!(!said.contains("panicked"), "{said}");
    let looked = run(&["inspect", arg(input), "--json"]);
    assert!(matches!(code(&looked), 0 | 3 | 4), "inspect: {}", stderr(&looked));
    let readable = envelope(&looked)["ok"] == true;
    assert!(readable || !output.status.success(), "what can be rigged can be inspected");
    match output.status.code() {
        Some(0) => drop(assert_skinned(&std::fs::read(&out).unwrap())),
        Some(exit @ 3..=4) => {
            let stable = said.lines().find_map(|line| line.strip_prefix("  code: ")).unwrap_or_default();
            let file = input.file_name().unwrap().to_str().unwrap();
            assert_refused(&output, exit, stable, file);
            assert!(names(folder.path()).is_empty(), "a refusal leaves nothing");
        }
        other => panic!("ended with {other:?}: {said}"),
    }
}
