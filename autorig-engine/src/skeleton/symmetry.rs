//! Whether a body is its own mirror image, and joints that then are too.
//!
//! Most characters are modelled on one half and mirrored; a rig whose halves differ by the noise of a prediction is a
//! nuisance to animate. Hair, a sword or a pouch on one side do not make the body another one, so most of the surface
//! has to find its mirror image, not all of it, and a pair of limbs in different poses is left as it is.

use glam::DVec3;
use rayon::prelude::*;

use super::{
    hand::{Finger, Side},
    predictor::{JOINTS, mirrored},
};
use crate::analyse::{Body, nearest::Nearest, surface::sample};

/// Points that are looked for in the mirror, and points they are looked for among.
const POINTS: (usize, usize) = (1024, 8192);
/// A point has its mirror image where there is surface as near as this share of the height.
const NEAR: f64 = 0.012;
/// At least this share of the points has to have one.
const MIRRORED: f64 = 0.85;
/// Joints that are farther from their counterpart's mirror image than this share of the height are posed differently.
const PAIR: f64 = 0.03;

/// The plane of symmetry, a plane of constant x in canonical space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    x: f64,
    /// Farthest that counterparts may be from each other's mirror image, in metres.
    reach: f64,
}

impl Plane {
    /// The plane in which the body mirrors itself, if it does. `joints` are in canonical space.
    pub fn of(body: &Body, joints: &[DVec3; JOINTS]) -> Option<Self> {
        let triangles = body.welded.character_triangles();
        let points = |count, seed| -> Vec<DVec3> {
            sample(&body.vertices, &triangles, count, seed).iter().map(|p| p.position).collect()
        };
        let (few, all) = (points(POINTS.0, 1), Nearest::new(points(POINTS.1, 2)));
        let share = |x: f64| {
            let found = few.par_iter().filter(|p| {
                let image = DVec3::new(2.0 * x - p.x, p.y, p.z);
                all.nearest(image).is_some_and(|(_, d)| d < NEAR * body.height)
            });
            found.count() as f64 / few.len().max(1) as f64
        };
        // A mirrored mesh mirrors in the middle of its box, unless something sticks out on one side.
        let middle = joints.iter().map(|j| j.x).sum::<f64>() / JOINTS as f64;
        let candidates = [0.0, middle].map(|x| (share(x), x));
        let (share, x) = if candidates[1].0 > candidates[0].0 { candidates[1] } else { candidates[0] };
        (share >= MIRRORED).then_some(Self { x, reach: PAIR * body.height })
    }

    fn image(self, p: DVec3) -> DVec3 {
        DVec3::new(2.0 * self.x - p.x, p.y, p.z)
    }

    /// Two counterparts half way towards each other's mirror image; `None` where they are too far from it.
    fn meet(self, a: DVec3, b: DVec3) -> Option<(DVec3, DVec3)> {
        let met = a.midpoint(self.image(b));
        (a.distance(self.image(b)) <= self.reach).then(|| (met, self.image(met)))
    }

    /// Makes body joints mirror each other; those in the middle lie in the plane. Where one joint of a limb is posed
    /// differently, the limb stays as it is from there on.
    pub fn mirror_joints(self, joints: &mut [DVec3; JOINTS]) {
        // Limbs in the network's order: shoulder to hand, upper leg to toes.
        for limb in [6..10, 10..14] {
            for j in limb {
                let Some((left, right)) = self.meet(joints[j], joints[mirrored(j)]) else { break };
                (joints[j], joints[mirrored(j)]) = (left, right);
            }
        }
        for joint in &mut joints[..6] {
            if (joint.x - self.x).abs() <= self.reach {
                joint.x = self.x;
            }
        }
    }

    /// Makes fingers mirror each other that both hands have.
    pub fn mirror_fingers(self, fingers: &mut [Finger]) {
        let (left, right): (Vec<&mut Finger>, Vec<&mut Finger>) =
            fingers.iter_mut().partition(|f| f.side == Side::Left);
        let mut right = right.into_iter().peekable();
        for left in left {
            while right.next_if(|r| r.digit < left.digit).is_some() {}
            let Some(right) = right.next_if(|r| r.digit == left.digit) else { continue };
            let pairs: Option<Vec<_>> =
                left.joints.iter().zip(right.joints).map(|(l, r)| self.meet(*l, r)).collect();
            let Some(pairs) = pairs else { continue };
            for (i, (l, r)) in pairs.into_iter().enumerate() {
                (left.joints[i], right.joints[i]) = (l, r);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANE: Plane = Plane { x: 0.1, reach: 0.05 };

    /// A body that mirrors itself in x = 0.1.
    fn mirrored_body() -> [DVec3; JOINTS] {
        let mut joints = [DVec3::new(0.1, 1.0, 0.0); JOINTS];
        for j in 6..14 {
            joints[j] = DVec3::new(0.4 + j as f64 / 100.0, 1.0, 0.2);
            joints[mirrored(j)] = PLANE.image(joints[j]);
        }
        joints
    }

    #[test]
    fn small_differences_between_the_sides_go() {
        let mut joints = mirrored_body();
        joints[9].y += 0.02;
        joints[0].x += 0.01;
        PLANE.mirror_joints(&mut joints);
        assert_eq!(joints[0].x, 0.1);
        assert!((joints[9].y - 1.01).abs() < 1e-12 && (joints[17].y - 1.01).abs() < 1e-12);
        for j in 6..14 {
            assert!(joints[j].distance(PLANE.image(joints[mirrored(j)])) < 1e-12);
        }
    }

    #[test]
    fn a_bent_arm_stays_bent_from_the_elbow_on() {
        let mut joints = mirrored_body();
        joints[7].y += 0.02;
        joints[8].z += 0.2;
        joints[9].z += 0.04;
        PLANE.mirror_joints(&mut joints);
        assert!((joints[15].y - 1.01).abs() < 1e-12, "the shoulders meet");
        assert!((joints[8].z - 0.4).abs() < 1e-12 && (joints[9].z - 0.24).abs() < 1e-12);
    }

    #[test]
    fn fingers_that_both_hands_have_mirror_each_other() {
        let finger = |side, digit, x: f64| Finger {
            side,
            digit,
            joints: [DVec3::new(x, 1.0, 0.0); 3],
            tip: DVec3::ZERO,
            confidence: [1.0; 3],
        };
        let mut fingers = [
            finger(Side::Left, 0, 0.80),
            finger(Side::Left, 2, 0.90),
            finger(Side::Right, 1, -0.60),
            finger(Side::Right, 2, -0.72),
        ];
        PLANE.mirror_fingers(&mut fingers);
        assert!(
            (fingers[1].joints[1].x - 0.91).abs() < 1e-12 && (fingers[3].joints[1].x + 0.71).abs() < 1e-12
        );
        assert_eq!((fingers[0].joints[0].x, fingers[2].joints[0].x), (0.80, -0.60));
    }
}
