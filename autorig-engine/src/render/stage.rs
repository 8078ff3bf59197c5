//! The character as the rasteriser takes it: one list of vertices and triangles in canonical space, and its poses.

use glam::{DMat4, DVec3, Mat3, Mat4, Vec2, Vec3, Vec4};
use rayon::prelude::*;

use super::surface::Library;
use crate::{
    Character, Code, Error, Result,
    scene::{Influences, Mesh, Primitive},
};

/// Everything that stays the same from picture to picture.
pub(super) struct Stage<'a> {
    /// Vertices in bind pose.
    pub(super) rest: Vertices,
    /// First and second UV set; empty when no primitive has it.
    pub(super) uvs: [Vec<Vec2>; 2],
    /// Linear vertex colours; empty when no primitive has any.
    pub(super) colors: Vec<Vec4>,
    /// Corners of the triangles.
    pub(super) triangles: Vec<[u32; 3]>,
    /// Surface of each triangle.
    pub(super) surface_of: Vec<u32>,
    pub(super) library: Library,
    parts: Vec<Part<'a>>,
    /// Canonical space from the character's own, for posing.
    to_canonical: DMat4,
    rotation: Mat3,
}

/// What a pose moves.
#[derive(Debug, Clone, Default)]
pub(super) struct Vertices {
    pub(super) positions: Vec<Vec3>,
    /// Unit normals; zero where the file has none and the triangle's own is meant.
    pub(super) normals: Vec<Vec3>,
    /// Unit tangents and handedness; empty when no primitive has any, zero for those that do not.
    pub(super) tangents: Vec<Vec4>,
}

/// One primitive's range of vertices.
struct Part<'a> {
    start: usize,
    count: usize,
    influences: Option<&'a Influences>,
}

impl<'a> Stage<'a> {
    /// The character in bind pose.
    ///
    /// # Errors
    /// `no_geometry` when there is nothing to draw, `limit_triangles` when more than a 32-bit index can name.
    pub(super) fn new(character: &'a Character) -> Result<Self> {
        let scene = &character.scene;
        if scene.triangle_count() == 0 {
            return Err(Error::new(Code::NoGeometry, "the character has no triangles to draw"));
        }
        if u32::try_from(scene.vertex_count()).is_err() || u32::try_from(scene.triangle_count()).is_err() {
            return Err(Error::new(
                Code::LimitTriangles,
                "the character has more vertices than can be drawn",
            ));
        }
        let frame = &character.frame;
        let similarity = DMat4::from_mat3(frame.rotation * frame.scale);
        let to_canonical = similarity * DMat4::from_translation(-frame.origin);
        let library = Library::new(scene);
        let primitives = || scene.meshes.iter().flat_map(|m| m.primitives.iter().map(move |p| (m, p)));
        let drawn_sets: Vec<usize> =
            library.surfaces.iter().flat_map(super::surface::Surface::maps).map(|map| map.uv_set).collect();
        let has_uvs = |set: usize| drawn_sets.contains(&set) && primitives().any(|(_, p)| p.uvs.len() > set);
        let wanted = Wanted {
            uvs: [has_uvs(0), has_uvs(1)],
            colors: primitives().any(|(_, p)| !p.colors.is_empty()),
            tangents: primitives().any(|(_, p)| p.tangents.is_some())
                && library.surfaces.iter().any(|s| s.normal_map.is_some()),
        };
        let mut stage = Self {
            rest: Vertices::default(),
            uvs: [Vec::new(), Vec::new()],
            colors: Vec::new(),
            triangles: Vec::with_capacity(scene.triangle_count()),
            surface_of: Vec::with_capacity(scene.triangle_count()),
            library,
            parts: Vec::new(),
            to_canonical,
            rotation: frame.rotation.as_mat3(),
        };
        for (index, mesh) in scene.meshes.iter().enumerate() {
            for (slot, primitive) in mesh.primitives.iter().enumerate() {
                let influences = character.influences.get(index).and_then(|m| m.get(slot));
                stage.add(mesh, primitive, influences, &wanted);
            }
        }
        Ok(stage)
    }

    fn add(
        &mut self,
        mesh: &Mesh,
        primitive: &Primitive,
        influences: Option<&'a Influences>,
        wanted: &Wanted,
    ) {
        let start = self.rest.positions.len();
        let count = primitive.positions.len();
        let (positions, normals) = morphed(mesh, primitive);
        let place =
            |p: &[f32; 3]| self.to_canonical.transform_point3(DVec3::from(p.map(f64::from))).as_vec3();
        self.rest.positions.extend(positions.iter().map(place));
        let turn = |n: &[f32; 3]| (self.rotation * Vec3::from(*n)).normalize_or_zero();
        self.rest.normals.extend(normals.iter().map(turn));
        self.rest.normals.resize(start + count, Vec3::ZERO);
        if wanted.tangents {
            let tangents = primitive.tangents.iter().flatten().map(|t| {
                let [x, y, z, w] = *t;
                (self.rotation * Vec3::new(x, y, z)).normalize_or_zero().extend(w)
            });
            self.rest.tangents.extend(tangents);
            self.rest.tangents.resize(start + count, Vec4::ZERO);
        }
        for ((uvs, set), wanted) in self.uvs.iter_mut().zip(0..).zip(wanted.uvs) {
            if wanted {
                let own: &[[f32; 2]] = primitive.uvs.get::<usize>(set).map_or(&[], Vec::as_slice);
                uvs.extend(own.iter().map(|uv| Vec2::from(*uv)));
                uvs.resize(start + count, Vec2::ZERO);
            }
        }
        if wanted.colors {
            let own: &[[f32; 4]] = primitive.colors.first().map_or(&[], Vec::as_slice);
            self.colors.extend(own.iter().map(|c| Vec4::from(*c)));
            self.colors.resize(start + count, Vec4::ONE);
        }
        let none = self.library.surfaces.len() - 1;
        let surface = primitive.material.filter(|m| *m < none).unwrap_or(none) as u32;
        for t in primitive.indices.chunks_exact(3) {
            if t.iter().all(|i| (*i as usize) < count) {
                self.triangles.push([t[0], t[1], t[2]].map(|i| i + start as u32));
                self.surface_of.push(surface);
            }
        }
        let fits = |i: &&Influences| i.per_vertex > 0 && i.joints.len() >= count * i.per_vertex;
        self.parts.push(Part { start, count, influences: influences.filter(fits) });
    }

    /// The vertices where `skinning` takes them: one matrix a bone, from bind pose to pose in the character's own space
    /// (linear blend skinning). Without matrices the bind pose.
    pub(super) fn posed(&self, skinning: &[DMat4]) -> Vertices {
        let mut posed = self.rest.clone();
        if skinning.is_empty() {
            return posed;
        }
        let back = self.to_canonical.inverse();
        let matrices: Vec<Mat4> =
            skinning.iter().map(|m| (self.to_canonical * *m * back).as_mat4()).collect();
        for part in &self.parts {
            let Some(influences) = part.influences else { continue };
            let k = influences.per_vertex;
            let range = part.start..part.start + part.count;
            let blend = |vertex: usize| -> Option<Mat4> {
                let mut sum = Mat4::ZERO;
                let mut total = 0.0;
                for place in vertex * k..(vertex + 1) * k {
                    let weight = influences.weights[place];
                    if weight > 0.0
                        && let Some(matrix) = matrices.get(usize::from(influences.joints[place]))
                    {
                        sum += *matrix * weight;
                        total += weight;
                    }
                }
                (total > 0.0).then(|| sum * (1.0 / total))
            };
            let tangents = posed.tangents.get_mut(range.clone()).unwrap_or_default();
            posed.positions[range.clone()]
                .par_iter_mut()
                .zip(&mut posed.normals[range])
                .enumerate()
                .with_min_len(2048)
                .for_each(|(vertex, (position, normal))| {
                    if let Some(matrix) = blend(vertex) {
                        *position = matrix.transform_point3(*position);
                        *normal = matrix.transform_vector3(*normal).normalize_or_zero();
                    }
                });
            tangents.par_iter_mut().enumerate().with_min_len(2048).for_each(|(vertex, tangent)| {
                if let Some(matrix) = blend(vertex) {
                    let turned = matrix.transform_vector3(tangent.truncate()).normalize_or_zero();
                    *tangent = turned.extend(tangent.w);
                }
            });
        }
        posed
    }

    /// Positions of the vertices that triangles use.
    pub(super) fn corners<'b>(&'b self, vertices: &'b Vertices) -> impl Iterator<Item = Vec3> + 'b {
        self.triangles.iter().flatten().map(|i| vertices.positions[*i as usize]).filter(|p| p.is_finite())
    }

    /// A point of the character's own space in canonical space.
    pub(super) fn canonical(&self, p: DVec3) -> Vec3 {
        self.to_canonical.transform_point3(p).as_vec3()
    }
}

struct Wanted {
    uvs: [bool; 2],
    colors: bool,
    tangents: bool,
}

/// Positions and normals with the mesh's default morph weights applied, as viewers show a file.
fn morphed(mesh: &Mesh, primitive: &Primitive) -> (Vec<[f32; 3]>, Vec<[f32; 3]>) {
    let mut positions = primitive.positions.clone();
    let mut normals = primitive.normals.clone().unwrap_or_default();
    let add = |values: &mut [[f32; 3]], deltas: &[[f32; 3]], weight: f32| {
        for (value, delta) in values.iter_mut().zip(deltas) {
            value.iter_mut().zip(delta).for_each(|(v, d)| *v += d * weight);
        }
    };
    for (morph, &weight) in primitive.morphs.iter().zip(&mesh.morph_weights) {
        if weight != 0.0 {
            add(&mut positions, &morph.positions, weight);
            add(&mut normals, &morph.normals, weight);
        }
    }
    (positions, normals)
}

impl Vertices {
    /// The same turned about the vertical through the origin.
    pub(super) fn turn(&mut self, rotation: Mat3) {
        self.positions.par_iter_mut().with_min_len(4096).for_each(|p| *p = rotation * *p);
        self.normals.par_iter_mut().with_min_len(4096).for_each(|n| *n = rotation * *n);
        let turned = |t: &mut Vec4| *t = (rotation * t.truncate()).extend(t.w);
        self.tangents.par_iter_mut().with_min_len(4096).for_each(turned);
    }
}
