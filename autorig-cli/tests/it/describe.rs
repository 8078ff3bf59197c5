//! What the command says about files and about itself.

use std::fs;

use crate::shell::{arg, code, envelope, folder, folder_with_hero, run, stderr, stdout};

#[test]
fn inspect_lists_what_a_rig_has_become() {
    let (folder, hero) = folder_with_hero();
    let out = folder.path().join("out.glb");
    assert_eq!(code(&run(&["rig", arg(&hero), "-o", arg(&out)])), 0);
    let before = envelope(&run(&["inspect", arg(&hero), "--json"]))["result"].clone();
    let after = envelope(&run(&["inspect", arg(&out), "--json"]))["result"].clone();
    for count in ["triangles", "vertices", "materials", "textures", "meshes"] {
        assert_eq!(before["counts"][count], after["counts"][count], "{count} survive");
    }
    assert_eq!(before["bounds"], after["bounds"]);
    assert_eq!((&before["counts"]["skins"], &after["counts"]["skins"]), (&0.into(), &1.into()));
    let joint = |name: &str| {
        let joints = after["joints"].as_array().unwrap();
        joints.iter().find(|joint| joint["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!(joint("leftLowerArm")["parent"], "leftUpperArm");
    assert!(joint("root")["parent"].is_null());
    assert!(joint("leftHand")["position"][0].as_f64().unwrap() > 0.3, "the left hand is at +X");

    let text = stdout(&run(&["inspect", arg(&out)]));
    for line in ["format     glb", "meshes (1)", "joints (", "  leftLowerArm < leftUpperArm"] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}

#[test]
fn inspect_prints_no_control_characters_of_a_file() {
    let folder = folder();
    let path = folder.path().join("tricky.obj");
    fs::write(&path, "o \x1b[31mred\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n").unwrap();
    let output = run(&["inspect", arg(&path)]);
    assert!(!stdout(&output).contains('\x1b') && !stderr(&output).contains('\x1b'));
}

#[test]
fn samples_have_about_the_triangles_that_were_asked_for() {
    let folder = folder();
    for name in ["human", "cartoon", "robot", "quadruped"] {
        let path = folder.path().join(format!("{name}.glb"));
        let output = run(&["sample", name, "-o", arg(&path), "--triangles", "6000"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let counts = envelope(&run(&["inspect", arg(&path), "--json"]))["result"]["counts"].clone();
        let triangles = counts["triangles"].as_f64().unwrap();
        assert!((3000.0..=9000.0).contains(&triangles), "{name}: {triangles}");
    }
}

#[test]
fn help_and_version_are_results() {
    let version = run(&["--version"]);
    assert_eq!(stdout(&version), format!("autorig {}\n", env!("CARGO_PKG_VERSION")));
    let help = run(&["--help"]);
    assert_eq!((code(&help), stderr(&help).as_str()), (0, ""));
    let help = stdout(&help);
    for verb in ["rig", "inspect", "sample", "serve", "completions"] {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(&format!("{verb} "))),
            "{verb}: {help}"
        );
    }
    assert!(!help.contains("rig-child"), "internal verbs are hidden");
    let codes = "0 ok, 1 internal, 2 usage, 3 input refused, 4 limit, 5 not found, 6 denied, \
                 7 network or server, 130 interrupted";
    assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains(codes), "{help}");
}

#[test]
fn completions_name_the_verbs_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(&["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("inspect"), "{shell}");
    }
}
