//! Which triangles a segment crosses: a bounding volume hierarchy over triangles.
//!
//! Built by splitting at the median of the longest axis; queried with the segment–box slab test and the
//! Möller–Trumbore triangle test (1997).

use glam::DVec3;

/// Triangles of a leaf.
const LEAF: usize = 4;

/// The hierarchy; triangles are answered by their index in the list it was built from.
pub struct Bvh {
    nodes: Vec<Node>,
    order: Vec<u32>,
    corners: Vec<[DVec3; 3]>,
}

struct Node {
    lo: DVec3,
    hi: DVec3,
    /// Leaf: the range of `order`. Inner: the second child; the first follows its parent.
    range: (u32, u32),
    second: u32,
}

impl Bvh {
    /// Over the given triangles.
    pub fn new(vertices: &[DVec3], triangles: &[[u32; 3]]) -> Self {
        let corners: Vec<[DVec3; 3]> = triangles.iter().map(|t| t.map(|i| vertices[i as usize])).collect();
        let mut bvh = Self { nodes: Vec::new(), order: (0..corners.len() as u32).collect(), corners };
        if !bvh.order.is_empty() {
            let centres: Vec<DVec3> = bvh.corners.iter().map(|c| (c[0] + c[1] + c[2]) / 3.0).collect();
            bvh.build(&centres, 0, bvh.order.len());
        }
        bvh
    }

    fn build(&mut self, centres: &[DVec3], start: usize, end: usize) {
        let (mut lo, mut hi) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        let (mut centre_lo, mut centre_hi) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        for &t in &self.order[start..end] {
            for c in self.corners[t as usize] {
                (lo, hi) = (lo.min(c), hi.max(c));
            }
            let c = centres[t as usize];
            (centre_lo, centre_hi) = (centre_lo.min(c), centre_hi.max(c));
        }
        let index = self.nodes.len();
        self.nodes.push(Node { lo, hi, range: (start as u32, end as u32), second: 0 });
        if end - start <= LEAF {
            return;
        }
        let axis = (centre_hi - centre_lo).max_position();
        let middle = usize::midpoint(start, end);
        self.order[start..end].select_nth_unstable_by(middle - start, |a, b| {
            centres[*a as usize][axis].total_cmp(&centres[*b as usize][axis]).then(a.cmp(b))
        });
        self.build(centres, start, middle);
        self.nodes[index].second = self.nodes.len() as u32;
        self.build(centres, middle, end);
    }

    /// Calls `hit` with each triangle that the segment from `a` to `b` crosses.
    pub fn crossings(&self, a: DVec3, b: DVec3, mut hit: impl FnMut(usize)) {
        let along = b - a;
        let inverse = DVec3::ONE / along;
        let mut stack = [0_u32; 64];
        let mut depth = usize::from(!self.nodes.is_empty());
        while depth > 0 {
            depth -= 1;
            let index = stack[depth];
            let node = &self.nodes[index as usize];
            if !node.touches(a, inverse) {
                continue;
            }
            if node.second == 0 {
                for &t in &self.order[node.range.0 as usize..node.range.1 as usize] {
                    if crosses(&self.corners[t as usize], a, along) {
                        hit(t as usize);
                    }
                }
            } else {
                stack[depth] = node.second;
                stack[depth + 1] = index + 1;
                depth += 2;
            }
        }
    }
}

impl Node {
    /// Slab test. A direction parallel to a slab divides by zero and gives infinities, which compare as they should;
    /// `min` and `max` drop the NaN of a start exactly on the slab.
    fn touches(&self, a: DVec3, inverse: DVec3) -> bool {
        let t0 = (self.lo - a) * inverse;
        let t1 = (self.hi - a) * inverse;
        let near = f64::max(f64::max(t0.x.min(t1.x), t0.y.min(t1.y)), t0.z.min(t1.z));
        let far = f64::min(f64::min(t0.x.max(t1.x), t0.y.max(t1.y)), t0.z.max(t1.z));
        near <= far.min(1.0) && far >= 0.0
    }
}

fn crosses(corners: &[DVec3; 3], a: DVec3, along: DVec3) -> bool {
    let (e1, e2) = (corners[1] - corners[0], corners[2] - corners[0]);
    let p = along.cross(e2);
    let determinant = e1.dot(p);
    if determinant == 0.0 {
        return false;
    }
    let s = a - corners[0];
    let u = s.dot(p) / determinant;
    let q = s.cross(e1);
    let v = along.dot(q) / determinant;
    let t = e2.dot(q) / determinant;
    u >= 0.0 && v >= 0.0 && u + v <= 1.0 && (0.0..=1.0).contains(&t)
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
        fn the_hierarchy_finds_what_a_full_search_finds(
            vertices in prop::collection::vec(point(), 3..120),
            a in point(),
            b in point(),
        ) {
            let triangles: Vec<[u32; 3]> =
                (0..vertices.len() as u32 / 3).map(|i| [3 * i, 3 * i + 1, 3 * i + 2]).collect();
            let expected: Vec<usize> = triangles
                .iter()
                .enumerate()
                .filter(|(_, t)| crosses(&t.map(|i| vertices[i as usize]), a, b - a))
                .map(|(i, _)| i)
                .collect();
            let mut found = Vec::new();
            Bvh::new(&vertices, &triangles).crossings(a, b, |t| found.push(t));
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
