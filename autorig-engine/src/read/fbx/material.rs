//! Materials as metallic-roughness, and the images they name.

use std::collections::BTreeMap;

use super::number::single;
use crate::read::image::{Meter, add_texture};
use crate::read::siblings::{Resolver, short};
use crate::scene::{Alpha, Material, Scene, TextureRef};
use crate::{Code, Limits, Result};

/// The scene's materials by the file's numbers.
pub(super) struct Looks {
    count: usize,
}

impl Looks {
    /// The index in the scene of the file's material.
    pub(super) fn material(&self, typed_id: u32) -> Option<usize> {
        Some(typed_id as usize).filter(|i| *i < self.count)
    }
}

/// Reads all materials in the order of the file.
pub(super) fn read(
    file: &ufbx::Scene,
    resolver: &Resolver<'_>,
    limits: &Limits,
    scene: &mut Scene,
) -> Result<Looks> {
    let sets = uv_sets(file);
    let mut pictures = Pictures { resolver, meter: Meter::new(limits), known: BTreeMap::new() };
    for material in &file.materials {
        let no_sets = Vec::new();
        let sets = sets.get(&material.element.typed_id).unwrap_or(&no_sets);
        let converted = convert(material, sets, &mut pictures, scene)?;
        scene.materials.push(converted);
    }
    Ok(Looks { count: scene.materials.len() })
}

/// Names of the UV sets of the first mesh that has the material; textures name their set.
fn uv_sets(file: &ufbx::Scene) -> BTreeMap<u32, Vec<&str>> {
    let mut found = BTreeMap::new();
    for mesh in &file.meshes {
        for material in &mesh.materials {
            let names = || mesh.uv_sets.iter().map(|set| &*set.name).collect();
            found.entry(material.element.typed_id).or_insert_with(names);
        }
    }
    found
}

fn convert(
    material: &ufbx::Material,
    sets: &[&str],
    pictures: &mut Pictures<'_>,
    scene: &mut Scene,
) -> Result<Material> {
    let pbr = &material.pbr;
    let mut texture = |map: &ufbx::MaterialMap| pictures.reference(map, sets, scene);
    let base_color_texture = texture(&pbr.base_color)?;
    let emissive_texture = texture(&pbr.emission_color)?;
    let normal_texture = match texture(&pbr.normal_map)? {
        Some(found) => Some(found),
        // Most exporters connect a normal map where bump maps belong.
        None => texture(&material.fbx.bump)?,
    };
    let occlusion_texture = texture(&pbr.ambient_occlusion)?;
    // Roughness and metalness in one image are taken to lie as in glTF; two images cannot be kept.
    let packed = shared(&pbr.roughness, &pbr.metalness);
    let metallic_roughness_texture = if packed { texture(&pbr.roughness)? } else { None };
    for (map, what) in [(&pbr.roughness, "roughness"), (&pbr.metalness, "metalness")] {
        if !packed && enabled(map).is_some() {
            let message = format!("the {what} texture of material \"{}\"", short(&material.element.name));
            scene.warn("texture_not_kept", format!("{message} is an image of its own, which glTF has not"));
        }
    }
    let ours = is_ours(material);
    let opacity =
        if ours { 1.0 - scalar(&material.fbx.transparency_factor, 0.0) } else { scalar(&pbr.opacity, 1.0) };
    let see_through = enabled(&pbr.opacity).is_some();
    let (alpha, opacity) = alpha(material, opacity, see_through);
    let factor = scalar(&pbr.base_factor, 1.0);
    let [r, g, b] = match &base_color_texture {
        // Programs disagree whether the colour counts beside a texture; black ones would hide it.
        Some(_) if !ours => [1.0; 3],
        _ => color(&pbr.base_color, [0.8; 3]).map(|x| (x * factor).clamp(0.0, 1.0)),
    };
    let glow = scalar(&pbr.emission_factor, 1.0);
    let emissive = match (&emissive_texture, color(&pbr.emission_color, [0.0; 3])) {
        (Some(_), [0.0, 0.0, 0.0]) => [1.0; 3],
        (_, color) => color.map(|x| (x * glow).clamp(0.0, 1.0)),
    };
    let [metallic, roughness] = match metallic_roughness_texture {
        Some(_) => [1.0; 2],
        // Our writer keeps the metalness where Blender does.
        None if ours => [scalar(&material.fbx.reflection_factor, 0.0), scalar(&pbr.roughness, 0.9)],
        None => [scalar(&pbr.metalness, 0.0), scalar(&pbr.roughness, 0.9)],
    };
    let [metallic, roughness] = [metallic, roughness].map(|x| x.clamp(0.0, 1.0));
    Ok(Material {
        name: material.element.name.to_string(),
        base_color: [r, g, b, opacity],
        base_color_texture,
        metallic,
        roughness,
        metallic_roughness_texture,
        normal_texture: normal_texture.map(|t| (t, 1.0)),
        occlusion_texture: occlusion_texture.map(|t| (t, 1.0)),
        emissive,
        emissive_texture,
        alpha,
        double_sided: material.features.double_sided.enabled,
        ..Material::default()
    })
}

/// True for a material that we wrote: its properties of the user say what Phong cannot.
fn is_ours(material: &ufbx::Material) -> bool {
    ufbx::find_prop(&material.element.props, "alphaMode").is_some()
}

/// How alpha is meant, and the opacity that goes with it.
fn alpha(material: &ufbx::Material, opacity: f32, see_through: bool) -> (Alpha, f32) {
    let opacity = opacity.clamp(0.0, 1.0);
    if let Some(mode) = ufbx::find_prop(&material.element.props, "alphaMode") {
        let cutoff = ufbx::find_prop(&material.element.props, "alphaCutoff");
        let cutoff = cutoff.map_or(0.5, |c| single(c.value_vec4.x));
        return match &*mode.value_str {
            "MASK" => (Alpha::Mask(cutoff), opacity),
            "BLEND" => (Alpha::Blend, opacity),
            _ => (Alpha::Opaque, opacity),
        };
    }
    // Wholly invisible means that the exporter counts the other way round.
    let opacity = if opacity == 0.0 { 1.0 } else { opacity };
    match (opacity < 1.0, see_through) {
        (true, _) => (Alpha::Blend, opacity),
        (false, true) => (Alpha::Mask(0.5), opacity),
        (false, false) => (Alpha::Opaque, opacity),
    }
}

/// The texture of a map that is in use.
fn enabled(map: &ufbx::MaterialMap) -> Option<&ufbx::Texture> {
    let texture = map.texture.as_ref().filter(|_| map.texture_enabled)?;
    // A layered texture counts as its first image.
    if texture.has_file { Some(texture) } else { texture.file_textures.into_iter().next() }
}

/// `KHR_texture_transform` of a texture that is scaled, turned or moved over its UVs.
///
/// FBX says scale, then rotation, then translation of UVs whose v points up: what 3ds Max calls tiling and offset, and
/// what three.js and Assimp read. glTF says the same of UVs whose v points down.
fn placed(texture: &ufbx::Texture) -> Option<serde_json::Value> {
    let m = &texture.texture_to_uv;
    let [a, b, c, d, x, y] = [m.m00, m.m01, m.m10, m.m11, m.m03, m.m13].map(single).map(f64::from);
    if !texture.has_uv_transform || ![a, b, c, d, x, y].iter().all(|v| v.is_finite()) {
        return None;
    }
    let width = libm::hypot(a, c);
    if width == 0.0 {
        return None;
    }
    let height = (a * d - b * c) / width;
    Some(serde_json::json!({
        "offset": [x + b, 1.0 - d - y],
        "rotation": libm::atan2(c, a),
        "scale": [width, height],
    }))
}

fn shared(a: &ufbx::MaterialMap, b: &ufbx::MaterialMap) -> bool {
    match (enabled(a), enabled(b)) {
        (Some(a), Some(b)) => a.file_index == b.file_index,
        _ => false,
    }
}

fn scalar(map: &ufbx::MaterialMap, default: f32) -> f32 {
    let value = if map.has_value { single(map.value_vec4.x) } else { default };
    if value.is_finite() { value } else { default }
}

fn color(map: &ufbx::MaterialMap, default: [f32; 3]) -> [f32; 3] {
    let value = &map.value_vec4;
    let value = if map.has_value { [value.x, value.y, value.z].map(single) } else { default };
    if value.iter().all(|x| x.is_finite()) { value } else { default }
}

/// Images read so far, each once.
struct Pictures<'a> {
    resolver: &'a Resolver<'a>,
    meter: Meter<'a>,
    known: BTreeMap<u32, Option<usize>>,
}

impl Pictures<'_> {
    fn reference(
        &mut self,
        map: &ufbx::MaterialMap,
        sets: &[&str],
        scene: &mut Scene,
    ) -> Result<Option<TextureRef>> {
        let Some(texture) = enabled(map) else { return Ok(None) };
        let index = match self.known.get(&texture.file_index) {
            Some(index) => *index,
            None => {
                let index = self.load(texture, scene)?;
                self.known.insert(texture.file_index, index);
                index
            }
        };
        let wanted: &str = &texture.uv_set;
        let set = sets.iter().position(|set| *set == wanted).unwrap_or(0);
        let uv_set = u32::try_from(set).unwrap_or(0);
        let extensions =
            placed(texture).map(|t| ("KHR_texture_transform".to_owned(), t)).into_iter().collect();
        if let Some(map) = map.texture.as_ref().filter(|map| map.layers.len() > 1) {
            let message =
                format!("texture \"{}\" has layers, of which the first is kept", short(&map.element.name));
            scene.warn("texture_not_kept", message);
        }
        let used = "KHR_texture_transform".to_owned();
        if texture.has_uv_transform && !scene.extensions_used.contains(&used) {
            scene.extensions_used.push(used);
        }
        Ok(index.map(|texture| TextureRef { texture, uv_set, extensions }))
    }

    fn load(&mut self, texture: &ufbx::Texture, scene: &mut Scene) -> Result<Option<usize>> {
        let path: &str =
            if texture.relative_filename.is_empty() { &texture.filename } else { &texture.relative_filename };
        let bytes = if texture.content.is_empty() {
            match self.fetch(path) {
                Ok(bytes) => bytes,
                Err(error) if error.code == Code::MissingResource => {
                    scene.warn("missing_resource", error.message);
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        } else {
            texture.content.to_vec()
        };
        add_texture(scene, &mut self.meter, path, bytes)
    }

    /// A file beside the model: where the model says, else, as programs write the paths of the machine they ran on, one
    /// of its name beside the model or in a folder of textures.
    fn fetch(&self, path: &str) -> Result<Vec<u8>> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let others = [name.to_owned(), format!("textures/{name}"), format!("Textures/{name}")];
        let first = self.resolver.fetch_path(path);
        others.iter().fold(first, |found, other| match found {
            Err(error) if error.code == Code::MissingResource && !name.is_empty() => {
                self.resolver.fetch_path(other).map_err(|_| error)
            }
            found => found,
        })
    }
}
