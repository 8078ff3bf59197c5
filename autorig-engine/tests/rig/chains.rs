//! Tails, ears, hair, capes, skirts and eyes of humanoids.

use autorig_engine::{
    Options, Rig, Silent,
    rig::{ExtraChains, Eyes},
    rig_scene,
    sample::Sample,
    scene::Scene,
};
use glam::{DMat4, DQuat, DVec3};

use crate::{joint, moved, rigged, scene, shapes::Shells};

/// The human with more shells, in canonical space.
fn wearing(shells: Shells) -> Scene {
    let mut human = scene(Sample::Human);
    let shells = shells.scene(DMat4::IDENTITY);
    let first = human.nodes.len();
    let meshes = human.meshes.len();
    human.nodes.extend(shells.nodes.iter().cloned().map(|mut node| {
        node.mesh = node.mesh.map(|m| m + meshes);
        node
    }));
    human.meshes.extend(shells.meshes);
    human.roots.push(first);
    human
}

fn tail() -> Shells {
    let line: Vec<_> = (0..12)
        .map(|i| {
            let t = f64::from(i) / 11.0;
            ([0.0, 0.95 - 0.25 * t * t, -0.05 - 0.6 * t], [0.035 - 0.015 * t; 2])
        })
        .collect();
    Shells::default().tube(&line)
}

fn ears() -> Shells {
    let ear = |side: f64| -> Vec<_> {
        (0..8)
            .map(|i| {
                let t = f64::from(i) / 7.0;
                ([side * (0.04 + 0.05 * t), 1.70 + 0.26 * t, 0.02], [0.028 - 0.014 * t; 2])
            })
            .collect()
    };
    Shells::default().tube(&ear(1.0)).tube(&ear(-1.0))
}

/// A grid of so many columns and rows.
fn sheet(at: impl Fn(f64, f64) -> [f64; 3]) -> Shells {
    Shells::default().grid(24, 16, at)
}

fn cape() -> Shells {
    sheet(|u, v| {
        let x = (u - 0.5) * (0.36 + 0.2 * v);
        [x, 1.46 - 0.85 * v, -0.15 - 0.08 * v + 0.2 * x * x]
    })
}

fn skirt() -> Shells {
    sheet(|u, v| {
        let (sine, cosine) = libm::sincos(std::f64::consts::TAU * u);
        let wide = 0.17 + 0.13 * v;
        [wide * sine, 1.02 - 0.5 * v, wide * cosine]
    })
}

fn chains(rig: &Rig) -> Vec<&str> {
    let names = rig.skeleton.joints.iter().map(|j| j.name.as_str());
    names.filter(|name| autorig_engine::skeleton::chains::is_chain(name)).collect()
}

/// The weight of a joint and of all that hang on it, on each vertex of the last mesh.
fn weights_below(rig: &Rig, name: &str) -> Vec<f32> {
    let top = rig.skeleton.find(name).unwrap();
    let below: Vec<bool> = (0..rig.skeleton.joints.len())
        .map(|mut j| {
            while let Some(parent) = rig.skeleton.joints[j].parent.filter(|_| j != top) {
                j = parent;
            }
            j == top
        })
        .collect();
    rig.influences[rig.scene.meshes.len() - 1][0]
        .iter()
        .map(|(joints, weights)| {
            joints.iter().zip(weights).filter(|(j, _)| below[usize::from(**j)]).map(|(_, w)| w).sum()
        })
        .collect()
}

#[test]
fn plain_characters_get_no_chains() {
    for sample in [Sample::Human, Sample::Cartoon, Sample::Robot] {
        assert!(chains(&rigged(scene(sample))).is_empty(), "{sample:?}");
    }
}

#[test]
fn a_tail_hangs_on_the_hips_and_its_end_follows_its_last_joints() {
    let rig = rigged(wearing(tail()));
    let names = chains(&rig);
    assert!(names.len() >= 4 && names.iter().all(|n| n.starts_with("tail")), "{names:?}");
    let first = rig.skeleton.find("tail1").unwrap();
    assert_eq!(rig.skeleton.joints[first].parent, rig.skeleton.find("hips"));
    assert!(joint(&rig, "tail1").z < -0.02 && joint(&rig, "tail1").x.abs() < 0.01);
    let last = joint(&rig, names[names.len() - 1]);
    assert!(last.z < -0.4, "{last}");
    let tail = weights_below(&rig, "tail1");
    assert!(tail[tail.len() - 12..].iter().all(|w| *w > 0.99), "the tip is all tail");
}

#[test]
fn ears_mirror_each_other_on_the_head_and_move_nothing_else() {
    let rig = rigged(wearing(ears()));
    assert_eq!(chains(&rig), ["leftEar1", "leftEar2", "rightEar1", "rightEar2"]);
    let (left, right) = (joint(&rig, "leftEar2"), joint(&rig, "rightEar2"));
    assert!(left.distance(right * DVec3::new(-1.0, 1.0, 1.0)) < 1e-3 && left.y > 1.75);
    let ears: Vec<usize> = ["leftEar1", "rightEar2"].iter().map(|n| rig.skeleton.find(n).unwrap()).collect();
    for (p, (joints, weights)) in
        rig.scene.meshes[0].primitives[0].positions.iter().zip(rig.influences[0][0].iter())
    {
        let follows = joints.iter().zip(weights).any(|(j, w)| *w > 0.0 && ears.contains(&usize::from(*j)));
        assert!(!follows || p[1] > 1.6, "{p:?}");
    }
}

#[test]
fn a_cape_hangs_on_the_upper_chest() {
    let rig = rigged(wearing(cape()));
    let names = chains(&rig);
    assert!(names.len() >= 3 && names.iter().all(|n| n.contains("ape")), "{names:?}");
    let first = rig.skeleton.find("cape1").unwrap();
    assert_eq!(rig.skeleton.joints[first].parent, rig.skeleton.find("upperChest"));
    let weights = weights_below(&rig, "cape1");
    assert!(weights[weights.len() - 24..].iter().sum::<f32>() > 23.9, "the hem is all cape");
}

#[test]
fn a_skirt_takes_only_what_its_thighs_had() {
    let with = rigged(wearing(skirt()));
    let names = chains(&with);
    assert_eq!(names.len(), 4, "{names:?}");
    let options = Options { extra_chains: ExtraChains::None, ..Options::default() };
    let without = rig_scene(wearing(skirt()), &options, &mut Silent).unwrap();
    assert!(chains(&without).is_empty());
    // Nobody moves the chains: each thigh with its chains has what it had.
    for thigh in ["leftUpperLeg", "rightUpperLeg", "hips"] {
        let pairs = weights_below(&with, thigh).into_iter().zip(weights_below(&without, thigh));
        let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 0.1, "{thigh}: {most}");
    }
    let front = weights_below(&with, "leftSkirtFront1").iter().sum::<f32>();
    assert!(front > 5.0, "{front}");
}

#[test]
fn eyes_are_made_where_they_are_asked_for_and_turn_whole() {
    assert!(rigged(scene(Sample::Cartoon)).skeleton.find("leftEye").is_none());
    let options = Options { eyes: Eyes::Auto, ..Options::default() };
    let rig = rig_scene(scene(Sample::Cartoon), &options, &mut Silent).unwrap();
    let eye = joint(&rig, "leftEye");
    assert!(eye.distance(DVec3::new(0.082, 0.875, 0.172)) < 0.02, "{eye}");
    let (left, right) = (rig.skeleton.find("leftEye").unwrap(), rig.skeleton.find("rightEye").unwrap());
    let mesh = rig.scene.meshes.iter().position(|m| m.name == "eyes").unwrap();
    for (p, (joints, weights)) in
        rig.scene.meshes[mesh].primitives[0].positions.iter().zip(rig.influences[mesh][0].iter())
    {
        let own = if p[0] > 0.0 { left } else { right };
        assert_eq!((usize::from(joints[0]), weights[0]), (own, 1.0));
    }
}

#[test]
fn a_turned_character_gets_the_same_chains() {
    let turn = DQuat::from_rotation_y(2.1) * DQuat::from_rotation_x(0.7);
    let upright = rigged(wearing(tail()));
    let turned = rigged(moved(wearing(tail()), DMat4::from_quat(turn)));
    assert_eq!(chains(&upright), chains(&turned));
    for name in chains(&upright) {
        let apart = joint(&turned, name).distance(turn * joint(&upright, name));
        assert!(apart < 0.02, "{name}: {apart}");
    }
}
