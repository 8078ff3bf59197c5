//! Posing: rotations of joints become transforms, and transforms move a mesh.
//!
//! | module | what |
//! | --- | --- |
//! | [`bends`] | standard poses that try every limb |
//! | [`rest`] | delivering a character in T-pose |
//!
//! Linear blend skinning (Magnenat-Thalmann, Laperrière, Thalmann 1988, "Joint-dependent local deformations"): a vertex
//! goes where the weighted mean of its joints' transforms takes it. Joint frames are parallel to the axes of the space the
//! joints are given in, as everywhere in the engine, so a local rotation is a rotation about those axes as the parent
//! has turned them.

use glam::{DAffine3, DQuat, DVec3};
use rayon::prelude::*;

pub mod bends;
pub mod rest;

/// Joints as flat arrays: where they are and on what they hang, parents before children.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// Bind positions, in the space of the mesh that will be posed.
    pub positions: Vec<DVec3>,
    /// Parents; smaller than the joint's own index.
    pub parents: Vec<Option<usize>>,
}

impl Chain {
    /// The joints of a skeleton after `place` has taken them to another space.
    pub fn new(skeleton: &crate::skeleton::Skeleton, place: impl Fn(DVec3) -> DVec3) -> Self {
        Self {
            positions: skeleton.joints.iter().map(|j| place(j.position)).collect(),
            parents: skeleton.joints.iter().map(|j| j.parent).collect(),
        }
    }

    /// What each joint does to a point of the bind pose, for one local rotation a joint (forward kinematics).
    ///
    /// A missing rotation is none.
    pub fn transforms(&self, rotations: &[DQuat]) -> Vec<DAffine3> {
        let mut turned: Vec<DQuat> = Vec::with_capacity(self.positions.len());
        let mut all: Vec<DAffine3> = Vec::with_capacity(self.positions.len());
        for (joint, (&at, &parent)) in self.positions.iter().zip(&self.parents).enumerate() {
            let own = rotations.get(joint).copied().unwrap_or(DQuat::IDENTITY);
            let above = parent.filter(|p| *p < joint);
            let rotation = (above.map_or(DQuat::IDENTITY, |p| turned[p]) * own).normalize();
            let posed = above.map_or(at, |p| all[p].transform_point3(at));
            turned.push(rotation);
            all.push(DAffine3::from_rotation_translation(rotation, posed - rotation * at));
        }
        all
    }

    /// Which joints move when this one turns: itself and everything below it.
    pub fn below(&self, joint: usize) -> Vec<bool> {
        let mut below = vec![false; self.parents.len()];
        for j in joint..self.parents.len() {
            below[j] = j == joint || self.parents[j].is_some_and(|p| p < j && below[p]);
        }
        below
    }

    /// How many bones lie between two joints.
    pub fn steps(&self, a: usize, b: usize) -> usize {
        let (mut a, mut b, mut steps) = (a, b, 0);
        while a != b {
            // The deeper index is never the ancestor, because parents come first.
            let deeper = if a > b { &mut a } else { &mut b };
            let Some(parent) = self.parents.get(*deeper).copied().flatten().filter(|p| p < deeper) else {
                return usize::MAX;
            };
            *deeper = parent;
            steps += 1;
        }
        steps
    }
}

/// Joints and weights of many vertices, `per_vertex` places each, flat.
#[derive(Debug, Clone, Default)]
pub struct Binding {
    /// Places a vertex has.
    pub per_vertex: usize,
    /// Joint indices.
    pub joints: Vec<u16>,
    /// Weights; those of a vertex sum to 1.
    pub weights: Vec<f32>,
}

impl Binding {
    /// Joints and weights of one vertex, without the empty places.
    pub fn of(&self, vertex: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = vertex * self.per_vertex..(vertex + 1) * self.per_vertex;
        let places = self.joints.get(range.clone()).into_iter().flatten();
        let weights = self.weights.get(range).into_iter().flatten();
        places.zip(weights).filter(|(_, w)| **w > 0.0).map(|(j, w)| (usize::from(*j), f64::from(*w)))
    }

    /// The joint a vertex follows most.
    pub fn strongest(&self, vertex: usize) -> usize {
        self.of(vertex).fold((0, 0.0), |best, (j, w)| if w > best.1 { (j, w) } else { best }).0
    }
}

/// Linear blend skinning of points, each by its own place in `binding`.
pub fn blend(points: &[DVec3], binding: &Binding, transforms: &[DAffine3]) -> Vec<DVec3> {
    let one = |(vertex, &point): (usize, &DVec3)| {
        let mut sum = DVec3::ZERO;
        let mut total = 0.0;
        for (joint, weight) in binding.of(vertex) {
            if let Some(transform) = transforms.get(joint) {
                sum += transform.transform_point3(point) * weight;
                total += weight;
            }
        }
        if total > 0.0 { sum / total } else { point }
    };
    points.par_iter().enumerate().with_min_len(1024).map(one).collect()
}

/// The rotation that takes the direction of `from` to that of `to` by the shortest way; none where either has none.
pub(crate) fn swing(from: DVec3, to: DVec3) -> DQuat {
    let (from, to) = (from.normalize_or_zero(), to.normalize_or_zero());
    if from == DVec3::ZERO || to == DVec3::ZERO {
        DQuat::IDENTITY
    } else {
        DQuat::from_rotation_arc(from, to)
    }
}

/// Turns `direction` towards `goal` by an angle in degrees; the axis is perpendicular to both. `None` where they are
/// parallel and no axis is better than another.
pub(crate) fn towards(direction: DVec3, goal: DVec3, degrees: f64) -> Option<DQuat> {
    let axis = direction.normalize_or_zero().cross(goal.normalize_or_zero());
    (axis.length() > 0.05).then(|| DQuat::from_axis_angle(axis.normalize(), degrees.to_radians()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm() -> Chain {
        Chain {
            positions: vec![DVec3::ZERO, DVec3::X, DVec3::X * 2.0],
            parents: vec![None, Some(0), Some(1)],
        }
    }

    #[test]
    fn a_bent_elbow_carries_the_hand_and_leaves_the_shoulder() {
        let quarter = DQuat::from_rotation_z(std::f64::consts::FRAC_PI_2);
        let transforms = arm().transforms(&[DQuat::IDENTITY, quarter]);
        let binding = Binding { per_vertex: 1, joints: vec![0, 1, 2], weights: vec![1.0; 3] };
        let points = [DVec3::X * 0.5, DVec3::X * 1.5, DVec3::X * 3.0];
        let posed = blend(&points, &binding, &transforms);
        assert_eq!(posed[0], points[0]);
        assert!(posed[1].distance(DVec3::new(1.0, 0.5, 0.0)) < 1e-12);
        assert!(posed[2].distance(DVec3::new(1.0, 2.0, 0.0)) < 1e-12);
    }

    #[test]
    fn a_vertex_between_two_joints_goes_half_way() {
        let quarter = DQuat::from_rotation_z(std::f64::consts::FRAC_PI_2);
        let transforms = arm().transforms(&[DQuat::IDENTITY, quarter]);
        let binding = Binding { per_vertex: 2, joints: vec![0, 1], weights: vec![0.5, 0.5] };
        let posed = blend(&[DVec3::X * 2.0], &binding, &transforms);
        assert!(posed[0].distance(DVec3::new(1.5, 0.5, 0.0)) < 1e-12);
    }

    #[test]
    fn steps_are_counted_through_the_common_ancestor() {
        let tree = Chain {
            positions: vec![DVec3::ZERO; 5],
            parents: vec![None, Some(0), Some(1), Some(0), Some(3)],
        };
        assert_eq!(tree.steps(2, 4), 4);
        assert_eq!(tree.steps(0, 2), 2);
        assert_eq!(tree.steps(3, 3), 0);
        assert_eq!(tree.below(1), [false, true, true, false, false]);
    }
}
