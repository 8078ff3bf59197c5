//! Single files of a character.

use super::{Plan, archive::Archive};
use crate::{
    Character, Code, Error, Result,
    lod::{LodReport, simplify},
    profile::{self, Profile},
    render::{self, Image},
    write::{
        self,
        fbx::{FbxOptions, UpAxis, to_fbx},
        vrm::{VrmOptions, VrmVersion},
    },
};

/// Pixels along a side of the thumbnail.
const THUMBNAIL: u32 = 768;
/// Pixels along a side of a VRM's own picture.
const AVATAR: u32 = 512;
/// Triangle budgets of the levels of detail in one file.
const LEVELS: [usize; 3] = [50_000, 10_000, 2_500];

/// The picture on a transparent background.
pub(super) fn thumbnail(character: &Character) -> Result<Image> {
    render::thumbnail(character, THUMBNAIL)
}

fn in_space_of(character: &Character, profile: &str) -> Result<Character> {
    profile::apply(character, Profile::named(profile)?)
}

fn axes(profile: &str) -> UpAxis {
    if profile == "unreal" { UpAxis::Z } else { UpAxis::Y }
}

/// An FBX of a profile.
pub(super) fn fbx(character: &Character, profile: &str, clips: bool) -> Result<Vec<u8>> {
    let options = FbxOptions { up_axis: axes(profile), clips, ..FbxOptions::default() };
    to_fbx(&in_space_of(character, profile)?, &options)
}

/// A GLB of a profile.
pub(super) fn glb(character: &Character, profile: &str) -> Result<Vec<u8>> {
    write::character_glb(&in_space_of(character, profile)?)
}

/// A VRM with its picture.
pub(super) fn vrm(character: &Character, old: bool, plan: &Plan) -> Result<Vec<u8>> {
    let posed = in_space_of(character, "vrm")?;
    let options = VrmOptions {
        version: if old { VrmVersion::V0 } else { VrmVersion::V1 },
        meta: plan.vrm_meta.or_named(&plan.stem),
        thumbnail: Some(render::thumbnail(&posed, AVATAR)?.to_png()?),
    };
    write::vrm::vrm(&posed, &options)
}

/// A level of detail; `None` where the character has fewer triangles.
pub(super) fn level(character: &Character, triangles: usize) -> Result<Option<(Vec<u8>, LodReport)>> {
    if character.scene.triangle_count() <= triangles {
        return Ok(None);
    }
    let (level, report) = simplify(character, triangles)?;
    Ok(Some((write::character_glb(&level)?, report)))
}

/// One FBX with every level of detail below the character's own.
pub(super) fn unity_levels(character: &Character) -> Result<Option<Vec<u8>>> {
    let character = in_space_of(character, "unity")?;
    let triangles = character.scene.triangle_count();
    let budgets = LEVELS.into_iter().filter(|budget| *budget < triangles);
    let levels = budgets.map(|b| Ok(simplify(&character, b)?.0)).collect::<Result<Vec<Character>>>()?;
    let levels: Vec<&Character> = levels.iter().collect();
    if levels.is_empty() {
        return Ok(None);
    }
    let options = FbxOptions { clips: false, levels: &levels, ..FbxOptions::default() };
    to_fbx(&character, &options).map(Some)
}

/// The character and each clip in a file of its own, as Unreal imports them.
pub(super) fn unreal_clips(character: &Character, mut archive: Archive, stem: &str) -> Result<Vec<u8>> {
    let mut character = in_space_of(character, "unreal")?;
    let clips = std::mem::take(&mut character.clips);
    let options = FbxOptions { up_axis: UpAxis::Z, ..FbxOptions::default() };
    archive.add_as(&format!("SKM_{stem}.fbx"), &to_fbx(&character, &options)?)?;
    for clip in clips {
        let name = format!("A_{stem}_{}.fbx", clip.name);
        character.clips = vec![clip];
        let options = FbxOptions { mesh: false, ..options };
        archive.add_as(&name, &to_fbx(&character, &options)?)?;
    }
    archive.finish()
}

/// The page that shows the character.
pub(super) fn viewer(character: &Character, template: Option<&str>, title: &str) -> Result<Vec<u8>> {
    let Some(template) = template else {
        return Err(Error::new(Code::InvalidOption, "the viewer page was not built")
            .with_remedy("build it: npm ci && npm run build in static/"));
    };
    let glb = write::character_glb(character)?;
    write::viewer::html(template, &glb, title, Some(&character.frame))
}

/// The turntable and a clip.
pub(super) fn video(character: &Character) -> Result<Vec<u8>> {
    Ok(render::video(character, &render::VideoOptions::default())?.bytes)
}
