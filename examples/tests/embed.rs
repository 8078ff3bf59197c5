//! The example `embed` does what it shows.

#[path = "../embed.rs"]
#[expect(dead_code, reason = "its `main` is for people")]
mod embed;

#[tokio::test]
async fn a_character_is_rigged_inside_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rigged.glb");
    let saved = embed::rig(&folder.path().join("data"), &out).await.unwrap();
    let bytes = std::fs::read(saved).unwrap();
    assert_eq!(bytes.get(..4), Some(&b"glTF"[..]));
    let joint = b"leftUpperArm";
    assert!(bytes.windows(joint.len()).any(|window| window == joint), "the joints have their names");
}
