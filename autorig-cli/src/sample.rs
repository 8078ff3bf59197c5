//! `autorig sample`: a character made by procedure, as GLB.

use autorig_engine::{
    sample::{Sample, generate},
    write::scene_glb,
};
use serde_json::json;

use crate::{
    args::SampleArgs,
    failure::{Failure, Result, display_name},
    interrupt,
    output::{self, Output, Target},
    ui::{Outcome, Ui},
};

/// Runs the verb.
pub(crate) fn run(args: &SampleArgs, ui: &Ui) -> Result<Outcome> {
    let sample = find(&args.name)?;
    let target = Target::parse(&args.output, &["glb"])?;
    target.check_stdout(ui)?;
    match &target {
        Target::Folder(folder) => {
            return Err(
                Failure::usage("is_a_folder", "the output is a folder", "name a .glb file").about(folder)
            );
        }
        Target::File(path, _) => {
            output::check_free(std::slice::from_ref(path), args.force)?;
            output::check_parent(path)?;
        }
        Target::Stdout => {}
    }
    let scene = generate(sample, args.triangles).map_err(Failure::from)?;
    interrupt::check()?;
    let bytes = scene_glb(&scene).map_err(Failure::from)?;
    let (size, triangles) = (bytes.len(), scene.triangle_count());
    if let Target::File(path, _) = target {
        output::commit(&[Output { key: "sample_glb", path, bytes }], args.force)?;
    } else {
        ui.result(&bytes)?;
    }
    let place = if args.output.as_os_str() == "-" { "stdout".to_owned() } else { display_name(&args.output) };
    ui.say(&format!("{}: {triangles} triangles -> {place}", sample.name()));
    Ok(Outcome::ok(json!({
        "name": sample.name(),
        "path": args.output,
        "size": size,
        "triangles": triangles,
        "vertices": scene.vertex_count(),
    })))
}

fn find(name: &str) -> Result<Sample> {
    Sample::ALL.into_iter().find(|sample| sample.name() == name).ok_or_else(|| {
        let names: Vec<_> = Sample::ALL.iter().map(|sample| sample.name()).collect();
        Failure::usage(
            "unknown_sample",
            format!("there is no sample named {name}"),
            format!("choose one of: {}", names.join(", ")),
        )
    })
}
