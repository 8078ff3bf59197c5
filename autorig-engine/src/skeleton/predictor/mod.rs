//! The learned joint predictor: surface points in, the 22 body joints of a humanoid out; and of a hand, its fingers.
//!
//! The networks and their training are our own; the input follows the usual recipe for point clouds (area sampling,
//! farthest-point centres, nearest-neighbour patches: Qi et al. 2017, PointNet++). A single pass takes a few
//! milliseconds; several samplings, each also mirrored, are averaged, and their spread tells how sure it is.
//!
//! | module | what |
//! | --- | --- |
//! | [`hand`] | the hand network's answer |
//! | `cloud` | points and patches as a network sees them |
//! | `net` | the forward pass, `load` its parameters |
//! | `tensor`, `matrix` | layers |

use std::sync::OnceLock;

use glam::{DMat3, DVec3};
use rayon::prelude::*;

use crate::analyse::surface::SurfacePoint;

mod cloud;
pub mod hand;
mod load;
mod matrix;
mod net;
mod tensor;

pub use cloud::{Cloud, Patches};
use net::Net;

/// Trained parameters of the body network.
static BODY: &[u8] = include_bytes!("../../../assets/joint_predictor.safetensors");

/// Body joints the network knows.
pub const JOINTS: usize = 22;

/// Points of a cloud.
pub const POINTS: usize = 2048;

/// Classes the network tells apart, in its order.
pub const CLASSES: [&str; 5] = ["humanoid", "quadruped", "bird", "creature", "prop"];

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
pub(super) fn mirrored(joint: usize) -> usize {
    match joint {
        6..14 => joint + 8,
        14..22 => joint - 8,
        _ => joint,
    }
}

#[expect(clippy::expect_used, reason = "the file is compiled in and a test loads it")]
fn net() -> &'static Net {
    static NET: OnceLock<Net> = OnceLock::new();
    NET.get_or_init(|| Net::read(BODY, "body", JOINTS).expect("the compiled-in parameters are in order"))
}

/// Front and up directions of a cloud in the cloud's own frame, as the network sees them after `turn`; unit vectors.
pub fn front_and_up(cloud: &Cloud, turn: DMat3) -> (DVec3, DVec3) {
    let tokens = net().tokens(&cloud.turned(turn));
    let [fx, fy, fz, ux, uy, uz] = net().front_up(&tokens).map(f64::from);
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
    /// How far off the network expects each joint to be, in the same unit; `None` from a network that cannot tell.
    pub expected_error: Option<[f64; JOINTS]>,
    /// Probabilities of [`CLASSES`]; `None` from a network that cannot tell.
    pub class: Option<[f32; 5]>,
}

impl Prediction {
    /// Mean spread as a share of the distance from the lowest to the highest joint. Small when the passes agree, which
    /// they do on upright humanoids and hardly on anything else.
    pub fn relative_spread(&self) -> f64 {
        self.spread.iter().sum::<f64>() / JOINTS as f64 / self.extent().max(f64::MIN_POSITIVE)
    }

    /// Distance from the lowest to the highest joint.
    pub fn extent(&self) -> f64 {
        let heights = self.joints.iter().map(|j| j.y);
        heights.clone().fold(f64::NEG_INFINITY, f64::max) - heights.fold(f64::INFINITY, f64::min)
    }
}

/// One pass over one cloud, in the frame of its points.
struct Pass {
    joints: [DVec3; JOINTS],
    expected_error: Option<[f64; JOINTS]>,
    class: Option<[f32; 5]>,
}

/// Predicts the joints from several clouds of the same character, each also mirrored.
pub fn predict(clouds: &[Cloud]) -> Prediction {
    let passes: Vec<Pass> =
        (0..clouds.len() * 2).into_par_iter().map(|i| pass(&clouds[i / 2], i % 2 == 1)).collect();
    let n = passes.len().max(1) as f64;
    let mut joints = [DVec3::ZERO; JOINTS];
    let mut spread = [0.0; JOINTS];
    for j in 0..JOINTS {
        joints[j] = passes.iter().map(|p| p.joints[j]).sum::<DVec3>() / n;
        spread[j] = (passes.iter().map(|p| p.joints[j].distance_squared(joints[j])).sum::<f64>() / n).sqrt();
    }
    let errors: Option<Vec<_>> = passes.iter().map(|p| p.expected_error).collect();
    let classes: Option<Vec<_>> = passes.iter().map(|p| p.class).collect();
    Prediction {
        joints,
        spread,
        expected_error: errors.map(|e| std::array::from_fn(|j| e.iter().map(|e| e[j]).sum::<f64>() / n)),
        class: classes.map(|c| std::array::from_fn(|k| c.iter().map(|c| c[k]).sum::<f32>() / n as f32)),
    }
}

fn pass(cloud: &Cloud, mirror: bool) -> Pass {
    let mirrored_cloud = mirror.then(|| cloud.mirrored());
    let seen = mirrored_cloud.as_ref().unwrap_or(cloud);
    let tokens = net().tokens(seen);
    let refined = net().refine(seen, &tokens);
    let (sign, source) = side(mirror);
    Pass {
        joints: std::array::from_fn(|j| {
            let [x, y, z] = refined.joints[source(j)];
            cloud.denormalise([x * sign, y, z])
        }),
        expected_error: refined
            .log_error
            .map(|log| std::array::from_fn(|j| libm::exp(log[source(j)].into()) * cloud.scale)),
        class: net().class(&tokens).map(|mut logits| {
            tensor::softmax(&mut logits);
            logits
        }),
    }
}

/// What a pass over the mirrored cloud does to x and to the joints' order.
fn side(mirror: bool) -> (f32, fn(usize) -> usize) {
    if mirror { (-1.0, mirrored) } else { (1.0, |joint| joint) }
}

/// The probability that each body joint moves each query point, queries × [`JOINTS`]; rows sum to 1.
/// `joints` are the joints to use, in the frame of the cloud's points, as are the queries.
pub fn joint_probabilities(clouds: &[Cloud], joints: &[DVec3; JOINTS], queries: &[SurfacePoint]) -> Vec<f32> {
    /// Queries handed to the network together, so that memory stays bounded.
    const BATCH: usize = 512;
    let mut sums = vec![0.0_f32; queries.len() * JOINTS];
    for cloud in clouds {
        for mirror in [false, true] {
            let (sign, source) = side(mirror);
            let tokens = if mirror { net().tokens(&cloud.mirrored()) } else { net().tokens(cloud) };
            let at: [[f32; 3]; JOINTS] = std::array::from_fn(|j| {
                let [x, y, z] = cloud.normalise(joints[source(j)]);
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
                        *sum += row[source(j)];
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
