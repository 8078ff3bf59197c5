//! A folder of models.

use std::fs;

use crate::{
    glb::assert_rigged,
    shell::{arg, assert_refused, code, envelope, folder, human, names, run, stderr},
};

#[test]
fn every_model_is_rigged_and_one_that_fails_does_not_stop_the_rest() {
    let folder = folder();
    let (models, out) = (folder.path().join("models"), folder.path().join("out"));
    fs::create_dir(&models).unwrap();
    for (name, bytes) in
        [("a.glb", b"".to_vec()), ("b.glb", human()), ("c.blend", vec![0]), ("notes.txt", vec![0])]
    {
        fs::write(models.join(name), bytes).unwrap();
    }
    let output =
        run(&["rig", arg(&models), "--outputs", "prepared_glb", "-o", &format!("{}/", arg(&out)), "--json"]);
    assert_eq!(code(&output), 3, "the worst of the files");
    let said = envelope(&output);
    assert_eq!(said["ok"], false);
    assert_eq!(said["error"]["code"], "batch_failed");
    assert_eq!((&said["result"]["rigged"], &said["result"]["total"]), (&1.into(), &2.into()));
    assert_eq!(said["result"]["files"][0]["error"]["code"], "empty_file");
    assert_eq!(said["result"]["files"][1]["ok"], true);
    assert_eq!(names(&out), ["b_model_prepared.glb", "b_report.json", "b_rigged.glb"]);
    assert_rigged(&fs::read(out.join("b_rigged.glb")).unwrap());

    let output = run(&["rig", arg(&models), "--outputs", "prepared_glb", "-o", arg(&out)]);
    assert_refused(&output, 2, "output_exists", "b_rigged.glb");
    let output = run(&["rig", arg(&models), "--outputs", "prepared_glb", "-o", arg(&out), "--force"]);
    let said = stderr(&output);
    assert!(said.contains("1 of 2 models rigged") && said.contains("code: empty_file"), "{said}");
}

#[test]
fn a_batch_that_cannot_work_is_refused_as_a_whole() {
    let folder = folder();
    let models = folder.path().join("models");
    fs::create_dir(&models).unwrap();
    let rig = |out: &str| run(&["rig", arg(&models), "-o", out]);
    let out = format!("{}/out/", arg(folder.path()));
    assert_refused(&rig(&out), 3, "no_models", "models");
    fs::write(models.join("hero.glb"), human()).unwrap();
    assert_refused(&rig("one.glb"), 2, "output_not_a_folder", "one.glb");
    assert_refused(&rig(arg(&models)), 2, "output_is_input", "models");
    fs::write(models.join("hero.obj"), "").unwrap();
    assert_refused(&rig(&out), 2, "same_output", "hero.obj");
    assert_eq!(names(folder.path()), ["models"]);
}
