//! Points spread evenly over a surface, the same ones every time.

use glam::DVec3;

use crate::random::SplitMix;

/// A point on the surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurfacePoint {
    /// Where it is.
    pub position: DVec3,
    /// Unit normal of its triangle.
    pub normal: DVec3,
}

/// Spreads `count` points over the triangles by area, stratified along the triangles' order, and shuffles them.
///
/// Every triangle is given by indices into `vertices`. Turning, moving or scaling the mesh turns, moves and scales the
/// points with it, up to rounding. Empty when the whole area is zero.
pub fn sample(vertices: &[DVec3], triangles: &[[u32; 3]], count: usize, seed: u64) -> Vec<SurfacePoint> {
    let corner = |t: &[u32; 3], i: usize| vertices[t[i] as usize];
    let mut cumulative = Vec::with_capacity(triangles.len());
    let mut total = 0.0;
    for t in triangles {
        total += (corner(t, 1) - corner(t, 0)).cross(corner(t, 2) - corner(t, 0)).length();
        cumulative.push(total);
    }
    if total <= 0.0 || !total.is_finite() {
        return Vec::new();
    }
    let mut random = SplitMix::new(seed);
    let mut points = Vec::with_capacity(count);
    let mut at = 0;
    for i in 0..count {
        let target = (i as f64 + random.unit()) * total / count as f64;
        while at + 1 < triangles.len() && cumulative[at] < target {
            at += 1;
        }
        let (a, b, c) = (corner(&triangles[at], 0), corner(&triangles[at], 1), corner(&triangles[at], 2));
        let (r, s) = (random.unit().sqrt(), random.unit());
        points.push(SurfacePoint {
            position: a * (1.0 - r) + b * (r * (1.0 - s)) + c * (r * s),
            normal: (b - a).cross(c - a).normalize_or_zero(),
        });
    }
    random.shuffle(&mut points);
    points
}
