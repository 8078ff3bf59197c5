//! What the hand network sees of a character: the surface around one wrist, turned so that the forearm points along +X,
//! right hands mirrored to left ones. Training cuts hands out in the same way (`training/autorig_training/hands.py`).

use glam::{DMat3, DVec3};
use rayon::prelude::*;

use super::Side;
use crate::{
    analyse::{
        Body,
        surface::{SurfacePoint, doubled_area, fade, same_run, spread},
        weld::Face,
    },
    skeleton::predictor::{Cloud, Patches, hand::POINTS},
};

/// The radius of the ball around the wrist: shares of the forearm's length and of the height of the body joints.
const RADIUS: (f64, f64) = (0.9, 0.08);
/// What lies further back along the forearm than this share of the radius is left out.
const BEHIND: f64 = 0.15;
/// Points this near the edge of what the network sees, in its unit, are less steady: the wrist may move a little.
const MARGIN: f64 = 0.1;
/// Points sampled for each that is kept; some fall outside of the ball.
const OVERSAMPLING: usize = 4;
/// With fewer points in the ball there is no hand to speak of.
const FEWEST_POINTS: usize = 64;
/// Independent samplings of a hand.
const SAMPLINGS: u64 = 3;

/// How a hand lies in the body's canonical space.
#[derive(Debug, Clone, Copy)]
pub(super) struct HandFrame {
    wrist: DVec3,
    /// Turns the forearm's direction, mirrored for a right hand, to +X.
    turn: DMat3,
    /// −1 for x of a right hand.
    flip: DVec3,
    /// Radius of the ball in metres; 2 in the network's unit.
    radius: f64,
}

impl HandFrame {
    /// `elbow` and `wrist` in canonical space; `extent` is the height from the lowest to the highest body joint.
    /// `None` for a forearm without length.
    fn new(side: Side, elbow: DVec3, wrist: DVec3, extent: f64) -> Option<Self> {
        let forearm = wrist - elbow;
        let flip = if side == Side::Right { DVec3::new(-1.0, 1.0, 1.0) } else { DVec3::ONE };
        let radius = RADIUS.0 * forearm.length() + RADIUS.1 * extent;
        let direction = (forearm * flip).try_normalize()?;
        (radius.is_finite() && radius > 0.0).then(|| Self { wrist, turn: turn_to_x(direction), flip, radius })
    }

    fn to_hand(self, p: DVec3) -> DVec3 {
        self.turn * ((p - self.wrist) * self.flip) * 2.0 / self.radius
    }

    /// From the network's unit to canonical space.
    pub(super) fn to_body(self, p: DVec3) -> DVec3 {
        self.wrist + self.turn.transpose() * (p * self.radius / 2.0) * self.flip
    }

    /// How far a point, given in the network's unit, is inside what the network sees: positive inside, 1 from the margin on.
    fn within(p: DVec3) -> f64 {
        (2.0 - p.length()).min(p.x + 2.0 * BEHIND) / MARGIN
    }
}

/// The smallest rotation that takes a unit vector to +X; about Z where it points the other way.
fn turn_to_x(from: DVec3) -> DMat3 {
    /// Below this cosine the axis of the smallest rotation is not to be had.
    const OPPOSITE: f64 = -0.9999;
    let cosine = from.x;
    if cosine < OPPOSITE {
        return DMat3::from_diagonal(DVec3::new(-1.0, -1.0, 1.0));
    }
    // Rodrigues' formula with the cross product as axis times sine.
    let axis = from.cross(DVec3::X);
    let cross = DMat3::from_cols(
        DVec3::new(0.0, axis.z, -axis.y),
        DVec3::new(-axis.z, 0.0, axis.x),
        DVec3::new(axis.y, -axis.x, 0.0),
    );
    DMat3::IDENTITY + cross + cross * cross * (1.0 / (1.0 + cosine))
}

/// Samplings of a hand and where they come from. `None` where there is too little surface.
pub(super) fn crop(
    body: &Body,
    faces: &[Face],
    side: Side,
    [elbow, wrist]: [DVec3; 2],
    extent: f64,
) -> Option<(HandFrame, Vec<Cloud>)> {
    let frame = HandFrame::new(side, elbow, wrist, extent)?;
    let near = |face: &Face| {
        let corners = face.corners.map(|i| body.vertices[i as usize]);
        let centre = (corners[0] + corners[1] + corners[2]) / 3.0;
        let reach = corners.iter().map(|c| c.distance(centre)).fold(0.0, f64::max);
        centre.distance(wrist) < frame.radius + reach
    };
    let runs: Vec<Face> = faces
        .par_chunk_by(same_run)
        .filter(|run| run.iter().any(near))
        .flat_map_iter(|run| run.iter().copied())
        .collect();
    let area: f64 = runs.iter().filter(|f| near(f)).map(|f| doubled_area(&body.vertices, f)).sum();
    // Against the ball, so that the unit of the file is none of its business.
    let ball = frame.radius * frame.radius;
    let step = coarse(area / ball / (OVERSAMPLING * POINTS) as f64)? * ball;
    let clouds: Option<Vec<Cloud>> = (0..SAMPLINGS)
        .into_par_iter()
        .map(|seed| cloud(frame, &spread(&body.vertices, &runs, near, step, seed)))
        .collect();
    Some((frame, clouds?))
}

/// The next lower power of √2: a face that comes into reach or goes must not shift the points of all others.
fn coarse(step: f64) -> Option<f64> {
    let power = (libm::log2(step) * 2.0).floor() / 2.0;
    power.is_finite().then(|| libm::exp2(power))
}

/// Exactly [`POINTS`] of what the network sees, repeated where there are fewer.
fn cloud(frame: HandFrame, points: &[SurfacePoint]) -> Option<Cloud> {
    let seen: Vec<SurfacePoint> = points
        .iter()
        .map(|p| {
            let position = frame.to_hand(p.position);
            let steady = p.steady * HandFrame::within(position).clamp(0.0, 1.0);
            SurfacePoint { position, normal: frame.turn * (p.normal * frame.flip), steady }
        })
        .filter(|p| HandFrame::within(p.position) > 0.0)
        .collect();
    if seen.len() < FEWEST_POINTS {
        return None;
    }
    let mut points: Vec<SurfacePoint> = seen.iter().cycle().take(POINTS).copied().collect();
    fade(&mut points);
    Some(Cloud::as_given(&points, Patches::HAND))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn direction() -> impl Strategy<Value = DVec3> {
        (-1.0..1.0_f64, -1.0..1.0_f64, -1.0..1.0_f64)
            .prop_map(DVec3::from)
            .prop_filter("a direction", |v| v.length() > 0.05)
            .prop_map(DVec3::normalize)
    }

    proptest! {
        #[test]
        fn the_forearm_is_turned_to_x_by_a_rotation(from in direction()) {
            let turn = turn_to_x(from);
            prop_assert!((turn * from).distance(DVec3::X) < 2e-2 * f64::from(u8::from(from.x < -0.9999)) + 1e-9);
            prop_assert!((turn.determinant() - 1.0).abs() < 1e-9);
            prop_assert!((turn * turn.transpose() - DMat3::IDENTITY).to_cols_array().iter().all(|v| v.abs() < 1e-9));
        }

        #[test]
        fn a_point_goes_to_the_hand_and_back(elbow in direction(), wrist in direction(), p in direction(), right: bool) {
            prop_assume!(elbow.distance(wrist) > 1e-3);
            let side = if right { Side::Right } else { Side::Left };
            let frame = HandFrame::new(side, elbow, wrist, 1.5).unwrap();
            prop_assert!(frame.to_body(frame.to_hand(p)).distance(p) < 1e-9);
            prop_assert!((frame.to_hand(p).length() * frame.radius / 2.0 - p.distance(wrist)).abs() < 1e-9);
        }

        #[test]
        fn a_right_hand_looks_like_the_left_one_it_mirrors(elbow in direction(), wrist in direction(), p in direction()) {
            prop_assume!(elbow.distance(wrist) > 1e-3);
            let flip = DVec3::new(-1.0, 1.0, 1.0);
            let left = HandFrame::new(Side::Left, elbow, wrist, 1.5).unwrap();
            let right = HandFrame::new(Side::Right, elbow * flip, wrist * flip, 1.5).unwrap();
            prop_assert!(left.to_hand(p).distance(right.to_hand(p * flip)) < 1e-9);
        }
    }

    #[test]
    fn an_arm_that_points_the_other_way_is_turned_about_z() {
        let turn = turn_to_x(DVec3::NEG_X);
        assert_eq!(turn * DVec3::NEG_X, DVec3::X);
        assert_eq!(turn * DVec3::Z, DVec3::Z);
    }

    #[test]
    fn a_forearm_without_length_has_no_hand() {
        assert!(HandFrame::new(Side::Left, DVec3::ONE, DVec3::ONE, 1.5).is_none());
        assert!(HandFrame::new(Side::Left, DVec3::ONE, DVec3::NAN, 1.5).is_none());
    }
}
