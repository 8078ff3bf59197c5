//! The verbs that work on any readable model: `convert`, `lod`, `animate`, `render`, `validate`.

use std::fs;

use crate::{
    glb::document,
    shell::{arg, assert_refused, code, envelope, folder_with_hero, names, run, stderr, stdout},
};

/// A rigged hero beside the hero.
fn rigged() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, hero) = folder_with_hero();
    let rig = folder.path().join("rig.glb");
    let output = run(&["rig", arg(&hero), "-o", arg(&rig), "-q"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    (folder, rig)
}

#[test]
fn a_rig_is_converted_for_a_program_and_back_and_passes_its_rules() {
    let (folder, rig) = rigged();
    for (preset, name) in [("unity", "u.fbx"), ("unreal", "e.fbx"), ("vrm", "a.vrm"), ("blender", "b.glb")] {
        let out = folder.path().join(name);
        let output = run(&["convert", arg(&rig), "-o", arg(&out), "--preset", preset]);
        assert_eq!(code(&output), 0, "{preset}: {}", stderr(&output));
        if name.ends_with("fbx") {
            let output = run(&["validate", arg(&out), "--target", preset]);
            assert_eq!(code(&output), 0, "{preset}: {}", stderr(&output));
        }
        let back = folder.path().join("back.glb");
        let output = run(&["convert", arg(&out), "-o", arg(&back), "--force", "-q"]);
        assert_eq!(code(&output), 0, "{preset}: {}", stderr(&output));
        assert!(document(&fs::read(&back).unwrap())["skins"][0]["joints"].as_array().unwrap().len() > 15);
    }
    let out = folder.path().join("x.glb");
    let output = run(&["convert", arg(&rig), "-o", arg(&out), "--preset", "unity"]);
    assert_refused(&output, 2, "preset_of_another_type", "x.glb");
}

#[test]
fn bones_get_the_names_of_a_profile_and_an_avatar_its_licence() {
    let (folder, rig) = rigged();
    let out = folder.path().join("named.glb");
    let output = run(&["convert", arg(&rig), "-o", arg(&out), "--names", "mixamo", "-q"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let named = document(&fs::read(&out).unwrap());
    let nodes = named["nodes"].as_array().unwrap();
    assert!(nodes.iter().any(|node| node["name"] == "mixamorig:LeftForeArm"));
    let meta = folder.path().join("meta.json");
    fs::write(&meta, r#"{"authors": ["Ada"], "creditNotation": "unnecessary"}"#).unwrap();
    let avatar = folder.path().join("hero.vrm");
    let output = run(&["convert", arg(&rig), "-o", arg(&avatar), "--vrm-meta", arg(&meta), "-q"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let said = document(&fs::read(&avatar).unwrap())["extensions"]["VRMC_vrm"]["meta"].clone();
    assert_eq!((&said["authors"][0], &said["creditNotation"]), (&"Ada".into(), &"unnecessary".into()));
    assert_eq!(said["allowRedistribution"], false);
    fs::write(&meta, r#"{"authors": []}"#).unwrap();
    let output = run(&["convert", arg(&rig), "-o", arg(&avatar), "--vrm-meta", arg(&meta), "--force"]);
    assert_refused(&output, 2, "invalid_option", "author");
}

#[test]
fn a_rig_as_it_is_breaks_the_rules_of_engines_and_is_told_so() {
    let (_folder, rig) = rigged();
    let output = run(&["validate", arg(&rig), "--target", "unreal", "--json"]);
    assert_eq!(code(&output), 3);
    let said = envelope(&output);
    assert_eq!(said["error"]["code"], "rules_broken");
    assert!(!said["result"]["findings"].as_array().unwrap().is_empty());
    let output = run(&["validate", arg(&rig)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("joints"));
}

#[test]
fn a_folder_of_models_is_converted_in_one_go() {
    let (folder, hero) = folder_with_hero();
    let models = folder.path().join("models");
    fs::create_dir(&models).unwrap();
    fs::copy(&hero, models.join("a.glb")).unwrap();
    fs::copy(&hero, models.join("b.glb")).unwrap();
    let out = format!("{}/out/", arg(folder.path()));
    let output = run(&["convert", arg(&models), "-o", &out, "--outputs", "fbx_maya,thumbnail"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(names(&folder.path().join("out")), ["a.png", "a_maya.fbx", "b.png", "b_maya.fbx"]);
}

#[test]
fn a_level_of_detail_keeps_its_budget_and_says_what_it_cost() {
    let (folder, rig) = rigged();
    let out = folder.path().join("small.glb");
    let output = run(&["lod", arg(&rig), "-o", arg(&out), "-t", "800", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let lod = &envelope(&output)["result"]["lod"];
    assert!(lod["triangles"].as_u64().unwrap() <= 800, "{lod}");
    assert!(lod["deviation"]["max"].as_f64().unwrap() < 10.0, "{lod}");
    assert!(document(&fs::read(&out).unwrap())["skins"].is_array());
    let output = run(&["lod", arg(&rig), "-o", arg(&out), "-t", "800"]);
    assert_refused(&output, 2, "output_exists", "small.glb");
}

#[test]
fn clips_of_the_library_and_of_files_are_put_onto_a_rig() {
    let (folder, rig) = rigged();
    let output = run(&["animate", arg(&rig), "--list"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).lines().any(|line| line.starts_with("walk ")), "{}", stdout(&output));
    let walking = folder.path().join("walking.glb");
    let output = run(&["animate", arg(&rig), "-o", arg(&walking), "--clip", "walk", "--clip", "wave"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let clips = |path: &std::path::Path| -> Vec<String> {
        let document = document(&fs::read(path).unwrap());
        let list = document["animations"].as_array().unwrap().iter();
        list.map(|clip| clip["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(clips(&walking), ["walk", "wave"]);
    let again = folder.path().join("again.glb");
    let output = run(&["animate", arg(&rig), "-o", arg(&again), "--clip", arg(&walking)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(clips(&again), ["walk", "wave"], "retargeted from the file");
    let output = run(&["animate", arg(&rig), "-o", arg(&again), "--clip", "fly", "--force"]);
    assert_refused(&output, 2, "unknown_clip", "fly");
    let plain = folder.path().join("hero.glb");
    let output = run(&["animate", arg(&plain), "-o", arg(&again), "--force"]);
    assert_refused(&output, 3, "not_rigged", "hero.glb");
}

#[test]
fn pictures_and_videos_are_drawn_of_any_model() {
    let (folder, rig) = rigged();
    let cases: [(&str, &[&str], &[u8]); 5] = [
        ("a.png", &[], b"\x89PNG"),
        ("a.webp", &[], b"RIFF"),
        ("w.png", &["--weights", "leftLowerArm"], b"\x89PNG"),
        ("s.png", &["--skeleton"], b"\x89PNG"),
        ("v.mp4", &["--clip", "wave"], b"\0\0\0"),
    ];
    for (name, flags, magic) in cases {
        let out = folder.path().join(name);
        let mut arguments = vec!["render", arg(&rig), "-o", arg(&out), "--size", "96", "-q"];
        arguments.extend(flags);
        let output = run(&arguments);
        assert_eq!(code(&output), 0, "{name}: {}", stderr(&output));
        assert!(fs::read(&out).unwrap().starts_with(magic), "{name}");
    }
    let out = folder.path().join("x.png");
    let output = run(&["render", arg(&rig), "-o", arg(&out), "--weights", "tail"]);
    assert_refused(&output, 2, "unknown_joint", "tail");
    let output = run(&["render", arg(&rig), "-o", arg(&folder.path().join("x.gif"))]);
    assert_refused(&output, 2, "unsupported_output", "x.gif");
}
