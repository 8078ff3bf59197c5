//! Vertices for bones that an engine needs and nothing follows.
//!
//! A robot whose forearm ends in a claw of its own bone has a hand that no vertex follows, and a skeleton's spine may
//! begin above its lowest bone. Engines leave such bones out, and with them the whole mapping. The vertices nearest to the
//! bone, of those that follow its nearest relative, then follow it by so little that nobody sees it.

use glam::DVec3;

use crate::{
    Character,
    character::Bone,
    scene::Influences,
    skeleton::names::{NECESSARY, canonical},
};

/// A bone that no vertex follows by this much may be taken for one that nothing follows: Unity drops weights below .001.
const LEAST: f32 = 0.004;
/// How much the chosen vertices follow it.
const SHARE: f32 = 0.01;
/// Vertices this near to the chosen one, as a share of a metre, are at one place with it: a seam must not open.
const SAME_PLACE_M: f64 = 1e-6;

/// Where a vertex is: mesh, primitive, vertex.
type Place = (usize, usize, usize);

/// Gives every necessary bone of a humanoid vertices that follow it; `most` is the most bones a vertex may follow.
pub(super) fn ensure(character: &mut Character, most: usize) {
    let mut weight = followed(character);
    for (joint, _) in NECESSARY {
        let is = |b: &Bone| canonical(&b.name) == Some(joint);
        let Some(bone) = character.bones.iter().position(is) else { continue };
        if weight.get(bone).is_some_and(|w| *w < LEAST) {
            follow(character, bone, &weight, most);
            weight = followed(character);
        }
    }
}

/// The most that any vertex follows each bone.
fn followed(character: &Character) -> Vec<f32> {
    let mut most = vec![0.0_f32; character.bones.len()];
    for influences in character.influences.iter().flatten() {
        for (joint, weight) in influences.joints.iter().zip(&influences.weights) {
            if let Some(slot) = most.get_mut(usize::from(*joint)) {
                *slot = slot.max(*weight);
            }
        }
    }
    most
}

fn follow(character: &mut Character, bone: usize, weight: &[f32], most: usize) {
    let at = character.bones[bone].position();
    let relatives = relatives(character, bone, weight);
    // Room for one more bone comes first, then the distance, then the order of the file.
    let mut best: Option<(bool, f64, DVec3)> = None;
    each(character, |_, position, joints, weights| {
        let used = weights.iter().filter(|w| **w > 0.0).count();
        let own = |(j, w): (&u16, &f32)| *w >= LEAST && relatives.contains(&usize::from(*j));
        if !relatives.is_empty() && !joints.iter().zip(weights).any(own) {
            return;
        }
        let distance = position.distance_squared(at);
        let full = used >= most;
        if best.is_none_or(|(f, d, _)| (full, distance) < (f, d)) {
            best = Some((full, distance, position));
        }
    });
    let Some((_, _, place)) = best else { return };
    let near = SAME_PLACE_M / character.frame.scale;
    let mut chosen: Vec<Place> = Vec::new();
    each(character, |vertex, position, _, _| {
        if position.distance(place) <= near {
            chosen.push(vertex);
        }
    });
    for (mesh, primitive, vertex) in chosen {
        let influences = &mut character.influences[mesh][primitive];
        add(influences, vertex, bone as u16, most);
    }
}

/// The nearest bones above and below that vertices follow.
fn relatives(character: &Character, bone: usize, weight: &[f32]) -> Vec<usize> {
    let carries = |b: &usize| weight.get(*b).is_some_and(|w| *w >= LEAST);
    let parent = |b: &usize| character.bones[*b].parent;
    let mut found: Vec<usize> =
        std::iter::successors(parent(&bone), parent).find(carries).into_iter().collect();
    let mut generation = vec![bone];
    while !generation.is_empty() && !generation.iter().any(carries) {
        let is_child = |b: &usize| character.bones[*b].parent.is_some_and(|p| generation.contains(&p));
        generation = (0..character.bones.len()).filter(is_child).collect();
    }
    found.extend(generation.into_iter().filter(carries));
    found
}

fn each(character: &Character, mut see: impl FnMut(Place, DVec3, &[u16], &[f32])) {
    for (m, (mesh, influences)) in character.scene.meshes.iter().zip(&character.influences).enumerate() {
        for (p, (primitive, influences)) in mesh.primitives.iter().zip(influences).enumerate() {
            for (v, (position, (joints, weights))) in
                primitive.positions.iter().zip(influences.iter()).enumerate()
            {
                see((m, p, v), DVec3::from(position.map(f64::from)), joints, weights);
            }
        }
    }
}

/// Lets a vertex follow one more bone; the lightest gives way where there is no room.
fn add(influences: &mut Influences, vertex: usize, bone: u16, most: usize) {
    let is_full = influences.iter().nth(vertex).is_some_and(|(_, w)| w.iter().all(|w| *w > 0.0));
    if is_full && influences.per_vertex < most {
        widen(influences, most);
    }
    let wide = influences.per_vertex;
    let range = vertex * wide..(vertex + 1) * wide;
    let (Some(joints), Some(weights)) =
        (influences.joints.get_mut(range.clone()), influences.weights.get_mut(range))
    else {
        return;
    };
    let room = (0..wide.min(most)).find(|slot| weights[*slot] <= 0.0);
    let lightest = (0..wide.min(most)).min_by(|a, b| weights[*a].total_cmp(&weights[*b]));
    let Some(slot) = room.or(lightest) else { return };
    (joints[slot], weights[slot]) = (bone, 0.0);
    let rest: f32 = weights.iter().sum();
    if rest > 0.0 {
        weights.iter_mut().for_each(|w| *w *= (1.0 - SHARE) / rest);
    }
    weights[slot] = if rest > 0.0 { SHARE } else { 1.0 };
}

/// Makes room for more bones at every vertex.
fn widen(influences: &mut Influences, per_vertex: usize) {
    let mut wider = Influences { per_vertex, ..Influences::default() };
    for (joints, weights) in influences.iter() {
        let room = per_vertex.saturating_sub(joints.len());
        wider.joints.extend(joints.iter().copied().chain(std::iter::repeat_n(0, room)));
        wider.weights.extend(weights.iter().copied().chain(std::iter::repeat_n(0.0, room)));
    }
    *influences = wider;
}
