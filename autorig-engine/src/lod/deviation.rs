//! How far a level is from its original: distances between the surfaces and between their skins, both ways.

use std::collections::BTreeMap;

use glam::DVec3;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::pool::Pool;
use crate::{Character, Code, Error, Result, analyse::bvh::Bvh, random::SplitMix, scene::Influences};

/// Points on each surface at which is measured.
const SAMPLES: usize = 20_000;
/// Vertices of the original that are measured beside, as the largest distances are found there.
const VERTICES: usize = 50_000;

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

/// The triangles of a pool, with the skin on them.
struct Surface<'a> {
    skin: Skin<'a>,
    indices: &'a [u32],
    bvh: Bvh,
}

impl<'a> Surface<'a> {
    fn new(pool: &'a Pool, skin: Skin<'a>) -> Self {
        let indices = pool.indices.as_slice();
        let vertices: Vec<DVec3> = pool.positions.iter().map(|p| DVec3::from(p.map(f64::from))).collect();
        let bvh = Bvh::new(&vertices, indices.as_chunks::<3>().0);
        Self { skin, indices, bvh }
    }

    fn vertices(&self, triangle: usize) -> [u32; 3] {
        std::array::from_fn(|i| self.indices[triangle * 3 + i])
    }

    fn point(&self, place: &Place) -> DVec3 {
        let [a, b, c] = self.bvh.triangles()[place.triangle];
        let [u, v, w] = place.corners;
        a * u + b * v + c * w
    }

    /// The nearest place and its distance.
    fn nearest(&self, at: DVec3) -> (Place, f64) {
        let found = self.bvh.nearest(at);
        let (triangle, corners, distance) = found.unwrap_or((0, [1.0, 0.0, 0.0], f64::INFINITY));
        (Place { triangle, corners }, distance)
    }

    /// Places spread by area: one in each of `count` equal shares of it.
    fn sample(&self, count: usize) -> Vec<Place> {
        let area = |c: &[DVec3; 3]| (c[1] - c[0]).cross(c[2] - c[0]).length();
        let triangles = self.bvh.triangles();
        let step = triangles.iter().map(area).sum::<f64>() / count as f64;
        let mut random = SplitMix::new(0);
        let mut places = Vec::with_capacity(count);
        let (mut triangle, mut passed) = (0, 0.0);
        for k in 0..count {
            let target = (k as f64 + random.unit()) * step;
            let (r, s) = (random.unit().sqrt(), random.unit());
            while triangle + 1 < triangles.len() && passed + area(&triangles[triangle]) < target {
                passed += area(&triangles[triangle]);
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
