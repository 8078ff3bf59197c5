//! The bind pose of a file: where its joints were when the skin was made.
//!
//! An inverse bind matrix leads from the space of the mesh to that of the joint. Where the mesh stood then is not in a
//! glTF, so the bind pose is known up to one transform a skin. Where the file stands in its bind pose, all joints name the
//! same one; else the mesh's own node, or what the skeleton hangs on, is believed as far as it agrees in size and
//! direction with the topmost joint.

use glam::{DMat3, DMat4, DVec3};

use super::tree::Tree;
use crate::scene::Skin;

/// How far a joint may be from where another says it is, as a share of the skeleton's extent.
const SAME_PLACE: f64 = 1e-3;
/// How far two linear parts may differ, as a share of their size.
const SAME_TURN: f64 = 2e-3;
/// Two spaces have one unit when their scales differ by less than this.
const SAME_SCALE: f64 = 0.02;
/// How many joints say where the mesh may have been.
const WITNESSES: usize = 16;

/// A skin that a mesh uses, and the node of that mesh.
pub(super) struct UsedSkin<'a> {
    pub(super) skin: &'a Skin,
    pub(super) node: usize,
}

/// Node to world in bind pose for every node, and how many joints two skins had in different places.
///
/// The skin with most joints decides; the others are laid on what they share with it.
pub(super) fn worlds(tree: &Tree, skins: &[UsedSkin<'_>]) -> (Vec<DMat4>, usize) {
    let mut order: Vec<&UsedSkin<'_>> = skins.iter().collect();
    order.sort_by_key(|s| std::cmp::Reverse(s.skin.joints.len()));
    let mut fixed: Vec<Option<DMat4>> = vec![None; tree.worlds.len()];
    let mut disagreeing = 0;
    for used in order {
        let stands = |joint: usize| fixed.get(joint).copied().flatten();
        let shared = used.skin.joints.iter().any(|j| stands(*j).is_some());
        let joints: Vec<Joint> = pairs(used.skin)
            .map(|(node, bind)| {
                let now = stands(node).or((!shared).then(|| tree.world(node)));
                Joint { node, bind, now }
            })
            .collect();
        let Some(space) = space(tree, used.node, &joints) else { continue };
        let extent = extent(&joints);
        for joint in &joints {
            let world = space * joint.bind;
            match fixed.get_mut(joint.node) {
                Some(Some(other)) => disagreeing += usize::from(!agree(&world, other, extent)),
                Some(slot) if world.is_finite() => *slot = Some(world),
                _ => {}
            }
        }
    }
    let mut worlds = tree.worlds.clone();
    for &node in &tree.order {
        let above = tree.parent(node).map(|p| (p, worlds.get(p).copied()));
        let moved = match above {
            // What was not bound keeps its place on its parent.
            Some((parent, Some(above))) => above * tree.world(parent).inverse() * tree.world(node),
            _ => tree.world(node),
        };
        let moved = if moved.is_finite() { moved } else { tree.world(node) };
        if let Some(slot) = worlds.get_mut(node) {
            *slot = fixed.get(node).copied().flatten().unwrap_or(moved);
        }
    }
    (worlds, disagreeing)
}

/// A joint of a skin: its node, joint to mesh in bind pose, joint to world as far as known.
struct Joint {
    node: usize,
    bind: DMat4,
    now: Option<DMat4>,
}

/// Joints whose inverse bind matrix can be turned round.
fn pairs(skin: &Skin) -> impl Iterator<Item = (usize, DMat4)> + '_ {
    skin.joints.iter().zip(&skin.inverse_bind).filter_map(|(joint, inverse)| {
        let linear = DMat3::from_mat4(*inverse);
        let size = linear.to_cols_array().iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let flat = linear.determinant().abs() <= 1e-9 * size * size * size;
        let bind = if flat { None } else { Some(inverse.inverse()) }?;
        bind.is_finite().then_some((*joint, bind))
    })
}

fn extent(joints: &[Joint]) -> f64 {
    let places = || joints.iter().filter_map(|j| j.now).map(|m| m.w_axis.truncate());
    let first = places().next().unwrap_or_default();
    places().map(|p| p.distance(first)).fold(0.0, f64::max)
}

fn agree(a: &DMat4, b: &DMat4, extent: f64) -> bool {
    let (la, lb) = (DMat3::from_mat4(*a), DMat3::from_mat4(*b));
    let size = la.to_cols_array().iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let apart = (a.w_axis - b.w_axis).truncate().length();
    la.abs_diff_eq(lb, SAME_TURN * size) && apart <= SAME_PLACE * extent.max(size * 1e-6)
}

/// Mesh to world in bind pose.
fn space(tree: &Tree, mesh_node: usize, joints: &[Joint]) -> Option<DMat4> {
    let known: Vec<(&Joint, DMat4)> = joints.iter().filter_map(|j| Some((j, j.now?))).collect();
    let (top, _) = known.iter().min_by_key(|(j, _)| tree.upwards(j.node).count())?;
    let own = |joint: &Joint| Some(joint.now? * joint.bind.inverse());
    let of_top = own(top)?;
    let extent = extent(joints);
    let agreeing =
        |space: &DMat4| known.iter().filter(|(j, now)| agree(&(*space * j.bind), now, extent)).count();
    let step = known.len().div_ceil(WITNESSES).max(1);
    let natural = [
        tree.world(mesh_node),
        tree.parent(top.node).map_or(DMat4::IDENTITY, |p| tree.world(p)),
        DMat4::IDENTITY,
    ];
    // Exact ones first, so that what is the same up to rounding is taken as the file writes it.
    let witnesses = known.iter().step_by(step).filter_map(|(j, _)| own(j));
    let candidates = natural.iter().copied().chain([of_top]).chain(witnesses);
    let mut best = (of_top, 0);
    for candidate in candidates {
        let count = agreeing(&candidate);
        if count > best.1 {
            best = (candidate, count);
        }
    }
    if best.1 == known.len() {
        return Some(best.0);
    }
    let near = |space: &&DMat4| is_near(space, &of_top, &top.bind, extent);
    natural.iter().find(near).copied().or((best.1 * 2 >= known.len()).then_some(best.0)).or(Some(of_top))
}

/// Another place of the mesh says roughly the same as the topmost joint: one unit, within 60° and not far away.
fn is_near(space: &DMat4, of_top: &DMat4, bind: &DMat4, extent: f64) -> bool {
    let scale = |m: &DMat4| libm::cbrt(DMat3::from_mat4(*m).determinant());
    let (a, b) = (scale(space), scale(of_top));
    let turn = rotation(&DMat3::from_mat4(*space)).transpose() * rotation(&DMat3::from_mat4(*of_top));
    let cosine = (turn.x_axis.x + turn.y_axis.y + turn.z_axis.z - 1.0) / 2.0;
    let apart = (*space * bind.w_axis - *of_top * bind.w_axis).truncate().length();
    (a / b - 1.0).abs() < SAME_SCALE && cosine > 0.5 && apart <= extent
}

/// The rotation nearest to a linear map (polar decomposition by Newton's iteration, Higham 1986); mirroring maps are
/// turned inside out first, and what has no volume is made good along its own axes.
pub(super) fn rotation(linear: &DMat3) -> DMat3 {
    let size = linear.to_cols_array().iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let determinant = linear.determinant();
    if !size.is_finite() || determinant.abs() <= 1e-12 * size * size * size {
        return from_axes(linear);
    }
    let mut m = *linear * (1.0 / libm::cbrt(determinant));
    for _ in 0..32 {
        let next = (m + m.inverse().transpose()) * 0.5;
        let still = next.abs_diff_eq(m, 1e-14);
        m = next;
        if still {
            break;
        }
    }
    if m.is_finite() { m } else { from_axes(linear) }
}

/// Y where it is known, then X square to it.
fn from_axes(linear: &DMat3) -> DMat3 {
    let y = linear.y_axis.normalize_or(DVec3::Y);
    let x = linear.x_axis.reject_from_normalized(y).normalize_or(y.any_orthonormal_vector());
    DMat3::from_cols(x, y, x.cross(y))
}
