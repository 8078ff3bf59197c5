//! Fingers: which a hand has, and where their joints are.
//!
//! | module | what |
//! | --- | --- |
//! | `crop` | the surface around a wrist, as the hand network sees it |
//!
//! Each hand is cut out of the character and shown to a network of its own, which finds far more points on a finger than
//! the body's network does. A mitten is a thumb and one finger, the index, along its middle; a hand that is a ball has
//! none.

use glam::DVec3;

use super::predictor::{self, hand::HandPrediction};
use crate::analyse::Body;

mod crop;

use crop::{HandFrame, crop};

/// Fingers a hand can have: thumb, index, middle, ring, little.
pub const DIGITS: usize = predictor::hand::FINGERS;

/// Names of the joints of each finger from the palm outwards, without their side (VRM 1.0).
pub const DIGIT_JOINTS: [[&str; 3]; DIGITS] = [
    ["ThumbMetacarpal", "ThumbProximal", "ThumbDistal"],
    ["IndexProximal", "IndexIntermediate", "IndexDistal"],
    ["MiddleProximal", "MiddleIntermediate", "MiddleDistal"],
    ["RingProximal", "RingIntermediate", "RingDistal"],
    ["LittleProximal", "LittleIntermediate", "LittleDistal"],
];

/// A finger is there from this probability on.
const PRESENT: f64 = 0.5;
/// Hands whose probabilities differ by less than this on average have the same fingers.
const ALIKE: f64 = 0.3;
/// An error, as a share of the network's unit, at which a finger joint's confidence has fallen to 1/e: half a
/// finger's thickness, about.
const JOINT_ERROR: f64 = 0.12;

/// A side of the character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The character's own left.
    Left,
    /// The character's own right.
    Right,
}

impl Side {
    /// Both, left first.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// The prefix of joint names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    /// Indices of elbow and wrist in the body network's order.
    fn forearm(self) -> [usize; 2] {
        match self {
            Self::Left => [8, 9],
            Self::Right => [16, 17],
        }
    }
}

/// A finger in canonical space.
#[derive(Debug, Clone, PartialEq)]
pub struct Finger {
    /// The hand it is on.
    pub side: Side,
    /// 0 thumb to 4 little finger.
    pub digit: usize,
    /// Joints from the palm outwards, named by [`DIGIT_JOINTS`].
    pub joints: [DVec3; 3],
    /// Its end.
    pub tip: DVec3,
    /// How sure each joint is, 0 to 1.
    pub confidence: [f32; 3],
}

/// The fingers of both hands, left hand first, thumbs first. `joints` are the body's, in canonical space and the
/// network's order.
pub fn find(body: &Body, joints: &[DVec3; predictor::JOINTS]) -> Vec<Finger> {
    let heights = joints.iter().map(|j| j.y);
    let extent = heights.clone().fold(f64::NEG_INFINITY, f64::max) - heights.fold(f64::INFINITY, f64::min);
    let triangles = body.welded.character_triangles();
    let hands = Side::BOTH.map(|side| {
        let (frame, clouds) = crop(body, &triangles, side, side.forearm().map(|j| joints[j]), extent)?;
        Some((frame, predictor::hand::predict(&clouds)?))
    });
    let present = present(hands.each_ref().map(|hand| hand.as_ref().map(|(_, seen)| seen.presence)));
    let mut fingers = Vec::new();
    for ((side, hand), present) in Side::BOTH.into_iter().zip(&hands).zip(present) {
        let Some((frame, seen)) = hand else { continue };
        fingers.extend((0..DIGITS).filter(|&d| present[d]).map(|digit| finger(side, digit, *frame, seen)));
    }
    fingers
}

/// Which fingers each hand has. Hands that look alike have the same; where they do not (a hook, a fist around a
/// sword), each has its own.
fn present(probability: [Option<[f64; DIGITS]>; 2]) -> [[bool; DIGITS]; 2] {
    let [left, right] = probability;
    if let Some((l, r)) = left.zip(right) {
        let apart = l.iter().zip(&r).map(|(l, r)| (l - r).abs()).sum::<f64>() / DIGITS as f64;
        if apart < ALIKE {
            return [std::array::from_fn(|d| (l[d] + r[d]) / 2.0 > PRESENT); 2];
        }
    }
    probability.map(|hand| hand.map_or([false; DIGITS], |p| p.map(|p| p > PRESENT)))
}

fn finger(side: Side, digit: usize, frame: HandFrame, seen: &HandPrediction) -> Finger {
    let first = digit * predictor::hand::FINGER_JOINTS;
    let at = |i: usize| frame.to_body(seen.joints[first + i]);
    let sure = |i: usize| {
        let expected = seen.expected_error.map_or(0.0, |e| e[first + i]);
        let error = expected.max(seen.spread[first + i]);
        (libm::exp(-error / JOINT_ERROR) * seen.presence[digit].max(PRESENT)) as f32
    };
    Finger { side, digit, joints: [at(0), at(1), at(2)], tip: at(3), confidence: [sure(0), sure(1), sure(2)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [bool; DIGITS] = [true; DIGITS];

    #[test]
    fn hands_that_look_alike_have_the_same_fingers() {
        let left = [0.9, 0.9, 0.8, 0.6, 0.9];
        let right = [0.9, 0.9, 0.8, 0.45, 0.9];
        assert_eq!(present([Some(left), Some(right)]), [ALL; 2]);
    }

    #[test]
    fn a_hook_gets_no_fingers_from_the_other_hand() {
        assert_eq!(present([Some([0.95; DIGITS]), Some([0.05; DIGITS])]), [ALL, [false; DIGITS]]);
        assert_eq!(present([None, Some([0.95; DIGITS])]), [[false; DIGITS], ALL]);
    }

    #[test]
    fn no_hand_has_no_fingers() {
        assert_eq!(present([None, None]), [[false; DIGITS]; 2]);
    }
}
