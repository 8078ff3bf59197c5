//! What `Rig.save` writes.

use std::path::Path;

use autorig_engine::{
    Character, Rig,
    deliver::{Output, Plan, file_of},
    lod::simplify,
};
use pyo3::prelude::*;

use crate::error::{exception, usage};

/// The file that a preset means, or the ending of a name alone.
pub(crate) fn output(path: &Path, preset: Option<&str>) -> PyResult<Output> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let by_ending = match extension.as_deref() {
        Some("glb") => Output::RiggedGlb,
        Some("fbx") => Output::FbxMaya,
        Some("vrm") => Output::Vrm,
        _ => {
            let message = format!("cannot write {}", path.display());
            return Err(usage(message, "end the name in .glb, .fbx or .vrm"));
        }
    };
    let Some(preset) = preset else { return Ok(by_ending) };
    let unknown = || usage(format!("there is no preset {preset:?}"), "see the profiles in docs/profiles.md");
    let output = Output::of_profile(preset).ok_or_else(unknown)?;
    let right = output.suffix().rsplit('.').next().unwrap_or_default();
    if extension.as_deref() == Some(right) {
        return Ok(output);
    }
    let message = format!("the preset {preset:?} does not write {}", path.display());
    Err(usage(message, &format!("end the name in .{right}, or choose another preset")))
}

/// How the file words things.
pub(crate) fn plan(path: &Path, names: Option<String>, meta: Option<&Bound<'_, PyAny>>) -> PyResult<Plan> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut plan = Plan { names, ..Plan::rig_only().named(stem) };
    if let Some(meta) = meta {
        let text: String = meta.py().import("json")?.call_method1("dumps", (meta,))?.extract()?;
        plan.vrm_meta = serde_json::from_str(&text)
            .map_err(|error| usage(format!("vrm_meta: {error}"), "pass `meta` as VRM 1.0 has it"))?;
    }
    Ok(plan)
}

/// The bytes of the file.
pub(crate) fn encode(rig: &Rig, output: Output, plan: &Plan, triangles: Option<usize>) -> PyResult<Vec<u8>> {
    if output == Output::RiggedGlb && plan.names.is_none() && triangles.is_none() {
        return rig.to_glb().map_err(exception);
    }
    let mut character = Character::from_rig(rig);
    if let Some(triangles) = triangles {
        character = simplify(&character, triangles).map_err(exception)?.0;
    }
    let bytes = file_of(&character, output, plan).map_err(exception)?;
    bytes.ok_or_else(|| usage("this file does not fit the model", "choose another preset"))
}
