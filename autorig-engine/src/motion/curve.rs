//! Values over time through a few keys.

/// Keys with a smooth way between them that never overshoots a key (Fritsch, Carlson 1980, "Monotone piecewise cubic
/// interpolation", with the harmonic mean of Fritsch and Butland 1984).
#[derive(Debug, Clone)]
pub(super) struct Curve {
    keys: Vec<(f64, f64)>,
    slopes: Vec<f64>,
}

impl Curve {
    /// Through `(time, value)` pairs with rising times; at rest at both ends.
    pub(super) fn new(keys: &[(f64, f64)]) -> Self {
        let rises: Vec<f64> = keys.windows(2).map(|w| (w[1].1 - w[0].1) / (w[1].0 - w[0].0)).collect();
        let inner = rises.windows(2).map(|w| mean(w[0], w[1]));
        let mut slopes: Vec<f64> = std::iter::once(0.0).chain(inner).collect();
        slopes.resize(keys.len(), 0.0);
        Self { keys: keys.to_vec(), slopes }
    }

    /// The same, leaving the first key at a slope.
    #[must_use]
    pub(super) fn leaving_at(mut self, slope: f64) -> Self {
        if let Some(first) = self.slopes.first_mut() {
            *first = slope;
        }
        self
    }

    /// Through pairs of one turn, over and over: times from 0 to below 1.
    pub(super) fn round(keys: &[(f64, f64)]) -> Self {
        let shifted = |by: f64| keys.iter().map(move |(t, v)| (t + by, *v));
        let all: Vec<(f64, f64)> = [-1.0, 0.0, 1.0].into_iter().flat_map(shifted).collect();
        Self::new(&all)
    }

    /// The value at a time; before the first key and after the last it stays.
    pub(super) fn at(&self, time: f64) -> f64 {
        let after = self.keys.partition_point(|k| k.0 <= time);
        let (Some(before), true) = (after.checked_sub(1), after < self.keys.len()) else {
            return if after == 0 { self.keys[0].1 } else { self.keys[after - 1].1 };
        };
        let ((t0, v0), (t1, v1)) = (self.keys[before], self.keys[after]);
        hermite(v0, self.slopes[before], v1, self.slopes[after], t1 - t0, (time - t0) / (t1 - t0))
    }
}

/// The cubic with these ends and slopes over a length, at a share of it.
pub(super) fn hermite(v0: f64, s0: f64, v1: f64, s1: f64, length: f64, s: f64) -> f64 {
    let (s2, s3) = (s * s, s * s * s);
    v0 * (2.0 * s3 - 3.0 * s2 + 1.0)
        + s0 * length * (s3 - 2.0 * s2 + s)
        + v1 * (3.0 * s2 - 2.0 * s3)
        + s1 * length * (s3 - s2)
}

/// 0 at a turning point, else the harmonic mean.
fn mean(a: f64, b: f64) -> f64 {
    if a * b <= 0.0 { 0.0 } else { 2.0 * a * b / (a + b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_through_its_keys_and_never_beyond_them() {
        let curve = Curve::new(&[(0.0, 0.0), (1.0, 3.0), (1.5, 3.0), (4.0, -1.0)]);
        for (t, v) in [(-1.0, 0.0), (0.0, 0.0), (1.0, 3.0), (1.3, 3.0), (4.0, -1.0), (9.0, -1.0)] {
            assert!((curve.at(t) - v).abs() < 1e-12, "at {t}");
        }
        assert!((0..400).all(|i| (-1.0 - 1e-12..=3.0 + 1e-12).contains(&curve.at(f64::from(i) / 100.0))));
    }

    #[test]
    fn a_round_curve_closes() {
        let curve = Curve::round(&[(0.1, 1.0), (0.6, -1.0), (0.8, 0.0)]);
        assert!((curve.at(0.0) - curve.at(1.0)).abs() < 1e-12);
        assert!((curve.at(0.0001) - curve.at(0.9999)).abs() < 0.01);
    }
}
