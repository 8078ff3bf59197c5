//! Delivery in T-pose: what is turned, what stays, and that the way back is exact.

use autorig_engine::{
    Options, Rig, Silent,
    motion::Values,
    pose::{
        Binding, Chain, blend,
        rest::{ORIGINAL_POSE, RestPoseReport},
    },
    rig::RestPose,
    rig_scene,
    sample::{Sample, generate},
    scene::Scene,
};
use glam::{DQuat, DVec3};

fn rig_with(scene: &Scene, rest_pose: RestPose) -> Rig {
    let options = Options { rest_pose, ..Options::default() };
    rig_scene(scene.clone(), &options, &mut Silent).unwrap()
}

fn points(rig: &Rig) -> Vec<DVec3> {
    let primitives = rig.scene.meshes.iter().flat_map(|m| &m.primitives);
    primitives.flat_map(|p| p.positions.iter().map(|p| DVec3::from(p.map(f64::from)))).collect()
}

fn binding(rig: &Rig) -> Binding {
    let all = rig.influences.iter().flatten();
    let mut binding = Binding { per_vertex: rig.influences[0][0].per_vertex, ..Binding::default() };
    for influences in all {
        binding.joints.extend(&influences.joints);
        binding.weights.extend(&influences.weights);
    }
    binding
}

/// The sample human with its arms lowered, elbows bent and one leg forward, as a file would hold it.
fn posed_human() -> Scene {
    let mut rig = rig_with(&generate(Sample::Human, Some(2_000)).unwrap(), RestPose::AsIs);
    let chain = Chain::new(&rig.skeleton, |p| p);
    let mut rotations = vec![DQuat::IDENTITY; rig.skeleton.joints.len()];
    let mut turn = |name: &str, axis: DVec3, degrees: f64| {
        rotations[rig.skeleton.find(name).unwrap()] = DQuat::from_axis_angle(axis, degrees.to_radians());
    };
    turn("leftUpperArm", DVec3::Z, -40.0);
    turn("rightUpperArm", DVec3::Z, 35.0);
    turn("leftLowerArm", DVec3::Y, -20.0);
    turn("leftUpperLeg", DVec3::X, -20.0);
    let posed = blend(&points(&rig), &binding(&rig), &chain.transforms(&rotations));
    let mut posed = posed.into_iter();
    for primitive in rig.scene.meshes.iter_mut().flat_map(|m| &mut m.primitives) {
        for p in &mut primitive.positions {
            *p = posed.next().unwrap().to_array().map(|x| x as f32);
        }
    }
    rig.scene
}

fn direction(rig: &Rig, from: &str, to: &str) -> DVec3 {
    (super::joint(rig, to) - super::joint(rig, from)).normalize()
}

#[test]
fn a_posed_human_is_delivered_with_arms_out_and_legs_down() {
    let rig = rig_with(&posed_human(), RestPose::TPose);
    for (side, out) in [("left", DVec3::X), ("right", DVec3::NEG_X)] {
        for (from, to, goal) in [
            ("UpperArm", "LowerArm", out),
            ("LowerArm", "Hand", out),
            ("UpperLeg", "LowerLeg", DVec3::NEG_Y),
            ("LowerLeg", "Foot", DVec3::NEG_Y),
        ] {
            let along = direction(&rig, &format!("{side}{from}"), &format!("{side}{to}"));
            assert!(along.dot(goal) > 1.0 - 1e-9, "{side}{from} points to {along}");
        }
    }
    let report = rig.report.rest_pose.unwrap();
    let arm = report.turned.iter().find(|t| t.joint == "leftUpperArm").unwrap();
    assert!(arm.degrees > 25.0, "{}", arm.degrees);
    assert_eq!(report.clip.as_deref(), Some(ORIGINAL_POSE));
    assert!(report.strain.is_some_and(|s| s.longest_pct < 8.0));
}

/// What the clip of a rig shows, vertex by vertex.
fn played_back(rig: &Rig) -> Vec<DVec3> {
    let mut rotations = vec![DQuat::IDENTITY; rig.skeleton.joints.len()];
    let mut shift = DVec3::ZERO;
    let [clip] = &rig.clips[..] else { panic!("one clip") };
    for track in &clip.tracks {
        match &track.values {
            Values::Rotations(values) => rotations[track.joint] = values[0],
            Values::Translations(values) => {
                let rest = rig.skeleton.joints[track.joint].position - rig.skeleton.joints[0].position;
                shift = values[0] - rest;
            }
        }
    }
    let transforms = Chain::new(&rig.skeleton, |p| p).transforms(&rotations);
    blend(&points(rig), &binding(rig), &transforms).into_iter().map(|p| p + shift).collect()
}

#[test]
fn the_original_pose_clip_shows_the_original_mesh() {
    let scene = posed_human();
    let (as_is, rig) = (rig_with(&scene, RestPose::AsIs), rig_with(&scene, RestPose::TPose));
    let (before, after) = (points(&as_is), points(&rig));
    let moved = before.iter().zip(&after).map(|(a, b)| a.distance(*b)).fold(0.0, f64::max);
    assert!(moved > 0.2, "the hand went {moved}");

    let binding = binding(&rig);
    let mut errors = Vec::new();
    for (v, (was, is)) in before.iter().zip(played_back(&rig)).enumerate() {
        let error = was.distance(is);
        // What follows one joint comes back exactly; between joints linear blend skinning loses some volume.
        assert!(binding.of(v).count() > 1 || error < 1e-5, "{was} came back as {is}");
        errors.push(error);
    }
    errors.sort_by(f64::total_cmp);
    assert!(errors[errors.len() / 2] < 1e-3, "median {}", errors[errors.len() / 2]);
    assert!(errors[errors.len() - 1] < 0.06, "worst {}", errors[errors.len() - 1]);
}

#[test]
fn the_feet_stay_on_the_ground_and_point_where_they_pointed() {
    let scene = posed_human();
    let (as_is, rig) = (rig_with(&scene, RestPose::AsIs), rig_with(&scene, RestPose::TPose));
    let lowest = |rig: &Rig| points(rig).iter().map(|p| p.y).fold(f64::INFINITY, f64::min);
    assert!((lowest(&as_is) - lowest(&rig)).abs() < 0.02, "{} {}", lowest(&as_is), lowest(&rig));
    let toes = |rig: &Rig| direction(rig, "rightFoot", "rightToes");
    assert!(toes(&as_is).dot(toes(&rig)) > 1.0 - 1e-9);
}

#[test]
fn normals_stay_at_unit_length_and_turn_with_the_surface() {
    let scene = posed_human();
    let rig = rig_with(&scene, RestPose::TPose);
    for primitive in rig.scene.meshes.iter().flat_map(|m| &m.primitives) {
        for normal in primitive.normals.iter().flatten() {
            let length = DVec3::from(normal.map(f64::from)).length();
            assert!((length - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn a_character_in_t_pose_is_left_as_it_is() {
    let once = rig_with(&posed_human(), RestPose::TPose);
    // Its own joints as markers, so that a prediction a little off does not look like another pose.
    let joints = once
        .skeleton
        .joints
        .iter()
        .skip(1)
        .map(|j| autorig_engine::JointHint {
            name: j.name.clone(),
            parent: None,
            position: j.position.into(),
        })
        .collect();
    let options = Options { rest_pose: RestPose::TPose, joints, ..Options::default() };
    let again = rig_scene(once.scene.clone(), &options, &mut Silent).unwrap();
    assert_eq!(again.report.rest_pose, Some(RestPoseReport::default()));
    assert!(again.clips.is_empty());
    assert_eq!(points(&once), points(&again));
}

#[test]
fn the_written_file_holds_the_clip() {
    let glb = rig_with(&posed_human(), RestPose::TPose).to_glb().unwrap();
    let source = autorig_engine::read::Source::bytes("t.glb", glb);
    let back = autorig_engine::read::read(&source, &Options::default().limits).unwrap();
    assert_eq!(back.clips.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), [ORIGINAL_POSE]);
}
