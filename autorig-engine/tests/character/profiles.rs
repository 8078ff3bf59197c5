//! What profiles make of a character.

use std::collections::BTreeSet;

use autorig_engine::{
    Character, Code,
    profile::{
        Profile, apply,
        check::{Target, check},
    },
    sample::Sample,
};
use glam::{DMat3, DMat4, DVec3};

use crate::{
    build::farthest,
    figure::{elsewhere, figure, joints_at_key, turned, with_lowered_arms},
};

const NAMES: [&str; 9] = ["glb", "unity", "unreal", "mixamo", "vrm", "blender", "godot", "roblox", "maya"];
/// Turns of joints that every profile has, about axes of the world.
const POSE: [(&str, DVec3); 6] = [
    ("hips", DVec3::new(0.2, 0.5, 0.0)),
    ("leftUpperArm", DVec3::new(0.3, -0.8, 0.5)),
    ("rightLowerArm", DVec3::new(0.0, 1.2, 0.0)),
    ("leftLowerLeg", DVec3::new(1.1, 0.0, 0.0)),
    ("rightUpperLeg", DVec3::new(-0.7, 0.0, 0.2)),
    ("spine", DVec3::new(0.4, 0.2, 0.0)),
];

fn profile(name: &str) -> &'static Profile {
    Profile::named(name).unwrap()
}

fn names(character: &Character) -> BTreeSet<&str> {
    character.bones.iter().map(|b| b.name.as_str()).collect()
}

fn axis(character: &Character, joint: &str, column: usize) -> DVec3 {
    DMat3::from_mat4(character.bones[character.find(joint).unwrap()].rest).col(column)
}

#[test]
fn every_profile_is_read_from_its_file() {
    let all: Vec<&str> = Profile::all().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(all, NAMES);
    let error = Profile::named("maja").unwrap_err();
    assert_eq!(error.code, Code::InvalidOption);
    assert!(error.remedy.contains("maya"));
}

#[test]
fn no_mesh_is_called_as_a_bone_is() {
    let mut character = figure(Sample::Human);
    for name in ["pelvis", "Hips"] {
        character.scene.nodes[0].name = name.to_owned();
        character.scene.meshes[0].name = name.to_owned();
        for target in ["unity", "unreal", "mixamo"] {
            let made = apply(&character, profile(target)).unwrap();
            let mesh = &made.scene.nodes[0].name;
            assert!(!names(&made).contains(mesh.as_str()) && mesh.starts_with(name), "{target}: {mesh}");
        }
    }
}

#[test]
fn a_necessary_bone_that_no_vertex_follows_gets_a_few_that_hardly_move_with_it() {
    let mut bare = figure(Sample::Human);
    for (joint, instead) in [("leftHand", "leftLowerArm"), ("spine", "hips"), ("rightFoot", "rightLowerLeg")]
    {
        let [from, to] = [joint, instead].map(|j| bare.find(j).unwrap() as u16);
        let all = bare.influences.iter_mut().flatten().flat_map(|i| &mut i.joints);
        all.filter(|j| **j == from).for_each(|j| *j = to);
    }
    for (name, target) in [("unity", Target::Unity), ("unreal", Target::Unreal)] {
        let made = apply(&bare, profile(name)).unwrap();
        assert_eq!(check(&made, target), [], "{name}");
        let most = profile(name).influences;
        let weights = made.influences.iter().flatten().flat_map(autorig_engine::scene::Influences::iter);
        for (_, weights) in weights {
            assert!(weights.iter().filter(|w| **w > 0.0).count() <= most, "{name}");
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}");
        }
        let hand = made.find("leftHand").unwrap() as u16;
        let follow = made.influences.iter().flatten().flat_map(autorig_engine::scene::Influences::iter);
        let followers: Vec<f32> = follow
            .flat_map(|(j, w)| j.iter().zip(w).filter(|(j, w)| **j == hand && **w > 0.0).map(|(_, w)| *w))
            .collect();
        assert!(!followers.is_empty() && followers.len() < 10, "{name}: {followers:?}");
        assert!(followers.iter().all(|w| (0.005..0.02).contains(w)), "{name}: {followers:?}");
    }
}

#[test]
fn turns_of_joints_take_every_vertex_where_they_took_it_before() {
    // In T-pose to begin with, or some profiles would turn it.
    let human = apply(&figure(Sample::Human), profile("vrm")).unwrap();
    for character in [&human, &elsewhere(&human)] {
        let before = turned(character, &POSE);
        for name in NAMES {
            let made = apply(character, profile(name)).unwrap();
            let apart = farthest(&before, &turned(&made, &POSE));
            assert!(apart < 2e-5, "{name}: {apart} m");
            for (i, bone) in made.bones.iter().enumerate() {
                assert!(bone.parent.is_none_or(|p| p < i), "{name}");
                assert_eq!(i == 0, bone.parent.is_none(), "{name}: {}", bone.name);
                let linear = DMat3::from_mat4(bone.rest);
                assert!((linear.transpose() * linear).abs_diff_eq(DMat3::IDENTITY, 1e-9), "{name}");
                assert!(linear.determinant() > 0.0, "{name}");
            }
            let most = profile(name).influences;
            for (_, weights) in
                made.influences.iter().flatten().flat_map(autorig_engine::scene::Influences::iter)
            {
                assert!(weights.iter().filter(|w| **w > 0.0).count() <= most, "{name}");
                assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}");
            }
            assert_eq!(names(&made).len(), made.bones.len(), "{name}");
        }
    }
}

#[test]
fn clips_move_the_joints_where_they_moved_them_before() {
    let human = figure(Sample::Human);
    for character in [human.clone(), elsewhere(&human), with_lowered_arms(50.0)] {
        for name in NAMES {
            let made = apply(&character, profile(name)).unwrap();
            for key in 0..3 {
                let before = joints_at_key(&character, key);
                for (joint, at) in joints_at_key(&made, key) {
                    // Bones that the profile adds were not there before.
                    let Some((_, was)) = before.iter().find(|(n, _)| *n == joint) else { continue };
                    assert!(at.distance(*was) < 1e-6, "{name}, {joint}, key {key}: {at} {was}");
                }
            }
        }
    }
}

#[test]
fn unreal_gets_the_89_bones_of_manny() {
    let made = apply(&figure(Sample::Human), profile("unreal")).unwrap();
    assert_eq!(made.bones.len(), 89, "{:?}", names(&made));
    assert_eq!(check(&made, Target::Unreal), []);
    let place = |name: &str| made.bones.iter().find(|b| b.name == name).unwrap().position();
    let share = |a: &str, b: &str, c: &str| place(a).distance(place(b)) / place(a).distance(place(c));
    for (limb, near, far, end) in [
        ("upperarm_l", "upperarm_twist_01_l", "upperarm_twist_02_l", "lowerarm_l"),
        ("lowerarm_r", "lowerarm_twist_02_r", "lowerarm_twist_01_r", "hand_r"),
        ("thigh_r", "thigh_twist_01_r", "thigh_twist_02_r", "calf_r"),
        ("calf_l", "calf_twist_02_l", "calf_twist_01_l", "foot_l"),
    ] {
        assert!((share(limb, near, end) - 1.0 / 3.0).abs() < 1e-4, "{near}");
        assert!((share(limb, far, end) - 2.0 / 3.0).abs() < 1e-4, "{far}");
    }
    // X to the next bone on the left arm and the right leg, away from it on the others.
    let out = |joint: &str, to: &str| {
        let along =
            made.bones[made.find(to).unwrap()].position() - made.bones[made.find(joint).unwrap()].position();
        axis(&made, joint, 0).dot(along.normalize())
    };
    for (joint, to, sign) in [
        ("leftUpperArm", "leftLowerArm", 1.0),
        ("rightUpperArm", "rightLowerArm", -1.0),
        ("leftUpperLeg", "leftLowerLeg", -1.0),
        ("rightUpperLeg", "rightLowerLeg", 1.0),
        ("leftIndexProximal", "leftIndexIntermediate", 1.0),
        ("rightIndexProximal", "rightIndexIntermediate", -1.0),
    ] {
        assert!((out(joint, to) - sign).abs() < 1e-6, "{joint}");
    }
    assert!(axis(&made, "hips", 0).z > 0.9, "the pelvis points up");
    // The split bones carry weight, and none of the tools' bones does.
    let mut carried = BTreeSet::new();
    for (joints, weights) in
        made.influences.iter().flatten().flat_map(autorig_engine::scene::Influences::iter)
    {
        carried.extend(joints.iter().zip(weights).filter(|(_, w)| **w > 0.0).map(|(j, _)| *j as usize));
    }
    let carries = |name: &str| carried.contains(&made.bones.iter().position(|b| b.name == name).unwrap());
    assert!(carries("spine_02") && carries("upperarm_twist_02_l") && carries("calf_twist_01_r"));
    assert!(!carries("ik_foot_l") && !carries("root") && !carries("center_of_mass"));
}

#[test]
fn mixamo_gets_its_65_bones_with_y_along_them_and_no_root() {
    let made = apply(&figure(Sample::Human), profile("mixamo")).unwrap();
    assert_eq!(made.bones.len(), 65);
    assert_eq!(made.bones[0].name, "mixamorig:Hips");
    assert!(
        names(&made).contains("mixamorig:LeftForeArm") && names(&made).contains("mixamorig:LeftHandIndex4")
    );
    for (joint, along) in [
        ("leftUpperArm", DVec3::X),
        ("rightLowerArm", DVec3::NEG_X),
        ("leftUpperLeg", DVec3::NEG_Y),
        ("spine", DVec3::Y),
    ] {
        assert!(axis(&made, joint, 1).dot(along) > 0.95, "{joint}: {}", axis(&made, joint, 1));
    }
    let top = made.bones.iter().find(|b| b.name == "mixamorig:HeadTop_End").unwrap().position().y;
    assert!((165.0..185.0).contains(&top), "{top} cm");
}

#[test]
fn roblox_gets_15_bones_under_its_two_roots() {
    let made = apply(&figure(Sample::Human), profile("roblox")).unwrap();
    assert_eq!(made.bones.len(), 17, "{:?}", names(&made));
    assert_eq!(
        made.bones.iter().take(3).map(|b| b.name.as_str()).collect::<Vec<_>>(),
        ["Root", "HumanoidRootNode", "LowerTorso"]
    );
    assert_eq!(made.bones[0].rest, DMat4::IDENTITY);
}

#[test]
fn unity_godot_and_vrm_stand_in_t_pose() {
    let lowered = with_lowered_arms(50.0);
    for name in ["unity", "godot", "vrm", "mixamo"] {
        let made = apply(&lowered, profile(name)).unwrap();
        let at = |joint: &str| made.bones[made.find(joint).unwrap()].position();
        let arm = (at("leftHand") - at("leftUpperArm")).normalize();
        assert!(arm.dot(DVec3::X) > 0.999, "{name}: {arm}");
    }
    let made = apply(&lowered, profile("unity")).unwrap();
    assert_eq!(check(&made, Target::Unity), []);
    assert!(names(&made).contains("LeftUpperArm") && names(&made).contains("LeftHandThumb1"));
    let godot = apply(&lowered, profile("godot")).unwrap();
    assert!(names(&godot).contains("Root") && names(&godot).contains("LeftThumbMetacarpal"));
}

#[test]
fn the_rules_of_unity_and_unreal_find_what_is_spoiled() {
    type Spoil = fn(&mut Character);
    let cases: [(&str, Target, Spoil); 10] = [
        ("one_root", Target::Unity, |c| c.bones[5].parent = None),
        ("unique_names", Target::Unity, |c| c.bones[7].name = c.bones[6].name.clone()),
        ("no_scale", Target::Unity, |c| c.bones[4].rest *= DMat4::from_scale(DVec3::splat(100.0))),
        ("required_bones", Target::Unity, |c| {
            let hand = c.find("leftHand").unwrap();
            c.bones[hand].name = "thing".to_owned();
        }),
        ("weighted", Target::Unity, |c| {
            let foot = c.find("leftFoot").unwrap() as u16;
            let all = c.influences.iter_mut().flatten();
            all.flat_map(|i| &mut i.joints).for_each(|j| *j = if *j == foot { 0 } else { *j });
        }),
        ("hierarchy", Target::Unity, |c| {
            let shin = c.find("leftLowerLeg").unwrap();
            c.bones[shin].parent = Some(0);
        }),
        ("unit", Target::Unity, |c| {
            let points =
                c.scene.meshes.iter_mut().flat_map(|m| &mut m.primitives).flat_map(|p| &mut p.positions);
            points.for_each(|p| *p = p.map(|x| x * 0.01));
        }),
        ("t_pose", Target::Unity, |c| {
            let hand = c.find("leftHand").unwrap();
            c.bones[hand].rest.w_axis.y -= 20.0;
        }),
        ("ik_bones", Target::Unreal, |c| {
            let ik = c.bones.iter().position(|b| b.name == "ik_foot_l").unwrap();
            c.bones[ik].rest.w_axis.x += 1.0;
        }),
        ("root", Target::Unreal, |c| c.bones[0].rest.w_axis.z += 3.0),
    ];
    for (rule, target, spoil) in cases {
        let name = if target == Target::Unity { "unity" } else { "unreal" };
        let mut made = apply(&figure(Sample::Human), profile(name)).unwrap();
        assert_eq!(check(&made, target), [], "{rule}");
        spoil(&mut made);
        let found = check(&made, target);
        assert!(found.iter().any(|f| f.rule == rule), "{rule}: {found:?}");
    }
}

#[test]
fn what_is_no_humanoid_gets_axes_and_unit_or_a_clear_refusal() {
    let animal = figure(Sample::Quadruped);
    for name in ["vrm", "roblox"] {
        assert_eq!(apply(&animal, profile(name)).unwrap_err().code, Code::NeedsHumanoid, "{name}");
    }
    for name in ["glb", "unity", "unreal", "mixamo", "blender", "godot", "maya"] {
        let made = apply(&animal, profile(name)).unwrap();
        assert_eq!(made.bones.len(), animal.bones.len(), "{name}");
        let (before, after) = (turned(&animal, &[]), turned(&made, &[]));
        assert!(farthest(&before, &after) < 1e-6, "{name}");
    }
}
