//! The plane that mirrors a body onto itself.
//!
//! Candidates are the file's axes, the body's principal axes and the lines between pairs of tips; each is tried on the
//! filled cells through their centre, and the best is refined by small turns.

use glam::{DMat3, DVec3};

use super::{branches::Tree, grid::Grid, moments::Moments};

/// Cells a plane is tried on.
const SAMPLES: usize = 1_500;
/// Tips further on in the list make no pairs: a centipede has enough without them.
const MOST_TIPS: usize = 12;
/// A plane across one of the file's axes is preferred by so much: files are rarely askew, and cells are never askew.
const AXIS_BONUS: f64 = 0.01;

/// A mirror.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mirror {
    /// Unit normal: the direction from right to left or left to right.
    pub(super) normal: DVec3,
    /// A point of the plane.
    pub(super) point: DVec3,
    /// Share of the body that lands on the body.
    pub(super) score: f64,
}

impl Mirror {
    /// The mirrored point.
    pub(super) fn of(&self, p: DVec3) -> DVec3 {
        p - self.normal * 2.0 * (p - self.point).dot(self.normal)
    }

    /// How far a point lies from the plane, towards the normal.
    pub(super) fn side(&self, p: DVec3) -> f64 {
        (p - self.point).dot(self.normal)
    }
}

/// What is tried on.
pub(super) struct Sampled<'a> {
    grid: &'a Grid,
    points: Vec<DVec3>,
    /// All cells.
    pub(super) moments: Moments,
}

impl<'a> Sampled<'a> {
    pub(super) fn new(grid: &'a Grid) -> Self {
        let every = grid.len().div_ceil(SAMPLES).max(1);
        let points = grid.at.iter().step_by(every).copied().collect();
        let mut moments = Moments::default();
        grid.at.iter().for_each(|p| moments.add(*p));
        Self { grid, points, moments }
    }

    /// The share of the body that a mirror maps onto the body.
    pub(super) fn mirror(&self, normal: DVec3, point: DVec3) -> Mirror {
        let mut mirror = Mirror { normal, point, score: 0.0 };
        let hits = self.points.iter().filter(|p| self.grid.near(mirror.of(**p))).count();
        mirror.score = hits as f64 / self.points.len().max(1) as f64;
        mirror
    }

    /// The best mirror near a given one: turned by a few degrees, moved by a few cells.
    fn refined(&self, mut best: Mirror) -> Mirror {
        for step in [0.08, 0.04, 0.02, 0.01] {
            let (a, b) = best.normal.any_orthonormal_pair();
            let shift = best.normal * self.grid.cell * step * 25.0;
            let tries = [
                (a * step, DVec3::ZERO),
                (a * -step, DVec3::ZERO),
                (b * step, DVec3::ZERO),
                (b * -step, DVec3::ZERO),
                (DVec3::ZERO, shift),
                (DVec3::ZERO, -shift),
            ];
            let from = best;
            for (turn, shift) in tries {
                let other = self.mirror((from.normal + turn).normalize(), from.point + shift);
                if other.score > best.score {
                    best = other;
                }
            }
        }
        best
    }
}

/// The best mirror of a body.
pub(super) fn find_mirror(sampled: &Sampled, tree: &Tree) -> Mirror {
    let centre = sampled.moments.centre();
    let tips: Vec<DVec3> = tree.branches.iter().filter_map(|b| b.tip).take(MOST_TIPS).collect();
    let principal: DMat3 = sampled.moments.spread().1;
    let mut normals = vec![DVec3::X, DVec3::Z, DVec3::Y];
    for i in 0..tips.len() {
        normals.extend(tips[..i].iter().map(|other| (tips[i] - other).normalize_or(DVec3::X)));
    }
    normals.extend([principal.z_axis, principal.y_axis, principal.x_axis].map(|n| n.normalize_or(DVec3::X)));
    let mut tried: Vec<(f64, Mirror)> = normals
        .iter()
        .enumerate()
        .map(|(i, n)| {
            let mirror = sampled.mirror(*n, centre);
            (mirror.score + if i < 3 { AXIS_BONUS } else { 0.0 }, mirror)
        })
        .collect();
    tried.sort_by(|a, b| b.0.total_cmp(&a.0));
    let refined = tried.iter().take(3).map(|t| (t.0 - t.1.score, sampled.refined(t.1)));
    let best = refined.fold(None, |best: Option<(f64, Mirror)>, (bonus, m)| {
        let value = m.score + bonus;
        if best.is_some_and(|b| b.0 >= value) { best } else { Some((value, m)) }
    });
    best.map_or(Mirror { normal: DVec3::X, point: centre, score: 0.0 }, |b| b.1)
}
