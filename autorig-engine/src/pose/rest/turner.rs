//! Which joint is turned how far to reach the T-pose.

use glam::{DQuat, DVec2, DVec3};

use super::Points;

use crate::{
    pose::{Chain, bends::palm, swing},
    scene::Influences,
    skeleton::Skeleton,
};

/// A sole tilted by less than this, in degrees, stays as it is: shoes are not flat.
const LEVEL_SOLE: f64 = 8.0;
/// A sole is not tilted farther than this, in degrees.
const STEEP_SOLE: f64 = 60.0;
/// Steps in which the level is looked for, in degrees.
const SOLE_STEP: f64 = 5.0;
/// A hand whose cross-section is rounder than this has no palm to speak of.
const ROUND: f64 = 0.7;
/// A palm of unknown side is not turned farther than this, in degrees: beyond, it may as well face the other way.
const UNSURE_TWIST: f64 = 70.0;

/// Collects world rotations joint by joint; what is not set follows its parent.
pub(super) struct Turner<'a> {
    skeleton: &'a Skeleton,
    chain: &'a Chain,
    set: Vec<Option<DQuat>>,
}

impl<'a> Turner<'a> {
    pub(super) fn new(skeleton: &'a Skeleton, chain: &'a Chain) -> Option<Self> {
        let limbs = ["UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot"];
        let has = |side: &str| limbs.iter().all(|l| skeleton.find(&format!("{side}{l}")).is_some());
        let set = vec![None; skeleton.joints.len()];
        (has("left") && has("right")).then_some(Self { skeleton, chain, set })
    }

    fn at(&self, side: &str, name: &str) -> Option<usize> {
        self.skeleton.find(&format!("{side}{name}"))
    }

    fn direction(&self, from: usize, to: usize) -> DVec3 {
        (self.chain.positions[to] - self.chain.positions[from]).normalize_or_zero()
    }

    /// World rotation of a joint as far as it is decided.
    fn world(&self, joint: usize) -> DQuat {
        let own = self.set[joint];
        own.unwrap_or_else(|| self.chain.parents[joint].map_or(DQuat::IDENTITY, |p| self.world(p)))
    }

    pub(super) fn finish(self) -> Vec<DQuat> {
        (0..self.set.len()).map(|j| self.world(j)).collect()
    }

    /// The largest angle between a limb's bone and its place in the T-pose, in degrees.
    pub(super) fn farthest(&self) -> f64 {
        let mut most = 0.0_f64;
        for (side, out) in [("left", DVec3::X), ("right", DVec3::NEG_X)] {
            for (limb, goal) in
                [(["UpperArm", "LowerArm", "Hand"], out), (["UpperLeg", "LowerLeg", "Foot"], DVec3::NEG_Y)]
            {
                for pair in limb.windows(2) {
                    let (Some(a), Some(b)) = (self.at(side, pair[0]), self.at(side, pair[1])) else {
                        continue;
                    };
                    let d = self.direction(a, b);
                    most = most.max(libm::atan2(d.cross(goal).length(), d.dot(goal)).to_degrees());
                }
            }
        }
        most
    }

    /// Turns a joint so that the bone to `next` points to `goal`, on top of what its parent does.
    fn aim(&mut self, joint: usize, next: usize, goal: DVec3) {
        let above = self.world(joint);
        self.set[joint] = Some(swing(above * self.direction(joint, next), goal) * above);
    }

    pub(super) fn arm(&mut self, side: &str, points: &Points<'_>, influences: &[Vec<Influences>]) {
        let out = if side == "left" { DVec3::X } else { DVec3::NEG_X };
        let limb = ["UpperArm", "LowerArm", "Hand"].map(|l| self.at(side, l));
        let [Some(upper), Some(lower), Some(hand)] = limb else { return };
        self.aim(upper, lower, out);
        self.aim(lower, hand, out);
        let knuckles: Vec<usize> = ["Index", "Middle", "Ring", "Little"]
            .iter()
            .filter_map(|f| self.at(side, &format!("{f}Proximal")))
            .collect();
        if !knuckles.is_empty() {
            let middle =
                knuckles.iter().map(|k| self.chain.positions[*k]).sum::<DVec3>() / knuckles.len() as f64;
            let above = self.world(hand);
            let along = above * (middle - self.chain.positions[hand]);
            self.set[hand] = Some(swing(along, out) * above);
        }
        if let Some(twist) = self.twist(side, hand, out, points, influences) {
            // Half of it in the forearm, as in a living arm, so that the wrist does not close up.
            let half = DQuat::from_axis_angle(out, twist / 2.0);
            let (forearm, whole) = (self.world(lower), DQuat::from_axis_angle(out, twist));
            let palm_down = whole * self.world(hand);
            self.set[lower] = Some(half * forearm);
            self.set[hand] = Some(palm_down);
        }
        for finger in ["Index", "Middle", "Ring", "Little"] {
            self.finger(side, finger);
        }
    }

    /// The angle about the arm, in radians, that brings the palm down.
    fn twist(
        &self,
        side: &str,
        hand: usize,
        out: DVec3,
        points: &Points<'_>,
        influences: &[Vec<Influences>],
    ) -> Option<f64> {
        let angle_to_down = |normal: DVec3| {
            let flat = normal.reject_from_normalized(out).normalize_or_zero();
            libm::atan2(flat.cross(DVec3::NEG_Y).dot(out), flat.dot(DVec3::NEG_Y))
        };
        if let Some(normal) = palm(self.skeleton, self.chain, side) {
            return Some(angle_to_down(self.world(hand) * normal));
        }
        let turn = self.world(hand);
        let hand: Vec<DVec3> =
            self.points_of(hand, points, influences).into_iter().map(|p| turn * p).collect();
        let normal = flat_side(&hand, out)?;
        // The side is not known: the nearer one it is.
        let (one, other) = (angle_to_down(normal), angle_to_down(-normal));
        let twist = if one.abs() <= other.abs() { one } else { other };
        (twist.abs().to_degrees() <= UNSURE_TWIST).then_some(twist)
    }

    /// Vertices that follow a joint or what hangs on it, as they came, relative to the joint.
    fn points_of(&self, joint: usize, points: &Points<'_>, influences: &[Vec<Influences>]) -> Vec<DVec3> {
        let below = self.chain.below(joint);
        let mut found = Vec::new();
        let mut vertices = points.iter();
        for of_primitive in influences.iter().flatten() {
            for (joints, _) in of_primitive.iter() {
                let vertex = vertices.next();
                let strongest = joints.first().map_or(0, |j| usize::from(*j));
                if let Some(v) = vertex.filter(|_| below.get(strongest) == Some(&true)) {
                    found.push(v - self.chain.positions[joint]);
                }
            }
        }
        found
    }

    /// Straight on from the knuckle, level; the last bone goes on as the one before bends.
    pub(super) fn finger(&mut self, side: &str, finger: &str) {
        let joints: Vec<usize> = ["Proximal", "Intermediate", "Distal"]
            .iter()
            .filter_map(|part| self.at(side, &format!("{finger}{part}")))
            .collect();
        let (Some(&first), Some(&second)) = (joints.first(), joints.get(1)) else { return };
        let along = self.world(first) * self.direction(first, second);
        let goal = DVec3::new(along.x, 0.0, along.z).normalize_or(along);
        for pair in joints.windows(2) {
            self.aim(pair[0], pair[1], goal);
        }
        if let [_, second, third] = joints[..] {
            let bend = swing(self.direction(first, second), self.direction(second, third));
            let tip = self.world(third) * bend * self.direction(second, third);
            self.set[third] = Some(swing(tip, goal) * self.world(third));
        }
    }

    pub(super) fn leg(&mut self, side: &str) {
        let limb = ["UpperLeg", "LowerLeg", "Foot"].map(|l| self.at(side, l));
        let [Some(upper), Some(lower), Some(foot)] = limb else { return };
        self.aim(upper, lower, DVec3::NEG_Y);
        self.aim(lower, foot, DVec3::NEG_Y);
        self.set[foot] = Some(DQuat::IDENTITY);
    }

    /// Lays the sole level where it is tilted, as in a step; the foot keeps its direction.
    pub(super) fn foot(&mut self, side: &str, points: &Points<'_>, influences: &[Vec<Influences>]) {
        let (Some(foot), Some(toes)) = (self.at(side, "Foot"), self.at(side, "Toes")) else { return };
        let along = self.direction(foot, toes);
        let ahead = DVec3::new(along.x, 0.0, along.z).normalize_or_zero();
        let axis = ahead.cross(DVec3::Y);
        if let Some(tilt) = sole_tilt(&self.points_of(foot, points, influences), ahead, axis)
            && tilt.abs().to_degrees() > LEVEL_SOLE
        {
            self.set[foot] = Some(DQuat::from_axis_angle(axis, tilt));
        }
    }

    /// How far the feet would leave the ground, in metres; positive when the character has to go up.
    pub(super) fn sunk(&self, points: &Points<'_>, influences: &[Vec<Influences>]) -> f64 {
        let rotations: Vec<DQuat> = (0..self.set.len())
            .map(|j| {
                let above = self.chain.parents[j].map_or(DQuat::IDENTITY, |p| self.world(p));
                above.inverse() * self.world(j)
            })
            .collect();
        let posed = self.chain.transforms(&rotations);
        let (mut before, mut after) = (f64::INFINITY, f64::INFINITY);
        for foot in ["left", "right"].iter().filter_map(|s| self.at(s, "Foot")) {
            let at = self.chain.positions[foot];
            let mut sole = self.points_of(foot, points, influences);
            // A foot without a vertex of its own stands where its joint is.
            sole.push(DVec3::ZERO);
            for p in sole {
                before = before.min(at.y + p.y);
                after = after.min(posed[foot].transform_point3(at + p).y);
            }
        }
        if before.is_finite() && after.is_finite() { before - after } else { 0.0 }
    }
}

/// The angle about `axis`, in radians, that brings heel and toes of a foot to one height; `points` are relative to the
/// ankle. `None` for a foot without length.
pub(super) fn sole_tilt(points: &[DVec3], ahead: DVec3, axis: DVec3) -> Option<f64> {
    let lowest_apart = |angle: f64| {
        let turn = DQuat::from_axis_angle(axis, angle);
        let turned: Vec<(f64, f64)> = points.iter().map(|p| turn * *p).map(|p| (p.dot(ahead), p.y)).collect();
        let (back, front) = turned
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), (x, _)| (lo.min(*x), hi.max(*x)));
        let third = (front - back) / 3.0;
        let lowest = |inside: &dyn Fn(f64) -> bool| {
            turned.iter().filter(|(x, _)| inside(*x)).map(|(_, y)| *y).fold(f64::INFINITY, f64::min)
        };
        lowest(&|x| x > front - third) - lowest(&|x| x < back + third)
    };
    if points.len() < 8 || ahead == DVec3::ZERO {
        return None;
    }
    // Turning about this axis raises the toes. The level nearest to how the foot stands is the one meant: turned far
    // enough, a foot lies level on its instep too.
    let step = SOLE_STEP.to_radians();
    let crosses = |low: f64| lowest_apart(low) <= 0.0 && lowest_apart(low + step) > 0.0;
    let nearest = (0..(STEEP_SOLE / SOLE_STEP) as i32).flat_map(|i| [i, -1 - i]).map(f64::from);
    let mut down = nearest.map(|i| i * step).find(|low| crosses(*low))?;
    let mut up = down + step;
    for _ in 0..24 {
        let middle = (down + up) / 2.0;
        if lowest_apart(middle) > 0.0 {
            up = middle;
        } else {
            down = middle;
        }
    }
    Some((down + up) / 2.0)
}

/// The direction across the arm in which a hand is thinnest; `None` when it is round.
pub(super) fn flat_side(points: &[DVec3], out: DVec3) -> Option<DVec3> {
    let (u, v) = (DVec3::Y, DVec3::Y.cross(out));
    let flat: Vec<DVec2> = points.iter().map(|p| DVec2::new(p.dot(u), p.dot(v))).collect();
    let n = flat.len() as f64;
    let mean = flat.iter().sum::<DVec2>() / n.max(1.0);
    let (mut uu, mut uv, mut vv) = (0.0, 0.0, 0.0);
    for p in &flat {
        let d = *p - mean;
        (uu, uv, vv) = (uu + d.x * d.x, uv + d.x * d.y, vv + d.y * d.y);
    }
    // Principal axes of a symmetric 2 × 2 matrix.
    let spread = ((uu - vv) * (uu - vv) / 4.0 + uv * uv).sqrt();
    let (long, short) = ((uu + vv) / 2.0 + spread, (uu + vv) / 2.0 - spread);
    if n < 8.0 || short > ROUND * ROUND * long {
        return None;
    }
    let angle = 0.5 * libm::atan2(2.0 * uv, uu - vv) + std::f64::consts::FRAC_PI_2;
    Some(u * libm::cos(angle) + v * libm::sin(angle))
}
