//! Range of motion: every joint to both ends, one after the other, to try a skin.

use super::{Take, stand::Body};
use crate::motion::{
    figure::{Figure, Side},
    kinematics::{ease, pitch, roll, yaw},
    pose::{ArmAngles, Pose},
};

/// Seconds for each movement.
const EACH: f64 = 1.0;
/// The movements.
const COUNT: usize = 19;

/// Every joint in turn, from the T-pose.
pub(super) fn range_of_motion(figure: &Figure) -> Take<'_> {
    Take::once(EACH * COUNT as f64, move |t| {
        let place = (t * COUNT as f64).min(COUNT as f64 - 1e-9);
        let which = place as usize;
        let s = place - which as f64;
        moved(figure, which, ease(0.0, 0.42, s) - ease(0.58, 1.0, s))
    })
}

/// The T-pose with one movement made by a share.
fn moved<'a>(figure: &'a Figure, which: usize, share: f64) -> Pose<'a> {
    let mut body = Body::at_ease(figure);
    body.arms = [ArmAngles::default(); 2];
    body.fingers = [0.0; 2];
    let to = |degrees: f64| degrees * share;
    let both = |angles: ArmAngles| [angles; 2];
    let arm = ArmAngles::default();
    match which {
        0 => body.look = pitch(to(45.0)),
        1 => body.look = pitch(to(-40.0)),
        2 => body.look = yaw(to(70.0)),
        3 => body.look = yaw(to(-70.0)) * roll(to(10.0)),
        4 => body.bend(pitch(to(60.0))),
        5 => body.bend(pitch(to(-25.0))),
        6 => body.bend(roll(to(30.0))),
        7 => body.bend(yaw(to(45.0))),
        8 => body.arms = both(ArmAngles { down: to(-75.0), ..arm }),
        9 => body.arms = both(ArmAngles { down: to(90.0 - figure.hang), ..arm }),
        // The arms go forward about the vertical: down and swing together would not keep them level.
        10 => {}
        11 => body.arms = both(ArmAngles { elbow: to(140.0), ..arm }),
        12 => body.arms = both(ArmAngles { twist: to(80.0), elbow: to(90.0), ..arm }),
        13 => body.arms = both(ArmAngles { wrist: to(70.0), ..arm }),
        14 => body.fingers = [share; 2],
        _ => {}
    }
    if matches!(which, 4..=7) {
        body.look = body.spine;
    }
    let mut pose = body.upper(figure);
    if which == 10 {
        for side in Side::BOTH {
            let arm = figure.arm(side).upper;
            pose.turn(Some(arm), yaw(to(-85.0) * side.sign()));
        }
    }
    let side = if which.is_multiple_of(2) { Side::Left } else { Side::Right };
    match which {
        15 | 16 => pose.leg(side, to(85.0), 0.0, to(100.0), 0.0),
        17 => pose.leg(side, to(-25.0), to(0.0), to(60.0), to(-30.0)),
        18 => pose.leg(side, to(0.0), to(40.0), 0.0, to(20.0)),
        _ => {}
    }
    // A pointed foot is longer than a level one.
    pose.rest_on_floor(0.0);
    pose
}
