//! Materials as the shader takes them, with their textures decoded once.

use std::collections::BTreeMap;

use glam::{Mat2, Vec2, Vec3, Vec4};
use rayon::prelude::*;
use serde_json::Value;

use super::texture::{Space, Texture, Wrap};
use crate::scene::{Alpha, Material, Scene, TextureRef};

/// A material with its maps. Colours are linear.
#[derive(Debug, Clone)]
pub(super) struct Surface {
    pub(super) base: Vec4,
    pub(super) base_map: Option<Map>,
    pub(super) metallic: f32,
    pub(super) roughness: f32,
    pub(super) metallic_roughness_map: Option<Map>,
    pub(super) normal_map: Option<(Map, f32)>,
    pub(super) occlusion_map: Option<(Map, f32)>,
    pub(super) emissive: Vec3,
    pub(super) emissive_map: Option<Map>,
    pub(super) alpha: Alpha,
    pub(super) double_sided: bool,
    pub(super) unlit: bool,
}

/// A use of a texture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Map {
    /// Index into [`Library::textures`].
    pub(super) texture: usize,
    /// 0 or 1; others are not drawn.
    pub(super) uv_set: usize,
    wrap: (Wrap, Wrap),
    nearest: bool,
    turn: Mat2,
    offset: Vec2,
}

/// Decoded textures and the surfaces that refer to them.
pub(super) struct Library {
    pub(super) textures: Vec<Texture>,
    pub(super) surfaces: Vec<Surface>,
}

impl Default for Surface {
    /// What a primitive without a material is drawn with: glTF's default is a rough white metal, viewers show clay.
    fn default() -> Self {
        Self {
            base: Vec4::new(0.46, 0.48, 0.50, 1.0),
            base_map: None,
            metallic: 0.0,
            roughness: 0.7,
            metallic_roughness_map: None,
            normal_map: None,
            occlusion_map: None,
            emissive: Vec3::ZERO,
            emissive_map: None,
            alpha: Alpha::Opaque,
            double_sided: false,
            unlit: false,
        }
    }
}

impl Map {
    /// The texture's value for a pair of coordinates.
    pub(super) fn sample(&self, textures: &[Texture], uv: Vec2, lod: f32) -> Vec4 {
        let uv = self.turn * uv + self.offset;
        textures.get(self.texture).map_or(Vec4::ONE, |t| t.sample(uv, self.wrap, lod, self.nearest))
    }

    /// Texels per unit of the UV square's area, for choosing a level.
    pub(super) fn density(&self, textures: &[Texture]) -> f32 {
        let size = textures.get(self.texture).map_or(Vec2::ONE, Texture::size);
        size.x * size.y * self.turn.determinant().abs()
    }
}

impl Library {
    /// The surfaces of a scene's materials in their order, and one more for primitives without any.
    pub(super) fn new(scene: &Scene) -> Self {
        let mut gatherer = Gatherer { scene, wanted: BTreeMap::new() };
        let mut surfaces: Vec<Surface> = scene.materials.iter().map(|m| gatherer.surface(m)).collect();
        surfaces.push(Surface::default());
        let mut wanted: Vec<((usize, Space), usize)> = gatherer.wanted.into_iter().collect();
        wanted.sort_by_key(|(_, slot)| *slot);
        let decoded: Vec<Option<Texture>> = wanted
            .par_iter()
            .map(|((image, space), _)| scene.images.get(*image).and_then(|i| Texture::decode(i, *space)))
            .collect();
        let broken: Vec<bool> = decoded.iter().map(Option::is_none).collect();
        for surface in &mut surfaces {
            surface.forget(&broken);
        }
        let white = || Texture::white();
        Self { textures: decoded.into_iter().map(|t| t.unwrap_or_else(white)).collect(), surfaces }
    }
}

impl Surface {
    /// Drops the maps whose textures could not be decoded, so that the factors alone are drawn.
    fn forget(&mut self, broken: &[bool]) {
        let gone = |map: &Map| broken.get(map.texture).copied().unwrap_or(true);
        for map in [&mut self.base_map, &mut self.metallic_roughness_map, &mut self.emissive_map] {
            map.take_if(|m| gone(m));
        }
        for map in [&mut self.normal_map, &mut self.occlusion_map] {
            map.take_if(|(m, _)| gone(m));
        }
    }

    /// Every map of the surface.
    pub(super) fn maps(&self) -> impl Iterator<Item = Map> {
        let plain = [self.base_map, self.metallic_roughness_map, self.emissive_map];
        let scaled = [self.normal_map, self.occlusion_map].map(|m| m.map(|(m, _)| m));
        plain.into_iter().chain(scaled).flatten()
    }
}

/// Notes which images are wanted and for what, so that each is decoded once.
struct Gatherer<'a> {
    scene: &'a Scene,
    wanted: BTreeMap<(usize, Space), usize>,
}

impl Gatherer<'_> {
    fn surface(&mut self, material: &Material) -> Surface {
        let mut surface = Surface {
            base: Vec4::from(material.base_color),
            base_map: self.map(material.base_color_texture.as_ref(), Space::Srgb),
            metallic: material.metallic,
            roughness: material.roughness,
            metallic_roughness_map: self.map(material.metallic_roughness_texture.as_ref(), Space::Linear),
            normal_map: self.scaled(material.normal_texture.as_ref()),
            occlusion_map: self.scaled(material.occlusion_texture.as_ref()),
            emissive: Vec3::from(material.emissive) * emissive_strength(material),
            emissive_map: self.map(material.emissive_texture.as_ref(), Space::Srgb),
            alpha: material.alpha,
            double_sided: material.double_sided,
            unlit: material.extensions.contains_key("KHR_materials_unlit"),
        };
        if let Some(old) = material.extensions.get("KHR_materials_pbrSpecularGlossiness") {
            self.specular_glossiness(old, &mut surface);
        }
        surface
    }

    /// The older workflow: its diffuse part is drawn as a dielectric.
    fn specular_glossiness(&mut self, old: &Value, surface: &mut Surface) {
        let numbers = |key: &str| old.get(key).and_then(Value::as_array);
        if let Some(factor) = numbers("diffuseFactor").filter(|f| f.len() == 4) {
            surface.base = Vec4::from_slice(&factor.iter().map(number).collect::<Vec<f32>>());
        }
        let glossiness = old.get("glossinessFactor").map_or(1.0, number);
        (surface.metallic, surface.roughness) = (0.0, (1.0 - glossiness).clamp(0.3, 1.0));
        surface.metallic_roughness_map = None;
        if let Some(index) = old.pointer("/diffuseTexture/index").and_then(Value::as_u64) {
            let uv_set = old.pointer("/diffuseTexture/texCoord").and_then(Value::as_u64).unwrap_or(0);
            let texture = usize::try_from(index).unwrap_or(usize::MAX);
            let reference =
                TextureRef { texture, uv_set: u32::try_from(uv_set).unwrap_or(0), ..TextureRef::default() };
            surface.base_map = self.map(Some(&reference), Space::Srgb);
        }
    }

    fn scaled(&mut self, texture: Option<&(TextureRef, f32)>) -> Option<(Map, f32)> {
        let (reference, scale) = texture?;
        Some((self.map(Some(reference), Space::Linear)?, *scale))
    }

    fn map(&mut self, reference: Option<&TextureRef>, space: Space) -> Option<Map> {
        let reference = reference?;
        let texture = self.scene.textures.get(reference.texture)?;
        let webp = texture.extensions.get("EXT_texture_webp").and_then(|e| e.get("source"));
        let webp = webp.and_then(Value::as_u64).and_then(|i| usize::try_from(i).ok());
        let image = webp.or(texture.image)?;
        let sampler = texture.sampler.and_then(|s| self.scene.samplers.get(s));
        let code = |key: &str| sampler.and_then(|s| s.get(key)).and_then(Value::as_u64);
        let transform = reference.extensions.get("KHR_texture_transform");
        let (turn, offset) = transform.map_or((Mat2::IDENTITY, Vec2::ZERO), placed);
        let other_set = transform.and_then(|t| t.get("texCoord")).and_then(Value::as_u64);
        let uv_set = other_set.map_or(reference.uv_set as usize, |s| s as usize);
        if uv_set > 1 {
            return None;
        }
        let slot = self.wanted.len();
        let slot = *self.wanted.entry((image, space)).or_insert(slot);
        Some(Map {
            texture: slot,
            uv_set,
            wrap: (Wrap::of(code("wrapS")), Wrap::of(code("wrapT"))),
            nearest: code("magFilter") == Some(9728),
            turn,
            offset,
        })
    }
}

/// `KHR_texture_transform`: offset · rotation · scale.
fn placed(transform: &Value) -> (Mat2, Vec2) {
    let pair = |key: &str, other: Vec2| {
        let values = transform.get(key).and_then(Value::as_array).filter(|v| v.len() == 2);
        values.map_or(other, |v| Vec2::new(number(&v[0]), number(&v[1])))
    };
    let angle = transform.get("rotation").map_or(0.0, number);
    let (sine, cosine) = (libm::sinf(angle), libm::cosf(angle));
    let rotation = Mat2::from_cols(Vec2::new(cosine, -sine), Vec2::new(sine, cosine));
    (rotation * Mat2::from_diagonal(pair("scale", Vec2::ONE)), pair("offset", Vec2::ZERO))
}

fn emissive_strength(material: &Material) -> f32 {
    let strength = material.extensions.get("KHR_materials_emissive_strength");
    // Beyond ten everything is white; a wild number must not reach the sums.
    strength.and_then(|e| e.get("emissiveStrength")).map_or(1.0, number).clamp(0.0, 10.0)
}

fn number(value: &Value) -> f32 {
    value.as_f64().map_or(0.0, |v| v as f32)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_texture_transform_scales_turns_and_moves_in_this_order() {
        let (turn, offset) = placed(&json!({
            "offset": [0.5, 0.25], "rotation": std::f32::consts::FRAC_PI_2, "scale": [2.0, 1.0],
        }));
        let at = turn * Vec2::new(0.25, 0.0) + offset;
        assert!(at.distance(Vec2::new(0.5, -0.25)) < 1e-6, "{at}");
    }

    #[test]
    fn a_material_whose_image_is_broken_keeps_its_factors() {
        let mut scene = Scene::default();
        scene.images.push(crate::scene::Image::default());
        scene.textures.push(crate::scene::Texture { image: Some(0), ..Default::default() });
        scene.materials.push(Material {
            base_color: [0.5, 0.0, 0.0, 1.0],
            base_color_texture: Some(TextureRef::default()),
            ..Material::default()
        });
        let library = Library::new(&scene);
        assert!(library.surfaces[0].base_map.is_none());
        assert_eq!(library.surfaces[0].base.x, 0.5);
        assert_eq!(library.surfaces.len(), 2);
    }

    #[test]
    fn references_to_nothing_are_no_maps() {
        let scene = Scene {
            materials: vec![Material {
                base_color_texture: Some(TextureRef { texture: 7, ..TextureRef::default() }),
                ..Material::default()
            }],
            ..Scene::default()
        };
        assert!(Library::new(&scene).surfaces[0].base_map.is_none());
    }
}
