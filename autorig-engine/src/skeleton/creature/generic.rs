//! A skeleton for a body without a template: chains along its branches.
//!
//! The spine runs from the hindmost end on the mirror plane to the foremost one; head and tail go on from it, limbs leave
//! it where their branches do. Joints sit at even distances.

use glam::DVec3;

use super::{
    build::{Builder, count, even, sided},
    limbs::{Limb, smooth},
    moments::Moments,
    shape::Shape,
};

/// Distance between joints as a share of the longest way through the body.
const SPACING: f64 = 0.09;
/// Joints of a limb, at least and at most.
const LIMB: (usize, usize) = (1, 8);
/// Joints of a spine, at least and at most.
const SPINE: (usize, usize) = (2, 10);
/// Limbs begin inside the body: so much of the way from the joint they hang on to where they come out of it.
const INSIDE: f64 = 0.45;
/// What lies foremost does not bend: the last bone of a head is longer by this share of the foremost branch.
const SKULL: f64 = 0.2;
/// A skeleton that follows no template is a guess at what an artist would do.
const CONFIDENCE: f32 = 0.35;

/// The generic skeleton of a shape.
pub(super) fn skeleton(shape: &Shape) -> Builder {
    let mut builder = Builder::new(shape.ground());
    let spacing = SPACING * shape.tree.extent;
    let (rear, front) = ends(shape);
    let spine = spine_line(shape, rear, front);
    let n = count(&spine, spacing, SPINE.0, SPINE.1);
    let names: Vec<String> = (1..=n).map(|i| format!("spine{i}")).collect();
    let last = builder.chain(&names, 0, &spine, &even(n), CONFIDENCE);
    let mut done = vec![false; shape.limbs.len()];
    if let Some(i) = front {
        let line = &shape.limbs[i].line;
        let n = count(line, spacing, LIMB.0, LIMB.1);
        let names: Vec<String> = (1..=n).map(|i| format!("head{i}")).collect();
        let at: Vec<f64> = even(n).iter().map(|share| share * (1.0 - SKULL)).collect();
        builder.chain(&names, last, line, &at, CONFIDENCE);
        done[i] = true;
    }
    if let Some(i) = rear {
        // The spine begins where the tail does: the tail's first joint lies further on.
        let line = &shape.limbs[i].line;
        let n = count(line, spacing, LIMB.0, LIMB.1);
        let names: Vec<String> = (1..=n).map(|i| format!("tail{i}")).collect();
        let at: Vec<f64> = even(n).iter().map(|share| share + 0.4 / n as f64).collect();
        builder.chain(&names, 1, line, &at, CONFIDENCE);
        done[i] = true;
    }
    remaining(&mut builder, shape, &mut done, &spanned(shape, &[rear, front]));
    builder
}

/// Chains for all limbs that have none yet, in pairs where they are pairs. Pieces of the body between the limbs and what
/// is `spanned` by joints already go with the first limb that hangs on them.
pub(super) fn remaining(builder: &mut Builder, shape: &Shape, done: &mut [bool], spanned: &[usize]) {
    let spacing = SPACING * shape.tree.extent;
    let mut spanned = spanned.to_vec();
    let mut number = 0;
    for i in 0..shape.limbs.len() {
        if done[i] {
            continue;
        }
        number += 1;
        let other = shape.limbs[i].pair.filter(|p| !done[*p]);
        for index in [Some(i), other].into_iter().flatten() {
            done[index] = true;
            let limb = &shape.limbs[index];
            let side = other.map(|_| shape.mirror_side(limb.tip()) > 0.0);
            let mut line = approach(shape, limb, &mut spanned);
            line.extend(&limb.line);
            let parent = builder.nearest(line[0]);
            line.insert(0, builder.joints[parent].at.lerp(line[0], INSIDE));
            chain(builder, &line, &format!("limb{number}_"), side, parent, spacing);
        }
    }
}

/// Centre line of the body from what has joints to where a limb leaves it.
fn approach(shape: &Shape, limb: &Limb, spanned: &mut Vec<usize>) -> Vec<DVec3> {
    let mut path = Vec::new();
    let mut at = shape.tree.branches[limb.branch].parent;
    while let Some(b) = at.filter(|b| !spanned.contains(b)) {
        spanned.push(b);
        path.push(b);
        at = shape.tree.branches[b].parent;
    }
    let slices = path.iter().rev().flat_map(|b| &shape.tree.branches[*b].slices);
    slices.map(Moments::centre).collect()
}

/// A chain along a line.
fn chain(builder: &mut Builder, line: &[DVec3], name: &str, side: Option<bool>, parent: usize, spacing: f64) {
    let n = count(line, spacing, LIMB.0, LIMB.1);
    let names: Vec<String> = (1..=n).map(|i| sided(side, &format!("{name}{i}"))).collect();
    builder.chain(&names, parent, line, &even(n), CONFIDENCE);
}

/// The hindmost and the foremost limb on the mirror plane; of several that start together the thickest.
pub(super) fn ends(shape: &Shape) -> (Option<usize>, Option<usize>) {
    let axial = || (0..shape.limbs.len()).filter(|&i| shape.limbs[i].axial);
    let middle = shape.middle().z;
    let better = |best: Option<usize>, i: usize| match best {
        Some(b) if shape.limbs[b].weight() >= shape.limbs[i].weight() => best,
        _ => Some(i),
    };
    let front = axial().filter(|&i| shape.limbs[i].tip().z > middle).fold(None, better);
    let rear = axial().filter(|&i| shape.limbs[i].tip().z <= middle).fold(None, better);
    (rear, front)
}

/// The branches between the middle of the body and some limbs.
pub(super) fn spanned(shape: &Shape, limbs: &[Option<usize>]) -> Vec<usize> {
    let mut all = vec![0];
    for limb in limbs.iter().flatten() {
        let mut at = shape.tree.branches[shape.limbs[*limb].branch].parent;
        while let Some(b) = at {
            all.push(b);
            at = shape.tree.branches[b].parent;
        }
    }
    all
}

/// From where the tail begins to where the head does, through the middle of the body.
pub(super) fn spine_line(shape: &Shape, rear: Option<usize>, front: Option<usize>) -> Vec<DVec3> {
    let tree = &shape.tree;
    let up_to_middle = |end: Option<usize>| -> (Vec<usize>, Option<DVec3>) {
        let Some(end) = end else { return (Vec::new(), None) };
        let mut path = Vec::new();
        let mut at = tree.branches[shape.limbs[end].branch].parent;
        while let Some(b) = at {
            path.push(b);
            at = tree.branches[b].parent;
        }
        (path, Some(shape.limbs[end].base()))
    };
    let (mut back, tail) = up_to_middle(rear);
    let (mut fore, head) = up_to_middle(front);
    // Both ends may leave the same branch: what both share lies on neither side, save the branch where they part.
    while back.len() > 1 && fore.len() > 1 && back[back.len() - 2] == fore[fore.len() - 2] {
        back.pop();
        fore.pop();
    }
    let mut line: Vec<DVec3> = Vec::new();
    line.extend(tail);
    for &b in back.iter().take(back.len().saturating_sub(1)) {
        line.extend(tree.branches[b].slices.iter().rev().map(Moments::centre));
    }
    let parting = back.last().or(fore.last()).copied().unwrap_or(0);
    line.push(tree.branches[parting].middle());
    for &b in fore.iter().rev().skip(1) {
        line.extend(tree.branches[b].slices.iter().map(Moments::centre));
    }
    line.extend(head);
    if line.len() < 2 {
        // A body without ends on its mirror plane: along its length, as far as it is thick.
        let (lo, hi) = shape.bounds;
        let c = line[0];
        line = vec![c.with_z((c.z + lo.z) / 2.0), c, c.with_z((c.z + hi.z) / 2.0)];
    }
    for _ in 0..3 {
        line = smooth(&line);
    }
    line.iter().map(|p| shape.on_mirror(*p)).collect()
}
