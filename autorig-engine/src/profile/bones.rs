//! Bones that a profile adds, cuts, merges and hangs elsewhere.

use glam::{DMat3, DMat4, DVec3};

use super::{
    data::{Chain, Profile},
    work::{Share, Work},
};

/// A top bone this near the origin, as a share of a metre, is the root, whatever it is called.
const AT_ORIGIN_M: f64 = 0.05;

/// Makes, names or removes what is above the hips.
pub(super) fn root(work: &mut Work, profile: &Profile) {
    if profile.rootless {
        return remove_root(work);
    }
    if profile.root.is_none() {
        return;
    }
    let (Some(top), hips) = (work.bones.iter().position(|b| b.parent.is_none()), work.find("hips")) else {
        return;
    };
    let near = work.position(top).distance(work.frame.origin) * work.frame.scale < AT_ORIGIN_M;
    let root = match work.find("root") {
        Some(root) => Some(root),
        None if hips.is_some() && Some(top) != hips && near && work.bones[top].canonical.is_none() => {
            Some(top)
        }
        None if hips.is_some() => {
            let new = work.add(None, None, DMat4::from_translation(work.frame.origin));
            work.hang(top, Some(new));
            Some(new)
        }
        None => None,
    };
    if let Some(root) = root {
        work.bones[root].canonical = Some("root".to_owned());
        if work.bones[root].parent.is_none() {
            work.replant(root, DMat4::from_translation(work.frame.origin));
        }
    }
}

/// The hips on top, where nothing else hangs on what is above them.
fn remove_root(work: &mut Work) {
    let Some(hips) = work.find("hips") else { return };
    let mut above = Vec::new();
    let mut bone = hips;
    while let Some(parent) = work.bones[bone].parent {
        above.push(parent);
        bone = parent;
    }
    if above.iter().any(|b| work.children(*b).len() != 1) {
        let message = "other bones hang beside the hips, so the bone above them was kept".to_owned();
        return work.scene.warn("root_kept", message);
    }
    for bone in above {
        work.remove(bone, hips);
    }
}

/// Merges joints that have no place in the profile, and hangs others where it wants them.
pub(super) fn merge(work: &mut Work, profile: &Profile) {
    for bone in 0..work.bones.len() {
        let Some(joint) = work.bones[bone].canonical.clone().filter(|_| !work.gone[bone]) else { continue };
        let Some(parent) = work.bones[bone].parent else { continue };
        let name = profile.name_of(&joint);
        let dropped = profile.names.drop.contains(&joint) || (profile.names.merge && name.is_none());
        let above = work.bones[parent].canonical.as_deref().and_then(|j| profile.name_of(j));
        if dropped || (name.is_some() && name == above) {
            work.remove(bone, parent);
        }
    }
}

/// Cuts segments into the bones of the profile's chains.
pub(super) fn chains(work: &mut Work, profile: &Profile) {
    for chain in &profile.chains {
        chain_of(work, chain);
    }
}

fn chain_of(work: &mut Work, chain: &Chain) {
    let Some(end) = work.find(&chain.to) else { return };
    let present = |work: &Work, i: usize| chain.bones[i].joint.as_deref().and_then(|j| work.find(j));
    let mut from = 0;
    while from < chain.bones.len() {
        if present(work, from).is_some() {
            from += 1;
            continue;
        }
        let after = (from..chain.bones.len()).find(|i| present(work, *i).is_some());
        let until = after.unwrap_or(chain.bones.len());
        let next = after.and_then(|i| present(work, i)).unwrap_or(end);
        let before = from.checked_sub(1).and_then(|i| present(work, i)).or(work.bones[next].parent);
        if let Some(before) = before {
            cut(work, chain, from..until, before, next);
        }
        from = until;
    }
}

/// Puts bones of a chain between two others and shares out the weight of the first.
fn cut(work: &mut Work, chain: &Chain, run: std::ops::Range<usize>, before: usize, next: usize) {
    let Some(below) = towards(work, before, next) else { return };
    let (start, end) = (work.position(before), work.position(next));
    let count = run.len();
    let (mut parent, mut parts) = (before, vec![(before, 0.0)]);
    for (place, bone) in chain.bones[run].iter().enumerate() {
        let share = bone.at.unwrap_or((place + 1) as f64 / (count + 1) as f64);
        let linear = DMat3::from_mat4(work.bones[before].rest);
        let rest = DMat4::from_mat3_translation(linear, start.lerp(end, share));
        let new = work.add(Some(&bone.name), Some(parent), rest);
        work.bones[new].canonical.clone_from(&bone.joint);
        work.hang(below, Some(new));
        if bone.joint.as_deref() == Some("upperChest") {
            hang_shoulders(work, before, new);
        }
        parent = new;
        if share < 1.0 {
            parts.push((new, share));
        }
    }
    work.share_out(before, &parts, start, end);
}

/// Arms hang on the uppermost bone of the chest.
fn hang_shoulders(work: &mut Work, chest: usize, upper: usize) {
    for child in work.children(chest) {
        let joint = work.bones[child].canonical.as_deref().unwrap_or_default();
        if joint.ends_with("Shoulder") || joint.ends_with("UpperArm") {
            work.hang(child, Some(upper));
        }
    }
}

/// The child of a bone that another one is or hangs on.
fn towards(work: &Work, above: usize, below: usize) -> Option<usize> {
    let mut bone = below;
    for _ in 0..work.bones.len() {
        match work.bones[bone].parent {
            Some(parent) if parent == above => return Some(bone),
            Some(parent) => bone = parent,
            None => return None,
        }
    }
    None
}

/// Bones of the palm, where the character has none, and joints that hang on others than usual.
pub(super) fn metacarpals(work: &mut Work, profile: &Profile) {
    for palm in &profile.metacarpals {
        let (Some(hand), Some(finger)) = (work.find(&palm.parent), work.find(&palm.to)) else { continue };
        if work.find(&palm.joint).is_some() || work.bones[finger].parent != Some(hand) {
            continue;
        }
        let at = work.position(hand).lerp(work.position(finger), palm.at);
        let rest = DMat4::from_mat3_translation(DMat3::from_mat4(work.bones[hand].rest), at);
        let new = work.add(None, Some(hand), rest);
        work.bones[new].canonical = Some(palm.joint.clone());
        work.hang(finger, Some(new));
    }
    for (joint, parent) in &profile.parents {
        // Only next to where it hangs, so that no motion between the two is lost.
        if let (Some(bone), Some(parent)) = (work.find(joint), work.find(parent))
            && work.bones[parent].parent == work.bones[bone].parent
        {
            work.hang(bone, Some(parent));
        }
    }
}

/// Bones along limbs.
pub(super) fn twists(work: &mut Work, profile: &Profile) {
    for twist in &profile.twists {
        let (Some(limb), Some(end)) = (work.find(&twist.joint), work.find(&twist.to)) else { continue };
        let has = |work: &Work, name: &str| {
            (0..work.bones.len()).any(|b| !work.gone[b] && work.bones[b].name == name)
        };
        if twist.bones.iter().any(|b| has(work, &b.name)) {
            continue;
        }
        let (from, to) = (work.position(limb), work.position(end));
        let mut parts = vec![(limb, 0.0)];
        for bone in &twist.bones {
            let rest =
                DMat4::from_mat3_translation(DMat3::from_mat4(work.bones[limb].rest), from.lerp(to, bone.at));
            let new = work.add(Some(&bone.name), Some(limb), rest);
            work.copies[new] = Some(limb);
            parts.push((new, bone.at));
        }
        work.share_out(limb, &parts, from, to);
    }
}

/// Ends of chains, at the end of what follows the bone they hang on.
pub(super) fn leaves(work: &mut Work, profile: &Profile) {
    for leaf in &profile.leaves {
        if let Some(bone) = leaf.joint.as_deref().and_then(|j| work.find(j)) {
            work.called[bone] = Some(leaf.name.clone());
            continue;
        }
        let Some(parent) = work.find(&leaf.parent) else { continue };
        let rest = DMat4::from_mat3_translation(DMat3::from_mat4(work.bones[parent].rest), tip(work, parent));
        let new = work.add(Some(&leaf.name), Some(parent), rest);
        work.bones[new].canonical.clone_from(&leaf.joint);
        work.copies[new] = Some(parent);
    }
}

/// How far the mesh that follows a bone reaches on from it.
fn tip(work: &Work, bone: usize) -> DVec3 {
    let at = work.position(bone);
    let before = work.bones[bone].parent.map_or(at, |p| work.position(p));
    let [_, up, _] = work.directions();
    let is = |joint: &str| work.bones[bone].canonical.as_deref() == Some(joint);
    let onwards = if is("head") { up } else { (at - before).normalize_or(up) };
    let onwards = if is("leftToes") || is("rightToes") {
        onwards.reject_from_normalized(up).normalize_or(onwards)
    } else {
        onwards
    };
    let mut reach = 0.0_f64;
    for (mesh, influences) in work.scene.meshes.iter().zip(&work.influences) {
        for (primitive, influences) in mesh.primitives.iter().zip(influences) {
            for (p, (joints, weights)) in primitive.positions.iter().zip(influences.iter()) {
                let own = joints.iter().zip(weights).any(|(j, w)| usize::from(*j) == bone && *w >= 0.5);
                if own {
                    reach = reach.max((DVec3::from(p.map(f64::from)) - at).dot(onwards));
                }
            }
        }
    }
    at + onwards * if reach > 0.0 { reach } else { at.distance(before) * 0.8 }
}

/// Bones of the target's tools, after every other bone has its axes.
pub(super) fn extras(work: &mut Work, profile: &Profile) {
    for extra in &profile.extras {
        let called = |w: &Work| w.called.iter().position(|n| n.as_deref() == Some(extra.parent.as_str()));
        let Some(parent) = work.find(&extra.parent).or_else(|| called(work)) else { continue };
        let rest = match &extra.copy {
            Some(joint) => match work.find(joint) {
                Some(bone) => work.bones[bone].rest,
                None => continue,
            },
            None => DMat4::from_translation(work.frame.origin),
        };
        work.add(Some(&extra.name), Some(parent), rest);
    }
}

impl Work {
    /// Shares out the weight of a bone along a segment.
    fn share_out(&mut self, bone: usize, parts: &[(usize, f64)], from: DVec3, to: DVec3) {
        if parts.len() < 2 || from.distance_squared(to) == 0.0 {
            return;
        }
        for share in &mut self.shares {
            if matches!(share, Share::To(b) if *b == bone) {
                *share = Share::Along { bones: parts.to_vec(), from, to };
            }
        }
    }
}
