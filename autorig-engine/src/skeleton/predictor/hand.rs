//! The hand network: points around a left hand in, finger joints and which fingers there are out.

use std::sync::OnceLock;

use glam::DVec3;
use rayon::prelude::*;

use super::{cloud::Cloud, net::Net};

/// Trained parameters of the hand network.
static HAND: &[u8] = include_bytes!("../../../assets/hand_predictor.safetensors");

/// Fingers the network knows: thumb, index, middle, ring, little.
pub const FINGERS: usize = 5;
/// Joints of a finger, the tip included.
pub const FINGER_JOINTS: usize = 4;
/// Joints the network knows, finger by finger from the palm to the tip.
pub const JOINTS: usize = FINGERS * FINGER_JOINTS;
/// Points of a cloud.
pub const POINTS: usize = 1024;

#[expect(clippy::expect_used, reason = "the file is compiled in and a test loads it")]
pub(super) fn net() -> &'static Net {
    static NET: OnceLock<Net> = OnceLock::new();
    NET.get_or_init(|| Net::read(HAND, "hand", JOINTS).expect("the compiled-in parameters are in order"))
}

/// A hand as the network sees it, in the unit and the frame of its points.
#[derive(Debug, Clone)]
pub struct HandPrediction {
    /// Joints of all fingers, whether they are there or not.
    pub joints: [DVec3; JOINTS],
    /// Root mean square distance of the single samplings from their mean.
    pub spread: [f64; JOINTS],
    /// How far off the network expects each joint to be.
    pub expected_error: Option<[f64; JOINTS]>,
    /// Probability that each finger is there.
    pub presence: [f64; FINGERS],
}

/// Predicts from several samplings of the same left hand. `None` without samplings.
pub fn predict(clouds: &[Cloud]) -> Option<HandPrediction> {
    let net = net();
    let passes: Vec<HandPrediction> = clouds.par_iter().map(|cloud| pass(net, cloud)).collect();
    if passes.is_empty() {
        return None;
    }
    let n = passes.len() as f64;
    let mean = |value: &dyn Fn(&HandPrediction) -> f64| passes.iter().map(value).sum::<f64>() / n;
    let joints: [DVec3; JOINTS] =
        std::array::from_fn(|j| passes.iter().map(|p| p.joints[j]).sum::<DVec3>() / n);
    Some(HandPrediction {
        joints,
        spread: std::array::from_fn(|j| mean(&|p| p.joints[j].distance_squared(joints[j])).sqrt()),
        expected_error: passes[0]
            .expected_error
            .map(|_| std::array::from_fn(|j| mean(&|p| p.expected_error.map_or(0.0, |e| e[j])))),
        presence: std::array::from_fn(|f| mean(&|p| p.presence[f])),
    })
}

fn pass(net: &Net, cloud: &Cloud) -> HandPrediction {
    let tokens = net.tokens(cloud);
    let refined = net.refine(cloud, &tokens);
    let logits = net.class(&tokens).unwrap_or([f32::NEG_INFINITY; FINGERS]);
    HandPrediction {
        joints: std::array::from_fn(|j| cloud.denormalise(refined.joints[j])),
        spread: [0.0; JOINTS],
        expected_error: refined
            .log_error
            .map(|log| std::array::from_fn(|j| libm::exp(log[j].into()) * cloud.scale)),
        presence: logits.map(|l| 1.0 / (1.0 + libm::exp(-f64::from(l)))),
    }
}
