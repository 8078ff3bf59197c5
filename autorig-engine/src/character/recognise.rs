//! Which convention the bones of a file follow, and what they are canonically.
//!
//! Every convention of the table is scored by the share of a humanoid's bones that it finds by name, then by how many of
//! them hang on what they should, then by how many are spelled exactly so. What the best one does not know is looked up
//! in all others. Names may lie about left and right; the feet do not: they point forwards.

use std::collections::{BTreeMap, BTreeSet};

use glam::DVec3;
use serde::{Deserialize, Serialize};

use super::{Bone, stance};
use crate::skeleton::names::{self, NECESSARY};

/// Without one of these it is no humanoid: a bird has legs and a spine too. Hands and feet may lie elsewhere.
const LIMBS: [&str; 9] = [
    "hips",
    "leftUpperArm",
    "leftLowerArm",
    "rightUpperArm",
    "rightLowerArm",
    "leftUpperLeg",
    "leftLowerLeg",
    "rightUpperLeg",
    "rightLowerLeg",
];
/// How far behind the names' left the feet's must be before the names are not believed (cosine).
const LIES: f64 = -0.3;

/// What a skeleton is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recognition {
    /// The convention it follows, as [`names::conventions`] calls it; absent where the bones are no humanoid's that is
    /// known.
    pub convention: Option<String>,
    /// Share of a humanoid's 15 necessary bones that were found where they belong, 0 to 1.
    pub confidence: f32,
    /// The names had left and right the wrong way round.
    pub mirrored: bool,
    /// Canonical names, one a bone.
    pub canonical: Vec<Option<String>>,
}

impl Recognition {
    /// Names the bones canonically.
    pub fn apply(&self, bones: &mut [Bone]) {
        for (bone, name) in bones.iter_mut().zip(&self.canonical) {
            bone.canonical.clone_from(name);
        }
    }
}

/// Recognises bones by their names, and by where they are.
pub fn recognise(bones: &[Bone]) -> Recognition {
    let tried = names::conventions().iter().map(|convention| {
        let names = assign(bones, |name| names::canonical_in(convention, name));
        (Score::of(bones, &names, convention), *convention, names)
    });
    let best = tried.fold(None, |best: Option<(Score, _, _)>, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    });
    let Some((_, convention, mut names)) = best else { return Recognition::default() };
    fill(bones, &mut names);
    let found: BTreeSet<&str> = names.iter().flatten().copied().collect();
    if !is_humanoid(|joint| found.contains(joint)) {
        return Recognition { canonical: vec![None; bones.len()], ..Recognition::default() };
    }
    let score = Score::of(bones, &names, convention);
    let mut canonical: Vec<Option<String>> = names.iter().map(|n| n.map(str::to_owned)).collect();
    let mirrored = is_mirrored(bones, &canonical);
    if mirrored {
        canonical.iter_mut().flatten().for_each(|name| *name = other_side(name));
    }
    let confidence = (score.found + score.placed) as f32 / (2 * NECESSARY.len()) as f32;
    Recognition { convention: Some(convention.to_owned()), confidence, mirrored, canonical }
}

/// A skeleton with these joints is a humanoid's.
pub(crate) fn is_humanoid(has: impl Fn(&str) -> bool) -> bool {
    LIMBS.iter().all(|l| has(l)) && (has("spine") || has("head"))
}

/// Ordered by what matters first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// Core bones found.
    found: usize,
    /// Those of them that hang on what they should.
    placed: usize,
    /// Bones spelled exactly as the convention does.
    exact: usize,
    /// All bones found.
    all: usize,
}

impl Score {
    fn of(bones: &[Bone], names: &[Option<&str>], convention: &str) -> Self {
        let at = |joint: &str| names.iter().position(|n| *n == Some(joint));
        let placed = |(joint, parent): &&(&str, &str)| {
            let Some(bone) = at(joint) else { return false };
            parent.is_empty() || at(parent).is_none_or(|p| upwards(bones, bone).any(|b| b == p))
        };
        let bare = |name: &str| name.rsplit([':', '|']).next().is_some_and(|n| !n.is_empty());
        let exact = bones.iter().zip(names).filter(|(bone, name)| {
            let spelled = name.and_then(|n| names::name_in(convention, n));
            bare(&bone.name) && spelled.is_some_and(|s| bone.name.ends_with(s))
        });
        Self {
            found: NECESSARY.iter().filter(|(joint, _)| at(joint).is_some()).count(),
            placed: NECESSARY.iter().filter(|c| at(c.0).is_some()).filter(placed).count(),
            exact: exact.count(),
            all: names.iter().flatten().count(),
        }
    }
}

fn upwards(bones: &[Bone], bone: usize) -> impl Iterator<Item = usize> + '_ {
    let parent = |b: &usize| bones.get(*b).and_then(|bone| bone.parent).filter(|p| p < b);
    std::iter::successors(Some(bone), parent)
}

/// The first bone of each canonical name has it.
fn assign(bones: &[Bone], known: impl Fn(&str) -> Option<&'static str>) -> Vec<Option<&'static str>> {
    let mut taken = BTreeSet::new();
    bones.iter().map(|b| known(&b.name).filter(|name| taken.insert(*name))).collect()
}

/// Names what the convention left out by what other conventions call it.
fn fill(bones: &[Bone], names: &mut [Option<&'static str>]) {
    let mut taken: BTreeSet<&str> = names.iter().flatten().copied().collect();
    for (bone, name) in bones.iter().zip(names) {
        if name.is_none() {
            *name = names::canonical(&bone.name).filter(|n| taken.insert(*n));
        }
    }
}

/// Where the feet point forwards, left is on the other side than the names say.
fn is_mirrored(bones: &[Bone], canonical: &[Option<String>]) -> bool {
    let named: Vec<Bone> = bones
        .iter()
        .zip(canonical)
        .map(|(bone, name)| Bone { canonical: name.clone(), ..bone.clone() })
        .collect();
    let Some(frame) = stance::from_bones(&named) else { return false };
    let at: BTreeMap<&str, DVec3> =
        named.iter().filter_map(|b| Some((b.canonical.as_deref()?, b.position()))).collect();
    let pointing = ["left", "right"].map(|side| {
        let toes = at.get(format!("{side}Toes").as_str())?;
        let foot = at.get(format!("{side}Foot").as_str())?;
        Some((*toes - *foot).reject_from_normalized(frame.row(1)).normalize_or_zero())
    });
    let [Some(left), Some(right)] = pointing else { return false };
    // Both feet have to agree with each other, and to point against what the names make of forward.
    left.dot(frame.row(2)) < LIES && right.dot(frame.row(2)) < LIES
}

/// The same joint on the other side.
pub(crate) fn other_side(name: &str) -> String {
    match (name.strip_prefix("left"), name.strip_prefix("right")) {
        (Some(part), _) => format!("right{part}"),
        (_, Some(part)) => format!("left{part}"),
        _ => name.to_owned(),
    }
}
