//! A four-legged animal like a fox, 1.03 m to the tips of its ears, standing along Z: one closed shell.

use glam::DVec3;

use super::{
    TruthJoint,
    build::{Builder, primitive},
    polygonise::surface,
    sdf::{Along, Solid},
    texture,
    truth::Bones,
    warp::Warp,
};
use crate::scene::Scene;

/// The quadruped's own number of triangles.
pub(super) const TRIANGLES: usize = 10_000;

/// Shoulder, elbow, wrist, paw of the left front leg.
const FRONT: [[f64; 3]; 4] =
    [[0.085, 0.600, 0.290], [0.105, 0.420, 0.235], [0.105, 0.180, 0.265], [0.105, 0.040, 0.295]];
/// Hip, knee, hock, paw of the left hind leg.
const HIND: [[f64; 3]; 4] =
    [[0.080, 0.600, -0.330], [0.115, 0.410, -0.255], [0.110, 0.210, -0.400], [0.110, 0.040, -0.350]];
const TAIL: [[f64; 3]; 4] =
    [[0.0, 0.650, -0.430], [0.0, 0.600, -0.570], [0.0, 0.500, -0.700], [0.0, 0.430, -0.850]];

/// The animal as a solid; `x ≥ 0` is its left.
pub(super) fn solid() -> Solid {
    let mut solid = Solid::mirrored();
    // Place along z, centre x and y, half width, half height.
    solid.loft(
        Along::Z,
        0.0,
        0.05,
        &[
            [-0.400, 0.0, 0.610, 0.090, 0.095],
            [-0.320, 0.0, 0.605, 0.118, 0.122],
            [-0.200, 0.0, 0.605, 0.112, 0.118],
            [-0.060, 0.0, 0.598, 0.112, 0.125],
            [0.080, 0.0, 0.582, 0.124, 0.146],
            [0.200, 0.0, 0.575, 0.128, 0.158],
            [0.290, 0.0, 0.590, 0.108, 0.142],
            [0.340, 0.0, 0.615, 0.080, 0.108],
        ],
    );
    solid.cone([0.0, 0.635, 0.300], [0.0, 0.840, 0.460], [0.110, 0.078], 0.06);
    for (legs, radii) in [(FRONT, [0.078, 0.052, 0.034, 0.032]), (HIND, [0.098, 0.064, 0.036, 0.034])] {
        for i in 0..3 {
            let softness = if i == 0 { 0.06 } else { 0.02 };
            solid.cone(legs[i], legs[i + 1], [radii[i], radii[i + 1]], softness);
        }
        let [x, _, z] = legs[3];
        solid.ball([x, 0.022, z + 0.025], [0.042, 0.030, 0.062], 0.02);
        for toe in [-0.022, 0.0, 0.022] {
            solid.cone([x + toe, 0.016, z + 0.050], [x + toe, 0.012, z + 0.080], [0.015, 0.013], 0.008);
        }
    }
    for (ends, radii) in TAIL.windows(2).zip([[0.034, 0.055], [0.055, 0.066], [0.066, 0.012]]) {
        solid.cone(ends[0], ends[1], radii, 0.03);
    }
    head(&mut solid);
    solid.stand_on_floor();
    solid
}

fn head(solid: &mut Solid) {
    solid.ball([0.0, 0.870, 0.530], [0.092, 0.085, 0.105], 0.04);
    solid.ball([0.058, 0.842, 0.555], [0.045, 0.045, 0.060], 0.03);
    solid.cone([0.0, 0.858, 0.590], [0.0, 0.836, 0.735], [0.052, 0.026], 0.03);
    solid.cone([0.0, 0.820, 0.590], [0.0, 0.808, 0.700], [0.034, 0.018], 0.014);
    solid.ball([0.0, 0.848, 0.757], [0.018, 0.015, 0.014], 0.008);
    solid.cone([0.055, 0.925, 0.500], [0.083, 1.035, 0.480], [0.038, 0.009], 0.02);
    solid.dent([0.078, 0.975, 0.525], 0.038, 0.012);
    solid.dent([0.052, 0.888, 0.618], 0.024, 0.006);
    solid.ball([0.048, 0.887, 0.600], [0.016, 0.016, 0.016], 0.004);
}

/// The quadruped with about `triangles` triangles.
pub(super) fn scene(triangles: usize) -> Scene {
    let warp = Warp::none([-0.22, -0.02, -0.90], [0.22, 1.08, 0.82]);
    let body = surface(&solid(), &warp, triangles, 9_000);
    let mut builder = Builder::new("quadruped");
    let texture = builder.texture("quadruped_base_color", texture::quadruped());
    let fur = builder.textured("fur", texture, 0.9);
    builder.node("body", DVec3::ZERO, vec![primitive(&body, fur, texture::quadruped_uv)]);
    builder.finish()
}

/// Where the joints are.
pub(super) fn truth() -> Vec<TruthJoint> {
    let mut bones = Bones::default();
    bones.chain(&[
        ("hips", [0.0, 0.630, -0.330]),
        ("spine", [0.0, 0.640, -0.150]),
        ("chest", [0.0, 0.630, 0.060]),
        ("upperChest", [0.0, 0.630, 0.220]),
        ("neck", [0.0, 0.700, 0.350]),
        ("head", [0.0, 0.855, 0.475]),
        ("jaw", [0.0, 0.825, 0.560]),
    ]);
    let mut parent = "hips".to_owned();
    for (i, at) in TAIL[..3].iter().enumerate() {
        let name = format!("tail{}", i + 1);
        bones.joint(&name, Some(&parent), *at);
        parent = name;
    }
    for (legs, root, names) in [
        (FRONT, "upperChest", ["FrontUpperLeg", "FrontLowerLeg", "FrontFoot", "FrontToes"]),
        (HIND, "hips", ["HindUpperLeg", "HindLowerLeg", "HindFoot", "HindToes"]),
    ] {
        let mut parent = root;
        for (name, at) in names.into_iter().zip(legs) {
            bones.pair(name, parent, at);
            parent = name;
        }
    }
    bones.finish()
}
