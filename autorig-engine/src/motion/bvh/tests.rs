use glam::{DQuat, DVec3};
use proptest::prelude::*;

use super::{read, write};
use crate::{
    Code, Limits,
    motion::{
        Clip, Values,
        measure::{is_sound, rest, world},
        tests::sample,
    },
    sample::Sample,
};

const FILE: &str = "HIERARCHY\r\nROOT mixamorig:Hips {\r\n\tOFFSET 0 90 0\r\n\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\r\n\
\tJOINT mixamorig:Left Up Leg\r\n\t{\r\n\t\tOFFSET 9.0 -1e0 0\r\n\t\tCHANNELS 3 Zrotation Xrotation Yrotation\r\n\t\tEnd Site\r\n\t\t{\r\n\t\t\tOFFSET 0 -40 0\r\n\t\t}\r\n\t}\r\n\
\tJOINT Head\r\n\t{\r\n\t\tOFFSET 0 60 0\r\n\t\tCHANNELS 3 Zrotation Xrotation Yrotation\r\n\t\tEnd Site\r\n\t\t{\r\n\t\t\tOFFSET 0 15 0\r\n\t\t}\r\n\t}\r\n}\r\n\
MOTION\r\nFrames:\t2\r\nFrame Time:\t0.0333333333\r\n0 90 0 0 0 0 0 0 0 0 0 0\r\n0 9.1E1 5 90 0 0 0 -30 0 10 20 30";

fn text(file: &str) -> crate::Result<crate::Character> {
    read("take", file.as_bytes(), &Limits::default())
}

fn rotations<'a>(clip: &'a Clip, joint: usize) -> &'a [DQuat] {
    let of = |t: &'a super::super::Track| match &t.values {
        Values::Rotations(q) if t.joint == joint => Some(q.as_slice()),
        _ => None,
    };
    clip.tracks.iter().find_map(of).unwrap()
}

#[test]
fn tabs_line_ends_exponents_and_names_with_spaces_and_colons_are_read() {
    let character = text(FILE).unwrap();
    let names: Vec<&str> = character.bones.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(
        names,
        ["mixamorig:Hips", "mixamorig:Left Up Leg", "mixamorig:Left Up Leg_end", "Head", "Head_end"]
    );
    assert_eq!(character.find("leftUpperLeg"), Some(1));
    assert_eq!(character.bones[1].position(), DVec3::new(9.0, 89.0, 0.0));
    let clip = &character.clips[0];
    assert_eq!(clip.times.len(), 2);
    assert!(character.scene.warnings.is_empty());
    assert!((character.frame.scale - 0.01).abs() < 1e-12, "centimetres");
}

#[test]
fn rotations_are_the_product_in_the_order_listed_and_positions_replace_the_offset() {
    let character = text(FILE).unwrap();
    let clip = &character.clips[0];
    let turn = |axis: DVec3, degrees: f64| DQuat::from_axis_angle(axis, degrees.to_radians());
    let head = turn(DVec3::Z, 10.0) * turn(DVec3::X, 20.0) * turn(DVec3::Y, 30.0);
    assert!(rotations(clip, 3)[1].angle_between(head) < 1e-9);
    let posed = world(&character, &clip.sample(1.0, &rest(&character)));
    assert_eq!(posed[0].w_axis.truncate(), DVec3::new(0.0, 91.0, 5.0));
    assert!(posed[3].w_axis.truncate().distance(DVec3::new(-60.0, 91.0, 5.0)) < 1e-9);
}

#[test]
fn a_wrong_frame_count_is_a_warning_and_what_is_there_is_read() {
    for (said, frames) in [("Frames:\t9", 2), ("Frames:\t1", 2)] {
        let character = text(&FILE.replace("Frames:\t2", said)).unwrap();
        assert_eq!(character.clips[0].times.len(), frames);
        assert_eq!(character.scene.warnings[0].code, "bvh_frame_count");
    }
    let half = FILE.rsplit_once(' ').unwrap().0;
    let character = text(half).unwrap();
    assert_eq!(character.clips[0].times.len(), 1, "half a frame is none");
    assert_eq!(character.scene.warnings[0].code, "bvh_frame_count");
}

#[test]
fn an_impossible_frame_time_is_a_warning() {
    let character = text(&FILE.replace("0.0333333333", "0")).unwrap();
    assert_eq!(character.scene.warnings[0].code, "bvh_frame_time");
    assert!((character.clips[0].times[1] - 1.0 / 30.0).abs() < 1e-6);
}

#[test]
fn what_is_no_bvh_or_contradicts_itself_is_refused_with_a_code_of_its_own() {
    let code = |file: &str| text(file).unwrap_err().code;
    assert_eq!(code(""), Code::EmptyFile);
    assert_eq!(code("solid cube"), Code::UnknownFormat);
    assert_eq!(code("HIERARCHY\nROOT Hips\n{\n"), Code::TruncatedFile);
    assert_eq!(code(FILE.split_once("0 90 0 0 0").unwrap().0), Code::TruncatedFile);
    assert_eq!(code(&FILE.replace("OFFSET 0 60 0", "OFFSET 0 60")), Code::CorruptFile);
    assert_eq!(code(&FILE.replace("9.1E1", "nan")), Code::CorruptFile);
    assert_eq!(code(&FILE.replace("9.1E1", "1e300")), Code::CorruptFile);
    assert_eq!(code(&FILE.replace("CHANNELS 3", "CHANNELS 4")), Code::CorruptFile);
    assert_eq!(code(&FILE.replacen('}', "}}}}}", 1)), Code::CorruptFile);
    assert_eq!(code(&FILE.replace("JOINT Head", "ROOT Head")), Code::CorruptFile);
    let few = Limits { nodes: 3, ..Limits::default() };
    assert_eq!(read("take", FILE.as_bytes(), &few).unwrap_err().code, Code::LimitNodes);
}

#[test]
fn what_is_written_is_read_back_as_the_same_motion() {
    let character = sample(Sample::Human);
    let clip = crate::motion::library::clip(&character, "walk_root").unwrap();
    let text = write(&character, &clip, 30.0).unwrap();
    let read = read("walk", text.as_bytes(), &Limits::default()).unwrap();
    assert!(read.scene.warnings.is_empty(), "{:?}", read.scene.warnings);
    for (b, bone) in character.bones.iter().enumerate() {
        let again = read.bones.iter().position(|r| r.name == bone.name).unwrap();
        for time in [0.0, 0.2, 0.5, 1.0] {
            let a = world(&character, &clip.resampled(30.0).sample(time, &rest(&character)))[b];
            let c = world(&read, &read.clips[0].sample(time, &rest(&read)))[again];
            assert!(a.w_axis.distance(c.w_axis) < 1e-5, "{} at {time}", bone.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_mutation_of_a_file_makes_the_reader_panic_or_a_clip_unsound(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..12)
    ) {
        let mut bytes = FILE.as_bytes().to_vec();
        for (at, byte, kind) in edits {
            let i = at.index(bytes.len());
            match kind {
                0 => bytes[i] = byte,
                1 => bytes.insert(i, b"{} \n0-e.9"[usize::from(byte) % 9]),
                2 => { bytes.remove(i); }
                _ => bytes.truncate(i.max(1)),
            }
            if bytes.is_empty() { bytes.push(byte); }
        }
        if let Ok(character) = read("mutated", &bytes, &Limits::default()) {
            prop_assert!(is_sound(&character.clips[0]));
            prop_assert!(character.bones.iter().all(|b| b.rest.is_finite()));
        }
    }
}
