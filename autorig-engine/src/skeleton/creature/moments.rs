//! Sums over points that add up: how many, where, how spread.

use glam::{DMat3, DVec3};

/// Count, mean and covariance of points, kept as sums.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    /// Number of points.
    pub(super) count: f64,
    sum: DVec3,
    /// Sums of xx, yy, zz.
    squares: DVec3,
    /// Sums of yz, zx, xy.
    products: DVec3,
}

impl Moments {
    pub(super) fn add(&mut self, p: DVec3) {
        self.count += 1.0;
        self.sum += p;
        self.squares += p * p;
        self.products += DVec3::new(p.y * p.z, p.z * p.x, p.x * p.y);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
        self.products += other.products;
    }

    pub(super) fn centre(&self) -> DVec3 {
        self.sum / self.count.max(1.0)
    }

    /// Turns the points about the origin.
    pub(super) fn turn(&mut self, rotation: DMat3) {
        let (s, p) = (self.squares, self.products);
        let outer =
            DMat3::from_cols(DVec3::new(s.x, p.z, p.y), DVec3::new(p.z, s.y, p.x), DVec3::new(p.y, p.x, s.z));
        let turned = rotation * outer * rotation.transpose();
        self.sum = rotation * self.sum;
        self.squares = DVec3::new(turned.x_axis.x, turned.y_axis.y, turned.z_axis.z);
        self.products = DVec3::new(turned.y_axis.z, turned.z_axis.x, turned.x_axis.y);
    }

    /// Standard deviations along the principal axes, largest first, and the axes.
    pub(super) fn spread(&self) -> (DVec3, DMat3) {
        let n = self.count.max(1.0);
        let c = self.centre();
        let square = self.squares / n - c * c;
        let product = self.products / n - DVec3::new(c.y * c.z, c.z * c.x, c.x * c.y);
        let (values, axes) = eigen(square, product);
        (DVec3::from_array(values.max(DVec3::ZERO).to_array().map(f64::sqrt)), axes)
    }

    /// Half the width of what the points fill at its widest: exact for a disc.
    pub(super) fn half_width(&self) -> f64 {
        2.0 * self.spread().0.x
    }
}

/// Eigenvalues, largest first, and unit eigenvectors of a symmetric matrix, by Jacobi's rotations.
fn eigen(diagonal: DVec3, off: DVec3) -> (DVec3, DMat3) {
    let mut a = [[diagonal.x, off.z, off.y], [off.z, diagonal.y, off.x], [off.y, off.x, diagonal.z]];
    let mut v = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    // Three sweeps over the three off-diagonal entries reach double precision in practice; five are cheap.
    for _ in 0..5 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q] == 0.0 {
                continue;
            }
            let theta: f64 = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
            let c = 1.0 / (t * t + 1.0).sqrt();
            let s = t * c;
            let turn = |x: f64, y: f64| (c * x - s * y, s * x + c * y);
            for row in a.iter_mut().chain(&mut v) {
                (row[p], row[q]) = turn(row[p], row[q]);
            }
            let (above, below) = (a[p], a[q]);
            for (k, (x, y)) in above.into_iter().zip(below).enumerate() {
                (a[p][k], a[q][k]) = turn(x, y);
            }
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    let column = |i: usize| DVec3::new(v[0][i], v[1][i], v[2][i]);
    let [i, j, k] = order;
    (DVec3::new(a[i][i], a[j][j], a[k][k]), DMat3::from_cols(column(i), column(j), column(k)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretched_cloud_has_its_spread_along_its_own_axes() {
        let (long, short) = (DVec3::new(3.0, 4.0, 0.0) / 5.0, DVec3::Z);
        let mut moments = Moments::default();
        for i in -10..=10 {
            for j in -3..=3 {
                moments.add(DVec3::ONE + long * f64::from(i) + short * f64::from(j));
            }
        }
        let (spread, axes) = moments.spread();
        assert!(moments.centre().distance(DVec3::ONE) < 1e-12);
        assert!((spread.x - (110.0_f64 / 3.0).sqrt()).abs() < 1e-9 && (spread.y - 2.0).abs() < 1e-9);
        assert!(spread.z < 1e-6);
        assert!(axes.x_axis.dot(long).abs() > 1.0 - 1e-9 && axes.y_axis.dot(short).abs() > 1.0 - 1e-9);
    }
}
