//! Weights of a file's skins as weights of the character's bones.

use crate::scene::Influences;

/// Most influences a vertex keeps.
const MOST: usize = 8;

/// How many vertices had what wrong.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Faults {
    /// Weights that are no numbers, negative, or of joints that do not exist; a joint named twice; no weight at all.
    pub(super) broken: usize,
    /// More influences than are kept.
    pub(super) trimmed: usize,
}

/// The influences of a skinned primitive. `bones` leads from the skin's joints to bones; a vertex without a weight
/// follows `home`.
pub(super) fn clean(
    influences: &Influences,
    vertices: usize,
    bones: &[Option<u16>],
    home: u16,
) -> (Influences, Faults) {
    let mut faults = Faults::default();
    let mut lists: Vec<Vec<(u16, f64)>> = Vec::with_capacity(vertices);
    for (joints, weights) in influences.iter().take(vertices) {
        lists.push(one(joints, weights, bones, home, &mut faults));
    }
    faults.broken += vertices - lists.len();
    lists.resize(vertices, vec![(home, 1.0)]);
    let most = lists.iter().map(Vec::len).max().unwrap_or(1);
    let per_vertex = if most > 4 { MOST } else { 4 };
    let mut out = Influences {
        per_vertex,
        joints: vec![0; vertices * per_vertex],
        weights: vec![0.0; vertices * per_vertex],
    };
    let places = out.joints.chunks_exact_mut(per_vertex).zip(out.weights.chunks_exact_mut(per_vertex));
    for ((joints, weights), list) in places.zip(&lists) {
        for ((joint, weight), (bone, share)) in joints.iter_mut().zip(weights).zip(list) {
            (*joint, *weight) = (*bone, *share as f32);
        }
    }
    (out, faults)
}

/// Everything follows one bone.
pub(super) fn rigid(vertices: usize, bone: u16) -> Influences {
    Influences { per_vertex: 1, joints: vec![bone; vertices], weights: vec![1.0; vertices] }
}

fn one(
    joints: &[u16],
    weights: &[f32],
    bones: &[Option<u16>],
    home: u16,
    faults: &mut Faults,
) -> Vec<(u16, f64)> {
    let mut list: Vec<(u16, f64)> = Vec::with_capacity(joints.len());
    let mut broken = false;
    for (joint, weight) in joints.iter().zip(weights) {
        if *weight == 0.0 {
            continue;
        }
        let bone = bones.get(usize::from(*joint)).copied().flatten();
        let (Some(bone), true) = (bone, weight.is_finite() && *weight > 0.0) else {
            broken = true;
            continue;
        };
        match list.iter_mut().find(|(b, _)| *b == bone) {
            Some((_, share)) => *share += f64::from(*weight),
            None => list.push((bone, f64::from(*weight))),
        }
    }
    list.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    if list.len() > MOST {
        list.truncate(MOST);
        faults.trimmed += 1;
    }
    let sum: f64 = list.iter().map(|(_, share)| share).sum();
    if sum > 0.0 {
        list.iter_mut().for_each(|(_, share)| *share /= sum);
    } else {
        (list, broken) = (vec![(home, 1.0)], true);
    }
    faults.broken += usize::from(broken);
    list
}
