//! Going down and coming up again: sitting on a seat, crouching.

use glam::DVec3;

use super::{Take, act::mix, paced, stand::Body};
use crate::motion::{
    curve::Curve,
    figure::Figure,
    kinematics::{pitch, wave, yaw},
    pose::ArmAngles,
};

/// Sits down on a seat as high as the knees, rests, and stands up.
pub(super) fn sit(figure: &Figure) -> Take<'_> {
    let down = Curve::new(&[(0.0, 0.0), (0.06, 0.0), (0.34, 1.0), (0.68, 1.0), (0.94, 0.0), (1.0, 0.0)]);
    let lean = Curve::new(&[
        (0.0, 0.0),
        (0.18, 34.0),
        (0.34, 12.0),
        (0.42, 2.0),
        (0.60, 2.0),
        (0.70, 36.0),
        (0.92, 2.0),
        (1.0, 0.0),
    ]);
    let leg = figure.leg(crate::motion::figure::Side::Left);
    let share = leg.lengths.0 / leg.length();
    Take::once(paced(4.2, figure), move |t| {
        let (low, lean) = (down.at(t), lean.at(t));
        let mut body = Body::at_ease(figure);
        // The thighs end level: the hips are as high as the knees, and as far behind them as a thigh is long.
        body.hips = DVec3::new(0.0, -share * 0.97 * low, -share * 0.90 * low);
        body.tilt = pitch(0.55 * lean - 4.0 * low);
        body.bend(pitch(0.6 * lean + 3.0 * low));
        body.breathe(wave(4.0 * t) * 0.8);
        body.look = pitch(0.35 * lean) * yaw(5.0 * low * wave(2.0 * t));
        let rest =
            ArmAngles { down: 90.0 - 0.7 * figure.hang, swing: 40.0, twist: 4.0, elbow: 52.0, wrist: -4.0 };
        let way = ArmAngles { down: 90.0 - figure.hang, swing: 28.0, twist: 4.0, elbow: 30.0, wrist: 0.0 };
        let on_the_way = (lean / 34.0).clamp(0.0, 1.0);
        body.arms = body.arms.map(|hang| mix(mix(hang, rest, low), way, on_the_way * 0.8));
        body.standing(figure)
    })
}

/// Goes down on bent knees, stays, and comes up.
pub(super) fn crouch(figure: &Figure) -> Take<'_> {
    let down = Curve::new(&[
        (0.0, 0.0),
        (0.05, -0.02),
        (0.30, 1.03),
        (0.38, 1.0),
        (0.66, 1.0),
        (0.92, -0.01),
        (1.0, 0.0),
    ]);
    Take::once(paced(3.0, figure), move |t| {
        let low = down.at(t);
        let mut body = Body::at_ease(figure);
        let width = 0.06 * figure.leg_length();
        body.hips = DVec3::new(0.0, -0.40 * low - 0.004, -0.10 * low);
        body.tilt = pitch(24.0 * low) * yaw(6.0 * low);
        body.bend(pitch(20.0 * low) * yaw(-6.0 * low));
        body.breathe(wave(3.0 * t) * (0.8 + 0.6 * low));
        body.look = pitch(6.0 * low);
        let guard =
            ArmAngles { down: 90.0 - figure.hang * 1.1, swing: 36.0, twist: 8.0, elbow: 58.0, wrist: 4.0 };
        body.arms = body.arms.map(|hang| mix(hang, guard, low));
        body.fingers = [0.22 + 0.25 * low; 2];
        // The weight shifts a little while it waits; the feet stay.
        body.hips.x += 0.3 * width * low * wave(2.0 * t) / figure.leg_length();
        body.standing(figure)
    })
}
