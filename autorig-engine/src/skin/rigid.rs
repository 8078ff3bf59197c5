//! Parts that follow one joint: helmets, armour plates, props, eyes, and all of a robot.
//!
//! A part is rigid when one joint has nearly all of it anyway; when it is small and no second segment of the body runs
//! through it; when hardly any of it sees a bone, so that it hangs on the body from outside (a prop, a shield, a cape);
//! or when the whole figure is built of segments that do not bend.

use glam::DVec3;

use super::{bones::Bone, proxy::Proxy, sight::Sources};
use crate::{
    analyse::{Body, nearest::Nearest},
    skeleton::Skeleton,
};

/// A part with more of the area than this is the body itself.
const BODY_SHARE: f64 = 0.9;
/// A part whose mean weight for one bone is above this follows that bone.
const CLEAR_WEIGHT: f64 = 0.9;
/// Parts smaller than this share of the height are rigid unless bones of two segments run inside.
const SMALL: f64 = 0.2;
/// In a segmented figure parts up to this share of the height are rigid.
const SEGMENT: f64 = 0.6;
/// Another segment of the body counts from this share of a part's area.
const SECOND_SEGMENT: f64 = 0.15;
/// All other segments together count from this share.
const OTHER_SEGMENTS: f64 = 0.3;
/// A figure of at least so many parts may be segmented.
const SEGMENTED_PARTS: usize = 6;
/// It is, if at least this share of its area is closed parts.
const CLOSED_SHARE: f64 = 0.6;
/// A part bends at a joint if it covers so much of the length of both bones there.
const BENT_COVER: f64 = 0.35;
/// And has so much of its own area on each of them, or of all the area around that bone.
const BENT_AREA: (f64, f64) = (0.08, 0.25);
/// A part hangs on from outside if less than this share of its area sees a bone.
const OUTSIDE_SEEN: f64 = 0.4;
/// The nearest share of its vertices is where an outside part touches the body.
const CONTACT: f64 = 0.1;
/// And if one segment of the body has so much of it; what spans several, like a collar, is a cloth.
const OUTSIDE_SEGMENT: f64 = 0.5;
/// It touches the body if it comes so near on average, as a share of the height; else it follows its nearest bone.
const TOUCH: f64 = 0.01;
/// A ball is at most so much longer than wide.
const ROUND: f64 = 1.5;
/// A part whose centre is so near a joint, as a share of its half diagonal, is the joint's ball and belongs to the parent.
const BALL: f64 = 0.3;

/// What the decision is made from.
pub struct Evidence<'a> {
    /// The mesh weights are solved on.
    pub proxy: &'a Proxy,
    /// The body it belongs to.
    pub body: &'a Body,
    /// The joints.
    pub skeleton: &'a Skeleton,
    /// Their bones.
    pub bones: &'a [Bone],
    /// What each vertex sees.
    pub sources: &'a Sources,
    /// The network's probabilities, vertices × bones.
    pub prior: &'a [f64],
}

/// Sets the weights of rigid parts to one joint each and returns how many there are.
pub fn make_crisp(evidence: &Evidence, weights: &mut [f64]) -> usize {
    let bones = evidence.bones.len();
    let parts = measure(evidence, weights);
    let total: f64 = parts.iter().map(|p| p.area).sum();
    let segments = segments(evidence.skeleton, evidence.bones);
    let segmented = is_segmented(&parts, total, evidence);
    let outside: Vec<bool> =
        parts.iter().map(|p| p.area < BODY_SHARE * total && p.seen < OUTSIDE_SEEN).collect();
    let contact = contacts(evidence, &outside, weights);
    let follows: Vec<Option<usize>> = parts
        .iter()
        .enumerate()
        .map(|(i, part)| {
            if part.area <= 0.0 || part.area >= BODY_SHARE * total {
                return None;
            }
            let touched = contact.get(&(i as u32));
            let hangs = outside[i] && {
                let shares = touched.unwrap_or(&part.hard);
                by_segment(shares, &segments)[0] > OUTSIDE_SEGMENT
            };
            match touched.filter(|_| hangs) {
                Some(touched) => {
                    let likely = |b: usize| touched[b] * (part.probability[b] + 0.03).sqrt();
                    Some(strongest(likely, bones))
                }
                None => (hangs || part.is_rigid(evidence.body.height, &segments, segmented))
                    .then(|| part.leader(evidence.bones)),
            }
        })
        .collect();
    for (row, part) in weights.chunks_exact_mut(bones).zip(&evidence.proxy.part) {
        if let Some(bone) = follows[*part as usize] {
            row.fill(0.0);
            row[bone] = 1.0;
        }
    }
    follows.iter().flatten().count()
}

fn strongest(score: impl Fn(usize) -> f64, bones: usize) -> usize {
    (0..bones).fold(0, |best, b| if score(b) > score(best) { b } else { best })
}

/// The segment of the body each bone belongs to, as the number of its first bone: what bends little inside. Torso, head
/// and neck, hand, foot with toes are one each; every other bone is its own.
fn segments(skeleton: &Skeleton, bones: &[Bone]) -> Vec<usize> {
    let name = |b: &Bone| skeleton.joints[b.joint].name.as_str();
    let kind = |b: &Bone| -> Option<(&str, &str)> {
        let (side, rest) = ["left", "right"]
            .into_iter()
            .find_map(|s| name(b).strip_prefix(s).map(|rest| (s, rest)))
            .unwrap_or(("", name(b)));
        match rest {
            "hips" | "spine" | "chest" | "upperChest" | "Shoulder" => Some(("", "torso")),
            "neck" | "head" => Some(("", "head")),
            "Foot" | "Toes" => Some((side, "foot")),
            _ => None,
        }
    };
    (0..bones.len())
        .map(|b| match kind(&bones[b]) {
            None => b,
            found => bones.iter().position(|other| kind(other) == found).unwrap_or(b),
        })
        .collect()
}

/// Means over a part, by area.
#[derive(Clone)]
struct Part {
    area: f64,
    lo: DVec3,
    hi: DVec3,
    closed: bool,
    /// Share of the area that sees a bone.
    seen: f64,
    /// Mean weight of each bone.
    weight: Vec<f64>,
    /// Share of the area whose nearest bone it is.
    hard: Vec<f64>,
    /// Mean probability by the network.
    probability: Vec<f64>,
    /// The stretch of each bone that the part's area nearest to it covers.
    stretch: Vec<(f64, f64)>,
}

impl Part {
    fn new(bones: usize) -> Self {
        Self {
            area: 0.0,
            lo: DVec3::INFINITY,
            hi: DVec3::NEG_INFINITY,
            closed: true,
            seen: 0.0,
            weight: vec![0.0; bones],
            hard: vec![0.0; bones],
            probability: vec![0.0; bones],
            stretch: vec![(f64::INFINITY, f64::NEG_INFINITY); bones],
        }
    }

    fn is_rigid(&self, height: f64, segments: &[usize], segmented: bool) -> bool {
        let diagonal = self.hi.distance(self.lo);
        let clear = self.weight.iter().any(|w| *w > CLEAR_WEIGHT);
        let small = diagonal < SMALL * height && self.is_one_segment(segments);
        clear || small || segmented && diagonal < SEGMENT * height
    }

    fn is_one_segment(&self, segments: &[usize]) -> bool {
        let share = by_segment(&self.hard, segments);
        share.get(1).is_none_or(|second| *second <= SECOND_SEGMENT) && 1.0 - share[0] <= OTHER_SEGMENTS
    }

    /// The bone a rigid part follows.
    fn leader(&self, bones: &[Bone]) -> usize {
        let score = |b: usize| (self.weight[b] + self.hard[b]) * (self.probability[b] + 0.03).sqrt();
        let best = strongest(score, bones.len());
        let size = self.hi - self.lo;
        let round = size.max_element() < ROUND * size.min_element();
        let (centre, radius) = ((self.lo + self.hi) / 2.0, self.hi.distance(self.lo) / 2.0);
        match bones[best].parent {
            Some(parent) if round && centre.distance(bones[best].head) < BALL * radius => parent,
            _ => best,
        }
    }

    /// `around` is the area around the bone of all parts.
    fn covers(&self, bone: usize, around: f64) -> bool {
        let (from, to) = self.stretch[bone];
        let much = self.hard[bone] > BENT_AREA.0 || self.area * self.hard[bone] > BENT_AREA.1 * around;
        much && to.min(1.0) - from.max(0.0) > BENT_COVER
    }
}

/// Sums over the segments of the body, the largest first.
fn by_segment(shares: &[f64], segments: &[usize]) -> Vec<f64> {
    let mut sums = vec![0.0; segments.len()];
    for (share, segment) in shares.iter().zip(segments) {
        sums[*segment] += share;
    }
    sums.sort_unstable_by(|a, b| b.total_cmp(a));
    sums
}

fn measure(evidence: &Evidence, weights: &[f64]) -> Vec<Part> {
    let (proxy, sources) = (evidence.proxy, evidence.sources);
    let n = evidence.bones.len();
    let mut parts = vec![Part::new(n); proxy.parts];
    for t in &proxy.triangles {
        let p = t.map(|i| proxy.vertices[i as usize]);
        let third = (p[1] - p[0]).cross(p[2] - p[0]).length() / 6.0;
        let part = &mut parts[proxy.part[t[0] as usize] as usize];
        for (&i, p) in t.iter().zip(&p) {
            let i = i as usize;
            part.area += third;
            (part.lo, part.hi) = (part.lo.min(*p), part.hi.max(*p));
            part.seen += if sources.source[i].is_some() { third } else { 0.0 };
            let hard = sources.hard[i];
            part.hard[hard] += third;
            let along = evidence.bones[hard].along(*p);
            let (from, to) = part.stretch[hard];
            part.stretch[hard] = (from.min(along), to.max(along));
            for b in 0..n {
                part.weight[b] += third * weights[i * n + b];
                part.probability[b] += third * evidence.prior[i * n + b];
            }
        }
    }
    for part in &mut parts {
        let area = part.area.max(f64::MIN_POSITIVE);
        part.seen /= area;
        for values in [&mut part.weight, &mut part.hard, &mut part.probability] {
            values.iter_mut().for_each(|v| *v /= area);
        }
    }
    for open in open_parts(&proxy.triangles, &proxy.part) {
        parts[open as usize].closed = false;
    }
    parts
}

/// Mean weights where each outside part comes nearest to the others; parts with nothing beside them are left out.
fn contacts(
    evidence: &Evidence,
    outside: &[bool],
    weights: &[f64],
) -> std::collections::BTreeMap<u32, Vec<f64>> {
    let (proxy, bones) = (evidence.proxy, evidence.bones.len());
    let mut found = std::collections::BTreeMap::new();
    if !outside.contains(&true) {
        return found;
    }
    let inner: Vec<usize> = (0..proxy.vertices.len()).filter(|&v| !outside[proxy.part[v] as usize]).collect();
    let grid = Nearest::new(inner.iter().map(|&v| proxy.vertices[v]).collect());
    let mut near: Vec<(u32, f64, usize)> = (0..proxy.vertices.len())
        .filter(|&v| outside[proxy.part[v] as usize])
        .filter_map(|v| grid.nearest(proxy.vertices[v]).map(|(i, d)| (proxy.part[v], d, inner[i])))
        .collect();
    near.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    for part in near.chunk_by(|a, b| a.0 == b.0) {
        let touching = ((part.len() as f64 * CONTACT).ceil() as usize).max(1);
        let distance = part[..touching].iter().map(|(_, d, _)| d).sum::<f64>() / touching as f64;
        if distance > TOUCH * evidence.body.height {
            continue;
        }
        let mut mean = vec![0.0; bones];
        for (_, _, v) in &part[..touching] {
            for (m, w) in mean.iter_mut().zip(&weights[v * bones..(v + 1) * bones]) {
                *m += w / touching as f64;
            }
        }
        found.insert(part[0].0, mean);
    }
    found
}

/// Parts with an edge that only one triangle uses.
pub(crate) fn open_parts(triangles: &[[u32; 3]], part: &[u32]) -> Vec<u32> {
    let mut edges: Vec<(u32, u32)> = triangles
        .iter()
        .flat_map(|&[a, b, c]| [(a.min(b), a.max(b)), (b.min(c), b.max(c)), (c.min(a), c.max(a))])
        .collect();
    edges.sort_unstable();
    let mut open: Vec<u32> = edges
        .chunk_by(|a, b| a == b)
        .filter(|same| same.len() == 1)
        .map(|same| part[same[0].0 as usize])
        .collect();
    open.sort_unstable();
    open.dedup();
    open
}

/// A figure of separate rigid pieces: many parts, mostly closed, and no elbow or knee inside one of them.
fn is_segmented(parts: &[Part], total: f64, evidence: &Evidence) -> bool {
    if parts.len() < SEGMENTED_PARTS {
        return false;
    }
    let closed: f64 = parts.iter().filter(|p| p.closed).map(|p| p.area).sum();
    if closed <= CLOSED_SHARE * total {
        return false;
    }
    let name = |b: usize| evidence.skeleton.joints[evidence.bones[b].joint].name.as_str();
    let hinges: Vec<(usize, usize)> = (0..evidence.bones.len())
        .filter(|&b| name(b).ends_with("LowerArm") || name(b).ends_with("LowerLeg"))
        .filter_map(|b| evidence.bones[b].parent.map(|parent| (parent, b)))
        .collect();
    let around = |b: usize| parts.iter().map(|p| p.area * p.hard[b]).sum::<f64>();
    let bends = |p: &Part| {
        hinges.iter().any(|&(upper, lower)| p.covers(upper, around(upper)) && p.covers(lower, around(lower)))
    };
    !hinges.is_empty() && !parts.iter().any(bends)
}
