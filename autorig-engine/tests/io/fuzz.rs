//! Arbitrary and damaged input: an answer, never a panic.

use autorig_engine::motion::{bvh, measure::is_sound};
use autorig_engine::read::{Source, read};
use autorig_engine::{Code, Limits, write};
use proptest::prelude::*;
use serde_json::json;

use crate::build::{F32, Glb, U8, U16, floats, png, shorts};

/// Small limits, so that what a damaged count asks for is refused soon.
fn limits() -> Limits {
    Limits { decoded_bytes: 1 << 20, triangles: 10_000, ..Limits::default() }
}

/// Reads, flattens and writes; whatever comes of it must be a value.
fn swallow(name: &str, bytes: Vec<u8>) {
    let limits = limits();
    let outcome = read(&Source::bytes(name, bytes), &limits).and_then(|scene| {
        // What was read can be written, flattened or not.
        write::scene_glb(&scene)?;
        let scene = scene.flatten(&limits)?;
        write::scene_glb(&scene)
    });
    if let Err(error) = outcome {
        assert_ne!(error.code, Code::Internal, "{error}");
        assert!(!error.message.is_empty() && !error.remedy.is_empty());
    }
}

const BVH: &[u8] = b"HIERARCHY
ROOT Hips {
  OFFSET 0 90 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine { OFFSET 0 20 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 0 30 0 } }
  JOINT LeftUpLeg { OFFSET 10 0 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 0 -40 0 } }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 90 0 0 0 0 10 0 0 0 20 0
1 91 0 0 5 0 10 0 0 0 20 1e1
";

/// A file that uses most of what the reader knows.
fn seed() -> Glb {
    let mut glb = Glb::tetrahedron();
    let uv = glb.accessor(U16, "VEC2", 4, &shorts(&[0, 65535, 7, 9, 1, 2, 3, 4]));
    let joints = glb.accessor(U8, "VEC4", 4, &[0, 1, 0, 0].repeat(4));
    let weights = glb.accessor(F32, "VEC4", 4, &floats(&[0.5, 0.5, 0.0, 0.0].repeat(4)));
    let normal = glb.accessor(F32, "VEC3", 4, &floats(&[0.0, 0.0, 1.0].repeat(4)));
    let inverse = glb.accessor(F32, "MAT4", 2, &floats(&glam::Mat4::IDENTITY.to_cols_array().repeat(2)));
    let indices = glb.view(&shorts(&[1, 3]));
    let values = glb.view(&floats(&[0.5; 6]));
    let sparse = json!({
        "count": 2, "indices": {"bufferView": indices, "componentType": U16}, "values": {"bufferView": values},
    });
    let morph =
        glb.push("accessors", json!({"componentType": F32, "type": "VEC3", "count": 4, "sparse": sparse}));
    let image = glb.view(&png(2, 2));
    glb.push("images", json!({"bufferView": image, "mimeType": "image/png"}));
    glb.push("textures", json!({"source": 0}));
    glb.push("materials", json!({"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}));
    glb.json["meshes"][0]["primitives"][0] = json!({
        "attributes": {"POSITION": 0, "NORMAL": normal, "TEXCOORD_0": uv, "JOINTS_0": joints, "WEIGHTS_0": weights},
        "indices": 1, "material": 0, "targets": [{"POSITION": morph}],
    });
    glb.push("nodes", json!({"children": [2], "scale": [2, 2, 2]}));
    glb.push("nodes", json!({"translation": [0, 1, 0]}));
    glb.push("skins", json!({"joints": [1, 2], "inverseBindMatrices": inverse}));
    glb.json["nodes"][0]["skin"] = json!(0);
    glb
}

#[test]
fn the_seed_is_sound() {
    let scene = seed().read().unwrap();
    assert!(scene.warnings.is_empty(), "{:?}", scene.warnings);
    swallow("seed.glb", seed().bytes());
}

/// Values that are wrong in places where a glTF has numbers.
fn wrong() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        (0u64..12).prop_map(|n| json!(n)),
        Just(json!(u64::MAX)),
        Just(json!(i64::MIN)),
        Just(json!(4_294_967_295u64)),
        Just(json!(2_147_483_647)),
        Just(json!(1e300)),
        Just(json!(-1e-300)),
        Just(json!(null)),
        Just(json!("VEC3")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([1, 2, 3])),
        Just(json!(true)),
    ]
}

/// Every place in the JSON.
fn places(value: &serde_json::Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        serde_json::Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| places(v, &format!("{at}/{i}"), found));
        }
        serde_json::Value::Object(map) => {
            map.iter().for_each(|(k, v)| places(v, &format!("{at}/{k}"), found));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        swallow("x.glb", bytes.clone());
        let mut glb = b"glTF\x02\0\0\0".to_vec();
        glb.extend((bytes.len() as u32 + 12).to_le_bytes());
        glb.extend(&bytes);
        swallow("x.glb", glb);
    }

    #[test]
    fn a_glb_with_damaged_bytes_is_refused_or_read(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = seed().bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        swallow("x.glb", bytes);
    }

    #[test]
    fn a_glb_with_wrong_values_is_refused_or_read(
        edits in prop::collection::vec((any::<prop::sample::Index>(), wrong()), 1..4),
    ) {
        let mut glb = seed();
        for (at, value) in edits {
            let mut found = Vec::new();
            places(&glb.json, "", &mut found);
            let place = &found[at.index(found.len())];
            *glb.json.pointer_mut(place).unwrap() = value;
        }
        if glb.json.is_object() {
            swallow("x.glb", glb.bytes());
        }
    }

    #[test]
    fn arbitrary_text_as_obj_is_refused_or_read(
        lines in prop::collection::vec("(v|vt|vn|f|o|g|usemtl|mtllib|l|#)? ?[-+0-9./e \\\\a]{0,24}", 0..16),
    ) {
        swallow("x.obj", lines.join("\n").into_bytes());
    }

    #[test]
    fn an_obj_of_arbitrary_faces_is_refused_or_read(
        points in prop::collection::vec([-9i32..9, -9..9, -9..9], 3..12),
        faces in prop::collection::vec(prop::collection::vec((1usize..12, -3i32..4), 1..9), 1..12),
    ) {
        let mut text: String = points.iter().map(|p| format!("v {} {} {}\n", p[0], p[1], p[2])).collect();
        text.push_str("vt 0 0\nvt 1 1\nvt 1 0\n");
        for face in faces {
            text.push('f');
            for (v, vt) in face {
                let v = (v - 1) % points.len() + 1;
                text.push_str(&if vt == 0 { format!(" {v}") } else { format!(" {v}/{vt}") });
            }
            text.push('\n');
        }
        swallow("x.obj", text.into_bytes());
    }

    #[test]
    fn a_bvh_with_damaged_bytes_is_refused_or_read(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = BVH.to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        match bvh::read("x", &bytes, &limits()) {
            Ok(take) => prop_assert!(take.clips.iter().all(is_sound)),
            Err(error) => prop_assert!(error.code != Code::Internal, "{error}"),
        }
    }

    #[test]
    fn whatever_transform_a_node_has_the_result_is_finite_or_refused(
        matrix in prop::array::uniform16(prop_oneof![Just(0.0), -1e3..1e3f64, -1e40..1e40f64]),
    ) {
        let mut glb = seed();
        glb.json["nodes"][0] = json!({"mesh": 0, "matrix": matrix});
        swallow("x.glb", glb.bytes());
    }
}
