//! What geometry alone says about a body: its limbs, how it stands, what kind of thing it is.

use glam::{DMat3, DVec3};

use super::{
    branches::{Tree, grow},
    grid::Grid,
    limbs::{Limb, limbs},
    orientation::{Stance, legs, range, stance},
    symmetry::{Mirror, Sampled, find_mirror},
};
use crate::analyse::solid::Solid;

/// Geometry of a body, in its own upright frame: x is its left, y up, z forward.
pub struct Shape {
    pub(super) tree: Tree,
    pub(super) limbs: Vec<Limb>,
    pub(super) stance: Stance,
    pub(super) mirror: Mirror,
    /// Share of the body that a mirror across the length maps onto the body: things have it, animals do not.
    pub(super) second_mirror: f64,
    /// Filled cells.
    pub(super) points: Vec<DVec3>,
    /// Lower and upper corner.
    pub(super) bounds: (DVec3, DVec3),
    /// Indices of the limbs it stands on.
    pub(super) legs: Vec<usize>,
}

impl Shape {
    /// Finds the shape of a solid; `file_up` is what the file means by up, in the frame of the solid. It only settles
    /// what the shape leaves open.
    pub fn new(solid: &Solid, vertices: &[DVec3], file_up: DVec3) -> Self {
        let grid = Grid::new(solid);
        let mut tree = grow(&grid);
        let sampled = Sampled::new(&grid);
        let mirror = find_mirror(&sampled, &tree);
        let mut found = limbs(&tree, &mirror);
        let stance = stance(&found, &mirror, &sampled, &grid.at, vertices, file_up);
        let centre = sampled.moments.centre();
        let across = [stance.rotation.row(1), stance.rotation.row(2)];
        let second_mirror = across.iter().map(|n| sampled.mirror(*n, centre).score).fold(0.0, f64::max);
        drop(sampled);
        // From here on everything is in the body's own frame.
        let turn = |p: DVec3| stance.rotation * p;
        let points: Vec<DVec3> = grid.at.iter().map(|p| turn(*p)).collect();
        found.iter_mut().flat_map(|l| &mut l.line).for_each(|p| *p = turn(*p));
        tree.turn(stance.rotation);
        let legs = legs(&found, &points, DVec3::Y);
        let corner = |axis: DVec3| range(&points, axis);
        let (x, y, z) = (corner(DVec3::X), corner(DVec3::Y), corner(DVec3::Z));
        let bounds = (DVec3::new(x.0, y.0, z.0), DVec3::new(x.1, y.1, z.1));
        let mirror = Mirror { normal: turn(mirror.normal), point: turn(mirror.point), ..mirror };
        Self { tree, limbs: found, stance, mirror, second_mirror, points, bounds, legs }
    }

    /// Rows are the body's left, up and forward in the frame the solid was in first.
    pub fn rotation(&self) -> DMat3 {
        self.stance.rotation
    }

    /// The same where the solid had been turned before.
    pub(super) fn after(mut self, turn: DMat3) -> Self {
        self.stance.rotation *= turn;
        self
    }

    /// How clear the orientation is, 0 to 1.
    pub fn orientation_confidence(&self) -> f32 {
        self.stance.confidence as f32
    }

    /// The point of the ground under the middle of the box.
    pub(super) fn ground(&self) -> DVec3 {
        let (lo, hi) = self.bounds;
        ((lo + hi) / 2.0).with_y(lo.y)
    }

    /// Lowest and highest of the body around a place along it, within `strip` of the mirror plane.
    pub(super) fn heights(&self, z: f64, depth: f64, strip: f64) -> Option<(f64, f64)> {
        let inside = |p: &&DVec3| (p.z - z).abs() <= depth && self.mirror.side(**p).abs() <= strip;
        let (low, high) = self
            .points
            .iter()
            .filter(inside)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), p| (lo.min(p.y), hi.max(p.y)));
        (low <= high).then_some((low, high))
    }

    /// The centre of the box.
    pub(super) fn middle(&self) -> DVec3 {
        (self.bounds.0 + self.bounds.1) / 2.0
    }

    /// Positive on the body's left.
    pub(super) fn mirror_side(&self, p: DVec3) -> f64 {
        self.mirror.side(p) * if self.mirror.normal.x < 0.0 { -1.0 } else { 1.0 }
    }

    /// The nearest point of the mirror plane, where the body has one.
    pub(super) fn on_mirror(&self, p: DVec3) -> DVec3 {
        /// Under this score a body is not symmetric and its middle need not be straight.
        const CLEAR: f64 = 0.9;
        if self.mirror.score < CLEAR { p } else { p - self.mirror.normal * self.mirror.side(p) }
    }
}
