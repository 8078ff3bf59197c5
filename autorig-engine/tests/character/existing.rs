//! Files that are rigged already, through the whole engine.

use autorig_engine::{
    Character, ExistingRig, Limits, Options, Rig, Silent,
    profile::{Profile, apply},
    read::{Source, read},
    rig_scene,
    sample::Sample,
    write::character_glb,
};
use glam::DVec3;

use crate::{
    build::farthest,
    figure::{figure, turned},
};

/// A human with Mixamo's bones as a file.
fn file() -> (Character, Vec<u8>) {
    let made = apply(&figure(Sample::Human), Profile::named("mixamo").unwrap()).unwrap();
    let glb = character_glb(&made).unwrap();
    (made, glb)
}

fn rigged(glb: &[u8], existing: ExistingRig) -> Rig {
    let scene = read(&Source::bytes("hero.glb", glb.to_vec()), &Limits::default()).unwrap();
    rig_scene(scene, &Options { existing, ..Options::default() }, &mut Silent).unwrap()
}

#[test]
fn a_rig_that_is_kept_comes_out_as_it_went_in() {
    let (made, glb) = file();
    let rig = rigged(&glb, ExistingRig::Keep);
    let existing = rig.report.input.existing.as_ref().unwrap();
    assert_eq!((existing.convention.as_deref(), existing.bones), (Some("mixamo"), 65));
    assert!(existing.confidence > 0.9 && rig.report.input.was_rigged);
    assert_eq!(rig.report.class.name(), "humanoid");
    assert!(rig.report.warnings.iter().any(|w| w.code == "rig_kept"));
    assert!(rig.skeleton.find("leftLowerArm").is_some());
    let out = read(&Source::bytes("out.glb", rig.to_glb().unwrap()), &Limits::default()).unwrap();
    // The point between the feet is found anew; what is compared is the mesh.
    let again = Character { frame: made.frame, ..Character::from_scene(out).unwrap() };
    assert_eq!(again.bones.len(), 65);
    for bone in &made.bones {
        let other = again.bones.iter().find(|b| b.name == bone.name).unwrap();
        assert!(other.rest.abs_diff_eq(bone.rest, 1e-3), "{}", bone.name);
    }
    assert_eq!(again.clips[0].name, "step");
    let pose = [("leftUpperArm", DVec3::new(0.0, 0.5, 0.5)), ("spine", DVec3::X * 0.4)];
    assert!(farthest(&turned(&made, &pose), &turned(&again, &pose)) < 1e-4);
}

#[test]
fn a_skeleton_that_is_skinned_anew_keeps_its_bones_and_gives_weight_to_none_that_had_none() {
    let (made, glb) = file();
    let rig = rigged(&glb, ExistingRig::ReSkin);
    assert!(rig.report.warnings.iter().any(|w| w.code == "rig_reskinned"));
    let again = Character::from_rig(&rig);
    assert_eq!(again.bones.len(), 65);
    for (joints, weights) in
        again.influences.iter().flatten().flat_map(autorig_engine::scene::Influences::iter)
    {
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        for (joint, weight) in joints.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
            let name = &again.bones[usize::from(*joint)].name;
            assert!(!name.ends_with("_End") && !name.ends_with('4'), "{name} {weight}");
        }
    }
    // The point between the feet is found anew; the file's own space is the same.
    let at = |c: &Character| c.bones[c.find("leftHand").unwrap()].position() * c.frame.scale;
    assert!(at(&made).distance(at(&again)) < 0.02);
}
