//! Which way a body that is not human stands: from its mirror plane, its legs and its ends.
//!
//! The mirror plane gives left and right. Up is where the legs are not: they come in pairs, end on one level and carry the
//! middle of the body between them. Forward is the end with the head: feet point to it, it is thicker than a tail, mostly
//! higher, and modelled with more detail.

use glam::{DMat3, DVec3};

use super::{limbs::Limb, symmetry::Mirror, symmetry::Sampled};

/// Tips this near to the lowest point, as a share of the height, stand on the ground.
const GROUND: f64 = 0.08;
/// A leg is at least so high, as a share of the height.
const LEG_HEIGHT: f64 = 0.12;

/// How a body stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stance {
    /// Rows are its left, up and forward.
    pub(super) rotation: DMat3,
    /// How clear that is, 0 to 1.
    pub(super) confidence: f64,
}

/// Lowest and highest of the body along a direction.
pub(super) fn range(points: &[DVec3], direction: DVec3) -> (f64, f64) {
    points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), p| {
        let h = p.dot(direction);
        (lo.min(h), hi.max(h))
    })
}

/// Indices of the limbs the body stands on if `up` is up.
pub(super) fn legs(limbs: &[Limb], points: &[DVec3], up: DVec3) -> Vec<usize> {
    let (low, high) = range(points, up);
    let height = high - low;
    let stands = |l: &Limb| {
        let lowest = l.line.iter().map(|p| p.dot(up)).fold(f64::INFINITY, f64::min);
        let ends_low = l.tip().dot(up) < low + GROUND * height;
        ends_low && l.base().dot(up) - lowest > LEG_HEIGHT * height && !l.is_sheet()
    };
    (0..limbs.len())
        .filter(|&i| limbs[i].pair.is_some_and(|p| stands(&limbs[p])) && stands(&limbs[i]))
        .collect()
}

/// Finds how a body stands. `vertices` are those of the mesh, `points` the filled cells.
pub(super) fn stance(
    limbs: &[Limb],
    mirror: &Mirror,
    sampled: &Sampled,
    points: &[DVec3],
    vertices: &[DVec3],
    file_up: DVec3,
) -> Stance {
    let left = mirror.normal;
    let axes = [DVec3::Y, DVec3::Z, DVec3::X];
    let flattest = axes
        .iter()
        .fold(axes[0], |best, a| if a.dot(left).abs() + 1e-6 < best.dot(left).abs() { *a } else { best });
    let one = (flattest - left * flattest.dot(left)).normalize();
    let other = left.cross(one);
    let mut best = (f64::NEG_INFINITY, one);
    let mut second = f64::NEG_INFINITY;
    for up in [one, other, -one, -other] {
        let score = uprightness(limbs, left, sampled, points, up) + 0.15 * up.dot(file_up);
        if score > best.0 {
            (second, best) = (best.0, (score, up));
        } else {
            second = second.max(score);
        }
    }
    let up = best.1;
    let ahead = left.cross(up);
    let sign = facing(limbs, points, vertices, up, ahead);
    let forward = if sign < 0.0 { -ahead } else { ahead };
    let confidence = (best.0 - second).clamp(0.0, 1.0).min(sign.abs().min(1.0)) * mirror.score;
    Stance { rotation: DMat3::from_cols(up.cross(forward), up, forward).transpose(), confidence }
}

fn uprightness(limbs: &[Limb], left: DVec3, sampled: &Sampled, points: &[DVec3], up: DVec3) -> f64 {
    let ahead = left.cross(up);
    let (low, high) = range(points, up);
    let legs = legs(limbs, points, up);
    let (back, front) = range(points, ahead);
    // What touches the ground carries the middle of the body if that lies above it.
    let ground: Vec<DVec3> =
        points.iter().filter(|p| p.dot(up) < low + 0.04 * (high - low)).copied().collect();
    let (from, to) = range(&ground, ahead);
    let middle = sampled.moments.centre().dot(ahead);
    let margin = (middle - from).min(to - middle) / (front - back).max(f64::MIN_POSITIVE);
    let stable = (margin * 5.0).clamp(-0.5, 0.5);
    if legs.is_empty() {
        // What has no legs lies on its belly: it touches the ground along more of its length than it does the air above.
        let above = points.iter().filter(|p| p.dot(up) > high - 0.04 * (high - low)).count() as f64;
        let belly = (ground.len() as f64 - above) / (ground.len() as f64 + above);
        return 0.3 * stable
            + 0.4 * belly.clamp(-0.5, 0.5)
            + if front - back > high - low { 0.4 } else { 0.0 };
    }
    let lying = if front - back > high - low { 0.3 } else { 0.0 };
    0.5 * legs.len().min(4) as f64 + stable + lying
}

/// Positive when `ahead` is forward, negative when it is backward; 1 is clear.
fn facing(limbs: &[Limb], points: &[DVec3], vertices: &[DVec3], up: DVec3, ahead: DVec3) -> f64 {
    let (back, front) = range(points, ahead);
    let (low, high) = range(points, up);
    let (length, height) = ((front - back).max(f64::MIN_POSITIVE), (high - low).max(f64::MIN_POSITIVE));
    // Toes point forward: from where the foot begins to its end.
    let mut sign = 0.0;
    let legs = legs(limbs, points, up);
    for &leg in &legs {
        let line = &limbs[leg].line;
        let ankle = line.iter().rev().find(|p| p.dot(up) > low + 0.08 * height).unwrap_or(&line[0]);
        sign +=
            ((limbs[leg].tip() - *ankle).dot(ahead) / (0.03 * length)).clamp(-1.0, 1.0) / legs.len() as f64;
    }
    let axial = |l: &&Limb| l.axial;
    let place = |l: &Limb| l.tip().dot(ahead);
    // Of several at one end, as the lobes of a tail fin, the thickest stands for it.
    let thickest = |a: &&Limb, b: &&Limb| a.weight().total_cmp(&b.weight());
    let halfway = (front + back) / 2.0;
    let first = limbs.iter().filter(axial).filter(|l| place(l) > halfway).max_by(thickest);
    let last = limbs.iter().filter(axial).filter(|l| place(l) <= halfway).max_by(thickest);
    if let (Some(first), Some(last)) = (first, last) {
        let thick = libm::log(first.thickness(0.4, 0.95) / last.thickness(0.4, 0.95));
        let mean = |l: &Limb| l.line.iter().map(|p| p.dot(up)).sum::<f64>() / l.line.len() as f64;
        let higher = (mean(first) - mean(last)) / height;
        sign += 0.8 * thick.clamp(-1.5, 1.5) + 1.2 * higher;
    } else if let Some(only) = first.or(last) {
        // A single end is the head.
        sign += ((place(only) - halfway) / (0.3 * length)).clamp(-1.0, 1.0);
    }
    let detail = |end: f64| {
        let near = |p: &&DVec3| (p.dot(ahead) - end).abs() < 0.2 * length;
        (vertices.iter().filter(near).count() as f64 + 1.0)
            / (libm::pow(points.iter().filter(near).count() as f64, 2.0 / 3.0) + 1.0)
    };
    sign + 0.25 * libm::log(detail(front) / detail(back)).clamp(-1.5, 1.5)
}
