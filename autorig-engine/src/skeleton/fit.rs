//! From a body to a skeleton: the one place that decides what it is and who fits it.

use super::{
    Skeleton,
    class::{CharacterClass, humanoid_confidence},
    humanoid,
    markers::resolve,
    predictor::predict,
};
use crate::{
    Code, Error, Result,
    analyse::Body,
    rig::{Class, Options},
};

/// Under this confidence nothing is rigged unless the user says it is a humanoid.
const REFUSE_BELOW: f32 = 0.15;

/// A skeleton, what it was taken for, and how sure we are.
#[derive(Debug, Clone)]
pub struct Fit {
    /// In the file's frame.
    pub skeleton: Skeleton,
    /// What the body was taken for.
    pub class: CharacterClass,
    /// How sure that is, 0 to 1.
    pub class_confidence: f32,
}

/// Decides the class unless the user has, and fits the joints.
///
/// # Errors
/// `no_character_found` when nothing fits and the user has not said what it is; `invalid_option` for a hint whose name
/// is unknown or given twice.
pub fn fit(body: &Body, options: &Options) -> Result<Fit> {
    let known = resolve(&options.joints)?;
    let prediction = predict(&body.clouds);
    let class_confidence = if known.is_empty() { humanoid_confidence(body, &prediction) } else { 1.0 };
    if class_confidence < REFUSE_BELOW && options.class != Class::Humanoid {
        return Err(Error::new(
            Code::NoCharacterFound,
            "nothing in the file looks like a character with two arms, two legs and a head",
        ));
    }
    let skeleton = humanoid::fit(body, &prediction, &known, class_confidence, options);
    Ok(Fit { skeleton, class: CharacterClass::Humanoid, class_confidence })
}
