//! The studio: an environment given by formulas, so that there is no file to carry and nothing to load.
//!
//! A vertical gradient and a few soft lamps, each a spherical Gaussian `a · exp(s (d · axis − 1))`. Diffuse light is the
//! second-order spherical-harmonics projection of it (Ramamoorthi and Hanrahan 2001, "An Efficient Representation for
//! Irradiance Environment Maps", §3); specular light widens each lamp by the lobe of the surface (Wang et al. 2009,
//! "All-Frequency Rendering of Dynamic, Spatially-Varying Reflectance", §4, as the product of two Gaussians).

use glam::Vec3;

/// A soft lamp.
struct Lamp {
    axis: Vec3,
    sharpness: f32,
    colour: Vec3,
}

/// The environment, its diffuse part projected.
pub(super) struct Studio {
    lamps: [Lamp; 4],
    harmonics: [Vec3; 9],
}

const ZENITH: Vec3 = Vec3::new(0.50, 0.53, 0.58);
const HORIZON: Vec3 = Vec3::new(0.34, 0.35, 0.37);
const FLOOR: Vec3 = Vec3::new(0.17, 0.16, 0.155);

impl Studio {
    /// The studio as every picture uses it. Axes are those of the camera's side: +Z towards it, +X to its right.
    pub(super) fn new() -> Self {
        let lamp =
            |axis: Vec3, sharpness: f32, colour: Vec3| Lamp { axis: axis.normalize(), sharpness, colour };
        let lamps = [
            // Key from the upper left, fill from the right, and two behind that draw the outline.
            lamp(Vec3::new(-0.62, 0.72, 0.70), 8.0, Vec3::new(4.6, 4.45, 4.2)),
            lamp(Vec3::new(0.85, 0.25, 0.55), 5.0, Vec3::new(0.70, 0.77, 0.88)),
            lamp(Vec3::new(0.75, 0.45, -0.75), 14.0, Vec3::new(3.4, 3.5, 3.7)),
            lamp(Vec3::new(-0.80, 0.30, -0.70), 12.0, Vec3::new(1.9, 2.0, 2.2)),
        ];
        let mut studio = Self { lamps, harmonics: [Vec3::ZERO; 9] };
        studio.harmonics = studio.project();
        studio
    }

    /// Light that falls on a surface with this normal, divided by π: what a white diffuse surface gives off.
    pub(super) fn diffuse(&self, n: Vec3) -> Vec3 {
        let h = &self.harmonics;
        let sum = h[0]
            + h[1] * n.y
            + h[2] * n.z
            + h[3] * n.x
            + h[4] * (n.x * n.y)
            + h[5] * (n.y * n.z)
            + h[6] * (3.0 * n.z * n.z - 1.0)
            + h[7] * (n.x * n.z)
            + h[8] * (n.x * n.x - n.y * n.y);
        sum.max(Vec3::ZERO)
    }

    /// Light that arrives around a mirrored direction through the lobe of a roughness (the square of glTF's).
    pub(super) fn specular(&self, direction: Vec3, alpha: f32) -> Vec3 {
        // Half-vector lobe 2/α², four times as wide in directions.
        let lobe = 0.5 / (alpha * alpha).max(1e-4);
        let blurred = gradient(direction).lerp((HORIZON + ZENITH + FLOOR) / 3.0, alpha * 0.7);
        self.lamps.iter().fold(blurred, |sum, lamp| {
            let joint = lamp.sharpness * lobe / (lamp.sharpness + lobe);
            let share = lobe / (lamp.sharpness + lobe);
            let fall = joint * (direction.dot(lamp.axis) - 1.0);
            // Below e⁻⁹ nothing is left to see.
            if fall < -9.0 { sum } else { sum + lamp.colour * (share * libm::expf(fall)) }
        })
    }

    fn radiance(&self, direction: Vec3) -> Vec3 {
        self.lamps.iter().fold(gradient(direction), |sum, lamp| {
            sum + lamp.colour * libm::expf(lamp.sharpness * (direction.dot(lamp.axis) - 1.0))
        })
    }

    /// Coefficients with the cosine's convolution (1, 2/3, 1/4) and the constants of the basis folded in.
    fn project(&self) -> [Vec3; 9] {
        const RINGS: usize = 32;
        const STEPS: usize = 64;
        let mut sums = [Vec3::ZERO; 9];
        let area = 4.0 * std::f32::consts::PI / (RINGS * STEPS) as f32;
        for ring in 0..RINGS {
            // Rings of equal area: equal steps of height.
            let y = 1.0 - (2.0 * ring as f32 + 1.0) / RINGS as f32;
            let radius = (1.0 - y * y).sqrt();
            for step in 0..STEPS {
                let angle = (step as f32 + 0.5) / STEPS as f32 * 2.0 * std::f32::consts::PI;
                let d = Vec3::new(radius * libm::cosf(angle), y, radius * libm::sinf(angle));
                let light = self.radiance(d) * area;
                let basis = [
                    1.0,
                    d.y,
                    d.z,
                    d.x,
                    d.x * d.y,
                    d.y * d.z,
                    3.0 * d.z * d.z - 1.0,
                    d.x * d.z,
                    d.x * d.x - d.y * d.y,
                ];
                sums.iter_mut().zip(basis).for_each(|(sum, b)| *sum += light * b);
            }
        }
        /// Squares of the basis' constants.
        const SQUARES: [f32; 9] = [
            0.079_577, 0.238_732, 0.238_732, 0.238_732, 1.092_548, 1.092_548, 0.099_471, 1.092_548, 0.273_137,
        ];
        const COSINE: [f32; 9] = [1.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 0.25, 0.25, 0.25, 0.25, 0.25];
        std::array::from_fn(|i| sums[i] * SQUARES[i] * COSINE[i])
    }
}

fn gradient(direction: Vec3) -> Vec3 {
    let up = direction.y;
    // A soft step at the horizon, as of a room with a curved backdrop.
    if up > 0.0 { HORIZON.lerp(ZENITH, up * (2.0 - up)) } else { HORIZON.lerp(FLOOR, (-up * 2.0).min(1.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projection_of_an_even_light_is_even() {
        let mut studio = Studio::new();
        studio.lamps.iter_mut().for_each(|l| l.colour = Vec3::ZERO);
        studio.harmonics = studio.project();
        // Without lamps the gradient alone: brightest from above, and between its own colours everywhere.
        let (up, down) = (studio.diffuse(Vec3::Y), studio.diffuse(-Vec3::Y));
        assert!(up.x > down.x);
        assert!(up.x < ZENITH.x + 0.02 && down.x > FLOOR.x - 0.02, "{up} {down}");
    }

    #[test]
    fn the_diffuse_light_is_the_cosine_weighted_mean_of_the_radiance() {
        let studio = Studio::new();
        let normal = Vec3::new(-0.3, 0.5, 0.8).normalize();
        let (mut sum, mut weight) = (Vec3::ZERO, 0.0);
        for i in 0..200 {
            for j in 0..200 {
                let (y, angle) =
                    (1.0 - (2.0 * i as f32 + 1.0) / 200.0, j as f32 / 200.0 * std::f32::consts::TAU);
                let radius = (1.0 - y * y).sqrt();
                let d = Vec3::new(radius * libm::cosf(angle), y, radius * libm::sinf(angle));
                let cosine = d.dot(normal).max(0.0);
                sum += studio.radiance(d) * cosine;
                weight += cosine;
            }
        }
        let (found, expected) = (studio.diffuse(normal), sum / weight);
        assert!(((found - expected) / expected).abs().max_element() < 0.05, "{found} {expected}");
    }

    #[test]
    fn a_smooth_surface_shows_the_lamp_and_a_rough_one_spreads_it() {
        let studio = Studio::new();
        let axis = studio.lamps[0].axis;
        assert!(studio.specular(axis, 0.01).x > studio.specular(axis, 0.8).x * 1.5);
        let aside = (axis + Vec3::new(0.9, 0.0, 0.0)).normalize();
        assert!(studio.specular(aside, 0.01).x < studio.specular(aside, 0.8).x * 1.5);
    }
}
