//! Principal axes of symmetric 3 × 3 matrices.

use glam::{DMat3, DVec3};

/// Sweeps over the three off-diagonal entries at most; the method converges quadratically, five or six are enough.
const SWEEPS: usize = 12;

/// Eigenvalues, largest first, and a right-handed matrix whose columns are the unit eigenvectors.
///
/// `matrix` must be symmetric; only its upper triangle is read. Cyclic Jacobi rotations (Golub & Van Loan, *Matrix
/// Computations*, §8.5), which stay accurate where two eigenvalues are close.
pub fn eigen(matrix: DMat3) -> (DVec3, DMat3) {
    let mut a = matrix.to_cols_array_2d();
    for (p, q) in [(0, 1), (0, 2), (1, 2)] {
        a[p][q] = a[q][p];
    }
    let mut v = DMat3::IDENTITY.to_cols_array_2d();
    for _ in 0..SWEEPS {
        let size = a[0][0].abs() + a[1][1].abs() + a[2][2].abs();
        if a[0][1].abs() + a[0][2].abs() + a[1][2].abs() <= f64::EPSILON * size {
            break;
        }
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q] != 0.0 {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    let [x, y, z] = order.map(|i| DVec3::from(v[i]));
    let z = if x.cross(y).dot(z) < 0.0 { -z } else { z };
    (DVec3::from(order.map(|i| a[i][i])), DMat3::from_cols(x, y, z))
}

/// One Jacobi rotation: makes `a[p][q]` zero; columns of `v` (its inner arrays) follow.
fn rotate(a: &mut [[f64; 3]; 3], v: &mut [[f64; 3]; 3], p: usize, q: usize) {
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    if !c.is_finite() || !s.is_finite() {
        return;
    }
    for row in a.iter_mut() {
        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
    }
    for k in 0..3 {
        (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]);
        (v[p][k], v[q][k]) = (c * v[p][k] - s * v[q][k], s * v[p][k] + c * v[q][k]);
    }
    (a[p][q], a[q][p]) = (0.0, 0.0);
}

/// The sum of the outer products `w · a bᵀ`, made symmetric.
pub fn symmetric_product(a: DVec3, b: DVec3, w: f64) -> DMat3 {
    let outer = |a: DVec3, b: DVec3| DMat3::from_cols(a * b.x, a * b.y, a * b.z);
    (outer(a, b) + outer(b, a)) * (0.5 * w)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn eigenvectors_are_stretched_by_their_eigenvalues_and_form_a_rotation(
            e in prop::array::uniform6(-3.0..3.0_f64),
        ) {
            let m = DMat3::from_cols_array(&[e[0], e[1], e[2], e[1], e[3], e[4], e[2], e[4], e[5]]);
            let (values, vectors) = eigen(m);
            prop_assert!((vectors.determinant() - 1.0).abs() < 1e-9);
            prop_assert!(values.x >= values.y && values.y >= values.z);
            for i in 0..3 {
                prop_assert!((m * vectors.col(i) - vectors.col(i) * values[i]).length() < 1e-9);
            }
        }
    }
}
