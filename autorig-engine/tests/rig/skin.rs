//! What skin weights promise, on characters made by procedure and skinned to the joints they were built around.

use autorig_engine::{
    Limits, Silent,
    analyse::{Body, analyse},
    rig::Symmetry,
    sample::{self, Sample, TruthJoint},
    scene::Scene,
    skeleton::{Joint, Skeleton},
    skin::{Skin, SkinOptions, Skinner},
};
use glam::{DMat3, DVec3};

/// A sample, its body, and the skeleton it was built around.
struct Subject {
    scene: Scene,
    body: Body,
    skeleton: Skeleton,
}

/// One vertex: where it is, and what moves it.
struct Row {
    position: DVec3,
    weights: Vec<(usize, f64)>,
}

impl Subject {
    fn new(sample: Sample, triangles: usize) -> Self {
        let scene = sample::generate(sample, Some(triangles)).unwrap();
        Self::of(scene, skeleton(&sample::truth(sample)))
    }

    fn of(scene: Scene, skeleton: Skeleton) -> Self {
        let scene = scene.flatten(&Limits::default()).unwrap();
        let body = analyse(&scene, Some(DMat3::IDENTITY)).unwrap();
        Self { scene, body, skeleton }
    }

    fn skin(&self, options: &SkinOptions) -> Skin {
        let skinner = Skinner::new(&self.body);
        skinner.skin(&self.scene, &self.body, &self.skeleton, &[], options, &mut Silent).unwrap()
    }

    fn rows(&self, skin: &Skin) -> Vec<Row> {
        let primitives = self.scene.meshes.iter().flat_map(|m| &m.primitives);
        let rows = primitives.zip(skin.influences.iter().flatten()).flat_map(|(primitive, influences)| {
            primitive.positions.iter().zip(influences.iter()).map(|(p, (joints, weights))| Row {
                position: DVec3::new(p[0].into(), p[1].into(), p[2].into()),
                weights: joints
                    .iter()
                    .zip(weights)
                    .filter(|(_, w)| **w > 0.0)
                    .map(|(j, w)| (usize::from(*j), f64::from(*w)))
                    .collect(),
            })
        });
        rows.collect()
    }

    /// How much of a row belongs to joints whose names pass.
    fn share(&self, row: &Row, passes: impl Fn(&str) -> bool) -> f64 {
        row.weights.iter().filter(|(j, _)| passes(&self.skeleton.joints[*j].name)).map(|(_, w)| w).sum()
    }

    fn joint(&self, name: &str) -> DVec3 {
        self.skeleton.joints[self.skeleton.find(name).unwrap()].position
    }
}

fn skeleton(truth: &[TruthJoint]) -> Skeleton {
    let root = Joint { name: "root".into(), parent: None, position: DVec3::ZERO, confidence: 1.0 };
    let mut skeleton = Skeleton { joints: vec![root] };
    for joint in truth {
        let parent = joint.parent.as_ref().map_or(Some(0), |p| skeleton.find(p));
        let position = DVec3::from(joint.position);
        skeleton.joints.push(Joint { name: joint.name.clone(), parent, position, confidence: 1.0 });
    }
    skeleton
}

fn assert_valid(rows: &[Row], joints: usize) {
    assert!(!rows.is_empty());
    for row in rows {
        let sum: f64 = row.weights.iter().map(|(_, w)| w).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum} at {}", row.position);
        assert!(row.weights.iter().all(|(j, w)| *j < joints && w.is_finite()));
    }
}

/// Distance of `p` to the segment from `a` to `b`, and where along it.
fn to_segment(p: DVec3, a: DVec3, b: DVec3) -> (f64, f64) {
    let t = (p - a).dot(b - a) / (b - a).length_squared();
    (p.distance(a.lerp(b, t.clamp(0.0, 1.0))), t)
}

#[test]
fn arms_legs_and_torso_of_a_human_do_not_bleed_into_each_other() {
    let human = Subject::new(Sample::Human, 6_000);
    let rows = human.rows(&human.skin(&SkinOptions::default()));
    assert_valid(&rows, human.skeleton.joints.len());
    let (elbow, knee, hips) = (human.joint("leftLowerArm"), human.joint("leftLowerLeg"), human.joint("hips"));
    let arm =
        |n: &str| ["Arm", "Hand", "Thumb", "Index", "Middle", "Ring", "Little"].iter().any(|p| n.contains(p));
    let leg = |n: &str| ["Leg", "Foot", "Toes"].iter().any(|p| n.contains(p));
    for row in &rows {
        let p = row.position;
        if p.x.abs() > elbow.x {
            assert!(human.share(row, |n| !arm(n)) < 0.02, "torso or leg in the forearm at {p}");
        }
        if p.x.abs() < 0.08 && (p.y - hips.y).abs() < 0.3 {
            assert!(human.share(row, arm) < 0.02, "arm in the belly at {p}");
        }
        if p.y < knee.y {
            let other = if p.x > 0.0 { "right" } else { "left" };
            assert!(human.share(row, |n| n.starts_with(other)) < 0.01, "the other leg at {p}");
            assert!(human.share(row, |n| !leg(n)) < 0.02, "no leg in the shin at {p}");
        }
    }
}

#[test]
fn a_finger_does_not_pull_its_neighbours() {
    let human = Subject::new(Sample::Human, 24_000);
    let rows = human.rows(&human.skin(&SkinOptions::default()));
    const FINGERS: [&str; 5] = ["Thumb", "Index", "Middle", "Ring", "Little"];
    let last_two = |finger: &str| match finger {
        "Thumb" => ["leftThumbProximal".to_owned(), "leftThumbDistal".to_owned()],
        _ => [format!("left{finger}Intermediate"), format!("left{finger}Distal")],
    };
    let mut tested = [0_usize; 5];
    for row in &rows {
        // A vertex beyond the middle of a finger, plainly nearer to it than to any other.
        let mut near: Vec<(f64, f64, usize)> = (0..5)
            .map(|f| {
                let [from, to] = last_two(FINGERS[f]).map(|n| human.joint(&n));
                let (distance, along) = to_segment(row.position, from, to + (to - from) * 0.8);
                (distance, along, f)
            })
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (distance, along, finger) = near[0];
        if along > 0.2 && distance < 0.012 && near[1].0 > 1.5 * distance {
            tested[finger] += 1;
            let own = human.share(row, |n| n.starts_with("left") && n.contains(FINGERS[finger]));
            assert!(own > 0.95, "{own} of {} at {}", FINGERS[finger], row.position);
        }
    }
    assert!(tested.iter().all(|n| *n > 10), "{tested:?}");
}

#[test]
fn an_elbow_passes_smoothly_from_the_upper_arm_to_the_lower() {
    let human = Subject::new(Sample::Human, 12_000);
    let rows = human.rows(&human.skin(&SkinOptions::default()));
    let [shoulder, elbow, wrist] = ["leftUpperArm", "leftLowerArm", "leftHand"].map(|n| human.joint(n));
    const STEPS: usize = 12;
    let mut means = [(0.0, 0.0); STEPS];
    let (from, to) = (shoulder.lerp(elbow, 0.5), elbow.lerp(wrist, 0.5));
    for row in &rows {
        let (distance, along) = to_segment(row.position, from, to);
        if (0.0..1.0).contains(&along) && distance < 0.08 {
            let mean = &mut means[(along * STEPS as f64) as usize];
            mean.0 += human.share(row, |n| n == "leftLowerArm" || n.starts_with("leftHand"));
            mean.1 += 1.0;
        }
    }
    let means: Vec<f64> = means.iter().filter(|m| m.1 > 0.0).map(|m| m.0 / m.1).collect();
    assert!(means.len() >= 8, "{means:?}");
    assert!(means[0] < 0.1 && means[means.len() - 1] > 0.9, "{means:?}");
    assert!(means.windows(2).all(|m| m[1] > m[0] - 0.02 && m[1] - m[0] < 0.5), "{means:?}");
}

#[test]
fn every_part_of_a_robot_follows_exactly_one_joint() {
    let robot = Subject::new(Sample::Robot, 3_000);
    let skin = robot.skin(&SkinOptions::default());
    assert_eq!(skin.rigid_parts, robot.body.welded.parts);
    assert!(robot.rows(&skin).iter().all(|row| row.weights.len() == 1));
}

#[test]
fn a_mesh_that_mirrors_itself_gets_mirrored_weights() {
    let robot = Subject::new(Sample::Robot, 3_000);
    let skin = robot.skin(&SkinOptions::default());
    assert!(skin.mirrored);
    let rows = robot.rows(&skin);
    let other_side = |name: &str| match name.strip_prefix("left") {
        Some(rest) => format!("right{rest}"),
        None => name.strip_prefix("right").map_or(name.to_owned(), |rest| format!("left{rest}")),
    };
    let mut compared = 0;
    for row in rows.iter().filter(|row| row.position.x > 0.01) {
        let image = DVec3::new(-row.position.x, row.position.y, row.position.z);
        let near = rows
            .iter()
            .min_by(|a, b| a.position.distance_squared(image).total_cmp(&b.position.distance_squared(image)));
        let there = near.filter(|r| r.position.distance(image) < 1e-4);
        let Some(there) = there else { continue };
        compared += 1;
        for (joint, weight) in &row.weights {
            let name = other_side(&robot.skeleton.joints[*joint].name);
            assert!((robot.share(there, |n| n == name) - weight).abs() < 1e-5, "{name} at {}", row.position);
        }
    }
    assert!(compared > 300, "{compared}");

    let off = robot.skin(&SkinOptions { symmetry: Symmetry::Off, ..SkinOptions::default() });
    assert!(!off.mirrored);
}

#[test]
fn joints_that_do_not_mirror_leave_each_side_to_itself() {
    let mut robot = Subject::new(Sample::Robot, 3_000);
    let hand = robot.skeleton.find("leftHand").unwrap();
    robot.skeleton.joints[hand].position.y += 0.1;
    assert!(!robot.skin(&SkinOptions::default()).mirrored);
}

#[test]
fn an_animal_skins_to_joints_of_any_name_without_bleeding_from_leg_to_leg() {
    let mut animal = Subject::new(Sample::Quadruped, 3_000);
    for (i, joint) in animal.skeleton.joints.iter_mut().enumerate().skip(1) {
        joint.name = format!("bone {i}");
    }
    let rows = animal.rows(&animal.skin(&SkinOptions::default()));
    assert_valid(&rows, animal.skeleton.joints.len());
    let at = |j: usize| animal.skeleton.joints[j].position;
    for row in rows.iter().filter(|row| row.position.y < 0.3) {
        for (joint, weight) in &row.weights {
            let across = at(*joint).x * row.position.x < -1e-3;
            assert!(!across || *weight < 0.02, "{weight} of a leg at {} in {}", at(*joint), row.position);
        }
    }
}

#[test]
fn a_lone_joint_moves_everything() {
    let scene = sample::generate(Sample::Robot, Some(1_000)).unwrap();
    let lone = Joint { name: "root".into(), parent: None, position: DVec3::ZERO, confidence: 1.0 };
    let prop = Subject::of(scene, Skeleton { joints: vec![lone] });
    let rows = prop.rows(&prop.skin(&SkinOptions::default()));
    assert!(!rows.is_empty() && rows.iter().all(|row| row.weights == [(0, 1.0)]));
}

#[test]
fn joints_far_outside_the_mesh_still_give_valid_weights() {
    let mut robot = Subject::new(Sample::Robot, 1_000);
    for joint in robot.skeleton.joints.iter_mut().skip(1) {
        joint.position += DVec3::new(30.0, 5.0, -20.0);
    }
    assert_valid(&robot.rows(&robot.skin(&SkinOptions::default())), robot.skeleton.joints.len());
}

#[test]
fn eight_influences_keep_what_four_cut_off() {
    let human = Subject::new(Sample::Human, 3_000);
    let most = |influences| {
        let skin = human.skin(&SkinOptions { influences, ..SkinOptions::default() });
        let rows = human.rows(&skin);
        assert_valid(&rows, human.skeleton.joints.len());
        rows.iter().map(|row| row.weights.len()).max().unwrap_or(0)
    };
    assert_eq!(most(4), 4);
    assert!((5..=8).contains(&most(8)));
}
