//! Gestures: waving, pointing, clapping.

use glam::{DMat3, DQuat, DVec3};

use super::{Take, stand::Body};
use crate::motion::{
    curve::Curve,
    figure::{Figure, Side},
    kinematics::{pitch, roll, wave, yaw},
    pose::{ArmAngles, Pose},
};

/// Between two sets of angles.
pub(super) fn mix(a: ArmAngles, b: ArmAngles, share: f64) -> ArmAngles {
    let mix = |a: f64, b: f64| a + (b - a) * share;
    ArmAngles {
        down: mix(a.down, b.down),
        swing: mix(a.swing, b.swing),
        twist: mix(a.twist, b.twist),
        elbow: mix(a.elbow, b.elbow),
        wrist: mix(a.wrist, b.wrist),
    }
}

/// The right hand is raised beside the head and waved.
pub(super) fn wave_hand(figure: &Figure) -> Take<'_> {
    const SECONDS: f64 = 2.6;
    let raised = Curve::new(&[(0.0, 0.0), (0.06, -0.06), (0.26, 1.04), (0.33, 1.0), (0.76, 1.0), (1.0, 0.0)]);
    let waving = Curve::new(&[(0.24, 0.0), (0.34, 1.0), (0.70, 1.0), (0.80, 0.0)]);
    // The forearm leans out as far as a wide head asks for.
    let arm = figure.arm(Side::Right);
    let beside = (figure.at(arm.lower).x - figure.middle().x).abs();
    let room = (figure.head_half_width + arm.reach * 0.55 - beside) / arm.lengths.1.max(1e-6);
    let lean = libm::asin(room.clamp(0.0, 0.9)).to_degrees().max(12.0);
    Take::once(SECONDS, move |t| {
        let (up, swing) = (raised.at(t), waving.at(t) * wave(t * SECONDS * 1.55));
        let mut body = Body::at_ease(figure);
        body.breathe(wave(t) * 0.7);
        body.hips = DVec3::new(0.014 * up, -0.003 - 0.002 * up, 0.0);
        body.tilt = roll(1.2 * up);
        body.bend(roll(2.5 * up) * yaw(-4.0 * up) * roll(0.7 * swing));
        body.look = yaw(-5.0 * up) * roll(3.0 * up - 1.0 * swing) * pitch(-2.0 * up);
        body.shrug[1] = (9.0 * up, 2.0 * up);
        // Elbow a little below the shoulder, the fold upwards, the palm ahead.
        let high = ArmAngles {
            down: 12.0,
            swing: 12.0,
            twist: 86.0,
            elbow: 90.0 - lean + 20.0 * swing,
            wrist: -4.0,
        };
        body.arms[1] = mix(body.arms[1], high, up);
        body.fingers[1] = 0.22 - 0.16 * up.clamp(0.0, 1.0);
        let mut pose = body.standing(figure);
        // The wrist lags behind the forearm.
        let late = waving.at(t) * wave(t * SECONDS * 1.55 - 0.13);
        pose.turn(Some(figure.arm(Side::Right).hand), yaw(-12.0 * late));
        pose
    })
}

/// The right arm points ahead, the index finger straight.
pub(super) fn point(figure: &Figure) -> Take<'_> {
    let out = Curve::new(&[(0.0, 0.0), (0.10, -0.10), (0.32, 1.05), (0.42, 1.0), (0.74, 1.0), (1.0, 0.0)]);
    let elbow = Curve::new(&[
        (0.0, 0.0),
        (0.10, 0.25),
        (0.22, 1.0),
        (0.36, 0.0),
        (0.78, 0.0),
        (0.88, 0.5),
        (1.0, 0.0),
    ]);
    Take::once(2.4, move |t| {
        let share = out.at(t);
        let mut body = Body::at_ease(figure);
        body.breathe(wave(t) * 0.7);
        body.hips = DVec3::new(-0.008 * share, -0.004, 0.014 * share);
        body.tilt = yaw(5.0 * share);
        body.bend(yaw(9.0 * share) * pitch(2.0 * share));
        body.look = pitch(1.5 * share);
        body.shrug[1] = (3.0 * share, 7.0 * share);
        let ahead =
            ArmAngles { down: 90.0 - figure.hang * 0.5, swing: 84.0, twist: -10.0, elbow: 6.0, wrist: 0.0 };
        body.arms[1] = mix(body.arms[1], ahead, share);
        body.arms[1].elbow += 55.0 * elbow.at(t);
        body.fingers[1] = 0.22 + 0.68 * share.clamp(0.0, 1.0);
        let mut pose = body.standing(figure);
        pose.finger(Side::Right, 1, -body.fingers[1] * share.clamp(0.0, 1.0) * 0.95);
        pose
    })
}

/// Both hands meet before the chest, once in a loop of half a second, twice in the clip.
pub(super) fn clap(figure: &Figure) -> Take<'_> {
    const CLAPS: f64 = 2.0;
    Take::round(CLAPS * 0.5, move |t| {
        let beat = t * CLAPS;
        let beat = beat - libm::floor(beat);
        // Fast together, a short rest, slowly apart.
        let apart = Curve::round(&[(0.0, 0.0), (0.06, 0.015), (0.55, 1.0), (0.72, 0.95)]).at(beat);
        let mut body = Body::at_ease(figure);
        body.hips = DVec3::new(0.0, -0.006 + 0.004 * apart, 0.0);
        body.bend(pitch(3.0 - 2.0 * apart));
        body.look = pitch(2.0 - 2.0 * apart) * yaw(1.5 * wave(t));
        body.shrug = [(2.0, 6.0 - 5.0 * apart); 2];
        body.fingers = [0.06; 2];
        let mut pose = body.standing(figure);
        for side in Side::BOTH {
            clapping_hand(&mut pose, side, apart);
        }
        pose
    })
}

/// Palm to palm in the middle when `apart` is 0, the fingers up and ahead.
fn clapping_hand(pose: &mut Pose, side: Side, apart: f64) {
    let figure = pose.figure;
    let arm = figure.arm(side);
    let sign = side.sign();
    let (_, shoulder) = pose.locate(arm.upper);
    let long = arm.lengths.0 + arm.lengths.1;
    let middle = figure.middle().x;
    let half = arm.palm + 0.20 * long * apart;
    let wrist = DVec3::new(middle + sign * half, shoulder.y - 0.42 * long, shoulder.z + 0.50 * long);
    // The palm faces the middle and opens a little as the hands part.
    let open = 12.0 * apart;
    let fingers = yaw(sign * open) * DVec3::new(0.0, 0.68, 0.73).normalize();
    let palm = yaw(sign * open) * DVec3::NEG_X * sign;
    let hand = hand_turn(side, fingers, palm);
    pose.reach(side, wrist, DVec3::new(0.75 * sign, -0.8, -0.35), Some(hand));
}

/// The turn of a hand whose fingers and palm point so.
pub(super) fn hand_turn(side: Side, fingers: DVec3, palm: DVec3) -> DQuat {
    let fingers = fingers.normalize();
    let palm = palm.reject_from_normalized(fingers).normalize();
    let from =
        DMat3::from_cols(DVec3::X * side.sign(), DVec3::NEG_Y, (DVec3::X * side.sign()).cross(DVec3::NEG_Y));
    let to = DMat3::from_cols(fingers, palm, fingers.cross(palm));
    DQuat::from_mat3(&(to * from.transpose())).normalize()
}
