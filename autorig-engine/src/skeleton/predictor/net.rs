//! The network: patches of surface points to joints, orientation and weights.
//!
//! Patches of 32 neighbours around 128 centres become tokens (a small PointNet, Qi et al. 2017), five transformer
//! blocks relate them, and each joint is a softmax-weighted mean of centres plus offsets. A second stage looks at the
//! 48 points nearest to each joint and corrects it. Side heads tell the front and up directions, and how much each
//! joint moves a point. Coordinates are those of [`super::Cloud`]: centred, root mean square radius 1.

use safetensors::{Dtype, SafeTensors};

use super::{
    Cloud, JOINTS,
    tensor::{Block, LayerNorm, Linear, column_max, relu, softmax},
};

/// Trained parameters, 16-bit, little-endian.
static PARAMETERS: &[u8] = include_bytes!("../../../assets/joint_predictor.safetensors");

const HEADS: usize = 4;
const BLOCKS: usize = 5;
const REFINE_BLOCKS: usize = 2;
/// Points the second stage looks at around each joint.
const REFINE_POINTS: usize = 48;
/// Patch coordinates are magnified so that a patch has about unit size.
const PATCH_SCALE: f32 = 6.0;
/// The second stage's output is scaled down, which keeps its start near zero in training.
const REFINE_SCALE: f32 = 0.3;

/// The loaded network.
pub(super) struct Net {
    features: usize,
    patch: [Linear; 3],
    position: Linear,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
    orientation: [Linear; 2],
    weights: [Linear; 3],
    refine_patch: [Linear; 3],
    joint_embedding: Vec<f32>,
    refine_blocks: Vec<Block>,
    refine_norm: LayerNorm,
    refine_out: Linear,
}

/// What the first stage makes of a cloud.
pub(super) struct Tokens {
    /// Patch centres.
    centres: Vec<[f32; 3]>,
    /// Features, centres × features.
    x: Vec<f32>,
    /// How much each centre says about each joint, centres × joints.
    attention: Vec<f32>,
    /// First estimate of the joints.
    pub(super) joints: [[f32; 3]; JOINTS],
    /// Front and up directions, not normalised.
    pub(super) front_up: [f32; 6],
}

impl Net {
    /// Reads the parameters shipped with the crate.
    ///
    /// # Panics
    /// Never for the file in this repository, which a test loads.
    #[expect(clippy::expect_used, reason = "the file is compiled in and a test loads it")]
    pub(super) fn load() -> Self {
        let file = SafeTensors::deserialize(PARAMETERS).expect("the compiled-in parameters are well-formed");
        let tensor = |name: &str| -> Vec<f32> {
            let view = file.tensor(name).expect("the compiled-in parameters are complete");
            assert_eq!(view.dtype(), Dtype::F16, "{name} is 16-bit");
            view.data().chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
        };
        let linear = |name: &str| {
            let bias = tensor(&format!("{name}.bias"));
            let weight = tensor(&format!("{name}.weight"));
            Linear::new(&weight, &bias, weight.len() / bias.len().max(1))
        };
        let norm = |name: &str| LayerNorm {
            gain: tensor(&format!("{name}.weight")),
            bias: tensor(&format!("{name}.bias")),
        };
        let block = |name: String| Block {
            norm1: norm(&format!("{name}.n1")),
            qkv: linear(&format!("{name}.qkv")),
            out: linear(&format!("{name}.o")),
            norm2: norm(&format!("{name}.n2")),
            up: linear(&format!("{name}.f1")),
            down: linear(&format!("{name}.f2")),
            heads: HEADS,
        };
        let norm_final = norm("nf");
        Self {
            features: norm_final.gain.len(),
            patch: [linear("p1"), linear("p2"), linear("p3")],
            position: linear("pos"),
            blocks: (0..BLOCKS).map(|i| block(format!("blk.{i}"))).collect(),
            norm: norm_final,
            head: linear("head"),
            orientation: [linear("ori.0"), linear("ori.2")],
            weights: [linear("d1"), linear("d2"), linear("d3")],
            refine_patch: [linear("r1"), linear("r2"), linear("r3")],
            joint_embedding: tensor("rj"),
            refine_blocks: (0..REFINE_BLOCKS).map(|i| block(format!("rb.{i}"))).collect(),
            refine_norm: norm("rn"),
            refine_out: linear("ro"),
        }
    }

    /// First stage: tokens, joints, orientation.
    pub(super) fn tokens(&self, cloud: &Cloud) -> Tokens {
        let centres: Vec<[f32; 3]> =
            cloud.centres.iter().map(|&i| position(&cloud.points[i as usize])).collect();
        let mut pooled = Vec::with_capacity(centres.len() * self.patch[1].outputs());
        for (centre, neighbours) in centres.iter().zip(&cloud.neighbours) {
            pooled.extend(patch_features(&self.patch, cloud, *centre, neighbours));
        }
        let mut x = self.patch[2].apply(&pooled);
        super::tensor::add(&mut x, &self.position.apply(&position_features(&centres)));
        for block in &self.blocks {
            block.apply(&mut x);
        }
        let x = self.norm.apply(&x);
        let (joints, attention) = self.joints(&centres, &x);
        let front_up = self.front_up(&x, centres.len());
        Tokens { centres, x, attention, joints, front_up }
    }

    /// Each joint is the softmax-weighted mean of `centre + offset` over the tokens.
    fn joints(&self, centres: &[[f32; 3]], x: &[f32]) -> ([[f32; 3]; JOINTS], Vec<f32>) {
        let head = self.head.apply(x);
        let mut attention = vec![0.0; centres.len() * JOINTS];
        let mut joints = [[0.0; 3]; JOINTS];
        let mut logits = vec![0.0; centres.len()];
        for (j, joint) in joints.iter_mut().enumerate() {
            for (logit, row) in logits.iter_mut().zip(head.chunks_exact(JOINTS * 4)) {
                *logit = row[j * 4];
            }
            softmax(&mut logits);
            for (t, (row, centre)) in head.chunks_exact(JOINTS * 4).zip(centres).enumerate() {
                attention[t * JOINTS + j] = logits[t];
                for c in 0..3 {
                    joint[c] += logits[t] * (centre[c] + row[j * 4 + 1 + c]);
                }
            }
        }
        (joints, attention)
    }

    fn front_up(&self, x: &[f32], tokens: usize) -> [f32; 6] {
        let mut pooled = column_max(x, self.features);
        let mut mean = vec![0.0; self.features];
        for row in x.chunks_exact(self.features) {
            super::tensor::add(&mut mean, row);
        }
        pooled.extend(mean.iter().map(|v| v / tokens as f32));
        let mut hidden = self.orientation[0].apply(&pooled);
        relu(&mut hidden);
        let y = self.orientation[1].apply(&hidden);
        [y[0], y[1], y[2], y[3], y[4], y[5]]
    }

    /// Second stage: corrects the joints by the points around them.
    pub(super) fn refine(&self, cloud: &Cloud, tokens: &Tokens) -> [[f32; 3]; JOINTS] {
        let mut input = Vec::new();
        for (j, joint) in tokens.joints.iter().enumerate() {
            let near = nearest_points(cloud, *joint, REFINE_POINTS);
            input.extend(patch_features(&self.refine_patch, cloud, *joint, &near));
            input.extend(position_features(&[*joint]));
            let mut context = vec![0.0; self.features];
            for (row, attention) in
                tokens.x.chunks_exact(self.features).zip(tokens.attention.chunks_exact(JOINTS))
            {
                for (c, v) in context.iter_mut().zip(row) {
                    *c += attention[j] * v;
                }
            }
            input.extend(context);
        }
        let mut y = self.refine_patch[2].apply(&input);
        super::tensor::add(&mut y, &self.joint_embedding);
        for block in &self.refine_blocks {
            block.apply(&mut y);
        }
        let step = self.refine_out.apply(&self.refine_norm.apply(&y));
        let mut joints = tokens.joints;
        for (joint, step) in joints.iter_mut().zip(step.chunks_exact(3)) {
            for (v, s) in joint.iter_mut().zip(step) {
                *v += s * REFINE_SCALE;
            }
        }
        joints
    }

    /// For each query point (position and normal) the probability that each joint moves it, points × joints.
    pub(super) fn weights(
        &self,
        tokens: &Tokens,
        joints: &[[f32; 3]; JOINTS],
        queries: &[[f32; 6]],
    ) -> Vec<f32> {
        let mut input = Vec::with_capacity(queries.len() * (self.features + 6 + JOINTS * 4));
        for query in queries {
            let nearest = nearest_centres(&tokens.centres, position(query));
            let total: f32 = nearest.iter().map(|(_, w)| w).sum();
            let start = input.len();
            input.resize(start + self.features, 0.0);
            for (token, weight) in nearest {
                let row = &tokens.x[token * self.features..(token + 1) * self.features];
                for (v, f) in input[start..].iter_mut().zip(row) {
                    *v += f * (weight / total);
                }
            }
            input.extend(query);
            let away = joints.map(|j| [query[0] - j[0], query[1] - j[1], query[2] - j[2]]);
            input.extend(away.iter().map(|a| (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]).sqrt()));
            input.extend(away.as_flattened());
        }
        let mut hidden = self.weights[0].apply(&input);
        relu(&mut hidden);
        let mut hidden = self.weights[1].apply(&hidden);
        relu(&mut hidden);
        let mut y = self.weights[2].apply(&hidden);
        y.chunks_exact_mut(JOINTS).for_each(softmax);
        y
    }
}

fn position(point: &[f32; 6]) -> [f32; 3] {
    [point[0], point[1], point[2]]
}

/// Two layers over the neighbours of a place, then the maximum over them.
fn patch_features(layers: &[Linear; 3], cloud: &Cloud, at: [f32; 3], neighbours: &[u16]) -> Vec<f32> {
    let mut input = Vec::with_capacity(neighbours.len() * 6);
    for &i in neighbours {
        let p = &cloud.points[i as usize];
        input.extend((0..3).map(|c| (p[c] - at[c]) * PATCH_SCALE));
        input.extend_from_slice(&p[3..]);
    }
    let mut hidden = layers[0].apply(&input);
    relu(&mut hidden);
    let mut hidden = layers[1].apply(&hidden);
    relu(&mut hidden);
    column_max(&hidden, layers[1].outputs())
}

/// A position and the sines and cosines of its multiples 1, 2, 4, 8.
fn position_features(positions: &[[f32; 3]]) -> Vec<f32> {
    let mut features = Vec::with_capacity(positions.len() * 27);
    for p in positions {
        features.extend(p);
        for k in [1.0, 2.0, 4.0, 8.0] {
            features.extend(p.map(|v| libm::sinf(v * k)));
            features.extend(p.map(|v| libm::cosf(v * k)));
        }
    }
    features
}

fn nearest_points(cloud: &Cloud, at: [f32; 3], count: usize) -> Vec<u16> {
    let mut order: Vec<(f32, u16)> = cloud
        .points
        .iter()
        .zip(0_u16..)
        .map(|(p, i)| ((0..3).map(|c| (p[c] - at[c]) * (p[c] - at[c])).sum::<f32>(), i))
        .collect();
    let count = count.min(order.len());
    if count < order.len() {
        order.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }
    order.truncate(count);
    order.into_iter().map(|(_, i)| i).collect()
}

/// The three nearest patch centres and the inverse square of their distance.
fn nearest_centres(centres: &[[f32; 3]], at: [f32; 3]) -> [(usize, f32); 3] {
    let mut best = [(f32::INFINITY, 0_usize); 3];
    for (i, c) in centres.iter().enumerate() {
        let d = (0..3).map(|k| (c[k] - at[k]) * (c[k] - at[k])).sum::<f32>();
        if d < best[2].0 {
            best[2] = (d, i);
            if best[2].0 < best[1].0 {
                best.swap(1, 2);
            }
            if best[1].0 < best[0].0 {
                best.swap(0, 1);
            }
        }
    }
    best.map(|(d, i)| {
        let w = 1.0 / (d.sqrt() + 0.02);
        (i, w * w)
    })
}
