//! What a small transformer needs beside the matrix product, single precision, row-major, in a fixed order.
//!
//! Sums run over sixteen interleaved partial sums that are added up at the end, and transcendental functions are
//! polynomials of ours or come from `libm`, so the results are the same on every x86-64 machine and for any number of
//! threads. Rows of a matrix are tokens, columns features.

use super::matrix::Linear;

/// Partial sums of [`sum_of`].
const LANES: usize = 16;

/// Memory that the layers use again and again.
#[derive(Default)]
pub(super) struct Scratch {
    rows: Vec<f32>,
    normal: Vec<f32>,
    wide: Vec<f32>,
    attended: Vec<f32>,
    narrow: Vec<f32>,
    head: [Vec<f32>; 3],
}

/// Layer normalisation over each row (Ba et al. 2016), epsilon 1e-5.
pub(super) struct LayerNorm {
    pub(super) gain: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl LayerNorm {
    /// `x` is rows × features.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let mut y = Vec::new();
        self.apply_into(x, &mut y);
        y
    }

    fn apply_into(&self, x: &[f32], y: &mut Vec<f32>) {
        let n = self.gain.len();
        y.clear();
        for row in x.chunks_exact(n) {
            let mean = sum_of(row, |v| v) / n as f32;
            let variance = sum_of(row, |v| (v - mean) * (v - mean)) / n as f32;
            let scale = 1.0 / (variance + 1e-5).sqrt();
            y.extend(
                row.iter().zip(&self.gain).zip(&self.bias).map(|((v, g), b)| (v - mean) * scale * g + b),
            );
        }
    }
}

/// The sum of a function of the values.
#[inline(always)]
fn sum_of(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (s, v) in sums.iter_mut().zip(chunk) {
            *s += f(*v);
        }
    }
    for (s, v) in sums.iter_mut().zip(rest) {
        *s += f(*v);
    }
    sums.iter().sum()
}

/// Negative values to zero, in place.
pub(super) fn relu(x: &mut [f32]) {
    for v in x {
        *v = v.max(0.0);
    }
}

/// Softmax of a row, in place.
pub(super) fn softmax(row: &mut [f32]) {
    let mut largest = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (l, v) in largest.iter_mut().zip(chunk) {
            *l = l.max(*v);
        }
    }
    let max = rest.iter().chain(&largest).copied().fold(f32::NEG_INFINITY, f32::max);
    for v in row.iter_mut() {
        *v = exp_of_negative(*v - max);
    }
    let sum = sum_of(row, |v| v);
    for v in row {
        *v /= sum;
    }
}

/// `exp(x)` for `x ≤ 0` within three units in the last place, by the usual reduction to `2ⁿ · exp(r)` with
/// `|r| ≤ ln 2 / 2` and the series of `exp(r)`. Without a branch or a call, so that four of them go at once.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    /// Adding it rounds to a whole number, which is then in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    /// The natural logarithm of 2 in two parts, the first with zeros at its end so that `n` times it is exact.
    const LN2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
    /// Under this the result is next to nothing and `2ⁿ` would not be a normal number.
    const LEAST: f32 = -87.0;
    let x = x.max(LEAST);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2.0) - n * LN2.1;
    let series = 1.0 / 720.0;
    let series = series * r + 1.0 / 120.0;
    let series = series * r + 1.0 / 24.0;
    let series = series * r + 1.0 / 6.0;
    let series = series * r + 0.5;
    let series = series * r + 1.0;
    let series = series * r + 1.0;
    series * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
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
    pub(super) fn apply(&self, x: &mut [f32], scratch: &mut Scratch) {
        let Scratch { rows, normal, wide, attended, narrow, head } = scratch;
        self.norm1.apply_into(x, normal);
        self.qkv.apply_into(normal, wide, rows);
        self.attention(wide, attended, head, rows);
        self.out.apply_into(attended, narrow, rows);
        add(x, narrow);
        self.norm2.apply_into(x, normal);
        self.up.apply_into(normal, wide, rows);
        relu(wide);
        self.down.apply_into(wide, narrow, rows);
        add(x, narrow);
    }

    /// `qkv` is tokens × (query, key, value), each split into heads.
    fn attention(&self, qkv: &[f32], result: &mut Vec<f32>, head: &mut [Vec<f32>; 3], rows: &mut Vec<f32>) {
        let features = self.norm1.gain.len();
        let tokens = qkv.len() / (3 * features);
        let dim = features / self.heads;
        let scale = 1.0 / (dim as f32).sqrt();
        result.clear();
        result.resize(tokens * features, 0.0);
        let [part, scores, mixed] = head;
        for h in 0..self.heads {
            let take = |which: usize, part: &mut Vec<f32>| {
                part.clear();
                for row in qkv.chunks_exact(3 * features) {
                    let start = which * features + h * dim;
                    part.extend_from_slice(&row[start..start + dim]);
                }
            };
            take(1, part);
            let keys = Linear::new(part, &[], dim);
            take(0, part);
            part.iter_mut().for_each(|v| *v *= scale);
            keys.apply_into(part, scores, rows);
            scores.chunks_exact_mut(tokens).for_each(softmax);
            take(2, part);
            Linear::from_columns(part, dim).apply_into(scores, mixed, rows);
            for (row, mixed) in result.chunks_exact_mut(features).zip(mixed.chunks_exact(dim)) {
                row[h * dim..(h + 1) * dim].copy_from_slice(mixed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_sums_to_one_and_survives_large_values() {
        let mut row = [1000.0, 1001.0, 999.0];
        softmax(&mut row);
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(row[1] > row[0] && row[0] > row[2]);
        let mut row: Vec<f32> = (0..37).map(|i| if i == 20 { 300.0 } else { -300.0 }).collect();
        softmax(&mut row);
        assert_eq!(row[20], 1.0);
        assert!(row.iter().enumerate().all(|(i, v)| i == 20 || *v < 1e-30));
    }

    #[test]
    fn the_exponential_agrees_with_the_library() {
        for i in 0..87_000 {
            let x = -(i as f32) * 1e-3;
            let (own, library) = (exp_of_negative(x), libm::expf(x));
            assert!((own - library).abs() <= library * 4e-7, "exp({x}) is {own}, not {library}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert!(exp_of_negative(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn normalised_rows_have_mean_zero_and_variance_one() {
        let norm = LayerNorm { gain: vec![1.0; 40], bias: vec![0.0; 40] };
        let x: Vec<f32> = (0..80).map(|i| libm::sinf(i as f32) * 3.0 + 5.0).collect();
        for row in norm.apply(&x).chunks_exact(40) {
            let mean = row.iter().sum::<f32>() / 40.0;
            let variance = row.iter().map(|v| v * v).sum::<f32>() / 40.0;
            assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{mean} {variance}");
        }
    }
}
