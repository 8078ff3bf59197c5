//! A dance: two bars of side steps with a bounce on every beat.

use glam::DVec3;

use super::{Take, stand::Body};
use crate::motion::{
    curve::Curve,
    figure::{Figure, Side},
    kinematics::{pitch, roll, wave, yaw},
    pose::{ArmAngles, Foot},
};

/// Beats in the clip, and their time: 120 a minute.
const BEATS: f64 = 8.0;
const SECONDS: f64 = 4.0;

/// Steps to the side and touches, left and right by turns, the arms in front.
pub(super) fn dance(figure: &Figure) -> Take<'_> {
    // Share of the way to the left of each foot over four beats: left steps out, right joins, right steps back, left joins.
    let left = Curve::round(&[(0.0, 0.0), (0.19, 1.0), (0.25, 1.0), (0.5, 1.0), (0.75, 1.0), (0.94, 0.0)]);
    let right = Curve::round(&[(0.0, 0.0), (0.25, 0.0), (0.44, 1.0), (0.5, 1.0), (0.69, 0.0), (0.75, 0.0)]);
    let left_up =
        Curve::round(&[(0.0, 0.0), (0.10, 1.0), (0.19, 0.0), (0.75, 0.0), (0.85, 1.0), (0.94, 0.0)]);
    let right_up = Curve::round(&[
        (0.0, 0.0),
        (0.25, 0.0),
        (0.35, 1.0),
        (0.44, 0.0),
        (0.5, 0.0),
        (0.60, 1.0),
        (0.69, 0.0),
    ]);
    Take::round(SECONDS, move |t| {
        let bar = 2.0 * t - libm::floor(2.0 * t);
        // Down on the beat.
        let bounce = 0.5 + 0.5 * wave(BEATS * t + 0.25);
        let side = 0.5 - 0.5 * wave(2.0 * t + 0.25 - 0.1);
        let step = 0.42 * figure.leg_length();
        let mut body = Body::at_ease(figure);
        let across = (side - 0.5) * step;
        body.hips = DVec3::new(across / figure.leg_length(), -0.03 - 0.045 * bounce, 0.0);
        let groove = wave(2.0 * t + 0.1);
        body.tilt = yaw(9.0 * groove) * roll(4.0 * wave(4.0 * t)) * pitch(3.0);
        body.bend(yaw(-20.0 * groove) * roll(-5.0 * wave(4.0 * t - 0.04)) * pitch(4.0 + 5.0 * bounce));
        body.look = yaw(12.0 * groove) * pitch(5.0 * bounce - 1.0) * roll(4.0 * wave(4.0 * t + 0.1));
        for (i, (share, up)) in
            [(left.at(bar), left_up.at(bar)), (right.at(bar), right_up.at(bar))].into_iter().enumerate()
        {
            let own = figure.ankle(Side::BOTH[i]);
            let at = own + DVec3::new((share - 0.5) * step, 0.06 * figure.leg_length() * up, 0.0);
            body.feet[i] = Foot { at, yaw: 0.0, pitch: -18.0 * up, toes: 1.0 - up };
        }
        for (i, arm) in body.arms.iter_mut().enumerate() {
            let own = t + if i == 0 { 0.0 } else { 0.25 };
            // In the second bar the arms go up.
            let up = 0.5 - 0.5 * wave(t + 0.25);
            let pump = wave(4.0 * own - 0.05);
            *arm = ArmAngles {
                down: 90.0 - figure.hang - 6.0 - 10.0 * up,
                swing: 34.0 + 16.0 * pump + 28.0 * up,
                twist: 10.0,
                elbow: 84.0 + 18.0 * wave(4.0 * own - 0.15),
                wrist: 6.0 * wave(4.0 * own - 0.25),
            };
            body.shrug[i] = (3.0 * pump + 3.0 * bounce, 4.0 * pump);
        }
        body.fingers = [0.5; 2];
        body.standing(figure)
    })
}
