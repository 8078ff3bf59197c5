//! The rule of the four-legged template: where its lines run in a body.
//!
//! Trunk: sections between the hind and the front legs; the spine lies above their middle. Legs: from inside the trunk
//! down their centre lines. Neck and head: the foremost branch; head and trunk are in proportion. Tail: the hindmost.

use glam::DVec3;

use super::{
    build::Builder,
    generic::{remaining, spanned},
    kind::FourLegs,
    limbs::{Limb, along, length},
    shape::Shape,
    template::{Lines, Template},
};

static TEMPLATE: &str = include_str!("../../../assets/templates/quadruped.json");

/// How far above the middle of the trunk the spine lies, in half heights of the trunk.
const SPINE_LIFT: f64 = 0.3;
/// The same for the hips' joints of the hind legs; those of the front legs lie in the middle, between the shoulder
/// blade's upper end and the elbow.
const HIND_LIFT: f64 = 0.2;
/// Where the neck leaves the trunk: so far before the front legs, as a share of the trunk's length.
const NECK_AHEAD: f64 = 0.08;
/// Length of the head, in lengths of the trunk.
const HEAD: f64 = 0.42;
/// The head takes at most so much of what lies before the trunk.
const HEAD_MOST: f64 = 0.7;
/// Sections of the trunk.
const SECTIONS: usize = 9;

/// The skeleton of a four-legged body.
pub(super) fn skeleton(shape: &Shape, four: &FourLegs, sure: f32) -> Builder {
    let limb = |i: usize| &shape.limbs[i];
    let mean = |pair: [usize; 2]| (top(limb(pair[0])).z + top(limb(pair[1])).z) / 2.0;
    let (hind, front) = (mean(four.hind), mean(four.front));
    let trunk = trunk(shape, four, hind, front + NECK_AHEAD * (front - hind));
    let at = |z: f64| {
        let i = trunk.partition_point(|s| s.z < z).min(trunk.len() - 1);
        trunk[i]
    };
    let lifted =
        |s: &Section, lift: f64| shape.on_mirror(DVec3::new(shape.middle().x, s.middle + lift * s.half, s.z));

    let mut lines = Lines::default();
    let spine: Vec<DVec3> = trunk.iter().map(|s| lifted(s, SPINE_LIFT)).collect();
    let neck_base = spine[spine.len() - 1];
    // The neck takes up the spine's end; what of the branch lies behind or under it is chest.
    let ahead =
        limb(four.head).line.iter().filter(|p| p.z > neck_base.z || p.y > neck_base.y + at(front).half);
    let neck: Vec<DVec3> = std::iter::once(neck_base).chain(ahead.copied()).collect();
    let whole = length(&neck).max(f64::MIN_POSITIVE);
    let head = (HEAD * (front - hind)).min(HEAD_MOST * whole);
    let (neck, head) = split(&neck, 1.0 - head / whole);
    lines.single.insert("spine", spine);
    lines.single.insert("neck", neck);
    lines.single.insert("head", head);
    if let Some(tail) = four.tail {
        lines.single.insert("tail", limb(tail).line.clone());
    }
    let leg = |i: usize, z: f64, lift: f64| leg_line(shape, limb(i), at(z).middle + lift * at(z).half);
    lines.paired.insert("frontLeg", four.front.map(|i| leg(i, front, 0.0)));
    lines.paired.insert("hindLeg", four.hind.map(|i| leg(i, hind, HIND_LIFT)));

    let mut builder = Builder::new(shape.ground());
    Template::read(TEMPLATE).fit(&mut builder, &lines, shape.tree.extent, sure);
    let mut done = vec![false; shape.limbs.len()];
    let used: Vec<usize> =
        four.front.into_iter().chain(four.hind).chain([four.head]).chain(four.tail).collect();
    used.iter().for_each(|i| done[*i] = true);
    let used: Vec<Option<usize>> = used.into_iter().map(Some).collect();
    remaining(&mut builder, shape, &mut done, &spanned(shape, &used));
    builder
}

/// A cut across the trunk.
#[derive(Debug, Clone, Copy)]
struct Section {
    z: f64,
    /// Height of its middle.
    middle: f64,
    /// Half its height.
    half: f64,
}

/// The trunk between two places, cut where no leg hangs: close to the mirror plane.
fn trunk(shape: &Shape, four: &FourLegs, from: f64, to: f64) -> Vec<Section> {
    let inner =
        four.front.into_iter().chain(four.hind).map(|i| shape.mirror_side(shape.limbs[i].tip()).abs());
    let strip = (inner.fold(f64::INFINITY, f64::min) * 0.4).max(1.5 * shape.tree.cell);
    let depth = (0.05 * (to - from).abs()).max(shape.tree.cell);
    let mut sections: Vec<Section> = (0..SECTIONS)
        .filter_map(|i| {
            let z = from + (to - from) * i as f64 / (SECTIONS - 1) as f64;
            let (low, high) = shape.heights(z, depth, strip)?;
            Some(Section { z, middle: (low + high) / 2.0, half: (high - low) / 2.0 })
        })
        .collect();
    if sections.is_empty() {
        let c = shape.middle();
        sections.push(Section { z: c.z, middle: c.y, half: (shape.bounds.1.y - shape.bounds.0.y) / 4.0 });
    }
    // Manes, necks and udders make single sections high: a section is no higher than the middle one of all.
    let mut halves: Vec<f64> = sections.iter().map(|s| s.half).collect();
    halves.sort_by(f64::total_cmp);
    let usual = halves[halves.len() / 2];
    let mut middles: Vec<f64> = sections.iter().map(|s| s.middle).collect();
    middles.sort_by(f64::total_cmp);
    let level = middles[middles.len() / 2];
    for s in &mut sections {
        s.middle = s.middle.clamp(level - 0.3 * usual, level + 0.3 * usual);
        s.half = s.half.min(usual);
    }
    sections
}

/// Where a leg comes out of the trunk.
fn top(limb: &Limb) -> DVec3 {
    limb.base()
}

/// From the joint inside the trunk down the leg.
fn leg_line(shape: &Shape, limb: &Limb, height: f64) -> Vec<DVec3> {
    // Half way down the leg stands where the leg stands; higher up its level sets already lean into the trunk.
    let side = along(&limb.line, 0.5).x;
    let first = DVec3::new(side, height, top(limb).z);
    let ground = shape.bounds.0.y;
    let keep = |p: &&DVec3| p.y - ground < 0.75 * (height - ground);
    std::iter::once(first).chain(limb.line.iter().filter(keep).copied()).collect()
}

/// Cuts a line at a share of its length.
fn split(line: &[DVec3], share: f64) -> (Vec<DVec3>, Vec<DVec3>) {
    const STEPS: usize = 12;
    let part = |from: f64, to: f64| {
        (0..=STEPS).map(|i| along(line, from + (to - from) * i as f64 / STEPS as f64)).collect()
    };
    (part(0.0, share), part(share, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_can_be_read() {
        let template: Result<Template, _> = serde_json::from_str(TEMPLATE);
        assert!(template.is_ok(), "{template:?}");
    }
}
