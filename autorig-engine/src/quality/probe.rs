//! A bounded stand-in for the bound mesh: what the tests pose and measure, in canonical space.

use glam::DVec3;

use crate::{
    analyse::{Body, weld::UNUSED},
    pose::{Binding, Chain},
    random::SplitMix,
    scene::Influences,
    skeleton::Skeleton,
};

/// Triangles that are looked at, at most. More changes no verdict and costs time.
const TRIANGLES: usize = 12_000;

/// Some triangles of the character with the vertices they use.
pub(super) struct Probe {
    /// Vertices in canonical space.
    pub(super) points: Vec<DVec3>,
    /// Their unit normals.
    pub(super) normals: Vec<DVec3>,
    /// Their weights.
    pub(super) binding: Binding,
    /// Where each was first seen among the scene's vertices, counted over all meshes and primitives.
    pub(super) file_vertex: Vec<u32>,
    /// Corners as indices of `points`.
    pub(super) triangles: Vec<[u32; 3]>,
    /// Area of each triangle as a share of all of them.
    pub(super) area: Vec<f64>,
    /// Joints in canonical space.
    pub(super) chain: Chain,
    /// For each vertex the joint whose bone is nearest.
    pub(super) region: Vec<u16>,
}

impl Probe {
    /// Picks triangles evenly in the file's order, the same ones every time.
    pub(super) fn new(body: &Body, skeleton: &Skeleton, influences: &[Vec<Influences>]) -> Self {
        let picked = pick(&body.welded.character_triangles());
        let mut index = vec![UNUSED; body.vertices.len()];
        let mut used = Vec::new();
        let triangles: Vec<[u32; 3]> = picked
            .iter()
            .map(|t| {
                t.map(|v| {
                    let slot = &mut index[v as usize];
                    if *slot == UNUSED {
                        *slot = used.len() as u32;
                        used.push(v as usize);
                    }
                    *slot
                })
            })
            .collect();
        let points: Vec<DVec3> = used.iter().map(|v| body.vertices[*v]).collect();
        let (file_vertex, binding) = bound(body, &index, used.len(), influences);
        let sizes: Vec<f64> = triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|i| points[i as usize]);
                (b - a).cross(c - a).length()
            })
            .collect();
        let total = sizes.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let chain = Chain::new(skeleton, |p| body.frame.to_canonical(p));
        let bones = Bones::new(&chain, body.height);
        let region = points.iter().map(|p| bones.nearest(*p)).collect();
        Self {
            normals: used.iter().map(|v| body.normals[*v]).collect(),
            points,
            binding,
            file_vertex,
            triangles,
            area: sizes.into_iter().map(|s| s / total).collect(),
            chain,
            region,
        }
    }

    /// The mean of a triangle's corners.
    pub(super) fn middle(&self, triangle: usize) -> DVec3 {
        self.triangles[triangle].iter().map(|i| self.points[*i as usize]).sum::<DVec3>() / 3.0
    }
}

fn pick(triangles: &[[u32; 3]]) -> Vec<[u32; 3]> {
    if triangles.len() <= TRIANGLES {
        return triangles.to_vec();
    }
    let mut random = SplitMix::new(0);
    let step = triangles.len() as f64 / TRIANGLES as f64;
    let at = |i: usize, r: f64| (((i as f64 + r) * step) as usize).min(triangles.len() - 1);
    (0..TRIANGLES).map(|i| triangles[at(i, random.unit())]).collect()
}

/// The weights of the picked vertices, from the first of the scene's vertices at each place.
fn bound(body: &Body, index: &[u32], count: usize, influences: &[Vec<Influences>]) -> (Vec<u32>, Binding) {
    let per_vertex = influences.iter().flatten().map(|i| i.per_vertex).max().unwrap_or(1);
    let mut binding =
        Binding { per_vertex, joints: vec![0; count * per_vertex], weights: vec![0.0; count * per_vertex] };
    let mut file_vertex = vec![UNUSED; count];
    let mut welded = body.welded.of_file_vertex.iter().enumerate();
    for of_primitive in influences.iter().flatten() {
        for (joints, weights) in of_primitive.iter() {
            let Some((file, &v)) = welded.next() else { return (file_vertex, binding) };
            let slot = index.get(v as usize).copied().unwrap_or(UNUSED);
            let Some(first) = file_vertex.get_mut(slot as usize).filter(|f| **f == UNUSED) else { continue };
            *first = file as u32;
            let start = slot as usize * per_vertex;
            binding.joints[start..start + joints.len()].copy_from_slice(joints);
            binding.weights[start..start + weights.len()].copy_from_slice(weights);
        }
    }
    (file_vertex, binding)
}

/// Every bone as a segment with the joint that moves it.
pub(super) struct Bones {
    segments: Vec<(u16, DVec3, DVec3)>,
}

impl Bones {
    /// From each joint to each of its children; an end goes on as far again as half the bone that leads to it. The root
    /// has no bone: it only carries the rest.
    pub(super) fn new(chain: &Chain, height: f64) -> Self {
        let at = &chain.positions;
        let only = at.len() == 1;
        let mut segments = Vec::new();
        let mut leaf = vec![true; at.len()];
        for (joint, parent) in chain.parents.iter().enumerate() {
            let Some(parent) = *parent else { continue };
            leaf[parent] = false;
            if chain.parents[parent].is_some() {
                segments.push((parent as u16, at[parent], at[joint]));
            }
        }
        for joint in (0..at.len()).filter(|j| leaf[*j] && (only || chain.parents[*j].is_some())) {
            let along = chain.parents[joint].map_or(DVec3::Y * height, |p| (at[joint] - at[p]) * 0.5);
            segments.push((joint as u16, at[joint], at[joint] + along));
        }
        Self { segments }
    }

    /// The joint whose bone is nearest.
    fn nearest(&self, p: DVec3) -> u16 {
        let mut best = (f64::INFINITY, 0);
        for (joint, a, b) in &self.segments {
            let d = distance_squared(p, *a, *b);
            if d < best.0 {
                best = (d, *joint);
            }
        }
        best.1
    }

    /// The distance to the nearest bone among those of the chosen joints.
    pub(super) fn distance(&self, p: DVec3, chosen: impl Fn(usize) -> bool) -> f64 {
        let of = self.segments.iter().filter(|s| chosen(usize::from(s.0)));
        of.map(|(_, a, b)| distance_squared(p, *a, *b)).fold(f64::INFINITY, f64::min).sqrt()
    }
}

fn distance_squared(p: DVec3, a: DVec3, b: DVec3) -> f64 {
    let along = b - a;
    let t = (p - a).dot(along) / along.length_squared().max(f64::MIN_POSITIVE);
    (a + along * t.clamp(0.0, 1.0)).distance_squared(p)
}
