//! Falling down dead: hit, knees give way, onto the back.

use glam::DVec3;

use super::{Take, act::mix, paced, stand::Body};
use crate::motion::{
    curve::Curve,
    figure::{Figure, Side},
    kinematics::{pitch, roll, yaw},
    pose::{ArmAngles, Pose},
};

/// Staggers, sinks back and lies on the back at the end.
pub(super) fn death(figure: &Figure) -> Take<'_> {
    let hit = Curve::new(&[(0.0, 0.0), (0.10, 1.0), (0.30, 0.5), (0.60, 0.0), (1.0, 0.0)]);
    let sink = Curve::new(&[(0.0, 0.0), (0.08, 0.05), (0.40, 0.55), (0.58, 0.86), (0.66, 0.86), (1.0, 0.86)]);
    let back = Curve::new(&[
        (0.0, 0.0),
        (0.20, 5.0),
        (0.40, 22.0),
        (0.58, 62.0),
        (0.72, 90.0),
        (0.78, 87.0),
        (0.84, 90.0),
        (1.0, 90.0),
    ]);
    let loose = Curve::new(&[(0.30, 0.0), (0.74, 1.0)]);
    let lying = Curve::new(&[(0.44, 0.0), (0.80, 1.0)]);
    Take::once(paced(2.6, figure), move |t| {
        let (hit, sink, back) = (hit.at(t), sink.at(t), back.at(t));
        let (loose, lying) = (loose.at(t), lying.at(t));
        let mut body = Body::at_ease(figure);
        body.hips = DVec3::new(0.0, -sink, -0.42 * sink - 0.05 * hit);
        body.tilt = pitch(-back + 10.0 * hit) * yaw(6.0 * hit) * roll(2.0 * loose);
        body.bend(pitch(24.0 * hit + 20.0 * loose * (1.0 - lying)) * yaw(-8.0 * hit) * roll(-3.0 * loose));
        let spread = ArmAngles { down: 34.0, swing: 4.0, twist: 60.0, elbow: 32.0, wrist: 10.0 };
        let clutch = ArmAngles { down: 62.0, swing: 34.0, twist: 10.0, elbow: 80.0, wrist: 10.0 };
        for (i, arm) in body.arms.iter_mut().enumerate() {
            let limp = ArmAngles { down: spread.down + 9.0 * i as f64, ..spread };
            *arm = mix(mix(*arm, clutch, hit), limp, loose);
        }
        body.fingers = [0.22 + 0.25 * loose; 2];
        body.look = pitch(-back * 0.96 + 12.0 * hit) * yaw(24.0 * lying);
        legs(figure, &body, lying)
    })
}

/// From feet on the ground to legs that lie as they fell.
fn legs<'a>(figure: &'a Figure, body: &Body, lying: f64) -> Pose<'a> {
    let mut stood = body.standing(figure);
    let mut limp = body.upper(figure);
    limp.leg(Side::Left, 4.0, 9.0, 8.0, -28.0);
    limp.leg(Side::Right, 22.0, 13.0, 38.0, -24.0);
    for leg in &figure.legs {
        for bone in [Some(leg.upper), Some(leg.lower), Some(leg.foot), leg.toes].into_iter().flatten() {
            let turns = &mut stood.posture.turns;
            turns[bone] = turns[bone].slerp(limp.posture.turns[bone], lying).normalize();
        }
    }
    let hips = figure.hips;
    stood.posture.moves[hips] = stood.posture.moves[hips].lerp(limp.posture.moves[hips], lying);
    if lying > 0.0 {
        // It comes to lie, however thick it is.
        stood.rest_on_floor(lying);
    }
    stood
}
