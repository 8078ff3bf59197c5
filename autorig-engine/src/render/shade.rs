//! What colour a place on the surface has: glTF's metallic-roughness model under the studio's light.

use glam::{Mat3, Vec2, Vec3, Vec4};

use super::{
    camera::Camera,
    light::Studio,
    raster::{Face, Place},
    stage::{Stage, Vertices},
    surface::{Map, Surface},
};
use crate::scene::Alpha;

/// Reflectance of dielectrics seen head-on.
const DIELECTRIC: f32 = 0.04;
/// Smoother than this is drawn as this: a mirror would show the studio's formulas.
const SMOOTHEST: f32 = 0.12;

/// Answers colours.
pub(super) struct Shader<'a> {
    pub(super) stage: &'a Stage<'a>,
    pub(super) vertices: &'a Vertices,
    pub(super) camera: &'a Camera,
    pub(super) studio: &'a Studio,
    /// Linear colours of the vertices that replace the materials', for pictures that explain.
    pub(super) paint: Option<&'a [Vec3]>,
}

/// What a texture lookup needs to know of a place.
struct Spot {
    uvs: [Vec2; 2],
    /// Area in UV space over area in the picture, for each set.
    density: [f32; 2],
}

impl Shader<'_> {
    /// How the surface's alpha is meant; painted surfaces are opaque.
    pub(super) fn alpha_of(&self, surface: u32) -> Alpha {
        if self.paint.is_some() { Alpha::Opaque } else { self.stage.library.surfaces[surface as usize].alpha }
    }

    /// The alpha of a place.
    pub(super) fn alpha(&self, face: &Face, place: &Place) -> f32 {
        let surface = self.surface(face);
        let spot = self.spot(face, place);
        self.base(surface, face, place, &spot).w
    }

    /// The linear colour of a place as it goes to the display, 0 to 1, alpha apart.
    pub(super) fn colour(&self, face: &Face, place: &Place) -> Vec4 {
        let surface = self.surface(face);
        let spot = self.spot(face, place);
        if let Some(paint) = self.paint {
            let base = mix(place, face.vertices.map(|v| paint[v]));
            let matt = Surface { roughness: 0.85, ..Surface::default() };
            return tone_mapped(self.lit(&matt, base, face, place, &spot)).extend(1.0);
        }
        let base = self.base(surface, face, place, &spot);
        let alpha = if surface.alpha == Alpha::Opaque { 1.0 } else { base.w.clamp(0.0, 1.0) };
        if surface.unlit {
            return base.truncate().clamp(Vec3::ZERO, Vec3::ONE).extend(alpha);
        }
        let mut light = self.lit(surface, base.truncate(), face, place, &spot);
        if surface.emissive != Vec3::ZERO {
            let map = self.read(surface.emissive_map, &spot);
            light += surface.emissive * map.truncate();
        }
        tone_mapped(light).extend(alpha)
    }

    fn surface(&self, face: &Face) -> &Surface {
        &self.stage.library.surfaces[self.stage.surface_of[face.triangle as usize] as usize]
    }

    fn spot(&self, face: &Face, place: &Place) -> Spot {
        let mut spot = Spot { uvs: [Vec2::ZERO; 2], density: [0.0; 2] };
        for (set, uvs) in self.stage.uvs.iter().enumerate().filter(|(_, uvs)| !uvs.is_empty()) {
            let [a, b, c] = face.vertices.map(|v| uvs[v]);
            let w = place.weights;
            spot.uvs[set] = a * w[0] + b * w[1] + c * w[2];
            spot.density[set] = (b - a).perp_dot(c - a).abs() / face.pixels();
        }
        spot
    }

    fn read(&self, map: Option<Map>, spot: &Spot) -> Vec4 {
        let Some(map) = map else { return Vec4::ONE };
        let textures = &self.stage.library.textures;
        let texels = map.density(textures) * spot.density[map.uv_set];
        let lod = if texels > 1.0 { 0.5 * libm::log2f(texels) } else { 0.0 };
        map.sample(textures, spot.uvs[map.uv_set], lod)
    }

    fn base(&self, surface: &Surface, face: &Face, place: &Place, spot: &Spot) -> Vec4 {
        let mut base = surface.base;
        if surface.base_map.is_some() {
            base *= self.read(surface.base_map, spot);
        }
        if !self.stage.colors.is_empty() {
            base *= mix(place, face.vertices.map(|v| self.stage.colors[v]));
        }
        base
    }

    fn lit(&self, surface: &Surface, base: Vec3, face: &Face, place: &Place, spot: &Spot) -> Vec3 {
        let positions = face.vertices.map(|v| self.vertices.positions[v]);
        let view = (self.camera.eye - mix(place, positions)).normalize_or(Vec3::Z);
        let normal = self.normal(surface, face, place, spot, positions);
        let (mut metallic, mut roughness, mut occlusion) = (surface.metallic, surface.roughness, 1.0);
        if surface.metallic_roughness_map.is_some() {
            let map = self.read(surface.metallic_roughness_map, spot);
            (metallic, roughness) = (metallic * map.z, roughness * map.y);
        }
        if let Some((map, strength)) = surface.occlusion_map {
            occlusion = 1.0 + strength * (self.read(Some(map), spot).x - 1.0);
        }
        let (metallic, roughness) = (metallic.clamp(0.0, 1.0), roughness.clamp(SMOOTHEST, 1.0));
        let base = base.max(Vec3::ZERO);
        let reflectance = Vec3::splat(DIELECTRIC).lerp(base, metallic);
        let cosine = normal.dot(view).clamp(0.02, 1.0);
        let mirrored = (normal * (2.0 * normal.dot(view)) - view).normalize_or(normal);
        let specular = self.studio.specular(mirrored, roughness * roughness)
            * environment_brdf(reflectance, roughness, cosine);
        let diffuse = self.studio.diffuse(normal) * base * (1.0 - metallic) * (1.0 - DIELECTRIC);
        (diffuse + specular) * occlusion.clamp(0.0, 1.0)
    }

    /// The unit normal on the side that is seen, bent by the normal map.
    fn normal(&self, surface: &Surface, face: &Face, place: &Place, spot: &Spot, p: [Vec3; 3]) -> Vec3 {
        // The corners of a front are in clockwise order here.
        let flat = (p[2] - p[0]).cross(p[1] - p[0]).normalize_or(Vec3::Z);
        let smooth = mix(place, face.vertices.map(|v| self.vertices.normals[v]));
        let back = if face.front { 1.0 } else { -1.0 };
        // Without the file's own normals the flat one, which looks towards the camera already.
        let normal = if smooth.length_squared() > 1e-6 { smooth.normalize() * back } else { flat };
        let Some((map, scale)) = surface.normal_map.filter(|_| self.paint.is_none()) else { return normal };
        let Some(tangent) = self.tangent(face, place, p, map.uv_set) else { return normal };
        let texel = self.read(Some(map), spot).truncate() * 2.0 - 1.0;
        let along = tangent.truncate().reject_from_normalized(normal).normalize_or_zero();
        if along == Vec3::ZERO {
            return normal;
        }
        let across = normal.cross(along) * tangent.w * back;
        let frame = Mat3::from_cols(along, across, normal);
        (frame * Vec3::new(texel.x * scale, texel.y * scale, texel.z.max(0.05))).normalize_or(normal)
    }

    /// The direction in which u grows, and on which side v does: the file's own, or the triangle's.
    fn tangent(&self, face: &Face, place: &Place, p: [Vec3; 3], uv_set: usize) -> Option<Vec4> {
        if !self.vertices.tangents.is_empty() {
            let tangent = mix(place, face.vertices.map(|v| self.vertices.tangents[v]));
            if tangent.truncate().length_squared() > 1e-6 {
                return Some(tangent.truncate().extend(if tangent.w < 0.0 { -1.0 } else { 1.0 }));
            }
        }
        let uvs = self.stage.uvs.get(uv_set).filter(|uvs| !uvs.is_empty())?;
        let [a, b, c] = face.vertices.map(|v| uvs[v]);
        let (e1, e2, d1, d2) = (p[1] - p[0], p[2] - p[0], b - a, c - a);
        let area = d1.perp_dot(d2);
        if area == 0.0 {
            return None;
        }
        // v of glTF runs down the texture while +Y of its normal maps points up it.
        let tangent = (e1 * d2.y - e2 * d1.y) / area;
        let upwards = (e2 * d1.x - e1 * d2.x) / -area;
        let outwards = (p[2] - p[0]).cross(p[1] - p[0]) * if face.front { 1.0 } else { -1.0 };
        let side = if outwards.cross(tangent).dot(upwards) < 0.0 { -1.0 } else { 1.0 };
        Some(tangent.normalize_or_zero().extend(side))
    }
}

/// The mean of the corners' values at a place.
fn mix<T: Copy + std::ops::Mul<f32, Output = T> + std::ops::Add<Output = T>>(place: &Place, v: [T; 3]) -> T {
    let w = place.weights;
    v[0] * w[0] + v[1] * w[1] + v[2] * w[2]
}

/// How much of the environment a surface mirrors: the second half of the split sum, fitted (Karis 2014, "Physically Based
/// Shading on Mobile").
fn environment_brdf(reflectance: Vec3, roughness: f32, cosine: f32) -> Vec3 {
    let r = Vec4::new(-1.0, -0.0275, -0.572, 0.022) * roughness + Vec4::new(1.0, 0.0425, 1.04, -0.04);
    let a = (r.x * r.x).min(libm::exp2f(-9.28 * cosine)) * r.x + r.y;
    reflectance * (r.z - 1.04 * a) + (r.w + 1.04 * a).max(0.0)
}

/// Light to a display's range, base colours kept as they are (Khronos PBR Neutral tone mapper, 2024).
fn tone_mapped(light: Vec3) -> Vec3 {
    const START: f32 = 0.8 - 0.04;
    const DESATURATION: f32 = 0.15;
    let light = light.max(Vec3::ZERO);
    let least = light.min_element();
    let offset = if least < 0.08 { least - 6.25 * least * least } else { 0.04 };
    let light = light - offset;
    let peak = light.max_element();
    if peak < START {
        return light;
    }
    let rest = 1.0 - START;
    let compressed = 1.0 - rest * rest / (peak + rest - START);
    let faded = 1.0 - 1.0 / (DESATURATION * (peak - compressed) + 1.0);
    (light * (compressed / peak)).lerp(Vec3::splat(compressed), faded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tone_map_keeps_order_and_stays_in_range() {
        let mut last = -1.0;
        for step in 0..200 {
            let v = tone_mapped(Vec3::splat(step as f32 * 0.1));
            assert!(v.x > last || v.x > 0.999, "{step}");
            assert!((0.0..=1.0).contains(&v.x));
            last = v.x;
        }
    }

    #[test]
    fn a_surface_never_mirrors_more_than_arrives() {
        for roughness in [0.1, 0.5, 1.0] {
            for cosine in [0.02, 0.3, 1.0] {
                let white = environment_brdf(Vec3::ONE, roughness, cosine);
                assert!(
                    white.max_element() <= 1.05 && white.min_element() > 0.2,
                    "{roughness} {cosine} {white}"
                );
            }
        }
    }
}
