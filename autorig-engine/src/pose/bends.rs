//! Standard poses that try every limb once.
//!
//! Humanoids are bent as an animator tries a new rig: arms up and forward, elbows, knees, head, spine, a step, a fist.
//! Every other chain of joints (a tail, an ear, the limbs of an animal) is bent evenly along its length. The poses are
//! given in canonical space and by directions, not by angles from a T-pose, so that they mean the same on a character with
//! its arms down.

use glam::{DQuat, DVec3};

use super::{Chain, towards};
use crate::skeleton::Skeleton;

/// Most poses of one character; an insect has more chains than are worth trying.
const MOST: usize = 16;
/// How far a chain is bent in all, in degrees.
const CHAIN_BEND: f64 = 70.0;
/// How far one joint of it is bent at most, in degrees.
const JOINT_BEND: f64 = 40.0;

/// A pose that tries some joints.
#[derive(Debug, Clone)]
pub struct Bend {
    /// What it is called: `arms_raised`, `elbows`, …, or `chain` with the last joint's name.
    pub name: String,
    /// The joints that are turned, and how, in canonical axes.
    pub turns: Vec<(usize, DQuat)>,
}

impl Bend {
    /// One local rotation for each joint of a skeleton.
    pub fn rotations(&self, joints: usize) -> Vec<DQuat> {
        let mut all = vec![DQuat::IDENTITY; joints];
        for (joint, turn) in &self.turns {
            if let Some(slot) = all.get_mut(*joint) {
                *slot = *turn;
            }
        }
        all
    }
}

/// The poses for a skeleton whose joints lie at `chain` in canonical space.
pub fn bends(skeleton: &Skeleton, chain: &Chain) -> Vec<Bend> {
    let figure = Figure { skeleton, chain };
    let mut all = figure.humanoid();
    let mut tried: Vec<bool> = vec![false; skeleton.joints.len()];
    for (joint, _) in all.iter().flat_map(|b| &b.turns) {
        tried[*joint] = true;
    }
    let mut chains = figure.leaf_chains(&tried);
    // The longest matter most; of equals the first.
    chains.sort_by_key(|c| std::cmp::Reverse(c.len()));
    for joints in chains.into_iter().take(MOST.saturating_sub(all.len())) {
        all.extend(figure.curl(&joints));
    }
    all
}

struct Figure<'a> {
    skeleton: &'a Skeleton,
    chain: &'a Chain,
}

impl Figure<'_> {
    fn at(&self, name: &str) -> Option<usize> {
        self.skeleton.find(name)
    }

    /// From a joint to the child of that name.
    fn direction(&self, from: usize, to: usize) -> DVec3 {
        self.chain.positions[to] - self.chain.positions[from]
    }

    /// Turns a joint so that what follows it goes towards `goal`.
    fn turn(&self, joint: &str, next: &str, goal: DVec3, degrees: f64) -> Option<(usize, DQuat)> {
        let (joint, next) = (self.at(joint)?, self.at(next)?);
        let direction = self.direction(joint, next);
        // A limb that already points there is bent to the side instead: it is a test of the skin, not of taste.
        let side = if goal.y.abs() > 0.5 { DVec3::Z } else { DVec3::Y };
        towards(direction, goal, degrees).or_else(|| towards(direction, side, degrees)).map(|q| (joint, q))
    }

    fn both(&self, joint: &str, next: &str, goal: DVec3, degrees: f64) -> Vec<(usize, DQuat)> {
        ["left", "right"]
            .iter()
            .filter_map(|s| self.turn(&format!("{s}{joint}"), &format!("{s}{next}"), goal, degrees))
            .collect()
    }

    fn humanoid(&self) -> Vec<Bend> {
        let forward = DVec3::Z;
        let bend = |name: &str, turns: Vec<(usize, DQuat)>| Bend { name: name.to_owned(), turns };
        let head = self.at("head").map(|j| (j, DQuat::from_rotation_y(50_f64.to_radians())));
        let back: Vec<usize> = ["spine", "chest", "upperChest"].iter().filter_map(|n| self.at(n)).collect();
        let share = 35.0 / back.len().max(1) as f64;
        let spine = back.iter().map(|j| (*j, DQuat::from_rotation_x(share.to_radians()))).collect();
        let lift = |side: &str| {
            let (hip, knee) = (format!("{side}UpperLeg"), format!("{side}LowerLeg"));
            self.turn(&hip, &knee, forward, 60.0).into_iter().collect()
        };
        let mut step: Vec<_> =
            self.turn("leftUpperLeg", "leftLowerLeg", -forward, 25.0).into_iter().collect();
        step.extend(self.turn("rightUpperLeg", "rightLowerLeg", forward, 35.0));
        let all = [
            bend("arms_raised", self.both("UpperArm", "LowerArm", DVec3::Y, 40.0)),
            bend("arms_forward", self.both("UpperArm", "LowerArm", forward, 60.0)),
            bend("elbows", self.both("LowerArm", "Hand", forward, 90.0)),
            bend("hands", self.hands()),
            // One at a time: what follows the wrong leg would not show.
            bend("left_leg_raised", lift("left")),
            bend("right_leg_raised", lift("right")),
            bend("knees", self.both("LowerLeg", "Foot", -forward, 90.0)),
            bend("step", step),
            bend("head_turned", head.into_iter().collect()),
            bend("spine_bent", spine),
            bend("fists", ["left", "right"].iter().flat_map(|s| self.fist(s)).collect()),
        ];
        all.into_iter().filter(|b| !b.turns.is_empty() && self.is_humanoid()).collect()
    }

    /// Names alone do not make one: an animal may have a head and a spine.
    fn is_humanoid(&self) -> bool {
        ["leftUpperArm", "leftLowerArm", "leftUpperLeg", "leftLowerLeg"].iter().all(|n| self.at(n).is_some())
    }

    /// A hand goes on as the forearm does; it has no child when it has no fingers.
    fn hands(&self) -> Vec<(usize, DQuat)> {
        let one = |side: &str| {
            let (elbow, hand) = (self.at(&format!("{side}LowerArm"))?, self.at(&format!("{side}Hand"))?);
            let along = self.direction(elbow, hand);
            towards(along, DVec3::NEG_Y, 45.0).or_else(|| towards(along, DVec3::Z, 45.0)).map(|q| (hand, q))
        };
        ["left", "right"].into_iter().filter_map(one).collect()
    }

    /// Every finger but the thumb, curled towards the palm.
    fn fist(&self, side: &str) -> Vec<(usize, DQuat)> {
        const FINGERS: [&str; 4] = ["Index", "Middle", "Ring", "Little"];
        let Some(palm) = palm(self.skeleton, self.chain, side) else { return Vec::new() };
        let mut turns = Vec::new();
        for finger in FINGERS {
            let joints: Vec<usize> = ["Proximal", "Intermediate", "Distal"]
                .iter()
                .filter_map(|part| self.at(&format!("{side}{finger}{part}")))
                .collect();
            for (i, &joint) in joints.iter().enumerate() {
                let along = match (joints.get(i + 1), i.checked_sub(1).and_then(|b| joints.get(b))) {
                    (Some(&next), _) => self.direction(joint, next),
                    (None, Some(&before)) => self.direction(before, joint),
                    (None, None) => continue,
                };
                turns.extend(towards(along, palm, 60.0).map(|q| (joint, q)));
            }
        }
        turns
    }

    /// Runs of joints from a branch or the root down to an end, at least two of them, none tried before.
    fn leaf_chains(&self, tried: &[bool]) -> Vec<Vec<usize>> {
        let n = self.chain.parents.len();
        let mut children = vec![0_usize; n];
        for parent in self.chain.parents.iter().flatten() {
            children[*parent] += 1;
        }
        let mut chains = Vec::new();
        for leaf in (0..n).filter(|j| children[*j] == 0) {
            let mut joints = vec![leaf];
            let mut at = leaf;
            while let Some(parent) = self.chain.parents[at]
                && children[parent] == 1
                && self.chain.parents[parent].is_some()
            {
                joints.push(parent);
                at = parent;
            }
            joints.reverse();
            let known = joints.iter().any(|j| tried[*j]) || self.part_of_a_known_limb(leaf);
            if !known {
                chains.push(joints);
            }
        }
        chains
    }

    /// Toes, thumbs, eyes and jaw of a humanoid are not bent by themselves.
    fn part_of_a_known_limb(&self, leaf: usize) -> bool {
        let name = self.skeleton.joints[leaf].name.as_str();
        self.is_humanoid() && crate::skeleton::names::canonical(name) == Some(name)
    }

    /// Bends a chain evenly, away from its own direction.
    fn curl(&self, joints: &[usize]) -> Option<Bend> {
        let (&first, &last) = (joints.first()?, joints.last()?);
        let parent = self.chain.parents[first]?;
        let start = if joints.len() > 1 { first } else { parent };
        let along = self.direction(start, last);
        // Sideways for what hangs or stands, upwards for what lies.
        let axis = [DVec3::X, DVec3::Y, DVec3::Z]
            .into_iter()
            .map(|a| along.normalize_or_zero().cross(a))
            .find(|a| a.length() > 0.5)?
            .normalize();
        let degrees = (CHAIN_BEND / joints.len() as f64).min(JOINT_BEND);
        let turn = DQuat::from_axis_angle(axis, degrees.to_radians());
        Some(Bend {
            name: format!("chain_{}", self.skeleton.joints[last].name),
            turns: joints.iter().map(|j| (*j, turn)).collect(),
        })
    }
}

/// Where the palm of a hand faces, told by the row of its knuckles; `None` without at least two of them.
pub(crate) fn palm(skeleton: &Skeleton, chain: &Chain, side: &str) -> Option<DVec3> {
    let at = |name: &str| skeleton.find(&format!("{side}{name}")).map(|j| chain.positions[j]);
    let knuckles: Vec<DVec3> =
        ["Index", "Middle", "Ring", "Little"].iter().filter_map(|f| at(&format!("{f}Proximal"))).collect();
    let (first, last, hand) = (*knuckles.first()?, *knuckles.last()?, at("Hand")?);
    let along = knuckles.iter().sum::<DVec3>() / knuckles.len() as f64 - hand;
    // With the arm out and the palm down the index finger is in front on both sides.
    let normal = along.cross(first - last) * if side == "left" { 1.0 } else { -1.0 };
    (knuckles.len() > 1).then(|| normal.normalize_or_zero()).filter(|n| *n != DVec3::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skeleton::Joint;

    /// Joints by name, parent's name and place.
    fn skeleton(joints: &[(&str, &str, [f64; 3])]) -> (Skeleton, Chain) {
        let mut all: Vec<Joint> = Vec::new();
        for (name, parent, position) in joints {
            let parent = all.iter().position(|j| j.name == *parent);
            let position = DVec3::from(*position);
            all.push(Joint { name: (*name).to_owned(), parent, position, confidence: 1.0 });
        }
        let skeleton = Skeleton { joints: all };
        let chain = Chain::new(&skeleton, |p| p);
        (skeleton, chain)
    }

    fn posed(chain: &Chain, bend: &Bend, joint: usize) -> DVec3 {
        let transforms = chain.transforms(&bend.rotations(chain.positions.len()));
        transforms[joint].transform_point3(chain.positions[joint])
    }

    /// A humanoid in T-pose with an index and a little finger on its left hand.
    fn humanoid() -> (Skeleton, Chain) {
        skeleton(&[
            ("root", "", [0.0; 3]),
            ("hips", "root", [0.0, 1.0, 0.0]),
            ("leftUpperArm", "hips", [0.2, 1.4, 0.0]),
            ("leftLowerArm", "leftUpperArm", [0.5, 1.4, 0.0]),
            ("leftHand", "leftLowerArm", [0.75, 1.4, 0.0]),
            ("leftIndexProximal", "leftHand", [0.85, 1.4, 0.03]),
            ("leftIndexIntermediate", "leftIndexProximal", [0.89, 1.4, 0.03]),
            ("leftIndexDistal", "leftIndexIntermediate", [0.92, 1.4, 0.03]),
            ("leftLittleProximal", "leftHand", [0.84, 1.4, -0.03]),
            ("leftLittleIntermediate", "leftLittleProximal", [0.87, 1.4, -0.03]),
            ("leftUpperLeg", "hips", [0.1, 0.9, 0.0]),
            ("leftLowerLeg", "leftUpperLeg", [0.1, 0.5, 0.0]),
            ("leftFoot", "leftLowerLeg", [0.1, 0.1, 0.0]),
        ])
    }

    #[test]
    fn a_humanoid_raises_its_arms_bends_its_knees_back_and_makes_a_fist_downwards() {
        let (skeleton, chain) = humanoid();
        let all = bends(&skeleton, &chain);
        let bend = |name: &str| all.iter().find(|b| b.name == name).unwrap();
        let at = |name: &str| skeleton.find(name).unwrap();
        let hand = at("leftHand");
        assert!(posed(&chain, bend("arms_raised"), hand).y > 1.6);
        assert!(posed(&chain, bend("arms_forward"), hand).z > 0.3);
        assert!((posed(&chain, bend("elbows"), hand).z - 0.25).abs() < 1e-9);
        assert!(posed(&chain, bend("knees"), at("leftFoot")).z < -0.3);
        assert!(posed(&chain, bend("fists"), at("leftIndexDistal")).y < 1.38, "palms face down");
        assert!(all.iter().all(|b| !b.name.starts_with("chain_")), "fingers are tried by the fist");
    }

    #[test]
    fn arms_that_hang_down_are_raised_and_bent_all_the_same() {
        let (mut skeleton, _) = humanoid();
        let shoulder = skeleton.joints[2].position;
        for joint in &mut skeleton.joints[3..10] {
            let out = joint.position - shoulder;
            joint.position = shoulder + DVec3::new(-out.y, -out.x, out.z);
        }
        let chain = Chain::new(&skeleton, |p| p);
        let all = bends(&skeleton, &chain);
        let forward = all.iter().find(|b| b.name == "arms_forward").unwrap();
        assert!(posed(&chain, forward, 4).z > 0.3);
        let raised = all.iter().find(|b| b.name == "arms_raised").unwrap();
        assert!(posed(&chain, raised, 4).distance(chain.positions[4]) > 0.3);
    }

    #[test]
    fn every_chain_of_an_animal_is_bent_by_itself() {
        let (skeleton, chain) = skeleton(&[
            ("root", "", [0.0; 3]),
            ("body", "root", [0.0, 0.5, 0.0]),
            ("tail1", "body", [0.0, 0.5, -0.3]),
            ("tail2", "tail1", [0.0, 0.5, -0.5]),
            ("tail3", "tail2", [0.0, 0.5, -0.7]),
            ("leg1", "body", [0.0, 0.4, 0.2]),
            ("leg2", "leg1", [0.0, 0.2, 0.2]),
        ]);
        let all = bends(&skeleton, &chain);
        let names: Vec<&str> = all.iter().map(|b| b.name.as_str()).collect();
        assert_eq!(names, ["chain_tail3", "chain_leg2"]);
        let tail = &all[0];
        assert_eq!(tail.turns.len(), 3);
        assert!(posed(&chain, tail, 4).distance(chain.positions[4]) > 0.1);
        assert_eq!(posed(&chain, tail, 6), chain.positions[6], "the leg stays");
    }
}
