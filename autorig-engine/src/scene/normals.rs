//! Normals from faces.

/// Unit normals of vertices, averaged over their triangles by area; the positive Z axis where a vertex
/// has none.
pub(crate) fn vertex_normals(positions: &[[f32; 3]], indices: &[u32]) -> Vec<[f32; 3]> {
    let mut sums = vec![[0.0f64; 3]; positions.len()];
    for triangle in indices.chunks_exact(3) {
        let corner = |i: usize| {
            let index = triangle.get(i).map_or(usize::MAX, |i| *i as usize);
            positions.get(index).map(|p| glam::DVec3::from(p.map(f64::from)))
        };
        let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) else { continue };
        let normal = (b - a).cross(c - a);
        for &index in triangle {
            if let Some(sum) = sums.get_mut(index as usize) {
                sum.iter_mut().zip(normal.to_array()).for_each(|(s, n)| *s += n);
            }
        }
    }
    sums.into_iter().map(|sum| unit_or(glam::DVec3::from(sum), glam::DVec3::Z)).collect()
}

/// The vector at unit length, or the other one when it has none.
pub(crate) fn unit_or(v: glam::DVec3, other: glam::DVec3) -> [f32; 3] {
    // Scaling by the largest component first keeps the squares of tiny and huge vectors in range.
    let size = v.abs().max_element();
    let v = if size > 0.0 && size.is_finite() { v / size } else { other };
    (v / v.length()).to_array().map(|x| x as f32)
}
