//! What a file's own skin becomes.

use autorig_engine::{
    Character, Limits, Options, Silent,
    read::Source,
    rig_scene, sample,
    scene::Scene,
    write::{
        character_glb,
        fbx::{FbxOptions, to_fbx},
    },
};
use glam::{DMat4, DQuat, DVec3};

use crate::build::{arm, bent, farthest, moved, node, shown, strip, wave};

fn flat(points: Vec<Vec<Vec<DVec3>>>) -> Vec<DVec3> {
    points.into_iter().flatten().flatten().collect()
}

fn at_rest(character: &Character) -> Vec<DVec3> {
    flat(character.deformed(&vec![DMat4::IDENTITY; character.bones.len()]))
}

/// The mesh at one keyframe of the first clip.
fn at_key(character: &Character, key: usize) -> Vec<DVec3> {
    let mut locals = character.locals();
    for track in &character.clips[0].tracks {
        let (_, mut turn, mut place) = locals[track.joint].to_scale_rotation_translation();
        match &track.values {
            autorig_engine::motion::Values::Rotations(v) => turn = v[key],
            autorig_engine::motion::Values::Translations(v) => place = v[key],
        }
        locals[track.joint] = DMat4::from_rotation_translation(turn, place);
    }
    flat(character.deformed(&character.posed(&locals)))
}

fn reread(character: &Character) -> Character {
    let glb = character_glb(character).unwrap();
    let scene = autorig_engine::read::read(&Source::bytes("again.glb", glb), &Limits::default()).unwrap();
    Character::from_scene(scene).unwrap()
}

fn unit_and_axes() -> DMat4 {
    DMat4::from_scale(DVec3::splat(0.01)) * DMat4::from_rotation_x(-std::f64::consts::FRAC_PI_2)
}

#[test]
fn a_rig_of_ours_comes_back_as_it_was() {
    let scene = sample::generate(sample::Sample::Human, Some(2_000)).unwrap();
    let rig = rig_scene(scene, &Options::default(), &mut Silent).unwrap();
    let (ours, again) = (Character::from_rig(&rig), reread(&Character::from_rig(&rig)));
    assert_eq!(ours.bones.len(), again.bones.len());
    let parent = |c: &Character, i: usize| c.bones[i].parent.map(|p| c.bones[p].name.clone());
    for (i, a) in ours.bones.iter().enumerate() {
        let j = again.bones.iter().position(|b| b.name == a.name).unwrap();
        let b = &again.bones[j];
        assert_eq!((parent(&ours, i), &a.canonical), (parent(&again, j), &b.canonical), "{}", a.name);
        assert!(a.rest.abs_diff_eq(b.rest, 1e-6), "{}", a.name);
    }
    assert_eq!(at_rest(&ours), at_rest(&again));
    assert!((ours.frame.rotation - again.frame.rotation).abs().to_cols_array().iter().all(|v| *v < 1e-9));
    let turn = |c: &Character| [(c.find("leftLowerArm").unwrap(), DQuat::from_rotation_y(1.0))];
    let posed = |c: &Character| flat(c.deformed(&c.turned(&turn(c))));
    assert!(farthest(&posed(&ours), &posed(&again)) < 1e-6);
    assert!(again.scene.warnings.is_empty(), "{:?}", again.scene.warnings);
}

#[test]
fn names_come_back_from_our_own_fbx_as_they_were() {
    let mut ours = Character::from_scene(arm(DMat4::IDENTITY)).unwrap();
    for (index, name) in ["armFBXASC046L", "a.b", "rückFBXASC032"].into_iter().enumerate() {
        name.clone_into(&mut ours.bones[index].name);
    }
    ours.scene.nodes[0].name = "meshFBXASC095x".to_owned();
    let fbx = to_fbx(&ours, &FbxOptions::default()).unwrap();
    let scene = autorig_engine::read::read(&Source::bytes("again.fbx", fbx), &Limits::default()).unwrap();
    let mesh = scene.nodes.iter().find(|n| n.mesh.is_some()).unwrap();
    assert_eq!(mesh.name, "meshFBXASC095x");
    let again = Character::from_scene(scene).unwrap();
    let names = |c: &Character| c.bones.iter().map(|b| b.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&again), names(&ours));
}

#[test]
fn the_rest_is_the_bind_pose_and_not_where_the_joints_stand() {
    let character = Character::from_scene(bent(arm(DMat4::IDENTITY), 60.0)).unwrap();
    assert!(farthest(&at_rest(&character), &shown(arm(DMat4::IDENTITY))) < 1e-6);
    assert_eq!(character.bones[2].position(), DVec3::X * 2.0);
    assert_eq!(character.clips[0].name, "original_pose");
    assert!(farthest(&at_key(&character, 0), &shown(bent(arm(DMat4::IDENTITY), 60.0))) < 1e-6);
}

#[test]
fn an_armature_in_centimetres_and_lying_down_is_baked_into_the_bones() {
    let mut scene = arm(unit_and_axes());
    scene.nodes[4].local = DMat4::IDENTITY;
    let expected = shown(scene.clone());
    scene.clips = vec![wave()];
    let character = Character::from_scene(scene.clone()).unwrap();
    assert!(farthest(&at_rest(&character), &expected) < 1e-8);
    for bone in &character.bones {
        let (scale, _, _) = bone.rest.to_scale_rotation_translation();
        assert!((scale - DVec3::ONE).abs().max_element() < 1e-9, "{}", bone.name);
    }
    // What the clip does in the file, it does to the character.
    for (key, (degrees, lift)) in [(0.0, 0.0), (40.0, 0.5), (90.0, 1.0)].into_iter().enumerate() {
        let mut posed = bent(scene.clone(), degrees);
        posed.nodes[1].local = moved(0.0, 0.2 * lift, 0.1 * lift);
        assert!(farthest(&at_key(&character, key), &shown(posed)) < 1e-7, "key {key}");
    }
}

#[test]
fn a_clip_survives_the_glb() {
    let mut scene = arm(unit_and_axes());
    scene.clips = vec![wave()];
    let character = Character::from_scene(scene).unwrap();
    let again = reread(&character);
    assert_eq!(again.clips[0].name, "wave");
    for key in 0..3 {
        assert!(farthest(&at_key(&character, key), &at_key(&again, key)) < 1e-7);
    }
}

#[test]
fn bones_with_axes_of_their_own_survive_the_glb() {
    let mut character = Character::from_scene(arm(DMat4::IDENTITY)).unwrap();
    for (index, bone) in character.bones.iter_mut().enumerate() {
        bone.rest *= DMat4::from_rotation_z(0.4 + index as f64) * DMat4::from_rotation_x(2.0);
    }
    let again = reread(&character);
    for (a, b) in character.bones.iter().zip(&again.bones) {
        assert!(a.rest.abs_diff_eq(b.rest, 1e-6), "{}", a.name);
    }
    let turns = [(1, DQuat::from_rotation_y(0.7)), (2, DQuat::from_rotation_x(0.3))];
    let posed = |c: &Character| flat(c.deformed(&c.turned(&turns)));
    assert!(farthest(&posed(&character), &posed(&again)) < 1e-6);
    assert!(again.clips.is_empty());
}

#[test]
fn a_mirroring_scale_becomes_a_rotation_and_a_turned_winding() {
    let scene = arm(DMat4::from_scale(DVec3::new(-1.0, 1.0, 1.0)));
    let expected = shown(scene.clone());
    let character = Character::from_scene(bent(scene.clone(), 30.0)).unwrap();
    assert!(farthest(&at_rest(&character), &expected) < 1e-6);
    assert!(character.bones.iter().all(|b| b.rest.determinant() > 0.999));
    assert!(farthest(&at_key(&character, 0), &shown(bent(scene, 30.0))) < 1e-6);
}

#[test]
fn a_mesh_without_a_skin_follows_the_bone_it_hangs_on() {
    let mut scene = arm(DMat4::IDENTITY);
    scene.meshes.push(autorig_engine::scene::Mesh { primitives: vec![strip(1)], ..Default::default() });
    scene.nodes[3].children = vec![5];
    scene
        .nodes
        .push(autorig_engine::scene::Node { mesh: Some(1), ..node("Sword", moved(0.0, 0.5, 0.0), &[]) });
    let expected = shown(bent(scene.clone(), 90.0));
    let character = Character::from_scene(bent(scene, 90.0)).unwrap();
    assert_eq!(character.bones.len(), 3);
    assert!(farthest(&at_key(&character, 0), &expected) < 1e-6);
    assert!(character.influences[0][0].joints.iter().all(|j| *j == 2), "the sword is met first");
}

#[test]
fn skins_that_disagree_are_laid_on_the_larger_one() {
    let mut scene = arm(DMat4::IDENTITY);
    let mut other = scene.meshes[0].clone();
    other.primitives[0].influences = Some(crate::build::strip_weights(5, 2));
    scene.meshes.push(other);
    scene.nodes[0].children.push(5);
    scene.nodes.push(autorig_engine::scene::Node {
        mesh: Some(1),
        skin: Some(1),
        ..node("Glove", DMat4::IDENTITY, &[])
    });
    // The second skin was made with a bent elbow.
    let bend = moved(1.0, 0.0, 0.0) * DMat4::from_rotation_z(0.5);
    scene.skins.push(autorig_engine::scene::Skin {
        joints: vec![1, 2],
        inverse_bind: vec![DMat4::IDENTITY, bend.inverse()],
    });
    let expected = shown(scene.clone());
    let character = Character::from_scene(scene).unwrap();
    assert!(farthest(&at_rest(&character), &expected) < 1e-6);
    assert!(character.scene.warnings.iter().any(|w| w.code == "skins_disagree"));
}

#[test]
fn trees_that_nothing_joins_get_a_root() {
    let mut scene = arm(DMat4::IDENTITY);
    scene.nodes[0].children = vec![4];
    scene.nodes[2].children = vec![];
    scene.roots = vec![0, 1, 3];
    scene.nodes[3].local = moved(2.0, 0.0, 0.0);
    let character = Character::from_scene(scene).unwrap();
    let names: Vec<&str> = character.bones.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["root", "Upper", "Lower", "Hand"]);
    assert_eq!(
        character.bones.iter().map(|b| b.parent).collect::<Vec<_>>(),
        [None, Some(0), Some(1), Some(0)]
    );
    reread(&character);
}

#[test]
fn bones_of_one_name_get_different_ones() {
    let mut scene = arm(DMat4::IDENTITY);
    for node in &mut scene.nodes {
        node.name = "Bone".to_owned();
    }
    let character = Character::from_scene(scene).unwrap();
    let names: Vec<&str> = character.bones.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["Bone", "Bone_2", "Bone_3"]);
    assert!(character.scene.warnings.iter().any(|w| w.code == "bones_renamed"));
}

#[test]
fn broken_weights_are_cleaned() {
    let mut scene = arm(DMat4::IDENTITY);
    let influences = scene.meshes[0].primitives[0].influences.as_mut().unwrap();
    influences.weights[0] = f32::NAN;
    influences.weights[1] = 0.25;
    (influences.joints[2], influences.joints[3]) = (1, 1);
    (influences.weights[2], influences.weights[3]) = (0.6, 0.2);
    (influences.joints[4], influences.weights[4], influences.weights[5]) = (900, 1.0, 0.0);
    let character = Character::from_scene(scene).unwrap();
    let clean = &character.influences[0][0];
    for (joints, weights) in clean.iter() {
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let used: Vec<u16> = joints.iter().zip(weights).filter(|(_, w)| **w > 0.0).map(|(j, _)| *j).collect();
        assert!(!used.is_empty() && used.windows(2).all(|p| p[0] != p[1]));
        assert!(used.iter().all(|j| usize::from(*j) < character.bones.len()));
    }
    assert_eq!(&clean.joints[clean.per_vertex..clean.per_vertex + 1], [1]);
    assert!(character.scene.warnings.iter().any(|w| w.code == "weights_repaired"));
}

#[test]
fn a_model_without_a_skin_has_no_bones_and_is_written_as_it_is() {
    let scene = sample::generate(sample::Sample::Robot, Some(2_000)).unwrap();
    let expected = shown(scene.clone());
    let character = Character::from_scene(scene).unwrap();
    assert!(character.bones.is_empty() && character.clips.is_empty());
    let glb = character_glb(&character).unwrap();
    let again: Scene = autorig_engine::read::read(&Source::bytes("a.glb", glb), &Limits::default()).unwrap();
    assert!(again.skins.is_empty());
    assert_eq!(shown(again), expected);
}

#[test]
fn a_moving_part_without_a_skin_is_a_bone() {
    let mut scene = arm(DMat4::IDENTITY);
    scene.skins.clear();
    scene.nodes[4].skin = None;
    scene.meshes[0].primitives[0].influences = None;
    scene.nodes[0].children = vec![1];
    scene.nodes[3].children = vec![4];
    scene.clips = vec![wave()];
    let expected = shown(bent(scene.clone(), 40.0));
    let character = Character::from_scene(scene).unwrap();
    assert_eq!(character.bones[0].name, "Upper");
    let half = at_key(&character, 1);
    let lift = DVec3::new(0.0, 0.1, 0.05);
    let lifted: Vec<DVec3> = expected.iter().map(|p| *p + lift).collect();
    assert!(farthest(&half, &lifted) < 1e-6);
}
