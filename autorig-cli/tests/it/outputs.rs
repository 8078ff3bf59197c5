//! Where results go.

use std::fs;

use crate::{
    glb::{assert_rigged, document},
    shell::{arg, assert_refused, autorig, code, folder, folder_with_hero, human, names, run, stderr},
};

#[test]
fn a_file_gets_the_rig_and_nothing_else_is_left() {
    let (folder, hero) = folder_with_hero();
    let out = folder.path().join("rigged.glb");
    let report = folder.path().join("r.json");
    let output = run(&["rig", arg(&hero), "-o", arg(&out), "--report", arg(&report)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_rigged(&fs::read(&out).unwrap());
    assert_eq!(names(folder.path()), ["hero.glb", "r.json", "rigged.glb"]);
    let report = fs::read_to_string(report).unwrap();
    assert!(report.ends_with("}\n"));
    assert!(output.stdout.is_empty());
    let said = stderr(&output);
    assert!(said.contains("skin") && said.contains("rigged.glb"), "{said}");
}

#[test]
fn a_folder_gets_the_files_that_are_asked_for() {
    let (folder, hero) = folder_with_hero();
    let out = folder.path().join("a/b/");
    let keys = ["--outputs", "prepared_glb"];
    let output = run(&["rig", arg(&hero), "-o", &format!("{}/", arg(&out)), "--quiet", keys[0], keys[1]]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(names(&out), ["hero_model_prepared.glb", "hero_report.json", "hero_rigged.glb"]);
    assert_rigged(&fs::read(out.join("hero_rigged.glb")).unwrap());
    assert!(document(&fs::read(out.join("hero_model_prepared.glb")).unwrap())["skins"].is_null());
    assert_eq!(stderr(&output), "", "--quiet");
}

#[test]
fn pipes_work_at_both_ends() {
    let output = autorig(&["rig", "-", "-o", "-"]).write_stdin(human()).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_rigged(&output.stdout);
    assert!(stderr(&output).contains("stdin"));
}

#[test]
fn nothing_is_overwritten_unasked_and_no_work_is_done_before_that_is_known() {
    let (folder, hero) = folder_with_hero();
    let out = folder.path().join("mine.glb");
    fs::write(&out, "mine").unwrap();
    let output = run(&["rig", arg(&hero), "-o", arg(&out)]);
    assert_refused(&output, 2, "output_exists", "mine.glb");
    assert!(!stderr(&output).contains("read ("), "refused before any work");
    assert_eq!(fs::read(&out).unwrap(), b"mine");

    let output = run(&["rig", arg(&hero), "-o", arg(&out), "--force"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_rigged(&fs::read(&out).unwrap());
}

#[test]
fn a_failure_leaves_neither_files_nor_folders() {
    let folder = folder();
    let bad = folder.path().join("bad.glb");
    fs::write(&bad, "no model").unwrap();
    let output = run(&["rig", arg(&bad), "-o", &format!("{}/new/deep/", arg(folder.path()))]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert_eq!(names(folder.path()), ["bad.glb"]);
}

#[test]
fn formats_that_are_not_written_are_refused_with_those_that_are() {
    let (folder, hero) = folder_with_hero();
    for name in ["a.png", "a.gltf", "a"] {
        let out = folder.path().join(name);
        let output = run(&["rig", arg(&hero), "-o", arg(&out)]);
        assert_refused(&output, 2, "unsupported_output", name);
        assert!(stderr(&output).contains(".glb"));
    }
}

#[test]
fn places_that_cannot_be_written_to_are_named_before_any_work() {
    let (folder, hero) = folder_with_hero();
    let missing = folder.path().join("missing/out.glb");
    assert_refused(&run(&["rig", arg(&hero), "-o", arg(&missing)]), 5, "file_not_found", "missing");
    let under_a_file = folder.path().join("hero.glb/out.glb");
    let output = run(&["rig", arg(&hero), "-o", arg(&under_a_file)]);
    assert_refused(&output, 2, "not_a_folder", "hero.glb");
    assert_eq!(names(folder.path()), ["hero.glb"]);
}

#[test]
fn joints_placed_by_hand_are_kept() {
    let (folder, hero) = folder_with_hero();
    let joints = folder.path().join("joints.json");
    let rig = |out: &str| {
        let arguments = ["rig", arg(&hero), "-o", out, "--json", "--force", "--joints", arg(&joints)];
        let output = run(&arguments);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        crate::shell::envelope(&output)["result"]["report"]["joints"].as_array().unwrap().clone()
    };
    let out = folder.path().join("out.glb");
    fs::write(&joints, r#"[{"name": "leftHand", "position": [0.7, 1.4, 0.01]}]"#).unwrap();
    let made = rig(arg(&out));
    let hand = made.iter().find(|joint| joint["name"] == "leftHand").unwrap();
    let position: Vec<_> = hand["position"].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
    let off = position.iter().zip([0.7, 1.4, 0.01]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 1e-6, "{position:?}");

    fs::write(&joints, "[{]").unwrap();
    let output = run(&["rig", arg(&hero), "-o", "x.glb", "--joints", arg(&joints)]);
    assert_refused(&output, 2, "invalid_joints", "joints.json");
}
