//! The network's opinion of which joint moves a point.
//!
//! The network knows the body joints of a humanoid. A joint it does not know (a finger, an extra spine joint) is judged as
//! the nearest joint above it that it does know; a joint the skeleton lacks lends its probability to the nearest above
//! it that the skeleton has. A skeleton without hips and head is no humanoid: the network is not asked.

use glam::DVec3;

use super::{bones::Bone, proxy::Proxy};
use crate::{
    analyse::{Body, surface::SurfacePoint},
    skeleton::{
        Skeleton,
        predictor::{JOINTS, NAMES, joint_probabilities},
    },
};

/// The network's probabilities are raised to this power before they multiply the weights, so that they advise
/// and do not decide; the offset keeps a joint the network rules out possible.
const EXPONENT: f64 = 0.2;
/// See [`EXPONENT`].
const OFFSET: f64 = 0.03;
/// Samplings of the surface the network's opinion is taken from.
const SAMPLINGS: usize = 1;

/// Parent of each joint of the network by its index, the hips their own.
const PARENT: [usize; JOINTS] = [0, 0, 1, 2, 3, 4, 3, 6, 7, 8, 0, 10, 11, 12, 3, 14, 15, 16, 0, 18, 19, 20];

/// The network's probability for each proxy vertex and bone, vertices × bones; even where the network has no say.
pub fn probabilities(body: &Body, proxy: &Proxy, skeleton: &Skeleton, bones: &[Bone]) -> Vec<f64> {
    let known: Vec<Option<usize>> =
        skeleton.joints.iter().map(|j| NAMES.iter().position(|n| *n == j.name)).collect();
    let has = |class: usize| known.contains(&Some(class));
    if !(has(0) && has(5)) {
        return vec![1.0 / bones.len() as f64; proxy.vertices.len() * bones.len()];
    }
    let present: [usize; JOINTS] = std::array::from_fn(|class| {
        let mut c = class;
        while !has(c) {
            c = PARENT[c];
        }
        c
    });
    let at: [DVec3; JOINTS] = std::array::from_fn(|class| {
        let joint = known.iter().position(|k| *k == Some(present[class])).unwrap_or(0);
        body.frame.to_canonical(skeleton.joints[joint].position)
    });
    let queries: Vec<SurfacePoint> = proxy
        .vertices
        .iter()
        .zip(&proxy.normals)
        .map(|(&position, &normal)| SurfacePoint::new(position, normal))
        .collect();
    let clouds = &body.clouds[..SAMPLINGS.min(body.clouds.len())];
    let class: Vec<usize> = bones.iter().map(|b| class_of(skeleton, &known, b.joint)).collect();
    let mut prior = Vec::with_capacity(queries.len() * bones.len());
    for row in joint_probabilities(clouds, &at, &queries).chunks_exact(JOINTS) {
        let mut merged = [0.0; JOINTS];
        for (p, into) in row.iter().zip(present) {
            merged[into] += f64::from(*p);
        }
        prior.extend(class.iter().map(|c| merged[*c]));
    }
    prior
}

/// What the network would call a joint: the nearest it knows going up, or the hips.
fn class_of(skeleton: &Skeleton, known: &[Option<usize>], joint: usize) -> usize {
    let mut at = Some(joint);
    while let Some(j) = at {
        if let Some(class) = known[j] {
            return class;
        }
        at = skeleton.joints[j].parent;
    }
    0
}

/// Multiplies weights by the prior's advice.
pub fn advise(prior: &[f64], weights: &mut [f64]) {
    for (w, p) in weights.iter_mut().zip(prior) {
        *w *= libm::pow(p + OFFSET, EXPONENT);
    }
}
