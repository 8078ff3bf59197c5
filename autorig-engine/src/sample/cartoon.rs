//! A child of a cartoon, 1.2 m with its cap: a head of two fifths, short limbs in A-pose, mittens.

use glam::DVec3;

use super::{
    TruthJoint,
    build::{Builder, linear, primitive},
    polygonise::{Surface, surface},
    sdf::{Along, Solid},
    texture,
    truth::Bones,
    warp::Warp,
};
use crate::scene::{Primitive, Scene};

/// The cartoon's own number of triangles.
pub(super) const TRIANGLES: usize = 12_000;

/// Shoulder, elbow, wrist, tip of the left arm: straight, 45° down.
pub(super) const ARM: [[f64; 3]; 4] =
    [[0.125, 0.600, -0.010], [0.222, 0.503, -0.010], [0.315, 0.410, -0.006], [0.385, 0.340, 0.000]];

const EYE: [f64; 3] = [0.082, 0.875, 0.172];

/// The body with its head; `x ≥ 0` is the left.
pub(super) fn solid() -> Solid {
    let mut solid = Solid::mirrored();
    solid.loft(
        Along::Y,
        0.0,
        0.05,
        &[
            [0.300, 0.0, -0.005, 0.115, 0.098],
            [0.350, 0.0, 0.000, 0.130, 0.112],
            [0.430, 0.0, 0.010, 0.133, 0.120],
            [0.520, 0.0, 0.005, 0.122, 0.105],
            [0.590, 0.0, -0.006, 0.105, 0.085],
            [0.630, 0.0, -0.010, 0.070, 0.065],
            [0.700, 0.0, -0.008, 0.058, 0.058],
        ],
    );
    // Head, cheeks, chin, nose, ears.
    solid.ball([0.0, 0.900, 0.000], [0.222, 0.215, 0.208], 0.02);
    solid.ball([0.095, 0.810, 0.085], [0.100, 0.085, 0.090], 0.06);
    solid.ball([0.0, 0.740, 0.110], [0.070, 0.045, 0.060], 0.06);
    solid.ball([0.0, 0.822, 0.207], [0.024, 0.020, 0.024], 0.015);
    solid.ball([0.222, 0.865, -0.005], [0.022, 0.050, 0.038], 0.012);
    solid.dent([EYE[0], EYE[1], 0.200], 0.075, 0.020);
    solid.cone([0.030, 0.773, 0.178], [0.0, 0.768, 0.182], [0.010, 0.011], 0.014);
    arm(&mut solid);
    leg(&mut solid);
    solid.stand_on_floor();
    solid
}

fn arm(solid: &mut Solid) {
    let [shoulder, elbow, wrist, tip] = ARM;
    solid.cone([0.090, 0.600, -0.010], shoulder, [0.055, 0.052], 0.05);
    solid.cone(shoulder, elbow, [0.052, 0.044], 0.03);
    solid.cone(elbow, wrist, [0.044, 0.040], 0.02);
    // Cuff, palm, mitten, thumb.
    solid.ball([0.303, 0.422, -0.006], [0.046, 0.046, 0.050], 0.008);
    solid.cone([0.335, 0.390, -0.002], [0.368, 0.357, 0.000], [0.046, 0.046], 0.016);
    solid.cone([0.368, 0.357, 0.000], tip, [0.046, 0.036], 0.01);
    solid.cone([0.332, 0.386, 0.040], [0.345, 0.352, 0.068], [0.022, 0.020], 0.012);
}

fn leg(solid: &mut Solid) {
    solid.loft(
        Along::Y,
        0.030,
        0.02,
        &[
            [0.060, 0.088, -0.004, 0.046, 0.048],
            [0.130, 0.087, -0.004, 0.050, 0.054],
            [0.200, 0.084, 0.002, 0.054, 0.058],
            [0.270, 0.078, 0.000, 0.060, 0.066],
            [0.340, 0.070, -0.002, 0.060, 0.076],
        ],
    );
    solid.loft(
        Along::Z,
        0.015,
        0.025,
        &[
            [-0.055, 0.090, 0.040, 0.046, 0.042],
            [-0.010, 0.091, 0.046, 0.054, 0.052],
            [0.050, 0.095, 0.040, 0.060, 0.046],
            [0.100, 0.099, 0.036, 0.062, 0.040],
            [0.125, 0.100, 0.033, 0.056, 0.036],
        ],
    );
}

fn hair() -> Solid {
    let mut solid = Solid::mirrored();
    solid.ball([0.0, 0.930, -0.030], [0.236, 0.205, 0.202], 0.0);
    // Tufts before the ears and in the nape.
    solid.cone([0.190, 0.930, 0.070], [0.190, 0.850, 0.085], [0.040, 0.014], 0.03);
    solid.cone([0.060, 0.800, -0.190], [0.050, 0.720, -0.170], [0.050, 0.018], 0.04);
    solid.cone([0.130, 0.820, -0.160], [0.125, 0.745, -0.150], [0.050, 0.018], 0.04);
    solid
}

fn cap() -> Solid {
    let mut solid = Solid::mirrored();
    solid.loft(
        Along::Y,
        0.0,
        0.014,
        &[
            [0.985, 0.0, -0.008, 0.243, 0.232],
            [1.030, 0.0, -0.010, 0.240, 0.228],
            [1.090, 0.0, -0.012, 0.212, 0.204],
            [1.140, 0.0, -0.012, 0.165, 0.160],
            [1.172, 0.0, -0.012, 0.100, 0.100],
        ],
    );
    // The peak.
    solid.loft(
        Along::Z,
        0.015,
        0.016,
        &[
            [0.120, 0.0, 1.000, 0.200, 0.014],
            [0.200, 0.0, 0.998, 0.180, 0.014],
            [0.280, 0.0, 0.990, 0.135, 0.014],
            [0.330, 0.0, 0.983, 0.080, 0.013],
        ],
    );
    solid.ball([0.0, 1.182, -0.012], [0.022, 0.018, 0.022], 0.006);
    solid
}

fn eyes() -> Solid {
    let mut solid = Solid::mirrored();
    solid.ball(EYE, [0.042, 0.054, 0.036], 0.0);
    solid
}

/// Whites, irises, pupils and a glint as vertex colours: how far from the eye's middle, seen from the front.
fn eye_colours(surface: &Surface) -> Vec<[f32; 4]> {
    let colour = |p: &DVec3| {
        let (x, y) = (p.x.abs() - EYE[0], p.y - EYE[1]);
        let from_middle = libm::hypot(x / 0.026, y / 0.034);
        let from_glint = libm::hypot(p.x - EYE[0].copysign(p.x) - 0.008, y - 0.012);
        let front = p.z > EYE[2];
        let srgb = match from_middle {
            _ if front && from_glint < 0.007 => [250, 250, 250],
            d if front && d < 0.55 => [26, 22, 28],
            d if front && d < 1.0 => [60, 120, 74],
            _ => [246, 246, 242],
        };
        let [r, g, b] = srgb.map(linear);
        [r, g, b, 1.0]
    };
    surface.positions.iter().map(colour).collect()
}

/// The cartoon with about `triangles` triangles.
pub(super) fn scene(triangles: usize) -> Scene {
    let share = |percent: usize| triangles * percent / 100;
    let body = surface(&solid(), &Warp::none([-0.46, -0.02, -0.24], [0.46, 1.14, 0.26]), share(60), 6_000);
    let hair = surface(&hair(), &Warp::none([-0.26, 0.68, -0.27], [0.26, 1.16, 0.20]), share(14), 4_000);
    let cap = surface(&cap(), &Warp::none([-0.27, 0.95, -0.27], [0.27, 1.22, 0.37]), share(14), 6_000);
    let eyes = surface(&eyes(), &Warp::none([-0.15, 0.80, 0.12], [0.15, 0.95, 0.22]), share(12), 600);

    let mut builder = Builder::new("cartoon");
    let texture = builder.texture("cartoon_base_color", texture::cartoon());
    let cloth = builder.textured("body", texture, 0.8);
    let brown = builder.material("hair", [112, 66, 38], 0.0, 0.9);
    let red = builder.material("cap", [206, 58, 50], 0.0, 0.7);
    let white = builder.material("eyes", [255, 255, 255], 0.0, 0.15);
    let plane = |p: DVec3| [0.5 + p.x, 1.0 - p.y / 1.25];
    let mut eye_primitive: Primitive = primitive(&eyes, white, plane);
    eye_primitive.colors.push(eye_colours(&eyes));
    builder.node("body", DVec3::ZERO, vec![primitive(&body, cloth, texture::cartoon_uv)]);
    builder.node("eyes", EYE.into(), vec![eye_primitive]);
    builder.node("hair", DVec3::new(0.0, 0.9, 0.0), vec![primitive(&hair, brown, plane)]);
    builder.node("cap", DVec3::new(0.0, 1.0, 0.0), vec![primitive(&cap, red, plane)]);
    builder.finish()
}

/// Where the joints are.
pub(super) fn truth() -> Vec<TruthJoint> {
    let mut bones = Bones::default();
    bones.chain(&[
        ("hips", [0.0, 0.360, 0.0]),
        ("spine", [0.0, 0.420, 0.0]),
        ("chest", [0.0, 0.490, -0.005]),
        ("upperChest", [0.0, 0.555, -0.010]),
        ("neck", [0.0, 0.650, -0.010]),
        ("head", [0.0, 0.710, -0.006]),
    ]);
    let [shoulder, elbow, wrist, _] = ARM;
    bones.pair("Shoulder", "upperChest", [0.045, 0.600, -0.010]);
    bones.pair("UpperArm", "Shoulder", shoulder);
    bones.pair("LowerArm", "UpperArm", elbow);
    bones.pair("Hand", "LowerArm", wrist);
    bones.pair("UpperLeg", "hips", [0.072, 0.320, 0.0]);
    bones.pair("LowerLeg", "UpperLeg", [0.084, 0.195, 0.002]);
    bones.pair("Foot", "LowerLeg", [0.088, 0.070, -0.004]);
    bones.pair("Toes", "Foot", [0.097, 0.030, 0.080]);
    bones.finish()
}
