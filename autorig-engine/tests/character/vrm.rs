//! VRM avatars.

use autorig_engine::{
    Character, Code, Limits,
    profile::{Profile, apply},
    read::{Source, read},
    sample::Sample,
    scene::Format,
    write::vrm::{VrmMeta, VrmOptions, VrmVersion, vrm},
};
use glam::DVec3;
use serde_json::Value;

use crate::{
    build::farthest,
    figure::{figure, turned, with_lowered_arms},
};

fn avatar(character: &Character) -> Character {
    apply(character, Profile::named("vrm").unwrap()).unwrap()
}

fn json(glb: &[u8]) -> Value {
    let length = u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
    serde_json::from_slice(&glb[20..20 + length]).unwrap()
}

#[test]
fn a_vrm_names_its_bones_and_is_strict_unless_told_otherwise() {
    let made = avatar(&with_lowered_arms(50.0));
    let root = json(&vrm(&made, &VrmOptions::default()).unwrap());
    assert_eq!(root["extensionsUsed"], serde_json::json!(["VRMC_vrm"]));
    let vrm = &root["extensions"]["VRMC_vrm"];
    let bones = vrm["humanoid"]["humanBones"].as_object().unwrap();
    assert_eq!(bones.len(), 52);
    for (name, bone) in bones {
        assert_eq!(root["nodes"][bone["node"].as_u64().unwrap() as usize]["name"], name.as_str());
    }
    for (key, value) in [
        ("avatarPermission", "onlyAuthor"),
        ("commercialUsage", "personalNonProfit"),
        ("creditNotation", "required"),
        ("modification", "prohibited"),
        ("licenseUrl", "https://vrm.dev/licenses/1.0/"),
    ] {
        assert_eq!(vrm["meta"][key], value, "{key}");
    }
    assert_eq!(vrm["meta"]["allowRedistribution"], false);
    assert!(vrm["meta"].as_object().unwrap().values().all(|v| !v.is_null()));
}

#[test]
fn a_vrm_is_read_back_as_the_humanoid_it_was() {
    let made = avatar(&figure(Sample::Human));
    let meta: VrmMeta =
        serde_json::from_str(r#"{"name": "Hero", "authors": ["A", ""], "avatarPermission": "everyone"}"#)
            .unwrap();
    // One white pixel.
    let thumbnail = Some(vec![137, 80, 78, 71]);
    let glb = vrm(&made, &VrmOptions { meta, thumbnail, ..VrmOptions::default() }).unwrap();
    let meta = json(&glb)["extensions"]["VRMC_vrm"]["meta"].clone();
    assert_eq!((&meta["name"], &meta["authors"]), (&"Hero".into(), &serde_json::json!(["A"])));
    assert_eq!(meta["thumbnailImage"], made.scene.images.len());
    let glb = vrm(&made, &VrmOptions::default()).unwrap();
    let scene = read(&Source::bytes("a.vrm", glb), &Limits::default()).unwrap();
    assert_eq!(scene.format, Format::Vrm);
    // The point between the feet is found anew; what is compared is the mesh.
    let again = Character { frame: made.frame, ..Character::from_scene(scene).unwrap() };
    let pose = [("leftUpperArm", DVec3::new(0.0, 0.3, 0.8)), ("hips", DVec3::Y)];
    assert!(farthest(&turned(&made, &pose), &turned(&again, &pose)) < 1e-5);
}

#[test]
fn a_vrm_0_faces_the_other_way_and_renames_thumbs() {
    let made = avatar(&figure(Sample::Human));
    let glb = vrm(&made, &VrmOptions { version: VrmVersion::V0, ..VrmOptions::default() }).unwrap();
    let root = json(&glb);
    let vrm = &root["extensions"]["VRM"];
    let bones = vrm["humanoid"]["humanBones"].as_array().unwrap();
    let node =
        |bone: &str| bones.iter().find(|b| b["bone"] == bone).unwrap()["node"].as_u64().unwrap() as usize;
    assert_eq!(root["nodes"][node("leftThumbProximal")]["name"], "leftThumbMetacarpal");
    assert_eq!(root["nodes"][node("leftThumbIntermediate")]["name"], "leftThumbProximal");
    let x = root["nodes"][node("leftUpperLeg")]["translation"][0].as_f64().unwrap();
    assert!(x < -0.05, "facing −Z, the left leg is at −X: {x}");
    assert_eq!(vrm["meta"]["allowedUserName"], "OnlyAuthor");
}

#[test]
fn a_vrm_without_hands_is_refused() {
    let mut made = avatar(&figure(Sample::Human));
    let hand = made.find("leftHand").unwrap();
    made.bones[hand].canonical = None;
    let error = vrm(&made, &VrmOptions::default()).unwrap_err();
    assert_eq!(error.code, Code::NeedsHumanoid);
    assert!(error.message.contains("leftHand"));
}
