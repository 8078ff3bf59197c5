//! Turning on the spot by steps.

use glam::DVec3;

use super::{Take, paced, stand::Body};
use crate::motion::{
    curve::Curve,
    figure::{Figure, Side},
    kinematics::{ease, wave, yaw},
    pose::{Foot, Pose},
};

/// Turns by some degrees, the foot on the inner side first; with `travels` the root turns and the pose ends where it began.
pub(super) fn turn(figure: &Figure, degrees: f64, travels: bool) -> Take<'_> {
    let facing = Curve::new(&[(0.0, 0.0), (0.08, 0.0), (0.82, 1.0), (1.0, 1.0)]);
    Take::once(paced(1.4, figure), move |t| {
        let turned = degrees * facing.at(t);
        let mut pose = turning(figure, degrees, turned, t);
        if travels {
            carried_by_root(&mut pose, turned);
        }
        pose
    })
}

fn turning<'a>(figure: &'a Figure, degrees: f64, turned: f64, t: f64) -> Pose<'a> {
    let sign = degrees.signum();
    let first = if sign > 0.0 { Side::Left } else { Side::Right };
    let pivot = figure.puppet.pivot();
    let mut body = Body::at_ease(figure);
    let lifted = |side: Side| {
        let start = if side == first { 0.12 } else { 0.46 };
        let s = ((t - start) / 0.36).clamp(0.0, 1.0);
        (ease(0.0, 1.0, s), wave(s / 2.0))
    };
    for side in Side::BOTH {
        let (share, up) = lifted(side);
        let at = figure.ankle(side);
        let stood = pivot + yaw(degrees * share) * (at - pivot);
        let lift = DVec3::Y * (0.07 * figure.leg_length() * up * up);
        let foot = Foot { at: stood + lift, yaw: degrees * share, pitch: -14.0 * up, toes: 1.0 - up };
        body.feet[side.index()] = foot;
    }
    // The weight goes to the foot that stands; the head leads and the chest follows.
    let weight = lifted(first).1 - lifted(other(first)).1;
    let away = -first.sign() * 0.030 * weight;
    let middle = figure.middle() - pivot;
    let round = yaw(turned) * middle - middle;
    body.tilt = yaw(turned);
    body.hips = round / figure.leg_length() + yaw(turned) * DVec3::new(away, -0.012 * wave(t / 2.0), 0.0);
    let lead = 18.0 * sign * wave((t * 1.15).min(1.0) / 2.0);
    body.bend(yaw(0.45 * lead));
    body.look = yaw(turned + lead);
    for (i, arm) in body.arms.iter_mut().enumerate() {
        let side = if i == 0 { 1.0 } else { -1.0 };
        arm.swing += -side * sign * 9.0 * wave((t - 0.05).max(0.0));
        arm.down -= 4.0 * wave(t / 2.0);
    }
    body.standing(figure)
}

fn other(side: Side) -> Side {
    if side == Side::Left { Side::Right } else { Side::Left }
}

/// Lets the root turn instead of the hips; the pose stays in the world.
fn carried_by_root(pose: &mut Pose, turned: f64) {
    let puppet = &pose.figure.puppet;
    let hips = pose.figure.hips;
    if puppet.carrier == Some(hips) {
        // Without a root the hips carry everything already.
        return;
    }
    let q = yaw(turned);
    let pivot = puppet.pivot();
    let (turn, at) = pose.locate(hips);
    let at = pivot + q.inverse() * (at - pivot);
    pose.posture.turns[hips] = q.inverse() * turn;
    pose.posture.moves[hips] = at - puppet.normal[hips];
    pose.posture.facing = q;
}
