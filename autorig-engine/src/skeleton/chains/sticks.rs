//! What sticks out of the solid: tails, ears, ponytails.
//!
//! The curve skeleton of the solid has a branch for each free end. Those that run along an arm, a leg or the skull are the
//! body's own; of the others, one behind the hips is a tail, two that mirror each other and point away from the head are
//! ears, and what hangs from the head is hair. Weapons, horns and hats stick out as well: what fits none of the three
//! gets no chain.

use std::collections::BTreeSet;

use glam::{DVec3, IVec3};

use super::{Chain, Extra, Figure, Side, Takes, length, nearest, resampled};
use crate::{
    skeleton::creature::{FreeEnd, free_ends},
    skin::bones::{Bone, bones},
};

/// A stick is at least so long: shares of the height, of a tail and of all others.
const LONG: (f64, f64) = (0.13, 0.07);
/// And in widths at its base.
const SLENDER: f64 = 1.2;
/// A free end that comes so near to elbow and wrist, or knee and ankle, is that limb, as a share of the height.
const LIMB: f64 = 0.06;
/// A free end that comes nearer to the middle of the skull than this share of its half width is the head itself.
const SKULL: f64 = 0.7;
/// A tail begins no farther from the middle than this share of the height.
const MIDDLE: f64 = 0.06;
/// Bones are about so long, as a share of the height.
const BONE: f64 = 0.08;
/// How far from its centre line a stick's surface is, in its half width there.
const AROUND: f64 = 1.7;
/// How sure the joints are: the part is plain to see, where it bends is not.
const CONFIDENCE: f32 = 0.7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tail,
    Ear,
    Hair,
}

/// Chains for all sticks but those that `found` has already.
pub(super) fn find(figure: &Figure, found: &[Extra]) -> Vec<Extra> {
    let body = figure.body;
    let bones = bones(body, figure.skeleton);
    let ends = free_ends(&body.solid, figure.hips);
    let taken = |end: &FreeEnd| {
        let tip = end.line[end.line.len() - 1];
        found
            .iter()
            .flat_map(|e| &e.members)
            .any(|v| body.vertices[*v as usize].distance(tip) < 2.0 * body.solid.cell())
    };
    let kinds: Vec<Option<Kind>> =
        ends.iter().map(|end| if taken(end) { None } else { kind(figure, &bones, end) }).collect();
    // A head has two ears; more that sticks up is a crown, of leaves or of horns.
    let crown = kinds.iter().filter(|k| **k == Some(Kind::Ear)).count() > 2;
    let mut extras = Vec::new();
    for kind in [Kind::Tail, Kind::Ear, Kind::Hair].into_iter().filter(|k| *k != Kind::Ear || !crown) {
        extras.extend(of_kind(figure, &ends, &kinds, kind));
    }
    extras
}

/// What a free end is.
fn kind(figure: &Figure, bones: &[Bone], end: &FreeEnd) -> Option<Kind> {
    let height = figure.height();
    let (base, tip) = (end.line[0], end.line[end.line.len() - 1]);
    let long = length(&end.line);
    if end.sheet
        || long < LONG.1 * height
        || long < SLENDER * 2.0 * end.widths[0]
        || is_own(figure, bones, end)
    {
        return None;
    }
    let name = |b: &Bone| figure.skeleton.joints[b.joint].name.as_str();
    let owner = bones
        .iter()
        .map(|b| (b.nearest(base).distance(base), name(b)))
        .reduce(|a, b| if b.0 < a.0 { b } else { a })?
        .1;
    let towards = (tip - base).normalize_or_zero();
    let off = (base.x - figure.hips.x).abs().max((tip.x - figure.hips.x).abs());
    match owner {
        "hips" | "spine" | "chest" | "leftUpperLeg" | "rightUpperLeg" => {
            let low = base.y < figure.chest.y;
            let behind = base.z < figure.hips.z && tip.z < figure.hips.z;
            (low && behind && (base.x - figure.hips.x).abs() < MIDDLE * height && long > LONG.0 * height)
                .then_some(Kind::Tail)
        }
        "neck" | "head" => {
            let has_pair = end.pair.is_some();
            let hangs = towards.y < -0.5 || towards.z < -0.6;
            if has_pair && towards.y > -0.3 && towards.z.abs() < 0.6 {
                Some(Kind::Ear)
            } else {
                (hangs && (has_pair || off < MIDDLE * height)).then_some(Kind::Hair)
            }
        }
        _ => None,
    }
}

/// Whether a free end is an arm, a leg or the head.
fn is_own(figure: &Figure, bones: &[Bone], end: &FreeEnd) -> bool {
    let height = figure.height();
    let at = |name: &str| {
        figure.skeleton.find(name).map(|j| figure.body.frame.to_canonical(figure.skeleton.joints[j].position))
    };
    let passes = |name: String| at(&name).is_some_and(|p| nearest(&end.line, p).0 < LIMB * height);
    let limb = ["left", "right"].into_iter().any(|side| {
        [("LowerArm", "Hand"), ("LowerLeg", "Foot")]
            .into_iter()
            .any(|(near, far)| passes(format!("{side}{near}")) && passes(format!("{side}{far}")))
    });
    limb || skull(figure, bones).is_some_and(|(middle, radius)| nearest(&end.line, middle).0 < SKULL * radius)
}

/// The middle of the skull and its half width.
fn skull(figure: &Figure, bones: &[Bone]) -> Option<(DVec3, f64)> {
    let head = bones.iter().find(|b| figure.skeleton.joints[b.joint].name == "head")?;
    let middle = head.head.midpoint(head.tail);
    let reach = |way: DVec3| figure.body.solid.reach(middle, way, figure.height());
    Some((middle, reach(DVec3::X).min(reach(DVec3::NEG_X))))
}

fn of_kind(figure: &Figure, ends: &[FreeEnd], kinds: &[Option<Kind>], kind: Kind) -> Vec<Extra> {
    let of = |i: &usize| kinds[*i] == Some(kind);
    let singles: Vec<usize> =
        (0..ends.len()).filter(of).filter(|i| kind == Kind::Tail || ends[*i].pair.is_none()).collect();
    let pairs: Vec<[usize; 2]> = (0..ends.len())
        .filter(of)
        .filter_map(|i| ends[i].pair.filter(of).filter(|_| kind != Kind::Tail).map(|j| [i, j]))
        .filter(|[i, j]| i < j)
        .collect();
    let (name, parent) = match kind {
        Kind::Tail => ("tail", "hips"),
        Kind::Ear => ("ear", "head"),
        Kind::Hair => ("hair", "head"),
    };
    let mut out = Vec::new();
    // One name is one chain: of several the longest.
    if let Some(&i) =
        singles.iter().reduce(|a, b| if length(&ends[*b].line) > length(&ends[*a].line) { b } else { a })
    {
        let line = figure.centred(resampled(&ends[i].line, count(figure, kind, &[&ends[i]])));
        out.push(extra(figure, &ends[i], Chain::new(name, None, parent, line, CONFIDENCE)));
    }
    if let Some(&pair) =
        pairs.iter().reduce(|a, b| if length(&ends[b[0]].line) > length(&ends[a[0]].line) { b } else { a })
    {
        let [left, right] =
            if ends[pair[0]].line[0].x > ends[pair[1]].line[0].x { pair } else { [pair[1], pair[0]] };
        let bones = count(figure, kind, &[&ends[left], &ends[right]]);
        let lines = figure.paired(resampled(&ends[left].line, bones), resampled(&ends[right].line, bones));
        for ((end, side), line) in [(left, Side::Left), (right, Side::Right)].into_iter().zip(lines) {
            out.push(extra(figure, &ends[end], Chain::new(name, Some(side), parent, line, CONFIDENCE)));
        }
    }
    out
}

/// How many bones a stick gets.
fn count(figure: &Figure, kind: Kind, ends: &[&FreeEnd]) -> usize {
    let long = ends.iter().map(|e| length(&e.line)).sum::<f64>() / ends.len() as f64;
    let wanted = (long / (BONE * figure.height())).round() as usize;
    match kind {
        Kind::Tail => wanted.clamp(3, 8),
        Kind::Ear => 2,
        Kind::Hair => wanted.clamp(2, 5),
    }
}

fn extra(figure: &Figure, end: &FreeEnd, chain: Chain) -> Extra {
    Extra { members: members(figure, end), chains: vec![chain], takes: Takes::All }
}

/// The vertices on a stick: those in or beside cells that a flood from the tip reaches along the centre line.
fn members(figure: &Figure, end: &FreeEnd) -> Vec<u32> {
    let solid = &figure.body.solid;
    let first = solid.first_centre();
    let cell_of = |p: DVec3| ((p - first) / solid.cell()).round().as_ivec3();
    let on_stick = |p: DVec3| {
        let (away, along, piece) = nearest(&end.line, p);
        // Before the base everything is of the body.
        let before =
            (p - end.line[0]).dot(end.line[1] - end.line[0]) < -solid.cell() * solid.cell() && along <= 0.0;
        !before && away <= AROUND * end.widths[piece.min(end.widths.len() - 1)] + 2.0 * solid.cell()
    };
    let tip = cell_of(end.line[end.line.len() - 1]);
    let key = |c: IVec3| [c.x, c.y, c.z];
    let mut reached: BTreeSet<[i32; 3]> = BTreeSet::new();
    let mut queue: Vec<IVec3> = neighbours(tip).chain([tip]).collect();
    while let Some(c) = queue.pop() {
        let p = first + c.as_dvec3() * solid.cell();
        if solid.contains(p) && on_stick(p) && reached.insert(key(c)) {
            queue.extend(neighbours(c));
        }
    }
    let margin = DVec3::splat(AROUND * end.widths.iter().copied().fold(0.0, f64::max) + 2.0 * solid.cell());
    let (lo, hi) =
        end.line.iter().fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(lo, hi), p| (lo.min(*p), hi.max(*p)));
    let near = |p: DVec3| p.cmpge(lo - margin).all() && p.cmple(hi + margin).all();
    let vertices = figure.body.vertices.iter().zip(0..);
    vertices
        .filter(|(p, _)| {
            near(**p)
                && on_stick(**p)
                && neighbours(cell_of(**p)).chain([cell_of(**p)]).any(|c| reached.contains(&key(c)))
        })
        .map(|(_, v)| v)
        .collect()
}

fn neighbours(c: IVec3) -> impl Iterator<Item = IVec3> {
    (0..27).filter(|i| *i != 13).map(move |i| c + IVec3::new(i % 3 - 1, i / 3 % 3 - 1, i / 9 - 1))
}
