//! Merging positions that are meant to be one.

use glam::DVec3;

/// Marks a position that is none: NaN or infinite.
pub const UNUSED: u32 = u32::MAX;

/// Edge of a cell of the search grid, in reaches: large enough that most balls lie in one cell.
const CELL: f64 = 8.0;
/// Ends a list.
const NONE: u32 = u32::MAX;

/// Merges positions in order: each joins the earliest vertex within `reach`, or is a vertex of its own. Answers the
/// vertices, by first appearance, and the vertex of each position, [`UNUSED`] where that is not finite.
///
/// Distance alone decides, not the cells of a grid, so a turned or moved file merges the same positions. Vertices are at
/// least `reach` apart, so a chain of close positions does not shrink to one, and a cell holds a bounded number of them.
pub fn merge(positions: &[DVec3], reach: f64) -> (Vec<DVec3>, Vec<u32>) {
    let mut grid = Grid::new(positions, reach);
    let mut of_position = vec![UNUSED; positions.len()];
    for (p, vertex) in positions.iter().zip(&mut of_position) {
        if p.is_finite() {
            *vertex = grid.find(*p).unwrap_or_else(|| grid.insert(*p));
        }
    }
    (grid.vertices, of_position)
}

/// Vertices in buckets by the hash of their cell; vertices of other cells in a bucket do no harm, distance decides.
struct Grid {
    origin: DVec3,
    reach: f64,
    vertices: Vec<DVec3>,
    /// The latest vertex of each bucket; a power of two of them.
    heads: Vec<u32>,
    /// The one before in the same bucket.
    next: Vec<u32>,
}

impl Grid {
    fn new(positions: &[DVec3], reach: f64) -> Self {
        let origin = positions.iter().copied().find(|p| p.is_finite()).unwrap_or(DVec3::ZERO);
        let buckets = positions.len().max(1).next_power_of_two();
        Self { origin, reach, vertices: Vec::new(), heads: vec![NONE; buckets], next: Vec::new() }
    }

    /// The cell of a position moved by so many reaches.
    fn cell(&self, p: DVec3, reaches: f64) -> [i64; 3] {
        let q = ((p - self.origin) / (self.reach * CELL) + reaches / CELL).floor();
        [q.x as i64, q.y as i64, q.z as i64]
    }

    fn bucket(&self, [x, y, z]: [i64; 3]) -> usize {
        let mix = (x as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ (y as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
            ^ (z as u64).wrapping_mul(0x1656_67B1_9E37_79F9);
        ((mix ^ (mix >> 32)) as usize) & (self.heads.len() - 1)
    }

    /// The earliest vertex within reach.
    fn find(&self, p: DVec3) -> Option<u32> {
        let (lo, hi) = (self.cell(p, -1.0), self.cell(p, 1.0));
        let mut earliest = NONE;
        for z in lo[2]..=hi[2] {
            for y in lo[1]..=hi[1] {
                for x in lo[0]..=hi[0] {
                    let mut vertex = self.heads[self.bucket([x, y, z])];
                    while vertex != NONE {
                        let near =
                            self.vertices[vertex as usize].distance_squared(p) <= self.reach * self.reach;
                        if near && vertex < earliest {
                            earliest = vertex;
                        }
                        vertex = self.next[vertex as usize];
                    }
                }
            }
        }
        (earliest != NONE).then_some(earliest)
    }

    fn insert(&mut self, p: DVec3) -> u32 {
        let (vertex, bucket) = (self.vertices.len() as u32, self.bucket(self.cell(p, 0.0)));
        self.next.push(std::mem::replace(&mut self.heads[bucket], vertex));
        self.vertices.push(p);
        vertex
    }
}

#[cfg(test)]
mod tests {
    use glam::DQuat;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn positions_join_the_earliest_vertex_within_reach_however_they_are_turned(
            points in prop::collection::vec((-9..9_i32, -3..3_i32, -3..3_i32), 1..150),
            angles in (-3.0..3.0_f64, -3.0..3.0_f64),
        ) {
            // Neighbours on this lattice are 0.7 or more apart; none is near the reach.
            let points: Vec<DVec3> =
                points.into_iter().map(|(x, y, z)| DVec3::new(x.into(), y.into(), z.into()) * 0.7).collect();
            let (reach, mut vertices, mut expected) = (0.8, Vec::<DVec3>::new(), Vec::new());
            for p in &points {
                let found = vertices.iter().position(|v| v.distance(*p) <= reach);
                expected.push(found.unwrap_or(vertices.len()) as u32);
                if found.is_none() {
                    vertices.push(*p);
                }
            }
            let turn = DQuat::from_rotation_x(angles.0) * DQuat::from_rotation_z(angles.1);
            for turn in [DQuat::IDENTITY, turn] {
                let turned: Vec<DVec3> = points.iter().map(|p| turn * *p).collect();
                let (merged, of_position) = merge(&turned, reach);
                prop_assert_eq!(&of_position, &expected);
                prop_assert_eq!(merged.len(), vertices.len());
            }
        }
    }

    #[test]
    fn what_is_no_position_is_no_vertex() {
        let (vertices, of_position) = merge(&[DVec3::NAN, DVec3::ONE, DVec3::INFINITY], 0.1);
        assert_eq!((vertices, of_position), (vec![DVec3::ONE], vec![UNUSED, 0, UNUSED]));
    }

    #[test]
    fn a_chain_of_close_positions_does_not_shrink_to_one() {
        let chain: Vec<DVec3> = (0..100).map(|i| DVec3::X * f64::from(i) * 0.6).collect();
        assert_eq!(merge(&chain, 1.0).0.len(), 50);
    }
}
