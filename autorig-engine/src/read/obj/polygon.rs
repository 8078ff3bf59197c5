//! Polygons to triangles.

use glam::{DVec2, DVec3};

/// Larger polygons than this are fanned: cutting ears takes time that grows with the square.
const MAX_EARS: usize = 100;

/// Splits a polygon into triangles inside of it, as indices into `points`; there are always two less than corners.
pub(super) fn triangulate(points: &[DVec3], out: &mut Vec<[usize; 3]>) {
    let n = points.len();
    if n < 3 {
        return;
    }
    if n == 3 {
        out.push([0, 1, 2]);
        return;
    }
    let normal = newell(points);
    if n > MAX_EARS || !normal.is_finite() || is_fan(points, normal) {
        out.extend((1..n - 1).map(|i| [0, i, i + 1]));
        return;
    }
    let flat = project(points, normal);
    cut_ears(&flat, out);
}

/// Normal of a polygon that need not be flat or convex; its length is twice the area.
fn newell(points: &[DVec3]) -> DVec3 {
    let origin = points.first().copied().unwrap_or_default();
    let next = points.iter().cycle().skip(1);
    points.iter().zip(next).map(|(a, b)| (*a - origin).cross(*b - origin)).sum()
}

/// True when the triangles around the first corner all lie the right way round.
fn is_fan(points: &[DVec3], normal: DVec3) -> bool {
    let Some((first, rest)) = points.split_first() else { return true };
    rest.windows(2).all(|w| match w {
        [a, b] => (*a - *first).cross(*b - *first).dot(normal) >= 0.0,
        _ => true,
    })
}

/// The polygon in its own plane, counter-clockwise.
fn project(points: &[DVec3], normal: DVec3) -> Vec<DVec2> {
    let n = normal.abs();
    // Leaving out the largest component of the normal keeps the shape; the sign keeps the sense.
    points
        .iter()
        .map(|p| {
            if n.x >= n.y && n.x >= n.z {
                DVec2::new(p.y * normal.x.signum(), p.z)
            } else if n.y >= n.z {
                DVec2::new(p.z * normal.y.signum(), p.x)
            } else {
                DVec2::new(p.x * normal.z.signum(), p.y)
            }
        })
        .collect()
}

fn cut_ears(flat: &[DVec2], out: &mut Vec<[usize; 3]>) {
    let at = |i: usize| flat.get(i).copied().unwrap_or_default();
    let mut ring: Vec<usize> = (0..flat.len()).collect();
    while ring.len() > 3 {
        let n = ring.len();
        let corner = |i: usize| {
            let get = |i: usize| ring.get(i % n).copied().unwrap_or(0);
            [get(i + n - 1), get(i), get(i + 1)]
        };
        let is_ear = |i: &usize| {
            let [a, b, c] = corner(*i);
            area(at(a), at(b), at(c)) > 0.0
                && !ring.iter().any(|&p| p != a && p != b && p != c && inside(at(p), at(a), at(b), at(c)))
        };
        // A polygon that crosses itself may have no ear left; what remains is fanned.
        let Some(ear) = (0..n).find(is_ear) else { break };
        out.push(corner(ear));
        ring.remove(ear);
    }
    if let Some((first, rest)) = ring.split_first() {
        out.extend(rest.windows(2).filter_map(|w| match w {
            [a, b] => Some([*first, *a, *b]),
            _ => None,
        }));
    }
}

fn area(a: DVec2, b: DVec2, c: DVec2) -> f64 {
    (b - a).perp_dot(c - a)
}

fn inside(p: DVec2, a: DVec2, b: DVec2, c: DVec2) -> bool {
    area(a, b, p) >= 0.0 && area(b, c, p) >= 0.0 && area(c, a, p) >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total_area(points: &[DVec3], triangles: &[[usize; 3]]) -> (f64, bool) {
        let normal = newell(points);
        let mut sum = 0.0;
        let mut all_up = true;
        for [a, b, c] in triangles {
            let cross = (points[*b] - points[*a]).cross(points[*c] - points[*a]);
            sum += cross.length();
            all_up &= cross.dot(normal) >= 0.0;
        }
        (sum, all_up)
    }

    #[test]
    fn a_concave_polygon_is_cut_inside_of_itself_in_every_plane() {
        let arrow = [(0.0, 0.0), (2.0, -1.0), (0.5, 0.0), (2.0, 1.0)];
        let comb = [(0.0, 0.0), (5.0, 0.0), (5.0, 3.0), (4.0, 1.0), (3.0, 3.0), (2.0, 1.0), (1.0, 3.0)];
        for shape in [&arrow[..], &comb[..]] {
            for reverse in [false, true] {
                for plane in 0..3 {
                    let mut points: Vec<DVec3> = shape
                        .iter()
                        .map(|&(x, y)| {
                            [DVec3::new(x, y, 7.0), DVec3::new(7.0, x, y), DVec3::new(y, 7.0, x)][plane]
                        })
                        .collect();
                    if reverse {
                        points.reverse();
                    }
                    let mut triangles = Vec::new();
                    triangulate(&points, &mut triangles);
                    assert_eq!(triangles.len(), points.len() - 2);
                    let (sum, all_up) = total_area(&points, &triangles);
                    assert!(all_up);
                    assert!((sum - newell(&points).length()).abs() < 1e-9, "{sum}");
                }
            }
        }
    }
}
