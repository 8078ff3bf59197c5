//! The weights of chains: tails, hair, cloth, eyes.
//!
//! A chain's vertices are known, so nothing has to be found out by heat: weight runs along its line, each bone's falling from
//! its middle to the middle of the next, and over the first half of the first bone from what the vertex had before. Chains
//! side by side share by distance.

use glam::DVec3;
use rayon::prelude::*;

use super::bones::Bone;
use crate::{
    analyse::Body,
    skeleton::{
        Skeleton,
        chains::{Extra, Takes},
    },
};

/// Distances are compared from this share of a chain's length on: nearer is all the same.
const NEAR: f64 = 0.05;

/// The skeleton without the joints of chains, and which joint of the whole each of its is. A joint that hangs on a chain goes
/// with it.
pub(super) fn without(skeleton: &Skeleton, extras: &[Extra]) -> (Skeleton, Vec<usize>) {
    let names: Vec<&String> = extras.iter().flat_map(|e| &e.chains).flat_map(|c| &c.joints).collect();
    let mut place: Vec<Option<usize>> = Vec::with_capacity(skeleton.joints.len());
    let (mut core, mut whole) = (Skeleton::default(), Vec::new());
    for (index, joint) in skeleton.joints.iter().enumerate() {
        let parent = joint.parent.map(|p| place[p]);
        if names.contains(&&joint.name) || parent == Some(None) {
            place.push(None);
            continue;
        }
        place.push(Some(whole.len()));
        whole.push(index);
        let mut joint = joint.clone();
        joint.parent = parent.flatten();
        core.joints.push(joint);
    }
    (core, whole)
}

/// Widens rows of weights by columns for the chains' joints, which take their share. `bones` are the columns so far, `whole`
/// is from [`without`]. Answers the joints of all columns.
pub(super) fn hang(
    body: &Body,
    skeleton: &Skeleton,
    extras: &[Extra],
    bones: &[Bone],
    whole: &[usize],
    weights: &mut Vec<f64>,
) -> Vec<u16> {
    let mut joints: Vec<u16> = bones.iter().map(|b| whole[b.joint] as u16).collect();
    let strands: Vec<Vec<Strand>> = extras.iter().map(|e| strands(body, skeleton, e, &mut joints)).collect();
    let (before, after) = (bones.len(), joints.len());
    if before == after {
        return joints;
    }
    let mut wide = vec![0.0; weights.len() / before * after];
    wide.par_chunks_mut(after)
        .zip(weights.par_chunks(before))
        .for_each(|(wide, row)| wide[..before].copy_from_slice(row));
    for (extra, strands) in extras.iter().zip(&strands).filter(|(_, s)| !s.is_empty()) {
        for &v in &extra.members {
            let row = &mut wide[v as usize * after..(v as usize + 1) * after];
            give(row, body.vertices[v as usize], strands, extra.takes);
        }
    }
    *weights = wide;
    joints
}

/// A chain as it is in a skeleton, which may have moved it.
struct Strand {
    /// The column of its parent.
    parent: usize,
    /// Its own columns.
    columns: Vec<usize>,
    /// Its joints and the end of the last.
    line: Vec<DVec3>,
}

/// The chains of which the skeleton has all joints; adds their columns.
fn strands(body: &Body, skeleton: &Skeleton, extra: &Extra, joints: &mut Vec<u16>) -> Vec<Strand> {
    let mut out = Vec::new();
    for chain in &extra.chains {
        let found: Option<Vec<usize>> = chain.joints.iter().map(|name| skeleton.find(name)).collect();
        let parent =
            skeleton.find(chain.parent).and_then(|p| joints.iter().position(|j| usize::from(*j) == p));
        let (Some(found), Some(parent)) = (found, parent) else { continue };
        let mut line: Vec<DVec3> =
            found.iter().map(|j| body.frame.to_canonical(skeleton.joints[*j].position)).collect();
        // The end goes along with the last joint.
        let [.., last, end] = chain.line.as_slice() else { continue };
        line.push(line[line.len() - 1] + (*end - *last));
        let columns = (joints.len()..joints.len() + found.len()).collect();
        joints.extend(found.into_iter().map(|j| j as u16));
        out.push(Strand { parent, columns, line });
    }
    out
}

impl Strand {
    /// How far a point is from the chain, and how many bones it is along: below 0 before the first joint.
    fn place(&self, p: DVec3) -> (f64, f64) {
        let mut best = (f64::INFINITY, 0.0);
        for (i, w) in self.line.windows(2).enumerate() {
            let along = w[1] - w[0];
            let t = (p - w[0]).dot(along) / along.length_squared().max(f64::MIN_POSITIVE);
            let away = p.distance(w[0] + along * t.clamp(0.0, 1.0));
            if away < best.0 {
                best = (away, i as f64 + if i == 0 { t.min(1.0) } else { t.clamp(0.0, 1.0) });
            }
        }
        best
    }

    fn length(&self) -> f64 {
        self.line.windows(2).map(|w| w[0].distance(w[1])).sum()
    }

    /// Adds `amount` to the columns of the bones around a place along the chain; what is not given away.
    fn add(&self, row: &mut [f64], along: f64, amount: f64) -> f64 {
        let at = along + 0.5;
        if at <= 0.0 {
            return amount;
        }
        let upper = (at.floor() as usize).min(self.columns.len());
        let share = if upper < self.columns.len() { at - at.floor() } else { 0.0 };
        if upper < self.columns.len() {
            row[self.columns[upper]] += amount * share;
        }
        match upper.checked_sub(1) {
            Some(lower) => {
                row[self.columns[lower]] += amount * (1.0 - share);
                0.0
            }
            None => amount * (1.0 - share),
        }
    }
}

/// Gives a vertex to the chains of one group.
fn give(row: &mut [f64], p: DVec3, strands: &[Strand], takes: Takes) {
    let places: Vec<(f64, f64)> = strands.iter().map(|s| s.place(p)).collect();
    // Chains on one joint share what they take of it.
    let near = |(strand, (away, _)): (&Strand, &(f64, f64))| {
        let least = NEAR * strand.length();
        1.0 / (away * away + least * least).max(f64::MIN_POSITIVE)
    };
    let total = |parent: usize| -> f64 {
        strands.iter().zip(&places).filter(|(s, _)| s.parent == parent).map(near).sum()
    };
    let share = |k: usize| near((&strands[k], &places[k])) / total(strands[k].parent);
    match takes {
        Takes::Rigid => {
            row.fill(0.0);
            row[strands[0].columns[0]] = 1.0;
        }
        Takes::OfParent => {
            let had: Vec<f64> = strands.iter().map(|s| row[s.parent]).collect();
            strands.iter().for_each(|s| row[s.parent] = 0.0);
            for (k, strand) in strands.iter().enumerate() {
                let left = strand.add(row, places[k].1, had[k] * share(k));
                row[strand.parent] += left;
            }
        }
        Takes::All => {
            let had = row.to_vec();
            row.fill(0.0);
            for (k, strand) in strands.iter().enumerate() {
                let left = strand.add(row, places[k].1, share(k));
                row.iter_mut().zip(&had).for_each(|(w, had)| *w += left * had);
            }
        }
    }
}
