//! How the file's frame lies in canonical space, and what its unit is.

use glam::{DMat3, DVec3};

/// The similarity from the file's frame to canonical space: `canonical = scale · rotation · (file − origin)`.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Rows are the character's left, up and forward in the file's frame.
    pub rotation: DMat3,
    /// Metres per unit of the file.
    pub scale: f64,
    /// The point between the feet, in the file's frame.
    pub origin: DVec3,
}

impl Frame {
    /// A point of the file in canonical space.
    pub fn to_canonical(&self, p: DVec3) -> DVec3 {
        self.rotation * (p - self.origin) * self.scale
    }

    /// A canonical point in the file's frame.
    pub fn to_file(&self, p: DVec3) -> DVec3 {
        self.rotation.transpose() * p / self.scale + self.origin
    }
}

/// Where the body itself stands to within this (cosine, 8°) along an axis of the file, the file's axis is meant.
const MEANT_UP: f64 = 0.990_268;
/// The same for its left, which the plane of symmetry tells better (3°).
const MEANT_LEFT: f64 = 0.998_630;

/// The orientation that the file's author most likely meant: as `rotation`, with up and then left on the file's own axes
/// where they are close to them.
///
/// For what people see: reports, exports, an upright rest pose. The analysis keeps to the body's own directions, which do
/// not jump when a file is turned a little.
pub fn file_axes(rotation: DMat3) -> DMat3 {
    let up = snapped(rotation.row(1), MEANT_UP);
    let left = rotation.row(0).reject_from_normalized(up).normalize_or(rotation.row(0));
    let left = snapped(left, MEANT_LEFT);
    let left = left.reject_from_normalized(up).normalize();
    DMat3::from_cols(left, up, left.cross(up)).transpose()
}

fn snapped(direction: DVec3, cosine: f64) -> DVec3 {
    let along = direction.abs().max_position();
    if direction[along].abs() < cosine {
        return direction;
    }
    DVec3::AXES[along] * direction[along].signum()
}

/// What one unit of the file most likely is, in metres, and how sure that is, 0 to 1.
///
/// Heights of characters scatter about an adult's by a factor; of the powers of ten the one wins that makes the height
/// most ordinary, weighed by how common the unit is.
pub fn metres_per_unit(height: f64) -> (f64, f32) {
    const ADULT: f64 = 1.7;
    /// Standard deviation of the decimal logarithm of the height: 0.25 is a factor of 1.8.
    const SPREAD: f64 = 0.25;
    /// How common metres, centimetres and millimetres are, and any other power of ten.
    const COMMON: [(i32, f64); 3] = [(0, 1.0), (-2, 0.5), (-3, 0.2)];
    const RARE: f64 = 0.05;
    if height <= 0.0 || !height.is_finite() {
        return (1.0, 0.0);
    }
    let exact = libm::log10(ADULT / height);
    let nearest = libm::round(exact) as i32;
    let likelihood = |power: i32| {
        let common = COMMON.iter().find(|(p, _)| *p == power).map_or(RARE, |(_, share)| *share);
        let z = (f64::from(power) - exact) / SPREAD;
        common * libm::exp(-z * z / 2.0)
    };
    let powers = nearest - 2..=nearest + 2;
    let best = powers.clone().fold(nearest, |b, p| if likelihood(p) > likelihood(b) { p } else { b });
    let total: f64 = powers.map(likelihood).sum();
    (libm::pow(10.0, f64::from(best)), (likelihood(best) / total) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_the_power_of_ten_that_makes_the_height_ordinary() {
        for (height, unit) in [(1.8, 1.0), (180.0, 0.01), (1800.0, 0.001), (0.0018, 1000.0), (0.6, 1.0)] {
            let (found, confidence) = metres_per_unit(height);
            assert_eq!(found, unit, "{height} units");
            assert!(confidence > 0.5, "{height} units: {confidence}");
        }
        assert_eq!(metres_per_unit(0.0), (1.0, 0.0));
    }

    #[test]
    fn a_height_between_two_units_is_doubtful() {
        assert!(metres_per_unit(1.8).1 > 0.95);
        assert!(metres_per_unit(8.0).1 < 0.8);
    }

    #[test]
    fn going_to_canonical_space_and_back_changes_nothing() {
        let rotation = DMat3::from_rotation_x(0.3) * DMat3::from_rotation_y(1.0);
        let frame = Frame { rotation, scale: 0.01, origin: DVec3::new(100.0, -20.0, 3.0) };
        let p = DVec3::new(1.0, 2.0, 3.0);
        assert!(frame.to_file(frame.to_canonical(p)).distance(p) < 1e-12);
    }

    #[test]
    fn directions_near_the_files_axes_are_meant_to_be_on_them_and_others_are_not() {
        let leaning = DMat3::from_rotation_x(0.1) * DMat3::from_rotation_y(0.02);
        assert_eq!(file_axes(leaning), DMat3::IDENTITY);
        let turned = file_axes(DMat3::from_rotation_x(0.1) * DMat3::from_rotation_y(0.6));
        assert_eq!(turned.row(1), DVec3::Y);
        assert!(turned.row(2).dot(DMat3::from_rotation_y(0.6).row(2)) > 0.999_999);
        let tilted = DMat3::from_rotation_x(0.3);
        assert!((file_axes(tilted) - tilted).abs().to_cols_array().iter().all(|v| *v < 1e-12));
    }
}
