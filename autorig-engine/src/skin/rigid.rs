//! Parts that follow one joint: helmets, armour plates, props, eyes, and all of a robot.

use glam::DVec3;

use super::{bones::Bone, proxy::Proxy, sight::Sources};
use crate::{analyse::Body, skeleton::Skeleton};

/// A part with more of the area than this is the body itself.
const BODY_SHARE: f64 = 0.9;
/// A part whose mean weight for one bone is above this follows that bone.
const CLEAR_WEIGHT: f64 = 0.85;
/// Parts smaller than this share of the height are rigid unless bones of two regions run inside.
const SMALL: f64 = 0.2;
/// In a segmented figure parts up to this share of the height are rigid.
const SEGMENT: f64 = 0.6;
/// Another region of the body counts from this share of a part's area.
const SECOND_REGION: f64 = 0.15;
/// A figure of at least so many parts may be segmented.
const SEGMENTED_PARTS: usize = 6;

/// Sets the weights of rigid parts to one joint each and returns how many there are.
pub fn make_crisp(
    proxy: &Proxy,
    body: &Body,
    skeleton: &Skeleton,
    bones: &[Bone],
    sources: &Sources,
    prior: &[f64],
    weights: &mut [f64],
) -> usize {
    let parts = measure(proxy, bones, sources, prior, weights);
    let total: f64 = parts.iter().map(|p| p.area).sum();
    let region: Vec<Region> = bones.iter().map(|b| Region::of(&skeleton.joints[b.joint].name)).collect();
    let segmented = is_segmented(&parts, total, skeleton, bones);
    let follows: Vec<Option<usize>> = parts
        .iter()
        .map(|part| {
            (part.area > 0.0 && part.area < BODY_SHARE * total)
                .then(|| part.leader(body.height, &region, segmented))
                .flatten()
        })
        .collect();
    for (row, part) in weights.chunks_exact_mut(bones.len()).zip(&proxy.part) {
        if let Some(bone) = follows[*part as usize] {
            row.fill(0.0);
            row[bone] = 1.0;
        }
    }
    follows.iter().flatten().count()
}

/// Regions of the body that move apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Region {
    Torso,
    Head,
    Arm(bool),
    Leg(bool),
}

impl Region {
    fn of(joint: &str) -> Self {
        let left = joint.starts_with("left");
        if joint == "head" || joint == "neck" {
            Self::Head
        } else if joint.ends_with("Leg") || joint.ends_with("Foot") || joint.ends_with("Toes") {
            Self::Leg(left)
        } else if joint.ends_with("Arm") || joint.ends_with("Hand") {
            Self::Arm(left)
        } else {
            Self::Torso
        }
    }
}

/// Means over a part, by area.
#[derive(Clone)]
struct Part {
    area: f64,
    lo: DVec3,
    hi: DVec3,
    closed: bool,
    /// Mean weight of each bone.
    weight: Vec<f64>,
    /// Share of the area whose nearest bone it is.
    hard: Vec<f64>,
    /// Mean probability by the network.
    probability: Vec<f64>,
}

impl Part {
    /// The bone the part follows, if it is rigid.
    fn leader(&self, height: f64, region: &[Region], segmented: bool) -> Option<usize> {
        let diagonal = self.hi.distance(self.lo);
        let clear = self.weight.iter().any(|w| *w > CLEAR_WEIGHT);
        let small = diagonal < SMALL * height && !self.has_two_regions(region);
        let segment = segmented && diagonal < SEGMENT * height;
        if !(clear || small || segment) {
            return None;
        }
        let score = |b: usize| (self.weight[b] + self.hard[b]) * (self.probability[b] + 0.03).sqrt();
        (0..self.weight.len()).fold(None, |best: Option<usize>, b| match best {
            Some(a) if score(a) >= score(b) => best,
            _ => Some(b),
        })
    }

    fn has_two_regions(&self, region: &[Region]) -> bool {
        let share =
            |r: Region| self.hard.iter().zip(region).filter(|(_, x)| **x == r).map(|(h, _)| h).sum::<f64>();
        let all = [
            Region::Torso,
            Region::Head,
            Region::Arm(true),
            Region::Arm(false),
            Region::Leg(true),
            Region::Leg(false),
        ];
        all.into_iter().filter(|r| share(*r) > SECOND_REGION).count() > 1
    }
}

fn measure(proxy: &Proxy, bones: &[Bone], sources: &Sources, prior: &[f64], weights: &[f64]) -> Vec<Part> {
    let empty = Part {
        area: 0.0,
        lo: DVec3::INFINITY,
        hi: DVec3::NEG_INFINITY,
        closed: true,
        weight: vec![0.0; bones.len()],
        hard: vec![0.0; bones.len()],
        probability: vec![0.0; bones.len()],
    };
    let mut parts = vec![empty; proxy.parts];
    let n = bones.len();
    for t in &proxy.triangles {
        let p = t.map(|i| proxy.vertices[i as usize]);
        let third = (p[1] - p[0]).cross(p[2] - p[0]).length() / 6.0;
        let part = &mut parts[proxy.part[t[0] as usize] as usize];
        for (&i, p) in t.iter().zip(&p) {
            let i = i as usize;
            part.area += third;
            (part.lo, part.hi) = (part.lo.min(*p), part.hi.max(*p));
            part.hard[sources.hard[i]] += third;
            for b in 0..n {
                part.weight[b] += third * weights[i * n + b];
                part.probability[b] += third * prior[i * n + b];
            }
        }
    }
    for part in &mut parts {
        let area = part.area.max(f64::MIN_POSITIVE);
        for values in [&mut part.weight, &mut part.hard, &mut part.probability] {
            values.iter_mut().for_each(|v| *v /= area);
        }
    }
    for open in open_parts(proxy) {
        parts[open as usize].closed = false;
    }
    parts
}

/// Parts with an edge that only one triangle uses.
fn open_parts(proxy: &Proxy) -> Vec<u32> {
    let mut edges: Vec<(u32, u32)> = proxy
        .triangles
        .iter()
        .flat_map(|&[a, b, c]| [(a.min(b), a.max(b)), (b.min(c), b.max(c)), (c.min(a), c.max(a))])
        .collect();
    edges.sort_unstable();
    let mut open: Vec<u32> = edges
        .chunk_by(|a, b| a == b)
        .filter(|same| same.len() == 1)
        .map(|same| proxy.part[same[0].0 as usize])
        .collect();
    open.sort_unstable();
    open.dedup();
    open
}

/// A figure of separate rigid pieces: many parts, mostly closed, and no elbow or knee inside one of them.
fn is_segmented(parts: &[Part], total: f64, skeleton: &Skeleton, bones: &[Bone]) -> bool {
    /// A part contains a joint if it has so much of the area on both sides of it.
    const BOTH_SIDES: f64 = 0.25;
    const CLOSED_SHARE: f64 = 0.6;
    if parts.len() < SEGMENTED_PARTS {
        return false;
    }
    let closed: f64 = parts.iter().filter(|p| p.closed).map(|p| p.area).sum();
    if closed <= CLOSED_SHARE * total {
        return false;
    }
    let bone = |name: &str| bones.iter().position(|b| skeleton.joints[b.joint].name == name);
    let bent = |upper: &str, lower: &str| {
        let (Some(u), Some(l)) = (bone(upper), bone(lower)) else { return false };
        let all = |b: usize| parts.iter().map(|p| p.area * p.hard[b]).sum::<f64>().max(f64::MIN_POSITIVE);
        let (all_u, all_l) = (all(u), all(l));
        parts
            .iter()
            .any(|p| p.area * p.hard[u] > BOTH_SIDES * all_u && p.area * p.hard[l] > BOTH_SIDES * all_l)
    };
    ![("UpperArm", "LowerArm"), ("UpperLeg", "LowerLeg")].iter().any(|(upper, lower)| {
        ["left", "right"].iter().any(|side| bent(&format!("{side}{upper}"), &format!("{side}{lower}")))
    })
}
