//! The few dense operations a small transformer needs, single precision, row-major, in a fixed order.
//!
//! Every sum runs over its terms in index order and every transcendental comes from `libm`, so the
//! results are the same on every x86-64 machine. Rows of a matrix are tokens, columns features.

/// Columns computed together: two 128-bit registers, which every x86-64 machine has.
const PANEL: usize = 8;
/// Rows computed together, so that a panel of weights is loaded once for all of them.
const ROWS: usize = 4;

/// A matrix of weights (outputs × inputs) with a bias, packed for [`Linear::apply`].
pub(super) struct Linear {
    inputs: usize,
    outputs: usize,
    /// Panels of eight outputs; within a panel input by input.
    packed: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// `weight` is outputs × inputs, row-major; `bias` has one entry an output, or none at all.
    pub(super) fn new(weight: &[f32], bias: &[f32], inputs: usize) -> Self {
        let inputs = inputs.max(1);
        let outputs = weight.len() / inputs;
        let panels = outputs.div_ceil(PANEL);
        let mut packed = vec![0.0; panels * inputs * PANEL];
        for (output, row) in weight.chunks_exact(inputs).enumerate() {
            for (input, &w) in row.iter().enumerate() {
                packed[(output / PANEL * inputs + input) * PANEL + output % PANEL] = w;
            }
        }
        let mut padded = bias.to_vec();
        padded.resize(panels * PANEL, 0.0);
        Self { inputs, outputs, packed, bias: padded }
    }

    /// Number of features that come out.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// `x` (rows × inputs) to rows × outputs.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let rows = x.len() / self.inputs;
        let mut y = vec![0.0; rows * self.outputs];
        for (panel, (weights, bias)) in
            self.packed.chunks_exact(self.inputs * PANEL).zip(self.bias.chunks_exact(PANEL)).enumerate()
        {
            let column = panel * PANEL;
            let width = PANEL.min(self.outputs - column);
            let mut row = 0;
            while row < rows {
                let block = ROWS.min(rows - row);
                let mut sums = [[0.0_f32; PANEL]; ROWS];
                for sum in &mut sums {
                    sum.copy_from_slice(bias);
                }
                if block == ROWS {
                    self.block(&x[row * self.inputs..(row + ROWS) * self.inputs], weights, &mut sums);
                } else {
                    for (r, sum) in sums.iter_mut().enumerate().take(block) {
                        let x = &x[(row + r) * self.inputs..(row + r + 1) * self.inputs];
                        for (&x, w) in x.iter().zip(weights.chunks_exact(PANEL)) {
                            for (s, w) in sum.iter_mut().zip(w) {
                                *s += x * w;
                            }
                        }
                    }
                }
                for (r, sum) in sums.iter().enumerate().take(block) {
                    let start = (row + r) * self.outputs + column;
                    y[start..start + width].copy_from_slice(&sum[..width]);
                }
                row += block;
            }
        }
        y
    }

    fn block(&self, x: &[f32], weights: &[f32], sums: &mut [[f32; PANEL]; ROWS]) {
        let (x0, rest) = x.split_at(self.inputs);
        let (x1, rest) = rest.split_at(self.inputs);
        let (x2, x3) = rest.split_at(self.inputs);
        let [mut s0, mut s1, mut s2, mut s3] = *sums;
        for ((((w, &x0), &x1), &x2), &x3) in weights.chunks_exact(PANEL).zip(x0).zip(x1).zip(x2).zip(x3) {
            for c in 0..PANEL {
                s0[c] += x0 * w[c];
                s1[c] += x1 * w[c];
                s2[c] += x2 * w[c];
                s3[c] += x3 * w[c];
            }
        }
        *sums = [s0, s1, s2, s3];
    }
}

/// Layer normalisation over each row (Ba et al. 2016), epsilon 1e-5.
pub(super) struct LayerNorm {
    pub(super) gain: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl LayerNorm {
    /// `x` is rows × features.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let n = self.gain.len();
        let mut y = Vec::with_capacity(x.len());
        for row in x.chunks_exact(n) {
            let mean = row.iter().sum::<f32>() / n as f32;
            let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n as f32;
            let scale = 1.0 / (variance + 1e-5).sqrt();
            y.extend(
                row.iter().zip(&self.gain).zip(&self.bias).map(|((v, g), b)| (v - mean) * scale * g + b),
            );
        }
        y
    }
}

/// Negative values to zero, in place.
pub(super) fn relu(x: &mut [f32]) {
    for v in x {
        *v = v.max(0.0);
    }
}

/// Softmax of a row, in place.
pub(super) fn softmax(row: &mut [f32]) {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for v in row.iter_mut() {
        *v = libm::expf(*v - max);
        sum += *v;
    }
    for v in row {
        *v /= sum;
    }
}

/// `x += y`.
pub(super) fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

/// The largest of each feature over all rows.
pub(super) fn column_max(x: &[f32], features: usize) -> Vec<f32> {
    let mut rows = x.chunks_exact(features);
    let mut best = rows.next().map(<[f32]>::to_vec).unwrap_or_default();
    for row in rows {
        for (b, v) in best.iter_mut().zip(row) {
            *b = b.max(*v);
        }
    }
    best
}

/// Multi-head self-attention and a feed-forward layer, both with the normalisation in front
/// (Vaswani et al. 2017; pre-LN after Xiong et al. 2020).
pub(super) struct Block {
    pub(super) norm1: LayerNorm,
    pub(super) qkv: Linear,
    pub(super) out: Linear,
    pub(super) norm2: LayerNorm,
    pub(super) up: Linear,
    pub(super) down: Linear,
    pub(super) heads: usize,
}

impl Block {
    /// `x` is tokens × features, in place.
    pub(super) fn apply(&self, x: &mut [f32]) {
        let features = self.norm1.gain.len();
        let attended = self.attention(&self.qkv.apply(&self.norm1.apply(x)), features);
        add(x, &self.out.apply(&attended));
        let mut hidden = self.up.apply(&self.norm2.apply(x));
        relu(&mut hidden);
        add(x, &self.down.apply(&hidden));
    }

    /// `qkv` is tokens × (query, key, value), each split into heads.
    fn attention(&self, qkv: &[f32], features: usize) -> Vec<f32> {
        let tokens = qkv.len() / (3 * features);
        let dim = features / self.heads;
        let scale = 1.0 / (dim as f32).sqrt();
        let slice = |part: usize, head: usize| {
            let mut m = Vec::with_capacity(tokens * dim);
            for row in qkv.chunks_exact(3 * features) {
                m.extend_from_slice(&row[part * features + head * dim..part * features + (head + 1) * dim]);
            }
            m
        };
        let mut result = vec![0.0; tokens * features];
        for head in 0..self.heads {
            let mut query = slice(0, head);
            query.iter_mut().for_each(|v| *v *= scale);
            let mut scores = Linear::new(&slice(1, head), &[], dim).apply(&query);
            scores.chunks_exact_mut(tokens).for_each(softmax);
            let value = slice(2, head);
            let mut transposed = vec![0.0; value.len()];
            for (token, row) in value.chunks_exact(dim).enumerate() {
                for (d, v) in row.iter().enumerate() {
                    transposed[d * tokens + token] = *v;
                }
            }
            let mixed = Linear::new(&transposed, &[], tokens).apply(&scores);
            for (row, mixed) in result.chunks_exact_mut(features).zip(mixed.chunks_exact(dim)) {
                row[head * dim..(head + 1) * dim].copy_from_slice(mixed);
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_layer_is_a_matrix_product_for_any_number_of_rows_and_columns() {
        for (rows, inputs, outputs) in [(1, 3, 1), (5, 7, 9), (8, 16, 8), (9, 2, 20)] {
            let weight: Vec<f32> = (0..inputs * outputs).map(|i| (i % 7) as f32 - 3.0).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| i as f32).collect();
            let x: Vec<f32> = (0..rows * inputs).map(|i| (i % 5) as f32 - 2.0).collect();
            let y = Linear::new(&weight, &bias, inputs).apply(&x);
            for r in 0..rows {
                for o in 0..outputs {
                    let expected: f32 = bias[o]
                        + (0..inputs).map(|i| x[r * inputs + i] * weight[o * inputs + i]).sum::<f32>();
                    assert_eq!(y[r * outputs + o], expected);
                }
            }
        }
    }

    #[test]
    fn softmax_sums_to_one_and_survives_large_values() {
        let mut row = [1000.0, 1001.0, 999.0];
        softmax(&mut row);
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(row[1] > row[0] && row[0] > row[2]);
    }
}
