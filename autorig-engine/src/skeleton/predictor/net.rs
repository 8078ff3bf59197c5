//! The network: patches of surface points to joints, and side heads. One implementation serves body and hand; the
//! parameter file says which it is and how large.
//!
//! Patches of neighbours around centres become tokens (a small PointNet, Qi et al. 2017), transformer blocks relate
//! them, and each joint is a softmax-weighted mean of centres plus offsets. A second stage looks at the points nearest
//! to each joint and corrects it. Side heads tell the front and up directions, the class or which fingers there are,
//! how far off each joint may be, and how much each joint moves a point. Coordinates are those of [`super::Cloud`].

use super::{
    cloud::Cloud,
    matrix::Linear,
    tensor::{Block, LayerNorm, Scratch, add, column_max, relu, softmax},
};

/// Patch coordinates are magnified so that a patch has about unit size.
const PATCH_SCALE: f32 = 6.0;
/// The second stage's output is scaled down, which keeps its start near zero in training.
const REFINE_SCALE: f32 = 0.3;

/// A loaded network; [`Net::read`] is in `load.rs`.
pub(super) struct Net {
    /// Joints it knows.
    pub(super) joints: usize,
    /// Points the second stage looks at around each joint.
    pub(super) refine_points: usize,
    pub(super) features: usize,
    pub(super) patch: [Linear; 3],
    pub(super) position: Linear,
    pub(super) blocks: Vec<Block>,
    pub(super) norm: LayerNorm,
    pub(super) head: Linear,
    pub(super) orientation: Option<[Linear; 2]>,
    pub(super) class: Option<[Linear; 2]>,
    pub(super) weights: Option<[Linear; 3]>,
    pub(super) refine_patch: [Linear; 3],
    pub(super) joint_embedding: Vec<f32>,
    pub(super) refine_blocks: Vec<Block>,
    pub(super) refine_norm: LayerNorm,
    pub(super) refine_out: Linear,
    pub(super) log_error: Option<Linear>,
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
    pub(super) joints: Vec<[f32; 3]>,
    /// Largest and mean of each feature over the tokens.
    pooled: Vec<f32>,
}

/// What the second stage makes of it.
pub(super) struct Refined {
    /// The joints.
    pub(super) joints: Vec<[f32; 3]>,
    /// Natural logarithm of the distance that each joint is expected to be off.
    pub(super) log_error: Option<Vec<f32>>,
}

impl Net {
    /// First stage: tokens and joints.
    pub(super) fn tokens(&self, cloud: &Cloud) -> Tokens {
        let mut scratch = Scratch::default();
        let centres: Vec<[f32; 3]> =
            cloud.centres.iter().map(|&i| position(&cloud.points[i as usize])).collect();
        let mut patch = PatchLayers::new(&self.patch);
        let mut pooled = Vec::with_capacity(centres.len() * self.patch[1].outputs());
        for (centre, neighbours) in centres.iter().zip(cloud.neighbours.chunks_exact(cloud.patch)) {
            patch.apply(cloud, *centre, neighbours, &mut pooled);
        }
        let mut x = self.patch[2].apply(&pooled);
        add(&mut x, &self.position.apply(&position_features(&centres)));
        for block in &self.blocks {
            block.apply(&mut x, &mut scratch);
        }
        let x = self.norm.apply(&x);
        let (joints, attention) = self.joints(&centres, &x);
        let pooled = self.pool(&x, centres.len());
        Tokens { centres, x, attention, joints, pooled }
    }

    /// Each joint is the softmax-weighted mean of `centre + offset` over the tokens.
    fn joints(&self, centres: &[[f32; 3]], x: &[f32]) -> (Vec<[f32; 3]>, Vec<f32>) {
        let head = self.head.apply(x);
        let mut attention = vec![0.0; centres.len() * self.joints];
        let mut joints = vec![[0.0; 3]; self.joints];
        let mut logits = vec![0.0; centres.len()];
        for (j, joint) in joints.iter_mut().enumerate() {
            for (logit, row) in logits.iter_mut().zip(head.chunks_exact(self.joints * 4)) {
                *logit = row[j * 4];
            }
            softmax(&mut logits);
            for (t, (row, centre)) in head.chunks_exact(self.joints * 4).zip(centres).enumerate() {
                attention[t * self.joints + j] = logits[t];
                for c in 0..3 {
                    joint[c] += logits[t] * (centre[c] + row[j * 4 + 1 + c]);
                }
            }
        }
        (joints, attention)
    }

    fn pool(&self, x: &[f32], tokens: usize) -> Vec<f32> {
        let mut pooled = column_max(x, self.features);
        let mut mean = vec![0.0; self.features];
        for row in x.chunks_exact(self.features) {
            add(&mut mean, row);
        }
        pooled.extend(mean.iter().map(|v| v / tokens as f32));
        pooled
    }

    /// Front and up directions, not normalised; zero where the network does not tell.
    pub(super) fn front_up(&self, tokens: &Tokens) -> [f32; 6] {
        let Some(layers) = &self.orientation else { return [0.0; 6] };
        two_layers(layers, &tokens.pooled).first_chunk().copied().unwrap_or_default()
    }

    /// The logits of the five classes of a body, or of the five fingers of a hand.
    pub(super) fn class(&self, tokens: &Tokens) -> Option<[f32; 5]> {
        two_layers(self.class.as_ref()?, &tokens.pooled).first_chunk().copied()
    }

    /// Second stage: corrects the joints by the points around them.
    pub(super) fn refine(&self, cloud: &Cloud, tokens: &Tokens) -> Refined {
        let mut input = Vec::with_capacity(self.joints * self.refine_patch[2].inputs());
        let mut patch = PatchLayers::new(&self.refine_patch);
        for (j, joint) in tokens.joints.iter().enumerate() {
            let near = nearest_points(cloud, *joint, self.refine_points);
            patch.apply(cloud, *joint, &near, &mut input);
            input.extend(position_features(&[*joint]));
            let mut context = vec![0.0; self.features];
            for (row, attention) in
                tokens.x.chunks_exact(self.features).zip(tokens.attention.chunks_exact(self.joints))
            {
                for (c, v) in context.iter_mut().zip(row) {
                    *c += attention[j] * v;
                }
            }
            input.extend(context);
        }
        let mut y = self.refine_patch[2].apply(&input);
        add(&mut y, &self.joint_embedding);
        let mut scratch = Scratch::default();
        for block in &self.refine_blocks {
            block.apply(&mut y, &mut scratch);
        }
        let y = self.refine_norm.apply(&y);
        let mut joints = tokens.joints.clone();
        for (joint, step) in joints.iter_mut().zip(self.refine_out.apply(&y).chunks_exact(3)) {
            for (v, s) in joint.iter_mut().zip(step) {
                *v += s * REFINE_SCALE;
            }
        }
        Refined { joints, log_error: self.log_error.as_ref().map(|layer| layer.apply(&y)) }
    }

    /// For each query point (position and normal) the probability that each joint moves it, points × joints; equal
    /// where the network does not tell.
    pub(super) fn weights(&self, tokens: &Tokens, joints: &[[f32; 3]], queries: &[[f32; 6]]) -> Vec<f32> {
        let Some(layers) = &self.weights else {
            return vec![1.0 / self.joints as f32; queries.len() * self.joints];
        };
        let mut input = Vec::with_capacity(queries.len() * layers[0].inputs());
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
            let away = || joints.iter().map(|j| [query[0] - j[0], query[1] - j[1], query[2] - j[2]]);
            input.extend(away().map(|a| (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]).sqrt()));
            input.extend(away().flatten());
        }
        let mut hidden = layers[0].apply(&input);
        relu(&mut hidden);
        let mut hidden = layers[1].apply(&hidden);
        relu(&mut hidden);
        let mut y = layers[2].apply(&hidden);
        y.chunks_exact_mut(self.joints).for_each(softmax);
        y
    }
}

fn two_layers(layers: &[Linear; 2], x: &[f32]) -> Vec<f32> {
    let mut hidden = layers[0].apply(x);
    relu(&mut hidden);
    layers[1].apply(&hidden)
}

fn position(point: &[f32; 6]) -> [f32; 3] {
    [point[0], point[1], point[2]]
}

/// Two layers over the neighbours of a place, then the maximum over them.
struct PatchLayers<'a> {
    layers: &'a [Linear; 3],
    input: Vec<f32>,
    hidden: Vec<f32>,
    out: Vec<f32>,
    rows: Vec<f32>,
}

impl<'a> PatchLayers<'a> {
    fn new(layers: &'a [Linear; 3]) -> Self {
        Self { layers, input: Vec::new(), hidden: Vec::new(), out: Vec::new(), rows: Vec::new() }
    }

    /// Appends the features of the patch to `result`.
    fn apply(&mut self, cloud: &Cloud, at: [f32; 3], neighbours: &[u16], result: &mut Vec<f32>) {
        self.input.clear();
        for &i in neighbours {
            let p = &cloud.points[i as usize];
            self.input.extend((0..3).map(|c| (p[c] - at[c]) * PATCH_SCALE));
            self.input.extend_from_slice(&p[3..]);
        }
        self.layers[0].apply_into(&self.input, &mut self.hidden, &mut self.rows);
        relu(&mut self.hidden);
        self.layers[1].apply_into(&self.hidden, &mut self.out, &mut self.rows);
        let start = result.len();
        // Negative values are cut off after the maximum, which comes to the same.
        result.extend(column_max(&self.out, self.layers[1].outputs()));
        relu(&mut result[start..]);
    }
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
