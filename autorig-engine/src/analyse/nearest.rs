//! Nearest neighbours among points, by a k-d tree (Bentley 1975).
//!
//! A tree rather than a grid, because a stray vertex far away would leave all the others in one cell.

use glam::DVec3;

/// Points of a leaf.
const LEAF: usize = 8;

/// Points that answer which of them is nearest.
pub struct Nearest {
    nodes: Vec<Node>,
    /// Indices of the points, leaf by leaf.
    order: Vec<u32>,
    /// The points in that order.
    sorted: Vec<DVec3>,
}

struct Node {
    /// Inner: the axis and where it is split. Leaf: unused.
    axis: usize,
    split: f64,
    /// Leaf: its range of `order`. Inner: unused.
    range: (u32, u32),
    /// Inner: the child on the far side; the near one follows its parent. Leaf: 0.
    second: u32,
}

impl Nearest {
    /// Over the given points, which are answered by their index. They must be finite.
    pub fn new(points: Vec<DVec3>) -> Self {
        let mut tree = Self { nodes: Vec::new(), order: (0..points.len() as u32).collect(), sorted: points };
        if !tree.order.is_empty() {
            let points = std::mem::take(&mut tree.sorted);
            tree.build(&points, 0, points.len());
            tree.sorted = tree.order.iter().map(|&i| points[i as usize]).collect();
        }
        tree
    }

    /// Index and distance of the nearest point; of equals the first. `None` without points.
    pub fn nearest(&self, at: DVec3) -> Option<(usize, f64)> {
        if self.nodes.is_empty() {
            return None;
        }
        let mut best = (f64::INFINITY, u32::MAX);
        self.search(0, at, &mut best);
        (best.1 != u32::MAX).then(|| (best.1 as usize, best.0.sqrt()))
    }

    fn build(&mut self, points: &[DVec3], start: usize, end: usize) {
        let index = self.nodes.len();
        self.nodes.push(Node { axis: 0, split: 0.0, range: (start as u32, end as u32), second: 0 });
        if end - start <= LEAF {
            return;
        }
        let (mut lo, mut hi) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        for &i in &self.order[start..end] {
            (lo, hi) = (lo.min(points[i as usize]), hi.max(points[i as usize]));
        }
        let axis = (hi - lo).max_position();
        let middle = usize::midpoint(start, end);
        let (_, median, _) = self.order[start..end].select_nth_unstable_by(middle - start, |a, b| {
            points[*a as usize][axis].total_cmp(&points[*b as usize][axis]).then(a.cmp(b))
        });
        let split = points[*median as usize][axis];
        self.build(points, start, middle);
        let second = self.nodes.len() as u32;
        self.nodes[index] = Node { axis, split, range: (0, 0), second };
        self.build(points, middle, end);
    }

    fn search(&self, index: usize, at: DVec3, best: &mut (f64, u32)) {
        let node = &self.nodes[index];
        if node.second == 0 {
            for i in node.range.0 as usize..node.range.1 as usize {
                let candidate = (self.sorted[i].distance_squared(at), self.order[i]);
                if candidate < *best {
                    *best = candidate;
                }
            }
            return;
        }
        let across = at[node.axis] - node.split;
        let (near, far) =
            if across < 0.0 { (index + 1, node.second as usize) } else { (node.second as usize, index + 1) };
        self.search(near, at, best);
        // Points on the splitting plane lie on both sides, so equal distances are looked at too.
        if across * across <= best.0 {
            self.search(far, at, best);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_nearest_point_is_the_first_of_those_a_full_search_finds(
            points in prop::collection::vec((-5..5_i32, -1..2_i32, -1..1_i32), 1..200),
            at in (-9.0..9.0_f64, -9.0..9.0_f64, -9.0..9.0_f64),
        ) {
            // Whole numbers, so that many points coincide.
            let points: Vec<DVec3> =
                points.into_iter().map(|(x, y, z)| DVec3::new(x.into(), y.into(), z.into())).collect();
            let at = DVec3::from(at);
            let distance = |i: usize| points[i].distance_squared(at);
            let expected = (0..points.len()).fold(0, |b, i| if distance(i) < distance(b) { i } else { b });
            let (found, far) = Nearest::new(points.clone()).nearest(at).unwrap();
            prop_assert_eq!(found, expected);
            prop_assert!((far - distance(expected).sqrt()).abs() < 1e-12);
        }
    }

    #[test]
    fn without_points_there_is_no_nearest_one() {
        assert!(Nearest::new(Vec::new()).nearest(DVec3::ZERO).is_none());
    }
}
