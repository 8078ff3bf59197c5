//! Corners of polygons to vertices.

use std::collections::HashMap;
use std::hash::Hash;

use super::number::{single, singles};
use crate::scene::Primitive;
use crate::{Code, Error, Result};

/// Some corners of a mesh as vertices.
pub(super) struct Vertices {
    /// The vertex of each corner.
    pub(super) indices: Vec<u32>,
    /// A corner for each vertex: the first of those that agree in everything.
    first: Vec<u32>,
    /// The control point of each vertex.
    pub(super) points: Vec<u32>,
}

impl Vertices {
    /// Joins corners that agree in place, normal, tangent, UVs and colours.
    pub(super) fn new(mesh: &ufbx::Mesh, corners: &[u32]) -> Result<Self> {
        let mut points = Vec::with_capacity(corners.len());
        for &corner in corners {
            let point = mesh.vertex_position.indices.get(corner as usize).copied();
            let point = point.filter(|p| (*p as usize) < mesh.vertex_position.values.len());
            points.push(point.ok_or_else(|| {
                let message = "a polygon of the FBX file refers to a vertex that does not exist";
                Error::new(Code::CorruptFile, message)
            })?);
        }
        let mut ids = numbered(points.iter().copied());
        let mut split = |of: &dyn Fn(u32) -> [u32; 4]| {
            ids = numbered(ids.iter().zip(corners).map(|(id, corner)| (*id, of(*corner))));
        };
        let bits = |v: [f32; 3]| {
            let [x, y, z] = v.map(f32::to_bits);
            [x, y, z, 0]
        };
        for attribute in [&mesh.vertex_normal, &mesh.vertex_tangent, &mesh.vertex_bitangent] {
            if attribute.exists {
                split(&|corner| bits(vec3(attribute, corner)));
            }
        }
        for set in &mesh.uv_sets {
            split(&|corner| {
                let [u, v] = vec2(&set.vertex_uv, corner).map(f32::to_bits);
                [u, v, 0, 0]
            });
        }
        for set in &mesh.color_sets {
            split(&|corner| vec4(&set.vertex_color, corner).map(f32::to_bits));
        }
        let (mut first, mut own) = (Vec::new(), Vec::new());
        for ((id, corner), point) in ids.iter().zip(corners).zip(&points) {
            if *id as usize == first.len() {
                first.push(*corner);
                own.push(*point);
            }
        }
        Ok(Self { indices: ids, first, points: own })
    }

    /// The attributes of the vertices and their triangles.
    pub(super) fn primitive(&self, mesh: &ufbx::Mesh, material: Option<usize>) -> Primitive {
        let each = |attribute: &ufbx::VertexVec3| -> Vec<[f32; 3]> {
            self.first.iter().map(|corner| vec3(attribute, *corner)).collect()
        };
        let normals = mesh.vertex_normal.exists.then(|| each(&mesh.vertex_normal));
        let whole = normals.is_some() && mesh.vertex_tangent.exists && mesh.vertex_bitangent.exists;
        let tangents = normals.as_ref().filter(|_| whole).map(|normals| {
            let (along, across) = (each(&mesh.vertex_tangent), each(&mesh.vertex_bitangent));
            normals.iter().zip(along).zip(across).map(|((n, t), b)| tangent(*n, t, b)).collect()
        });
        let uvs = mesh.uv_sets.iter().map(|set| {
            let turned = |corner: &u32| {
                let [u, v] = vec2(&set.vertex_uv, *corner);
                [u, 1.0 - v]
            };
            self.first.iter().map(turned).collect()
        });
        let colors = mesh.color_sets.iter().map(|set| {
            let linear = |corner: &u32| {
                let [r, g, b, a] = vec4(&set.vertex_color, *corner);
                [decode(r), decode(g), decode(b), a]
            };
            self.first.iter().map(linear).collect()
        });
        Primitive {
            positions: each(&mesh.vertex_position),
            normals,
            tangents,
            uvs: uvs.collect(),
            colors: colors.collect(),
            indices: self.indices.clone(),
            material,
            ..Primitive::default()
        }
    }
}

/// Numbers equal keys alike, in the order of first use.
fn numbered<K: Hash + Eq>(keys: impl Iterator<Item = K>) -> Vec<u32> {
    let mut known: HashMap<K, u32> = HashMap::new();
    keys.map(|key| {
        let next = known.len() as u32;
        *known.entry(key).or_insert(next)
    })
    .collect()
}

/// The value at a corner; zeros where the file has none for it.
fn vec3(attribute: &ufbx::VertexVec3, corner: u32) -> [f32; 3] {
    let index = attribute.indices.get(corner as usize);
    index.and_then(|i| attribute.values.get(*i as usize)).map(singles).unwrap_or_default()
}

fn vec2(attribute: &ufbx::VertexVec2, corner: u32) -> [f32; 2] {
    let index = attribute.indices.get(corner as usize);
    let value = index.and_then(|i| attribute.values.get(*i as usize));
    value.map(|v| [single(v.x), single(v.y)]).unwrap_or_default()
}

fn vec4(attribute: &ufbx::VertexVec4, corner: u32) -> [f32; 4] {
    let index = attribute.indices.get(corner as usize);
    let value = index.and_then(|i| attribute.values.get(*i as usize));
    value.map_or([1.0; 4], |v| [single(v.x), single(v.y), single(v.z), single(v.w)])
}

/// A tangent with the handedness that its binormal says.
fn tangent(normal: [f32; 3], tangent: [f32; 3], binormal: [f32; 3]) -> [f32; 4] {
    let wide = |v: [f32; 3]| glam::DVec3::from(v.map(f64::from));
    let right = wide(normal).cross(wide(tangent)).dot(wide(binormal)) >= 0.0;
    let [x, y, z] = tangent;
    [x, y, z, if right { 1.0 } else { -1.0 }]
}

/// sRGB, as programs store the colours of vertices, to linear light (IEC 61966-2-1).
fn decode(encoded: f32) -> f32 {
    let x = f64::from(encoded);
    let linear = if x <= 0.040_45 { x / 12.92 } else { libm::pow((x + 0.055) / 1.055, 2.4) };
    linear as f32
}
