//! A level made by another tool against ours with as many triangles.
//!
//! ```text
//! cargo run --release -p autorig-engine --example lod_peer -- ORIGINAL.glb PEER.glb
//! ```
//!
//! Prints one line of JSON for each. `scripts/lodpeer/simplify.mjs` makes the peer's levels.

#![expect(clippy::print_stdout, reason = "it talks to people")]

use std::{error::Error, path::Path, time::Instant};

use autorig_engine::{
    Character, Limits, lod,
    read::{Source, read},
};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [original, peer] = paths.as_slice() else {
        return Err("usage: lod_peer ORIGINAL.glb PEER.glb".into());
    };
    let limits = Limits::default();
    let open = |path: &str| -> Result<Character, Box<dyn Error>> {
        let scene = read(&Source::open(Path::new(path), &limits)?, &limits)?;
        Ok(Character::from_scene_within(scene, &limits)?)
    };
    let (original, peer) = (open(original)?, open(peer)?);
    let triangles = peer.scene.triangle_count();
    let deviation = lod::compare(&original, &peer)?;
    println!("{}", serde_json::json!({ "who": "peer", "triangles": triangles, "deviation": deviation }));
    let start = Instant::now();
    let (_, report) = lod::simplify(&original, triangles)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "who": "ours", "seconds": seconds, "report": report }));
    Ok(())
}
