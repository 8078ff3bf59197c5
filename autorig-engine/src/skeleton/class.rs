//! What a body is: humanoid, quadruped, bird, another creature, or a thing.

use serde::{Deserialize, Serialize};

use super::predictor::{JOINTS, Prediction};
use crate::analyse::Body;

/// What a character was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    let by_orientation = (0.5 + 2.5 * f64::from(body.orientation_confidence)).min(1.0);
    (by_spread * (inside * 1.5).min(1.0) * by_reach * by_orientation) as f32
}
