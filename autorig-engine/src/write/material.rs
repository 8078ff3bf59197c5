//! Materials, textures, images and samplers as glTF JSON.

use serde_json::{Map, Value, json};

use super::buffer::Buffer;
use super::value::number;
use crate::scene::{Alpha, Material, Scene, TextureRef};

/// The sections of looks, in the scene's own order, so that indices in raw extensions stay true.
pub(super) fn sections(scene: &Scene, buffer: &mut Buffer) -> [(&'static str, Vec<Value>); 4] {
    let images = scene.images.iter().map(|image| {
        let view = buffer.view(&image.bytes);
        let mut out = json!({"bufferView": view, "mimeType": image.mime});
        name(&mut out, &image.name);
        out
    });
    let images = images.collect();
    let textures = scene.textures.iter().map(|texture| {
        let mut out = Map::new();
        if let Some(image) = texture.image {
            out.insert("source".into(), image.into());
        }
        if let Some(sampler) = texture.sampler {
            out.insert("sampler".into(), sampler.into());
        }
        extensions(&mut out, &texture.extensions);
        let mut out = Value::Object(out);
        name(&mut out, &texture.name);
        out
    });
    [
        ("images", images),
        ("textures", textures.collect()),
        ("samplers", scene.samplers.clone()),
        ("materials", scene.materials.iter().map(material).collect()),
    ]
}

fn name(out: &mut Value, name: &str) {
    if let Value::Object(out) = out
        && !name.is_empty()
    {
        out.insert("name".into(), name.into());
    }
}

pub(super) fn extensions(out: &mut Map<String, Value>, extensions: &Map<String, Value>) {
    if !extensions.is_empty() {
        out.insert("extensions".into(), Value::Object(extensions.clone()));
    }
}

fn numbers(values: &[f32]) -> Value {
    values.iter().map(|v| number(*v)).collect()
}

fn reference(texture: &TextureRef) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("index".into(), texture.texture.into());
    if texture.uv_set != 0 {
        out.insert("texCoord".into(), texture.uv_set.into());
    }
    extensions(&mut out, &texture.extensions);
    out
}

fn material(material: &Material) -> Value {
    let mut pbr = Map::new();
    if material.base_color != [1.0; 4] {
        pbr.insert("baseColorFactor".into(), numbers(&material.base_color));
    }
    if let Some(texture) = &material.base_color_texture {
        pbr.insert("baseColorTexture".into(), reference(texture).into());
    }
    if material.metallic != 1.0 {
        pbr.insert("metallicFactor".into(), number(material.metallic));
    }
    if material.roughness != 1.0 {
        pbr.insert("roughnessFactor".into(), number(material.roughness));
    }
    if let Some(texture) = &material.metallic_roughness_texture {
        pbr.insert("metallicRoughnessTexture".into(), reference(texture).into());
    }
    let mut out = Map::new();
    if !pbr.is_empty() {
        out.insert("pbrMetallicRoughness".into(), pbr.into());
    }
    for (key, field, texture) in [
        ("normalTexture", "scale", &material.normal_texture),
        ("occlusionTexture", "strength", &material.occlusion_texture),
    ] {
        if let Some((texture, amount)) = texture {
            let mut info = reference(texture);
            if *amount != 1.0 {
                info.insert(field.into(), number(*amount));
            }
            out.insert(key.into(), info.into());
        }
    }
    if let Some(texture) = &material.emissive_texture {
        out.insert("emissiveTexture".into(), reference(texture).into());
    }
    if material.emissive != [0.0; 3] {
        out.insert("emissiveFactor".into(), numbers(&material.emissive));
    }
    match material.alpha {
        Alpha::Opaque => {}
        Alpha::Blend => _ = out.insert("alphaMode".into(), "BLEND".into()),
        Alpha::Mask(cutoff) => {
            out.insert("alphaMode".into(), "MASK".into());
            if cutoff != 0.5 {
                out.insert("alphaCutoff".into(), number(cutoff));
            }
        }
    }
    if material.double_sided {
        out.insert("doubleSided".into(), true.into());
    }
    extensions(&mut out, &material.extensions);
    if let Some(extras) = &material.extras {
        out.insert("extras".into(), extras.clone());
    }
    let mut out = Value::Object(out);
    name(&mut out, &material.name);
    out
}

/// How many UV sets a material needs on the meshes it is on.
pub(super) fn uv_sets(material: &Material) -> usize {
    let extension_sets = material.extensions.values().map(highest_set);
    let refs =
        [&material.base_color_texture, &material.metallic_roughness_texture, &material.emissive_texture];
    let pairs = [&material.normal_texture, &material.occlusion_texture];
    let refs = refs.into_iter().flatten().chain(pairs.into_iter().flatten().map(|(r, _)| r));
    let set = |r: &TextureRef| {
        let moved = r.extensions.get("KHR_texture_transform").and_then(|t| t.get("texCoord"));
        moved.and_then(Value::as_u64).unwrap_or(u64::from(r.uv_set)).saturating_add(1)
    };
    let count = refs.map(set).chain(extension_sets).max().unwrap_or(0);
    usize::try_from(count.min(8)).unwrap_or(0)
}

/// UV sets that texture references inside an extension need.
fn highest_set(value: &Value) -> u64 {
    let Value::Object(map) = value else { return 0 };
    let here = if map.get("index").is_some_and(Value::is_u64) {
        map.get("texCoord").and_then(Value::as_u64).unwrap_or(0).saturating_add(1)
    } else {
        0
    };
    map.values().map(highest_set).fold(here, u64::max)
}
