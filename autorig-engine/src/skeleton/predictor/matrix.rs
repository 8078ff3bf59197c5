//! The matrix product of the network, single precision, with the same result on every machine.
//!
//! Every output is `bias + x₀w₀ + x₁w₁ + …`, summed in this order with a rounded product and a rounded sum each. The
//! columns of a panel are independent of each other, so wider registers compute more of them at once without changing
//! one bit; fused multiply-add would, and is not used. Operands are packed into panels that stay in the first cache
//! (Goto, van de Geijn 2008, "Anatomy of high-performance matrix multiplication", §4).

/// Columns of a panel.
const PANEL: usize = 16;
/// Rows of the largest block.
const MOST_ROWS: usize = 8;

/// A matrix of weights (outputs × inputs) with a bias, packed for [`Linear::apply`].
pub(super) struct Linear {
    inputs: usize,
    outputs: usize,
    /// Panels of [`PANEL`] outputs; within a panel input by input.
    packed: Vec<f32>,
    /// Padded to whole panels.
    bias: Vec<f32>,
}

/// One panel of weights against one block of rows: sums of rows × [`PANEL`].
#[derive(Clone, Copy)]
struct Tile<'a> {
    /// Input by input, the block's rows.
    rows: &'a [f32],
    /// Input by input, the panel's columns.
    weights: &'a [f32],
    bias: &'a [f32; PANEL],
}

/// How a tile is computed on the machine at hand.
#[derive(Clone, Copy)]
struct Kernel {
    /// Rows of a block.
    rows: usize,
    /// Fills `rows` rows of sums.
    compute: fn(Tile<'_>, &mut [[f32; PANEL]; MOST_ROWS]),
}

impl Linear {
    /// `weight` is outputs × inputs, row-major; `bias` has one entry an output, or none at all.
    pub(super) fn new(weight: &[f32], bias: &[f32], inputs: usize) -> Self {
        let inputs = inputs.max(1);
        let outputs = weight.len() / inputs;
        let mut packed = vec![0.0; outputs.div_ceil(PANEL) * inputs * PANEL];
        for (output, row) in weight.chunks_exact(inputs).enumerate() {
            let panel = &mut packed[output / PANEL * inputs * PANEL..];
            for (slot, &w) in panel.chunks_exact_mut(PANEL).zip(row) {
                slot[output % PANEL] = w;
            }
        }
        Self { inputs, outputs, packed, bias: padded(bias, outputs) }
    }

    /// As [`Self::new`] without a bias, from the transposed matrix: inputs × outputs.
    pub(super) fn from_columns(columns: &[f32], outputs: usize) -> Self {
        let outputs = outputs.max(1);
        let inputs = (columns.len() / outputs).max(1);
        let mut packed = vec![0.0; outputs.div_ceil(PANEL) * inputs * PANEL];
        for (input, row) in columns.chunks_exact(outputs).enumerate() {
            for (panel, values) in row.chunks(PANEL).enumerate() {
                let start = (panel * inputs + input) * PANEL;
                packed[start..start + values.len()].copy_from_slice(values);
            }
        }
        Self { inputs, outputs, packed, bias: padded(&[], outputs) }
    }

    /// Number of features that go in.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of features that come out.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// `x` (rows × inputs) to rows × outputs.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let mut y = Vec::new();
        self.apply_into(x, &mut y, &mut Vec::new());
        y
    }

    /// As [`Self::apply`], into memory that is used again; `scratch` is overwritten.
    pub(super) fn apply_into(&self, x: &[f32], y: &mut Vec<f32>, scratch: &mut Vec<f32>) {
        self.apply_with(kernel(), x, y, scratch);
    }

    fn apply_with(&self, kernel: Kernel, x: &[f32], y: &mut Vec<f32>, scratch: &mut Vec<f32>) {
        y.clear();
        y.resize(x.len() / self.inputs * self.outputs, 0.0);
        pack_rows(x, self.inputs, kernel.rows, scratch);
        let panels = self.packed.chunks_exact(self.inputs * PANEL).zip(self.bias.as_chunks().0);
        let mut sums = [[0.0; PANEL]; MOST_ROWS];
        for (panel, (weights, bias)) in panels.enumerate() {
            let column = panel * PANEL;
            let width = PANEL.min(self.outputs - column);
            for (rows, y) in
                scratch.chunks_exact(kernel.rows * self.inputs).zip(y.chunks_mut(kernel.rows * self.outputs))
            {
                (kernel.compute)(Tile { rows, weights, bias }, &mut sums);
                for (y, sum) in y.chunks_exact_mut(self.outputs).zip(&sums) {
                    y[column..column + width].copy_from_slice(&sum[..width]);
                }
            }
        }
    }
}

fn padded(bias: &[f32], outputs: usize) -> Vec<f32> {
    let mut padded = bias.to_vec();
    padded.resize(outputs.next_multiple_of(PANEL), 0.0);
    padded
}

/// Blocks of `rows` rows, within a block input by input; the last is filled up with zeros.
fn pack_rows(x: &[f32], inputs: usize, rows: usize, packed: &mut Vec<f32>) {
    packed.clear();
    packed.resize((x.len() / inputs).next_multiple_of(rows) * inputs, 0.0);
    for (block, x) in packed.chunks_exact_mut(rows * inputs).zip(x.chunks(rows * inputs)) {
        for (r, row) in x.chunks_exact(inputs).enumerate() {
            for (slot, &v) in block.chunks_exact_mut(rows).zip(row) {
                slot[r] = v;
            }
        }
    }
}

/// The kernel for the widest registers of the machine.
fn kernel() -> Kernel {
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = wide::kernels().into_iter().flatten().next() {
        return kernel;
    }
    BASELINE
}

/// Eight registers of four numbers, which every x86-64 machine has.
const BASELINE: Kernel = Kernel { rows: 2, compute: baseline };

fn baseline(tile: Tile<'_>, sums: &mut [[f32; PANEL]; MOST_ROWS]) {
    let [mut first, mut second] = [*tile.bias; 2];
    for (x, w) in tile.rows.as_chunks::<2>().0.iter().zip(tile.weights.as_chunks::<PANEL>().0) {
        for c in 0..PANEL {
            first[c] += x[0] * w[c];
            second[c] += x[1] * w[c];
        }
    }
    (sums[0], sums[1]) = (first, second);
}

/// Kernels for wider registers, written out because the compiler does not find them by itself.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "loads and stores of registers, and calls of functions for certain machines")]
mod wide {
    use std::arch::{is_x86_feature_detected, x86_64 as arch};

    use super::{Kernel, MOST_ROWS, PANEL, Tile};

    type Sums = [[f32; PANEL]; MOST_ROWS];

    /// What this machine can do, widest first.
    pub(super) fn kernels() -> [Option<Kernel>; 2] {
        let avx512 = Kernel {
            rows: 8,
            // SAFETY: the kernel is only handed out where the machine has the feature.
            compute: |tile, sums| unsafe { avx512(tile, sums) },
        };
        let avx = Kernel {
            rows: 4,
            // SAFETY: the kernel is only handed out where the machine has the feature.
            compute: |tile, sums| unsafe { avx(tile, sums) },
        };
        [
            is_x86_feature_detected!("avx512f").then_some(avx512),
            is_x86_feature_detected!("avx").then_some(avx),
        ]
    }

    #[target_feature(enable = "avx512f")]
    fn avx512(tile: Tile<'_>, sums: &mut Sums) {
        // SAFETY: the array has the sixteen numbers that are read.
        let load = |from: &[f32; PANEL]| unsafe { arch::_mm512_loadu_ps(from.as_ptr()) };
        let mut lanes = [load(tile.bias); 8];
        for (x, w) in tile.rows.as_chunks::<8>().0.iter().zip(tile.weights.as_chunks().0) {
            let w = load(w);
            for (sum, &x) in lanes.iter_mut().zip(x) {
                *sum = arch::_mm512_add_ps(*sum, arch::_mm512_mul_ps(arch::_mm512_set1_ps(x), w));
            }
        }
        for (to, sum) in sums.iter_mut().zip(lanes) {
            // SAFETY: the array has the sixteen numbers that are written.
            unsafe { arch::_mm512_storeu_ps(to.as_mut_ptr(), sum) };
        }
    }

    #[target_feature(enable = "avx")]
    fn avx(tile: Tile<'_>, sums: &mut Sums) {
        // SAFETY: the array has the eight numbers that are read.
        let load = |from: &[f32; 8]| unsafe { arch::_mm256_loadu_ps(from.as_ptr()) };
        let halves = |from: &[f32; PANEL]| {
            let (halves, _) = from.as_chunks::<8>();
            [load(&halves[0]), load(&halves[1])]
        };
        let mut lanes = [halves(tile.bias); 4];
        for (x, w) in tile.rows.as_chunks::<4>().0.iter().zip(tile.weights.as_chunks().0) {
            let w = halves(w);
            for (sum, &x) in lanes.iter_mut().zip(x) {
                let x = arch::_mm256_set1_ps(x);
                for (sum, w) in sum.iter_mut().zip(w) {
                    *sum = arch::_mm256_add_ps(*sum, arch::_mm256_mul_ps(x, w));
                }
            }
        }
        for (to, sum) in sums.iter_mut().zip(lanes) {
            for (to, sum) in to.as_chunks_mut::<8>().0.iter_mut().zip(sum) {
                // SAFETY: the array has the eight numbers that are written.
                unsafe { arch::_mm256_storeu_ps(to.as_mut_ptr(), sum) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_layer_is_a_matrix_product_for_any_number_of_rows_and_columns() {
        for (rows, inputs, outputs) in [(1, 3, 1), (5, 7, 9), (8, 16, 8), (9, 2, 20), (17, 5, 33)] {
            let weight: Vec<f32> = (0..inputs * outputs).map(|i| (i % 7) as f32 - 3.0).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| i as f32).collect();
            let x: Vec<f32> = (0..rows * inputs).map(|i| (i % 5) as f32 - 2.0).collect();
            let y = Linear::new(&weight, &bias, inputs).apply(&x);
            assert_eq!(y.len(), rows * outputs);
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
    fn a_matrix_given_by_columns_is_its_transpose() {
        let weight: Vec<f32> = (0..20 * 6).map(|i| libm::sinf(i as f32)).collect();
        let columns: Vec<f32> =
            (0..6).flat_map(|i| (0..20).map(move |o| o * 6 + i)).map(|i| weight[i]).collect();
        let x: Vec<f32> = (0..18).map(|i| libm::cosf(i as f32)).collect();
        assert_eq!(Linear::new(&weight, &[], 6).apply(&x), Linear::from_columns(&columns, 20).apply(&x));
    }

    #[test]
    fn every_width_of_registers_gives_the_same_bits() {
        let (rows, inputs, outputs) = (19, 37, 40);
        let wave = |n: usize, k: f32| (0..n).map(|i| libm::sinf(i as f32 * k)).collect::<Vec<f32>>();
        let (x, layer) = (
            wave(rows * inputs, 0.37),
            Linear::new(&wave(inputs * outputs, 0.71), &wave(outputs, 1.3), inputs),
        );
        let with = |kernel: Kernel| {
            let mut y = Vec::new();
            layer.apply_with(kernel, &x, &mut y, &mut Vec::new());
            y
        };
        let own = layer.apply(&x);
        assert_eq!(own, with(BASELINE));
        #[cfg(target_arch = "x86_64")]
        for kernel in wide::kernels().into_iter().flatten() {
            assert_eq!(own, with(kernel));
        }
        assert!(own.iter().all(|v| v.abs() > 1e-9));
    }
}
