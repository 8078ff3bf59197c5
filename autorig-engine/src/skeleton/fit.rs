//! From a body to a skeleton: the one place that decides what it is and who fits it.

use glam::DMat3;

use super::{
    Skeleton,
    chains::{self, Extra},
    class::{CharacterClass, Evidence, convexity, humanoid_confidence},
    creature::{self, Creature},
    humanoid,
    predictor::{Prediction, predict},
};
use crate::{
    Code, Error, Result,
    analyse::Body,
    rig::{Class, Options},
};

/// How sure we are of a class that the user has named and the shape does not bear out.
const INSISTED: f32 = 0.1;

/// A skeleton, what it was taken for, and how sure we are.
#[derive(Debug, Clone)]
pub struct Fit {
    /// In the file's frame.
    pub skeleton: Skeleton,
    /// What the body was taken for.
    pub class: CharacterClass,
    /// How sure that is, 0 to 1.
    pub class_confidence: f32,
    /// How the body stands, where that is not how [`analyse`](crate::analyse::analyse) has it: that asks as one who
    /// knows humanoids.
    pub stance: Option<Stance>,
    /// The chains that a humanoid has besides its limbs; their joints are in the skeleton unless the user's own has none.
    pub extras: Vec<Extra>,
}

/// How a body stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stance {
    /// Rows are its left, up and forward in the file's frame.
    pub rotation: DMat3,
    /// How sure that is, 0 to 1.
    pub confidence: f32,
}

/// Decides the class unless the user has, and fits the joints. The user's own joints come after
/// ([`super::markers`]).
///
/// # Errors
/// `no_character_found` for a thing, unless the user has said what it is.
pub fn fit(body: &Body, options: &Options) -> Result<Fit> {
    let named = match options.class {
        Class::Auto => return found(body, options),
        Class::Humanoid => return Ok(humanoid(body, options, &predict(&body.clouds))),
        Class::Prop => return Ok(of_creature(creature::prop(body), CharacterClass::Prop, 1.0)),
        Class::Quadruped => CharacterClass::Quadruped,
        Class::Bird => CharacterClass::Bird,
        Class::Creature => CharacterClass::Creature,
    };
    let shape = creature::shape(body);
    let (kind, sure) = shape.kind();
    let sure = if kind == named || named == CharacterClass::Creature { sure } else { INSISTED };
    Ok(of_creature(creature::fit(body, &shape, named), named, sure))
}

/// The class is for the engine to find.
fn found(body: &Body, options: &Options) -> Result<Fit> {
    let prediction = predict(&body.clouds);
    let human = humanoid_confidence(body, &prediction);
    if Evidence::clearly_human(human, prediction.class) {
        return Ok(humanoid(body, options, &prediction));
    }
    let shape = creature::shape(body);
    let evidence =
        Evidence { human, shape: shape.kind(), learned: prediction.class, convexity: convexity(body) };
    let (class, sure) = evidence.decide();
    match class {
        CharacterClass::Humanoid => Ok(humanoid(body, options, &prediction)),
        CharacterClass::Prop => Err(Error::new(
            Code::NoCharacterFound,
            "nothing in the file looks like a character: no limbs, no head, no tail",
        )),
        _ => Ok(of_creature(creature::fit(body, &shape, class), class, sure)),
    }
}

fn humanoid(body: &Body, options: &Options, prediction: &Prediction) -> Fit {
    let class_confidence = humanoid_confidence(body, prediction);
    let mut skeleton = humanoid::fit(body, prediction, class_confidence, options);
    let extras = chains::find(body, &skeleton, options);
    chains::hang(body, &mut skeleton, &extras);
    Fit { skeleton, class: CharacterClass::Humanoid, class_confidence, stance: None, extras }
}

fn of_creature(creature: Creature, class: CharacterClass, class_confidence: f32) -> Fit {
    let Creature { skeleton, rotation, orientation_confidence } = creature;
    let stance = Some(Stance { rotation, confidence: orientation_confidence });
    Fit { skeleton, class, class_confidence, stance, extras: Vec::new() }
}
