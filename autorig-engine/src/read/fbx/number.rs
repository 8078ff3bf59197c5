//! Numbers of ufbx as the engine's, without their last bits.

use glam::{DMat4, DQuat, DVec3, DVec4};

/// The number rounded to 36 bits (T. J. Dekker, "A floating-point technique for extending the available precision", 1971,
/// §4): sines of different C libraries agree then.
pub(super) fn steady(value: f64) -> f64 {
    const SPLIT: f64 = ((1u64 << 17) + 1) as f64;
    let shifted = value * SPLIT;
    let rounded = shifted - (shifted - value);
    // Overflow of huge numbers only, and the numbers that are none.
    if rounded.is_finite() { rounded + 0.0 } else { value }
}

pub(super) fn vector(v: &ufbx::Vec3) -> DVec3 {
    DVec3::new(steady(v.x), steady(v.y), steady(v.z))
}

/// A unit quaternion; the identity where the file has none.
pub(super) fn quaternion(q: &ufbx::Quat) -> DQuat {
    let q = DQuat::from_xyzw(steady(q.x), steady(q.y), steady(q.z), steady(q.w));
    let length = q.length();
    if length > 0.0 && length.is_finite() { q * (1.0 / length) } else { DQuat::IDENTITY }
}

pub(super) fn matrix(m: &ufbx::Matrix) -> DMat4 {
    let column = |x, y, z, w| DVec4::new(steady(x), steady(y), steady(z), w);
    DMat4::from_cols(
        column(m.m00, m.m10, m.m20, 0.0),
        column(m.m01, m.m11, m.m21, 0.0),
        column(m.m02, m.m12, m.m22, 0.0),
        column(m.m03, m.m13, m.m23, 1.0),
    )
}

/// Single precision, the zero always positive.
pub(super) fn single(value: f64) -> f32 {
    steady(value) as f32 + 0.0
}

pub(super) fn singles(v: &ufbx::Vec3) -> [f32; 3] {
    [single(v.x), single(v.y), single(v.z)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_differ_in_their_last_bits_become_one_and_stay_close() {
        let value = 0.123_456_789_012_345_68_f64;
        let neighbour = f64::from_bits(value.to_bits() + 3);
        assert_eq!(steady(value), steady(neighbour));
        assert!((steady(value) - value).abs() < 1e-11);
        for exact in [0.0, 1.0, -0.5, 1234.625] {
            assert_eq!(steady(exact), exact);
        }
        assert!(steady(f64::NAN).is_nan() && steady(f64::MAX).is_finite());
    }
}
