//! The cotangent Laplacian of a triangle mesh (Pinkall & Polthier 1993) and the linear systems built on it.

use glam::DVec3;

/// Cotangents are clamped to this range: a sliver must not tear the surface, nor glue it.
const COTANGENT: (f64, f64) = (0.01, 20.0);
/// Relative residual at which the solver stops.
const TOLERANCE: f64 = 1e-5;
const MAX_ITERATIONS: usize = 400;

/// `L` in compressed rows, the diagonal apart, and the area of each vertex.
pub struct Laplacian {
    starts: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f64>,
    diagonal: Vec<f64>,
    /// A third of the triangles around each vertex.
    pub area: Vec<f64>,
}

impl Laplacian {
    /// Of a mesh.
    pub fn new(vertices: &[DVec3], triangles: &[[u32; 3]]) -> Self {
        let n = vertices.len();
        let mut area = vec![0.0; n];
        let mut entries: Vec<(u32, u32, f64)> = Vec::with_capacity(triangles.len() * 6);
        for t in triangles {
            let p = t.map(|i| vertices[i as usize]);
            let double_area = (p[1] - p[0]).cross(p[2] - p[0]).length();
            for corner in 0..3 {
                let (i, j) = (t[(corner + 1) % 3], t[(corner + 2) % 3]);
                let (a, b) = (p[(corner + 1) % 3] - p[corner], p[(corner + 2) % 3] - p[corner]);
                let cotangent =
                    (a.dot(b) / double_area.max(f64::MIN_POSITIVE)).clamp(COTANGENT.0, COTANGENT.1);
                entries.push((i, j, cotangent / 2.0));
                entries.push((j, i, cotangent / 2.0));
                area[t[corner] as usize] += double_area / 6.0;
            }
        }
        entries.sort_by_key(|e| (e.0, e.1));
        let mut laplacian = Self {
            starts: Vec::with_capacity(n + 1),
            columns: Vec::new(),
            values: Vec::new(),
            diagonal: vec![0.0; n],
            area,
        };
        let mut entries = entries.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).peekable();
        for row in 0..n as u32 {
            laplacian.starts.push(laplacian.columns.len() as u32);
            while let Some(same) = entries.next_if(|e| e[0].0 == row) {
                let value: f64 = same.iter().map(|e| e.2).sum();
                laplacian.columns.push(same[0].1);
                laplacian.values.push(-value);
                laplacian.diagonal[row as usize] += value;
            }
        }
        laplacian.starts.push(laplacian.columns.len() as u32);
        laplacian
    }

    /// `L + diag(added)`, ready to be solved.
    pub fn plus_diagonal(&self, added: &[f64]) -> System<'_> {
        let diagonal: Vec<f64> = self.diagonal.iter().zip(added).map(|(d, a)| d + a).collect();
        let inverse = diagonal.iter().map(|d| if *d > 0.0 { 1.0 / d } else { 0.0 }).collect();
        System { laplacian: self, diagonal, inverse }
    }
}

/// A symmetric system that is positive definite on every connected part with something added.
pub struct System<'a> {
    laplacian: &'a Laplacian,
    diagonal: Vec<f64>,
    /// Jacobi preconditioner.
    inverse: Vec<f64>,
}

impl System<'_> {
    fn multiply(&self, x: &[f64], y: &mut [f64]) {
        let l = self.laplacian;
        for (row, y) in y.iter_mut().enumerate() {
            let range = l.starts[row] as usize..l.starts[row + 1] as usize;
            *y = self.diagonal[row] * x[row]
                + l.columns[range.clone()]
                    .iter()
                    .zip(&l.values[range])
                    .map(|(&c, v)| v * x[c as usize])
                    .sum::<f64>();
        }
    }

    /// Conjugate gradients with Jacobi preconditioning. Vertices of parts where `right` is 0 stay 0.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = right.len();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut x = vec![0.0; n];
        let mut r = right.to_vec();
        let mut z: Vec<f64> = r.iter().zip(&self.inverse).map(|(r, i)| r * i).collect();
        let mut p = z.clone();
        let mut rz = dot(&r, &z);
        let stop = rz * TOLERANCE * TOLERANCE;
        let mut ap = vec![0.0; n];
        for _ in 0..MAX_ITERATIONS {
            if rz <= stop {
                break;
            }
            self.multiply(&p, &mut ap);
            let alpha = rz / dot(&p, &ap);
            for i in 0..n {
                x[i] += alpha * p[i];
                r[i] -= alpha * ap[i];
                z[i] = r[i] * self.inverse[i];
            }
            let next = dot(&r, &z);
            let beta = next / rz;
            rz = next;
            for (p, z) in p.iter_mut().zip(&z) {
                *p = z + beta * *p;
            }
        }
        x
    }
}
