//! A robot of 1.8 m in A-pose: 28 closed parts with gaps between them, a node for each.

use glam::{DMat4, DQuat, DVec3};

use super::{
    TruthJoint,
    build::{Builder, linear, primitive},
    pill::Pill,
    truth::Bones,
};
use crate::scene::Scene;

/// The robot's own number of triangles.
pub(super) const TRIANGLES: usize = 8_000;

const PAINT: usize = 0;
const STEEL: usize = 1;
const GLASS: usize = 2;

const WHITE: [u8; 3] = [226, 228, 232];
const ORANGE: [u8; 3] = [236, 122, 44];
const GREY: [u8; 3] = [112, 118, 128];
const BLUE: [u8; 3] = [88, 196, 232];

/// Shoulder, elbow, wrist and tip of the left arm, straight and 40° down.
fn arm(distance: f64) -> DVec3 {
    DVec3::new(0.285, 1.420, 0.0) + turn() * DVec3::X * distance
}

const ELBOW: f64 = 0.310;
const WRIST: f64 = 0.600;

fn turn() -> DQuat {
    DQuat::from_rotation_z(-40.0_f64.to_radians())
}

/// One part: its shape about its own origin, and where that goes.
struct Part {
    name: String,
    pill: Pill,
    at: DVec3,
    turn: DQuat,
    material: usize,
    colour: [u8; 3],
}

/// A box by its half sizes, bevels included.
fn block(half: [f64; 3], bevel: f64) -> Pill {
    Pill { inner: DVec3::from(half) - bevel, bevel: DVec3::splat(bevel) }
}

fn ball(radius: f64) -> Pill {
    Pill { inner: DVec3::ZERO, bevel: DVec3::splat(radius) }
}

/// A drum along x or y with domed ends.
fn drum(along: usize, radius: f64, half: f64) -> Pill {
    let dome = 0.25 * radius;
    let mut pill = Pill { inner: DVec3::ZERO, bevel: DVec3::splat(radius) };
    pill.inner[along] = half - dome;
    pill.bevel[along] = dome;
    pill
}

fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    let mut middle = |name: &str, pill, at: [f64; 3], material, colour| {
        let (name, at) = (name.to_owned(), DVec3::from(at));
        parts.push(Part { name, pill, at, turn: DQuat::IDENTITY, material, colour });
    };
    middle("pelvis", block([0.150, 0.070, 0.095], 0.020), [0.0, 0.955, 0.0], PAINT, GREY);
    middle("waist", drum(1, 0.095, 0.070), [0.0, 1.105, 0.0], STEEL, GREY);
    middle("chest", block([0.205, 0.145, 0.130], 0.040), [0.0, 1.330, 0.005], PAINT, WHITE);
    middle("neck", drum(1, 0.050, 0.035), [0.0, 1.520, 0.0], STEEL, GREY);
    middle("head", block([0.095, 0.115, 0.105], 0.035), [0.0, 1.685, 0.010], PAINT, WHITE);
    middle("visor", block([0.075, 0.026, 0.012], 0.010), [0.0, 1.705, 0.130], GLASS, BLUE);
    let mut pair = |name: &str, pill, at: DVec3, turn: DQuat, material, colour| {
        for (side, sign) in [("left", 1.0), ("right", -1.0)] {
            // Mirroring a turn about z means turning the other way.
            let turn = DQuat::from_xyzw(turn.x, turn.y, turn.z * sign, turn.w);
            let (name, at) = (format!("{side}_{name}"), at * DVec3::new(sign, 1.0, 1.0));
            parts.push(Part { name, pill, at, turn, material, colour });
        }
    };
    let straight = DQuat::IDENTITY;
    pair("shoulder", ball(0.068), arm(0.0), straight, STEEL, GREY);
    pair("upper_arm", block([0.085, 0.050, 0.050], 0.018), arm(0.165), turn(), PAINT, WHITE);
    pair("elbow", ball(0.048), arm(ELBOW), straight, STEEL, GREY);
    pair("forearm", block([0.095, 0.058, 0.058], 0.020), arm(0.470), turn(), PAINT, ORANGE);
    pair("hand", block([0.048, 0.032, 0.052], 0.014), arm(0.645), turn(), STEEL, GREY);
    pair("fingers", block([0.050, 0.020, 0.048], 0.012), arm(0.755), turn(), PAINT, WHITE);
    pair("hip", ball(0.066), DVec3::new(0.105, 0.830, 0.0), straight, STEEL, GREY);
    pair("thigh", block([0.074, 0.125, 0.082], 0.024), DVec3::new(0.110, 0.625, 0.0), straight, PAINT, WHITE);
    pair("knee", ball(0.056), DVec3::new(0.112, 0.435, 0.0), straight, STEEL, GREY);
    pair(
        "shin",
        block([0.070, 0.125, 0.080], 0.026),
        DVec3::new(0.114, 0.245, -0.004),
        straight,
        PAINT,
        ORANGE,
    );
    pair("foot", block([0.072, 0.050, 0.140], 0.020), DVec3::new(0.118, 0.050, 0.045), straight, STEEL, GREY);
    parts
}

/// The segment length that comes closest to a number of triangles.
fn segment(parts: &[Part], triangles: usize) -> f64 {
    let count = |length: f64| parts.iter().map(|part| part.pill.count(length)).sum::<usize>();
    let (mut fine, mut coarse) = (1e-5, 1.0);
    for _ in 0..60 {
        let middle: f64 = libm::sqrt(fine * coarse);
        if count(middle) > triangles { fine = middle } else { coarse = middle }
    }
    let off = |length: f64| count(length).abs_diff(triangles);
    if off(fine) < off(coarse) { fine } else { coarse }
}

/// The robot with about `triangles` triangles.
pub(super) fn scene(triangles: usize) -> Scene {
    let parts = parts();
    let length = segment(&parts, triangles);
    let mut builder = Builder::new("robot");
    builder.material("painted_metal", [255; 3], 0.4, 0.45);
    builder.material("steel", [255; 3], 0.9, 0.35);
    builder.material("glass", [255; 3], 0.1, 0.1);
    for part in &parts {
        let surface = part.pill.mesh(length);
        let size = part.pill.inner + part.pill.bevel;
        let mut primitive =
            primitive(&surface, part.material, |p| [0.5 + 0.5 * p.x / size.x, 0.5 - 0.5 * p.y / size.y]);
        // A little darker towards the lower edge, as if dusty.
        let shade = |p: &DVec3| 0.85 + 0.15 * (p.y / size.y) as f32;
        let [r, g, b] = part.colour.map(linear);
        let colours = surface.positions.iter().map(|p| [r * shade(p), g * shade(p), b * shade(p), 1.0]);
        primitive.colors.push(colours.collect());
        builder.placed(&part.name, DMat4::from_rotation_translation(part.turn, part.at), vec![primitive]);
    }
    builder.finish()
}

/// Where the joints are.
pub(super) fn truth() -> Vec<TruthJoint> {
    let mut bones = Bones::default();
    bones.chain(&[
        ("hips", [0.0, 0.955, 0.0]),
        ("spine", [0.0, 1.060, 0.0]),
        ("chest", [0.0, 1.190, 0.0]),
        ("upperChest", [0.0, 1.330, 0.0]),
        ("neck", [0.0, 1.500, 0.0]),
        ("head", [0.0, 1.575, 0.0]),
    ]);
    bones.pair("Shoulder", "upperChest", [0.100, 1.420, 0.0]);
    bones.pair("UpperArm", "Shoulder", arm(0.0).to_array());
    bones.pair("LowerArm", "UpperArm", arm(ELBOW).to_array());
    bones.pair("Hand", "LowerArm", arm(WRIST).to_array());
    bones.pair("UpperLeg", "hips", [0.105, 0.830, 0.0]);
    bones.pair("LowerLeg", "UpperLeg", [0.112, 0.435, 0.0]);
    bones.pair("Foot", "LowerLeg", [0.115, 0.105, 0.0]);
    bones.pair("Toes", "Foot", [0.118, 0.030, 0.110]);
    bones.finish()
}
