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
/// An error in the network's unit at which a finger joint's confidence has fallen to 1/e. A human finger is 0.1 thick.
const JOINT_ERROR: f64 = 0.2;
/// Fingers whose joints are expected to be off by more than this on average are guesses, worse than none: the joints of
/// one would lie in the next but one. Hands with fingers lie under 0.12, blocks and props taken for hands over 0.25.
const GUESS: f64 = 0.22;

/// How far riggers put the second and third joint of a finger beyond those of the bodies the network learnt from, as a
/// share of the way from the first joint to the third: fingers and thumbs.
const BEYOND: (f64, f64) = (0.07, 0.06);
/// The digits of a mitten.
const MITTEN: [bool; DIGITS] = [true, true, false, false, false];

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
    let faces = body.welded.character_faces();
    let hands = Side::BOTH.map(|side| {
        let (frame, clouds) = crop(body, &faces, side, side.forearm().map(|j| joints[j]), extent)?;
        Some((frame, predictor::hand::predict(&clouds)?)).filter(|(_, seen)| !is_guess(seen))
    });
    let present = present(hands.each_ref().map(|hand| hand.as_ref().map(|(_, seen)| seen.presence)));
    let mut fingers = Vec::new();
    for ((side, hand), present) in Side::BOTH.into_iter().zip(&hands).zip(present) {
        let Some((frame, seen)) = hand else { continue };
        let mut found: Vec<Finger> =
            (0..DIGITS).filter(|&d| present[d]).map(|digit| finger(side, digit, *frame, seen)).collect();
        if present == MITTEN {
            found
                .iter_mut()
                .filter(|f| f.digit == 1)
                .for_each(|f| bend_in_the_palm(f, frame.to_body(DVec3::ZERO)));
        }
        fingers.extend(found);
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

/// How far off a joint is expected to be, in the network's unit.
fn error(seen: &HandPrediction, joint: usize) -> f64 {
    seen.expected_error.map_or(0.0, |e| e[joint]).max(seen.spread[joint])
}

/// Whether the joints of the fingers that seem to be there are too unsure to be of use.
fn is_guess(seen: &HandPrediction) -> bool {
    let joints =
        (0..predictor::hand::JOINTS).filter(|j| seen.presence[j / predictor::hand::FINGER_JOINTS] > PRESENT);
    let (sum, count) = joints.fold((0.0, 0), |(sum, count), j| (sum + error(seen, j), count + 1));
    sum > GUESS * f64::from(count)
}

fn finger(side: Side, digit: usize, frame: HandFrame, seen: &HandPrediction) -> Finger {
    let first = digit * predictor::hand::FINGER_JOINTS;
    let at = |i: usize| frame.to_body(seen.joints[first + i]);
    let beyond = (at(2) - at(0)) * if digit == 0 { BEYOND.1 } else { BEYOND.0 };
    let sure = |i: usize| {
        (libm::exp(-error(seen, first + i) / JOINT_ERROR) * seen.presence[digit].max(PRESENT)) as f32
    };
    let joints = [at(0), at(1) + beyond, at(2) + beyond];
    Finger { side, digit, joints, tip: at(3), confidence: [sure(0), sure(1), sure(2)] }
}

/// A mitten's fingers bend in one piece: rigs give them a joint in the middle of the palm and one at the knuckles.
fn bend_in_the_palm(fingers: &mut Finger, wrist: DVec3) {
    let [knuckles, _, last] = fingers.joints;
    fingers.joints = [wrist.midpoint(knuckles), knuckles, last];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mitten_bends_in_the_palm_and_at_the_knuckles() {
        let at = |x: f64| DVec3::new(x, 0.0, 0.0);
        let mut mitten = Finger {
            side: Side::Left,
            digit: 1,
            joints: [at(8.0), at(9.0), at(10.0)],
            tip: at(12.0),
            confidence: [1.0; 3],
        };
        bend_in_the_palm(&mut mitten, DVec3::ZERO);
        assert_eq!(mitten.joints, [at(4.0), at(8.0), at(10.0)]);
    }

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
    fn fingers_that_the_network_only_guesses_at_are_left_out() {
        let seen = |error: f64| HandPrediction {
            joints: [DVec3::ZERO; predictor::hand::JOINTS],
            spread: [0.01; predictor::hand::JOINTS],
            expected_error: Some([error; predictor::hand::JOINTS]),
            presence: [0.9, 0.9, 0.1, 0.1, 0.1],
        };
        assert!(!is_guess(&seen(0.1)));
        assert!(is_guess(&seen(0.3)));
        assert!(
            !is_guess(&HandPrediction { presence: [0.0; DIGITS], ..seen(0.3) }),
            "nothing there is no guess"
        );
    }

    #[test]
    fn no_hand_has_no_fingers() {
        assert_eq!(present([None, None]), [[false; DIGITS]; 2]);
    }
}
