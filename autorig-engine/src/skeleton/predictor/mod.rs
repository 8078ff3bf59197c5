//! The learned joint predictor: surface points in, the 22 body joints of a humanoid out.
//!
//! The network and its training are our own; the input follows the usual recipe for point clouds (area sampling,
//! farthest-point centres, nearest-neighbour patches: Qi et al. 2017, PointNet++). A single pass takes some
//! ten milliseconds; several samplings, each also mirrored, are averaged, and their spread tells how sure it is.

use std::sync::OnceLock;

use glam::{DMat3, DVec3};
use rayon::prelude::*;

use crate::analyse::surface::SurfacePoint;

mod net;
mod tensor;

use net::Net;

/// Body joints the network knows.
pub const JOINTS: usize = 22;

/// Points of a cloud.
pub const POINTS: usize = 2048;
const CENTRES: usize = 128;
const NEIGHBOURS: usize = 32;

/// Canonical names of the joints, in the network's order.
pub const NAMES: [&str; JOINTS] = [
    "hips",
    "spine",
    "chest",
    "upperChest",
    "neck",
    "head",
    "leftShoulder",
    "leftUpperArm",
    "leftLowerArm",
    "leftHand",
    "leftUpperLeg",
    "leftLowerLeg",
    "leftFoot",
    "leftToes",
    "rightShoulder",
    "rightUpperArm",
    "rightLowerArm",
    "rightHand",
    "rightUpperLeg",
    "rightLowerLeg",
    "rightFoot",
    "rightToes",
];

/// The joint on the other side of the body.
fn mirrored(joint: usize) -> usize {
    match joint {
        6..14 => joint + 8,
        14..22 => joint - 8,
        _ => joint,
    }
}

/// A normalised point cloud with its patches: centroid at the origin, root mean square radius 1.
pub struct Cloud {
    /// Position and unit normal.
    points: Vec<[f32; 6]>,
    /// Indices of the patch centres, by farthest-point sampling from point 0.
    centres: Vec<u16>,
    /// Nearest points of each centre.
    neighbours: Vec<[u16; NEIGHBOURS]>,
    /// What was subtracted.
    centroid: DVec3,
    /// What it was divided by.
    scale: f64,
}

impl Cloud {
    /// From surface points in random order, at least 32 of them, one neighbourhood.
    pub fn new(points: &[SurfacePoint]) -> Self {
        let n = points.len().max(1) as f64;
        let centroid = points.iter().map(|p| p.position).sum::<DVec3>() / n;
        let mean_square = points.iter().map(|p| p.position.distance_squared(centroid)).sum::<f64>() / n;
        let scale = mean_square.sqrt().max(f64::MIN_POSITIVE);
        let points: Vec<[f32; 6]> = points
            .iter()
            .map(|p| {
                let q = (p.position - centroid) / scale;
                [q.x as f32, q.y as f32, q.z as f32, p.normal.x as f32, p.normal.y as f32, p.normal.z as f32]
            })
            .collect();
        let (centres, neighbours) = patches(&points);
        Self { points, centres, neighbours, centroid, scale }
    }

    /// The same cloud turned by `rotation` about its centroid; patches stay.
    pub fn turned(&self, rotation: DMat3) -> Self {
        let turn = |v: &[f32]| rotation * DVec3::new(v[0].into(), v[1].into(), v[2].into());
        let points = self
            .points
            .iter()
            .map(|p| {
                let (q, n) = (turn(&p[..3]), turn(&p[3..]));
                [q.x as f32, q.y as f32, q.z as f32, n.x as f32, n.y as f32, n.z as f32]
            })
            .collect();
        Self { points, centres: self.centres.clone(), neighbours: self.neighbours.clone(), ..*self }
    }

    fn mirrored(&self) -> Self {
        let points = self.points.iter().map(|p| [-p[0], p[1], p[2], -p[3], p[4], p[5]]).collect();
        Self { points, centres: self.centres.clone(), neighbours: self.neighbours.clone(), ..*self }
    }

    fn denormalise(&self, p: [f32; 3]) -> DVec3 {
        DVec3::new(p[0].into(), p[1].into(), p[2].into()) * self.scale + self.centroid
    }

    fn normalise(&self, p: DVec3) -> [f32; 3] {
        let q = (p - self.centroid) / self.scale;
        [q.x as f32, q.y as f32, q.z as f32]
    }
}

/// Farthest-point sampling and the nearest neighbours of each centre.
fn patches(points: &[[f32; 6]]) -> (Vec<u16>, Vec<[u16; NEIGHBOURS]>) {
    let mut closest = vec![f32::INFINITY; points.len()];
    let mut distances: Vec<(f32, u16)> = vec![(0.0, 0); points.len()];
    let mut centres = Vec::with_capacity(CENTRES);
    let mut neighbours = Vec::with_capacity(CENTRES);
    let mut current = 0_usize;
    for _ in 0..CENTRES {
        centres.push(current as u16);
        let c = points[current];
        let mut farthest = (-1.0_f32, 0_usize);
        for (i, (p, closest)) in points.iter().zip(&mut closest).enumerate() {
            let d =
                (p[0] - c[0]) * (p[0] - c[0]) + (p[1] - c[1]) * (p[1] - c[1]) + (p[2] - c[2]) * (p[2] - c[2]);
            distances[i] = (d, i as u16);
            *closest = closest.min(d);
            if *closest > farthest.0 {
                farthest = (*closest, i);
            }
        }
        let mut near = [0_u16; NEIGHBOURS];
        let count = NEIGHBOURS.min(distances.len());
        if count < distances.len() {
            distances.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        for (slot, (_, i)) in near.iter_mut().zip(&distances) {
            *slot = *i;
        }
        neighbours.push(near);
        current = farthest.1;
    }
    (centres, neighbours)
}

fn net() -> &'static Net {
    static NET: OnceLock<Net> = OnceLock::new();
    NET.get_or_init(Net::load)
}

/// Front and up directions of a cloud in the cloud's own frame, as the network sees them after `turn`, not normalised.
pub fn front_and_up(cloud: &Cloud, turn: DMat3) -> (DVec3, DVec3) {
    let [fx, fy, fz, ux, uy, uz] = net().tokens(&cloud.turned(turn)).front_up.map(f64::from);
    let back = turn.transpose();
    (back * DVec3::new(fx, fy, fz).normalize_or_zero(), back * DVec3::new(ux, uy, uz).normalize_or_zero())
}

/// Joints of an upright, forward-facing character.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// Positions in the frame of the points given.
    pub joints: [DVec3; JOINTS],
    /// Root mean square distance of the single passes from their mean, in the same unit.
    pub spread: [f64; JOINTS],
}

impl Prediction {
    /// Mean spread as a share of the distance from the lowest to the highest joint. Small when the passes agree, which
    /// they do on upright humanoids and hardly on anything else.
    pub fn relative_spread(&self) -> f64 {
        let (low, high) = self
            .joints
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), j| (lo.min(j.y), hi.max(j.y)));
        self.spread.iter().sum::<f64>() / JOINTS as f64 / (high - low).max(f64::MIN_POSITIVE)
    }
}

/// Predicts the joints from several clouds of the same character, each also mirrored.
pub fn predict(clouds: &[Cloud]) -> Prediction {
    let passes: Vec<[DVec3; JOINTS]> = clouds
        .par_iter()
        .flat_map_iter(|cloud| [(cloud, false), (cloud, true)])
        .map(|(cloud, mirror)| if mirror { predict_mirrored(cloud) } else { predict_once(cloud) })
        .collect();
    let n = passes.len().max(1) as f64;
    let mut joints = [DVec3::ZERO; JOINTS];
    let mut spread = [0.0; JOINTS];
    for j in 0..JOINTS {
        joints[j] = passes.iter().map(|p| p[j]).sum::<DVec3>() / n;
        spread[j] = (passes.iter().map(|p| p[j].distance_squared(joints[j])).sum::<f64>() / n).sqrt();
    }
    Prediction { joints, spread }
}

fn predict_once(cloud: &Cloud) -> [DVec3; JOINTS] {
    let tokens = net().tokens(cloud);
    net().refine(cloud, &tokens).map(|j| cloud.denormalise(j))
}

fn predict_mirrored(cloud: &Cloud) -> [DVec3; JOINTS] {
    let mirror = cloud.mirrored();
    let tokens = net().tokens(&mirror);
    let joints = net().refine(&mirror, &tokens);
    std::array::from_fn(|j| {
        let [x, y, z] = joints[mirrored(j)];
        cloud.denormalise([-x, y, z])
    })
}

/// The probability that each body joint moves each query point, queries × [`JOINTS`]; rows sum to 1.
/// `joints` are the joints to use, in the frame of the cloud's points, as are the queries.
pub fn joint_probabilities(clouds: &[Cloud], joints: &[DVec3; JOINTS], queries: &[SurfacePoint]) -> Vec<f32> {
    /// Queries handed to the network together, so that memory stays bounded.
    const BATCH: usize = 512;
    let mut sums = vec![0.0_f32; queries.len() * JOINTS];
    for cloud in clouds {
        for mirror in [false, true] {
            let side = if mirror { &cloud.mirrored() } else { cloud };
            let sign = if mirror { -1.0 } else { 1.0 };
            let tokens = net().tokens(side);
            let at: [[f32; 3]; JOINTS] = std::array::from_fn(|j| {
                let [x, y, z] = cloud.normalise(joints[if mirror { mirrored(j) } else { j }]);
                [x * sign, y, z]
            });
            sums.par_chunks_mut(BATCH * JOINTS).zip(queries.par_chunks(BATCH)).for_each(|(sums, queries)| {
                let batch: Vec<[f32; 6]> = queries
                    .iter()
                    .map(|q| {
                        let [x, y, z] = cloud.normalise(q.position);
                        [x * sign, y, z, q.normal.x as f32 * sign, q.normal.y as f32, q.normal.z as f32]
                    })
                    .collect();
                let rows = net().weights(&tokens, &at, &batch);
                for (sum, row) in sums.chunks_exact_mut(JOINTS).zip(rows.chunks_exact(JOINTS)) {
                    for (j, sum) in sum.iter_mut().enumerate() {
                        *sum += row[if mirror { mirrored(j) } else { j }];
                    }
                }
            });
        }
    }
    let n = (clouds.len() * 2).max(1) as f32;
    sums.iter_mut().for_each(|v| *v /= n);
    sums
}

#[cfg(test)]
mod tests;
