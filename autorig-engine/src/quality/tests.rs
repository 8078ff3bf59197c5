use super::*;
use crate::{
    Options, Silent, rig_scene,
    sample::{Sample, generate},
};

const KNOWN: Known = Known { class_confidence: 1.0, orientation_confidence: 0.9 };

/// The sample human, bound, with everything that assessing it takes.
struct Bound {
    scene: Scene,
    body: Body,
    skeleton: Skeleton,
    skin: Skin,
}

impl Bound {
    fn human() -> Self {
        let rig = rig_scene(generate(Sample::Human, Some(2_000)).unwrap(), &Options::default(), &mut Silent);
        let rig = rig.unwrap();
        let body = crate::analyse::analyse(&rig.scene, None).unwrap();
        let skin = Skin {
            influences: rig.influences,
            rigid_parts: rig.report.skin.rigid_parts,
            filled_vertices: rig.report.skin.filled_vertices,
            mirrored: true,
        };
        Self { scene: rig.scene, body, skeleton: rig.skeleton, skin }
    }

    fn assess(&self) -> Quality {
        assess(&self.scene, &self.body, &self.skeleton, &self.skin, KNOWN)
    }

    /// Binds every vertex that `here` chooses to one joint.
    fn bind(&mut self, joint: &str, here: impl Fn([f32; 3]) -> bool) {
        let joint = self.skeleton.find(joint).unwrap() as u16;
        for (mesh, influences) in self.scene.meshes.iter().zip(&mut self.skin.influences) {
            for (primitive, influences) in mesh.primitives.iter().zip(influences) {
                let k = influences.per_vertex;
                for (v, p) in primitive.positions.iter().enumerate().filter(|(_, p)| here(**p)) {
                    let _ = p;
                    influences.joints[v * k..(v + 1) * k].fill(0);
                    influences.weights[v * k..(v + 1) * k].fill(0.0);
                    influences.joints[v * k] = joint;
                    influences.weights[v * k] = 1.0;
                }
            }
        }
    }
}

fn has(quality: &Quality, code: &str) -> bool {
    quality.reasons.iter().any(|r| r.code == code)
}

#[test]
fn a_well_bound_human_is_good_and_every_limb_was_tried() {
    let quality = Bound::human().assess();
    assert_eq!(quality.verdict, Verdict::Good, "{:?}", quality.reasons);
    assert!(quality.reasons.is_empty());
    assert!(quality.score > 0.5, "{:?}", quality.scores);
    let poses: Vec<&str> = quality.bends.iter().map(|b| b.pose.as_str()).collect();
    for pose in ["arms_raised", "elbows", "knees", "head_turned", "spine_bent", "step"] {
        assert!(poses.contains(&pose), "{poses:?}");
    }
}

#[test]
fn a_thigh_that_follows_the_other_leg_bleeds_and_its_vertices_are_named() {
    let mut bound = Bound::human();
    bound.bind("rightUpperLeg", |[x, y, _]| x > 0.02 && (0.55..0.75).contains(&y));
    let quality = bound.assess();
    assert_ne!(quality.verdict, Verdict::Good);
    assert!(has(&quality, "stretch"), "{:?}", quality.reasons);
    let named: Vec<_> = quality.problem_vertices.iter().filter(|p| p.code == "bleed").collect();
    assert!(!named.is_empty());
    for problem in named {
        let [x, ..] =
            bound.scene.meshes[problem.mesh].primitives[problem.primitive].positions[problem.vertex];
        assert!(x > 0.02, "a vertex of the thigh, not one at {x}");
    }
}

#[test]
fn a_joint_outside_the_body_is_named() {
    let mut bound = Bound::human();
    let elbow = bound.skeleton.find("leftLowerArm").unwrap();
    bound.skeleton.joints[elbow].position.y += 0.3;
    let quality = bound.assess();
    assert_eq!(quality.joints_outside, ["leftLowerArm"]);
    let reason = quality.reasons.iter().find(|r| r.code == "joint_outside").unwrap();
    assert_eq!(reason.joints, ["leftLowerArm"]);
    assert_ne!(quality.verdict, Verdict::Good);
}

#[test]
fn an_elbow_that_slid_to_the_wrist_makes_the_sides_uneven() {
    let mut bound = Bound::human();
    let (elbow, hand) =
        (bound.skeleton.find("leftLowerArm").unwrap(), bound.skeleton.find("leftHand").unwrap());
    let wrist = bound.skeleton.joints[hand].position;
    bound.skeleton.joints[elbow].position = bound.skeleton.joints[elbow].position.lerp(wrist, 0.7);
    let quality = bound.assess();
    assert!(has(&quality, "uneven_bones"), "{:?}", quality.reasons);
    assert!(quality.symmetry.unwrap().bones > 0.3);
}

#[test]
fn doubt_of_the_predictor_lowers_the_score_and_names_the_joints() {
    let mut bound = Bound::human();
    let sure = bound.assess().score;
    for joint in bound.skeleton.joints.iter_mut().filter(|j| j.name.starts_with("left")) {
        joint.confidence = 0.1;
    }
    let quality = bound.assess();
    assert!(quality.score < sure);
    let reason = quality.reasons.iter().find(|r| r.code == "low_joint_confidence").unwrap();
    assert!(reason.joints.iter().all(|j| j.starts_with("left")), "{:?}", reason.joints);
}

#[test]
fn a_rig_of_one_joint_is_assessed_without_a_pose() {
    let mut bound = Bound::human();
    bound.skeleton.joints.truncate(1);
    for influences in bound.skin.influences.iter_mut().flatten() {
        influences.joints.fill(0);
        influences.weights.chunks_mut(influences.per_vertex).for_each(|w| {
            w.fill(0.0);
            w[0] = 1.0;
        });
    }
    let quality = bound.assess();
    assert!(quality.bends.is_empty() && quality.symmetry.is_none());
    assert!(quality.score.is_finite());
}
