//! Figures made of pieces: robots, dolls, skeletons, whose limbs turn where two pieces meet.
//!
//! On one skin an elbow on a straight arm is not to be seen, and the network's idea of it is the best there is. A limb that is
//! an upper and a lower piece shows it: it lies where they meet, and a hip or shoulder that lies before its limb begins is at
//! the beginning. Trousers that end in boots, or sleeves in gloves, look the same from the side of one limb; so this counts
//! only where arms and legs are all made that way, and where no skin runs through under the seam.

use glam::DVec3;

use super::predictor::{JOINTS, mirrored};
use crate::analyse::Body;

/// First, middle and last joint of the left arm and leg in the network's order.
const LIMBS: [[usize; 3]; 2] = [[7, 8, 9], [10, 11, 12]];
/// The hips, and the joint of the left leg.
const HIPS: usize = 0;
const LEG: usize = 10;
/// How much the hips move with the legs' joints; the network was taught to place them this far from the trunk to the legs.
const HIPS_FOLLOW: f64 = 0.7;
/// Cosine of the largest bend of a limb whose pieces are measured along one axis.
const STRAIGHT: f64 = 0.9;
/// A piece of a limb is at least so long as a share of it, and longer than so many times its mean distance from the axis:
/// upper, lower (a gauntlet is stouter).
const LENGTH: f64 = 0.2;
const SLENDER: (f64, f64) = (2.0, 1.2);
/// Where along the limb the upper piece begins, the two meet, and the lower one ends, with hand or foot.
const BEGINS: (f64, f64) = (-0.3, 0.45);
const MEET: (f64, f64) = (0.2, 0.85);
const ENDS: (f64, f64) = (0.75, 1.6);
/// So many of the longest pieces are considered.
const PIECES: usize = 16;
/// Points farther from the axis than this share of the length are not of the limb, nor those outside this range along it.
const WIDE: f64 = 0.45;
const REACH: (f64, f64) = (-0.4, 1.5);
/// At least this share of a piece is of the limb.
const OWN: f64 = 0.95;
/// Pieces that meet are no farther from or into each other than this.
const GAP: f64 = 0.15;
/// Another part that lies on both sides of the hinge, from so far to so far from it and so near to the axis, is a skin
/// under clothes. A ball or a block in the hinge is shorter.
const ACROSS: (f64, f64) = (0.12, 0.3);
const UNDER: f64 = 0.25;
/// A limb that begins beyond its joint by more than this takes the joint along.
const BEGIN: f64 = 0.05;

/// Moves elbows, knees, and shoulders and hips that lie outside of their limb to where the pieces of a figure meet. Joints
/// are in canonical space and the network's order.
pub fn fit(body: &Body, joints: &mut [DVec3; JOINTS]) {
    let parts = Parts { of: &body.welded.part, count: body.welded.parts, vertices: &body.vertices };
    if parts.count < 2 * 2 * LIMBS.len() {
        return;
    }
    let limbs = LIMBS.into_iter().flat_map(|limb| [limb, limb.map(mirrored)]);
    let found: Option<Vec<_>> =
        limbs.map(|limb| Some((limb, Axis::of(limb.map(|j| joints[j]))?.hinge(&parts)?))).collect();
    let mut legs = DVec3::ZERO;
    for ([first, middle, last], hinge) in found.unwrap_or_default() {
        let axis = joints[last] - joints[first];
        let share = (joints[middle] - joints[first]).dot(axis) / axis.length_squared();
        joints[middle] += axis * (hinge.at - share);
        if hinge.begin > BEGIN {
            joints[first] += axis * hinge.begin;
            if mirrored(first).min(first) == LEG {
                legs += axis * hinge.begin;
            }
        }
    }
    joints[HIPS] += legs / 2.0 * HIPS_FOLLOW;
}

/// The connected parts of a mesh.
struct Parts<'a> {
    /// The part of each vertex.
    of: &'a [u32],
    count: usize,
    vertices: &'a [DVec3],
}

/// Where a limb's pieces meet and where it begins, as shares of the way from its first joint to its last.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Hinge {
    at: f64,
    begin: f64,
}

/// A straight limb.
struct Axis {
    start: DVec3,
    direction: DVec3,
    length: f64,
}

/// How a part lies along a limb.
#[derive(Clone, Copy)]
struct Extent {
    low: f64,
    high: f64,
    /// Sum of the distances from the axis.
    radius: f64,
    /// Vertices, and those near the limb.
    count: f64,
    near: f64,
}

impl Extent {
    const NONE: Self =
        Self { low: f64::INFINITY, high: f64::NEG_INFINITY, radius: 0.0, count: 0.0, near: 0.0 };

    fn length(&self) -> f64 {
        self.high - self.low
    }

    fn is_of_the_limb(&self) -> bool {
        self.near > OWN * self.count && self.length() >= LENGTH
    }

    fn is_slender(&self, times: f64) -> bool {
        self.length() * self.count > times * self.radius
    }

    /// Where this upper piece and a lower one meet, if they do.
    fn meets(&self, lower: &Self) -> Option<f64> {
        let at = f64::midpoint(self.high, lower.low);
        let is_pair = self.is_slender(SLENDER.0)
            && lower.is_slender(SLENDER.1)
            && (self.high - lower.low).abs() <= GAP
            && self.low < lower.low
            && self.high < lower.high
            && (BEGINS.0..BEGINS.1).contains(&self.low)
            && (MEET.0..MEET.1).contains(&at)
            && (ENDS.0..ENDS.1).contains(&lower.high);
        is_pair.then_some(at)
    }
}

impl Axis {
    /// `None` for a bent limb.
    fn of([first, middle, last]: [DVec3; 3]) -> Option<Self> {
        let upper = (middle - first).try_normalize()?;
        let lower = (last - middle).try_normalize()?;
        let direction = (last - first).try_normalize()?;
        (upper.dot(lower) >= STRAIGHT).then(|| Self { start: first, direction, length: first.distance(last) })
    }

    /// How far along the limb a point lies and how far from its axis, as shares of its length.
    fn place(&self, p: DVec3) -> (f64, f64) {
        let offset = p - self.start;
        let along = offset.dot(self.direction);
        ((along / self.length), (offset - self.direction * along).length() / self.length)
    }

    /// Where the limb's two pieces meet, if it is made of two.
    fn hinge(&self, parts: &Parts) -> Option<Hinge> {
        let mut extents = vec![Extent::NONE; parts.count];
        for (&part, &p) in parts.of.iter().zip(parts.vertices) {
            let (along, away) = self.place(p);
            let Some(e) = extents.get_mut(part as usize) else { continue };
            (e.low, e.high) = (e.low.min(along), e.high.max(along));
            e.radius += away;
            e.count += 1.0;
            e.near += f64::from(u8::from(away < WIDE && (REACH.0..REACH.1).contains(&along)));
        }
        let mut pieces: Vec<usize> = (0..parts.count).filter(|&i| extents[i].is_of_the_limb()).collect();
        pieces.sort_by(|&a, &b| extents[b].length().total_cmp(&extents[a].length()));
        pieces.truncate(PIECES);
        let mut best: Option<(f64, [usize; 2], f64)> = None;
        for &upper in &pieces {
            for &lower in &pieces {
                let Some(at) = extents[upper].meets(&extents[lower]) else { continue };
                let length = extents[upper].length() + extents[lower].length();
                if best.is_none_or(|(longest, ..)| length > longest) {
                    best = Some((length, [upper, lower], at));
                }
            }
        }
        let (_, pair, at) = best?;
        (!self.is_bridged(parts, pair, at)).then(|| Hinge { at, begin: extents[pair[0]].low })
    }

    /// Whether another part than the two runs along the limb on both sides of the hinge.
    fn is_bridged(&self, parts: &Parts, pieces: [usize; 2], hinge: f64) -> bool {
        let mut sides = vec![[false; 2]; parts.count];
        for (&part, &p) in parts.of.iter().zip(parts.vertices) {
            let (along, away) = self.place(p);
            let beyond = (along - hinge).abs();
            if away < UNDER
                && (ACROSS.0..ACROSS.1).contains(&beyond)
                && let Some(side) = sides.get_mut(part as usize)
            {
                side[usize::from(along > hinge)] = true;
            }
        }
        sides.iter().enumerate().any(|(part, side)| !pieces.contains(&part) && side[0] && side[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of tubes along X: part, from, to, radius.
    fn tubes(tubes: &[(u32, f64, f64, f64)]) -> (Vec<u32>, Vec<DVec3>) {
        let mut of = Vec::new();
        let mut vertices = Vec::new();
        for &(part, from, to, radius) in tubes {
            for i in 0..=20 {
                let x = from + (to - from) * f64::from(i) / 20.0;
                for (y, z) in [(radius, 0.0), (-radius, 0.0), (0.0, radius), (0.0, -radius)] {
                    of.push(part);
                    vertices.push(DVec3::new(x, y, z));
                }
            }
        }
        (of, vertices)
    }

    fn hinge(limb: &[(u32, f64, f64, f64)]) -> Option<Hinge> {
        let (of, vertices) = tubes(limb);
        let joints = [DVec3::ZERO, DVec3::X * 0.5, DVec3::X];
        Axis::of(joints)?.hinge(&Parts { of: &of, count: 3, vertices: &vertices })
    }

    #[test]
    fn an_elbow_lies_where_two_pieces_meet_and_a_shoulder_where_the_first_begins() {
        let found = hinge(&[(0, 0.08, 0.3, 0.02), (1, 0.34, 1.2, 0.1)]);
        assert!(
            found.is_some_and(|h| (h.at - 0.32).abs() < 1e-9 && (h.begin - 0.08).abs() < 1e-9),
            "{found:?}"
        );
    }

    #[test]
    fn sleeves_and_gloves_over_a_skin_are_no_pieces_but_a_ball_in_the_hinge_is_none_of_them() {
        let pieces = [(0, 0.0, 0.38, 0.06), (1, 0.4, 1.1, 0.06)];
        let with = |third| hinge(&[pieces[0], pieces[1], third]);
        assert_eq!(with((2, -0.1, 1.2, 0.04)), None);
        assert!(with((2, 0.33, 0.45, 0.07)).is_some());
    }

    #[test]
    fn one_skin_and_pieces_far_apart_have_no_hinge() {
        assert_eq!(hinge(&[(0, -0.1, 1.2, 0.05)]), None);
        assert_eq!(hinge(&[(0, 0.0, 0.3, 0.05), (1, 0.6, 1.0, 0.05)]), None);
    }

    #[test]
    fn a_bent_limb_is_not_measured() {
        assert!(Axis::of([DVec3::ZERO, DVec3::X, DVec3::new(1.0, 1.0, 0.0)]).is_none());
    }
}
