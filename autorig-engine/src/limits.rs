//! What the engine accepts at most. Every limit has an error code of its own.

use serde::{Deserialize, Serialize};

/// Upper bounds for hostile or careless inputs; `spec.md` §2 "Limits" has the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of the file and of everything it refers to, together.
    pub file_bytes: u64,
    /// Triangles over all meshes, instances counted each time.
    pub triangles: u64,
    /// Nodes of the scene.
    pub nodes: u32,
    /// Meshes of the scene, instances counted each time.
    pub meshes: u32,
    /// Pixels along one side of a texture.
    pub texture_side: u32,
    /// Bytes of all textures decoded to RGBA8.
    pub texture_bytes: u64,
    /// Bytes of all vertex attributes, indices and encoded images once read; guards against small
    /// files that unfold into much.
    pub decoded_bytes: u64,
    /// Bytes an archive may unfold into.
    pub archive_bytes: u64,
    /// How many times its own size an archive may unfold into; the first 16 MB are free.
    pub archive_ratio: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 256 << 20,
            triangles: 5_000_000,
            nodes: 10_000,
            meshes: 1_000,
            texture_side: 8192,
            texture_bytes: 256 << 20,
            decoded_bytes: 2 << 30,
            archive_bytes: 1 << 30,
            archive_ratio: 100,
        }
    }
}
