//! Linear blend skinning of an input that is already rigged, to see it as a viewer shows it.

use glam::{DMat3, DMat4};

use super::flatten::{Linear, flip, wide};
use super::{Influences, Primitive, Skin};

/// What each joint does to a vertex: joint to world after inverse bind.
pub(super) fn joint_matrices(skin: &Skin, worlds: &[DMat4]) -> Vec<DMat4> {
    let one = |(joint, inverse): (&usize, &DMat4)| {
        worlds.get(*joint).copied().unwrap_or(DMat4::IDENTITY) * *inverse
    };
    skin.joints.iter().zip(&skin.inverse_bind).map(one).collect()
}

/// The largest coordinate that went into the joint matrices: their rounding grows with it.
pub(super) fn reach(skin: &Skin, worlds: &[DMat4]) -> f64 {
    let worlds = skin.joints.iter().filter_map(|&joint| worlds.get(joint));
    let sizes = worlds.chain(&skin.inverse_bind).map(|m| m.w_axis.truncate().abs().max_element());
    sizes.fold(0.0, f64::max)
}

/// A primitive's influences with the matrices of its joints.
pub(super) struct Pose<'a> {
    joints: &'a [DMat4],
    reach: f64,
    influences: &'a Influences,
}

impl<'a> Pose<'a> {
    pub(super) fn new(joints: &'a [DMat4], reach: f64, influences: &'a Influences) -> Self {
        Self { joints, reach, influences }
    }

    /// How many influences name a joint that does not exist.
    pub(super) fn strangers(&self) -> usize {
        let used = self.influences.joints.iter().zip(&self.influences.weights);
        used.filter(|(j, w)| **w > 0.0 && usize::from(**j) >= self.joints.len()).count()
    }

    /// The one transform that all joints in use share, up to rounding: the usual case of a character in its
    /// bind pose, whose vertices then stay as exact as they came.
    pub(super) fn rigid(&self) -> Option<DMat4> {
        let mut used = vec![false; self.joints.len()];
        for (joint, weight) in self.influences.joints.iter().zip(&self.influences.weights) {
            if *weight > 0.0
                && let Some(slot) = used.get_mut(usize::from(*joint))
            {
                *slot = true;
            }
        }
        let mut matrices = self.joints.iter().zip(&used).filter_map(|(m, used)| used.then_some(m));
        let first = matrices.next()?;
        if !matrices.all(|m| close(m, first, self.reach)) {
            return None;
        }
        Some(if close(first, &DMat4::IDENTITY, self.reach) { DMat4::IDENTITY } else { *first })
    }

    /// Poses everything in a primitive that has a direction or a place.
    pub(super) fn apply(&self, primitive: &mut Primitive) {
        let k = self.influences.per_vertex.max(1);
        let matrices = self
            .influences
            .joints
            .chunks_exact(k)
            .zip(self.influences.weights.chunks_exact(k))
            .map(|(joints, weights)| self.blend(joints, weights));
        transform_each(primitive, matrices);
    }

    fn blend(&self, joints: &[u16], weights: &[f32]) -> DMat4 {
        let mut sum = DMat4::ZERO;
        let mut total = 0.0;
        for (joint, weight) in joints.iter().zip(weights) {
            let weight = f64::from(*weight);
            if weight > 0.0
                && let Some(matrix) = self.joints.get(usize::from(*joint))
            {
                sum += *matrix * weight;
                total += weight;
            }
        }
        if total > 0.0 {
            sum * (1.0 / total)
        } else {
            self.joints.first().copied().unwrap_or(DMat4::IDENTITY)
        }
    }
}

/// Gives each vertex of a primitive its own transform: its place, its directions, what morph targets do to them. Turns
/// the winding where most of the vertices are mirrored.
pub(crate) fn transform_each(primitive: &mut Primitive, matrices: impl Iterator<Item = DMat4>) {
    let mut mirrored = 0_usize;
    for (vertex, matrix) in matrices.enumerate() {
        let linear = Linear::new(&matrix);
        mirrored += usize::from(linear.mirrors);
        if let Some(p) = primitive.positions.get_mut(vertex) {
            *p = matrix.transform_point3(wide(*p)).to_array().map(|x| x as f32);
        }
        if let Some(n) = primitive.normals.as_mut().and_then(|n| n.get_mut(vertex)) {
            *n = linear.normal(*n);
        }
        if let Some(t) = primitive.tangents.as_mut().and_then(|t| t.get_mut(vertex)) {
            *t = linear.tangent(*t);
        }
        for morph in &mut primitive.morphs {
            for list in [&mut morph.positions, &mut morph.tangents] {
                if let Some(d) = list.get_mut(vertex) {
                    *d = linear.vector(*d);
                }
            }
            if let Some(d) = morph.normals.get_mut(vertex) {
                *d = linear.normal_delta(*d);
            }
        }
    }
    if mirrored * 2 > primitive.positions.len() {
        flip(&mut primitive.indices);
    }
}

/// Equal up to what single precision leaves of inverse bind matrices.
fn close(a: &DMat4, b: &DMat4, reach: f64) -> bool {
    let (la, lb) = (DMat3::from_mat4(*a), DMat3::from_mat4(*b));
    let size = la.to_cols_array().iter().fold(0.0f64, |size, x| size.max(x.abs()));
    let moved = (a.w_axis - b.w_axis).truncate().abs().max_element();
    la.abs_diff_eq(lb, 2e-6 * size) && moved <= 4e-7 * reach
}
