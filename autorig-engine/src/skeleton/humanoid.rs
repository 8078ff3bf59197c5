//! From a prediction to a humanoid skeleton: symmetry, fingers, confidence.

use super::{
    Joint, Skeleton, convention,
    hand::{self, DIGIT_JOINTS, Finger},
    pieces,
    predictor::{JOINTS, NAMES, Prediction},
    symmetry,
};
use crate::{
    analyse::Body,
    rig::{Fingers, Options, Symmetry},
};

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

/// An error, as a share of the height, at which a joint's confidence has fallen to 1/e.
const JOINT_ERROR: f64 = 0.025;
/// The network tells the error of a single pass; the mean of several passes is off by about this share of it.
const MEAN_OF_PASSES: f64 = 0.5;

/// The predicted joints, without the user's, which [`super::markers`] puts in their place. No joint is surer than
/// `class_confidence` allows.
///
/// Fingers are found on the hands, and joints mirror each other where the body does, unless the options say otherwise.
pub fn fit(body: &Body, prediction: &Prediction, class_confidence: f32, options: &Options) -> Skeleton {
    let trust = class_confidence.max(0.1).sqrt();
    let mut at = prediction.joints;
    convention::apply(&mut at);
    pieces::fit(body, &mut at);
    let mirror = (options.symmetry == Symmetry::Auto).then(|| symmetry::Symmetry::of(body, &at));
    if let Some(mirror) = &mirror {
        mirror.mirror_joints(&mut at);
    }
    let mut joints =
        vec![Joint { name: "root".to_owned(), parent: None, position: body.frame.origin, confidence: 1.0 }];
    for (name, parent) in PARENTS {
        let index = NAMES.iter().position(|n| *n == name).unwrap_or(0);
        joints.push(Joint {
            name: name.to_owned(),
            parent: joints.iter().position(|j| j.name == parent),
            position: body.frame.to_file(at[index]),
            confidence: confidence(body, prediction, index) * trust,
        });
    }
    let mut skeleton = Skeleton { joints };
    let mut fingers = if options.fingers == Fingers::Auto { hand::find(body, &at) } else { Vec::new() };
    if let Some(mirror) = &mirror {
        mirror.mirror_fingers(&mut fingers);
    }
    for finger in &fingers {
        add_finger(&mut skeleton, body, finger, trust);
    }
    skeleton
}

/// How sure a body joint is, by what the network says of itself and by how much its passes differ.
fn confidence(body: &Body, prediction: &Prediction, joint: usize) -> f32 {
    let expected = prediction.expected_error.map_or(0.0, |e| e[joint]) * MEAN_OF_PASSES;
    let error = expected.max(prediction.spread[joint]) / body.height.max(f64::MIN_POSITIVE);
    libm::exp(-error / JOINT_ERROR) as f32
}

/// Hangs the joints of a finger on its hand.
fn add_finger(skeleton: &mut Skeleton, body: &Body, finger: &Finger, trust: f32) {
    let mut parent = skeleton.find(&format!("{}Hand", finger.side.name()));
    for ((suffix, position), confidence) in
        DIGIT_JOINTS[finger.digit].into_iter().zip(finger.joints).zip(finger.confidence)
    {
        skeleton.joints.push(Joint {
            name: format!("{}{suffix}", finger.side.name()),
            parent,
            position: body.frame.to_file(position),
            confidence: confidence * trust,
        });
        parent = Some(skeleton.joints.len() - 1);
    }
}
