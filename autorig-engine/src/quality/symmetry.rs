//! Whether joints and weights mirror where the mesh does.

use glam::DVec3;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{is_finger, probe::Probe};
use crate::{analyse::nearest::Nearest, skeleton::Skeleton};

/// Points of the surface that are mirrored, at most.
const SAMPLES: usize = 2_000;
/// A mirrored point finds the surface again within this share of the height.
const NEAR: f64 = 0.012;
/// From this share of points that find the surface on a mesh counts as mirrored.
const MIRRORED: f64 = 0.9;

/// How well the sides agree. Shares of the height are in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SymmetryReport {
    /// Share of the surface that has a counterpart on the other side, 0 to 1.
    pub mesh: f32,
    /// The mesh mirrors itself; otherwise what follows is not held against the rig.
    pub mirrored: bool,
    /// Mean distance of the joints of one side from the mirrored ones of the other, in per cent of the height.
    pub joints_pct: f32,
    /// How much the weights of a point differ from those of its counterpart, 0 to 1.
    pub weights: f32,
    /// Largest difference between the length of a bone and of its counterpart, as a share of the longer one; does not
    /// depend on the pose.
    pub bones: f32,
}

/// What was found, with the joints that disagree most.
pub(super) struct Symmetry {
    pub(super) report: SymmetryReport,
    pub(super) worst_pair: Option<usize>,
    pub(super) worst_bone: Option<usize>,
}

/// Measures the sides against each other; `None` without any pair of joints.
pub(super) fn measure(probe: &Probe, skeleton: &Skeleton, height: f64) -> Option<Symmetry> {
    let partner = partners(skeleton);
    let pairs: Vec<(usize, usize)> = partner
        .iter()
        .enumerate()
        .filter(|(l, r)| l < *r && !is_finger(&skeleton.joints[*l].name))
        .map(|(l, r)| (l, *r))
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let at = &probe.chain.positions;
    let mut middles: Vec<f64> = pairs.iter().map(|(l, r)| (at[*l].x + at[*r].x) / 2.0).collect();
    middles.sort_by(f64::total_cmp);
    let plane = middles[middles.len() / 2];
    let mirror = |p: DVec3| DVec3::new(2.0 * plane - p.x, p.y, p.z);

    let apart: Vec<f64> = pairs.iter().map(|(l, r)| mirror(at[*l]).distance(at[*r]) / height).collect();
    let length = |j: usize| probe.chain.parents[j].map_or(0.0, |p| at[j].distance(at[p]));
    let uneven: Vec<f64> = pairs
        .iter()
        .map(|(l, r)| (length(*l) - length(*r)).abs() / length(*l).max(length(*r)).max(height * 0.02))
        .collect();
    let (mesh, weights) = surface(probe, &partner, mirror, height);
    let most = |values: &[f64]| (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b]));
    let report = SymmetryReport {
        mesh: mesh as f32,
        mirrored: mesh >= MIRRORED,
        joints_pct: (100.0 * apart.iter().sum::<f64>() / apart.len() as f64) as f32,
        weights: weights as f32,
        bones: uneven.iter().copied().fold(0.0, f64::max) as f32,
    };
    Some(Symmetry {
        report,
        worst_pair: most(&apart).map(|i| pairs[i].0),
        worst_bone: most(&uneven).map(|i| pairs[i].0),
    })
}

/// For each joint the one of the same name on the other side, or itself.
pub(super) fn partners(skeleton: &Skeleton) -> Vec<usize> {
    let other = |name: &str| {
        let swapped = name.strip_prefix("left").map(|rest| format!("right{rest}"));
        swapped.or_else(|| name.strip_prefix("right").map(|rest| format!("left{rest}")))
    };
    let find = |(i, name): (usize, &str)| other(name).and_then(|n| skeleton.find(&n)).unwrap_or(i);
    skeleton.joints.iter().map(|j| j.name.as_str()).enumerate().map(find).collect()
}

/// The share of the surface that has a counterpart, and the mean difference of the weights there.
fn surface(probe: &Probe, partner: &[usize], mirror: impl Fn(DVec3) -> DVec3, height: f64) -> (f64, f64) {
    let grid = Nearest::new(probe.points.clone());
    let step = (probe.points.len() / SAMPLES).max(1);
    let (mut found, mut seen, mut difference) = (0.0, 0.0, 0.0);
    let mut own = vec![0.0; partner.len()];
    for v in (0..probe.points.len()).step_by(step) {
        seen += 1.0;
        let Some((near, distance)) = grid.nearest(mirror(probe.points[v])) else { continue };
        if distance > NEAR * height {
            continue;
        }
        found += 1.0;
        own.iter_mut().for_each(|w| *w = 0.0);
        for (joint, weight) in probe.binding.of(v) {
            own[partner[joint]] += weight;
        }
        for (joint, weight) in probe.binding.of(near) {
            own[joint] -= weight;
        }
        difference += own.iter().map(|w: &f64| w.abs()).sum::<f64>() / 2.0;
    }
    let share = if seen > 0.0 { found / seen } else { 0.0 };
    (share, if found > 0.0 { difference / found } else { 0.0 })
}
