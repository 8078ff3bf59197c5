//! A punch and a kick: drawn back, struck, held for a moment, taken back.

use glam::DVec3;

use super::{Take, act::mix, paced, stand::Body};
use crate::motion::{
    curve::Curve,
    figure::{Figure, Side},
    kinematics::{pitch, roll, yaw},
    pose::{ArmAngles, Foot},
};

/// Fists before the chin, the left one ahead.
fn guard(figure: &Figure) -> [ArmAngles; 2] {
    let out = figure.hang;
    [
        ArmAngles { down: 90.0 - out - 2.0, swing: 46.0, twist: 20.0, elbow: 105.0, wrist: 0.0 },
        ArmAngles { down: 90.0 - out - 2.0, swing: 22.0, twist: 20.0, elbow: 122.0, wrist: 0.0 },
    ]
}

/// A straight right.
pub(super) fn punch(figure: &Figure) -> Take<'_> {
    let ready = Curve::new(&[(0.0, 0.0), (0.26, 1.0), (0.78, 1.0), (1.0, 0.0)]);
    let drawn = Curve::new(&[(0.0, 0.0), (0.22, 0.0), (0.36, 1.0), (0.45, 0.0), (1.0, 0.0)]);
    let struck = Curve::new(&[
        (0.0, 0.0),
        (0.36, 0.0),
        (0.46, 1.04),
        (0.50, 1.0),
        (0.55, 0.98),
        (0.70, 0.0),
        (1.0, 0.0),
    ]);
    Take::once(paced(1.5, figure), move |t| {
        let (ready, drawn, struck) = (ready.at(t), drawn.at(t), struck.at(t));
        let mut body = Body::at_ease(figure);
        let turn = -16.0 * ready - 14.0 * drawn + 46.0 * struck;
        body.hips = DVec3::new(
            0.010 * ready - 0.02 * drawn + 0.012 * struck,
            -0.045 * ready - 0.012 * struck,
            -0.03 * drawn + 0.07 * struck,
        );
        body.tilt = yaw(0.45 * turn) * pitch(3.0 * ready + 3.0 * struck);
        body.bend(yaw(0.6 * turn) * pitch(5.0 * ready + 5.0 * struck));
        body.look = pitch(4.0 * ready);
        body.shrug[1] = (3.0 * ready, -6.0 * drawn + 12.0 * struck);
        let guard = guard(figure);
        body.arms[0] = mix(body.arms[0], guard[0], ready);
        let back = ArmAngles { swing: -18.0, elbow: 118.0, ..guard[1] };
        let straight = ArmAngles { down: 82.0, swing: 88.0, twist: -35.0, elbow: 5.0, wrist: 0.0 };
        body.arms[1] = mix(mix(mix(body.arms[1], guard[1], ready), back, drawn), straight, struck);
        body.fingers = [0.22 + 0.73 * ready; 2];
        // The right heel comes up as the hips turn into the blow.
        body.feet[1].pitch = -24.0 * struck.clamp(0.0, 1.0);
        body.standing(figure)
    })
}

/// A front kick with the right foot.
pub(super) fn kick(figure: &Figure) -> Take<'_> {
    let ready = Curve::new(&[(0.0, 0.0), (0.20, 1.0), (0.82, 1.0), (1.0, 0.0)]);
    let lifted = Curve::new(&[(0.0, 0.0), (0.20, 0.0), (0.38, 1.0), (0.62, 1.0), (0.80, 0.0), (1.0, 0.0)]);
    let struck = Curve::new(&[(0.0, 0.0), (0.37, 0.0), (0.47, 1.03), (0.52, 1.0), (0.64, 0.0), (1.0, 0.0)]);
    Take::once(paced(1.7, figure), move |t| {
        let (ready, up, struck) = (ready.at(t), lifted.at(t), struck.at(t));
        let mut body = Body::at_ease(figure);
        let leg = figure.leg_length();
        body.hips = DVec3::new(
            0.055 * ready.min(1.0) * (0.4 + 0.6 * up),
            -0.03 * ready - 0.01 * up,
            -0.02 * up + 0.05 * struck,
        );
        body.tilt = pitch(-5.0 * up - 9.0 * struck) * yaw(8.0 * struck) * roll(-3.0 * up);
        body.bend(pitch(6.0 * ready + 10.0 * up - 4.0 * struck) * yaw(-6.0 * struck));
        body.look = pitch(3.0 * ready);
        let guard = guard(figure);
        for (i, arm) in body.arms.iter_mut().enumerate() {
            *arm = mix(*arm, guard[i], ready);
            arm.swing -= 16.0 * struck * if i == 0 { 0.4 } else { 1.5 };
            arm.elbow -= 30.0 * struck * if i == 0 { 0.3 } else { 1.0 };
        }
        body.fingers = [0.22 + 0.6 * ready; 2];
        let side = Side::Right;
        let stood = figure.ankle(side);
        // First the knee comes up with the heel under it, then the foot goes out at the height of the hips.
        let chamber = DVec3::new(stood.x * 0.8, stood.y + 0.52 * leg, stood.z + 0.10 * leg);
        let out = DVec3::new(
            figure.middle().x + 0.25 * (stood.x - figure.middle().x),
            stood.y + 0.86 * leg,
            stood.z + 0.93 * leg,
        );
        let at = stood.lerp(chamber, up).lerp(out, struck);
        let pitch = -34.0 * up * (1.0 - struck) + 62.0 * struck;
        let feet = [body.feet[0], Foot { at, yaw: 0.0, pitch, toes: 1.0 - up }];
        body.feet = feet;
        let mut pose = body.upper(figure);
        let left = pose.planted(Side::Left, feet[0]);
        let heel_up = pose.planted(side, feet[1]);
        // Only the standing leg decides how low the hips go.
        let near = pose.locate(figure.leg(side).upper).1 - DVec3::Y * 0.5 * leg;
        pose.settle([left.0, heel_up.0.lerp(near, up.clamp(0.0, 1.0))]);
        pose.step(Side::Left, left.0, left.1, pose.bend_of_toes(Side::Left, feet[0]));
        // In the air the ankle goes to its place itself; on the ground the foot stands on its ball.
        let ankle = heel_up.0.lerp(at, up.clamp(0.0, 1.0));
        pose.step(side, ankle, heel_up.1, pose.bend_of_toes(side, feet[1]));
        pose
    })
}
