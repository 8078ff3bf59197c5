use glam::{DMat4, DQuat, DVec3};

use super::retarget;
use crate::{
    Character, Code, Limits,
    motion::{
        Clip, Values, bvh,
        clip::apart,
        library,
        measure::{is_sound, measure},
        tests::{disguised, places, sample},
    },
    sample::Sample,
};

fn clip(character: &Character, name: &str) -> Clip {
    library::clip(character, name).unwrap()
}

/// Largest distance between the same bones of two characters in metres, over the clips.
fn farthest(a: (&Character, &Clip), b: (&Character, &Clip)) -> f64 {
    let times = (0..=20).map(|i| a.1.duration() * i as f32 / 20.0);
    let at = |t: f32| {
        let (p, q) = (places(a.0, a.1, t), places(b.0, b.1, t));
        p.iter().zip(&q).map(|(p, q)| p.distance(*q)).fold(0.0, f64::max)
    };
    times.map(at).fold(0.0, f64::max)
}

fn without(character: &Character, names: &[&str]) -> Character {
    let mut other = character.clone();
    for name in names {
        let gone = other.bones.iter().position(|b| b.name == *name).unwrap();
        let parent = other.bones[gone].parent;
        for influences in other.influences.iter_mut().flatten() {
            for joint in &mut influences.joints {
                if usize::from(*joint) == gone {
                    *joint = parent.unwrap_or(0) as u16;
                } else if usize::from(*joint) > gone {
                    *joint -= 1;
                }
            }
        }
        other.bones.remove(gone);
        for bone in &mut other.bones {
            bone.parent = bone.parent.and_then(|p| if p == gone { parent } else { Some(p) });
            bone.parent = bone.parent.map(|p| if p > gone { p - 1 } else { p });
        }
    }
    other
}

#[test]
fn a_clip_on_its_own_skeleton_stays_what_it_is() {
    for kind in Sample::ALL {
        let character = sample(kind);
        for clip in library::clips(&character) {
            let same = retarget(&character, &clip, &character).unwrap();
            assert_eq!(same.times, clip.times);
            let far = farthest((&character, &clip), (&character, &same));
            assert!(far < 1e-6, "{} of {}: {far}", clip.name, kind.name());
        }
    }
}

#[test]
fn arms_that_rest_out_and_arms_that_rest_at_the_sides_make_the_same_gesture() {
    let character = sample(Sample::Human);
    let lowered = disguised(&character, 70.0);
    for name in ["walk", "wave", "clap"] {
        let clip = clip(&character, name);
        let there = retarget(&character, &clip, &lowered).unwrap();
        let far = farthest((&character, &clip), (&lowered, &there));
        assert!(far < 0.02, "{name}: {far}");
        let back = retarget(&lowered, &there, &character).unwrap();
        let far = farthest((&character, &clip), (&character, &back));
        assert!(far < 1e-4, "{name} and back: {far}");
    }
}

#[test]
fn a_mirrored_clip_is_mirrored_on_the_other_skeleton() {
    let (human, robot) = (sample(Sample::Human), sample(Sample::Robot));
    let [left, right] =
        ["turn_left", "turn_right"].map(|n| retarget(&human, &clip(&human, n), &robot).unwrap());
    for time in [0.2, 0.7, 1.2] {
        let (p, q) = (places(&robot, &left, time), places(&robot, &right, time));
        for (b, bone) in robot.bones.iter().enumerate() {
            let other = bone.name.strip_prefix("left").map(|n| format!("right{n}"));
            let other = other.or_else(|| bone.name.strip_prefix("right").map(|n| format!("left{n}")));
            let other = robot.find(other.as_deref().unwrap_or(&bone.name)).unwrap();
            let mirrored = DVec3::new(-q[other].x, q[other].y, q[other].z);
            assert!(p[b].distance(mirrored) < 0.02, "{} at {time}", bone.name);
        }
    }
}

#[test]
fn on_other_proportions_a_standing_figure_stands_and_a_walking_one_does_not_sink() {
    let (human, cartoon) = (sample(Sample::Human), sample(Sample::Cartoon));
    let feet: Vec<usize> = ["leftFoot", "rightFoot"].iter().map(|n| cartoon.find(n).unwrap()).collect();
    let of = |name: &str| {
        let there = retarget(&human, &clip(&human, name), &cartoon).unwrap();
        assert!(is_sound(&there));
        measure(&cartoon, &there, &feet)
    };
    for name in ["idle", "walk_root", "run_root", "turn_left", "sit", "jump", "punch", "dance"] {
        let m = of(name);
        assert!(m.slide_cm < 1.2 && m.sunk_cm < 2.0, "{name}: {m:?}");
    }
    let fallen = of("death");
    assert!(fallen.sunk_cm < 3.0, "{fallen:?}");
}

#[test]
fn the_way_is_as_long_as_the_legs_allow() {
    let (human, cartoon) = (sample(Sample::Human), sample(Sample::Cartoon));
    let walk = clip(&human, "walk_root");
    let there = retarget(&human, &walk, &cartoon).unwrap();
    let way = |c: &Character, clip: &Clip| {
        let hips = c.find("hips").unwrap();
        (places(c, clip, clip.duration())[hips] - places(c, clip, 0.0)[hips]).z
    };
    let height = |c: &Character| c.bones[c.find("hips").unwrap()].position().y;
    let ratio = way(&cartoon, &there) / way(&human, &walk);
    assert!((ratio - height(&cartoon) / height(&human)).abs() < 0.03, "{ratio}");
}

#[test]
fn spines_with_fewer_bones_and_hands_without_fingers_follow_all_the_same() {
    let human = sample(Sample::Human);
    let short = without(&human, &["upperChest", "neck", "leftShoulder", "rightShoulder", "leftToes"]);
    for name in ["dance", "walk"] {
        let clip = clip(&human, name);
        let there = retarget(&human, &clip, &short).unwrap();
        let at = |c: &Character, clip: &Clip, bone: &str| places(c, clip, 0.5)[c.find(bone).unwrap()];
        for bone in ["head", "leftHand", "rightFoot"] {
            let far = at(&human, &clip, bone).distance(at(&short, &there, bone));
            assert!(far < 0.08, "{bone} in {name}: {far}");
        }
        let back = retarget(&short, &there, &human).unwrap();
        assert!(is_sound(&back));
    }
}

#[test]
fn a_captured_take_without_a_mesh_lands_on_its_feet() {
    let human = sample(Sample::Human);
    let walk = clip(&human, "walk_root");
    let text = bvh::write(&human, &walk, 30.0).unwrap();
    // Captured skeletons rest around the origin and begin anywhere on the stage.
    let mut take = bvh::read("take", text.as_bytes(), &Limits::default()).unwrap();
    for bone in &mut take.bones {
        bone.rest = DMat4::from_translation(DVec3::new(0.0, -0.9, 0.0)) * bone.rest;
    }
    take.frame.origin.y -= 0.9;
    for track in &mut take.clips[0].tracks {
        if let (0, Values::Translations(v)) = (track.joint, &mut track.values) {
            v.iter_mut().for_each(|p| *p += DVec3::new(3.0, 0.2, -2.0));
        }
    }
    let robot = sample(Sample::Robot);
    let there = retarget(&take, &take.clips[0], &robot).unwrap();
    let m = measure(&robot, &there, &[]);
    assert!(m.sunk_cm < 4.0 && m.raised_cm < 6.0, "{m:?}");
    let hips = places(&robot, &there, 0.0)[robot.find("hips").unwrap()];
    assert!(hips.with_y(0.0).length() < 0.15, "{hips}");
}

#[test]
fn skeletons_without_common_bones_and_clips_of_other_skeletons_are_refused() {
    let human = sample(Sample::Human);
    let mut other = sample(Sample::Quadruped);
    other.bones.iter_mut().for_each(|b| b.canonical = None);
    let walk = clip(&human, "walk");
    assert_eq!(retarget(&human, &walk, &other).unwrap_err().code, Code::InvalidOption);
    assert_eq!(retarget(&human, &Clip::default(), &human).unwrap_err().code, Code::InvalidOption);
    let mut foreign = walk.clone();
    foreign.tracks[0].joint = 999;
    assert_eq!(retarget(&human, &foreign, &human).unwrap_err().code, Code::InvalidOption);
}

#[test]
fn a_loop_stays_a_loop() {
    let (human, cartoon) = (sample(Sample::Human), sample(Sample::Cartoon));
    let there = retarget(&human, &clip(&human, "walk"), &cartoon).unwrap();
    for track in &there.tracks {
        if let Values::Rotations(q) = &track.values {
            assert!(apart(q[0], q[q.len() - 1]) < 0.1);
            assert!(q.windows(2).all(|w: &[DQuat]| w[0].dot(w[1]) >= 0.0));
        }
    }
}
