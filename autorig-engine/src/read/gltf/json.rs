//! The parts of glTF JSON the reader uses, tolerant of what is missing.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Code, Error, Result};

/// More JSON values than any real model has; a guard against small text that unfolds into much memory.
const MAX_VALUES: usize = 4_000_000;

/// The top level.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Root {
    pub(crate) asset: Option<Asset>,
    pub(crate) scene: Option<usize>,
    pub(crate) scenes: Vec<SceneDef>,
    pub(crate) nodes: Vec<NodeDef>,
    pub(crate) meshes: Vec<MeshDef>,
    pub(crate) accessors: Vec<AccessorDef>,
    pub(crate) buffer_views: Vec<ViewDef>,
    pub(crate) buffers: Vec<BufferDef>,
    pub(crate) materials: Vec<MaterialDef>,
    pub(crate) textures: Vec<TextureDef>,
    pub(crate) images: Vec<ImageDef>,
    pub(crate) samplers: Vec<Value>,
    pub(crate) skins: Vec<SkinDef>,
    pub(crate) animations: Vec<AnimationDef>,
    pub(crate) extensions_used: Vec<String>,
    pub(crate) extensions_required: Vec<String>,
    pub(crate) extensions: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asset {
    pub(crate) version: Option<String>,
    pub(crate) copyright: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SceneDef {
    pub(crate) nodes: Vec<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AnimationDef {
    pub(crate) name: Option<String>,
    pub(crate) channels: Vec<ChannelDef>,
    pub(crate) samplers: Vec<SamplerDef>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ChannelDef {
    pub(crate) sampler: usize,
    pub(crate) target: TargetDef,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TargetDef {
    pub(crate) node: Option<usize>,
    pub(crate) path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SamplerDef {
    pub(crate) input: usize,
    pub(crate) output: usize,
    pub(crate) interpolation: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeDef {
    pub(crate) name: Option<String>,
    pub(crate) children: Vec<usize>,
    pub(crate) mesh: Option<usize>,
    pub(crate) skin: Option<usize>,
    pub(crate) matrix: Option<[f64; 16]>,
    pub(crate) translation: Option<[f64; 3]>,
    pub(crate) rotation: Option<[f64; 4]>,
    pub(crate) scale: Option<[f64; 3]>,
    pub(crate) weights: Vec<f64>,
    pub(crate) extensions: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MeshDef {
    pub(crate) name: Option<String>,
    pub(crate) primitives: Vec<PrimitiveDef>,
    pub(crate) weights: Vec<f64>,
    pub(crate) extras: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PrimitiveDef {
    pub(crate) attributes: Map<String, Value>,
    pub(crate) indices: Option<usize>,
    pub(crate) material: Option<usize>,
    pub(crate) mode: Option<u64>,
    pub(crate) targets: Vec<Map<String, Value>>,
    pub(crate) extensions: Map<String, Value>,
    pub(crate) extras: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AccessorDef {
    pub(crate) buffer_view: Option<usize>,
    pub(crate) byte_offset: u64,
    pub(crate) component_type: u32,
    pub(crate) normalized: bool,
    pub(crate) count: u64,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) sparse: Option<SparseDef>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SparseDef {
    pub(crate) count: u64,
    pub(crate) indices: SparsePart,
    pub(crate) values: SparsePart,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SparsePart {
    pub(crate) buffer_view: usize,
    pub(crate) byte_offset: u64,
    pub(crate) component_type: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ViewDef {
    pub(crate) buffer: usize,
    pub(crate) byte_offset: u64,
    pub(crate) byte_length: u64,
    pub(crate) byte_stride: Option<u64>,
    pub(crate) extensions: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct BufferDef {
    pub(crate) uri: Option<String>,
    pub(crate) byte_length: u64,
    pub(crate) extensions: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct MaterialDef {
    pub(crate) name: Option<String>,
    pub(crate) pbr_metallic_roughness: Option<PbrDef>,
    pub(crate) normal_texture: Option<TextureInfo>,
    pub(crate) occlusion_texture: Option<TextureInfo>,
    pub(crate) emissive_texture: Option<TextureInfo>,
    pub(crate) emissive_factor: Option<[f64; 3]>,
    pub(crate) alpha_mode: Option<String>,
    pub(crate) alpha_cutoff: Option<f64>,
    pub(crate) double_sided: bool,
    pub(crate) extensions: Map<String, Value>,
    pub(crate) extras: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PbrDef {
    pub(crate) base_color_factor: Option<[f64; 4]>,
    pub(crate) base_color_texture: Option<TextureInfo>,
    pub(crate) metallic_factor: Option<f64>,
    pub(crate) roughness_factor: Option<f64>,
    pub(crate) metallic_roughness_texture: Option<TextureInfo>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct TextureInfo {
    pub(crate) index: usize,
    pub(crate) tex_coord: u32,
    pub(crate) scale: Option<f64>,
    pub(crate) strength: Option<f64>,
    pub(crate) extensions: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TextureDef {
    pub(crate) name: Option<String>,
    pub(crate) source: Option<usize>,
    pub(crate) sampler: Option<usize>,
    pub(crate) extensions: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ImageDef {
    pub(crate) name: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) buffer_view: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SkinDef {
    pub(crate) name: Option<String>,
    pub(crate) joints: Vec<usize>,
    pub(crate) inverse_bind_matrices: Option<usize>,
}

/// Parses glTF JSON.
pub(crate) fn parse(text: &[u8]) -> Result<Root> {
    if count_values(text) > MAX_VALUES {
        return Err(Error::new(
            Code::LimitMemory,
            format!("the glTF JSON holds more than {MAX_VALUES} values"),
        ));
    }
    // Padding of the chunk that is not the blanks it should be.
    let end = text.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    let text = text.get(..end).unwrap_or_default();
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    serde_json::from_slice(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => {
            Error::new(Code::TruncatedFile, "the glTF JSON ends in the middle")
        }
        _ => Error::new(Code::CorruptFile, format!("the glTF JSON is not valid: {error}")),
    })
}

/// About how many values the text has, without parsing it: separators and openings outside of strings.
fn count_values(text: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (0, false, false);
    for &byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_string = true,
                b',' | b'{' | b'[' => count += 1,
                _ => {}
            }
        }
    }
    count
}

/// `mesh 3 "Body"`, as error messages call things.
pub(crate) fn label(kind: &str, index: usize, name: Option<&str>) -> String {
    match name {
        Some(name) if !name.is_empty() => {
            let short: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
            format!("{kind} {index} \"{short}\"")
        }
        _ => format!("{kind} {index}"),
    }
}

/// A `corrupt_file` error.
pub(crate) fn corrupt(message: impl Into<String>) -> Error {
    Error::new(Code::CorruptFile, message)
}
