//! Rotations as FBX has them: Euler angles in degrees, X applied first, `R = Rz · Ry · Rx`.

use std::f64::consts::{PI, TAU};

use glam::{DMat3, DQuat};

/// Below this cosine of the middle angle the other two turn about the same axis.
const LOCKED: f64 = 1e-6;

/// The Euler angles of a rotation nearest to the angles before it, in radians: successive keys never jump by a whole
/// turn or to the other solution, which interpolation would show as a flip.
pub(super) fn euler_near(rotation: DQuat, before: [f64; 3]) -> [f64; 3] {
    let m = DMat3::from_quat(rotation.normalize());
    let (sine, cosine) = (-m.x_axis.z, libm::hypot(m.x_axis.x, m.x_axis.y));
    let y = libm::atan2(sine, cosine);
    if cosine < LOCKED {
        let [_, _, z] = before;
        let turn = libm::atan2(-m.z_axis.y, m.y_axis.y);
        let x = if sine > 0.0 { turn + z } else { turn - z };
        return unwrap([x, y, z], before);
    }
    let (x, z) = (libm::atan2(m.y_axis.z, m.z_axis.z), libm::atan2(m.x_axis.y, m.x_axis.x));
    let one = unwrap([x, y, z], before);
    let other = unwrap([x + PI, PI - y, z + PI], before);
    if distance(other, before) < distance(one, before) { other } else { one }
}

/// The Euler angles of a rotation, in radians.
pub(super) fn euler(rotation: DQuat) -> [f64; 3] {
    euler_near(rotation, [0.0; 3])
}

/// The rotation that Euler angles in radians mean.
pub(super) fn quaternion([x, y, z]: [f64; 3]) -> DQuat {
    DQuat::from_rotation_z(z) * DQuat::from_rotation_y(y) * DQuat::from_rotation_x(x)
}

/// Radians to the degrees of the file.
pub(super) fn degrees(angles: [f64; 3]) -> [f64; 3] {
    // Adding zero turns the negative zero, which would show in the bytes for no reason, into the positive one.
    angles.map(|angle| angle.to_degrees() + 0.0)
}

fn unwrap(angles: [f64; 3], before: [f64; 3]) -> [f64; 3] {
    let near = |angle: f64, before: f64| angle - TAU * ((angle - before) / TAU).round();
    let ([x, y, z], [a, b, c]) = (angles, before);
    [near(x, a), near(y, b), near(z, c)]
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_mean_the_rotation_they_were_taken_from() {
        for i in 0..200 {
            let t = f64::from(i);
            let q = quaternion([t * 0.7, t * 1.3, t * 2.1]);
            for before in [[0.0; 3], [3.0, -2.0, 9.0]] {
                assert!(quaternion(euler_near(q, before)).dot(q).abs() > 1.0 - 1e-12, "{i}");
            }
        }
        for y in [PI / 2.0, -PI / 2.0] {
            let q = quaternion([0.4, y, -1.1]);
            let angles = euler_near(q, [0.3, y, -1.0]);
            assert!(quaternion(angles).dot(q).abs() > 1.0 - 1e-12);
            assert!(distance(angles, [0.3, y, -1.0]) < 0.5, "{angles:?}");
        }
    }

    #[test]
    fn a_steady_turn_has_steady_angles_through_every_flip() {
        let mut before = [0.0; 3];
        for i in 0..400 {
            let angles = euler_near(DQuat::from_rotation_y(f64::from(i) * 0.05), before);
            assert!(distance(angles, before) < 0.051 + 1e-9, "{i}: {before:?} {angles:?}");
            before = angles;
        }
        assert!(before[1] > 19.0);
    }
}
