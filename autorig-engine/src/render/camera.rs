//! Where the picture is taken from: a perspective camera that holds a whole character.

use glam::{Mat3, Vec3};

/// Half the vertical and horizontal field of view, as a tangent: 14°, a portrait lens, so that what is near does not swell.
const HALF_VIEW: f32 = 0.249_328;
/// Share of the picture that stays free around the character.
const MARGIN: f32 = 0.06;
/// Elevation of the camera above the horizon, as sine and cosine: 7°.
const ELEVATION: (f32, f32) = (0.121_869, 0.992_546);

/// A camera over a square picture, in canonical space turned by [`Camera::turn`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Camera {
    /// Rows are right, up and backward: what takes a direction into the camera's frame.
    axes: Mat3,
    /// Where it stands.
    pub(super) eye: Vec3,
    /// Nearest distance that is drawn.
    pub(super) near: f32,
}

/// A point as the camera sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Across the picture, -1 to 1, to the right.
    pub(super) x: f32,
    /// Along the picture, -1 to 1, upwards.
    pub(super) y: f32,
    /// Distance along the view.
    pub(super) depth: f32,
}

impl Camera {
    /// The camera that looks against +Z from slightly above and holds every point of `points`, given once for each
    /// pose or turn that the picture series will show.
    pub(super) fn holding(points: impl Iterator<Item = Vec3>) -> Self {
        let (sine, cosine) = ELEVATION;
        // The camera's backward direction points from the character to it.
        let back = Vec3::new(0.0, sine, cosine);
        let axes = Mat3::from_cols(Vec3::X, back.cross(Vec3::X), back).transpose();
        let tangent = HALF_VIEW * (1.0 - MARGIN);
        // A point at (x, y, z) in the camera's frame is inside when |x - cx| ≤ t (d - z): the four half spaces through
        // the eye, of which the tightest decide.
        let mut most = [f32::NEG_INFINITY; 4];
        let mut front = f32::NEG_INFINITY;
        for p in points {
            let q = axes * p;
            let slack = tangent * q.z;
            for (most, value) in most.iter_mut().zip([q.x, -q.x, q.y, -q.y]) {
                *most = most.max(value + slack);
            }
            front = front.max(q.z);
        }
        let [right, left, top, bottom] = most;
        let distance = ((right + left).max(top + bottom) / (2.0 * tangent)).max(front + 1e-3);
        let usable = [right, left, top, bottom, distance].iter().all(|v| v.is_finite());
        let place = if usable {
            Vec3::new((right - left) / 2.0, (top - bottom) / 2.0, distance)
        } else {
            Vec3::new(0.0, 0.9, 8.0)
        };
        // Half of the gap to what is nearest: whatever moves a little closer is still drawn.
        let near = if usable { ((distance - front) * 0.5).max(distance * 1e-3) } else { 0.01 };
        Self { axes, eye: axes.transpose() * place, near }
    }

    /// A point in the picture.
    pub(super) fn see(&self, p: Vec3) -> Seen {
        let q = self.axes * (p - self.eye);
        let depth = -q.z;
        let scale = 1.0 / (depth * HALF_VIEW);
        Seen { x: q.x * scale, y: q.y * scale, depth }
    }

    /// The direction of the ray through a place of the picture, at depth 1 along the view.
    pub(super) fn ray(&self, x: f32, y: f32) -> Vec3 {
        self.axes.transpose() * Vec3::new(x * HALF_VIEW, y * HALF_VIEW, -1.0)
    }
}

/// The rotation about the vertical by an angle in radians, counter-clockwise from above.
pub(super) fn turned(angle: f32) -> Mat3 {
    let (sine, cosine) = (libm::sinf(angle), libm::cosf(angle));
    Mat3::from_cols(Vec3::new(cosine, 0.0, -sine), Vec3::Y, Vec3::new(sine, 0.0, cosine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_inside_and_the_tightest_touch_the_margin() {
        let points =
            [Vec3::ZERO, Vec3::new(0.8, 1.4, 0.0), Vec3::new(-0.8, 1.4, 0.3), Vec3::new(0.0, 1.8, 0.1)];
        let camera = Camera::holding(points.into_iter());
        let seen: Vec<Seen> = points.iter().map(|p| camera.see(*p)).collect();
        let reach = seen.iter().flat_map(|s| [s.x.abs(), s.y.abs()]).fold(0.0, f32::max);
        assert!((reach - (1.0 - MARGIN)).abs() < 1e-3, "{reach}");
        assert!(seen.iter().all(|s| s.depth > camera.near));
    }

    #[test]
    fn a_ray_through_a_point_of_the_picture_meets_what_is_seen_there() {
        let camera = Camera::holding([Vec3::ZERO, Vec3::ONE].into_iter());
        let point = Vec3::new(0.3, 0.5, -0.2);
        let seen = camera.see(point);
        let back = camera.eye + camera.ray(seen.x, seen.y) * seen.depth;
        assert!(back.distance(point) < 1e-4);
    }

    #[test]
    fn nothing_to_hold_still_gives_a_camera() {
        let camera = Camera::holding(std::iter::empty());
        assert!(camera.eye.is_finite() && camera.near > 0.0);
    }

    #[test]
    fn a_quarter_turn_brings_the_front_to_the_left_side() {
        let front = turned(std::f32::consts::FRAC_PI_2) * Vec3::Z;
        assert!(front.distance(Vec3::X) < 1e-6, "{front}");
    }
}
