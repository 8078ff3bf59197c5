//! Hands stay out of the body.
//!
//! Arms are posed by angles that suit a lean figure; on a stout one, or one with a large head, a hand would go into the
//! belly, the thigh or the cheek. The trunk is taken as ellipsoids around its bones, and a hand that is inside one is
//! brought out to its surface by two-bone inverse kinematics, the elbow staying on its side.

use glam::{DQuat, DVec3};

use super::{
    figure::{Figure, Side},
    puppet::{Posture, Puppet},
    sole::bend,
};

/// Ellipsoids reach this far into the corners of the boxes that they stand for.
const FILLED: f64 = 1.05;
/// Ellipsoids may push a hand into a neighbouring one.
const ROUNDS: usize = 2;
/// Points along the hand that are kept out, in shares of its reach from the wrist.
const ALONG: [f64; 3] = [0.0, 0.4, 0.8];

/// A part of the body as an ellipsoid: its bone, its middle from there in the normal pose, its half axes.
struct Part {
    bone: usize,
    middle: DVec3,
    half: DVec3,
}

/// Brings hands out of the trunk, the head and the thighs in every posture.
pub(super) fn hands(figure: &Figure, postures: &mut [Posture]) {
    let parts = parts(figure);
    if parts.is_empty() {
        return;
    }
    for posture in postures {
        for side in Side::BOTH {
            for _ in 0..ROUNDS {
                if !hand(figure, &parts, posture, side) {
                    break;
                }
            }
        }
    }
}

fn parts(figure: &Figure) -> Vec<Part> {
    let thighs = figure.legs.iter().map(|l| l.upper);
    let bones = figure.spine.iter().copied().chain([figure.hips]).chain(figure.head).chain(thighs);
    let part = |bone: usize| {
        let points = figure.puppet.outline.get(bone).filter(|points| !points.is_empty())?;
        let low = points.iter().copied().fold(DVec3::INFINITY, DVec3::min);
        let high = points.iter().copied().fold(DVec3::NEG_INFINITY, DVec3::max);
        Some(Part { bone, middle: (low + high) / 2.0, half: (high - low) / 2.0 * FILLED })
    };
    bones.filter_map(part).filter(|p| p.half.min_element() > 1e-4).collect()
}

/// Whether a hand had to be moved.
fn hand(figure: &Figure, parts: &[Part], posture: &mut Posture, side: Side) -> bool {
    let puppet = &figure.puppet;
    let arm = figure.arm(side);
    let (turn, wrist) = puppet.locate(posture, arm.hand);
    let mut out = DVec3::ZERO;
    for part in parts {
        for along in ALONG {
            let point = wrist + turn * (DVec3::X * (side.sign() * along * arm.reach));
            let by = way_out(puppet, posture, part, point, arm.palm);
            out = if by.length() > out.length() { by } else { out };
        }
    }
    if out.length() < 1e-4 {
        return false;
    }
    let bones = [arm.upper, arm.lower, arm.hand];
    // A straight arm bends its elbow backwards and outwards.
    let looks = DVec3::new(0.3 * side.sign(), -0.2, -1.0);
    bend(puppet, bones, arm.lengths, posture, (wrist + out, turn), looks);
    true
}

/// The shortest way by which a ball leaves an ellipsoid, nearly: along the line from the middle.
fn way_out(puppet: &Puppet, posture: &Posture, part: &Part, point: DVec3, radius: f64) -> DVec3 {
    let (turn, at): (DQuat, DVec3) = puppet.locate(posture, part.bone);
    let from = turn.inverse() * (point - at) - part.middle;
    let half = part.half + DVec3::splat(radius);
    let share = (from / half).length();
    if share >= 1.0 {
        return DVec3::ZERO;
    }
    // Near the middle there is no direction but ahead.
    let from = if share < 0.05 { DVec3::Z * 0.05 * half.z } else { from };
    let share = (from / half).length();
    turn * (from / share - from)
}
