//! Points spread evenly over a surface, the same ones every time.

use glam::DVec3;

use super::weld::Face;
use crate::random::SplitMix;

/// A point on the surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurfacePoint {
    /// Where it is.
    pub position: DVec3,
    /// Unit normal of its triangle.
    pub normal: DVec3,
    /// Whether it would be here with the last digits of the mesh a little otherwise, 0 to 1: at 0 a rounding error puts it
    /// on the next triangle or leaves it out. Falls without a step, so that choices made with it do not jump.
    pub steady: f64,
}

impl SurfacePoint {
    /// A point that is given.
    pub fn new(position: DVec3, normal: DVec3) -> Self {
        Self { position, normal, steady: 1.0 }
    }
}

/// So many triangles that follow one another in the file are sampled together, as a run. The points of a run depend on
/// nothing but its triangles and their place in the file, so a rounding error that tips a point over the edge of its
/// triangle, or merges two vertices elsewhere, or gives a sliver an area or none, ends with the run. Long enough that the
/// points keep their even distances.
const BLOCK: u32 = 128;

/// A point is as steady as can be from this share of its triangle's area on, counted from the nearer end.
const MARGIN: f64 = 0.05;
/// Points at the end that are less steady.
const LAST: usize = 32;

/// Spreads `count` points over the faces by area, stratified along runs of them, in random order.
///
/// Their corners are indices into `vertices`. Turning, moving or scaling the mesh turns, moves and scales the points with
/// it, up to rounding. Empty when the whole area is zero.
pub fn sample(vertices: &[DVec3], faces: &[Face], count: usize, seed: u64) -> Vec<SurfacePoint> {
    let total: f64 = faces.iter().map(|face| doubled_area(vertices, face)).sum();
    if total <= 0.0 || !total.is_finite() {
        return Vec::new();
    }
    // Each run has its share of points to within one, so a few too many are spread and the surplus is dropped.
    let mut wanted = count + count / 16 + 16;
    loop {
        let mut points = spread(vertices, faces, |_| true, total / wanted as f64, seed);
        if points.len() >= count {
            points.truncate(count);
            fade(&mut points);
            return points;
        }
        wanted *= 2;
    }
}

/// Twice the area of a face.
pub fn doubled_area(vertices: &[DVec3], face: &Face) -> f64 {
    let [a, b, c] = face.corners.map(|i| vertices[i as usize]);
    (b - a).cross(c - a).length()
}

/// Whether two faces are of one run, whose points depend on all faces before them in the run, wanted or not.
pub fn same_run(a: &Face, b: &Face) -> bool {
    a.ordinal / BLOCK == b.ordinal / BLOCK
}

/// One point for each `step` of doubled area on the faces that are wanted, in random order. A face's points do not depend
/// on which others are wanted.
pub fn spread(
    vertices: &[DVec3],
    faces: &[Face],
    wanted: impl Fn(&Face) -> bool,
    step: f64,
    seed: u64,
) -> Vec<SurfacePoint> {
    let mut points = Vec::new();
    for run in faces.chunk_by(same_run) {
        let name = SplitMix::new(seed).next() ^ u64::from(run[0].ordinal / BLOCK);
        sample_run(vertices, run, &wanted, step, SplitMix::new(name).next(), &mut points);
    }
    points.sort_unstable_by_key(|(priority, _)| *priority);
    points.into_iter().map(|(_, point)| point).collect()
}

/// Makes the last points less and less steady: one that appears or goes before them shifts them over the end.
pub fn fade(points: &mut [SurfacePoint]) {
    for (left, point) in points.iter_mut().rev().take(LAST).enumerate() {
        point.steady *= left as f64 / LAST as f64;
    }
}

/// One point in each stratum of `step` along the run, jittered, each with a random priority.
fn sample_run(
    vertices: &[DVec3],
    run: &[Face],
    wanted: impl Fn(&Face) -> bool,
    step: f64,
    name: u64,
    points: &mut Vec<(u64, SurfacePoint)>,
) {
    // The first stratum of a run is cut at a random place, so that short runs get their share on average.
    let first = SplitMix::new(name).unit();
    let mut passed = 0.0;
    for face in run {
        let area = doubled_area(vertices, face);
        let strata = ((passed / step + first) as u64)..=(((passed + area) / step + first) as u64);
        let drawn = area > 0.0 && wanted(face);
        for stratum in strata.take_while(|_| drawn) {
            let mut random = SplitMix::new(name ^ SplitMix::new(stratum).next());
            let share = ((stratum as f64 + random.unit() - first) * step - passed) / area;
            if !(0.0..1.0).contains(&share) {
                continue;
            }
            let (r, s) = (random.unit().sqrt(), random.unit());
            let [a, b, c] = face.corners.map(|i| vertices[i as usize]);
            let position = a * (1.0 - r) + b * (r * (1.0 - s)) + c * (r * s);
            let normal = (b - a).cross(c - a).normalize_or_zero();
            let steady = (share.min(1.0 - share) / MARGIN).min(1.0);
            points.push((random.next(), SurfacePoint { position, normal, steady }));
        }
        passed += area;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A strip of triangles, the later ones larger.
    fn strip() -> (Vec<DVec3>, Vec<Face>) {
        let vertices =
            (0..1002).map(|i| DVec3::new(f64::from(i * i) * 1e-6, f64::from(i % 2), 0.0)).collect();
        (vertices, (0..1000).map(|i| Face { corners: [i, i + 1, i + 2], ordinal: i }).collect())
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
        assert!(sample(&[DVec3::ZERO; 3], &[Face { corners: [0, 1, 2], ordinal: 0 }], 100, 0).is_empty());
        assert!(sample(&[], &[], 100, 0).is_empty());
    }
}
