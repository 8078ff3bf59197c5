//! A bounded stand-in for large meshes, so that the cost of diffusion does not follow the triangle count.
//!
//! Vertices that fall into the same cell of a grid and are connected inside it become one. Small meshes are their own
//! proxy. Clustering after Rossignac & Borrel 1993, with connectivity respected so that neighbouring fingers stay apart.

use glam::DVec3;

use crate::analyse::weld::parts;

/// Meshes with more vertices than this get a proxy.
const LIMIT: usize = 24_000;
/// The proxy's aim; surfaces put about this many cells on a grid of the matching step.
const TARGET: f64 = 16_000.0;

/// The mesh weights are solved on.
pub struct Proxy {
    /// Positions in canonical space.
    pub vertices: Vec<DVec3>,
    /// Unit normals, or zero.
    pub normals: Vec<DVec3>,
    /// Triangles over the proxy's vertices.
    pub triangles: Vec<[u32; 3]>,
    /// Connected part of each vertex.
    pub part: Vec<u32>,
    /// Number of parts.
    pub parts: usize,
    /// For each full vertex its proxy vertex; empty when they are the same.
    of_vertex: Vec<u32>,
    /// Neighbours of each proxy vertex, itself first; empty when they are the same.
    neighbours: Vec<Vec<u32>>,
}

impl Proxy {
    /// From a welded mesh.
    pub fn new(vertices: &[DVec3], normals: &[DVec3], triangles: &[[u32; 3]]) -> Self {
        if vertices.len() <= LIMIT {
            let (part, parts) = parts(vertices.len(), triangles);
            return Self {
                vertices: vertices.to_vec(),
                normals: normals.to_vec(),
                triangles: triangles.to_vec(),
                part,
                parts,
                of_vertex: Vec::new(),
                neighbours: Vec::new(),
            };
        }
        let area: f64 = triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|i| vertices[i as usize]);
                (b - a).cross(c - a).length() / 2.0
            })
            .sum();
        let step = (area / TARGET).sqrt().max(f64::MIN_POSITIVE);
        let cell = |i: u32| (vertices[i as usize] / step).floor().as_ivec3();
        let inner: Vec<[u32; 3]> = triangles
            .iter()
            .flat_map(|&[a, b, c]| [[a, b, b], [b, c, c], [c, a, a]])
            .filter(|e| cell(e[0]) == cell(e[1]))
            .collect();
        let (of_vertex, count) = parts(vertices.len(), &inner);
        Self::clustered(vertices, normals, triangles, of_vertex, count)
    }

    fn clustered(
        vertices: &[DVec3],
        normals: &[DVec3],
        triangles: &[[u32; 3]],
        of_vertex: Vec<u32>,
        count: usize,
    ) -> Self {
        let mut sums = vec![(DVec3::ZERO, DVec3::ZERO, 0.0); count];
        for ((v, n), &c) in vertices.iter().zip(normals).zip(&of_vertex) {
            let s = &mut sums[c as usize];
            *s = (s.0 + *v, s.1 + *n, s.2 + 1.0);
        }
        let mut coarse: Vec<[u32; 3]> = triangles
            .iter()
            .map(|t| t.map(|i| of_vertex[i as usize]))
            .filter(|[a, b, c]| a != b && b != c && c != a)
            .map(|[a, b, c]| {
                if a < b && a < c {
                    [a, b, c]
                } else if b < c {
                    [b, c, a]
                } else {
                    [c, a, b]
                }
            })
            .collect();
        coarse.sort_unstable();
        coarse.dedup();
        // Slivers that collapsed to an edge still join their ends.
        let mut edges: Vec<[u32; 2]> = triangles
            .iter()
            .map(|t| t.map(|i| of_vertex[i as usize]))
            .flat_map(|[a, b, c]| [[a, b], [b, c], [c, a]])
            .filter(|[a, b]| a != b)
            .flat_map(|[a, b]| [[a, b], [b, a]])
            .collect();
        edges.sort_unstable();
        edges.dedup();
        let mut neighbours: Vec<Vec<u32>> = (0..count as u32).map(|i| vec![i]).collect();
        for [a, b] in edges {
            neighbours[a as usize].push(b);
        }
        let (part, parts) = parts(count, &coarse);
        Self {
            vertices: sums.iter().map(|s| s.0 / s.2).collect(),
            normals: sums.iter().map(|s| s.1.normalize_or_zero()).collect(),
            triangles: coarse,
            part,
            parts,
            of_vertex,
            neighbours,
        }
    }

    /// The full mesh is its own proxy.
    pub fn is_identity(&self) -> bool {
        self.of_vertex.is_empty()
    }

    /// Proxy vertices around full vertex `v` at `at`, with shares that sum to 1: inverse squares of distance over its own
    /// cluster and the clusters next to it.
    pub fn neighbourhood(&self, v: usize, at: DVec3) -> impl Iterator<Item = (usize, f64)> {
        let near = &self.neighbours[self.of_vertex[v] as usize];
        let weight = move |p: u32| 1.0 / self.vertices[p as usize].distance_squared(at).max(1e-12);
        let total: f64 = near.iter().map(|&p| weight(p)).sum();
        near.iter().map(move |&p| (p as usize, weight(p) / total))
    }
}
