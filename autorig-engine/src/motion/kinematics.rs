//! Angles, frames of limbs and two-bone chains.

use glam::{DMat3, DQuat, DVec3};

/// A limb is never straighter than this share of its length: at full stretch a knee snaps from one keyframe to the next.
const STRAIGHTEST: f64 = 0.9995;

/// A rotation about an axis by degrees.
pub(super) fn about(axis: DVec3, degrees: f64) -> DQuat {
    DQuat::from_axis_angle(axis, degrees.to_radians())
}

/// About the character's left: positive nods forward, swings a hanging limb back.
pub(super) fn pitch(degrees: f64) -> DQuat {
    about(DVec3::X, degrees)
}

/// About up: positive turns to the left.
pub(super) fn yaw(degrees: f64) -> DQuat {
    about(DVec3::Y, degrees)
}

/// About forward: positive raises the left and lowers the right.
pub(super) fn roll(degrees: f64) -> DQuat {
    about(DVec3::Z, degrees)
}

/// Part of a rotation.
pub(super) fn part(q: DQuat, share: f64) -> DQuat {
    DQuat::IDENTITY.slerp(q, share).normalize()
}

/// The rotation as seen in a mirror between left and right.
pub(super) fn mirrored(q: DQuat) -> DQuat {
    DQuat::from_xyzw(q.x, -q.y, -q.z, q.w)
}

/// Sine of an angle in turns.
pub(super) fn wave(turns: f64) -> f64 {
    // Whole turns go first: the sine of 2π itself is not quite 0.
    libm::sin((turns - libm::floor(turns)) * std::f64::consts::TAU)
}

/// Smooth from 0 at `a` to 1 at `b`.
pub(super) fn ease(a: f64, b: f64, x: f64) -> f64 {
    let t = ((x - a) / (b - a)).clamp(0.0, 1.0);
    t * t * t * (t * (6.0 * t - 15.0) + 10.0)
}

/// How far to give way to several demands: nearly the largest of them, nearly nothing where all are well below 0, with a
/// rounded corner `soft` wide (the logarithm of a sum of exponentials).
pub(super) fn give_way(demands: impl Iterator<Item = f64>, soft: f64) -> f64 {
    let demands: Vec<f64> = demands.collect();
    let most = demands.iter().copied().fold(0.0, f64::max);
    let sum: f64 = demands.iter().chain([&0.0]).map(|d| libm::exp((d - most) / soft)).sum();
    most + soft * libm::log(sum)
}

/// The orthonormal frame of a bone along `along` that bends about `hinge` as nearly as that is perpendicular to it.
pub(super) fn frame(along: DVec3, hinge: DVec3) -> DMat3 {
    let along = along.normalize_or(DVec3::NEG_Y);
    let hinge =
        hinge.reject_from_normalized(along).try_normalize().unwrap_or_else(|| along.any_orthonormal_vector());
    DMat3::from_cols(along, hinge, along.cross(hinge))
}

/// The rotation that takes one frame to another.
pub(super) fn between(from: DMat3, to: DMat3) -> DQuat {
    DQuat::from_mat3(&(to * from.transpose())).normalize()
}

/// The part of a rotation about an axis (swing and twist; Dobrowolski 2015, "Swing-twist decomposition in Clifford
/// algebra", section 3).
pub(super) fn twist(q: DQuat, axis: DVec3) -> DQuat {
    let along = DVec3::new(q.x, q.y, q.z).dot(axis);
    let twist = DQuat::from_xyzw(axis.x * along, axis.y * along, axis.z * along, q.w);
    if twist.length_squared() < 1e-12 { DQuat::IDENTITY } else { twist.normalize() }
}

/// A limb of two bones, bent so that its end is at a place.
pub(super) struct Bent {
    /// Direction of the upper bone.
    pub(super) upper: DVec3,
    /// Direction of the lower bone.
    pub(super) lower: DVec3,
    /// Axis about which the lower bone is turned against the upper one.
    pub(super) hinge: DVec3,
}

/// Bends a limb by the law of cosines so that its end is at `goal` and its middle joint lies towards `pole`.
pub(super) fn two_bones(start: DVec3, lengths: (f64, f64), goal: DVec3, pole: DVec3) -> Bent {
    let (a, b) = lengths;
    let way = goal - start;
    let dir = way.normalize_or(DVec3::NEG_Y);
    let distance = way.length().clamp((a - b).abs() + 1e-6 * (a + b), STRAIGHTEST * (a + b));
    let side =
        pole.reject_from_normalized(dir).try_normalize().unwrap_or_else(|| dir.any_orthonormal_vector());
    let along = (a * a - b * b + distance * distance) / (2.0 * distance);
    let out = (a * a - along * along).max(0.0).sqrt();
    let middle = dir * along + side * out;
    let end = dir * distance;
    Bent { upper: middle.normalize_or(dir), lower: (end - middle).normalize_or(dir), hinge: side.cross(dir) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bent_limb_reaches_its_goal_with_the_joint_on_the_side_of_the_pole() {
        let bent = two_bones(DVec3::Y, (0.5, 0.4), DVec3::new(0.1, 0.4, 0.1), DVec3::Z);
        let knee = DVec3::Y + bent.upper * 0.5;
        let end = knee + bent.lower * 0.4;
        assert!(end.distance(DVec3::new(0.1, 0.4, 0.1)) < 1e-12);
        assert!(knee.z > 0.1);
        assert!(bent.upper.cross(bent.lower).normalize().dot(bent.hinge) > 0.999_999);
    }

    #[test]
    fn what_is_out_of_reach_is_pointed_at() {
        let bent = two_bones(DVec3::ZERO, (0.5, 0.4), DVec3::X * 3.0, DVec3::Z);
        assert!(bent.upper.dot(DVec3::X) > 0.99 && bent.lower.dot(DVec3::X) > 0.99);
        let folded = two_bones(DVec3::ZERO, (0.5, 0.4), DVec3::ZERO, DVec3::Z);
        assert!(folded.lower.is_finite() && folded.upper.is_finite());
    }

    #[test]
    fn giving_way_is_nearly_the_largest_demand_and_nearly_nothing_without_one() {
        assert!((give_way([0.5, 0.1].into_iter(), 0.01) - 0.5).abs() < 1e-9);
        assert!(give_way([-0.5, -0.1].into_iter(), 0.01) < 1e-4);
        assert!(give_way([1e6].into_iter(), 0.01).is_finite());
    }

    #[test]
    fn twist_about_an_axis_leaves_the_swing() {
        let q = roll(40.0) * pitch(25.0);
        assert!(twist(q, DVec3::X).angle_between(pitch(25.0)) < 1e-9);
        assert!(twist(roll(180.0), DVec3::X).is_normalized());
    }
}
