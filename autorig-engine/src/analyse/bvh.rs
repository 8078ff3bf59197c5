//! Which triangles a segment crosses, and which point of them is nearest: a bounding volume hierarchy over triangles.
//!
//! Built by splitting at the median of the longest axis; queried with the segment–box slab test and the
//! Möller–Trumbore triangle test (1997), or from the nearer box to the farther.

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

    /// The triangles' corners, in the order of the list it was built from.
    pub fn triangles(&self) -> &[[DVec3; 3]] {
        &self.corners
    }

    /// The point nearest to `at`: its triangle, the weights of the corners, and the distance; of equals the one that is
    /// found first, which does not depend on threads. `None` without triangles.
    pub fn nearest(&self, at: DVec3) -> Option<(usize, [f64; 3], f64)> {
        let mut best: Option<(usize, [f64; 3], f64)> = None;
        let mut stack: Vec<(f64, u32)> = Vec::with_capacity(64);
        stack.extend(self.nodes.first().map(|root| (root.distance_squared(at), 0)));
        while let Some((distance, index)) = stack.pop() {
            if best.is_some_and(|(_, _, nearest)| distance >= nearest) {
                continue;
            }
            let node = &self.nodes[index as usize];
            if node.second == 0 {
                for &t in &self.order[node.range.0 as usize..node.range.1 as usize] {
                    let corners = &self.corners[t as usize];
                    let weights = nearest_in(corners, at);
                    let point = corners[0] * weights[0] + corners[1] * weights[1] + corners[2] * weights[2];
                    let distance = point.distance_squared(at);
                    if best.is_none_or(|(_, _, nearest)| distance < nearest) {
                        best = Some((t as usize, weights, distance));
                    }
                }
                continue;
            }
            let children = [index + 1, node.second].map(|i| (self.nodes[i as usize].distance_squared(at), i));
            let [near, far] =
                if children[0].0 <= children[1].0 { children } else { [children[1], children[0]] };
            stack.extend([far, near]);
        }
        best.map(|(triangle, weights, distance)| (triangle, weights, distance.sqrt()))
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

    fn distance_squared(&self, at: DVec3) -> f64 {
        (self.lo - at).max(at - self.hi).max(DVec3::ZERO).length_squared()
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
            vertices in prop::collection::vec(point(), 3..120),
            at in point(),
        ) {
            let triangles: Vec<[u32; 3]> =
                (0..vertices.len() as u32 / 3).map(|i| [3 * i, 3 * i + 1, 3 * i + 2]).collect();
            let bvh = Bvh::new(&vertices, &triangles);
            let place = |corners: &[DVec3; 3], w: [f64; 3]| {
                corners[0] * w[0] + corners[1] * w[1] + corners[2] * w[2]
            };
            let distances = bvh.triangles().iter().map(|c| place(c, nearest_in(c, at)).distance(at));
            let full = distances.fold(f64::INFINITY, f64::min);
            let (triangle, weights, distance) = bvh.nearest(at).unwrap();
            prop_assert!((distance - full).abs() < 1e-12);
            prop_assert!((place(&bvh.triangles()[triangle], weights).distance(at) - full).abs() < 1e-12);
        }
    }
}
