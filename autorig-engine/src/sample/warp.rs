//! A stretch of space that gives hands, feet and head smaller cells than the trunk.

use glam::DVec3;

/// Magnification that depends on one coordinate.
#[derive(Debug, Clone, Default)]
struct Stretch {
    /// Real coordinate, stretched coordinate, magnification; rising.
    knots: Vec<[f64; 3]>,
}

impl Stretch {
    fn new(scales: &[(f64, f64)]) -> Self {
        let mut knots: Vec<[f64; 3]> = Vec::with_capacity(scales.len());
        for &(real, scale) in scales {
            let stretched = knots
                .last()
                .map_or(real * scale, |last| last[1] + (real - last[0]) * 0.5 * (scale + last[2]));
            knots.push([real, stretched, scale]);
        }
        Self { knots }
    }

    /// Looks up by entry `from` and gives entry `to` and the magnification.
    fn look_up(&self, value: f64, from: usize, to: usize) -> (f64, f64) {
        let Some(first) = self.knots.first() else { return (value, 1.0) };
        if value <= first[from] {
            let ratio = if from == 0 { first[2] } else { 1.0 / first[2] };
            return (first[to] + (value - first[from]) * ratio, first[2]);
        }
        for pair in self.knots.windows(2) {
            let (a, b) = (&pair[0], &pair[1]);
            if value < b[from] {
                let s = (value - a[from]) / (b[from] - a[from]);
                return (a[to] + s * (b[to] - a[to]), a[2] + s * (b[2] - a[2]));
            }
        }
        let last = &self.knots[self.knots.len() - 1];
        let ratio = if from == 0 { last[2] } else { 1.0 / last[2] };
        (last[to] + (value - last[from]) * ratio, last[2])
    }

    fn forward(&self, real: f64) -> f64 {
        self.look_up(real, 0, 1).0
    }

    /// Real coordinate and magnification there.
    fn back(&self, stretched: f64) -> (f64, f64) {
        self.look_up(stretched, 1, 0)
    }
}

/// Stretched space and the box of it that holds the solid.
#[derive(Debug, Clone)]
pub(super) struct Warp {
    /// By |x|, across the arm's axis.
    reach: Stretch,
    /// The arm's axis: y and z.
    axis: [f64; 2],
    /// By y, across the vertical axis.
    rise: Stretch,
    /// Low corner in stretched space.
    pub(super) low: DVec3,
    /// High corner in stretched space.
    pub(super) high: DVec3,
}

impl Warp {
    /// No stretch at all: the box is the solid's own.
    pub(super) fn none(low: [f64; 3], high: [f64; 3]) -> Self {
        Self {
            reach: Stretch::default(),
            axis: [0.0; 2],
            rise: Stretch::default(),
            low: low.into(),
            high: high.into(),
        }
    }

    /// Magnifies by (|x|, scale) about the line y, z = `axis`, after (y, scale) about the vertical axis.
    /// The box is given by real |x|, real y and stretched z.
    pub(super) fn new(
        reach: &[(f64, f64)],
        axis: [f64; 2],
        rise: &[(f64, f64)],
        side: f64,
        heights: [f64; 2],
        depths: [f64; 2],
    ) -> Self {
        let (reach, rise) = (Stretch::new(reach), Stretch::new(rise));
        let axis = [rise.forward(axis[0]), axis[1]];
        let side = reach.forward(side);
        let (low, high) = (rise.forward(heights[0]), rise.forward(heights[1]));
        Self {
            reach,
            axis,
            rise,
            low: DVec3::new(-side, low, depths[0]),
            high: DVec3::new(side, high, depths[1]),
        }
    }

    /// The real place of a point of stretched space.
    pub(super) fn real(&self, q: DVec3) -> DVec3 {
        let (side, across) = self.reach.back(q.x.abs());
        let [y0, z0] = self.axis;
        let (y, z) = (y0 + (q.y - y0) / across, z0 + (q.z - z0) / across);
        let (y, around) = self.rise.back(y);
        DVec3::new(side.copysign(q.x) / around, y, z / around)
    }
}
