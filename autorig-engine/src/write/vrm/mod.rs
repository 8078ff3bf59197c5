//! VRM avatars: a GLB that says which node is which bone of a human, and who may do what with it.
//!
//! After the VRM 1.0 specification (`VRMC_vrm`) and, where asked for, that of VRM 0.x (`VRM`), whose avatars face −Z and
//! call the thumb's joints otherwise.

use glam::{DMat3, DMat4, DQuat};
use serde_json::{Map, Value, json};

use crate::{
    Character, Code, Error, Result,
    motion::Values,
    scene::{Image, Primitive, Texture, transform},
    skeleton::names::NECESSARY,
};

mod meta;

pub use meta::{AvatarPermission, CommercialUsage, CreditNotation, Modification, VrmMeta};

/// Version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VrmVersion {
    /// VRM 1.0.
    #[default]
    V1,
    /// VRM 0.x, for programs that read nothing else.
    V0,
}

/// What a VRM is written with.
#[derive(Debug, Clone, Default)]
pub struct VrmOptions {
    /// Version of the format.
    pub version: VrmVersion,
    /// Whose it is and what others may do with it.
    pub meta: VrmMeta,
    /// A square picture as PNG.
    pub thumbnail: Option<Vec<u8>>,
}

/// Bones of a human in the order of the specification, each with the one it may not be without.
const BONES: [(&str, Option<&str>); 55] = [
    ("hips", None),
    ("spine", None),
    ("chest", None),
    ("upperChest", Some("chest")),
    ("neck", None),
    ("head", None),
    ("leftEye", None),
    ("rightEye", None),
    ("jaw", None),
    ("leftUpperLeg", None),
    ("leftLowerLeg", None),
    ("leftFoot", None),
    ("leftToes", None),
    ("rightUpperLeg", None),
    ("rightLowerLeg", None),
    ("rightFoot", None),
    ("rightToes", None),
    ("leftShoulder", None),
    ("leftUpperArm", None),
    ("leftLowerArm", None),
    ("leftHand", None),
    ("rightShoulder", None),
    ("rightUpperArm", None),
    ("rightLowerArm", None),
    ("rightHand", None),
    ("leftThumbMetacarpal", None),
    ("leftThumbProximal", Some("leftThumbMetacarpal")),
    ("leftThumbDistal", Some("leftThumbProximal")),
    ("leftIndexProximal", None),
    ("leftIndexIntermediate", Some("leftIndexProximal")),
    ("leftIndexDistal", Some("leftIndexIntermediate")),
    ("leftMiddleProximal", None),
    ("leftMiddleIntermediate", Some("leftMiddleProximal")),
    ("leftMiddleDistal", Some("leftMiddleIntermediate")),
    ("leftRingProximal", None),
    ("leftRingIntermediate", Some("leftRingProximal")),
    ("leftRingDistal", Some("leftRingIntermediate")),
    ("leftLittleProximal", None),
    ("leftLittleIntermediate", Some("leftLittleProximal")),
    ("leftLittleDistal", Some("leftLittleIntermediate")),
    ("rightThumbMetacarpal", None),
    ("rightThumbProximal", Some("rightThumbMetacarpal")),
    ("rightThumbDistal", Some("rightThumbProximal")),
    ("rightIndexProximal", None),
    ("rightIndexIntermediate", Some("rightIndexProximal")),
    ("rightIndexDistal", Some("rightIndexIntermediate")),
    ("rightMiddleProximal", None),
    ("rightMiddleIntermediate", Some("rightMiddleProximal")),
    ("rightMiddleDistal", Some("rightMiddleIntermediate")),
    ("rightRingProximal", None),
    ("rightRingIntermediate", Some("rightRingProximal")),
    ("rightRingDistal", Some("rightRingIntermediate")),
    ("rightLittleProximal", None),
    ("rightLittleIntermediate", Some("rightLittleProximal")),
    ("rightLittleDistal", Some("rightLittleIntermediate")),
];
/// A humanoid as VRM. `character` is in the space of the `vrm` profile: metres, +Y up, facing +Z, in T-pose.
///
/// # Errors
/// `needs_humanoid` when one of the 15 necessary bones is missing, `internal` when the character is inconsistent.
pub fn vrm(character: &Character, options: &VrmOptions) -> Result<Vec<u8>> {
    let bones = human_bones(character)?;
    let mut model = character.clone();
    if options.version == VrmVersion::V0 {
        turn_round(&mut model);
    }
    // Bones follow the nodes of the meshes that have triangles.
    let drawn = model.scene.meshes.iter().filter(|m| m.primitives.iter().any(Primitive::is_drawn)).count();
    let nodes: Vec<(&str, usize)> = bones.into_iter().map(|(name, bone)| (name, drawn + bone)).collect();
    let picture = options.thumbnail.as_ref().map(|bytes| {
        model.scene.images.push(Image {
            name: "thumbnail".to_owned(),
            mime: "image/png".to_owned(),
            bytes: bytes.clone(),
        });
        model.scene.images.len() - 1
    });
    let (key, value) = match options.version {
        VrmVersion::V1 => ("VRMC_vrm", version_1(&nodes, &options.meta, picture)),
        VrmVersion::V0 => {
            // VRM 0.x names a texture where 1.0 names an image.
            let texture = picture.map(|image| {
                model.scene.textures.push(Texture { image: Some(image), ..Texture::default() });
                model.scene.textures.len() - 1
            });
            let names: Vec<&str> = model.scene.materials.iter().map(|m| m.name.as_str()).collect();
            ("VRM", version_0(&nodes, &options.meta, texture, &names))
        }
    };
    model.scene.extensions.insert(key.to_owned(), value);
    super::character_glb(&model)
}

/// The bones that the format knows, by index. A bone without the one it needs is left out.
fn human_bones(character: &Character) -> Result<Vec<(&'static str, usize)>> {
    let mut found: Vec<(&str, usize)> = Vec::with_capacity(BONES.len());
    for (name, needs) in BONES {
        let allowed = needs.is_none_or(|n| found.iter().any(|(f, _)| *f == n));
        if let Some(bone) = character.find(name).filter(|_| allowed) {
            found.push((name, bone));
        }
    }
    let missing: Vec<&str> = NECESSARY
        .into_iter()
        .map(|(joint, _)| joint)
        .filter(|j| !found.iter().any(|(name, _)| name == j))
        .collect();
    if missing.is_empty() {
        return Ok(found);
    }
    let message = format!("a VRM needs the bones {}, which this character has not", missing.join(", "));
    Err(Error::new(Code::NeedsHumanoid, message))
}

fn version_1(bones: &[(&str, usize)], meta: &VrmMeta, picture: Option<usize>) -> Value {
    let human: Map<String, Value> =
        bones.iter().map(|(name, node)| ((*name).to_owned(), json!({"node": node}))).collect();
    let mut out = json!({
        "specVersion": "1.0",
        "humanoid": {"humanBones": human},
        "meta": meta.version_1(picture),
        "firstPerson": {},
        "expressions": {},
    });
    let has_eyes = bones.iter().any(|(name, _)| *name == "leftEye" || *name == "rightEye");
    if has_eyes && let Value::Object(out) = &mut out {
        let range = json!({"inputMaxValue": 90, "outputScale": 10});
        out.insert(
            "lookAt".into(),
            json!({
                "type": "bone",
                "offsetFromHeadBone": [0, 0.06, 0],
                "rangeMapHorizontalInner": range, "rangeMapHorizontalOuter": range,
                "rangeMapVerticalDown": range, "rangeMapVerticalUp": range,
            }),
        );
    }
    out
}

/// What VRM 0.x calls a bone.
fn old_name(name: &str) -> String {
    match name.split_once("Thumb") {
        Some((side, "Metacarpal")) => format!("{side}ThumbProximal"),
        Some((side, "Proximal")) => format!("{side}ThumbIntermediate"),
        _ => name.to_owned(),
    }
}

fn version_0(bones: &[(&str, usize)], meta: &VrmMeta, texture: Option<usize>, materials: &[&str]) -> Value {
    let human: Vec<Value> = bones
        .iter()
        .map(|(name, node)| json!({"bone": old_name(name), "node": node, "useDefaultValues": true}))
        .collect();
    let head = bones.iter().find(|(name, _)| *name == "head").map_or(0, |(_, node)| *node);
    let look = json!({"curve": [0, 0, 0, 1, 1, 1, 1, 0], "xRange": 90, "yRange": 10});
    let plain = |name: &&str| {
        json!({
            "name": name, "shader": "VRM_USE_GLTFSHADER", "renderQueue": 2000, "floatProperties": {},
            "vectorProperties": {}, "textureProperties": {}, "keywordMap": {}, "tagMap": {},
        })
    };
    json!({
        "specVersion": "0.0",
        "exporterVersion": concat!("AutoRig-", env!("CARGO_PKG_VERSION")),
        "meta": meta.version_0(texture),
        "humanoid": {
            "humanBones": human, "armStretch": 0.05, "legStretch": 0.05, "upperArmTwist": 0.5,
            "lowerArmTwist": 0.5, "upperLegTwist": 0.5, "lowerLegTwist": 0.5, "feetSpacing": 0,
            "hasTranslationDoF": false,
        },
        "firstPerson": {
            "firstPersonBone": head, "firstPersonBoneOffset": {"x": 0, "y": 0.06, "z": 0},
            "meshAnnotations": [], "lookAtTypeName": "Bone", "lookAtHorizontalInner": look,
            "lookAtHorizontalOuter": look, "lookAtVerticalDown": look, "lookAtVerticalUp": look,
        },
        "blendShapeMaster": {"blendShapeGroups": []},
        "secondaryAnimation": {"boneGroups": [], "colliderGroups": []},
        "materialProperties": materials.iter().map(plain).collect::<Vec<_>>(),
    })
}

/// Half a turn about +Y; frames that were parallel to the axes still are.
fn turn_round(model: &mut Character) {
    let half = DMat3::from_diagonal(glam::DVec3::new(-1.0, 1.0, -1.0));
    for primitive in model.scene.meshes.iter_mut().flat_map(|m| &mut m.primitives) {
        transform(primitive, &DMat4::from_mat3(half));
    }
    for bone in &mut model.bones {
        let linear = half * DMat3::from_mat4(bone.rest) * half;
        bone.rest = DMat4::from_mat3_translation(linear, half * bone.position());
    }
    for values in model.clips.iter_mut().flat_map(|c| &mut c.tracks).map(|t| &mut t.values) {
        match values {
            Values::Rotations(all) => {
                all.iter_mut().for_each(|q| *q = DQuat::from_xyzw(-q.x, q.y, -q.z, q.w));
            }
            Values::Translations(all) => all.iter_mut().for_each(|v| *v = half * *v),
        }
    }
    model.frame.rotation *= half;
}
