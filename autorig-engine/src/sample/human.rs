//! An adult of 1.75 m in T-pose: one closed shell with five fingers a hand.

use super::{
    TruthJoint,
    build::{Builder, primitive},
    polygonise::surface,
    sdf::{Along, Shape, Solid},
    texture,
    truth::{Bones, FINGERS},
    warp::Warp,
};
use crate::scene::Scene;

/// The human's own number of triangles.
pub(super) const TRIANGLES: usize = 30_000;

/// With fewer triangles than this the fingers fall between the cells.
const COARSEST: usize = 16_000;

/// Height of the arms' axis.
const ARM: f64 = 1.43;

/// Knuckles and tip of a left finger.
type Finger = [[f64; 3]; 4];

/// Thumb, index, middle, ring, little finger of the left hand: three joints and the tip.
fn fingers() -> [Finger; 5] {
    let straight = |x: f64, z: f64, lengths: [f64; 3], slope: f64| {
        let mut at = [x, ARM - 0.002, z];
        let mut out = [at; 4];
        for (place, length) in out.iter_mut().skip(1).zip(lengths) {
            at = [at[0] + length, at[1] - 0.03 * length, at[2] + slope * length];
            *place = at;
        }
        out
    };
    [
        [[0.722, 1.424, 0.022], [0.748, 1.415, 0.050], [0.774, 1.411, 0.070], [0.796, 1.409, 0.083]],
        straight(0.786, 0.034, [0.038, 0.024, 0.018], 0.13),
        straight(0.791, 0.0105, [0.042, 0.027, 0.020], 0.03),
        straight(0.786, -0.0130, [0.039, 0.025, 0.019], -0.07),
        straight(0.774, -0.0360, [0.030, 0.019, 0.017], -0.20),
    ]
}

/// The body as a solid; `x ≥ 0` is the left.
pub(super) fn solid() -> Solid {
    let mut solid = Solid::mirrored();
    // Soft joins first: a part need only be looked at within reach of the joins after it.
    trunk(&mut solid);
    arm(&mut solid);
    head(&mut solid);
    leg(&mut solid);
    foot(&mut solid);
    hand(&mut solid);
    solid.stand_on_floor();
    solid
}

fn trunk(solid: &mut Solid) {
    // Height, centre x, centre z, half width, half depth.
    solid.loft(
        Along::Y,
        0.0,
        0.05,
        &[
            [0.890, 0.0, -0.004, 0.154, 0.098],
            [0.940, 0.0, -0.002, 0.160, 0.108],
            [0.990, 0.0, 0.004, 0.154, 0.103],
            [1.050, 0.0, 0.012, 0.140, 0.095],
            [1.110, 0.0, 0.015, 0.131, 0.091],
            [1.170, 0.0, 0.014, 0.134, 0.094],
            [1.230, 0.0, 0.011, 0.145, 0.102],
            [1.290, 0.0, 0.008, 0.158, 0.110],
            [1.340, 0.0, 0.002, 0.164, 0.111],
            [1.385, 0.0, -0.006, 0.158, 0.100],
            [1.425, 0.0, -0.010, 0.132, 0.080],
            [1.455, 0.0, -0.010, 0.094, 0.064],
        ],
    );
    // Groin, buttocks, chest, shoulder blades, slope from neck to shoulder.
    solid.ball([0.0, 0.880, 0.020], [0.060, 0.070, 0.078], 0.04);
    solid.ball([0.072, 0.905, -0.058], [0.078, 0.080, 0.070], 0.045);
    solid.ball([0.075, 1.345, 0.068], [0.080, 0.056, 0.034], 0.04);
    solid.ball([0.085, 1.335, -0.085], [0.055, 0.075, 0.025], 0.05);
    solid.cone([0.030, 1.478, -0.018], [0.165, 1.446, -0.012], [0.036, 0.034], 0.045);
    // Collar bones, navel, spine.
    solid.cone([0.018, 1.438, 0.052], [0.140, 1.456, 0.030], [0.008, 0.007], 0.022);
    solid.dent([0.0, 1.050, 0.110], 0.016, 0.007);
    for step in 0..6 {
        solid.dent([0.0, 1.04 + 0.055 * f64::from(step), -0.085 - 0.003 * f64::from(step)], 0.045, 0.006);
    }
}

fn leg(solid: &mut Solid) {
    solid.loft(
        Along::Y,
        0.040,
        0.03,
        &[
            [0.050, 0.112, -0.014, 0.032, 0.038],
            [0.085, 0.111, -0.013, 0.032, 0.038],
            [0.130, 0.110, -0.013, 0.032, 0.037],
            [0.220, 0.109, -0.015, 0.042, 0.045],
            [0.310, 0.108, -0.017, 0.053, 0.057],
            [0.370, 0.107, -0.016, 0.056, 0.060],
            [0.440, 0.105, -0.006, 0.052, 0.055],
            [0.500, 0.104, 0.004, 0.052, 0.056],
            [0.560, 0.104, 0.010, 0.059, 0.062],
            [0.660, 0.102, 0.012, 0.071, 0.075],
            [0.760, 0.099, 0.008, 0.081, 0.085],
            [0.840, 0.097, 0.002, 0.087, 0.092],
            [0.900, 0.095, -0.002, 0.086, 0.096],
            [0.960, 0.092, -0.004, 0.076, 0.086],
        ],
    );
    // Knee cap, calf muscle, ankle bones.
    solid.ball([0.105, 0.505, 0.045], [0.030, 0.036, 0.020], 0.025);
    solid.ball([0.122, 0.360, -0.040], [0.030, 0.075, 0.032], 0.03);
    solid.ball([0.092, 0.345, -0.040], [0.030, 0.070, 0.030], 0.03);
    solid.ball([0.082, 0.088, -0.010], [0.010, 0.013, 0.013], 0.012);
    solid.ball([0.140, 0.076, -0.016], [0.010, 0.013, 0.013], 0.012);
}

fn foot(solid: &mut Solid) {
    solid.loft(
        Along::Z,
        0.025,
        0.015,
        &[
            [-0.058, 0.111, 0.030, 0.026, 0.030],
            [-0.020, 0.111, 0.038, 0.031, 0.042],
            [0.030, 0.112, 0.036, 0.033, 0.042],
            [0.075, 0.115, 0.026, 0.038, 0.034],
            [0.115, 0.118, 0.018, 0.043, 0.024],
            [0.140, 0.120, 0.014, 0.042, 0.017],
        ],
    );
    solid.cone([0.096, 0.014, 0.140], [0.095, 0.011, 0.192], [0.0145, 0.0125], 0.007);
    for (x, z) in [(0.1165, 0.189), (0.1320, 0.182), (0.1455, 0.172), (0.1570, 0.160)] {
        solid.cone([x - 0.001, 0.013, 0.132], [x, 0.008, z], [0.0095, 0.0085], 0.005);
    }
}

fn arm(solid: &mut Solid) {
    // |x|, centre y, centre z, half height, half depth.
    solid.loft(
        Along::X,
        0.055,
        0.02,
        &[
            [0.120, 1.412, -0.008, 0.050, 0.055],
            [0.175, 1.424, -0.008, 0.052, 0.058],
            [0.225, 1.427, -0.007, 0.049, 0.055],
            [0.280, 1.428, -0.005, 0.045, 0.049],
            [0.350, 1.427, -0.003, 0.043, 0.044],
            [0.410, 1.428, -0.004, 0.038, 0.039],
            [0.450, 1.430, -0.004, 0.035, 0.038],
            [0.490, 1.430, -0.002, 0.036, 0.042],
            [0.530, 1.430, -0.001, 0.034, 0.041],
            [0.590, 1.430, 0.000, 0.029, 0.035],
            [0.650, 1.430, 0.000, 0.023, 0.029],
            [0.700, 1.430, 0.000, 0.019, 0.027],
            [0.720, 1.430, 0.001, 0.018, 0.029],
        ],
    );
    // Deltoid, triceps, edge of the broad back muscle.
    solid.ball([0.195, 1.438, -0.006], [0.060, 0.043, 0.052], 0.03);
    solid.ball([0.320, 1.418, -0.024], [0.080, 0.028, 0.026], 0.03);
    solid.ball([0.146, 1.365, -0.030], [0.034, 0.070, 0.048], 0.05);
}

fn hand(solid: &mut Solid) {
    solid.loft(
        Along::X,
        0.012,
        0.010,
        &[
            [0.700, 1.430, 0.001, 0.018, 0.027],
            [0.725, 1.430, 0.003, 0.017, 0.033],
            [0.750, 1.429, 0.002, 0.0155, 0.0395],
            [0.772, 1.428, 0.000, 0.0135, 0.0430],
            [0.782, 1.428, 0.000, 0.0120, 0.0430],
        ],
    );
    let radii = [
        [0.0150, 0.0115, 0.0100, 0.0080],
        [0.0105, 0.0088, 0.0080, 0.0066],
        [0.0108, 0.0090, 0.0082, 0.0068],
        [0.0104, 0.0086, 0.0078, 0.0064],
        [0.0092, 0.0076, 0.0069, 0.0058],
    ];
    for (finger, (joints, radii)) in fingers().iter().zip(radii).enumerate() {
        // The thumb's ball melts into the palm, the fingers keep their gaps.
        let soft = if finger == 0 { 0.014 } else { 0.004 };
        for i in 0..3 {
            let softness = if i == 0 { soft } else { 0.004 };
            solid.cone(joints[i], joints[i + 1], [radii[i], radii[i + 1]], softness);
        }
    }
}

fn head(solid: &mut Solid) {
    solid.loft(
        Along::Y,
        0.045,
        0.02,
        &[
            [1.440, 0.0, -0.008, 0.064, 0.060],
            [1.480, 0.0, -0.004, 0.056, 0.056],
            [1.530, 0.0, 0.004, 0.053, 0.056],
            [1.580, 0.0, 0.010, 0.054, 0.058],
        ],
    );
    // Skull, jaw, cheeks, hair.
    solid.ball([0.0, 1.652, 0.026], [0.073, 0.093, 0.094], 0.015);
    solid.loft(
        Along::Y,
        0.022,
        0.012,
        &[
            [1.537, 0.0, 0.088, 0.020, 0.020],
            [1.556, 0.0, 0.076, 0.040, 0.038],
            [1.590, 0.0, 0.062, 0.056, 0.054],
            [1.640, 0.0, 0.050, 0.064, 0.064],
        ],
    );
    solid.ball([0.036, 1.618, 0.090], [0.022, 0.018, 0.020], 0.025);
    solid.ball([0.0, 1.666, 0.008], [0.0805, 0.084, 0.092], 0.006);
    // Ears.
    solid.ball([0.081, 1.634, 0.014], [0.009, 0.032, 0.020], 0.006);
    solid.dent([0.092, 1.639, 0.022], 0.015, 0.004);
    // Brows, eye sockets, eyes.
    solid.cone([0.010, 1.668, 0.112], [0.048, 1.670, 0.092], [0.009, 0.008], 0.012);
    solid.dent([0.031, 1.648, 0.112], 0.026, 0.011);
    solid.ball([0.031, 1.647, 0.0925], [0.0150, 0.0125, 0.0150], 0.004);
    // Nose.
    solid.cone([0.0, 1.662, 0.116], [0.0, 1.616, 0.138], [0.0085, 0.0120], 0.010);
    solid.ball([0.011, 1.611, 0.128], [0.0085, 0.0075, 0.0100], 0.006);
    // Lips and the line between them, chin.
    solid.ball([0.0, 1.5855, 0.1130], [0.022, 0.0060, 0.0085], 0.009);
    solid.ball([0.0, 1.5720, 0.1110], [0.018, 0.0065, 0.0085], 0.009);
    solid.dent([0.0, 1.5785, 0.1240], 0.008, 0.003);
    solid.join(Shape::Ellipsoid([0.0, 1.546, 0.100].into(), [0.017, 0.014, 0.012].into()), 0.015);
}

/// Hands get cells a third as wide as the trunk's, head and feet about half. The stretch across the arms
/// begins outside of the stretched feet, which it would shear.
fn warp() -> Warp {
    Warp::new(
        &[(0.0, 1.0), (0.29, 1.0), (0.42, 1.4), (0.62, 2.2), (0.71, 3.4), (0.92, 3.4)],
        [ARM, 0.0],
        &[(-0.05, 1.6), (0.10, 1.5), (0.50, 1.1), (0.90, 1.0), (1.49, 1.0), (1.56, 2.0), (1.80, 2.0)],
        0.92,
        [-0.03, 1.78],
        [-0.26, 0.34],
    )
}

/// The human with about `triangles` triangles.
pub(super) fn scene(triangles: usize) -> Scene {
    let body = surface(&solid(), &warp(), triangles, COARSEST);
    let mut builder = Builder::new("human");
    let texture = builder.texture("human_base_color", texture::human());
    let skin = builder.textured("skin", texture, 0.65);
    builder.node("body", glam::DVec3::ZERO, vec![primitive(&body, skin, texture::human_uv)]);
    builder.finish()
}

/// Where the joints are.
pub(super) fn truth() -> Vec<TruthJoint> {
    let mut bones = Bones::default();
    bones.chain(&[
        ("hips", [0.0, 0.965, 0.0]),
        ("spine", [0.0, 1.065, 0.002]),
        ("chest", [0.0, 1.180, -0.012]),
        ("upperChest", [0.0, 1.300, -0.025]),
        ("neck", [0.0, 1.490, -0.005]),
        ("head", [0.0, 1.555, 0.008]),
    ]);
    bones.pair("Shoulder", "upperChest", [0.055, 1.450, -0.005]);
    bones.pair("UpperArm", "Shoulder", [0.180, ARM, -0.006]);
    bones.pair("LowerArm", "UpperArm", [0.447, ARM, -0.006]);
    bones.pair("Hand", "LowerArm", [0.700, ARM, 0.0]);
    bones.pair("UpperLeg", "hips", [0.095, 0.925, -0.004]);
    bones.pair("LowerLeg", "UpperLeg", [0.104, 0.500, 0.004]);
    bones.pair("Foot", "LowerLeg", [0.111, 0.080, -0.013]);
    bones.pair("Toes", "Foot", [0.119, 0.020, 0.125]);
    for (names, joints) in FINGERS.iter().zip(fingers()) {
        let mut parent = "Hand";
        for (name, at) in names.iter().zip(joints) {
            bones.pair(name, parent, at);
            parent = name;
        }
    }
    bones.finish()
}
