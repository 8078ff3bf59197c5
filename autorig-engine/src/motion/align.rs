//! From any rest to the normal pose of a humanoid: arms out, palms down, fingers straight, legs down, soles level.
//!
//! Spine, neck, head and shoulders stay as they are: they are the character's own posture.

use std::collections::BTreeMap;

use glam::{DQuat, DVec3};

use super::kinematics::{about, between, ease, frame};
use crate::pose::swing;

/// An elbow or a knee that bends less than the first angle, in degrees, does not show its hinge; from the second on it does.
const SHOWN_BEND: (f64, f64) = (8.0, 20.0);
/// A hinge is not turned farther than this about its limb, in degrees: beyond, the bend is an accident of the pose.
const MOST_TWIST: f64 = 60.0;
/// Feet do not point farther to the side than this, in degrees.
const MOST_SPLAY: f64 = 25.0;
/// A sole tilted by less than this, in degrees, stays as it is: shoes are not flat.
const LEVEL_SOLE: f64 = 10.0;

/// Canonical bones of a character with their places at rest, in canonical space.
pub(super) struct Rest<'a> {
    /// Canonical name to bone.
    pub(super) names: &'a BTreeMap<String, usize>,
    /// Places of all bones.
    pub(super) at: &'a [DVec3],
    /// Vertices far out in each bone's share of the mesh, from the bone.
    pub(super) outline: &'a [Vec<DVec3>],
    /// Decided alignments.
    pub(super) align: Vec<Option<DQuat>>,
}

impl Rest<'_> {
    fn find(&self, side: &str, name: &str) -> Option<usize> {
        self.names.get(&format!("{side}{name}")).copied()
    }

    fn way(&self, from: usize, to: usize) -> DVec3 {
        (self.at[to] - self.at[from]).normalize_or_zero()
    }

    /// Decides the alignment of both arms and legs.
    pub(super) fn align_limbs(&mut self) {
        for (side, sign) in [("left", 1.0), ("right", -1.0)] {
            self.arm(side, sign);
            self.leg(side);
            self.foot(side);
        }
    }

    fn arm(&mut self, side: &str, sign: f64) {
        let limb = ["UpperArm", "LowerArm", "Hand"].map(|n| self.find(side, n));
        let [Some(upper), Some(lower), Some(hand)] = limb else { return };
        let out = DVec3::X * sign;
        let (d0, d1) = (self.way(upper, lower), self.way(lower, hand));
        let mut turn = swing(d0, out);
        // Bent arms show their hinge: with the palm down, the forearm folds forward.
        let bend = d0.cross(d1);
        let shown = ease(SHOWN_BEND.0, SHOWN_BEND.1, degrees_between(d0, d1));
        let twist = angle_about(turn * bend, DVec3::NEG_Y * sign, out);
        if shown > 0.0 && twist.abs() < 120.0 {
            turn = about(out, twist.clamp(-MOST_TWIST, MOST_TWIST) * shown) * turn;
        }
        self.align[upper] = Some(turn);
        let turn = swing(turn * d1, out) * turn;
        self.align[lower] = Some(turn);
        self.hand(side, sign, hand, lower, turn);
    }

    fn hand(&mut self, side: &str, sign: f64, hand: usize, lower: usize, forearm: DQuat) {
        let out = DVec3::X * sign;
        let knuckles: Vec<DVec3> = ["Index", "Middle", "Ring", "Little"]
            .iter()
            .filter_map(|f| self.find(side, &format!("{f}Proximal")))
            .map(|k| self.at[k] - self.at[hand])
            .collect();
        let (Some(first), Some(last)) = (knuckles.first(), knuckles.last()) else { return };
        let along = knuckles.iter().sum::<DVec3>();
        let mut turn = swing(forearm * along, out) * forearm;
        if knuckles.len() > 1 {
            // With the arm out and the palm down the index finger is in front on both sides.
            let twist = angle_about(turn * (*first - *last), DVec3::Z, out);
            // Half of it in the forearm, as in a living arm, so that the wrist does not close up.
            self.align[lower] = Some(about(out, twist / 2.0) * forearm);
            turn = about(out, twist) * turn;
        }
        self.align[hand] = Some(turn);
        for finger in ["Index", "Middle", "Ring", "Little"] {
            self.finger(side, sign, finger, turn);
        }
    }

    /// Takes the curl out of a finger and leaves its spread.
    fn finger(&mut self, side: &str, sign: f64, finger: &str, hand: DQuat) {
        let parts: Vec<usize> = ["Proximal", "Intermediate", "Distal"]
            .iter()
            .filter_map(|p| self.find(side, &format!("{finger}{p}")))
            .collect();
        let mut turn = hand;
        for (i, &bone) in parts.iter().enumerate() {
            // The last bone has no end: it is straightened as the one before was.
            if let Some(&next) = parts.get(i + 1) {
                let d = hand * self.way(bone, next);
                let curl = libm::atan2(-d.y, d.x * sign).to_degrees();
                turn = about(DVec3::Z, curl * sign) * hand;
            }
            self.align[bone] = Some(turn);
        }
    }

    fn leg(&mut self, side: &str) {
        let limb = ["UpperLeg", "LowerLeg", "Foot"].map(|n| self.find(side, n));
        let [Some(upper), Some(lower), Some(foot)] = limb else { return };
        let (d0, d1) = (self.way(upper, lower), self.way(lower, foot));
        let bend = d0.cross(d1).normalize_or(DVec3::X);
        let shown = ease(SHOWN_BEND.0, SHOWN_BEND.1, degrees_between(d0, d1));
        let facing = DVec3::X.lerp(DVec3::Y.cross(self.ahead(side, foot)), 0.5);
        // A knee that bends the wrong way is a straight one with noise, or an animal's.
        let hinge = if bend.dot(facing) > 0.5 { facing.lerp(bend, shown) } else { facing };
        for (bone, along) in [(upper, d0), (lower, d1)] {
            let normal = frame(DVec3::NEG_Y, DVec3::X);
            self.align[bone] = Some(between(frame(along, hinge), normal));
        }
    }

    /// Where a foot points, level.
    fn ahead(&self, side: &str, foot: usize) -> DVec3 {
        let toes = self.find(side, "Toes").or_else(|| self.find(side, "ToeEnd"));
        let along = match toes {
            Some(toes) => self.at[toes] - self.at[foot],
            None => DVec3::Z,
        };
        let level = along.with_y(0.0);
        if level.length() < 0.3 * along.length() { DVec3::Z } else { level.normalize_or(DVec3::Z) }
    }

    /// Feet keep where they point, within bounds, and lie level.
    fn foot(&mut self, side: &str) {
        let Some(foot) = self.find(side, "Foot") else { return };
        let ahead = self.ahead(side, foot);
        let splay = libm::atan2(ahead.x, ahead.z).to_degrees();
        let mut turn = about(DVec3::Y, splay.clamp(-MOST_SPLAY, MOST_SPLAY) - splay);
        let across = DVec3::Y.cross(ahead);
        let tilt = self.tilt(foot, ahead);
        if tilt.abs() > LEVEL_SOLE {
            turn *= about(across, tilt);
        }
        self.align[foot] = Some(turn);
    }

    /// The angle in degrees by which the sole between heel and ball rises to the front.
    fn tilt(&self, foot: usize, ahead: DVec3) -> f64 {
        let lowest = |direction: DVec3| {
            let points = self.outline[foot].iter().copied();
            points.fold(None, |best: Option<DVec3>, p| match best {
                Some(b) if b.dot(direction) >= p.dot(direction) => best,
                _ => Some(p),
            })
        };
        let (Some(heel), Some(ball)) = (lowest(DVec3::NEG_Y - ahead), lowest(DVec3::NEG_Y + ahead)) else {
            return 0.0;
        };
        let long = (ball - heel).dot(ahead);
        if long < 0.02 { 0.0 } else { libm::atan2(ball.y - heel.y, long).to_degrees().clamp(-60.0, 60.0) }
    }
}

fn degrees_between(a: DVec3, b: DVec3) -> f64 {
    libm::atan2(a.cross(b).length(), a.dot(b)).to_degrees()
}

/// The angle about `axis`, in degrees, that brings one direction to another as seen along the axis.
fn angle_about(from: DVec3, to: DVec3, axis: DVec3) -> f64 {
    let from = from.reject_from_normalized(axis);
    if from.length() < 1e-9 { 0.0 } else { libm::atan2(from.cross(to).dot(axis), from.dot(to)).to_degrees() }
}
