//! `--json`: one envelope of one shape, whatever happens.

use serde_json::Value;

use crate::{
    glb::assert_rigged,
    shell::{arg, code, envelope, folder, folder_with_hero, run, stderr},
};

/// Checks the shape that programs rely on.
fn assert_envelope(said: &Value, command: &str, ok: bool) {
    let mut keys: Vec<_> = said.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["command", "error", "ok", "result", "schema_version", "warnings"]);
    assert_eq!(said["schema_version"], 1);
    assert_eq!(said["command"], command);
    assert_eq!(said["ok"], ok);
    assert!(said["warnings"].is_array());
    assert_eq!(said["error"].is_null(), ok);
    if !ok {
        for key in ["code", "message", "remedy"] {
            assert!(said["error"][key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {said}");
        }
    }
}

#[test]
fn a_rig_says_what_it_wrote_and_found() {
    let (folder, hero) = folder_with_hero();
    let out = folder.path().join("out.glb");
    let output = run(&["rig", arg(&hero), "-o", arg(&out), "--json"]);
    assert_eq!(code(&output), 0);
    assert_eq!(stderr(&output), "", "stderr is silent with --json");
    let said = envelope(&output);
    assert_envelope(&said, "rig", true);
    let written = &said["result"]["outputs"][0];
    assert_eq!(written["key"], "rigged_glb");
    assert_eq!(written["path"], arg(&out));
    assert_eq!(written["size"], std::fs::metadata(&out).unwrap().len());
    assert_rigged(&std::fs::read(&out).unwrap());
    assert_eq!(said["result"]["report"]["class"], "humanoid");
    assert_eq!(said["result"]["quality"]["verdict"], said["result"]["report"]["quality"]["verdict"]);
    assert!(said["result"]["quality"]["reasons"].is_array());
}

#[test]
fn every_verb_has_one() {
    let (folder, hero) = folder_with_hero();
    let out = folder.path().join("cartoon.glb");
    let sample = run(&["sample", "cartoon", "-o", arg(&out), "--triangles", "2000", "--json"]);
    assert_envelope(&envelope(&sample), "sample", true);
    assert_eq!(envelope(&sample)["result"]["size"], std::fs::metadata(&out).unwrap().len());
    assert_envelope(&envelope(&run(&["inspect", arg(&hero), "--json"])), "inspect", true);
    let script = envelope(&run(&["completions", "bash", "--json"]));
    assert_envelope(&script, "completions", true);
    assert!(script["result"].as_str().unwrap().contains("autorig"));
}

#[test]
fn failures_have_one_too() {
    let folder = folder();
    let missing = folder.path().join("missing.glb");
    for (arguments, command, exit) in [
        (vec!["rig", arg(&missing), "-o", "x.glb", "--json"], "rig", 5),
        (vec!["inspect", arg(&missing), "--json"], "inspect", 5),
        (vec!["sample", "dragon", "-o", "x.glb", "--json"], "sample", 2),
        (vec!["sample", "human", "-o", "-", "--json"], "sample", 2),
        (vec!["rig", "--json"], "", 2),
        (vec!["serve", "--listen", "0.0.0.0:0", "--data", arg(&missing), "--json"], "serve", 2),
    ] {
        let output = run(&arguments);
        assert_eq!(code(&output), exit, "{arguments:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{arguments:?}");
        assert_envelope(&envelope(&output), command, false);
    }
    assert!(!missing.exists(), "a refused server makes no data folder");
}
