//! How far a level is from its original: distances between the surfaces and between their skins, both ways.

use std::collections::BTreeMap;

use glam::DVec3;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::pool::Pool;
use crate::{Character, Code, Error, Result, random::SplitMix, scene::Influences};

/// Points on each surface at which is measured.
const SAMPLES: usize = 20_000;
/// Vertices of the original that are measured beside, as the largest distances are found there.
const VERTICES: usize = 50_000;
/// Triangles of a leaf.
const LEAF: usize = 4;

/// How far two characters are from each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Deviation {
    /// Mean distance between the surfaces in per cent of the first one's height, both ways, over samples.
    pub mean: f64,
    /// The largest distance found: the sampled Hausdorff distance, in per cent of the height.
    pub max: f64,
    /// Mean share of a point's skin weight that goes to other bones, 0 to 1; bones are the same by name.
    pub weight_mean: f64,
    /// The largest such share found.
    pub weight_max: f64,
}

/// A place on a triangle: which one, and the weights of its corners.
#[derive(Clone, Copy)]
struct Place {
    triangle: usize,
    corners: [f64; 3],
}

/// Measures how far `other` is from `original`, in whatever way it was made. Both stand in the same space.
///
/// # Errors
/// Those of welding: `no_geometry`, `degenerate_geometry`, `scale_out_of_range`, `precision_lost`.
pub fn compare(original: &Character, other: &Character) -> Result<Deviation> {
    let pools = [Pool::new(original)?, Pool::new(other)?];
    between(original, &pools[0], other, &pools[1])
}

/// The same for a character whose pool is at hand.
pub(super) fn between(
    original: &Character,
    pool: &Pool,
    other: &Character,
    others: &Pool,
) -> Result<Deviation> {
    let height = height(original, pool);
    if height.is_nan() || height <= 0.0 {
        return Err(Error::new(Code::DegenerateGeometry, "the character has no height to measure by"));
    }
    let names: Vec<&str> = original.bones.iter().map(|b| b.name.as_str()).collect();
    let whole = Surface::new(pool, Skin::new(original, pool, &names));
    let level = Surface::new(others, Skin::new(other, others, &names));
    let one_way = |places: &[Place], from: &Surface<'_>, to: &Surface<'_>| -> Vec<(f64, f64)> {
        places.par_iter().with_min_len(256).map(|place| step(from, place, to)).collect()
    };
    let there = one_way(&whole.sample(SAMPLES), &whole, &level);
    let back = one_way(&level.sample(SAMPLES), &level, &whole);
    let apart = one_way(&whole.some_corners(), &whole, &level);
    let sampled = || there.iter().chain(&back);
    let count = sampled().count().max(1) as f64;
    let everywhere = || sampled().chain(&apart);
    let per_cent = 100.0 / height;
    Ok(Deviation {
        mean: sampled().map(|(d, _)| d).sum::<f64>() / count * per_cent,
        max: everywhere().map(|(d, _)| *d).fold(0.0, f64::max) * per_cent,
        weight_mean: sampled().map(|(_, w)| w).sum::<f64>() / count,
        weight_max: everywhere().map(|(_, w)| *w).fold(0.0, f64::max),
    })
}

/// From a place to the nearest on the other surface: the distance, and the share of the skin that follows other bones.
fn step(from: &Surface<'_>, place: &Place, to: &Surface<'_>) -> (f64, f64) {
    let (at, distance) = to.nearest(from.point(place));
    let mut shares: Vec<(usize, f64)> = Vec::with_capacity(24);
    from.skin.add(&mut shares, &from.vertices(place.triangle), place, 1.0);
    to.skin.add(&mut shares, &to.vertices(at.triangle), &at, -1.0);
    (distance, shares.iter().map(|(_, s)| s.abs()).sum::<f64>() / 2.0)
}

/// Extent along the character's up axis, in the file's unit; where it lies flat, the largest one.
fn height(character: &Character, pool: &Pool) -> f64 {
    let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    for &i in &pool.indices {
        let p = character.frame.rotation * DVec3::from(pool.positions[i as usize].map(f64::from));
        (low, high) = (low.min(p), high.max(p));
    }
    let size = high - low;
    if size.y > 0.0 { size.y } else { size.max_element() }
}

/// Weights of a pool's vertices.
struct Skin<'a> {
    influences: Vec<Option<&'a Influences>>,
    starts: &'a [u32],
    /// Number of each bone among the original's; those it does not have come after.
    numbers: Vec<usize>,
}

impl<'a> Skin<'a> {
    fn new(character: &'a Character, pool: &'a Pool, names: &[&str]) -> Self {
        let meshes = character.scene.meshes.iter().enumerate();
        let influences = meshes
            .flat_map(|(index, mesh)| (0..mesh.primitives.len()).map(move |slot| (index, slot)))
            .map(|(index, slot)| character.influences.get(index).and_then(|m| m.get(slot)))
            .collect();
        let places: BTreeMap<&str, usize> = names.iter().enumerate().map(|(i, name)| (*name, i)).collect();
        let bones = character.bones.iter().enumerate();
        let numbers =
            bones.map(|(i, b)| places.get(b.name.as_str()).copied().unwrap_or(names.len() + i)).collect();
        Self { influences, starts: &pool.starts, numbers }
    }

    fn add(&self, shares: &mut Vec<(usize, f64)>, vertices: &[u32; 3], at: &Place, sign: f64) {
        for (vertex, corner) in vertices.iter().zip(at.corners) {
            let number = self.starts.partition_point(|s| s <= vertex) - 1;
            let Some(influences) = self.influences.get(number).copied().flatten() else { continue };
            let k = influences.per_vertex;
            let local = (vertex - self.starts[number]) as usize;
            let joints = influences.joints.get(local * k..(local + 1) * k).unwrap_or_default();
            let weights = influences.weights.get(local * k..(local + 1) * k).unwrap_or_default();
            for (joint, weight) in joints.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
                let share = f64::from(*weight) * corner * sign;
                let bone = self.numbers.get(usize::from(*joint)).copied().unwrap_or(usize::MAX);
                match shares.iter_mut().find(|(b, _)| *b == bone) {
                    Some((_, sum)) => *sum += share,
                    None => shares.push((bone, share)),
                }
            }
        }
    }
}

/// Triangles that answer which of their points is nearest: a bounding volume hierarchy.
struct Surface<'a> {
    skin: Skin<'a>,
    indices: &'a [u32],
    corners: Vec<[DVec3; 3]>,
    order: Vec<u32>,
    nodes: Vec<Node>,
}

struct Node {
    low: DVec3,
    high: DVec3,
    /// Leaf: the range of `order`.
    range: (u32, u32),
    /// Inner: the second child, the first follows its parent. Leaf: 0.
    second: u32,
}

impl<'a> Surface<'a> {
    fn new(pool: &'a Pool, skin: Skin<'a>) -> Self {
        let indices = pool.indices.as_slice();
        let point = |i: u32| DVec3::from(pool.positions[i as usize].map(f64::from));
        let corners: Vec<[DVec3; 3]> =
            indices.chunks_exact(3).map(|t| [point(t[0]), point(t[1]), point(t[2])]).collect();
        let order = (0..corners.len() as u32).collect();
        let mut surface = Self { skin, indices, corners, order, nodes: Vec::new() };
        if !surface.order.is_empty() {
            let centres: Vec<DVec3> = surface.corners.iter().map(|c| (c[0] + c[1] + c[2]) / 3.0).collect();
            surface.build(&centres, 0, surface.order.len());
        }
        surface
    }

    fn build(&mut self, centres: &[DVec3], start: usize, end: usize) {
        let index = self.nodes.len();
        let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        let (mut centre_low, mut centre_high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        for &t in &self.order[start..end] {
            for c in self.corners[t as usize] {
                (low, high) = (low.min(c), high.max(c));
            }
            let c = centres[t as usize];
            (centre_low, centre_high) = (centre_low.min(c), centre_high.max(c));
        }
        self.nodes.push(Node { low, high, range: (start as u32, end as u32), second: 0 });
        if end - start <= LEAF {
            return;
        }
        let axis = (centre_high - centre_low).max_position();
        let middle = usize::midpoint(start, end);
        self.order[start..end].select_nth_unstable_by(middle - start, |a, b| {
            centres[*a as usize][axis].total_cmp(&centres[*b as usize][axis]).then(a.cmp(b))
        });
        self.build(centres, start, middle);
        self.nodes[index].second = self.nodes.len() as u32;
        self.build(centres, middle, end);
    }

    fn vertices(&self, triangle: usize) -> [u32; 3] {
        std::array::from_fn(|i| self.indices[triangle * 3 + i])
    }

    fn point(&self, place: &Place) -> DVec3 {
        let [a, b, c] = self.corners[place.triangle];
        let [u, v, w] = place.corners;
        a * u + b * v + c * w
    }

    /// The nearest place and its distance; of equals the one that is found first, which does not depend on threads.
    fn nearest(&self, at: DVec3) -> (Place, f64) {
        let mut best = (f64::INFINITY, Place { triangle: 0, corners: [1.0, 0.0, 0.0] });
        let mut stack: Vec<(f64, u32)> = Vec::with_capacity(64);
        if let Some(root) = self.nodes.first() {
            stack.push((root.distance_squared(at), 0));
        }
        while let Some((distance, index)) = stack.pop() {
            if distance >= best.0 {
                continue;
            }
            let node = &self.nodes[index as usize];
            if node.second == 0 {
                for &t in &self.order[node.range.0 as usize..node.range.1 as usize] {
                    let corners = nearest_in(&self.corners[t as usize], at);
                    let place = Place { triangle: t as usize, corners };
                    let distance = self.point(&place).distance_squared(at);
                    if distance < best.0 {
                        best = (distance, place);
                    }
                }
                continue;
            }
            let children = [index + 1, node.second].map(|i| (self.nodes[i as usize].distance_squared(at), i));
            let [near, far] =
                if children[0].0 <= children[1].0 { children } else { [children[1], children[0]] };
            stack.extend([far, near]);
        }
        (best.1, best.0.sqrt())
    }

    /// Places spread by area: one in each of `count` equal shares of it.
    fn sample(&self, count: usize) -> Vec<Place> {
        let area = |c: &[DVec3; 3]| (c[1] - c[0]).cross(c[2] - c[0]).length();
        let step = self.corners.iter().map(area).sum::<f64>() / count as f64;
        let mut random = SplitMix::new(0);
        let mut places = Vec::with_capacity(count);
        let (mut triangle, mut passed) = (0, 0.0);
        for k in 0..count {
            let target = (k as f64 + random.unit()) * step;
            let (r, s) = (random.unit().sqrt(), random.unit());
            while triangle + 1 < self.corners.len() && passed + area(&self.corners[triangle]) < target {
                passed += area(&self.corners[triangle]);
                triangle += 1;
            }
            places.push(Place { triangle, corners: [1.0 - r, r * (1.0 - s), r * s] });
        }
        places
    }

    /// Corners of triangles, each vertex once, thinned evenly where there are very many.
    fn some_corners(&self) -> Vec<Place> {
        let last = self.indices.iter().copied().max().map_or(0, |v| v as usize + 1);
        let mut seen = vec![false; last];
        let mut places = Vec::new();
        for (at, vertex) in self.indices.iter().enumerate() {
            if !std::mem::replace(&mut seen[*vertex as usize], true) {
                let mut corners = [0.0; 3];
                corners[at % 3] = 1.0;
                places.push(Place { triangle: at / 3, corners });
            }
        }
        let stride = places.len().div_ceil(VERTICES).max(1);
        places.into_iter().step_by(stride).collect()
    }
}

impl Node {
    fn distance_squared(&self, at: DVec3) -> f64 {
        (self.low - at).max(at - self.high).max(DVec3::ZERO).length_squared()
    }
}

/// Weights of the corners for the point of a triangle that is nearest (Ericson 2005, "Real-Time Collision Detection", §5.1.5).
fn nearest_in([a, b, c]: &[DVec3; 3], p: DVec3) -> [f64; 3] {
    let (ab, ac, ap) = (*b - *a, *c - *a, p - *a);
    let (d1, d2) = (ab.dot(ap), ac.dot(ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return [1.0, 0.0, 0.0];
    }
    let bp = p - *b;
    let (d3, d4) = (ab.dot(bp), ac.dot(bp));
    if d3 >= 0.0 && d4 <= d3 {
        return [0.0, 1.0, 0.0];
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        let v = d1 / (d1 - d3);
        return [1.0 - v, v, 0.0];
    }
    let cp = p - *c;
    let (d5, d6) = (ab.dot(cp), ac.dot(cp));
    if d6 >= 0.0 && d5 <= d6 {
        return [0.0, 0.0, 1.0];
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        let w = d2 / (d2 - d6);
        return [1.0 - w, 0.0, w];
    }
    let va = d3 * d6 - d5 * d4;
    if va <= 0.0 && d4 - d3 >= 0.0 && d5 - d6 >= 0.0 {
        let w = (d4 - d3) / ((d4 - d3) + (d5 - d6));
        return [0.0, 1.0 - w, w];
    }
    let sum = va + vb + vc;
    if sum == 0.0 { [1.0, 0.0, 0.0] } else { [va / sum, vb / sum, vc / sum] }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point() -> impl Strategy<Value = DVec3> {
        (-1.0..1.0_f64, -1.0..1.0_f64, -1.0..1.0_f64).prop_map(DVec3::from)
    }

    proptest! {
        #[test]
        fn no_other_point_of_the_triangle_is_nearer(a in point(), b in point(), c in point(), p in point()) {
            let corners = [a, b, c];
            let at = |w: [f64; 3]| a * w[0] + b * w[1] + c * w[2];
            let found = nearest_in(&corners, p);
            prop_assert!(found.iter().all(|w| *w >= -1e-9) && (found.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let distance = at(found).distance(p);
            for i in 0..=20 {
                for j in 0..=20 - i {
                    let (u, v) = (f64::from(i) / 20.0, f64::from(j) / 20.0);
                    prop_assert!(at([1.0 - u - v, u, v]).distance(p) >= distance - 1e-9);
                }
            }
        }

        #[test]
        fn the_hierarchy_finds_the_distance_that_a_full_search_finds(
            points in prop::collection::vec(point(), 3..90),
            at in point(),
        ) {
            let corners: Vec<[DVec3; 3]> =
                points.chunks_exact(3).map(|t| [t[0], t[1], t[2]]).collect();
            let indices: Vec<u32> = (0..corners.len() as u32 * 3).collect();
            let order = (0..corners.len() as u32).collect();
            let skin = Skin { influences: Vec::new(), starts: &[], numbers: Vec::new() };
            let mut surface = Surface { skin, indices: &indices, corners, order, nodes: Vec::new() };
            let centres: Vec<DVec3> = surface.corners.iter().map(|c| (c[0] + c[1] + c[2]) / 3.0).collect();
            surface.build(&centres, 0, centres.len());
            let full = (0..centres.len())
                .map(|t| surface.point(&Place { triangle: t, corners: nearest_in(&surface.corners[t], at) }))
                .map(|q| q.distance(at))
                .fold(f64::INFINITY, f64::min);
            prop_assert!((surface.nearest(at).1 - full).abs() < 1e-12);
        }
    }
}
