//! Writes one of the engine's own characters: `sample_file human|cartoon|robot|quadruped TRIANGLES OUT.glb`.
//!
//! The same as `autorig sample`, without the rest of that program: benchmarks of known size need nothing else.

#![expect(clippy::print_stderr, reason = "it talks to people")]

use std::process::ExitCode;

use autorig_engine::{sample, write};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let made = match words.as_slice() {
        [name, triangles, out] => make(name, triangles, out),
        _ => Err("usage: sample_file NAME TRIANGLES OUT.glb".to_owned()),
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn make(name: &str, triangles: &str, out: &str) -> Result<(), String> {
    let which = sample::Sample::ALL
        .into_iter()
        .find(|sample| sample.name() == name)
        .ok_or_else(|| format!("no sample is called '{name}'"))?;
    let triangles = triangles.parse().map_err(|_| format!("'{triangles}' is not a number of triangles"))?;
    let scene = sample::generate(which, Some(triangles)).map_err(|e| e.to_string())?;
    let glb = write::scene_glb(&scene).map_err(|e| e.to_string())?;
    std::fs::write(out, glb).map_err(|e| format!("{out} cannot be written: {e}"))
}
