//! A jump on the spot.

use glam::DVec3;

use super::{Take, paced, stand::Body};
use crate::motion::{
    curve::Curve,
    figure::{Figure, Side},
    kinematics::pitch,
    pose::{ArmAngles, Foot, Pose},
};

/// When the feet leave the ground and touch it again, as shares of the clip.
const FLIGHT: (f64, f64) = (0.36, 0.62);
const SECONDS: f64 = 1.7;

/// Crouches, leaps, lands and gives way.
pub(super) fn jump(figure: &Figure) -> Take<'_> {
    let seconds = paced(SECONDS, figure);
    let air = (FLIGHT.1 - FLIGHT.0) * seconds;
    // A free flight under gravity: its height follows from its time.
    let height = 9.81 * air * air / 8.0;
    let crouch = Curve::new(&[
        (0.0, 0.0),
        (0.05, 0.0),
        (0.24, 0.30),
        (0.36, -0.035),
        (0.49, 0.0),
        (0.62, -0.02),
        (0.72, 0.24),
        (0.90, 0.0),
        (1.0, 0.0),
    ]);
    let heels = Curve::new(&[
        (0.0, 0.0),
        (0.26, 0.0),
        (0.36, -48.0),
        (0.46, -30.0),
        (0.55, -22.0),
        (0.62, -26.0),
        (0.68, 0.0),
        (1.0, 0.0),
    ]);
    let arms = Curve::new(&[
        (0.0, 0.0),
        (0.22, -55.0),
        (0.37, 115.0),
        (0.50, 95.0),
        (0.66, 45.0),
        (0.76, 10.0),
        (0.88, -4.0),
        (1.0, 0.0),
    ]);
    let tuck = Curve::new(&[(0.36, 0.0), (0.50, 1.0), (0.62, 0.0)]);
    let lean = Curve::new(&[
        (0.0, 0.0),
        (0.23, 36.0),
        (0.37, -4.0),
        (0.50, 8.0),
        (0.62, 10.0),
        (0.72, 26.0),
        (0.90, 2.0),
        (1.0, 0.0),
    ]);
    Take::once(seconds, move |t| {
        let s = ((t - FLIGHT.0) / (FLIGHT.1 - FLIGHT.0)).clamp(0.0, 1.0);
        let flown = 4.0 * s * (1.0 - s) * height;
        let (low, lean, tuck) = (crouch.at(t), lean.at(t), tuck.at(t));
        let mut body = Body::at_ease(figure);
        body.hips = DVec3::new(0.0, -low - 0.004 + flown / figure.leg_length(), -0.25 * low.max(0.0));
        body.tilt = pitch(0.5 * lean);
        body.bend(pitch(0.55 * lean));
        body.look = pitch(0.15 * lean);
        let swing = arms.at(t);
        let bent = ((swing - 20.0) / 95.0).clamp(0.0, 1.0);
        body.arms = body.arms.map(|hang| ArmAngles {
            down: hang.down - 8.0 * bent,
            swing,
            elbow: hang.elbow + 34.0 * bent + 10.0 * (swing / -55.0).clamp(0.0, 1.0),
            ..hang
        });
        body.fingers = [0.22 + 0.3 * bent; 2];
        legs(figure, &body, flown, tuck, heels.at(t), (0.0..1.0).contains(&s) && s > 0.0)
    })
}

/// On the ground the feet stay where they are; in the air they hang from the hips, drawn up by `tuck`.
fn legs<'a>(figure: &'a Figure, body: &Body, flown: f64, tuck: f64, heels: f64, flying: bool) -> Pose<'a> {
    let up = DVec3::Y * (flown + 0.16 * tuck * figure.leg_length());
    let back = DVec3::NEG_Z * (0.05 * tuck * figure.leg_length());
    let mut body = *body;
    body.feet = Side::BOTH.map(|side| {
        // One foot a little before the other looks less like a machine.
        let before = DVec3::Z * (side.sign() * 0.03 * tuck * figure.leg_length());
        let pitch = if figure.leg(side).toes.is_some() { heels } else { 0.6 * heels };
        Foot {
            at: figure.ankle(side) + up + back + before,
            yaw: 0.0,
            pitch,
            toes: if flying { 1.0 - tuck } else { 1.0 },
        }
    });
    body.standing(figure)
}
