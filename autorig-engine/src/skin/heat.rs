//! Weights by heat diffusion from the bones (Baran & Popović 2007, "Automatic Rigging and Animation of 3D Characters", §4).
//!
//! Each vertex is heated by the nearest bone it can see, the heat spreads over the surface and comes to rest:
//! `(L + M·h) w = M·h·p` with the cotangent Laplacian `L`, vertex areas `M`, `h = c/d²`, and `p` = 1 where the bone is the
//! source. Each bone is one symmetric positive definite system, solved by conjugate gradients; the solutions of all bones
//! sum to 1 by construction.

use glam::DVec3;
use rayon::prelude::*;

use super::{bones::Bone, proxy::Proxy};
use crate::analyse::{bvh::Bvh, nearest::Nearest, solid::Solid};

/// Heat constant `c`; Baran & Popović use 1, a larger one keeps weights closer to their bone.
const HEAT: f64 = 3.0;
/// Bones that may be a vertex's source, by distance.
const CANDIDATES: usize = 3;
/// Cotangents are clamped to this range: a sliver must not tear the surface, nor glue it.
const COTANGENT: (f64, f64) = (0.01, 20.0);
/// A metre outside the solid counts as so many metres when asking which bone is nearest at all costs.
const OUTSIDE_COST: f64 = 5.0;
/// Relative residual at which the solver stops.
const TOLERANCE: f64 = 1e-5;
const MAX_ITERATIONS: usize = 400;

/// Which bone heats each vertex.
pub struct Sources {
    /// Bone and distance of the source; `None` where no near bone is in sight.
    pub source: Vec<Option<(usize, f64)>>,
    /// The bone nearest when the way outside the solid is dear, for every vertex.
    pub hard: Vec<usize>,
}

impl Sources {
    /// For each vertex of the proxy.
    pub fn find(proxy: &Proxy, bones: &[Bone], solid: &Solid) -> Self {
        let sight = Sight { proxy, bvh: Bvh::new(&proxy.vertices, &proxy.triangles), solid };
        let found: Vec<(Option<(usize, f64)>, usize)> =
            (0..proxy.vertices.len()).into_par_iter().map(|v| sight.find_source(v, bones)).collect();
        Self { source: found.iter().map(|f| f.0).collect(), hard: found.iter().map(|f| f.1).collect() }
    }
}

/// What can be seen from where.
struct Sight<'a> {
    proxy: &'a Proxy,
    bvh: Bvh,
    solid: &'a Solid,
}

impl Sight<'_> {
    fn find_source(&self, vertex: usize, bones: &[Bone]) -> (Option<(usize, f64)>, usize) {
        let (v, normal) = (self.proxy.vertices[vertex], self.proxy.normals[vertex]);
        let mut ranked: Vec<(f64, f64, usize)> = bones
            .iter()
            .enumerate()
            .map(|(b, bone)| {
                let away = v - bone.nearest(v);
                let distance = away.length();
                // A bone behind the surface is preferred to one in front of it.
                let cos = normal.dot(away) / distance.max(f64::MIN_POSITIVE);
                (distance / (0.5 * (cos + 1.001)), distance, b)
            })
            .collect();
        ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        let source = ranked
            .iter()
            .take(CANDIDATES)
            .find(|(_, _, b)| self.sees(vertex, bones[*b].nearest(v)))
            .map(|&(_, distance, b)| (b, distance));
        // Only bones that could still win by distance alone are walked to.
        let mut hard = (f64::INFINITY, 0);
        ranked.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.2.cmp(&b.2)));
        for (_, distance, b) in ranked {
            if distance >= hard.0 {
                break;
            }
            let cost = distance + OUTSIDE_COST * self.solid.outside_length(v, bones[b].nearest(v));
            if cost < hard.0 {
                hard = (cost, b);
            }
        }
        (source, hard.1)
    }

    /// The way to a bone may leave the solid for one cell at most, and may not end inside another part: an eye on the way
    /// does not hide the head's bone, a leg hides its own bone from the torso.
    fn sees(&self, vertex: usize, target: DVec3) -> bool {
        let from = self.proxy.vertices[vertex];
        if self.solid.outside_length(from, target) > self.solid.cell() {
            return false;
        }
        let own = self.proxy.part[vertex];
        let mut entered: Vec<u32> = Vec::new();
        self.bvh.crossings(from, target, |t| {
            let part = self.proxy.part[self.proxy.triangles[t][0] as usize];
            if part != own {
                match entered.iter().position(|p| *p == part) {
                    Some(i) => drop(entered.swap_remove(i)),
                    None => entered.push(part),
                }
            }
        });
        entered.is_empty()
    }
}

/// Weights, vertices × bones with rows summing to 1, and how many vertices had to copy a neighbour.
pub fn diffuse(proxy: &Proxy, bones: &[Bone], sources: &Sources) -> (Vec<f64>, usize) {
    let system = System::new(proxy, sources);
    let columns: Vec<Vec<f64>> = (0..bones.len())
        .into_par_iter()
        .map(|bone| {
            let right: Vec<f64> = sources
                .source
                .iter()
                .zip(&system.heat)
                .map(|(s, heat)| if s.is_some_and(|(b, _)| b == bone) { *heat } else { 0.0 })
                .collect();
            system.solve(&right)
        })
        .collect();
    let n = proxy.vertices.len();
    let mut weights = vec![0.0; n * bones.len()];
    for (b, column) in columns.iter().enumerate() {
        for (row, w) in weights.chunks_exact_mut(bones.len()).zip(column) {
            row[b] = w.max(0.0);
        }
    }
    let filled = fill_unheated(proxy, sources, &mut weights, bones.len());
    super::normalise_rows(&mut weights, bones.len());
    (weights, filled)
}

/// Parts that no bone heats copy, vertex by vertex, the nearest vertex of a part that is heated.
fn fill_unheated(proxy: &Proxy, sources: &Sources, weights: &mut [f64], bones: usize) -> usize {
    let mut heated = vec![false; proxy.parts];
    for (part, source) in proxy.part.iter().zip(&sources.source) {
        heated[*part as usize] |= source.is_some();
    }
    let known: Vec<usize> = (0..proxy.vertices.len()).filter(|&v| heated[proxy.part[v] as usize]).collect();
    if known.len() == proxy.vertices.len() {
        return 0;
    }
    let grid = Nearest::new(known.iter().map(|&v| proxy.vertices[v]).collect());
    let mut filled = 0;
    for v in (0..proxy.vertices.len()).filter(|&v| !heated[proxy.part[v] as usize]) {
        filled += 1;
        match grid.nearest(proxy.vertices[v]) {
            Some((i, _)) => weights.copy_within(known[i] * bones..(known[i] + 1) * bones, v * bones),
            // Not one bone sees anything: each vertex follows its nearest bone.
            None => weights[v * bones + sources.hard[v]] = 1.0,
        }
    }
    filled
}

/// `L + M·h` in compressed rows; the diagonal apart.
struct System {
    starts: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f64>,
    diagonal: Vec<f64>,
    /// `M·h` of each vertex.
    heat: Vec<f64>,
}

impl System {
    fn new(proxy: &Proxy, sources: &Sources) -> Self {
        let n = proxy.vertices.len();
        let mut area = vec![0.0; n];
        let mut entries: Vec<(u32, u32, f64)> = Vec::with_capacity(proxy.triangles.len() * 6);
        for t in &proxy.triangles {
            let p = t.map(|i| proxy.vertices[i as usize]);
            let double_area = (p[1] - p[0]).cross(p[2] - p[0]).length();
            for corner in 0..3 {
                let (i, j) = (t[(corner + 1) % 3], t[(corner + 2) % 3]);
                let (a, b) = (p[(corner + 1) % 3] - p[corner], p[(corner + 2) % 3] - p[corner]);
                let cotangent =
                    (a.dot(b) / double_area.max(f64::MIN_POSITIVE)).clamp(COTANGENT.0, COTANGENT.1);
                entries.push((i, j, cotangent / 2.0));
                entries.push((j, i, cotangent / 2.0));
                area[t[corner] as usize] += double_area / 6.0;
            }
        }
        entries.sort_by_key(|e| (e.0, e.1));
        let heat: Vec<f64> = sources
            .source
            .iter()
            .zip(&area)
            .map(|(s, area)| s.map_or(0.0, |(_, d)| area * HEAT / (d * d).max(1e-10)))
            .collect();
        let mut system = Self {
            starts: Vec::with_capacity(n + 1),
            columns: Vec::new(),
            values: Vec::new(),
            diagonal: heat.clone(),
            heat,
        };
        let mut entries = entries.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).peekable();
        for row in 0..n as u32 {
            system.starts.push(system.columns.len() as u32);
            while let Some(same) = entries.next_if(|e| e[0].0 == row) {
                let value: f64 = same.iter().map(|e| e.2).sum();
                system.columns.push(same[0].1);
                system.values.push(-value);
                system.diagonal[row as usize] += value;
            }
        }
        system.starts.push(system.columns.len() as u32);
        system
    }

    fn multiply(&self, x: &[f64], y: &mut [f64]) {
        for (row, y) in y.iter_mut().enumerate() {
            let range = self.starts[row] as usize..self.starts[row + 1] as usize;
            *y = self.diagonal[row] * x[row]
                + self.columns[range.clone()]
                    .iter()
                    .zip(&self.values[range])
                    .map(|(&c, v)| v * x[c as usize])
                    .sum::<f64>();
        }
    }

    /// Conjugate gradients with Jacobi preconditioning. Vertices of unheated parts stay 0.
    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = right.len();
        let inverse: Vec<f64> = self.diagonal.iter().map(|d| if *d > 0.0 { 1.0 / d } else { 0.0 }).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut x = vec![0.0; n];
        let mut r = right.to_vec();
        let mut z: Vec<f64> = r.iter().zip(&inverse).map(|(r, i)| r * i).collect();
        let mut p = z.clone();
        let mut rz = dot(&r, &z);
        let stop = rz * TOLERANCE * TOLERANCE;
        let mut ap = vec![0.0; n];
        for _ in 0..MAX_ITERATIONS {
            if rz <= stop {
                break;
            }
            self.multiply(&p, &mut ap);
            let alpha = rz / dot(&p, &ap);
            for i in 0..n {
                x[i] += alpha * p[i];
                r[i] -= alpha * ap[i];
                z[i] = r[i] * inverse[i];
            }
            let next = dot(&r, &z);
            let beta = next / rz;
            rz = next;
            for (p, z) in p.iter_mut().zip(&z) {
                *p = z + beta * *p;
            }
        }
        x
    }
}
