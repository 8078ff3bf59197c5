//! Base colour textures painted by rule.

use glam::DVec3;
use image::{ImageEncoder, codecs::png::PngEncoder};
use rayon::prelude::*;

/// Pixels across and down the human's texture.
const SIZE: [u32; 2] = [512, 1024];
/// Height where the texture changes from body rows to head rows.
const NECK: f64 = 1.49;
/// Share of the texture's height that the head gets.
const HEAD_ROWS: f64 = 0.42;
/// The head's vertical axis is this far in front of z = 0.
const HEAD_AXIS: f64 = 0.025;

const SKIN: [f64; 3] = [224.0, 172.0, 140.0];
const BLUSH: [f64; 3] = [214.0, 138.0, 112.0];
const HAIR: [f64; 3] = [66.0, 44.0, 34.0];
const SHIRT: [f64; 3] = [58.0, 128.0, 148.0];
const SHIRT_EDGE: [f64; 3] = [40.0, 96.0, 114.0];
const SHORTS: [f64; 3] = [52.0, 58.0, 78.0];
const SHORTS_EDGE: [f64; 3] = [226.0, 160.0, 62.0];

/// UV of a point on the human. Left and right share their texels; the body's front and back do too,
/// and the head is wrapped around its vertical axis, so no seam cuts the shell.
pub(super) fn human_uv(p: DVec3) -> [f64; 2] {
    let side = p.x.abs();
    let v = if p.y >= NECK {
        HEAD_ROWS * (1.0 - (p.y - NECK) / (1.76 - NECK))
    } else {
        HEAD_ROWS + (1.0 - HEAD_ROWS) * (1.0 - p.y / NECK)
    };
    let around = libm::atan2(side, p.z - HEAD_AXIS) / std::f64::consts::PI;
    let wrap = smooth(NECK, NECK + 0.045, p.y);
    [(side / 0.9) * (1.0 - wrap) + around * wrap, v.clamp(0.0, 1.0)]
}

/// The human's skin, hair, face, shirt and shorts as PNG.
pub(super) fn human() -> Vec<u8> {
    png(SIZE, |u, v| {
        if v < HEAD_ROWS {
            head(u * std::f64::consts::PI, NECK + (1.0 - v / HEAD_ROWS) * (1.76 - NECK))
        } else {
            body(u * 0.9, NECK * (1.0 - (v - HEAD_ROWS) / (1.0 - HEAD_ROWS)))
        }
    })
}

fn body(x: f64, y: f64) -> [f64; 3] {
    let mut colour = SKIN;
    // Warmer knees, elbows and fingertips.
    for (cx, cy, r) in [(0.105, 0.50, 0.06), (0.447, 1.43, 0.05), (0.88, 1.43, 0.05), (0.12, 0.0, 0.05)] {
        let d = libm::hypot(x - cx, y - cy);
        colour = mix(colour, BLUSH, 0.35 * (1.0 - smooth(0.0, r, d)));
    }
    let hem = 0.62;
    let leg = x < 0.3;
    if leg {
        colour = mix(colour, SHORTS_EDGE, edge(y, hem, 0.0015) * (1.0 - edge(y, 1.03, 0.0015)));
        colour = mix(colour, SHORTS, edge(y, hem + 0.018, 0.0015) * (1.0 - edge(y, 1.03, 0.0015)));
    }
    let sleeve = 0.335;
    let shirt = |inset: f64| {
        // A round neck, the same in front and behind.
        let collar = libm::hypot(x, 1.3 * (y - 1.515)) - inset;
        edge(y, 0.985 + inset, 0.0015) * edge(collar, 0.092, 0.0015) * (1.0 - edge(x, sleeve - inset, 0.0012))
    };
    colour = mix(colour, SHIRT_EDGE, shirt(0.0));
    mix(colour, SHIRT, shirt(0.012))
}

/// UV of a point on the cartoon's body: seen from the front, left and right alike.
pub(super) fn cartoon_uv(p: DVec3) -> [f64; 2] {
    // The back of the head must not get the face: what lies behind looks up the blank half.
    let side = 0.45 * (p.x.abs() / 0.45).min(1.0);
    let behind = 0.5 * smooth(-0.02, 0.02, -p.z) * smooth(0.66, 0.70, p.y);
    [side + behind, (1.0 - p.y / 1.25).clamp(0.0, 1.0)]
}

/// Skin, mouth, pullover, trousers, mittens and shoes of the cartoon as PNG.
pub(super) fn cartoon() -> Vec<u8> {
    const MITTEN: [f64; 3] = [250.0, 204.0, 72.0];
    png([512; 2], |u, v| {
        let y = 1.25 * (1.0 - v);
        let x = u;
        let mut colour = [244.0, 196.0, 164.0];
        if y > 0.66 {
            let spot = |cx: f64, cy: f64, rx: f64, ry: f64| libm::hypot((x - cx) / rx, (y - cy) / ry);
            colour = mix(
                colour,
                [240.0, 142.0, 124.0],
                0.7 * (1.0 - smooth(0.3, 1.0, spot(0.125, 0.800, 0.045, 0.032))),
            );
            colour =
                mix(colour, [150.0, 60.0, 56.0], 1.0 - smooth(0.85, 1.0, spot(0.0, 0.771, 0.040, 0.007)));
            return mix(
                colour,
                [96.0, 58.0, 36.0],
                1.0 - smooth(0.85, 1.0, spot(0.085, 0.950, 0.040, 0.008)),
            );
        }
        colour = [64.0, 112.0, 190.0];
        let stripe = (y - 0.43).abs() < 0.018 || (y - 0.50).abs() < 0.018;
        if stripe && x < 0.17 {
            colour = [240.0, 240.0, 236.0];
        }
        // Along the arm, which runs down at 45°.
        let along = (x - y + 0.475) * std::f64::consts::FRAC_1_SQRT_2;
        let arm = x > 0.20 && y > 0.27;
        if arm {
            colour = mix(colour, MITTEN, edge(along, 0.226, 0.003));
        } else {
            colour = mix(colour, [72.0, 74.0, 92.0], 1.0 - edge(y, 0.345, 0.003));
            colour = mix(colour, [192.0, 64.0, 56.0], 1.0 - edge(y, 0.088, 0.003));
            colour = mix(colour, [244.0, 240.0, 232.0], 1.0 - edge(y, 0.018, 0.002));
        }
        colour
    })
}

/// UV of a point on the quadruped: seen from its side, left and right alike.
pub(super) fn quadruped_uv(p: DVec3) -> [f64; 2] {
    [(p.z + 0.95) / 1.85, (1.0 - p.y / 1.1).clamp(0.0, 1.0)]
}

/// Fur, belly, socks, tail tip, nose and eyes of the quadruped as PNG.
pub(super) fn quadruped() -> Vec<u8> {
    const CREAM: [f64; 3] = [246.0, 232.0, 210.0];
    const DARK: [f64; 3] = [52.0, 38.0, 34.0];
    png([512; 2], |u, v| {
        let (z, y) = (u * 1.85 - 0.95, 1.1 * (1.0 - v));
        let mut colour = [206.0, 106.0, 44.0];
        colour = mix(colour, [176.0, 84.0, 34.0], smooth(0.66, 0.74, y) * (1.0 - smooth(0.25, 0.40, z)));
        let belly = (1.0 - edge(y, 0.50, 0.03))
            * edge(y, 0.36, 0.02)
            * edge(z, -0.20, 0.05)
            * (1.0 - edge(z, 0.22, 0.05));
        colour = mix(colour, CREAM, belly);
        let throat =
            edge(z, 0.40, 0.03) * (1.0 - edge(y, 0.845 - 0.05 * (z - 0.6), 0.012)) * edge(y, 0.55, 0.04);
        colour = mix(colour, CREAM, throat);
        colour = mix(colour, DARK, (1.0 - edge(y, 0.20, 0.03)) * edge(z, -0.55, 0.01));
        colour = mix(colour, CREAM, 1.0 - edge(z, -0.74, 0.02));
        colour = mix(colour, DARK, edge(y, 0.985, 0.012));
        let spot = |cz: f64, cy: f64, r: f64| libm::hypot(z - cz, y - cy) / r;
        colour = mix(colour, DARK, 1.0 - smooth(0.85, 1.0, spot(0.612, 0.887, 0.016)));
        colour = mix(colour, CREAM, 1.0 - smooth(0.7, 1.0, spot(0.617, 0.892, 0.004)));
        mix(colour, DARK, edge(z, 0.743, 0.003))
    })
}

/// Colours of the head by angle from the front and height.
fn head(angle: f64, y: f64) -> [f64; 3] {
    // On the face the angle stands for a sideways distance.
    let x = 0.088 * libm::sin(angle.min(1.5));
    let mut colour = SKIN;
    let spot = |cx: f64, cy: f64, rx: f64, ry: f64| libm::hypot((x - cx) / rx, (y - cy) / ry);
    let front = angle < 1.3;
    if front {
        colour = mix(colour, BLUSH, 0.3 * (1.0 - smooth(0.2, 1.0, spot(0.045, 1.612, 0.030, 0.022))));
        let lip = spot(0.0, 1.579, 0.023, 0.0105);
        colour = mix(colour, [200.0, 122.0, 104.0], 1.0 - smooth(0.85, 1.0, lip));
        colour = mix(colour, [120.0, 52.0, 50.0], 1.0 - smooth(0.7, 1.0, spot(0.0, 1.5785, 0.023, 0.0018)));
        let eye = spot(0.031, 1.647, 0.0145, 0.0075);
        colour = mix(colour, [96.0, 62.0, 52.0], 1.0 - smooth(1.05, 1.2, eye));
        colour = mix(colour, [246.0, 244.0, 240.0], 1.0 - smooth(0.9, 1.0, eye));
        let open = 1.0 - smooth(0.9, 1.0, eye);
        colour = mix(
            colour,
            [72.0, 104.0, 120.0],
            open * (1.0 - smooth(0.9, 1.05, spot(0.031, 1.647, 0.0066, 0.0066))),
        );
        colour = mix(
            colour,
            [22.0, 20.0, 24.0],
            open * (1.0 - smooth(0.9, 1.1, spot(0.031, 1.647, 0.0032, 0.0032))),
        );
        colour = mix(
            colour,
            HAIR,
            0.85 * (1.0 - smooth(0.8, 1.1, spot(0.032, 1.6715 - 0.12 * (x - 0.032).abs(), 0.021, 0.0042))),
        );
    }
    // The hairline: high over the forehead, down before and behind the ears, low at the nape.
    let line = if angle < 0.95 {
        1.708 - 0.016 * smooth(0.3, 0.95, angle)
    } else if angle < 1.85 {
        1.692 - 0.040 * smooth(0.95, 1.35, angle)
    } else {
        1.652 - 0.085 * smooth(1.85, 2.3, angle)
    };
    mix(colour, HAIR, edge(y, line, 0.002))
}

fn mix(a: [f64; 3], b: [f64; 3], t: f64) -> [f64; 3] {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

fn smooth(low: f64, high: f64, value: f64) -> f64 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// 0 under `at`, 1 over it, soft over `width` on both sides.
fn edge(value: f64, at: f64, width: f64) -> f64 {
    smooth(at - width, at + width, value)
}

/// A PNG whose texels are sRGB colours (0 to 255) of u and v.
fn png([width, height]: [u32; 2], colour: impl Fn(f64, f64) -> [f64; 3] + Sync) -> Vec<u8> {
    let middle = |i: u32, count: u32| (f64::from(i) + 0.5) / f64::from(count);
    let row = |row: u32| -> Vec<u8> {
        let texel = |column| {
            colour(middle(column, width), middle(row, height)).map(|c| c.round().clamp(0.0, 255.0) as u8)
        };
        (0..width).flat_map(texel).collect()
    };
    let pixels: Vec<Vec<u8>> = (0..height).into_par_iter().map(row).collect();
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    match encoder.write_image(&pixels.concat(), width, height, image::ExtendedColorType::Rgb8) {
        Ok(()) => bytes,
        // The buffer is in memory and of the right length.
        Err(_) => Vec::new(),
    }
}
