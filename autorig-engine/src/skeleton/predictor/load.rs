//! A network out of a parameter file.
//!
//! The file is in safetensors format with 16- or 32-bit floats. Its metadata say `kind`, `joints`, `heads` and
//! `refine_points`; the numbers of blocks and features follow from the tensors, and a side head is there if its
//! tensors are.

use safetensors::{Dtype, SafeTensors};

use super::{
    matrix::Linear,
    net::Net,
    tensor::{Block, LayerNorm},
};
use crate::{Code, Error, Result};

/// Numbers of a surface point, and of a position with its sines and cosines.
const POINT: usize = 6;
const POSITION: usize = 27;

fn broken(what: impl std::fmt::Display) -> Error {
    Error::new(Code::Internal, format!("the network's parameter file {what}"))
}

/// Reads tensors by name.
struct Reader<'a> {
    file: SafeTensors<'a>,
    heads: usize,
}

impl Reader<'_> {
    fn has(&self, layer: &str) -> bool {
        self.file.tensor(&format!("{layer}.weight")).is_ok()
    }

    /// Values of a tensor and the length of its last dimension.
    fn tensor(&self, name: &str) -> Result<(Vec<f32>, usize)> {
        let view = self.file.tensor(name).map_err(|e| broken(format_args!("lacks {name}: {e}")))?;
        let bytes = view.data();
        let values = match view.dtype() {
            Dtype::F16 => bytes.as_chunks().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            other => return Err(broken(format_args!("has {name} as {other:?}"))),
        };
        Ok((values, view.shape().last().copied().unwrap_or(0)))
    }

    fn linear(&self, name: &str) -> Result<Linear> {
        let (bias, outputs) = self.tensor(&format!("{name}.bias"))?;
        let (weight, inputs) = self.tensor(&format!("{name}.weight"))?;
        if inputs == 0 || weight.len() != inputs * outputs {
            return Err(broken(format_args!("has a bias for {name} that does not fit its weight")));
        }
        Ok(Linear::new(&weight, &bias, inputs))
    }

    /// A side head of several layers, if the file has it.
    fn side_head<const N: usize>(&self, layers: [&str; N]) -> Result<Option<[Linear; N]>> {
        if !layers.iter().all(|layer| self.has(layer)) {
            return Ok(None);
        }
        let layers = layers.into_iter().map(|layer| self.linear(layer)).collect::<Result<Vec<_>>>()?;
        Ok(layers.try_into().ok())
    }

    fn layers<const N: usize>(&self, names: [&str; N]) -> Result<[Linear; N]> {
        self.side_head(names)?.ok_or_else(|| broken(format_args!("lacks one of {names:?}")))
    }

    fn norm(&self, name: &str) -> Result<LayerNorm> {
        Ok(LayerNorm {
            gain: self.tensor(&format!("{name}.weight"))?.0,
            bias: self.tensor(&format!("{name}.bias"))?.0,
        })
    }

    /// All blocks whose names begin so, in order.
    fn blocks(&self, prefix: &str) -> Result<Vec<Block>> {
        (0..)
            .map(|i| format!("{prefix}.{i}"))
            .take_while(|name| self.has(&format!("{name}.qkv")))
            .map(|name| {
                let layer = |part: &str| self.linear(&format!("{name}.{part}"));
                Ok(Block {
                    norm1: self.norm(&format!("{name}.n1"))?,
                    qkv: layer("qkv")?,
                    out: layer("o")?,
                    norm2: self.norm(&format!("{name}.n2"))?,
                    up: layer("f1")?,
                    down: layer("f2")?,
                    heads: self.heads,
                })
            })
            .collect()
    }
}

impl Net {
    /// Reads a parameter file that is of the given kind, `body` or `hand`, and has so many joints.
    ///
    /// # Errors
    /// `internal` when the file is broken, of another kind, or its parts do not fit each other.
    pub(super) fn read(bytes: &[u8], kind: &str, joints: usize) -> Result<Self> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let text = |key: &str| metadata.metadata().as_ref().and_then(|m| m.get(key));
        let number = |key: &str| {
            text(key)
                .and_then(|v| v.parse::<usize>().ok())
                .filter(|v| *v > 0)
                .ok_or_else(|| broken(format_args!("does not say a number of {key}")))
        };
        if text("kind").is_none_or(|k| k != kind) || number("joints")? != joints {
            return Err(broken(format_args!("is not for a {kind} of {joints} joints")));
        }
        let file = SafeTensors::deserialize(bytes).map_err(broken)?;
        let reader = Reader { file, heads: number("heads")? };
        let norm = reader.norm("nf")?;
        let net = Self {
            joints,
            refine_points: number("refine_points")?,
            features: norm.gain.len(),
            patch: reader.layers(["p1", "p2", "p3"])?,
            position: reader.linear("pos")?,
            blocks: reader.blocks("blk")?,
            norm,
            head: reader.linear("head")?,
            orientation: reader.side_head(["ori.0", "ori.2"])?,
            class: reader.side_head(["cls.0", "cls.2"])?,
            weights: reader.side_head(["d1", "d2", "d3"])?,
            refine_patch: reader.layers(["r1", "r2", "r3"])?,
            joint_embedding: reader.tensor("rj")?.0,
            refine_blocks: reader.blocks("rb")?,
            refine_norm: reader.norm("rn")?,
            refine_out: reader.linear("ro")?,
            log_error: reader.side_head(["rc"])?.map(|[layer]| layer),
        };
        net.check(reader.heads)?;
        Ok(net)
    }

    /// Every layer gives what the next one takes.
    fn check(&self, heads: usize) -> Result<()> {
        let (d, j) = (self.features, self.joints);
        let refined = self.refine_patch[1].outputs() + POSITION + d;
        let mut chains = vec![
            (chain(&self.patch), POINT, d),
            (chain([&self.position]), POSITION, d),
            (chain([&self.head]), d, 4 * j),
            (chain(&self.refine_patch[..2]), POINT, self.refine_patch[1].outputs()),
            (chain([&self.refine_patch[2]]), refined, d),
            (chain([&self.refine_out]), d, 3),
        ];
        let side = |layers: &Option<[Linear; 2]>, outputs| {
            layers.as_ref().map(|layers| (chain(layers), 2 * d, outputs))
        };
        chains.extend(side(&self.orientation, 6));
        chains.extend(side(&self.class, 5));
        chains.extend(self.weights.as_ref().map(|layers| (chain(layers), d + POINT + 4 * j, j)));
        chains.extend(self.log_error.as_ref().map(|layer| (chain([layer]), d, 1)));
        let mut norms = vec![&self.norm, &self.refine_norm];
        for block in self.blocks.iter().chain(&self.refine_blocks) {
            norms.extend([&block.norm1, &block.norm2]);
            chains.push((chain([&block.qkv]), d, 3 * d));
            chains.push((chain([&block.out]), d, d));
            chains.push((chain([&block.up, &block.down]), d, d));
        }
        let fits = chains.iter().all(|(ends, inputs, outputs)| *ends == Some((*inputs, *outputs)))
            && norms.iter().all(|n| n.gain.len() == d && n.bias.len() == d)
            && self.joint_embedding.len() == j * d
            && d.is_multiple_of(heads);
        if fits { Ok(()) } else { Err(broken("has layers that do not fit each other")) }
    }
}

/// What goes into the first layer and comes out of the last, if each fits the next.
fn chain<'a>(layers: impl IntoIterator<Item = &'a Linear>) -> Option<(usize, usize)> {
    let ends: Vec<(usize, usize)> = layers.into_iter().map(|l| (l.inputs(), l.outputs())).collect();
    let fits = ends.windows(2).all(|pair| pair[0].1 == pair[1].0);
    fits.then_some((ends.first()?.0, ends.last()?.1))
}
