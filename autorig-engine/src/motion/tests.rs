//! What every clip of the library promises, on characters of all kinds.

use glam::{DMat3, DMat4, DQuat, DVec3};

use super::{
    clip::{Clip, Values, apart},
    kinematics::{pitch, roll, yaw},
    library,
    measure::{Measure, is_sound, measure, rest, world},
};
use crate::{
    Character, Limits,
    analyse::Frame,
    character::Bone,
    sample::{Sample, generate, truth},
    scene::Influences,
};

/// A generated character on the skeleton it was built around, every vertex on its nearest bone.
pub(super) fn sample(sample: Sample) -> Character {
    let scene = generate(sample, Some(3_000)).unwrap().flatten(&Limits::default()).unwrap();
    let mut bones = vec![bone("root", None, DVec3::ZERO)];
    for joint in truth(sample) {
        let parent = joint.parent.map_or(Some(0), |p| bones.iter().position(|b| b.name == p));
        bones.push(bone(&joint.name, parent, DVec3::from(joint.position)));
    }
    let influences =
        scene.meshes.iter().map(|m| m.primitives.iter().map(|p| bind(&bones, &p.positions)).collect());
    let frame = Frame { rotation: DMat3::IDENTITY, scale: 1.0, origin: DVec3::ZERO };
    Character { influences: influences.collect(), scene, bones, clips: Vec::new(), frame }
}

fn bone(name: &str, parent: Option<usize>, at: DVec3) -> Bone {
    Bone {
        name: name.to_owned(),
        parent,
        rest: DMat4::from_translation(at),
        canonical: Some(name.to_owned()),
    }
}

fn bind(bones: &[Bone], positions: &[[f32; 3]]) -> Influences {
    let nearest = |p: DVec3| {
        let mut best = (f64::INFINITY, 0);
        for (b, bone) in bones.iter().enumerate().skip(2) {
            let Some(parent) = bone.parent.filter(|p| *p > 0) else { continue };
            let (from, way) = (bones[parent].position(), bone.position() - bones[parent].position());
            let share = ((p - from).dot(way) / way.length_squared()).clamp(0.0, 1.0);
            let leaf = !bones.iter().any(|x| x.parent == Some(b));
            let tries = [(p.distance(from + way * share), parent), (0.9 * p.distance(bone.position()), b)];
            for one in tries.into_iter().take(if leaf { 2 } else { 1 }) {
                // A heel is as near to the shin's end as to the foot's beginning, and belongs to the foot.
                best = if one.0 <= best.0 { one } else { best };
            }
        }
        best.1 as u16
    };
    let joints: Vec<u16> = positions.iter().map(|p| nearest(DVec3::from(p.map(f64::from)))).collect();
    Influences { per_vertex: 1, weights: vec![1.0; joints.len()], joints }
}

fn feet(character: &Character) -> Vec<usize> {
    let names = ["leftFoot", "rightFoot", "leftHindToes", "rightHindToes", "leftFrontToes", "rightFrontToes"];
    names.iter().filter_map(|n| character.find(n)).collect()
}

fn measured(character: &Character, name: &str) -> Measure {
    measure(character, &library::clip(character, name).unwrap(), &feet(character))
}

/// Places of all bones in canonical space at a time.
pub(super) fn places(character: &Character, clip: &Clip, time: f32) -> Vec<DVec3> {
    let world = world(character, &clip.sample(time, &rest(character)));
    world.iter().map(|m| character.frame.to_canonical(m.w_axis.truncate())).collect()
}

fn times(clip: &Clip) -> impl Iterator<Item = f32> {
    let duration = clip.duration();
    (0..=40).map(move |i| duration * i as f32 / 40.0)
}

/// The same character in another rest pose, with bone frames of its own, in a file of another frame and unit.
pub(super) fn disguised(character: &Character, arms: f64) -> Character {
    let mut other = character.clone();
    let turn = |name: &str| match name {
        "leftUpperArm" => roll(-arms),
        "rightUpperArm" => roll(arms),
        _ => DQuat::IDENTITY,
    };
    let to_file = DMat3::from_cols(DVec3::X, DVec3::Z, DVec3::NEG_Y).transpose();
    let scale = 0.01;
    other.frame = Frame { rotation: to_file, scale, origin: DVec3::new(3.0, 4.0, 5.0) };
    let mut turns: Vec<DQuat> = Vec::new();
    let mut at: Vec<DVec3> = Vec::new();
    for bone in &character.bones {
        let above = bone.parent.map_or(DQuat::IDENTITY, |p| turns[p]);
        at.push(bone.parent.map_or(bone.position(), |p| {
            at[p] + turns[p] * (bone.position() - character.bones[p].position())
        }));
        turns.push(above * turn(&bone.name));
    }
    for (b, bone) in other.bones.iter_mut().enumerate() {
        let own = yaw(37.0 * b as f64) * pitch(71.0 * b as f64);
        bone.rest = DMat4::from_rotation_translation(own, other.frame.to_file(at[b]));
    }
    for (mesh, influences) in other.scene.meshes.iter_mut().zip(&character.influences) {
        for (primitive, influences) in mesh.primitives.iter_mut().zip(influences) {
            for (p, joint) in primitive.positions.iter_mut().zip(&influences.joints) {
                let b = usize::from(*joint);
                let moved =
                    at[b] + turns[b] * (DVec3::from(p.map(f64::from)) - character.bones[b].position());
                *p = other.frame.to_file(moved).as_vec3().to_array();
            }
        }
    }
    other
}

#[test]
fn every_clip_is_finite_rises_in_time_and_has_unit_quaternions() {
    for (kind, names) in [
        (Sample::Human, library::HUMANOID),
        (Sample::Cartoon, library::HUMANOID),
        (Sample::Robot, library::HUMANOID),
        (Sample::Quadruped, library::QUADRUPED),
    ] {
        let clips = library::clips(&sample(kind));
        assert_eq!(clips.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), names);
        for clip in &clips {
            assert!(is_sound(clip), "{} of {}", clip.name, kind.name());
            assert!(clip.duration() >= 0.3, "{} of {}", clip.name, kind.name());
        }
    }
}

#[test]
fn loops_close_exactly() {
    for kind in Sample::ALL {
        for clip in library::clips(&sample(kind)).iter().filter(|c| library::loops(&c.name)) {
            for track in &clip.tracks {
                if let Values::Rotations(q) = &track.values {
                    let seam = apart(q[0], q[q.len() - 1]);
                    assert!(seam < 1e-6, "{} of {}: {seam}", clip.name, kind.name());
                }
            }
        }
    }
}

#[test]
fn feet_on_the_ground_do_not_slide() {
    for kind in [Sample::Human, Sample::Cartoon, Sample::Robot] {
        let character = sample(kind);
        for name in library::HUMANOID {
            // In place the ground goes by, and lying down is no standing.
            if ["walk", "run", "death", "range_of_motion"].contains(name) {
                continue;
            }
            let m = measured(&character, name);
            assert!(m.slide_cm < 1.0, "{name} of {}: {m:?}", kind.name());
        }
    }
}

#[test]
fn soles_stay_where_they_are_whatever_the_skin_around_the_ankle_does() {
    let mut character = sample(Sample::Human);
    // Feet that follow the shin by a fifth, as smooth weights have it.
    let [foot, shin] = ["leftFoot", "leftLowerLeg"].map(|n| character.find(n).unwrap() as u16);
    for influences in character.influences.iter_mut().flatten() {
        let joints = std::mem::take(&mut influences.joints);
        influences.per_vertex = 2;
        influences.weights =
            joints.iter().flat_map(|j| if *j == foot { [0.8, 0.2] } else { [1.0, 0.0] }).collect();
        influences.joints = joints.iter().flat_map(|j| [*j, if *j == foot { shin } else { 0 }]).collect();
    }
    for name in ["walk_root", "sit", "crouch", "turn_left"] {
        let m = measured(&character, name);
        assert!(m.slide_cm < 1.5, "{name}: {m:?}");
    }
}

/// How deep the hands go into the trunk in a clip at most, in metres: beside the nearest vertex, against its normal.
fn deepest(character: &Character, clip: &Clip) -> f64 {
    let trunk: Vec<usize> =
        ["hips", "spine", "chest", "upperChest"].iter().filter_map(|n| character.find(n)).collect();
    let mut skin = Vec::new();
    for (mesh, influences) in character.scene.meshes.iter().zip(&character.influences) {
        for (primitive, influences) in mesh.primitives.iter().zip(influences) {
            let normals = primitive.normals.clone().unwrap_or_default();
            let vertices = primitive.positions.iter().zip(normals).zip(&influences.joints);
            skin.extend(vertices.filter(|(_, j)| trunk.contains(&usize::from(**j))).map(|((p, n), j)| {
                (DVec3::from(p.map(f64::from)), DVec3::from(n.map(f64::from)), usize::from(*j))
            }));
        }
    }
    let hands = ["leftHand", "rightHand"].map(|n| character.find(n).unwrap());
    let mut deepest = 0.0_f64;
    for time in times(clip) {
        let world = world(character, &clip.sample(time, &rest(character)));
        let skinning: Vec<DMat4> =
            world.iter().zip(&character.bones).map(|(w, b)| *w * b.rest.inverse()).collect();
        for hand in hands {
            let at = world[hand].w_axis.truncate();
            let posed = skin
                .iter()
                .map(|(p, n, j)| (skinning[*j].transform_point3(*p), skinning[*j].transform_vector3(*n)));
            let nearest = posed.min_by(|a, b| a.0.distance(at).total_cmp(&b.0.distance(at)));
            if let Some((p, normal)) = nearest {
                deepest = deepest.max((p - at).dot(normal.normalize_or_zero()));
            }
        }
    }
    deepest
}

#[test]
fn hands_stay_out_of_the_trunk() {
    for kind in [Sample::Human, Sample::Cartoon] {
        let character = sample(kind);
        for clip in library::clips(&character) {
            if !["range_of_motion", "death"].contains(&clip.name.as_str()) {
                let depth = deepest(&character, &clip);
                assert!(depth < 0.01, "{} of {}: {depth} m", clip.name, kind.name());
            }
        }
    }
}

#[test]
fn nothing_goes_through_the_floor() {
    for kind in Sample::ALL {
        let character = sample(kind);
        for clip in library::clips(&character) {
            let m = measure(&character, &clip, &[]);
            // Feet of one stiff piece roll over edges that a sole's outline does not know.
            let most = match kind {
                Sample::Human => 1.0,
                Sample::Cartoon => 1.5,
                Sample::Robot | Sample::Quadruped => 4.0,
            };
            assert!(m.sunk_cm < most, "{} of {}: {m:?}", clip.name, kind.name());
        }
    }
}

#[test]
fn knees_bend_forward_and_elbows_back() {
    for kind in [Sample::Human, Sample::Cartoon, Sample::Robot] {
        let character = sample(kind);
        let at = |name: &str| character.find(name).unwrap();
        for name in ["idle", "walk", "run", "crouch", "sit", "jump"] {
            let clip = library::clip(&character, name).unwrap();
            for (time, side) in times(&clip).flat_map(|t| [(t, "left"), (t, "right")]) {
                let p = places(&character, &clip, time);
                let bend = |limb: [&str; 3]| {
                    let [a, b, c] = limb.map(|n| p[at(&format!("{side}{n}"))]);
                    (b - a).reject_from((c - a).normalize()).z / a.distance(c)
                };
                let knee = bend(["UpperLeg", "LowerLeg", "Foot"]);
                assert!(knee > 0.0, "knee in {name} of {} at {time}: {knee}", kind.name());
                let elbow = bend(["UpperArm", "LowerArm", "Hand"]);
                let hangs = p[at(&format!("{side}Hand"))].y < p[at(&format!("{side}UpperArm"))].y;
                assert!(!hangs || elbow < 0.03, "elbow in {name} of {} at {time}: {elbow}", kind.name());
            }
        }
    }
}

#[test]
fn a_clip_looks_the_same_whatever_pose_frame_unit_and_bone_frames_the_character_came_with() {
    let character = sample(Sample::Human);
    for arms in [0.0, 45.0, 75.0] {
        let other = disguised(&character, arms);
        for name in ["walk", "wave", "t_pose"] {
            let (a, b) = (library::clip(&character, name).unwrap(), library::clip(&other, name).unwrap());
            let (p, q) = (places(&character, &a, 0.4), places(&other, &b, 0.4));
            let far = p.iter().zip(&q).map(|(p, q)| p.distance(*q)).fold(0.0, f64::max);
            assert!(far < 0.02, "{name} with arms {arms}° down: {far}");
        }
    }
}

#[test]
fn root_motion_travels_as_far_as_the_feet_push_and_in_place_does_not() {
    let character = sample(Sample::Human);
    let hips = character.find("hips").unwrap();
    let way = |name: &str| {
        let clip = library::clip(&character, name).unwrap();
        let [a, b] = [0.0, clip.duration()].map(|t| places(&character, &clip, t)[hips]);
        b - a
    };
    assert!(way("walk").length() < 1e-9);
    let root = way("walk_root");
    assert!(root.z > 0.8 && root.x.abs() < 1e-9 && root.y.abs() < 1e-9, "{root}");
}

#[test]
fn clapping_hands_meet_in_the_middle_and_do_not_cross() {
    for kind in [Sample::Human, Sample::Cartoon, Sample::Robot] {
        let character = sample(kind);
        let clip = library::clip(&character, "clap").unwrap();
        let hands = ["leftHand", "rightHand"].map(|n| character.find(n).unwrap());
        let apart: Vec<f64> = times(&clip)
            .map(|t| {
                let p = places(&character, &clip, t);
                p[hands[0]].x - p[hands[1]].x
            })
            .collect();
        let least = apart.iter().copied().fold(f64::INFINITY, f64::min);
        let most = apart.iter().copied().fold(0.0, f64::max);
        assert!(least > 0.0 && most > 2.0 * least, "{}: {least} to {most}", kind.name());
    }
}

#[test]
fn a_creature_without_a_template_sways_what_is_free_and_stands_still_on_what_touches_the_ground() {
    let mut character = sample(Sample::Quadruped);
    for bone in &mut character.bones {
        bone.name = format!("limb_{}", bone.name);
        bone.canonical = None;
    }
    let clips = library::clips(&character);
    assert_eq!(clips.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["idle", "sway"]);
    let of = |c: &Clip, name: &str| {
        let bone = character.bones.iter().position(|b| b.name.ends_with(name)).unwrap();
        (0..8).map(|i| places(&character, c, i as f32 / 2.0)[bone]).collect::<Vec<_>>()
    };
    let foot = of(&clips[0], "leftHindToes");
    assert!(foot.iter().all(|p| p.distance(foot[0]) < 1e-9));
    let head = of(&clips[0], "head");
    assert!(head.iter().any(|p| p.distance(head[0]) > 0.002));
}

#[test]
fn what_has_wings_beats_them_together_and_draws_up_its_legs() {
    let mut character = sample(Sample::Quadruped);
    for bone in &mut character.bones {
        let wing = bone.name.replace("FrontFoot", "WingHand").replace("FrontToes", "WingTip");
        let wing = wing.replace("FrontUpperLeg", "UpperWing").replace("FrontLowerLeg", "LowerWing");
        bone.canonical = Some(wing.replace("Hind", ""));
    }
    let fly = library::clip(&character, "fly").unwrap();
    assert!(library::loops("fly") && is_sound(&fly));
    let bone = |name: &str| character.bones.iter().position(|b| b.name == name).unwrap();
    let way =
        |name: &str| -> Vec<DVec3> { times(&fly).map(|t| places(&character, &fly, t)[bone(name)]).collect() };
    let (left, right) = (way("leftFrontToes"), way("rightFrontToes"));
    for (l, r) in left.iter().zip(&right) {
        assert!((l.y - r.y).abs() < 0.02 && (l.x + r.x).abs() < 0.02, "{l} {r}");
    }
    assert!(left.iter().any(|p| p.distance(left[0]) > 0.1));
    let stood = character.bones[bone("leftHindToes")].position();
    assert!(way("leftHindToes").iter().all(|p| p.distance(stood) > 0.1));
}

#[test]
fn a_character_without_bones_has_no_clips() {
    let mut character = sample(Sample::Human);
    character.bones.clear();
    character.influences.clear();
    assert!(library::clips(&character).is_empty());
    assert!(library::clip(&character, "walk").is_none());
}

#[test]
fn the_same_character_gives_the_same_clips() {
    let character = sample(Sample::Cartoon);
    assert_eq!(library::clips(&character), library::clips(&character.clone()));
}
