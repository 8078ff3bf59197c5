//! What readers fill and writers read: flat arrays and indices.
//!
//! Everything is in the file's own frame and unit. Matrices are column-major for column vectors
//! (`glam::DMat4`), as in glTF. Vertex order and triangle order are the file's.

#![deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)]

use glam::{DMat4, DVec3};
use serde_json::{Map, Value};

mod clip;
mod flatten;
mod influences;
mod normals;
mod pose;

pub use clip::{Channel, ChannelValues, NodeClip};
pub(crate) use flatten::transform;
pub use influences::Influences;
pub(crate) use normals::{unit_or, vertex_normals};
pub(crate) use pose::transform_each;

/// A file's contents.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    /// The format it was read from.
    pub format: Format,
    /// Nodes; parents and children by index.
    pub nodes: Vec<Node>,
    /// Top-level nodes in order.
    pub roots: Vec<usize>,
    /// Meshes, referred to by nodes.
    pub meshes: Vec<Mesh>,
    /// Materials, referred to by primitives.
    pub materials: Vec<Material>,
    /// Textures, referred to by materials; kept in the file's order because raw material
    /// extensions refer to them by index.
    pub textures: Vec<Texture>,
    /// Images, referred to by textures, still encoded.
    pub images: Vec<Image>,
    /// Samplers, referred to by textures, as raw glTF JSON.
    pub samplers: Vec<Value>,
    /// Skins of the input; the output's skin is in [`crate::Rig`].
    pub skins: Vec<Skin>,
    /// Animations of the input's nodes; a rig's own motion is in [`crate::Rig::clips`].
    pub clips: Vec<NodeClip>,
    /// glTF extensions the file uses, whose raw JSON is carried in materials and textures.
    pub extensions_used: Vec<String>,
    /// Those of them that a reader must know to read the file.
    pub extensions_required: Vec<String>,
    /// Raw top-level extensions that other kept parts refer to (`KHR_materials_variants`).
    pub extensions: Map<String, Value>,
    /// Who holds the rights, as the file says.
    pub copyright: Option<String>,
    /// What was repaired or dropped while reading.
    pub warnings: Vec<Warning>,
}

/// Formats the engine reads.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// glTF binary.
    #[default]
    Glb,
    /// glTF JSON.
    Gltf,
    /// VRM, read as GLB.
    Vrm,
    /// Wavefront OBJ.
    Obj,
    /// Autodesk FBX, binary or ASCII.
    Fbx,
    /// Stereolithography, binary or ASCII: geometry alone.
    Stl,
    /// Stanford polygon file: geometry and colours.
    Ply,
    /// Made by [`crate::sample`] or by an embedding program.
    Generated,
}

/// One node of the hierarchy.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Its name, possibly empty.
    pub name: String,
    /// Node to parent.
    pub local: DMat4,
    /// Children in order.
    pub children: Vec<usize>,
    /// Index into [`Scene::meshes`].
    pub mesh: Option<usize>,
    /// Index into [`Scene::skins`].
    pub skin: Option<usize>,
    /// Weights of the mesh's morph targets in this place; empty where the mesh's own apply.
    pub morph_weights: Vec<f32>,
}

/// A mesh: primitives that share a name and a node.
#[derive(Debug, Clone, Default)]
pub struct Mesh {
    /// Its name, possibly empty.
    pub name: String,
    /// Its primitives in order.
    pub primitives: Vec<Primitive>,
    /// Names of the morph targets, as far as the file gives them.
    pub morph_names: Vec<String>,
    /// Default weights of the morph targets.
    pub morph_weights: Vec<f32>,
    /// Raw extras, without the names of the morph targets.
    pub extras: Option<Value>,
}

/// Triangles with one material. All attributes have one entry a vertex.
#[derive(Debug, Clone, Default)]
pub struct Primitive {
    /// Positions, N × 3.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals, N × 3.
    pub normals: Option<Vec<[f32; 3]>>,
    /// Unit tangents and handedness, N × 4.
    pub tangents: Option<Vec<[f32; 4]>>,
    /// UV sets, each N × 2, v pointing down as in glTF.
    pub uvs: Vec<Vec<[f32; 2]>>,
    /// Colour sets, each N × 4, linear RGBA.
    pub colors: Vec<Vec<[f32; 4]>>,
    /// Vertex indices, three a triangle, each < N.
    pub indices: Vec<u32>,
    /// Index into [`Scene::materials`].
    pub material: Option<usize>,
    /// Morph targets, the same number in each primitive of a mesh.
    pub morphs: Vec<Morph>,
    /// Skin influences of the input, indices into its skin's joints.
    pub influences: Option<Influences>,
    /// Raw extensions that refer to materials only (`KHR_materials_variants`).
    pub extensions: Map<String, Value>,
    /// Other attributes of the file (names beginning with `_`) are not kept; extras of the primitive are.
    pub extras: Option<Value>,
}

/// A morph target: differences to the base attributes.
#[derive(Debug, Clone, Default)]
pub struct Morph {
    /// Position differences, N × 3; empty when the target does not move positions.
    pub positions: Vec<[f32; 3]>,
    /// Normal differences, N × 3 or empty.
    pub normals: Vec<[f32; 3]>,
    /// Tangent differences, N × 3 or empty.
    pub tangents: Vec<[f32; 3]>,
}

/// A skin of the input.
#[derive(Debug, Clone, Default)]
pub struct Skin {
    /// Joint nodes.
    pub joints: Vec<usize>,
    /// Inverse bind matrices, one a joint; identities where the file gives none.
    pub inverse_bind: Vec<DMat4>,
}

/// A metallic-roughness material, with whatever else the file said kept as raw glTF JSON.
#[derive(Debug, Clone)]
pub struct Material {
    /// Its name, possibly empty.
    pub name: String,
    /// Linear RGBA factor.
    pub base_color: [f32; 4],
    /// Base colour texture (sRGB).
    pub base_color_texture: Option<TextureRef>,
    /// Metalness factor.
    pub metallic: f32,
    /// Roughness factor.
    pub roughness: f32,
    /// Roughness in green, metalness in blue.
    pub metallic_roughness_texture: Option<TextureRef>,
    /// Tangent-space normals; the number is the normal scale.
    pub normal_texture: Option<(TextureRef, f32)>,
    /// Occlusion in red; the number is its strength.
    pub occlusion_texture: Option<(TextureRef, f32)>,
    /// Linear emissive factor.
    pub emissive: [f32; 3],
    /// Emissive texture (sRGB).
    pub emissive_texture: Option<TextureRef>,
    /// How alpha is meant.
    pub alpha: Alpha,
    /// Both sides are seen.
    pub double_sided: bool,
    /// Raw extensions; texture indices inside refer to [`Scene::textures`].
    pub extensions: Map<String, Value>,
    /// Raw extras.
    pub extras: Option<Value>,
}

impl Default for Material {
    fn default() -> Self {
        Self {
            name: String::new(),
            base_color: [1.0; 4],
            base_color_texture: None,
            metallic: 1.0,
            roughness: 1.0,
            metallic_roughness_texture: None,
            normal_texture: None,
            occlusion_texture: None,
            emissive: [0.0; 3],
            emissive_texture: None,
            alpha: Alpha::Opaque,
            double_sided: false,
            extensions: Map::new(),
            extras: None,
        }
    }
}

/// How a material's alpha is meant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Alpha {
    /// Ignored.
    #[default]
    Opaque,
    /// Cut at the given value.
    Mask(f32),
    /// Blended.
    Blend,
}

/// A use of a texture.
#[derive(Debug, Clone, Default)]
pub struct TextureRef {
    /// Index into [`Scene::textures`].
    pub texture: usize,
    /// UV set.
    pub uv_set: u32,
    /// Raw extensions (`KHR_texture_transform`).
    pub extensions: Map<String, Value>,
}

/// An image with a sampler.
#[derive(Debug, Clone, Default)]
pub struct Texture {
    /// Its name, possibly empty.
    pub name: String,
    /// Index into [`Scene::images`]; absent when only an extension names one.
    pub image: Option<usize>,
    /// Index into [`Scene::samplers`].
    pub sampler: Option<usize>,
    /// Raw extensions (`EXT_texture_webp`, `KHR_texture_basisu`); image indices inside refer to [`Scene::images`].
    pub extensions: Map<String, Value>,
}

/// An encoded image.
#[derive(Debug, Clone, Default)]
pub struct Image {
    /// Its name, possibly empty.
    pub name: String,
    /// `image/png`, `image/jpeg`, `image/webp`, `image/ktx2`.
    pub mime: String,
    /// The encoded bytes, exactly as in the file.
    pub bytes: Vec<u8>,
}

/// Something that was repaired or dropped, for the report.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Warning {
    /// Stable code, `snake_case`.
    pub code: String,
    /// What happened, to which thing.
    pub message: String,
}

impl Scene {
    /// Adds a warning, the same one only once. Past a hundred nobody reads them, and a hostile file could ask for
    /// millions: one last warning says that there were more.
    pub fn warn(&mut self, code: &str, message: impl Into<String>) {
        const MOST: usize = 100;
        let mut warning = Warning { code: code.to_owned(), message: message.into() };
        if self.warnings.len() >= MOST {
            warning =
                Warning { code: "more_warnings".to_owned(), message: "there is more to say".to_owned() };
        }
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Number of vertices over all meshes, each counted once.
    pub fn vertex_count(&self) -> usize {
        self.meshes.iter().flat_map(|m| &m.primitives).map(|p| p.positions.len()).sum()
    }

    /// Number of triangles over all meshes, each counted once.
    pub fn triangle_count(&self) -> usize {
        self.meshes.iter().flat_map(|m| &m.primitives).map(|p| p.indices.len() / 3).sum()
    }

    /// Corners of the box around every vertex that a triangle uses, meshes taken in their own frames
    /// (after [`Scene::flatten`] that is world space). `None` without triangles.
    pub fn bounds(&self) -> Option<(DVec3, DVec3)> {
        let mut bounds: Option<(DVec3, DVec3)> = None;
        for primitive in self.meshes.iter().flat_map(|m| &m.primitives) {
            for &index in &primitive.indices {
                let Some(p) = primitive.positions.get(index as usize) else { continue };
                let p = DVec3::new(p[0].into(), p[1].into(), p[2].into());
                bounds = Some(bounds.map_or((p, p), |(lo, hi)| (lo.min(p), hi.max(p))));
            }
        }
        bounds
    }
}
