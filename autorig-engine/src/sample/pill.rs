//! Boxes with round edges, drums, capsules and balls as one family of closed meshes.

use std::collections::BTreeMap;

use glam::DVec3;

use super::polygonise::Surface;

/// The sum of a box and an ellipsoid: a box with bevels, a drum, a capsule or a ball.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pill {
    /// Half sizes of the box.
    pub(super) inner: DVec3,
    /// Half axes of the ellipsoid.
    pub(super) bevel: DVec3,
}

/// A grid line across one axis: where on the box, and how far over its edge.
type Line = (f64, f64);

impl Pill {
    /// Lines across each axis for segments of about `length`.
    fn lines(&self, length: f64) -> [Vec<Line>; 3] {
        let widest = self.bevel.max_element();
        let rounds = (std::f64::consts::FRAC_PI_4 * widest / length).round() as usize;
        std::array::from_fn(|axis| {
            let inner = self.inner[axis];
            let flats = (2.0 * inner / length).round().max(1.0) as usize;
            if rounds == 0 {
                // A plain box as big as the rounded one.
                let half = inner + if inner > 0.0 { 1.0 } else { 0.8 } * self.bevel[axis];
                return (0..=flats).map(|i| (half * (2.0 * i as f64 / flats as f64 - 1.0), 0.0)).collect();
            }
            let over = |i: usize| libm::tan(std::f64::consts::FRAC_PI_4 * i as f64 / rounds as f64);
            let mut lines: Vec<Line> = (0..=rounds).rev().map(|i| (-inner, -over(i))).collect();
            if inner > 0.0 {
                lines.extend((1..flats).map(|i| (inner * (2.0 * i as f64 / flats as f64 - 1.0), 0.0)));
                lines.push((inner, 0.0));
            }
            lines.extend((1..=rounds).map(|i| (inner, over(i))));
            lines
        })
    }

    /// Triangles of [`Pill::mesh`] without making it.
    pub(super) fn count(&self, length: f64) -> usize {
        let [x, y, z] = self.lines(length).map(|lines| lines.len() - 1);
        4 * (x * y + y * z + z * x)
    }

    /// The closed surface with segments of about `length`, about the origin.
    pub(super) fn mesh(&self, length: f64) -> Surface {
        let lines = self.lines(length);
        let last = [0, 1, 2].map(|axis| lines[axis].len() - 1);
        let mut surface = Surface::default();
        let mut known: BTreeMap<[u32; 3], u32> = BTreeMap::new();
        for axis in 0..3 {
            let (b, c) = ((axis + 1) % 3, (axis + 2) % 3);
            for end in [0, last[axis]] {
                let mut corner = |i: usize, j: usize| {
                    let mut at = [0; 3];
                    (at[axis], at[b], at[c]) = (end, i, j);
                    let border = i == 0 || j == 0 || i == last[b] || j == last[c];
                    let mut make = || {
                        surface.positions.push(self.point(&lines, at));
                        surface.positions.len() as u32 - 1
                    };
                    // Only vertices on the edges of the cube belong to more than one side.
                    if border { *known.entry(at.map(|i| i as u32)).or_insert_with(make) } else { make() }
                };
                let vertices: Vec<Vec<u32>> =
                    (0..=last[b]).map(|i| (0..=last[c]).map(|j| corner(i, j)).collect()).collect();
                for pair in vertices.windows(2) {
                    for j in 0..last[c] {
                        let [p, q, r, s] = [pair[0][j], pair[1][j], pair[1][j + 1], pair[0][j + 1]];
                        let quad = if end == 0 { [p, s, r, q] } else { [p, q, r, s] };
                        surface.triangles.extend([[quad[0], quad[1], quad[2]], [quad[0], quad[2], quad[3]]]);
                    }
                }
            }
        }
        surface
    }

    fn point(&self, lines: &[Vec<Line>; 3], at: [usize; 3]) -> DVec3 {
        let line = |axis: usize| lines[axis][at[axis]];
        let on_box = DVec3::from_array([0, 1, 2].map(|axis| line(axis).0));
        let over = DVec3::from_array([0, 1, 2].map(|axis| line(axis).1));
        on_box + self.bevel * over.normalize_or_zero()
    }
}
