//! `autorig validate`: whether a model can be read, and what a target engine would stumble over.

use autorig_engine::profile::check::{Finding, check_file};
use serde_json::json;

use super::load;
use crate::{
    args::ValidateArgs,
    failure::{Exit, Failure, Result, display_name},
    ui::{Outcome, Ui},
};

/// Runs the verb.
pub(crate) fn run(args: &ValidateArgs, ui: &Ui) -> Result<Outcome> {
    let character = load(&args.file, ui)?;
    let findings: Vec<Finding> =
        args.target.map(|target| check_file(&character, target.into())).unwrap_or_default();
    let name = display_name(&args.file);
    let (bones, triangles) = (character.bones.len(), character.scene.triangle_count());
    for finding in &findings {
        ui.say(&format!("{}: {}", finding.rule, finding.message));
    }
    ui.say(&format!(
        "{name}: {triangles} triangles, {bones} joints, {} clips, {} problems",
        character.clips.len(),
        findings.len()
    ));
    let failure = (!findings.is_empty()).then(|| {
        let message = format!("{} rules of the target are broken", findings.len());
        Failure::new(
            Exit::Input,
            "rules_broken",
            message,
            "convert it for the target: autorig convert --preset",
        )
        .about(&args.file)
    });
    let result = json!({
        "file": name,
        "triangles": triangles,
        "joints": bones,
        "clips": character.clips.iter().map(|clip| &clip.name).collect::<Vec<_>>(),
        "findings": findings.iter().map(|f| json!({ "rule": f.rule, "joint": f.bone, "message": f.message })).collect::<Vec<_>>(),
    });
    Ok(Outcome { result, failure })
}
