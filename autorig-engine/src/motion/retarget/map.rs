//! Which bone of the source moves which bone of the target.

use std::collections::BTreeMap;

use glam::DVec3;

use super::feet::Feet;
use crate::{
    Character,
    motion::{
        align::Rest,
        figure::{Figure, above, parents},
        puppet::Puppet,
    },
};

/// Bones that both must have at least.
const FEWEST: usize = 3;

/// What turns a bone of the target.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Link {
    /// A bone of the source.
    Bone(usize),
    /// Two bones of the source, by a share of the way from the first to the second.
    Between(usize, usize, f64),
    /// None: it stays as it hangs on its parent.
    Rest,
}

/// Two skeletons and how they correspond.
pub(super) struct Mapping {
    pub(super) source: Puppet,
    pub(super) target: Puppet,
    /// One for each bone of the target.
    pub(super) links: Vec<Link>,
    /// Length on the target for a length on the source.
    pub(super) scale: f64,
    /// Where both are humanoids.
    pub(super) feet: Option<Feet>,
    /// Bones that carry the body, of source and target.
    pub(super) hips: (usize, usize),
    root: Option<(usize, usize)>,
}

type Names = BTreeMap<String, usize>;

impl Mapping {
    /// `None` where the two have too few bones in common.
    pub(super) fn new(source: &Character, target: &Character) -> Option<Self> {
        let (of_source, of_target) = (names(source), names(target));
        let common: Vec<(usize, usize)> =
            of_target.iter().filter_map(|(n, t)| of_source.get(n).map(|s| (*s, *t))).collect();
        let hips = (*of_source.get("hips")?, *of_target.get("hips")?);
        if common.len() < FEWEST {
            return None;
        }
        let figures = Figure::new(source).zip(Figure::new(target));
        let feet = figures.clone().map(|(s, t)| Feet::new(s, t));
        let (source_puppet, target_puppet) = match figures {
            Some((s, t)) => (s.puppet, t.puppet),
            None => (aligned(source, &of_source), aligned(target, &of_target)),
        };
        let mut links = vec![Link::Rest; target.bones.len()];
        for (s, t) in common {
            links[t] = Link::Bone(s);
        }
        let mut mapping = Self {
            scale: scale(&source_puppet, &target_puppet, hips),
            root: of_source.get("root").copied().zip(of_target.get("root").copied()),
            source: source_puppet,
            target: target_puppet,
            links,
            feet,
            hips,
        };
        mapping.spine(&of_source, &of_target);
        mapping.neck(&of_source, &of_target);
        Some(mapping)
    }

    /// Bones that travel: the root where both have one, and the hips.
    pub(super) fn travelling(&self) -> impl Iterator<Item = (usize, usize)> {
        self.root.into_iter().chain([self.hips])
    }

    /// How far the bones of the one lie from those of the other in the normal pose, at most, in shares of the height of the
    /// hips. Infinite where a bone of the target has no counterpart that moves with it.
    pub(super) fn difference(&self) -> f64 {
        let tall = self.target.normal[self.hips.1].y.abs().max(1e-9);
        let apart = |(t, link): (usize, &Link)| match link {
            Link::Bone(s) => self.source.normal[*s].distance(self.target.normal[t]) / tall,
            Link::Between(..) => f64::INFINITY,
            Link::Rest => 0.0,
        };
        self.links.iter().enumerate().map(apart).fold(0.0, f64::max)
    }

    /// Spines with different numbers of bones: the target's bend as much at the same share of the way up.
    fn spine(&mut self, source: &Names, target: &Names) {
        const SPINE: [&str; 3] = ["spine", "chest", "upperChest"];
        let chain = |names: &Names| SPINE.iter().filter_map(|n| names.get(*n)).copied().collect::<Vec<_>>();
        let (from, to) = (chain(source), chain(target));
        if from.len() == to.len() || from.is_empty() || to.is_empty() {
            // With as many bones each is its counterpart, whatever it is called.
            for (s, t) in from.iter().zip(&to) {
                self.links[*t] = Link::Bone(*s);
            }
            return;
        }
        let ends = |puppet: &Puppet, chain: &[usize], names: &Names| {
            let top = ["neck", "head"].iter().find_map(|n| names.get(*n));
            shares(puppet, chain, top.copied())
        };
        let (at, wanted) = (ends(&self.source, &from, source), ends(&self.target, &to, target));
        for (t, u) in to.iter().zip(wanted) {
            // The source's turns are known at its hips and at the end of each bone.
            let after = at.iter().position(|a| *a >= u - 1e-9).unwrap_or(at.len() - 1);
            let (low, before) =
                if after == 0 { (0.0, self.hips.0) } else { (at[after - 1], from[after - 1]) };
            let share = ((u - low) / (at[after] - low).max(1e-9)).clamp(0.0, 1.0);
            self.links[*t] = Link::Between(before, from[after], share);
        }
    }

    /// A neck that the source lacks is half way between chest and head.
    fn neck(&mut self, source: &Names, target: &Names) {
        let (Some(neck), Some(head)) = (target.get("neck"), source.get("head")) else { return };
        let chest = ["upperChest", "chest", "spine", "hips"].iter().find_map(|n| source.get(*n));
        if let (false, Some(chest)) = (source.contains_key("neck"), chest) {
            self.links[*neck] = Link::Between(*chest, *head, 0.5);
        }
    }
}

/// Canonical names; of several bones with one name the first.
fn names(character: &Character) -> Names {
    let named = character.bones.iter().enumerate().rev();
    named.filter_map(|(i, b)| b.canonical.clone().map(|n| (n, i))).collect()
}

/// A puppet of anything: limbs that a humanoid has are aligned where they are there.
fn aligned(character: &Character, names: &Names) -> Puppet {
    let parents = parents(character, names);
    let hips = names.get("hips").copied();
    let carrier = names.get("root").copied().filter(|r| hips.is_none_or(|h| above(&parents, h, *r))).or(hips);
    let resting = Puppet::new(character, parents.clone(), &[], carrier);
    let align = vec![None; character.bones.len()];
    let mut rest = Rest { names, at: &resting.normal, outline: &resting.outline, align };
    rest.align_limbs();
    let align = rest.align;
    Puppet::new(character, parents, &align, carrier)
}

/// Hips over the ground; where a skeleton has none to speak of, the legs.
fn scale(source: &Puppet, target: &Puppet, hips: (usize, usize)) -> f64 {
    let (s, t) = (source.normal[hips.0].y, target.normal[hips.1].y);
    if s > 1e-3 && t > 1e-3 { t / s } else { 1.0 }
}

/// Ends of the bones of a chain as shares of its length from the first bone's parent on.
fn shares(puppet: &Puppet, chain: &[usize], top: Option<usize>) -> Vec<f64> {
    let mut joints: Vec<DVec3> = chain.iter().map(|b| puppet.normal[*b]).collect();
    let above = joints.last().copied().unwrap_or_default();
    let before = joints.len().checked_sub(2).and_then(|i| joints.get(i)).copied().unwrap_or(above);
    joints.push(top.map_or(above + (above - before), |t| puppet.normal[t]));
    let lengths: Vec<f64> = joints.windows(2).map(|w| w[0].distance(w[1])).collect();
    let total: f64 = lengths.iter().sum::<f64>().max(1e-9);
    let sums = lengths.iter().scan(0.0, |sum, l| {
        *sum += l / total;
        Some(*sum)
    });
    sums.collect()
}
