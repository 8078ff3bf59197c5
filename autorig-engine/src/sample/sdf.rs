//! Solids as signed distances: lofts, tapered capsules and ellipsoids, smoothly joined.
//!
//! Distances are estimates that are exact in sign and close to 1-Lipschitz; [`LIPSCHITZ`] bounds the slope.

use glam::DVec3;

/// No distance here changes faster than this per unit of length.
pub(super) const LIPSCHITZ: f64 = 1.7;

/// The coordinate axis that a loft runs along, and its two cross axes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Along {
    /// Runs along x; cross axes y, z.
    X,
    /// Runs along y; cross axes x, z.
    Y,
    /// Runs along z; cross axes x, y.
    Z,
}

impl Along {
    fn split(self, p: DVec3) -> (f64, f64, f64) {
        match self {
            Self::X => (p.x, p.y, p.z),
            Self::Y => (p.y, p.x, p.z),
            Self::Z => (p.z, p.x, p.y),
        }
    }
}

/// An ellipse across a loft: place along it, centre and half axes on the two cross axes.
type Section = [f64; 5];

/// Elliptical sections joined by monotone cubics, closed by rounded caps.
#[derive(Debug, Clone)]
pub(super) struct Loft {
    along: Along,
    /// Where the sections are.
    knots: Vec<f64>,
    /// Between two knots, for each channel, a cubic in the share of the way.
    cubics: Vec<[[f64; 4]; 4]>,
    cap: f64,
}

impl Loft {
    /// Two or more sections in rising order of their first entry; `cap` is how far the ends bulge.
    pub(super) fn new(along: Along, cap: f64, sections: &[Section]) -> Self {
        let cubic = |i: usize, channel: usize| {
            let (a, b) = (&sections[i], &sections[i + 1]);
            let span = b[0] - a[0];
            let (out, into) = (
                span * monotone_slope(sections, i, channel),
                span * monotone_slope(sections, i + 1, channel),
            );
            let rise = b[channel] - a[channel];
            [a[channel], out, 3.0 * rise - 2.0 * out - into, out + into - 2.0 * rise]
        };
        let cubics = (0..sections.len() - 1).map(|i| std::array::from_fn(|c| cubic(i, c + 1))).collect();
        Self { along, knots: sections.iter().map(|s| s[0]).collect(), cubics, cap }
    }

    fn section(&self, t: f64) -> [f64; 4] {
        let mut i = 0;
        while i + 1 < self.cubics.len() && self.knots[i + 1] < t {
            i += 1;
        }
        let s = ((t - self.knots[i]) / (self.knots[i + 1] - self.knots[i])).clamp(0.0, 1.0);
        self.cubics[i].map(|[c0, c1, c2, c3]| c0 + s * (c1 + s * (c2 + s * c3)))
    }

    fn distance(&self, p: DVec3) -> f64 {
        let (t, u, v) = self.along.split(p);
        let (first, last) = (self.knots[0], self.knots[self.knots.len() - 1]);
        let [cu, cv, ru, rv] = self.section(t);
        let over = (t - last).max(first - t);
        if over > 0.0 {
            return ellipsoid(DVec3::new(u - cu, v - cv, over), DVec3::new(ru, rv, self.cap));
        }
        let across = ellipsoid(DVec3::new(u - cu, v - cv, 0.0), DVec3::new(ru, rv, f64::INFINITY));
        across.max(1.6 * (over - self.cap))
    }
}

/// Slope of a channel at section `i` that makes no new extremes (Fritsch and Carlson's harmonic mean).
fn monotone_slope(sections: &[Section], i: usize, channel: usize) -> f64 {
    let secant = |i: usize| {
        let (a, b) = (&sections[i], &sections[i + 1]);
        (b[channel] - a[channel]) / (b[0] - a[0])
    };
    if i == 0 || i + 1 == sections.len() {
        return 0.0;
    }
    let (before, after) = (secant(i - 1), secant(i));
    if before * after <= 0.0 { 0.0 } else { 2.0 * before * after / (before + after) }
}

/// Distance to an ellipsoid about the origin, exact to first order near its surface. Deep inside of a
/// flat one that formula says far too much, so there it is held down to what the thinnest axis allows.
fn ellipsoid(p: DVec3, r: DVec3) -> f64 {
    let scaled = p / r;
    let f = scaled.length();
    let g = (scaled / r).length();
    let deepest = 1.6 * r.min_element();
    if f >= 1.0 || f < deepest * g { f * (f - 1.0) / g } else { deepest * (f - 1.0) }
}

/// One building stone of a solid.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A capsule whose radius goes evenly from the first end to the second.
    Cone(DVec3, DVec3, f64, f64),
    /// Centre and half axes.
    Ellipsoid(DVec3, DVec3),
    /// See [`Loft`].
    Loft(Loft),
    /// Pushes the surface in by the last number around a centre within a radius.
    Dent(DVec3, f64, f64),
}

impl Shape {
    fn distance(&self, p: DVec3) -> f64 {
        match self {
            Self::Cone(a, b, ra, rb) => {
                let (ap, ab) = (p - *a, *b - *a);
                let t = (ap.dot(ab) / ab.length_squared()).clamp(0.0, 1.0);
                (ap - ab * t).length() - (ra + (rb - ra) * t)
            }
            Self::Ellipsoid(centre, radii) => ellipsoid(p - *centre, *radii),
            Self::Loft(loft) => loft.distance(p),
            Self::Dent(centre, radius, _) => p.distance(*centre) - radius,
        }
    }
}

/// Shapes joined in order, each with its own softness.
#[derive(Debug, Clone, Default)]
pub(super) struct Solid {
    parts: Vec<(Shape, f64)>,
    mirrored: bool,
    floor: bool,
}

impl Solid {
    /// A solid that is the same on both sides of x = 0: only the shapes at x ≥ 0 are given.
    pub(super) fn mirrored() -> Self {
        Self { mirrored: true, ..Self::default() }
    }

    /// Joins a shape, blending over the length `softness`.
    pub(super) fn join(&mut self, shape: Shape, softness: f64) -> &mut Self {
        self.parts.push((shape, softness));
        self
    }

    /// Joins a loft.
    pub(super) fn loft(&mut self, along: Along, softness: f64, cap: f64, sections: &[Section]) -> &mut Self {
        self.join(Shape::Loft(Loft::new(along, cap, sections)), softness)
    }

    /// Joins a tapered capsule.
    pub(super) fn cone(&mut self, a: [f64; 3], b: [f64; 3], radii: [f64; 2], softness: f64) -> &mut Self {
        self.join(Shape::Cone(a.into(), b.into(), radii[0], radii[1]), softness)
    }

    /// Joins an ellipsoid.
    pub(super) fn ball(&mut self, centre: [f64; 3], radii: [f64; 3], softness: f64) -> &mut Self {
        self.join(Shape::Ellipsoid(centre.into(), radii.into()), softness)
    }

    /// Pushes the surface in (out for a negative depth) around a point.
    pub(super) fn dent(&mut self, centre: [f64; 3], radius: f64, depth: f64) -> &mut Self {
        self.join(Shape::Dent(centre.into(), radius, depth), 0.0)
    }

    /// Cuts off everything below y = 0, so that soles are flat.
    pub(super) fn stand_on_floor(&mut self) -> &mut Self {
        self.floor = true;
        self
    }

    /// Indices of all parts, for [`Solid::distance_of`].
    pub(super) fn all(&self) -> Vec<u16> {
        (0..self.parts.len()).map(|i| u16::try_from(i).unwrap_or(u16::MAX)).collect()
    }

    /// Distance of a point from the surface, negative inside.
    #[cfg(test)]
    pub(super) fn distance(&self, p: DVec3) -> f64 {
        self.distance_of(p, &self.all())
    }

    /// Distance of a point from the surface, negative inside, from the named parts alone: exact wherever [`Solid::narrow`] gave them.
    pub(super) fn distance_of(&self, p: DVec3, parts: &[u16]) -> f64 {
        let p = self.fold(p);
        let mut distance = f64::INFINITY;
        for &i in parts {
            let (shape, softness) = &self.parts[usize::from(i)];
            if let Shape::Dent(centre, radius, depth) = shape {
                let q = (1.0 - p.distance_squared(*centre) / (radius * radius)).max(0.0);
                distance += depth * q * q * q;
            } else {
                distance = smooth_min(distance, shape.distance(p), *softness);
            }
        }
        if self.floor { -smooth_min(-distance, p.y, 0.006) } else { distance }
    }

    /// Drops from `parts` what cannot matter to any point within `radius` of `centre`.
    pub(super) fn narrow(&self, centre: DVec3, radius: f64, parts: &[u16]) -> Vec<u16> {
        let p = self.fold(centre);
        let reach = LIPSCHITZ * radius;
        let distances: Vec<f64> = parts.iter().map(|&i| self.parts[usize::from(i)].0.distance(p)).collect();
        let is_dent = |i: u16| matches!(self.parts[usize::from(i)].0, Shape::Dent(..));
        let nearest = parts
            .iter()
            .zip(&distances)
            .filter(|(i, _)| !is_dent(**i))
            .fold(f64::INFINITY, |nearest, (_, d)| nearest.min(*d));
        // A part that is farther away than the softness of its own and of every later join changes
        // nothing; twice that covers chains of blends.
        let mut softest = 0.0_f64;
        let mut kept: Vec<u16> = Vec::with_capacity(parts.len());
        for (&i, distance) in parts.iter().zip(&distances).rev() {
            softest = softest.max(self.parts[usize::from(i)].1);
            let limit = if is_dent(i) { reach } else { nearest + 2.0 * reach + 2.0 * softest };
            if *distance <= limit {
                kept.push(i);
            }
        }
        kept.reverse();
        kept
    }

    fn fold(&self, p: DVec3) -> DVec3 {
        if self.mirrored { DVec3::new(p.x.abs(), p.y, p.z) } else { p }
    }
}

/// The smaller of two numbers, rounded off where they differ by less than `softness`; exact elsewhere.
fn smooth_min(a: f64, b: f64, softness: f64) -> f64 {
    let overlap = softness - (a - b).abs();
    if overlap <= 0.0 || !a.is_finite() { a.min(b) } else { a.min(b) - overlap * overlap / (4.0 * softness) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{cartoon, human, quadruped};

    #[test]
    fn distances_are_negative_at_the_joints_the_solids_were_built_around() {
        let samples = [
            (human::solid(), human::truth()),
            (cartoon::solid(), cartoon::truth()),
            (quadruped::solid(), quadruped::truth()),
        ];
        for (solid, truth) in samples {
            for joint in truth {
                let distance = solid.distance(joint.position.into());
                assert!(distance < -0.002, "{} at {distance}", joint.name);
            }
        }
    }

    #[test]
    fn narrowed_parts_give_the_same_distance_near_the_surface() {
        for solid in [human::solid(), cartoon::solid(), quadruped::solid()] {
            let mut checked = 0;
            // A lattice with steps that share no factor with the shapes' own places.
            for i in 0..40_000 {
                let share = |step: f64| libm::fmod(f64::from(i) * step, 1.0);
                let centre = DVec3::new(
                    share(0.618_034) * 1.8 - 0.9,
                    share(0.414_214) * 1.8,
                    share(0.732_051) * 1.8 - 0.9,
                );
                let parts = solid.narrow(centre, 0.02, &solid.all());
                for corner in [DVec3::splat(0.01), DVec3::new(-0.01, 0.01, -0.01)] {
                    let exact = solid.distance(centre + corner);
                    if exact.abs() < 0.05 {
                        checked += 1;
                        assert_eq!(exact.to_bits(), solid.distance_of(centre + corner, &parts).to_bits());
                    }
                }
            }
            assert!(checked > 500, "{checked}");
        }
    }
}
