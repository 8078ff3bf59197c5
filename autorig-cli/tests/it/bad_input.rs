//! What is no character is refused with its own code, its file and a remedy, and nothing is left behind.

use std::fs;

use autorig_engine::{
    sample::{Sample, generate},
    write::scene_glb,
};

use crate::{
    glb::{cube, mesh_glb, texture_bomb},
    shell::{arg, assert_refused, autorig, code, folder, human, names, run, stderr},
};

/// Rigs these bytes under this name and checks the refusal.
fn refused(name: &str, bytes: &[u8], exit: i32, stable: &str) {
    let folder = folder();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let out = folder.path().join("out.glb");
    assert_refused(&run(&["rig", arg(&path), "-o", arg(&out), "--quiet"]), exit, stable, name);
    assert_eq!(names(folder.path()), [name], "nothing half-made stays");
}

#[test]
fn an_empty_file() {
    refused("hero.glb", b"", 3, "empty_file");
}

#[test]
fn a_file_that_was_cut_off() {
    let human = human();
    refused("hero.glb", &human[..human.len() * 6 / 10], 3, "truncated_file");
    refused("hero.glb", &human[..18], 3, "truncated_file");
}

#[test]
fn a_picture_and_a_page_under_the_name_of_a_model() {
    refused("hero.glb", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0", 3, "not_a_model");
    refused("hero.glb", b"<!DOCTYPE html><html><body>404</body></html>", 3, "not_a_model");
}

#[test]
fn an_fbx_file_that_ends_after_its_header() {
    refused("hero.fbx", b"Kaydara FBX Binary  \0\x1a\0\x20\x1d\0\0", 3, "truncated_file");
}

#[test]
fn a_wrong_extension_is_forgiven_because_the_contents_decide() {
    let folder = folder();
    let path = folder.path().join("hero.obj");
    fs::write(&path, human()).unwrap();
    let output = run(&["inspect", arg(&path), "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(crate::shell::envelope(&output)["result"]["format"], "glb");
}

#[test]
fn a_mesh_without_triangles() {
    let (positions, _) = cube();
    refused("hero.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", 3, "no_geometry");
    refused("hero.glb", &mesh_glb(&positions, &[0; 36], 1), 3, "degenerate_geometry");
}

#[test]
fn positions_that_are_no_numbers() {
    let (mut positions, indices) = cube();
    positions[3][1] = f32::NAN;
    refused("hero.glb", &mesh_glb(&positions, &indices, 1), 3, "non_finite_positions");
    positions[3][1] = f32::INFINITY;
    refused("hero.glb", &mesh_glb(&positions, &indices, 1), 3, "non_finite_positions");
}

#[test]
fn a_character_of_impossible_size() {
    for scale in [1e12, 1e-9] {
        let mut scene = generate(Sample::Human, Some(4000)).unwrap();
        for primitive in scene.meshes.iter_mut().flat_map(|mesh| &mut mesh.primitives) {
            primitive.positions.iter_mut().flatten().for_each(|number| *number *= scale);
        }
        refused("hero.glb", &scene_glb(&scene).unwrap(), 3, "scale_out_of_range");
    }
}

#[test]
fn ten_million_triangles() {
    let (positions, indices) = cube();
    let many = indices.repeat(10_000_000 / 12 / 100 + 1);
    refused("hero.glb", &mesh_glb(&positions, &many, 100), 4, "limit_triangles");
    refused("hero.glb", &mesh_glb(&positions, &indices, 10_001), 4, "limit_nodes");
    refused("hero.glb", &mesh_glb(&positions, &indices, 1_001), 4, "limit_meshes");
}

#[test]
fn a_file_of_more_bytes_than_are_read() {
    let folder = folder();
    let path = folder.path().join("hero.glb");
    fs::File::create(&path).unwrap().set_len((256 << 20) + 1).unwrap();
    assert_refused(&run(&["rig", arg(&path), "-o", "x.glb", "-q"]), 4, "limit_file_size", "hero.glb");
    let endless = autorig(&["rig", "-", "-o", "-", "-q"]).pipe_stdin(&path).unwrap().output().unwrap();
    assert_refused(&endless, 4, "limit_file_size", "stdin");
}

#[test]
fn a_bomb_in_a_texture() {
    refused("hero.glb", &texture_bomb(60_000), 4, "limit_texture");
}

#[test]
fn a_box_is_no_character() {
    let (positions, indices) = cube();
    refused("box.glb", &mesh_glb(&positions, &indices, 1), 3, "no_character_found");
}

#[test]
fn a_file_that_is_not_there_or_is_no_file() {
    let folder = folder();
    let missing = folder.path().join("missing.glb");
    assert_refused(&run(&["rig", arg(&missing), "-o", "out.glb"]), 5, "file_not_found", "missing.glb");
    assert_refused(&run(&["inspect", arg(folder.path())]), 2, "is_a_folder", arg(folder.path()));
    assert_refused(&run(&["inspect", "/dev/null"]), 2, "not_a_file", "/dev/null");
}

#[test]
fn a_pipe_that_brings_nothing() {
    let output = autorig(&["rig", "-", "-o", "-", "-q"]).write_stdin("").output().unwrap();
    assert_refused(&output, 3, "empty_file", "stdin");
}

#[test]
fn arguments_that_make_no_sense() {
    for arguments in [
        &["rig"][..],
        &["rig", "a.glb"],
        &["rig", "a.glb", "-o", "b.glb", "--influences", "9"],
        &["rig", "a.glb", "-o", "b.glb", "--threads", "0"],
        &["rig", "a.glb", "-o", "b.glb", "--class", "dragon"],
        &["rig", "a.glb", "-o", "b.glb", "--rest-pose", "lying"],
        &["rig", "a.glb", "-o", "b.glb", "--fingers", "5"],
        &["rig", "a.glb", "-o", "b.glb", "--symmetry", "on"],
        &["serve", "--listen", "nowhere"],
        &["dance"],
        &[],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    assert_refused(&run(&["sample", "dragon", "-o", "x.glb"]), 2, "unknown_sample", "dragon");
    assert_refused(&run(&["sample", "human", "-o", "x.glb", "--triangles", "3"]), 2, "invalid_option", "3");
}
