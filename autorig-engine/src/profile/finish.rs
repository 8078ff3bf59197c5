//! Names, order, weights and clips of the finished character.

use std::collections::BTreeSet;

use super::{
    data::Profile,
    followers,
    work::{Share, Work},
};
use crate::{
    Character,
    character::{Bone, names::Names},
    scene::{Influences, Scene},
};

/// Names every bone as the target does; what it has no name for keeps its own, made different from the others.
pub(super) fn names(work: &mut Work, profile: &Profile) {
    let mut names = Names::default();
    let wanted: Vec<Option<String>> = (0..work.bones.len())
        .map(|bone| {
            let by_joint = || work.bones[bone].canonical.as_deref().and_then(|j| profile.name_of(j));
            work.called[bone].clone().or_else(|| if profile.names.keep_own { None } else { by_joint() })
        })
        .collect();
    for (bone, name) in wanted.iter().enumerate() {
        if let Some(name) = name.as_deref().filter(|_| !work.gone[bone]) {
            work.called[bone] = Some(names.unique(name));
        }
    }
    for bone in (0..work.bones.len()).filter(|b| wanted[*b].is_none() && !work.gone[*b]) {
        work.called[bone] = Some(names.unique(&work.bones[bone].name));
    }
}

/// Sorts the bones and gives weights and clips their new indices.
pub(super) fn finish(mut work: Work, profile: &Profile) -> Character {
    let order = order(&work);
    let mut place = vec![0_u16; work.bones.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = new as u16;
    }
    let bone = |old: &usize| {
        let bone = &work.bones[*old];
        Bone {
            name: work.called[*old].clone().unwrap_or_else(|| bone.name.clone()),
            parent: bone.parent.map(|p| usize::from(place[p])),
            rest: bone.rest,
            canonical: bone.canonical.clone(),
        }
    };
    let bones: Vec<Bone> = order.iter().map(bone).collect();
    rename_meshes(&mut work.scene, &bones);
    let most = profile.influences.clamp(1, 8);
    let mut all = std::mem::take(&mut work.influences);
    for (mesh, influences) in work.scene.meshes.iter().zip(&mut all) {
        for (primitive, influences) in mesh.primitives.iter().zip(influences) {
            *influences = weights(&work.shares, &place, influences, &primitive.positions, most);
        }
    }
    let mut clips = std::mem::take(&mut work.clips);
    for clip in &mut clips {
        clip.tracks.iter_mut().for_each(|t| t.joint = usize::from(place[t.joint]));
        clip.tracks.sort_by_key(|t| t.joint);
    }
    let mut made = Character { scene: work.scene, bones, influences: all, clips, frame: work.frame };
    if profile.necessary_followed && made.is_humanoid() {
        followers::ensure(&mut made, most);
    }
    made
}

/// Calls no mesh as a bone is: engines find both by name.
pub(super) fn rename_meshes(scene: &mut Scene, bones: &[Bone]) {
    let taken: BTreeSet<&str> = bones.iter().map(|b| b.name.as_str()).collect();
    let nodes = scene.nodes.iter_mut().map(|n| &mut n.name);
    for name in nodes.chain(scene.meshes.iter_mut().map(|m| &mut m.name)) {
        while taken.contains(name.as_str()) {
            name.push_str("_mesh");
        }
    }
}

/// Bones that are left, parents first: as they are where that holds, else depth first.
fn order(work: &Work) -> Vec<usize> {
    let alive = |b: &usize| !work.gone[*b];
    let sorted = (0..work.bones.len()).filter(alive).all(|b| work.bones[b].parent.is_none_or(|p| p < b));
    if sorted {
        return (0..work.bones.len()).filter(alive).collect();
    }
    let mut children = vec![Vec::new(); work.bones.len()];
    let mut stack = Vec::new();
    for bone in (0..work.bones.len()).rev().filter(alive) {
        match work.bones[bone].parent {
            Some(parent) => children[parent].push(bone),
            None => stack.push(bone),
        }
    }
    let mut order = Vec::new();
    while let Some(bone) = stack.pop() {
        order.push(bone);
        stack.append(&mut children[bone]);
    }
    order
}

/// One bone's part of a vertex.
#[derive(Clone, Copy)]
struct Part {
    /// The character's own bone that it comes from.
    of: u16,
    bone: u16,
    weight: f64,
}

fn weights(
    shares: &[Share],
    place: &[u16],
    old: &Influences,
    positions: &[[f32; 3]],
    most: usize,
) -> Influences {
    let mut lists: Vec<Vec<(u16, f64)>> = Vec::with_capacity(positions.len());
    let mut parts = Vec::new();
    for ((joints, weights), position) in old.iter().zip(positions) {
        parts.clear();
        for (&of, &weight) in joints.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
            match shares.get(usize::from(of)) {
                Some(Share::To(bone)) => parts.push(Part { of, bone: place[*bone], weight: weight.into() }),
                Some(Share::Along { bones, from, to }) => {
                    let p = glam::DVec3::from(position.map(f64::from)) - *from;
                    let along = (*to - *from).normalize_or_zero();
                    let t = p.dot(along) / from.distance(*to).max(f64::MIN_POSITIVE);
                    for ((bone, _), share) in bones.iter().zip(split(bones, t)).filter(|(_, s)| *s > 0.0) {
                        parts.push(Part { of, bone: place[*bone], weight: f64::from(weight) * share });
                    }
                }
                None => {}
            }
        }
        lists.push(capped(&mut parts, most));
    }
    let widest = lists.iter().map(Vec::len).max().unwrap_or(1);
    let per_vertex = if widest > 4 { 8 } else { 4 };
    let mut out = Influences {
        per_vertex,
        joints: vec![0; lists.len() * per_vertex],
        weights: vec![0.0; lists.len() * per_vertex],
    };
    let places = out.joints.chunks_exact_mut(per_vertex).zip(out.weights.chunks_exact_mut(per_vertex));
    for ((joints, weights), list) in places.zip(&lists) {
        for ((joint, weight), (bone, share)) in joints.iter_mut().zip(weights).zip(list) {
            (*joint, *weight) = (*bone, *share as f32);
        }
    }
    out
}

/// Shares of the bones along a segment at `t`: each has its own stretch, and two neighbours go over into each other half
/// a stretch before and after the place where the second begins.
fn split(bones: &[(usize, f64)], t: f64) -> Vec<f64> {
    let begin = |k: usize| bones.get(k).map_or(1.0, |b| b.1);
    let reached: Vec<f64> = (0..=bones.len())
        .map(|k| {
            if k == 0 || k == bones.len() {
                return if k == 0 { 1.0 } else { 0.0 };
            }
            let half = 0.5 * (begin(k) - begin(k - 1)).min(begin(k + 1) - begin(k)).max(1e-9);
            ((t - begin(k) + half) / (2.0 * half)).clamp(0.0, 1.0)
        })
        .collect();
    reached.windows(2).map(|w| w[0] - w[1]).collect()
}

/// At most so many bones, heaviest first. Bones cut from one are joined again before any weight is lost.
fn capped(parts: &mut Vec<Part>, most: usize) -> Vec<(u16, f64)> {
    loop {
        let mut list: Vec<(u16, f64)> = Vec::with_capacity(parts.len());
        for part in &*parts {
            match list.iter_mut().find(|(bone, _)| *bone == part.bone) {
                Some((_, weight)) => *weight += part.weight,
                None => list.push((part.bone, part.weight)),
            }
        }
        if list.len() > most && rejoin(parts) {
            continue;
        }
        list.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        list.truncate(most);
        let sum: f64 = list.iter().map(|(_, w)| w).sum();
        list.iter_mut().for_each(|(_, w)| *w /= sum);
        return list;
    }
}

/// Gives the lightest part of a cut bone to its heavier neighbour; false where nothing is cut.
fn rejoin(parts: &mut Vec<Part>) -> bool {
    let cut = |i: usize| parts.iter().enumerate().any(|(j, p)| j != i && p.of == parts[i].of);
    let lightest = (0..parts.len())
        .filter(|i| cut(*i))
        .min_by(|a, b| parts[*a].weight.total_cmp(&parts[*b].weight).then(a.cmp(b)));
    let Some(lightest) = lightest else { return false };
    let gone = parts.remove(lightest);
    if let Some(other) = parts.iter_mut().find(|p| p.of == gone.of) {
        other.weight += gone.weight;
    }
    true
}
