//! Nearest neighbours among points, by a uniform grid.

use glam::{DVec3, IVec3};

/// Points a cell holds on average.
const PER_CELL: f64 = 2.0;

/// A grid of points that answers which is nearest.
pub struct Nearest {
    origin: DVec3,
    cell: f64,
    size: IVec3,
    /// Where each cell's points begin in `order`; one more at the end.
    starts: Vec<u32>,
    order: Vec<u32>,
    points: Vec<DVec3>,
}

impl Nearest {
    /// Over the given points, which are answered by their index.
    pub fn new(points: Vec<DVec3>) -> Self {
        let (lo, hi) = points
            .iter()
            .fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(lo, hi), p| (lo.min(*p), hi.max(*p)));
        let (lo, extent) = if points.is_empty() { (DVec3::ZERO, DVec3::ONE) } else { (lo, hi - lo) };
        let longest = extent.max_element().max(f64::MIN_POSITIVE);
        // Points lie on surfaces, so cells are chosen as if they filled a square of the longest side.
        let cells = (points.len() as f64 / PER_CELL).sqrt().clamp(1.0, 256.0);
        let cell = longest / cells;
        let size = (extent / cell).floor().as_ivec3() + IVec3::ONE;
        let mut grid = Self {
            origin: lo,
            cell,
            size,
            starts: vec![0; (size.x * size.y * size.z) as usize + 1],
            order: Vec::new(),
            points,
        };
        let cells: Vec<usize> = grid.points.iter().map(|p| grid.index(grid.cell_of(*p))).collect();
        for &c in &cells {
            grid.starts[c + 1] += 1;
        }
        for i in 1..grid.starts.len() {
            grid.starts[i] += grid.starts[i - 1];
        }
        let mut next = grid.starts.clone();
        grid.order = vec![0; cells.len()];
        for (i, &c) in cells.iter().enumerate() {
            grid.order[next[c] as usize] = i as u32;
            next[c] += 1;
        }
        grid
    }

    /// Index and distance of the nearest point; of equals the first. `None` without points.
    pub fn nearest(&self, at: DVec3) -> Option<(usize, f64)> {
        let centre = self.cell_of(at);
        let reach = self.size.max_element();
        let mut best: Option<(f64, u32)> = None;
        for ring in 0..=reach {
            // Cells of this ring are at least so far away, counted from the clamped cell of the query.
            if let Some((d, _)) = best
                && d.sqrt() < (f64::from(ring) - 1.0) * self.cell
            {
                break;
            }
            self.visit_ring(centre, ring, |i| {
                let d = self.points[i as usize].distance_squared(at);
                if best.is_none_or(|b| (d, i) < b) {
                    best = Some((d, i));
                }
            });
        }
        best.map(|(d, i)| (i as usize, d.sqrt()))
    }

    fn cell_of(&self, p: DVec3) -> IVec3 {
        ((p - self.origin) / self.cell).floor().as_ivec3().clamp(IVec3::ZERO, self.size - IVec3::ONE)
    }

    fn index(&self, c: IVec3) -> usize {
        ((c.z * self.size.y + c.y) * self.size.x + c.x) as usize
    }

    /// Points in the cells whose largest coordinate difference to `centre` is `ring`.
    fn visit_ring(&self, centre: IVec3, ring: i32, mut visit: impl FnMut(u32)) {
        let lo = (centre - IVec3::splat(ring)).max(IVec3::ZERO);
        let hi = (centre + IVec3::splat(ring)).min(self.size - IVec3::ONE);
        for z in lo.z..=hi.z {
            for y in lo.y..=hi.y {
                let face = (z - centre.z).abs() == ring || (y - centre.y).abs() == ring;
                let mut x = lo.x;
                while x <= hi.x {
                    if face || (x - centre.x).abs() == ring {
                        let c = self.index(IVec3::new(x, y, z));
                        for &i in &self.order[self.starts[c] as usize..self.starts[c + 1] as usize] {
                            visit(i);
                        }
                        x += 1;
                    } else {
                        x = (centre.x + ring).max(x + 1);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_nearest_point_is_the_one_a_full_search_finds(
            points in prop::collection::vec((-5.0..5.0_f64, -1.0..1.0_f64, -0.1..0.1_f64), 1..200),
            at in (-9.0..9.0_f64, -9.0..9.0_f64, -9.0..9.0_f64),
        ) {
            let points: Vec<DVec3> = points.into_iter().map(DVec3::from).collect();
            let at = DVec3::from(at);
            let expected = points.iter().map(|p| p.distance_squared(at)).fold(f64::INFINITY, f64::min).sqrt();
            let (_, distance) = Nearest::new(points).nearest(at).unwrap();
            prop_assert!((distance - expected).abs() < 1e-9);
        }
    }
}
