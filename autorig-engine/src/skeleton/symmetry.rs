//! Whether a body is its own mirror image, and joints that then are too.
//!
//! Most characters are modelled on one half and mirrored; a rig whose halves differ by the noise of a prediction is a
//! nuisance to animate. Hair, a sword or a pouch on one side do not make the body another one, so most of the surface
//! has to find its mirror image, not all of it, and a pair of limbs in different poses is left as it is.
//!
//! What a hand holds draws the joints of its arm to it. Where the surface of one arm has its mirror image on the other
//! side, and that side has more besides, the free arm tells where the joints of both are.

use glam::DVec3;
use rayon::prelude::*;

use super::{
    hand::{Finger, Side},
    predictor::{JOINTS, mirrored},
};
use crate::analyse::{
    Body,
    mirror::{Mirror, near},
    nearest::Nearest,
    surface::{SurfacePoint, sample},
};

/// Points that are looked for in the mirror, and points they are looked for among.
const POINTS: (usize, usize) = (4096, 16384);
/// A fitted plane is less exact than the middle of a mesh; it has to show the image of one in so many points more.
const LESS_EXACT: usize = 50;
/// A point has its mirror image where there is surface as near as this share of the height.
const NEAR: f64 = 0.012;
/// At least this share of the points has to have one, of a limb.
const MIRRORED: f64 = 0.85;
/// Shares of the points that have one between which a body goes from none to its own mirror image.
const WHOLE: (f64, f64) = (0.83, 0.87);
/// Joints that are farther from their counterpart's mirror image than the second share of the height are posed
/// differently; those nearer than the first are meant to mirror each other. All in between are in between, so that joints
/// do not jump when a character is turned and its digits are rounded.
const PAIR: (f64, f64) = (0.024, 0.036);
/// A limb carries something where this much less of its surface has a mirror image than of its counterpart's.
const LADEN: f64 = 0.1;
/// How far from its bones the surface of a limb is, as a share of the height.
const LIMB: f64 = 0.06;
/// How far hands and feet reach beyond the last joint of a limb, as a share of its last bone.
const END: f64 = 0.4;
/// A limb with fewer points near its bones than this tells nothing.
const FEWEST: usize = 20;
/// First and last joint of the left arm and leg in the network's order; a limb has four.
const LIMBS: [[usize; 4]; 2] = [[6, 7, 8, 9], [10, 11, 12, 13]];
/// Which joints of a limb its bones run between: an arm's from the shoulder, a leg's from the hip.
const BONES: [[usize; 3]; 2] = [[7, 8, 9], [10, 11, 12]];

/// What a body looks like in the mirror.
#[derive(Debug, Clone)]
pub struct Symmetry {
    /// The plane it mirrors itself in as far as it does, in canonical space; the normal points to the left.
    plane: Mirror,
    /// The body's height in metres.
    height: f64,
    /// How far the body is its own mirror image, 0 to 1.
    whole: f64,
    /// Points of the surface and whether they have a mirror image.
    seen: Vec<(DVec3, bool)>,
}

impl Symmetry {
    /// Looks for the plane in which the body mirrors itself best. `joints` are in canonical space.
    pub fn of(body: &Body, joints: &[DVec3; JOINTS]) -> Self {
        let faces = body.welded.character_faces();
        let points = |count, seed| sample(&body.vertices, &faces, count, seed);
        let (few, all) = (points(POINTS.0, 1), points(POINTS.1, 2));
        let tree = Nearest::new(all.iter().map(|p| p.position).collect());
        let across = |offset| Mirror { normal: DVec3::X, offset, agreement: 0.0 };
        let count = |plane: &Mirror| {
            few.par_iter().filter(|p| has_image(plane, p.position, &tree, body.height)).count()
        };
        // A mirrored mesh mirrors in the middle of its box, unless something sticks out on one side. That may also have
        // turned the canonical frame, so there the plane is fitted, from the trunk's joints on, which no weapon draws away.
        let middle = across(0.0);
        let fitted = near(across(middle_of_the_trunk(joints)), &few, &all);
        let plane = if count(&fitted) > count(&middle) + few.len() / LESS_EXACT { fitted } else { middle };
        let look = |p: &SurfacePoint| (p.position, has_image(&plane, p.position, &tree, body.height));
        let seen: Vec<(DVec3, bool)> = few.par_iter().map(look).collect();
        let share = seen.iter().filter(|(_, found)| *found).count() as f64 / seen.len().max(1) as f64;
        Self { plane, height: body.height, whole: 1.0 - fall(WHOLE, share), seen }
    }

    fn image(&self, p: DVec3) -> DVec3 {
        self.plane.reflect(p)
    }

    /// How far joints this far from where they would mirror each other are brought there, 0 to 1.
    fn pull(&self, apart: f64) -> f64 {
        fall(PAIR, apart / self.height) * self.whole
    }

    /// [`Self::pull`] of two counterparts.
    fn pull_of(&self, a: DVec3, b: DVec3) -> f64 {
        self.pull(a.distance(self.image(b)))
    }

    /// Two counterparts on the way to the middle between each and the other's mirror image.
    fn meet(&self, a: DVec3, b: DVec3, pull: f64) -> (DVec3, DVec3) {
        let met = a.midpoint(self.image(b));
        (a.lerp(met, pull), b.lerp(self.image(met), pull))
    }

    /// Gives a laden limb the joints of its free counterpart. In a body that is its own mirror image, makes joints mirror
    /// each other; those in the middle lie in the plane. Where one joint of a limb is posed differently, the limb stays as
    /// it is from there on.
    pub fn mirror_joints(&self, joints: &mut [DVec3; JOINTS]) {
        for (limb, bones) in LIMBS.into_iter().zip(BONES) {
            let here = bones.map(|j| joints[j]);
            let there = bones.map(|j| joints[mirrored(j)]);
            let left = self.mirrored_share([here, there.map(|p| self.image(p))]);
            let right = self.mirrored_share([there, here.map(|p| self.image(p))]);
            let (Some(left), Some(right)) = (left, right) else { continue };
            if left.max(right) < MIRRORED || (left - right).abs() < LADEN {
                continue;
            }
            for j in limb {
                let (free, laden) = if left > right { (j, mirrored(j)) } else { (mirrored(j), j) };
                joints[laden] = self.image(joints[free]);
            }
        }
        for limb in LIMBS {
            let mut pull = 1.0_f64;
            for j in limb {
                pull = pull.min(self.pull_of(joints[j], joints[mirrored(j)]));
                (joints[j], joints[mirrored(j)]) = self.meet(joints[j], joints[mirrored(j)], pull);
            }
        }
        for joint in &mut joints[..6] {
            let aside = self.plane.normal.dot(*joint) - self.plane.offset;
            *joint -= self.plane.normal * (aside * self.pull(aside.abs()));
        }
    }

    /// The share of the surface around a limb that has a mirror image. What a hand holds may have drawn its joints off the
    /// limb, so that the limb is sought where they are and where its counterpart's say.
    fn mirrored_share(&self, limbs: [[DVec3; 3]; 2]) -> Option<f64> {
        let near = |p: DVec3| limbs.iter().any(|limb| self.is_near(p, *limb));
        let found: Vec<bool> = self.seen.iter().filter(|(p, _)| near(*p)).map(|(_, found)| *found).collect();
        (found.len() >= FEWEST)
            .then(|| found.iter().filter(|found| **found).count() as f64 / found.len() as f64)
    }

    fn is_near(&self, p: DVec3, [a, b, c]: [DVec3; 3]) -> bool {
        let end = c + (c - b) * END;
        [(a, b), (b, c), (c, end)].into_iter().any(|(from, to)| distance(p, from, to) < LIMB * self.height)
            && (p - a).dot(b - a) > 0.0
    }

    /// Makes fingers mirror each other that both hands have, in a body that is its own mirror image.
    pub fn mirror_fingers(&self, fingers: &mut [Finger]) {
        let (left, right): (Vec<&mut Finger>, Vec<&mut Finger>) =
            fingers.iter_mut().partition(|f| f.side == Side::Left);
        let mut right = right.into_iter().peekable();
        for left in left {
            while right.next_if(|r| r.digit < left.digit).is_some() {}
            let Some(right) = right.next_if(|r| r.digit == left.digit) else { continue };
            let pairs = || left.joints.iter().zip(right.joints);
            let pull = pairs().map(|(l, r)| self.pull_of(*l, r)).fold(1.0, f64::min);
            let met: Vec<_> = pairs().map(|(l, r)| self.meet(*l, r, pull)).collect();
            for (i, (l, r)) in met.into_iter().enumerate() {
                (left.joints[i], right.joints[i]) = (l, r);
            }
        }
    }
}

/// 1 up to the first value, 0 from the second on, straight in between.
fn fall((from, to): (f64, f64), value: f64) -> f64 {
    ((to - value) / (to - from)).clamp(0.0, 1.0)
}

/// Whether there is surface where the plane shows the point.
fn has_image(plane: &Mirror, p: DVec3, tree: &Nearest, height: f64) -> bool {
    tree.nearest(plane.reflect(p)).is_some_and(|(_, d)| d < NEAR * height)
}

fn middle_of_the_trunk(joints: &[DVec3; JOINTS]) -> f64 {
    let mut trunk: [f64; 6] = std::array::from_fn(|j| joints[j].x);
    trunk.sort_by(f64::total_cmp);
    f64::midpoint(trunk[2], trunk[3])
}

/// Distance of a point from a segment.
fn distance(p: DVec3, a: DVec3, b: DVec3) -> f64 {
    let along = b - a;
    let t = ((p - a).dot(along) / along.length_squared().max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
    p.distance(a + along * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of height 5/3 that is its own mirror image in x = 0.1.
    const SYMMETRY: Symmetry = Symmetry {
        plane: Mirror { normal: DVec3::X, offset: 0.1, agreement: 1.0 },
        height: 5.0 / 3.0,
        whole: 1.0,
        seen: Vec::new(),
    };

    /// A body that mirrors itself in x = 0.1.
    fn mirrored_body() -> [DVec3; JOINTS] {
        let mut joints = [DVec3::new(0.1, 1.0, 0.0); JOINTS];
        for j in 6..14 {
            joints[j] = DVec3::new(0.4 + j as f64 / 100.0, 1.0, 0.2);
            joints[mirrored(j)] = SYMMETRY.image(joints[j]);
        }
        joints
    }

    #[test]
    fn small_differences_between_the_sides_go() {
        let mut joints = mirrored_body();
        joints[9].y += 0.02;
        joints[0].x += 0.01;
        SYMMETRY.mirror_joints(&mut joints);
        assert_eq!(joints[0].x, 0.1);
        assert!((joints[9].y - 1.01).abs() < 1e-12 && (joints[17].y - 1.01).abs() < 1e-12);
        for j in 6..14 {
            assert!(joints[j].distance(SYMMETRY.image(joints[mirrored(j)])) < 1e-12);
        }
    }

    #[test]
    fn a_bent_arm_stays_bent_from_the_elbow_on() {
        let mut joints = mirrored_body();
        joints[7].y += 0.02;
        joints[8].z += 0.2;
        joints[9].z += 0.04;
        SYMMETRY.mirror_joints(&mut joints);
        assert!((joints[15].y - 1.01).abs() < 1e-12, "the shoulders meet");
        assert!((joints[8].z - 0.4).abs() < 1e-12 && (joints[9].z - 0.24).abs() < 1e-12);
    }

    #[test]
    fn a_joint_goes_from_mirrored_to_posed_without_a_jump() {
        let height = |up: f64| {
            let mut joints = mirrored_body();
            joints[9].y += up;
            SYMMETRY.mirror_joints(&mut joints);
            joints[9].y - 1.0
        };
        assert!((height(0.03) - 0.015).abs() < 1e-12 && (height(0.07) - 0.07).abs() < 1e-12);
        for step in 0..100 {
            let up = f64::from(step) * 1e-3;
            assert!((height(up + 1e-6) - height(up)).abs() < 1e-5, "{up}");
        }
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
        SYMMETRY.mirror_fingers(&mut fingers);
        assert!(
            (fingers[1].joints[1].x - 0.91).abs() < 1e-12 && (fingers[3].joints[1].x + 0.71).abs() < 1e-12
        );
        assert_eq!((fingers[0].joints[0].x, fingers[2].joints[0].x), (0.80, -0.60));
    }

    /// Points along both arms of [`arms`], with a staff of as many points at the right hand.
    fn holding(staff: bool) -> Symmetry {
        let arm = (0..40).map(|i| DVec3::new(0.4 + f64::from(i) / 100.0, 1.0, 0.0));
        let mut seen: Vec<_> = arm.flat_map(|p| [(p, true), (SYMMETRY.image(p), true)]).collect();
        if staff {
            seen.extend((0..40).map(|i| (DVec3::new(-0.55, 1.0, f64::from(i) / 500.0), false)));
        }
        Symmetry { seen, whole: 0.0, ..SYMMETRY }
    }

    /// Arms from 0.4 to 0.8 on both sides of the plane, the right hand drawn forwards.
    fn arms() -> [DVec3; JOINTS] {
        let mut joints = [DVec3::new(0.1, 1.0, 0.0); JOINTS];
        for (j, x) in [(6, 0.2), (7, 0.4), (8, 0.6), (9, 0.75)] {
            joints[j] = DVec3::new(x, 1.0, 0.0);
            joints[mirrored(j)] = SYMMETRY.image(joints[j]);
        }
        joints[mirrored(9)] += DVec3::new(0.0, 0.0, 0.2);
        joints
    }

    #[test]
    fn an_arm_that_holds_something_gets_the_joints_of_the_free_one() {
        let mut joints = arms();
        holding(true).mirror_joints(&mut joints);
        assert_eq!(joints[mirrored(9)], SYMMETRY.image(joints[9]));
    }

    #[test]
    fn arms_that_look_alike_keep_their_joints_in_a_body_that_does_not() {
        let mut joints = arms();
        holding(false).mirror_joints(&mut joints);
        assert_eq!(joints, arms());
    }
}
