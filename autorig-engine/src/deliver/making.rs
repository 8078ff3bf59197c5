//! From a finished rig, or a model as it is, to its files, in an order that shows something soon.

use super::{Desk, Output, Plan, archive::Archive, files};
use crate::{
    Character, Code, Error, Report, Result, Rig, Stage,
    lod::LodReport,
    motion,
    profile::{self, Profile},
    scene::Warning,
};

/// What each stage makes, with the part of the work that is done when it begins.
const ORDER: [(Stage, f32, &[Output]); 4] = [
    (
        Stage::Export,
        0.0,
        &[
            Output::RiggedGlb,
            Output::Thumbnail,
            Output::ThumbnailWebp,
            Output::UnityFbx,
            Output::UnrealFbx,
            Output::Vrm,
            Output::Vrm0,
            Output::BlenderGlb,
            Output::FbxMixamo,
            Output::FbxMaya,
            Output::FbxGodot,
            Output::FbxRoblox,
        ],
    ),
    (Stage::Lod, 0.2, &[Output::Lod100k, Output::Lod50k, Output::Lod10k, Output::UnityLodsFbx]),
    (
        Stage::Animate,
        0.35,
        &[Output::AnimationsGlb, Output::AnimationsFbx, Output::AnimationsUnrealZip, Output::ViewerHtml],
    ),
    (Stage::Render, 0.5, &[Output::Video]),
];
/// The part of the work that is done when the report is written.
const PACKING: f32 = 0.97;

/// A character whose files are made.
pub(super) struct Making {
    /// The rig itself, unless the character came as it is.
    rig: Option<Rig>,
    character: Character,
    /// Its bones have other names than those of the rig.
    renamed: bool,
    /// The character with the clips of the library.
    animated: Option<Character>,
    lods: Vec<LodReport>,
    warnings: Vec<Warning>,
}

impl Making {
    pub(super) fn of_rig(rig: Rig) -> Self {
        let character = Character::from_rig(&rig);
        Self {
            rig: Some(rig),
            character,
            renamed: false,
            animated: None,
            lods: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn of_character(character: Character) -> Self {
        Self { rig: None, character, renamed: false, animated: None, lods: Vec::new(), warnings: Vec::new() }
    }

    /// With the plan's names for the bones.
    pub(super) fn named(mut self, plan: &Plan) -> Result<Self> {
        if let Some(profile) = plan.names.as_deref().map(Profile::named).transpose()? {
            self.character = profile::named(&self.character, profile);
            self.renamed = true;
        }
        Ok(self)
    }

    /// Makes every file of the plan.
    pub(super) fn run(mut self, desk: &mut Desk<'_>) -> Result<Option<Report>> {
        for (stage, done, outputs) in ORDER {
            let wanted: Vec<Output> = outputs.iter().copied().filter(|o| desk.plan.wants(*o)).collect();
            for (place, &output) in wanted.iter().enumerate() {
                desk.begin(stage, done + 0.1 * place as f32 / wanted.len() as f32)?;
                let required = desk.plan.required.contains(&output);
                match self.make(output, desk.plan) {
                    Ok(Some(bytes)) => desk.hand_over(output, bytes)?,
                    Ok(None) if required => return Err(does_not_fit(output)),
                    Err(error) if required || error.code == Code::Cancelled => return Err(error),
                    Ok(None) => {}
                    Err(error) => self.leave_out(output, &error),
                }
            }
        }
        desk.begin(Stage::Pack, PACKING)?;
        let report = self.rig.take().map(|rig| rig.report);
        let report = report.map(|report| self.finish(report, desk)).transpose()?;
        if let Some(archive) = desk.archive.take() {
            let bytes = archive.finish()?;
            desk.sink.file(Output::AllZip, bytes)?;
        }
        Ok(report)
    }

    fn finish(&mut self, mut report: Report, desk: &mut Desk<'_>) -> Result<Report> {
        report.files.clone_from(&desk.files);
        report.lods.append(&mut self.lods);
        report.warnings.append(&mut self.warnings);
        let mut text = serde_json::to_vec_pretty(&report)
            .map_err(|error| Error::new(Code::Internal, format!("the report cannot be written: {error}")))?;
        text.push(b'\n');
        desk.hand_over(Output::ReportJson, text)?;
        Ok(report)
    }

    fn leave_out(&mut self, output: Output, error: &Error) {
        self.warnings.push(Warning {
            code: "output_left_out".to_owned(),
            message: format!("{} is not made: {}", output.key(), error.message),
        });
    }

    /// A file; `None` where the model has no use for it.
    pub(super) fn make(&mut self, output: Output, plan: &Plan) -> Result<Option<Vec<u8>>> {
        let character = &self.character;
        Ok(Some(match output {
            Output::RiggedGlb => match &self.rig {
                Some(rig) if !self.renamed => rig.to_glb()?,
                _ => crate::write::character_glb(character)?,
            },
            Output::Thumbnail => files::thumbnail(character)?.to_png()?,
            Output::ThumbnailWebp => files::thumbnail(character)?.to_webp()?,
            Output::UnityFbx => files::fbx(character, "unity", false)?,
            Output::UnrealFbx => files::fbx(character, "unreal", false)?,
            Output::FbxMixamo => files::fbx(character, "mixamo", false)?,
            Output::FbxMaya => files::fbx(character, "maya", true)?,
            Output::FbxGodot => files::fbx(character, "godot", false)?,
            Output::FbxRoblox => files::fbx(character, "roblox", false)?,
            Output::BlenderGlb => files::glb(character, "blender")?,
            Output::Vrm => files::vrm(character, false, plan)?,
            Output::Vrm0 => files::vrm(character, true, plan)?,
            Output::Lod100k | Output::Lod50k | Output::Lod10k => {
                let budget = output.triangles().unwrap_or(usize::MAX);
                let Some((level, report)) = files::level(character, budget)? else { return Ok(None) };
                self.lods.push(report);
                level
            }
            Output::UnityLodsFbx => return files::unity_levels(character),
            Output::AnimationsGlb => match self.animated() {
                Some(animated) => crate::write::character_glb(animated)?,
                None => return Ok(None),
            },
            Output::AnimationsFbx => match self.animated() {
                Some(animated) => files::fbx(animated, "unity", true)?,
                None => return Ok(None),
            },
            Output::AnimationsUnrealZip => match self.animated() {
                Some(animated) => files::unreal_clips(animated, Archive::new(&plan.stem), &plan.stem)?,
                None => return Ok(None),
            },
            Output::ViewerHtml => files::viewer(self.moving(), plan.viewer_template.as_deref(), &plan.stem)?,
            Output::Video => files::video(self.moving())?,
            Output::PreparedGlb | Output::ReportJson | Output::AllZip => return Ok(None),
        }))
    }

    /// The character with clips where there are some for it.
    fn moving(&mut self) -> &Character {
        self.animated();
        self.animated.as_ref().unwrap_or(&self.character)
    }

    /// The character with the clips of the library behind its own; `None` where there are no clips for it.
    fn animated(&mut self) -> Option<&Character> {
        if self.animated.is_none() {
            let clips = motion::library::clips(&self.character);
            if clips.is_empty() && self.character.clips.is_empty() {
                return None;
            }
            let mut animated = self.character.clone();
            animated.clips.extend(clips);
            self.animated = Some(animated);
        }
        self.animated.as_ref()
    }
}

fn does_not_fit(output: Output) -> Error {
    Error::new(Code::InvalidOption, format!("{} does not fit this model", output.key()))
        .with_remedy("leave it out of the files that are asked for")
}
