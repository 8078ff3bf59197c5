//! Which bone each vertex sees: the sources of heat.

use glam::DVec3;
use rayon::prelude::*;

use super::{bones::Bone, proxy::Proxy};
use crate::analyse::{bvh::Bvh, solid::Solid};

/// Bones that may be a vertex's source, by distance.
const CANDIDATES: usize = 3;
/// A metre outside the solid counts as so many metres when asking which bone is nearest at all costs.
const OUTSIDE_COST: f64 = 5.0;

/// Which bone heats each vertex.
pub struct Sources {
    /// Bone and distance of the source; `None` where no near bone is in sight.
    pub source: Vec<Option<(usize, f64)>>,
    /// The bone nearest when the way outside the solid is dear, for every vertex.
    pub hard: Vec<usize>,
}

/// What can be seen from where; depends on the mesh alone.
pub struct Sight {
    bvh: Bvh,
}

impl Sight {
    /// Over the triangles of the proxy.
    pub fn new(proxy: &Proxy) -> Self {
        Self { bvh: Bvh::new(&proxy.vertices, &proxy.triangles) }
    }

    /// The sources of each vertex of the proxy this was made from; at least one bone.
    pub fn find(&self, proxy: &Proxy, bones: &[Bone], solid: &Solid) -> Sources {
        let view = View { proxy, bvh: &self.bvh, solid };
        let found: Vec<(Option<(usize, f64)>, usize)> =
            (0..proxy.vertices.len()).into_par_iter().map(|v| view.find_source(v, bones)).collect();
        Sources { source: found.iter().map(|f| f.0).collect(), hard: found.iter().map(|f| f.1).collect() }
    }
}

struct View<'a> {
    proxy: &'a Proxy,
    bvh: &'a Bvh,
    solid: &'a Solid,
}

impl View<'_> {
    /// (rank, distance, bone) of all bones, best first.
    fn ranked(&self, vertex: usize, bones: &[Bone]) -> Vec<(f64, f64, usize)> {
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
        ranked
    }

    fn first_seen(
        &self,
        vertex: usize,
        ranked: &[(f64, f64, usize)],
        bones: &[Bone],
    ) -> Option<(usize, f64)> {
        let v = self.proxy.vertices[vertex];
        ranked
            .iter()
            .take(CANDIDATES)
            .find(|(_, _, b)| self.sees(vertex, bones[*b].nearest(v)))
            .map(|&(_, distance, b)| (b, distance))
    }

    fn find_source(&self, vertex: usize, bones: &[Bone]) -> (Option<(usize, f64)>, usize) {
        let v = self.proxy.vertices[vertex];
        let mut ranked = self.ranked(vertex, bones);
        let source = self.first_seen(vertex, &ranked, bones);
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
