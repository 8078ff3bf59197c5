//! The primitives of a mesh as one FBX geometry: control points, which carry the skin, and corners, which carry the rest.
//!
//! Vertices of glTF are split where normals or UVs differ. FBX has those on the corners of polygons, so vertices at one
//! place with one skin become one control point again: seams stay closed where an artist goes on to work.

use std::cmp::Ordering;

use crate::Result;
use crate::scene::{Influences, Mesh, Primitive};
use crate::write::value::inconsistent;

/// All primitives of one mesh, one after the other.
pub(super) struct Combined<'a> {
    /// The primitives that have triangles, with the number of vertices before each.
    pub(super) parts: Vec<Part<'a>>,
    /// Number of vertices of all parts.
    pub(super) vertices: usize,
    /// Vertices of the triangles, three each, over all parts.
    pub(super) corners: Vec<u32>,
    /// The control point of each vertex.
    pub(super) control: Vec<u32>,
    /// A vertex for each control point: the first of those that share it.
    pub(super) first: Vec<u32>,
}

/// One primitive of the geometry.
pub(super) struct Part<'a> {
    pub(super) primitive: &'a Primitive,
    pub(super) influences: Option<&'a Influences>,
    pub(super) start: usize,
}

impl<'a> Combined<'a> {
    /// `None` for a mesh without triangles.
    pub(super) fn new(mesh: &'a Mesh, influences: Option<&'a [Influences]>) -> Result<Option<Self>> {
        let (mut parts, mut vertices, mut corners) = (Vec::new(), 0, Vec::new());
        for (index, primitive) in mesh.primitives.iter().enumerate() {
            if primitive.indices.is_empty() {
                continue;
            }
            let influences = match influences {
                Some(list) => {
                    let of = list.get(index);
                    Some(of.ok_or_else(|| inconsistent("a primitive has no influences"))?)
                }
                None => None,
            };
            check(primitive, influences)?;
            let start = u32::try_from(vertices).map_err(|_| inconsistent("a mesh has too many vertices"))?;
            corners.extend(primitive.indices.iter().map(|i| i + start));
            parts.push(Part { primitive, influences, start: vertices });
            vertices += primitive.positions.len();
        }
        // Polygons of FBX count in signed numbers.
        if i32::try_from(vertices).is_err() {
            return Err(inconsistent("a mesh has too many vertices"));
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let mut combined = Self { parts, vertices, corners, control: Vec::new(), first: Vec::new() };
        combined.weld();
        Ok(Some(combined))
    }

    /// Where every vertex is, in the order of the vertices.
    pub(super) fn positions(&self) -> impl Iterator<Item = [f32; 3]> {
        self.parts.iter().flat_map(|p| p.primitive.positions.iter().copied())
    }

    /// Gives vertices at one place with equal influences and morph targets one control point.
    ///
    /// Two triangles that lie on each other, front and back of a cape, would become one polygon twice, and a triangle
    /// without area a polygon that meets itself; some importers delete those. The vertices of such triangles stay apart.
    fn weld(&mut self) {
        let vertices: Vec<Vertex<'_>> = self.list();
        let mut order: Vec<u32> = (0..self.vertices as u32).collect();
        let at = |i: &u32| vertices.get(*i as usize);
        order.sort_by(|a, b| at(a).cmp(&at(b)).then(a.cmp(b)));
        let mut leader: Vec<u32> = (0..self.vertices as u32).collect();
        let mut current = None;
        for &vertex in &order {
            if at(&vertex) != current.and_then(|c| at(&c)) {
                current = Some(vertex);
            }
            if let (Some(slot), Some(current)) = (leader.get_mut(vertex as usize), current) {
                *slot = current;
            }
        }
        for vertex in self.colliding(&leader) {
            if let Some(slot) = leader.get_mut(vertex as usize) {
                *slot = vertex;
            }
        }
        self.number(&leader);
    }

    /// Vertices of triangles that would lie on another one, or on themselves, if every vertex were its leader.
    fn colliding(&self, leader: &[u32]) -> Vec<u32> {
        let lead = |v: u32| leader.get(v as usize).copied().unwrap_or(v);
        let mut triangles: Vec<([u32; 3], usize)> = Vec::with_capacity(self.corners.len() / 3);
        for (index, corners) in self.corners.chunks_exact(3).enumerate() {
            let [a, b, c] = corners else { continue };
            let mut key = [lead(*a), lead(*b), lead(*c)];
            key.sort_unstable();
            triangles.push((key, index));
        }
        triangles.sort_unstable();
        let mut found = Vec::new();
        let mut take = |triangle: usize| found.extend(self.corners.iter().skip(triangle * 3).take(3));
        for pair in triangles.windows(2) {
            if let [(a, one), (b, two)] = pair
                && a == b
            {
                take(*one);
                take(*two);
            }
        }
        for ([a, b, c], triangle) in &triangles {
            if a == b || b == c {
                take(*triangle);
            }
        }
        found
    }

    /// Numbers the control points in the order of their first vertices.
    fn number(&mut self, leader: &[u32]) {
        let mut numbers: Vec<Option<u32>> = vec![None; self.vertices];
        self.control = Vec::with_capacity(self.vertices);
        self.first = Vec::new();
        for (vertex, &leader) in leader.iter().enumerate() {
            let Some(slot) = numbers.get_mut(leader as usize) else { continue };
            let number = *slot.get_or_insert(self.first.len() as u32);
            if number as usize == self.first.len() {
                self.first.push(vertex as u32);
            }
            self.control.push(number);
        }
    }

    fn list(&self) -> Vec<Vertex<'_>> {
        let parts = self.parts.iter().flat_map(|part| {
            let morphs = &part.primitive.morphs;
            (0..part.primitive.positions.len()).map(move |index| Vertex { part, morphs, index })
        });
        parts.collect()
    }
}

/// What must be equal for two vertices to be one control point.
struct Vertex<'a> {
    part: &'a Part<'a>,
    morphs: &'a [crate::scene::Morph],
    index: usize,
}

impl Vertex<'_> {
    fn skin(&self) -> (&[u16], &[f32]) {
        let Some(influences) = self.part.influences else { return (&[], &[]) };
        let range = self.index * influences.per_vertex..(self.index + 1) * influences.per_vertex;
        let joints = influences.joints.get(range.clone()).unwrap_or_default();
        (joints, influences.weights.get(range).unwrap_or_default())
    }

    fn deltas(&self) -> impl Iterator<Item = [f32; 3]> {
        self.morphs.iter().map(|m| m.positions.get(self.index).copied().unwrap_or_default())
    }
}

/// By value, zeros of both signs being one.
fn compare(a: &[f32], b: &[f32]) -> Ordering {
    let lengths = a.len().cmp(&b.len());
    a.iter().zip(b).fold(lengths, |order, (a, b)| order.then((a + 0.0).total_cmp(&(b + 0.0))))
}

impl Ord for Vertex<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let position = |v: &Self| v.part.primitive.positions.get(v.index).copied().unwrap_or_default();
        compare(&position(self), &position(other)).then_with(|| {
            let ((joints, weights), (other_joints, other_weights)) = (self.skin(), other.skin());
            joints.cmp(other_joints).then_with(|| compare(weights, other_weights)).then_with(|| {
                let counts = self.morphs.len().cmp(&other.morphs.len());
                self.deltas()
                    .zip(other.deltas())
                    .fold(counts, |order, (a, b)| order.then_with(|| compare(&a, &b)))
            })
        })
    }
}

impl PartialOrd for Vertex<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Vertex<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Vertex<'_> {}

/// Array lengths and indices, which characters made by programs may get wrong.
fn check(primitive: &Primitive, influences: Option<&Influences>) -> Result<()> {
    let count = primitive.positions.len();
    let fits_or_empty = |len: usize| len == count || len == 0;
    let good = primitive.normals.as_ref().is_none_or(|v| v.len() == count)
        && primitive.tangents.as_ref().is_none_or(|v| v.len() == count)
        && primitive.uvs.iter().all(|v| v.len() == count)
        && primitive.colors.iter().all(|v| v.len() == count)
        && primitive
            .morphs
            .iter()
            .all(|m| fits_or_empty(m.positions.len()) && fits_or_empty(m.normals.len()))
        && influences.is_none_or(|i| {
            i.per_vertex > 0 && i.joints.len() == count * i.per_vertex && i.weights.len() == i.joints.len()
        });
    if !good {
        return Err(inconsistent("a vertex attribute has another length than the positions"));
    }
    if !primitive.indices.len().is_multiple_of(3)
        || primitive.indices.iter().any(|i| *i as usize >= count)
        || u32::try_from(count).is_err()
    {
        return Err(inconsistent("a triangle refers to a vertex that does not exist"));
    }
    if !primitive.positions.iter().flatten().all(|x| x.is_finite()) {
        return Err(inconsistent("a position is not finite"));
    }
    Ok(())
}
