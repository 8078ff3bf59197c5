//! What kind of body a shape is, by counting limbs.

use super::{generic::ends, shape::Shape};
use crate::skeleton::class::CharacterClass;

/// A mirror across the length that maps so much of a body onto itself is one of a made thing: a table, a crate, a vase.
const THING_MIRROR: f64 = 0.97;
/// Two pairs of legs stand at least so far apart, as a share of the length.
const LEG_SPACING: f64 = 0.15;
/// Wings are at least so long, as a share of the longest way through the body; a fish's fins are shorter.
const WING: f64 = 0.22;
/// What has no legs under it flies only on wings that span so much of its length.
const SPAN: f64 = 0.8;
/// How sure a count of limbs is that fits a template, before it is seen how clearly the body stands.
const TEMPLATE: f32 = 0.6;
/// How sure we are of a body that no template fits.
const OTHER: f32 = 0.35;

/// The limbs of a four-legged body.
#[derive(Debug, Clone, Copy)]
pub(super) struct FourLegs {
    /// Left and right.
    pub(super) front: [usize; 2],
    /// Left and right.
    pub(super) hind: [usize; 2],
    pub(super) head: usize,
    pub(super) tail: Option<usize>,
}

/// The limbs of a body with two legs and two wings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Winged {
    /// Left and right.
    pub(super) wings: [usize; 2],
    /// Left and right; a bird in flight may hide them.
    pub(super) legs: Option<[usize; 2]>,
    pub(super) head: usize,
    pub(super) tail: Option<usize>,
}

impl Shape {
    /// The kind of body, and how sure that is, 0 to 1.
    pub fn kind(&self) -> (CharacterClass, f32) {
        let stands = self.stance.confidence as f32;
        if self.four_legs().is_some() && self.second_mirror < THING_MIRROR {
            return (CharacterClass::Quadruped, TEMPLATE + (1.0 - TEMPLATE) * stands);
        }
        if self.winged().is_some() {
            return (CharacterClass::Bird, TEMPLATE + (1.0 - TEMPLATE) * stands);
        }
        if self.is_thing() { (CharacterClass::Prop, OTHER) } else { (CharacterClass::Creature, OTHER) }
    }

    /// Nothing sticks out of a crate or a ball; a table stands on legs and has no head; a vase mirrors itself both ways.
    fn is_thing(&self) -> bool {
        let (rear, front) = ends(self);
        let head = [rear, front].into_iter().flatten().any(|i| !self.limbs[i].is_sheet());
        let few = self.limbs.len() < 2;
        let furniture = self.legs.len() >= 4 && !head && self.limbs.len() <= self.legs.len() + 3;
        let turned = self.second_mirror >= THING_MIRROR && self.limbs.len() <= 4;
        few || furniture || turned
    }

    /// Left and right of the pair a limb belongs to.
    fn pair(&self, limb: usize) -> Option<[usize; 2]> {
        let other = self.limbs[limb].pair?;
        let left = self.mirror_side(self.limbs[limb].tip()) > 0.0;
        Some(if left { [limb, other] } else { [other, limb] })
    }

    /// Pairs of a set of limbs, from the back to the front by where they end.
    fn pairs(&self, of: &[usize]) -> Vec<[usize; 2]> {
        let mut pairs: Vec<[usize; 2]> = of
            .iter()
            .filter_map(|&i| self.pair(i))
            .filter(|p| of.contains(&p[0]) && of.contains(&p[1]))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        let z = |p: &[usize; 2]| self.limbs[p[0]].tip().z + self.limbs[p[1]].tip().z;
        pairs.sort_by(|a, b| z(a).total_cmp(&z(b)));
        pairs
    }

    /// Two pairs of legs, one before the other, and a head before them.
    pub(super) fn four_legs(&self) -> Option<FourLegs> {
        let pairs = self.pairs(&self.legs);
        let &[hind, front] = pairs.as_slice() else { return None };
        let (tail, head) = ends(self);
        let head = head?;
        let z = |pair: [usize; 2]| (self.limbs[pair[0]].tip().z + self.limbs[pair[1]].tip().z) / 2.0;
        let length = self.bounds.1.z - self.bounds.0.z;
        let spread = z(front) - z(hind) > LEG_SPACING * length;
        let ahead = self.limbs[head].tip().z > z(front);
        (spread && ahead && !self.limbs[head].is_sheet()).then_some(FourLegs { front, hind, head, tail })
    }

    /// A pair of wings, at most one pair of legs, no arms.
    pub(super) fn winged(&self) -> Option<Winged> {
        let paired: Vec<usize> = (0..self.limbs.len()).filter(|&i| self.limbs[i].pair.is_some()).collect();
        let legs = self.pairs(&self.legs);
        let others: Vec<usize> = paired.into_iter().filter(|i| !self.legs.contains(i)).collect();
        let others = self.pairs(&others);
        let wing = |p: &&[usize; 2]| {
            p.iter().all(|&i| self.limbs[i].is_sheet() && self.limbs[i].length() > WING * self.tree.extent)
        };
        let wings = others.iter().find(wing).copied()?;
        let (tail, head) = ends(self);
        let head = head?;
        let size = self.bounds.1 - self.bounds.0;
        let carried = !legs.is_empty() || size.x > SPAN * size.z;
        let plain = legs.len() <= 1 && others.len() == 1 && carried && !self.limbs[head].is_sheet();
        plain.then(|| Winged { wings, legs: legs.first().copied(), head, tail })
    }
}
