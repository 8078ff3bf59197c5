//! Templates: which joints a kind of body has, and where they sit along its guide lines.
//!
//! A template is data (`assets/templates/*.json`): chains of joints, each along one line, each joint at a share of that
//! line or, in a series, at even distances. Where the lines run in a given body is for the template's rule to say. A new
//! template is a new file and a new rule.

use std::collections::BTreeMap;

use glam::DVec3;
use serde::Deserialize;

use super::{
    build::{Builder, count, even, sided},
    limbs::{along, length},
};

/// Joints of a kind of body.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Template {
    chains: Vec<Chain>,
}

/// Joints along one line.
#[derive(Debug, Clone, Deserialize)]
struct Chain {
    /// The line.
    line: String,
    /// The joint the chain hangs on.
    parent: String,
    /// The line whose last joint it hangs on, where the body has that line.
    after: Option<String>,
    /// One chain on either side.
    #[serde(default)]
    paired: bool,
    /// Joints between the ends move to a bend nearby.
    #[serde(default)]
    bends: bool,
    /// Their names.
    #[serde(default)]
    joints: Vec<String>,
    /// Their places as shares of the line.
    #[serde(default)]
    at: Vec<f64>,
    /// How far forward of the line they sit, as shares of its length; on the line where this is left out.
    #[serde(default)]
    ahead: Vec<f64>,
    /// Instead of named joints: as many as the line is long.
    series: Option<Series>,
    /// How sure the joints are where the body fits the template well.
    confidence: f32,
}

/// Joints at even distances: `tail1`, `tail2`, …
#[derive(Debug, Clone, Deserialize)]
struct Series {
    name: String,
    /// Distance as a share of the longest way through the body.
    spacing: f64,
    least: usize,
    most: usize,
}

/// Lines in a body by name: one, or the left and the right.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    pub(super) single: BTreeMap<&'static str, Vec<DVec3>>,
    pub(super) paired: BTreeMap<&'static str, [Vec<DVec3>; 2]>,
}

impl Template {
    /// From the text of a template.
    pub(super) fn read(text: &str) -> Self {
        // The texts are compiled in, and a test reads them all.
        serde_json::from_str(text).unwrap_or(Self { chains: Vec::new() })
    }

    /// Puts the joints onto the lines. `extent` is the longest way through the body.
    pub(super) fn fit(&self, builder: &mut Builder, lines: &Lines, extent: f64, sure: f32) {
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for chain in &self.chains {
            let after = chain.after.as_deref().and_then(|line| last.get(line)).copied();
            let parent = after.or_else(|| builder.find(&chain.parent)).unwrap_or(0);
            let confidence = chain.confidence * sure;
            if chain.paired {
                let Some(pair) = lines.paired.get(chain.line.as_str()) else { continue };
                // Both sides bend at the same places.
                let at = pair.each_ref().map(|line| chain.shares(line, extent));
                let at: Vec<f64> = at[0].iter().zip(&at[1]).map(|(l, r)| (l + r) / 2.0).collect();
                for (line, left) in pair.iter().zip([true, false]) {
                    chain.place(builder, line, parent, Some(left), &at, confidence);
                }
            } else if let Some(line) = lines.single.get(chain.line.as_str()) {
                let at = chain.shares(line, extent);
                last.insert(&chain.line, chain.place(builder, line, parent, None, &at, confidence));
            }
        }
    }
}

impl Chain {
    /// Where the joints sit on a line.
    fn shares(&self, line: &[DVec3], extent: f64) -> Vec<f64> {
        match &self.series {
            Some(series) => even(count(line, series.spacing * extent, series.least, series.most)),
            None if self.bends => at_bends(line, &self.at),
            None => self.at.clone(),
        }
    }

    /// Puts the joints at shares of a line; gives the last one.
    fn place(
        &self,
        builder: &mut Builder,
        line: &[DVec3],
        parent: usize,
        side: Option<bool>,
        at: &[f64],
        confidence: f32,
    ) -> usize {
        let name = |i: usize| match &self.series {
            Some(series) => format!("{}{}", series.name, i + 1),
            None => self.joints.get(i).cloned().unwrap_or_default(),
        };
        let long = length(line);
        at.iter().enumerate().fold(parent, |parent, (i, share)| {
            let ahead = self.ahead.get(i).copied().unwrap_or(0.0) * long;
            let place = along(line, *share) + DVec3::Z * ahead;
            builder.joint(sided(side, &name(i)), parent, place, confidence)
        })
    }
}

/// Moves the inner shares to the sharpest bend nearby; on a straight line they stay, for there nothing shows the joint.
fn at_bends(line: &[DVec3], at: &[f64]) -> Vec<f64> {
    /// How far a joint may move, as a share of the line.
    const REACH: f64 = 0.1;
    /// The arms of the angle, as a share of the line.
    const ARM: f64 = 0.14;
    /// A bend is at least so sharp: the sine of 25°.
    const SHARP: f64 = 0.42;
    const STEPS: i32 = 10;
    if length(line) <= 0.0 {
        return at.to_vec();
    }
    let turn = |share: f64| {
        let before = (along(line, share) - along(line, share - ARM)).normalize_or_zero();
        let after = (along(line, share + ARM) - along(line, share)).normalize_or_zero();
        before.cross(after).length()
    };
    let inner = |i: usize| i > 0 && i + 1 < at.len() && at[i] > ARM;
    (0..at.len())
        .map(|i| {
            if !inner(i) {
                return at[i];
            }
            let tries = (-STEPS..=STEPS).map(|s| at[i] + REACH * f64::from(s) / f64::from(STEPS));
            let best = tries.fold((SHARP, at[i]), |best, share| {
                let bend = turn(share) * (1.0 - (share - at[i]).abs());
                if bend > best.0 { (bend, share) } else { best }
            });
            best.1
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knee_is_found_at_the_bend_and_left_alone_on_a_straight_leg() {
        let bent = [DVec3::Y, DVec3::new(0.0, 0.55, 0.3), DVec3::ZERO];
        let knee = 0.54 / (0.54 + 0.626);
        assert!((at_bends(&bent, &[0.0, 0.5, 0.9])[1] - knee).abs() < 0.03);
        let straight = [DVec3::Y, DVec3::Y * 0.5, DVec3::ZERO];
        assert_eq!(at_bends(&straight, &[0.0, 0.4, 0.9]), [0.0, 0.4, 0.9]);
    }
}
