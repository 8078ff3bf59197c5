//! From a body to a humanoid skeleton: prediction, the user's joints, confidence.

use super::{
    Joint, Skeleton,
    markers::{JointHint, resolve},
    predictor::{JOINTS, NAMES, Prediction, predict},
};
use crate::{Code, Error, Result, analyse::Body};

/// The parent of each body joint; `hips` hangs on `root`.
const PARENTS: [(&str, &str); JOINTS] = [
    ("hips", "root"),
    ("spine", "hips"),
    ("chest", "spine"),
    ("upperChest", "chest"),
    ("neck", "upperChest"),
    ("head", "neck"),
    ("leftShoulder", "upperChest"),
    ("leftUpperArm", "leftShoulder"),
    ("leftLowerArm", "leftUpperArm"),
    ("leftHand", "leftLowerArm"),
    ("leftUpperLeg", "hips"),
    ("leftLowerLeg", "leftUpperLeg"),
    ("leftFoot", "leftLowerLeg"),
    ("leftToes", "leftFoot"),
    ("rightShoulder", "upperChest"),
    ("rightUpperArm", "rightShoulder"),
    ("rightLowerArm", "rightUpperArm"),
    ("rightHand", "rightLowerArm"),
    ("rightUpperLeg", "hips"),
    ("rightLowerLeg", "rightUpperLeg"),
    ("rightFoot", "rightLowerLeg"),
    ("rightToes", "rightFoot"),
];

/// A spread of the predictions, as a share of the height, at which a joint's confidence has fallen to 1/e.
const JOINT_SPREAD: f64 = 0.025;
/// Relative spreads of the whole skeleton between which the class's confidence falls from 1 to 0. Measured: upright
/// humanoids lie at 0.003–0.02, chibis with hats up to 0.026, animals at 0.016–0.036.
const CLASS_SPREAD: (f64, f64) = (0.005, 0.031);
/// From this relative spread on the proportions are unusual, and only a figure as wide as in [`REACH`] is believed: chibis
/// and robots hold their arms out, a fox that was stood on its tail has none.
const UNUSUAL_SPREAD: f64 = 0.012;
/// Widths as shares of the height between which an unusual figure's confidence rises from 0 to 1.
const REACH: (f64, f64) = (0.3, 0.6);
/// Under this confidence nothing is rigged unless the user says it is a humanoid.
const REFUSE_BELOW: f32 = 0.15;

/// A skeleton and how sure we are that there is one.
pub struct Fit {
    /// In the file's frame.
    pub skeleton: Skeleton,
    /// How sure it is a humanoid, 0 to 1.
    pub class_confidence: f32,
}

/// Predicts the joints and puts the user's in their place.
///
/// # Errors
/// `no_character_found` unless `forced`; `invalid_option` for a hint whose name is unknown or given twice.
pub fn fit(body: &Body, hints: &[JointHint], forced: bool) -> Result<Fit> {
    let known = resolve(hints)?;
    let prediction = predict(&body.clouds);
    let class_confidence = if known.is_empty() { class_confidence(body, &prediction) } else { 1.0 };
    if class_confidence < REFUSE_BELOW && !forced {
        return Err(Error::new(
            Code::NoCharacterFound,
            "nothing in the file looks like a character with two arms, two legs and a head",
        ));
    }
    let place = |joint: usize| {
        let hint = known.iter().find(|(name, _)| *name == NAMES[joint]);
        let predicted = body.frame.to_file(prediction.joints[joint]);
        let spread = prediction.spread[joint] / body.height.max(f64::MIN_POSITIVE);
        let confidence = libm::exp(-spread / JOINT_SPREAD) as f32 * class_confidence.max(0.1).sqrt();
        hint.map_or((predicted, confidence), |(_, p)| (*p, 1.0))
    };
    let mut joints =
        vec![Joint { name: "root".to_owned(), parent: None, position: body.frame.origin, confidence: 1.0 }];
    for (name, parent) in PARENTS {
        let index = NAMES.iter().position(|n| *n == name).unwrap_or(0);
        let (position, confidence) = place(index);
        let parent = joints.iter().position(|j| j.name == parent);
        joints.push(Joint { name: name.to_owned(), parent, position, confidence });
    }
    Ok(Fit { skeleton: Skeleton { joints }, class_confidence })
}

/// Passes that agree, on joints that lie in the body, are what an upright humanoid looks like to the network.
fn class_confidence(body: &Body, prediction: &Prediction) -> f32 {
    let (sure, lost) = CLASS_SPREAD;
    let by_spread = ((lost - prediction.relative_spread()) / (lost - sure)).clamp(0.0, 1.0);
    let inside = prediction.joints.iter().filter(|j| body.solid.contains(**j)).count() as f64 / JOINTS as f64;
    let by_reach = if prediction.relative_spread() < UNUSUAL_SPREAD {
        1.0
    } else {
        ((body.width / body.height.max(f64::MIN_POSITIVE) - REACH.0) / (REACH.1 - REACH.0)).clamp(0.0, 1.0)
    };
    // Two ways to stand that do equally well are a doubt in the class too.
    let by_orientation = (0.5 + 2.5 * f64::from(body.orientation_confidence)).min(1.0);
    (by_spread * (inside * 1.5).min(1.0) * by_reach * by_orientation) as f32
}
