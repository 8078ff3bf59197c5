//! Simplification by edge collapse with quadric errors (Garland and Heckbert 1997), keeping a closed
//! manifold closed and manifold.

use std::{cmp::Reverse, collections::BinaryHeap};

use glam::{DMat3, DVec3};

use super::polygonise::Surface;

/// The sum of squared distances to planes.
#[derive(Debug, Clone, Copy)]
struct Quadric {
    a: DMat3,
    b: DVec3,
    c: f64,
}

impl Quadric {
    const ZERO: Self = Self { a: DMat3::ZERO, b: DVec3::ZERO, c: 0.0 };

    fn plane(normal: DVec3, point: DVec3, weight: f64) -> Self {
        let d = -normal.dot(point);
        let a = DMat3::from_cols(normal * normal.x, normal * normal.y, normal * normal.z);
        Self { a: a * weight, b: normal * (d * weight), c: d * d * weight }
    }

    fn plus(self, other: Self) -> Self {
        Self { a: self.a + other.a, b: self.b + other.b, c: self.c + other.c }
    }

    fn error(&self, p: DVec3) -> f64 {
        p.dot(self.a * p) + 2.0 * self.b.dot(p) + self.c
    }
}

/// A collapse waiting for its turn. Costs are never negative, so their bits order as they do.
type Candidate = Reverse<(u64, u32, u32, u32, u32)>;

struct Mesh {
    positions: Vec<DVec3>,
    quadrics: Vec<Quadric>,
    triangles: Vec<[u32; 3]>,
    alive: Vec<bool>,
    around: Vec<Vec<u32>>,
    version: Vec<u32>,
}

/// Collapses the cheapest edges until `wanted` triangles are left or nothing more can go.
pub(super) fn decimate(surface: Surface, wanted: usize) -> Surface {
    let mut mesh = Mesh::new(surface);
    let mut left = mesh.triangles.len();
    let mut heap: BinaryHeap<Candidate> = BinaryHeap::new();
    for t in 0..mesh.triangles.len() {
        let [a, b, c] = mesh.triangles[t];
        for (i, j) in [(a, b), (b, c), (c, a)] {
            if i < j {
                heap.push(mesh.candidate(i, j));
            }
        }
    }
    while left > wanted {
        let Some(Reverse((_, i, j, version_i, version_j))) = heap.pop() else { break };
        if mesh.version[i as usize] != version_i || mesh.version[j as usize] != version_j {
            continue;
        }
        if !mesh.collapse(i, j) {
            continue;
        }
        left -= 2;
        for k in mesh.neighbours(i) {
            heap.push(mesh.candidate(i, k));
        }
    }
    mesh.compact()
}

impl Mesh {
    fn new(surface: Surface) -> Self {
        let Surface { positions, triangles } = surface;
        let mut quadrics = vec![Quadric::ZERO; positions.len()];
        let mut around = vec![Vec::new(); positions.len()];
        for (t, corners) in triangles.iter().enumerate() {
            let [p, q, r] = corners.map(|i| positions[i as usize]);
            let cross = (q - p).cross(r - p);
            let quadric = Quadric::plane(cross.normalize_or_zero(), p, cross.length());
            for &i in corners {
                quadrics[i as usize] = quadrics[i as usize].plus(quadric);
                around[i as usize].push(t as u32);
            }
        }
        let version = vec![0; positions.len()];
        Self { alive: vec![true; triangles.len()], positions, quadrics, triangles, around, version }
    }

    /// Where the joined vertex goes and what that costs.
    fn best(&self, i: u32, j: u32) -> (DVec3, f64) {
        let (p, q) = (self.positions[i as usize], self.positions[j as usize]);
        let mut quadric = self.quadrics[i as usize].plus(self.quadrics[j as usize]);
        // A little pull to the middle keeps flat places even and the system solvable.
        let pull = 1e-3 * (quadric.a.col(0).x + quadric.a.col(1).y + quadric.a.col(2).z) + 1e-12;
        let middle = p.midpoint(q);
        quadric.a += DMat3::from_diagonal(DVec3::splat(pull));
        quadric.b -= middle * pull;
        quadric.c += pull * middle.length_squared();
        let solved = quadric.a.inverse() * -quadric.b;
        let at = if solved.is_finite() && solved.distance(middle) <= p.distance(q) { solved } else { middle };
        (at, quadric.error(at).max(0.0))
    }

    fn candidate(&self, i: u32, j: u32) -> Candidate {
        let (i, j) = (i.min(j), i.max(j));
        let (_, cost) = self.best(i, j);
        Reverse((cost.to_bits(), i, j, self.version[i as usize], self.version[j as usize]))
    }

    fn triangles_at(&self, i: u32) -> impl Iterator<Item = u32> + '_ {
        self.around[i as usize].iter().copied().filter(|t| self.alive[*t as usize])
    }

    fn neighbours(&self, i: u32) -> Vec<u32> {
        let mut found: Vec<u32> =
            self.triangles_at(i).flat_map(|t| self.triangles[t as usize]).filter(|k| *k != i).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Joins vertex `j` into `i`, unless that would pinch or fold the surface.
    fn collapse(&mut self, i: u32, j: u32) -> bool {
        let (near_i, near_j) = (self.neighbours(i), self.neighbours(j));
        let shared: Vec<u32> = near_i.iter().copied().filter(|k| near_j.binary_search(k).is_ok()).collect();
        let thin = shared.iter().any(|k| self.triangles_at(*k).count() < 4);
        if near_i.binary_search(&j).is_err() || shared.len() != 2 || thin || near_i.len() + near_j.len() < 8 {
            return false;
        }
        let (at, _) = self.best(i, j);
        if self.folds(i, j, at) || self.folds(j, i, at) {
            return false;
        }
        self.positions[i as usize] = at;
        self.quadrics[i as usize] = self.quadrics[i as usize].plus(self.quadrics[j as usize]);
        for t in std::mem::take(&mut self.around[j as usize]) {
            if !self.alive[t as usize] {
                continue;
            }
            let corners = &mut self.triangles[t as usize];
            if corners.contains(&i) {
                self.alive[t as usize] = false;
            } else {
                for corner in corners.iter_mut().filter(|c| **c == j) {
                    *corner = i;
                }
                self.around[i as usize].push(t);
            }
        }
        let alive = &self.alive;
        self.around[i as usize].retain(|t| alive[*t as usize]);
        self.version[i as usize] += 1;
        self.version[j as usize] += 1;
        true
    }

    /// Would a triangle at `i` that does not touch `j` turn over or thin out when `i` moves?
    fn folds(&self, i: u32, j: u32, at: DVec3) -> bool {
        self.triangles_at(i).any(|t| {
            let corners = self.triangles[t as usize];
            if corners.contains(&j) {
                return false;
            }
            let before = corners.map(|k| self.positions[k as usize]);
            let after = corners.map(|k| if k == i { at } else { self.positions[k as usize] });
            let cross = |[p, q, r]: [DVec3; 3]| (q - p).cross(r - p);
            let (old, new) = (cross(before), cross(after));
            let [p, q, r] = after;
            let longest = p.distance_squared(q).max(q.distance_squared(r)).max(r.distance_squared(p));
            old.dot(new) < 0.2 * old.length() * new.length() || new.length() < 0.05 * longest
        })
    }

    fn compact(self) -> Surface {
        let mut place = vec![u32::MAX; self.positions.len()];
        let mut out = Surface::default();
        for (corners, alive) in self.triangles.iter().zip(&self.alive) {
            if !alive {
                continue;
            }
            out.triangles.push(corners.map(|k| {
                let place = &mut place[k as usize];
                if *place == u32::MAX {
                    *place = out.positions.len() as u32;
                    out.positions.push(self.positions[k as usize]);
                }
                *place
            }));
        }
        out
    }
}
