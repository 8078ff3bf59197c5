//! What a body is: humanoid, quadruped, bird, another creature, or a thing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::predictor::{JOINTS, Prediction};
use crate::analyse::{Body, surface::sample};

/// What a character was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CharacterClass {
    /// Two arms, two legs, a head.
    Humanoid,
    /// Four legs.
    Quadruped,
    /// Two legs and two wings.
    Bird,
    /// Any other living thing.
    Creature,
    /// A thing that does not move by itself.
    Prop,
}

impl CharacterClass {
    /// The name used in reports and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Humanoid => "humanoid",
            Self::Quadruped => "quadruped",
            Self::Bird => "bird",
            Self::Creature => "creature",
            Self::Prop => "prop",
        }
    }
}

impl std::fmt::Display for CharacterClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Relative spreads of the whole skeleton between which the class's confidence falls from 1 to 0. Measured: upright
/// humanoids lie at 0.003–0.02, chibis with hats up to 0.026, animals at 0.016–0.036.
const CLASS_SPREAD: (f64, f64) = (0.005, 0.031);
/// From this relative spread on the proportions are unusual, and only a figure as wide as in [`REACH`] is believed: chibis
/// and robots hold their arms out, a fox that was stood on its tail has none.
const UNUSUAL_SPREAD: f64 = 0.012;
/// Widths as shares of the height between which an unusual figure's confidence rises from 0 to 1.
const REACH: (f64, f64) = (0.3, 0.6);

/// How much the network's prediction looks like that of a humanoid, 0 to 1: passes that agree, on joints that lie in the
/// body, are what an upright humanoid looks like to it.
pub fn humanoid_confidence(body: &Body, prediction: &Prediction) -> f32 {
    let (sure, lost) = CLASS_SPREAD;
    let by_spread = ((lost - prediction.relative_spread()) / (lost - sure)).clamp(0.0, 1.0);
    let inside = prediction.joints.iter().filter(|j| body.solid.contains(**j)).count() as f64 / JOINTS as f64;
    let by_reach = if prediction.relative_spread() < UNUSUAL_SPREAD {
        1.0
    } else {
        ((body.width / body.height.max(f64::MIN_POSITIVE) - REACH.0) / (REACH.1 - REACH.0)).clamp(0.0, 1.0)
    };
    // Two ways to stand that do equally well are a doubt in the class too.
    let by_orientation = (1.5 * f64::from(body.orientation_confidence) - 0.25).clamp(0.5, 1.0);
    (by_spread * (inside * 1.5).min(1.0) * by_reach * by_orientation) as f32
}

/// A network this sure of a humanoid needs no second opinion.
const CLEARLY_HUMAN: f32 = 0.5;
/// A shape that no template fits weighs as much against a humanoid as the network's likeness at this value: under it
/// nothing was ever a humanoid.
const SHAPE_WEIGHT: f32 = 0.15;
/// A shape that a template fits for certain weighs so much more.
const TEMPLATE_WEIGHT: f32 = 0.3;
/// From this confidence on a template counts.
const TEMPLATE_FROM: f32 = 0.4;
/// Learned probabilities of a humanoid between which its likeness goes from worth nothing to worth all. Measured: real
/// humanoids of every style have 0.99, dragons and sharks up to 0.8.
const LEARNED_HUMAN: (f32, f32) = (0.5, 0.95);
/// From this learned probability on a humanoid is a little likelier than it looks.
const LEARNED_SURE: f32 = 0.98;
/// So much.
const LEARNED_BONUS: f32 = 0.1;
/// From this learned probability on what has limbs, but fits no template, is a thing all the same.
const LEARNED_PROP: f32 = 0.8;
/// From this learned probability of all animals together on what shows too few limbs is a creature all the same.
const LEARNED_ANIMAL: f32 = 0.8;

/// From this share of [`convexity`] on a body is a ball, a crate or a cone, whatever was learned.
const CONVEX: f64 = 0.9;

/// The share of segments between points of the surface whose middle lies in the solid: 1 for a convex body, some 0.3–0.7
/// for one with limbs.
pub fn convexity(body: &Body) -> f64 {
    const SEGMENTS: usize = 256;
    const SEED: u64 = 0;
    let points = sample(&body.vertices, &body.welded.character_faces(), 2 * SEGMENTS, SEED);
    let (from, to) = points.split_at(points.len() / 2);
    let inside = from.iter().zip(to).filter(|(a, b)| body.solid.contains((a.position + b.position) / 2.0));
    inside.count() as f64 / from.len().max(1) as f64
}

/// All that is known about the class of a body.
#[derive(Debug, Clone, Copy)]
pub struct Evidence {
    /// Likeness to a humanoid, 0 to 1: [`humanoid_confidence`].
    pub human: f32,
    /// What the shape says, and how sure it is, 0 to 1.
    pub shape: (CharacterClass, f32),
    /// Learned probabilities in the order of [`CharacterClass`].
    pub learned: Option<[f32; 5]>,
    /// [`convexity`] of the body.
    pub convexity: f64,
}

impl Evidence {
    /// The likeliest class and how sure it is, 0 to 1. The learned classes other than the humanoid's are no match for
    /// counting limbs yet; they only tell things from creatures.
    pub fn decide(&self) -> (CharacterClass, f32) {
        use CharacterClass::{Bird, Creature, Humanoid, Prop, Quadruped};
        let (kind, sure) = self.shape;
        let fits = ((sure - TEMPLATE_FROM) / (1.0 - TEMPLATE_FROM)).max(0.0);
        let weight =
            SHAPE_WEIGHT + if matches!(kind, Quadruped | Bird) { TEMPLATE_WEIGHT * fits } else { 0.0 };
        let human = self.learned.map_or(self.human, |l| {
            let (none, all) = LEARNED_HUMAN;
            let believed = self.human * ((l[0] - none) / (all - none)).clamp(0.0, 1.0);
            believed + if l[0] >= LEARNED_SURE { LEARNED_BONUS } else { 0.0 }
        });
        let thing = self.learned.is_some_and(|l| l[4] >= LEARNED_PROP);
        let animal = self.learned.is_some_and(|l| l[1] + l[2] + l[3] >= LEARNED_ANIMAL);
        match kind {
            _ if human >= weight => (Humanoid, self.human),
            Creature | Prop if self.convexity >= CONVEX => (Prop, sure),
            Creature if thing => (Prop, sure),
            Prop if animal => (Creature, sure),
            _ => (kind, sure),
        }
    }

    /// Whether the network is so sure of a humanoid that the shape need not be asked.
    pub fn clearly_human(human: f32, learned: Option<[f32; 5]>) -> bool {
        human >= CLEARLY_HUMAN && learned.is_none_or(|l| l[0] >= LEARNED_HUMAN.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(human: f32, shape: (CharacterClass, f32), learned: Option<[f32; 5]>) -> CharacterClass {
        Evidence { human, shape, learned, convexity: 0.5 }.decide().0
    }

    #[test]
    fn a_likely_humanoid_gives_way_only_to_a_shape_that_fits_a_template_well() {
        assert_eq!(decided(0.2, (CharacterClass::Creature, 0.35), None), CharacterClass::Humanoid);
        assert_eq!(decided(0.1, (CharacterClass::Creature, 0.35), None), CharacterClass::Creature);
        assert_eq!(decided(0.3, (CharacterClass::Quadruped, 0.95), None), CharacterClass::Quadruped);
        assert_eq!(decided(0.5, (CharacterClass::Quadruped, 0.95), None), CharacterClass::Humanoid);
    }

    #[test]
    fn what_was_learned_tells_sharks_from_humanoids_and_things_from_creatures() {
        let shark = Some([0.78, 0.01, 0.11, 0.04, 0.06]);
        assert_eq!(decided(0.2, (CharacterClass::Creature, 0.35), shark), CharacterClass::Creature);
        let prop = Some([0.02, 0.02, 0.01, 0.05, 0.9]);
        assert_eq!(decided(0.05, (CharacterClass::Creature, 0.35), prop), CharacterClass::Prop);
        let bear = Some([0.01, 0.9, 0.0, 0.05, 0.04]);
        assert_eq!(decided(0.0, (CharacterClass::Prop, 0.35), bear), CharacterClass::Creature);
        let ball =
            Evidence { human: 0.0, shape: (CharacterClass::Prop, 0.35), learned: bear, convexity: 0.97 };
        assert_eq!(ball.decide().0, CharacterClass::Prop);
        let human = Some([0.99, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(decided(0.06, (CharacterClass::Creature, 0.35), human), CharacterClass::Humanoid);
    }
}
