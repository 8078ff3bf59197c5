//! Surfaces to scenes: normals, UVs, colours, materials, nodes.

use glam::{DMat4, DVec3};
use serde_json::json;

use super::polygonise::Surface;
use crate::scene::{Format, Image, Material, Mesh, Node, Primitive, Scene, Texture, TextureRef};

/// A scene that grows node by node under one root.
pub(super) struct Builder {
    scene: Scene,
}

impl Builder {
    /// A scene with a root node of this name.
    pub(super) fn new(name: &str) -> Self {
        let root = Node { name: name.to_owned(), local: DMat4::IDENTITY, ..Node::default() };
        let scene =
            Scene { format: Format::Generated, nodes: vec![root], roots: vec![0], ..Scene::default() };
        Self { scene }
    }

    /// A PNG texture; gives its index.
    pub(super) fn texture(&mut self, name: &str, png: Vec<u8>) -> usize {
        let scene = &mut self.scene;
        scene.images.push(Image { name: name.to_owned(), mime: "image/png".to_owned(), bytes: png });
        // Linear filters, clamped at the edges: the values are OpenGL's, as glTF has them.
        scene.samplers.push(json!({ "magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071 }));
        scene.textures.push(Texture {
            name: name.to_owned(),
            image: Some(scene.images.len() - 1),
            sampler: Some(scene.samplers.len() - 1),
            ..Texture::default()
        });
        scene.textures.len() - 1
    }

    /// A material from an sRGB colour; gives its index.
    pub(super) fn material(&mut self, name: &str, srgb: [u8; 3], metallic: f32, roughness: f32) -> usize {
        let [r, g, b] = srgb.map(linear);
        let material = Material {
            name: name.to_owned(),
            base_color: [r, g, b, 1.0],
            metallic,
            roughness,
            ..Material::default()
        };
        self.scene.materials.push(material);
        self.scene.materials.len() - 1
    }

    /// A white material with a base colour texture; gives its index.
    pub(super) fn textured(&mut self, name: &str, texture: usize, roughness: f32) -> usize {
        let index = self.material(name, [255; 3], 0.0, roughness);
        let reference = TextureRef { texture, ..TextureRef::default() };
        self.scene.materials[index].base_color_texture = Some(reference);
        index
    }

    /// A node with a mesh under the root. The mesh is given in canonical space and kept about `origin`,
    /// where the node goes.
    pub(super) fn node(&mut self, name: &str, origin: DVec3, mut primitives: Vec<Primitive>) {
        for primitive in &mut primitives {
            for p in &mut primitive.positions {
                *p = std::array::from_fn(|i| (f64::from(p[i]) - origin[i]) as f32);
            }
        }
        self.placed(name, DMat4::from_translation(origin), primitives);
    }

    /// A node with a mesh given in the node's own frame.
    pub(super) fn placed(&mut self, name: &str, local: DMat4, primitives: Vec<Primitive>) {
        let scene = &mut self.scene;
        scene.meshes.push(Mesh { name: name.to_owned(), primitives, ..Mesh::default() });
        let mesh = Some(scene.meshes.len() - 1);
        scene.nodes.push(Node { name: name.to_owned(), local, mesh, ..Node::default() });
        let child = scene.nodes.len() - 1;
        scene.nodes[0].children.push(child);
    }

    /// The finished scene.
    pub(super) fn finish(self) -> Scene {
        self.scene
    }
}

/// An sRGB channel as linear light.
pub(super) fn linear(channel: u8) -> f32 {
    let c = f64::from(channel) / 255.0;
    (if c <= 0.04045 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) }) as f32
}

/// A surface as a primitive with smooth normals and the given UVs.
pub(super) fn primitive(surface: &Surface, material: usize, uv: impl Fn(DVec3) -> [f64; 2]) -> Primitive {
    Primitive {
        positions: surface.positions.iter().map(|p| p.as_vec3().to_array()).collect(),
        normals: Some(normals(surface)),
        uvs: vec![surface.positions.iter().map(|p| uv(*p).map(|c| c as f32)).collect()],
        indices: surface.triangles.iter().flatten().copied().collect(),
        material: Some(material),
        ..Primitive::default()
    }
}

/// Vertex normals: means of the faces around, weighted by area.
fn normals(surface: &Surface) -> Vec<[f32; 3]> {
    let mut sums = vec![DVec3::ZERO; surface.positions.len()];
    for corners in &surface.triangles {
        let [p, q, r] = corners.map(|i| surface.positions[i as usize]);
        let cross = (q - p).cross(r - p);
        for &i in corners {
            sums[i as usize] += cross;
        }
    }
    sums.iter().map(|sum| sum.normalize_or(DVec3::Y).as_vec3().to_array()).collect()
}
