//! Which convention bones follow.

use std::sync::OnceLock;

use autorig_engine::{
    Character, Options, Silent,
    character::{Bone, recognise::recognise},
    rig_scene, sample,
    skeleton::names,
};

/// A human's skeleton with every name as a convention has it; bones without one are left out.
fn in_convention(convention: &str, prefix: &str) -> Vec<Bone> {
    static HUMAN: OnceLock<Vec<Bone>> = OnceLock::new();
    let all = HUMAN.get_or_init(|| {
        let scene = sample::generate(sample::Sample::Human, Some(2_000)).unwrap();
        Character::from_rig(&rig_scene(scene, &Options::default(), &mut Silent).unwrap()).bones
    });
    let mut kept: Vec<usize> = Vec::new();
    let mut bones: Vec<Bone> = Vec::new();
    for (index, bone) in all.iter().enumerate() {
        let Some(name) = names::name_in(convention, &bone.name) else { continue };
        let mut parent = bone.parent;
        let place = loop {
            match parent {
                Some(p) => match kept.iter().position(|k| *k == p) {
                    Some(place) => break Some(place),
                    None => parent = all[p].parent,
                },
                None => break None,
            }
        };
        kept.push(index);
        bones.push(Bone { name: format!("{prefix}{name}"), parent: place, ..bone.clone() });
    }
    bones
}

#[test]
fn every_convention_recognises_itself() {
    for convention in names::conventions() {
        let prefix = match *convention {
            "mixamo" => "mixamorig:",
            "rigify" => "DEF-",
            "biped" => "Bip001 ",
            _ => "",
        };
        let bones = in_convention(convention, prefix);
        let found = recognise(&bones);
        assert_eq!(found.convention.as_deref(), Some(*convention));
        assert!(found.confidence > 0.9, "{convention}: {}", found.confidence);
        for (bone, name) in bones.iter().zip(&found.canonical) {
            assert_eq!(bone.canonical.as_deref(), name.as_deref(), "{convention}: {}", bone.name);
        }
        assert!(!found.mirrored);
    }
}

#[test]
fn names_that_lie_about_the_side_are_not_believed() {
    let mut bones = in_convention("mixamo", "");
    for bone in &mut bones {
        let other = match (bone.name.strip_prefix("Left"), bone.name.strip_prefix("Right")) {
            (Some(part), _) => format!("Right{part}"),
            (_, Some(part)) => format!("Left{part}"),
            _ => continue,
        };
        bone.name = other;
    }
    let found = recognise(&bones);
    assert!(found.mirrored);
    for (bone, name) in bones.iter().zip(&found.canonical) {
        assert_eq!(bone.canonical.as_deref(), name.as_deref(), "{}", bone.name);
    }
}

#[test]
fn bones_of_no_humanoid_are_not_named() {
    let scene = sample::generate(sample::Sample::Quadruped, Some(2_000)).unwrap();
    let rig = rig_scene(scene, &Options::default(), &mut Silent).unwrap();
    let found = recognise(&Character::from_rig(&rig).bones);
    assert_eq!(found.convention, None);
    assert!(found.canonical.iter().all(Option::is_none));
}
