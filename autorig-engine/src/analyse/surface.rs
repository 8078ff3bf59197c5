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

/// Triangles that follow one another and begin with vertices of the same block of so many are sampled together, as a run. The
/// points of one run do not depend on another, so a rounding error that tips a point over the edge of its triangle, or a
/// sliver that has an area or none, ends with the run. Long enough that the points keep their even distances.
const BLOCK: u32 = 64;

/// Spreads `count` points over the triangles by area, stratified along runs of triangles, in random order.
///
/// Every triangle is given by indices into `vertices`. Turning, moving or scaling the mesh turns, moves and scales the
/// points with it, up to rounding. Empty when the whole area is zero.
pub fn sample(vertices: &[DVec3], triangles: &[[u32; 3]], count: usize, seed: u64) -> Vec<SurfacePoint> {
    let total: f64 = triangles.iter().map(|t| doubled_area(vertices, t)).sum();
    if total <= 0.0 || !total.is_finite() {
        return Vec::new();
    }
    // Each run has its share of points to within one, so a few too many are spread and the surplus is dropped.
    let mut wanted = count + count / 16 + 16;
    loop {
        let mut points = Vec::with_capacity(wanted);
        for run in triangles.chunk_by(|a, b| a[0] / BLOCK == b[0] / BLOCK) {
            let name = run[0].iter().fold(seed, |name, v| SplitMix::new(name ^ u64::from(*v)).next());
            let step = total / wanted as f64;
            sample_run(vertices, run, step, &mut SplitMix::new(name), &mut points);
        }
        if points.len() >= count {
            points.sort_unstable_by_key(|(priority, _)| *priority);
            return points.into_iter().take(count).map(|(_, point)| point).collect();
        }
        wanted *= 2;
    }
}

fn doubled_area(vertices: &[DVec3], triangle: &[u32; 3]) -> f64 {
    let [a, b, c] = triangle.map(|i| vertices[i as usize]);
    (b - a).cross(c - a).length()
}

/// One point each `step` of area, jittered, each with a random priority.
fn sample_run(
    vertices: &[DVec3],
    run: &[[u32; 3]],
    step: f64,
    random: &mut SplitMix,
    points: &mut Vec<(u64, SurfacePoint)>,
) {
    let mut triangle = 0;
    let mut passed = 0.0;
    let first = random.unit();
    for k in 0.. {
        let [jitter, r, s] = [random.unit(), random.unit().sqrt(), random.unit()];
        let priority = random.next();
        // The first stratum of a run is cut at a random place, so that short runs get their share on average.
        let target = (f64::from(k) + jitter - first) * step;
        if target < 0.0 {
            continue;
        }
        while triangle < run.len() && passed + doubled_area(vertices, &run[triangle]) <= target {
            passed += doubled_area(vertices, &run[triangle]);
            triangle += 1;
        }
        let Some(corners) = run.get(triangle) else { return };
        let [a, b, c] = corners.map(|i| vertices[i as usize]);
        let position = a * (1.0 - r) + b * (r * (1.0 - s)) + c * (r * s);
        points.push((priority, SurfacePoint { position, normal: (b - a).cross(c - a).normalize_or_zero() }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A strip of triangles, the later ones larger.
    fn strip() -> (Vec<DVec3>, Vec<[u32; 3]>) {
        let vertices =
            (0..1002).map(|i| DVec3::new(f64::from(i * i) * 1e-6, f64::from(i % 2), 0.0)).collect();
        (vertices, (0..1000).map(|i| [i, i + 1, i + 2]).collect())
    }

    #[test]
    fn points_are_spread_by_area() {
        let (vertices, triangles) = strip();
        for seed in 0..4 {
            let points = sample(&vertices, &triangles, 2000, seed);
            assert_eq!(points.len(), 2000);
            let left = points.iter().filter(|p| p.position.x < 0.25).count();
            assert!((450..550).contains(&left), "{left} of 2000 in a quarter");
            assert!(points.iter().all(|p| p.normal.z.abs() > 0.999 && (0.0..=1.0).contains(&p.position.y)));
        }
    }

    #[test]
    fn rounding_moves_few_points() {
        let (vertices, triangles) = strip();
        let rounded: Vec<DVec3> = vertices.iter().map(|v| (*v * 1e7).round() / 1e7).collect();
        let (a, b) = (sample(&vertices, &triangles, 2000, 1), sample(&rounded, &triangles, 2000, 1));
        let near = |p: &SurfacePoint| b.iter().any(|q| p.position.distance(q.position) < 1e-4);
        let moved = a.iter().filter(|p| !near(p)).count();
        assert!(moved < 20, "{moved} of 2000");
    }

    #[test]
    fn a_triangle_more_or_less_moves_few_points() {
        let (vertices, triangles) = strip();
        let (a, b) = (sample(&vertices, &triangles, 2000, 1), sample(&vertices, &triangles[1..], 2000, 1));
        let near = |p: &SurfacePoint| b.iter().any(|q| p.position.distance(q.position) < 1e-4);
        let moved = a.iter().filter(|p| !near(p)).count();
        assert!(moved < 40, "{moved} of 2000");
    }

    #[test]
    fn a_surface_without_area_has_no_points() {
        assert!(sample(&[DVec3::ZERO; 3], &[[0, 1, 2]], 100, 0).is_empty());
        assert!(sample(&[], &[], 100, 0).is_empty());
    }
}
