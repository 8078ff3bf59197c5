//! The files a rig may be delivered as: keys, places, names, types. The one table of them.

/// A file that is made from a rig (`spec.md` §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// Skeleton and skin, materials and textures kept; canonical joint names, the input's own unit and frame.
    RiggedGlb,
    /// Binary FBX that maps to Unity's Humanoid avatar.
    UnityFbx,
    /// Binary FBX with the names, axes and helpers of the UE5 mannequin.
    UnrealFbx,
    /// VRM 1.0.
    Vrm,
    /// At most 100,000 triangles.
    Lod100k,
    /// At most 50,000 triangles.
    Lod50k,
    /// At most 10,000 triangles.
    Lod10k,
    /// The rig with clips.
    AnimationsGlb,
    /// The rig with clips as FBX stacks.
    AnimationsFbx,
    /// The input before rigging.
    PreparedGlb,
    /// Turntable and a clip.
    Video,
    /// Picture with a transparent background.
    Thumbnail,
    /// One page that opens from disk.
    ViewerHtml,
    /// What was found and done.
    ReportJson,
    /// Everything that was made, in one archive.
    AllZip,
    /// The thumbnail as WebP.
    ThumbnailWebp,
    /// FBX with Mixamo's names.
    FbxMixamo,
    /// FBX as Maya has it: Y up, centimetres.
    FbxMaya,
    /// FBX with the names of Godot's humanoid profile.
    FbxGodot,
    /// FBX with the names of Roblox' R15.
    FbxRoblox,
    /// GLB with the names of Rigify's metarig.
    BlenderGlb,
    /// VRM 0.x.
    Vrm0,
    /// One FBX a clip, as Unreal imports them.
    AnimationsUnrealZip,
    /// FBX for Unity with every level of detail.
    UnityLodsFbx,
}

/// One row of the table.
struct Row {
    output: Output,
    key: &'static str,
    suffix: &'static str,
    mime: &'static str,
}

const GLB: &str = "model/gltf-binary";
const FBX: &str = "application/octet-stream";
const ZIP: &str = "application/zip";

const fn row(output: Output, key: &'static str, suffix: &'static str, mime: &'static str) -> Row {
    Row { output, key, suffix, mime }
}

/// MP4 where the encoder is built in.
const VIDEO: Row = if cfg!(feature = "h264") {
    row(Output::Video, "video", "_video.mp4", "video/mp4")
} else {
    row(Output::Video, "video", "_video.webp", "image/webp")
};

/// In the order of their places, which are the numbers of the rows and never change.
const TABLE: [Row; 24] = [
    row(Output::RiggedGlb, "rigged_glb", "_rigged.glb", GLB),
    row(Output::UnityFbx, "unity_fbx", "_unity.fbx", FBX),
    row(Output::UnrealFbx, "unreal_fbx", "_unreal.fbx", FBX),
    row(Output::Vrm, "vrm", ".vrm", GLB),
    row(Output::Lod100k, "lod_100k", "_lod100k.glb", GLB),
    row(Output::Lod50k, "lod_50k", "_lod50k.glb", GLB),
    row(Output::Lod10k, "lod_10k", "_lod10k.glb", GLB),
    row(Output::AnimationsGlb, "animations_glb", "_animations.glb", GLB),
    row(Output::AnimationsFbx, "animations_fbx", "_animations.fbx", FBX),
    row(Output::PreparedGlb, "prepared_glb", "_model_prepared.glb", GLB),
    VIDEO,
    row(Output::Thumbnail, "thumbnail", ".png", "image/png"),
    row(Output::ViewerHtml, "viewer_html", "_viewer.html", "text/html"),
    row(Output::ReportJson, "report_json", "_report.json", "application/json"),
    row(Output::AllZip, "all_zip", ".zip", ZIP),
    row(Output::ThumbnailWebp, "thumbnail_webp", ".webp", "image/webp"),
    row(Output::FbxMixamo, "fbx_mixamo", "_mixamo.fbx", FBX),
    row(Output::FbxMaya, "fbx_maya", "_maya.fbx", FBX),
    row(Output::FbxGodot, "fbx_godot", "_godot.fbx", FBX),
    row(Output::FbxRoblox, "fbx_roblox", "_roblox.fbx", FBX),
    row(Output::BlenderGlb, "blender_glb", "_blender.glb", GLB),
    row(Output::Vrm0, "vrm0", "_vrm0.vrm", GLB),
    row(Output::AnimationsUnrealZip, "animations_unreal_zip", "_animations_unreal.zip", ZIP),
    row(Output::UnityLodsFbx, "unity_lods_fbx", "_unity_lods.fbx", FBX),
];

impl Output {
    /// Every output, in the order of their places.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.output)
    }

    /// The output of this key.
    pub fn find(key: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.key == key).map(|row| row.output)
    }

    /// Its fixed place.
    pub fn index(self) -> u32 {
        // The enum is declared in the order of the table, which a test holds.
        self as u32
    }

    /// Its stable key.
    pub fn key(self) -> &'static str {
        TABLE[self as usize].key
    }

    /// What follows the input's name in the file's name.
    pub fn suffix(self) -> &'static str {
        TABLE[self as usize].suffix
    }

    /// MIME type.
    pub fn mime(self) -> &'static str {
        TABLE[self as usize].mime
    }

    /// The file of a profile's name, which is the preset of that name.
    pub fn of_profile(name: &str) -> Option<Self> {
        Some(match name {
            "glb" => Self::RiggedGlb,
            "unity" => Self::UnityFbx,
            "unreal" => Self::UnrealFbx,
            "mixamo" => Self::FbxMixamo,
            "vrm" => Self::Vrm,
            "blender" => Self::BlenderGlb,
            "godot" => Self::FbxGodot,
            "roblox" => Self::FbxRoblox,
            "maya" => Self::FbxMaya,
            _ => return None,
        })
    }

    /// The triangle budget of a level of detail.
    pub fn triangles(self) -> Option<usize> {
        Some(match self {
            Self::Lod100k => 100_000,
            Self::Lod50k => 50_000,
            Self::Lod10k => 10_000,
            _ => return None,
        })
    }

    /// Made of every rig that is delivered in full; the others when asked for.
    pub fn in_full(self) -> bool {
        self <= Self::ThumbnailWebp
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_profile_is_the_preset_of_a_file() {
        for profile in crate::profile::Profile::all() {
            assert!(Output::of_profile(&profile.name).is_some(), "{}", profile.name);
        }
        assert_eq!(Output::of_profile("maja"), None);
    }

    #[test]
    fn places_keys_and_names_are_those_of_the_specification() {
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(row.output.index() as usize, place);
            assert_eq!(Output::find(row.key), Some(row.output));
        }
        assert_eq!(TABLE.iter().map(|row| row.key).collect::<BTreeSet<_>>().len(), TABLE.len());
        assert_eq!(TABLE.iter().map(|row| row.suffix).collect::<BTreeSet<_>>().len(), TABLE.len());
        assert_eq!((Output::ReportJson.index(), Output::AllZip.index()), (13, 14));
        assert_eq!(Output::find("chair"), None);
    }
}
