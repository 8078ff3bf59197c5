//! The skeleton drawn over a picture: a tapered bone from each joint to its child, a dot in each joint, sides told apart.

use glam::{Vec2, Vec3};

use super::{Image, camera::Camera};

/// Fills of the left, the right and the middle, and the rim; told apart by lightness too, for the colour-blind.
const LEFT: [u8; 3] = [0x2f, 0x7d, 0xe1];
const RIGHT: [u8; 3] = [0xf0, 0x8a, 0x24];
const MIDDLE: [u8; 3] = [0xf4, 0xf5, 0xf7];
const RIM: [u8; 3] = [0x1d, 0x22, 0x2b];

/// A joint in canonical space as the picture shows it.
pub(super) struct Joint {
    pub(super) position: Vec3,
    /// Index of the parent to whom a bone is drawn.
    pub(super) parent: Option<usize>,
    /// Canonical name, or the bone's own.
    pub(super) name: String,
}

/// Draws the joints over a picture.
pub(super) fn draw(image: &mut Image, camera: &Camera, joints: &[Joint]) {
    let size = image.width as f32;
    let at = |p: Vec3| {
        let seen = camera.see(p);
        (Vec2::new(seen.x + 1.0, 1.0 - seen.y) * (size / 2.0), seen.depth)
    };
    let mut shapes: Vec<(f32, Shape, [u8; 3])> = Vec::new();
    let unit = size / 100.0;
    let mut radii = vec![unit * 0.75; joints.len()];
    for (index, joint) in joints.iter().enumerate() {
        let Some(parent) = joint.parent.and_then(|p| joints.get(p).map(|j| (p, j))) else { continue };
        let ((from, near), (to, far)) = (at(parent.1.position), at(joint.position));
        let length = from.distance(to);
        let wide = (length * 0.09).clamp(unit * 0.16, unit * 1.1);
        for end in [index, parent.0] {
            radii[end] = radii[end].min((wide * 0.85).max(unit * 0.22));
        }
        if length > 0.5 {
            let along = (to - from) / length;
            let waist = from + along * (length * 0.16);
            let side = along.perp() * wide;
            let kite = Shape::Kite([from, waist + side, to, waist - side]);
            shapes.push(((near + far) / 2.0, kite, colour(&joint.name)));
        }
    }
    for (joint, radius) in joints.iter().zip(radii) {
        let (centre, depth) = at(joint.position);
        // Dots lie over the bones that meet in them.
        shapes.push((depth * 0.995, Shape::Dot(centre, radius), colour(&joint.name)));
    }
    shapes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let rim = (size / 400.0).max(0.9);
    for (_, shape, fill) in shapes {
        shape.paint(image, rim, RIM);
        shape.paint(image, 0.0, fill);
    }
}

/// Left and right by canonical names and by the endings of others.
fn colour(name: &str) -> [u8; 3] {
    let lower = name.to_ascii_lowercase();
    let is = |word: &str, letter: &str| {
        lower.contains(word) || ["_", ".", "-"].iter().any(|s| lower.ends_with(&format!("{s}{letter}")))
    };
    if is("left", "l") {
        LEFT
    } else if is("right", "r") {
        RIGHT
    } else {
        MIDDLE
    }
}

enum Shape {
    /// Corners in order, convex, counter-clockwise on the screen.
    Kite([Vec2; 4]),
    Dot(Vec2, f32),
}

impl Shape {
    /// Fills the shape, grown by some pixels, with smooth edges.
    fn paint(&self, image: &mut Image, grown: f32, colour: [u8; 3]) {
        let (low, high) = match self {
            Self::Kite(corners) => corners
                .iter()
                .fold((Vec2::INFINITY, Vec2::NEG_INFINITY), |(low, high), c| (low.min(*c), high.max(*c))),
            Self::Dot(centre, radius) => (*centre - *radius, *centre + *radius),
        };
        let clip = |v: f32, last: u32| v.clamp(0.0, last as f32) as u32;
        let (x0, x1) = (clip(low.x - grown - 1.0, image.width), clip(high.x + grown + 2.0, image.width));
        let (y0, y1) = (clip(low.y - grown - 1.0, image.height), clip(high.y + grown + 2.0, image.height));
        for y in y0..y1 {
            for x in x0..x1 {
                let distance = self.distance(Vec2::new(x as f32 + 0.5, y as f32 + 0.5)) - grown;
                let cover = (0.5 - distance).clamp(0.0, 1.0);
                if cover > 0.0 {
                    let at = (y as usize * image.width as usize + x as usize) * 4;
                    lay(&mut image.rgba[at..at + 4], colour, cover);
                }
            }
        }
    }

    /// Distance to the outline, negative inside; beyond a corner somewhat short, which rounds nothing visibly.
    fn distance(&self, at: Vec2) -> f32 {
        match self {
            Self::Dot(centre, radius) => at.distance(*centre) - radius,
            Self::Kite(corners) => (0..4)
                .map(|i| {
                    let (a, b) = (corners[i], corners[(i + 1) % 4]);
                    let along = (b - a).normalize_or_zero();
                    along.perp_dot(at - a)
                })
                .fold(f32::NEG_INFINITY, f32::max)
                .max(beyond(corners, at)),
        }
    }
}

/// How far a place lies past the ends of a kite's axis.
fn beyond(corners: &[Vec2; 4], at: Vec2) -> f32 {
    let along = (corners[2] - corners[0]).normalize_or_zero();
    (-along.dot(at - corners[0])).max(along.dot(at - corners[2]))
}

/// Lays an opaque colour over a pixel with straight alpha.
fn lay(pixel: &mut [u8], colour: [u8; 3], cover: f32) {
    let below = f32::from(pixel[3]) / 255.0 * (1.0 - cover);
    let alpha = cover + below;
    for (channel, fill) in pixel.iter_mut().zip(colour) {
        *channel = ((f32::from(fill) * cover + f32::from(*channel) * below) / alpha + 0.5) as u8;
    }
    pixel[3] = (alpha * 255.0 + 0.5) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_by_canonical_and_by_other_names() {
        for (name, expected) in [
            ("leftUpperArm", LEFT),
            ("mixamorig:RightHand", RIGHT),
            ("thigh_l", LEFT),
            ("Arm.R", RIGHT),
            ("spine", MIDDLE),
            ("tail", MIDDLE),
        ] {
            assert_eq!(colour(name), expected, "{name}");
        }
    }

    #[test]
    fn a_kite_is_filled_inside_and_not_outside() {
        let kite = Shape::Kite([
            Vec2::new(10.0, 10.0),
            Vec2::new(8.0, 20.0),
            Vec2::new(10.0, 50.0),
            Vec2::new(12.0, 20.0),
        ]);
        let mut image = Image { width: 20, height: 60, rgba: vec![0; 20 * 60 * 4] };
        kite.paint(&mut image, 0.0, LEFT);
        let alpha = |x: usize, y: usize| image.rgba[(y * 20 + x) * 4 + 3];
        assert_eq!((alpha(10, 30), alpha(4, 30), alpha(10, 5), alpha(10, 55)), (255, 0, 0, 0));
    }
}
