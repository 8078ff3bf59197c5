//! The planes in which a body mirrors itself.
//!
//! Points are reflected in a trial plane and matched to their nearest neighbours; the plane moves until the reflected
//! points lie on the surface (iterative closest points with point-to-plane distances, Chen & Medioni 1992; planes of
//! approximate symmetry in this way: Mitra, Guibas & Pauly 2006, §5). Weights that fall with the distance (Geman &
//! McClure 1987) let a raised arm, a sword or a bag disagree without pulling the plane. The starts come from the
//! principal axes, so that a turned body gives turned planes.

use glam::{DMat3, DVec3};
use rayon::prelude::*;

use super::{
    axes::{eigen, symmetric_product},
    nearest::Nearest,
    surface::SurfacePoint,
};

/// Points that are reflected while the starts compete, and at the end.
const COARSE: usize = 192;
const FINE: usize = 640;
/// Steps while the starts compete, and at the end.
const COARSE_STEPS: usize = 7;
const FINE_STEPS: usize = 8;
/// Distances from the surface, in root mean square radii of the body, at which a match counts a quarter: at the start, when
/// the starts are compared, and at the end.
const REACH: [f64; 3] = [0.2, 0.06, 0.03];
/// Planes whose normals are closer than this (cosine, some 20°) are the same.
const SAME: f64 = 0.94;
/// Different planes that are followed to the end.
const KEPT: usize = 3;

/// A plane of symmetry: points `p` with `normal · p = offset`.
#[derive(Debug, Clone, Copy)]
pub struct Mirror {
    /// Unit normal; its sign means nothing.
    pub normal: DVec3,
    /// Distance of the plane from the origin along the normal.
    pub offset: f64,
    /// Share of the surface that finds its mirror image, 0 to 1.
    pub agreement: f64,
}

impl Mirror {
    /// The mirror image of a point.
    #[must_use]
    pub fn reflect(&self, p: DVec3) -> DVec3 {
        p - self.normal * (2.0 * (self.normal.dot(p) - self.offset))
    }
}

/// The different planes found, the one with the best agreement first; at least one.
///
/// Both samplings of the surface are centred, with root mean square radius 1; the first is reflected, the second matched.
pub fn mirrors(reflected: &[SurfacePoint], matched: &[SurfacePoint]) -> Vec<Mirror> {
    let tree = Nearest::new(matched.iter().map(|p| p.position).collect());
    let follow = |planes: &[Mirror], count: usize, steps: usize, reach: [f64; 2]| {
        let points = &reflected[..count.min(reflected.len())];
        let mut found: Vec<Mirror> =
            planes.par_iter().map(|plane| fit(*plane, points, matched, &tree, steps, reach)).collect();
        found.sort_by(|a, b| b.agreement.total_cmp(&a.agreement));
        found
    };
    let mut coarse = distinct(follow(&starts(reflected), COARSE, COARSE_STEPS, [REACH[0], REACH[1]]));
    coarse.truncate(KEPT);
    distinct(follow(&coarse, FINE, FINE_STEPS, [REACH[1], REACH[2]]))
}

/// The plane of symmetry that a nearly right one leads to, in any frame and unit; samplings as for [`mirrors`].
#[must_use]
pub fn near(start: Mirror, reflected: &[SurfacePoint], matched: &[SurfacePoint]) -> Mirror {
    let count = matched.len().max(1) as f64;
    let centroid = matched.iter().map(|p| p.position).sum::<DVec3>() / count;
    let square = matched.iter().map(|p| p.position.distance_squared(centroid)).sum::<f64>() / count;
    let radius = square.sqrt().max(f64::MIN_POSITIVE);
    let normalised = |points: &[SurfacePoint]| -> Vec<SurfacePoint> {
        let one = |p: &SurfacePoint| SurfacePoint { position: (p.position - centroid) / radius, ..*p };
        points.iter().map(one).collect()
    };
    let (few, all) = (normalised(&reflected[..FINE.min(reflected.len())]), normalised(matched));
    let tree = Nearest::new(all.iter().map(|p| p.position).collect());
    let offset = (start.offset - start.normal.dot(centroid)) / radius;
    let found = fit(Mirror { offset, ..start }, &few, &all, &tree, FINE_STEPS, [REACH[1], REACH[2]]);
    Mirror { offset: found.offset * radius + found.normal.dot(centroid), ..found }
}

/// Without those that are almost the same as an earlier one.
fn distinct(planes: Vec<Mirror>) -> Vec<Mirror> {
    let mut kept: Vec<Mirror> = Vec::new();
    for plane in planes {
        if kept.iter().all(|d| d.normal.dot(plane.normal).abs() < SAME) {
            kept.push(plane);
        }
    }
    kept
}

/// Planes through the centroid whose normals are spread from the principal axes on. These alone are not enough: they lie
/// near the plane of symmetry of a slender body, and anywhere in that of a stout one.
fn starts(points: &[SurfacePoint]) -> Vec<Mirror> {
    let moments =
        points.iter().fold(DMat3::ZERO, |sum, p| sum + symmetric_product(p.position, p.position, 1.0));
    let axes = eigen(moments).1;
    directions().into_iter().map(|n| Mirror { normal: axes * n, offset: 0.0, agreement: 0.0 }).collect()
}

/// Unit vectors, one of each pair of opposites: axes, diagonals and what is half way from an axis to the diagonal of a face.
fn directions() -> Vec<DVec3> {
    let steps = || (-2..=2).map(f64::from);
    let all = steps().flat_map(|x| steps().flat_map(move |y| steps().map(move |z| DVec3::new(x, y, z))));
    let first = |n: &DVec3| n.to_array().into_iter().find(|v| *v != 0.0);
    all.filter(|n| first(n).is_some_and(|v| v > 0.0))
        .filter(|n| {
            n.abs().max_element() == 1.0 || n.abs().max_element() == 2.0 && n.abs().element_sum() == 3.0
        })
        .map(DVec3::normalize)
        .collect()
}

/// Follows one plane downhill; the reach of a match shrinks from step to step.
fn fit(
    mut plane: Mirror,
    points: &[SurfacePoint],
    matched: &[SurfacePoint],
    tree: &Nearest,
    steps: usize,
    [first, last]: [f64; 2],
) -> Mirror {
    for step in 0..=steps {
        let reach = first + (last - first) * (step as f64 / steps as f64);
        let System { matrix, right, agreement } = linearise(&plane, points, matched, tree, reach);
        plane.agreement = agreement / points.len().max(1) as f64;
        if step == steps {
            break;
        }
        // Damping (Levenberg 1944), because a sphere or a box alone fixes nothing.
        let trace = matrix.x_axis.x + matrix.y_axis.y + matrix.z_axis.z;
        let damped = matrix + DMat3::from_diagonal(DVec3::splat(1e-3 * trace + 1e-9));
        let change = (damped.inverse() * right).clamp_length_max(0.3);
        let (u, v) = plane.normal.any_orthonormal_pair();
        plane.normal = (plane.normal + u * change.x + v * change.y).normalize();
        plane.offset += change.z;
    }
    plane
}

/// Normal equations of one Gauss–Newton step: turns of the normal towards two directions, and the offset.
struct System {
    matrix: DMat3,
    right: DVec3,
    /// Sum of how well each point found its image, 0 to 1 each.
    agreement: f64,
}

fn linearise(
    plane: &Mirror,
    points: &[SurfacePoint],
    matched: &[SurfacePoint],
    tree: &Nearest,
    reach: f64,
) -> System {
    let n = plane.normal;
    let (u, v) = n.any_orthonormal_pair();
    let mut system = System { matrix: DMat3::ZERO, right: DVec3::ZERO, agreement: 0.0 };
    for point in points {
        let image = plane.reflect(point.position);
        let Some((nearest, _)) = tree.nearest(image) else { continue };
        let target = &matched[nearest];
        let normal = point.normal - n * (2.0 * n.dot(point.normal));
        let away = image - target.position;
        let residual = target.normal.dot(away);
        // Along the surface the points are some way apart by themselves.
        let along = (away.length_squared() - residual * residual) / (9.0 * reach * reach + 0.04);
        let distance = residual * residual / (reach * reach) + along;
        // Normals that point the wrong way round are common in files and no sign of another surface.
        let alike = normal.dot(target.normal).abs();
        let weight = alike / ((1.0 + distance) * (1.0 + distance));
        system.agreement += alike / (1.0 + distance);
        let height = n.dot(point.position) - plane.offset;
        let facing = target.normal.dot(n);
        let slope = |towards: DVec3| {
            -2.0 * (point.position.dot(towards) * facing + height * target.normal.dot(towards))
        };
        let slope = DVec3::new(slope(u), slope(v), 2.0 * facing);
        system.matrix += symmetric_product(slope, slope, weight);
        system.right -= slope * (residual * weight);
    }
    system
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// Points on an ellipsoid with a bump, which mirrors itself in x = 0.1 alone.
    fn cloud(seed: u64) -> Vec<SurfacePoint> {
        let mut random = SplitMix::new(seed);
        let mut cube = || (random.unit() * 2.0 - 1.0, random.unit() * 2.0 - 1.0, random.unit() * 2.0 - 1.0);
        let mut points = Vec::new();
        while points.len() < 1500 {
            let d = DVec3::from(cube());
            if !(0.1..1.0).contains(&d.length()) {
                continue;
            }
            let radii = DVec3::new(0.5, 1.4, 0.7 + 0.4 * d.y);
            let position = d.normalize() * radii + DVec3::new(0.1, 0.2 * d.z, 0.0);
            points.push(SurfacePoint::new(position, (d / radii).normalize()));
        }
        points
    }

    #[test]
    fn the_plane_of_a_symmetric_body_is_found_for_any_turn_of_it() {
        let turn = DMat3::from_rotation_y(0.7) * DMat3::from_rotation_x(-0.4);
        for turn in [DMat3::IDENTITY, turn] {
            let turned = |points: Vec<SurfacePoint>| -> Vec<SurfacePoint> {
                let one = |p: SurfacePoint| {
                    SurfacePoint::new(turn * (p.position - DVec3::X * 0.1), turn * p.normal)
                };
                points.into_iter().map(one).collect()
            };
            let best = mirrors(&turned(cloud(1)), &turned(cloud(2)))[0];
            assert!(best.normal.dot(turn.x_axis).abs() > 0.9999, "{best:?}");
            assert!(best.offset.abs() < 0.01 && best.agreement > 0.7, "{best:?}");
        }
    }

    #[test]
    fn no_plane_is_far_from_a_start() {
        let starts = directions();
        assert_eq!(starts.len(), 25);
        let mut random = SplitMix::new(3);
        for _ in 0..1000 {
            let d = DVec3::from([(); 3].map(|()| random.unit() * 2.0 - 1.0)).normalize();
            let nearest = starts.iter().map(|n| n.dot(d).abs()).fold(0.0, f64::max);
            assert!(nearest > 0.92, "{d}: 23°");
        }
    }

    #[test]
    fn a_plane_that_is_nearly_right_leads_to_the_right_one_in_any_unit() {
        let grown = |points: Vec<SurfacePoint>| -> Vec<SurfacePoint> {
            points.into_iter().map(|p| SurfacePoint { position: p.position * 100.0, ..p }).collect()
        };
        let start = Mirror { normal: DVec3::new(1.0, 0.04, -0.06).normalize(), offset: 6.0, agreement: 0.0 };
        let found = near(start, &grown(cloud(1)), &grown(cloud(2)));
        assert!(found.normal.x > 0.999 && (found.offset - 10.0).abs() < 1.0, "{found:?}");
    }
}
