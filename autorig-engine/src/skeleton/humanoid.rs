//! From a prediction to a humanoid skeleton: the user's joints, confidence.

use glam::DVec3;

use super::{
    Joint, Skeleton,
    predictor::{JOINTS, NAMES, Prediction},
};
use crate::analyse::Body;

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

/// The predicted joints, the user's in their place; `known` are the user's by canonical name, in the file's frame.
/// No joint is surer than `class_confidence` allows.
pub fn fit(
    body: &Body,
    prediction: &Prediction,
    known: &[(&'static str, DVec3)],
    class_confidence: f32,
) -> Skeleton {
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
    Skeleton { joints }
}
