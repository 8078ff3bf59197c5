//! Animations.

use glam::{DQuat, DVec3, DVec4};

use super::accessor::Accessors;
use super::json::{AnimationDef, ChannelDef, Root, SamplerDef, corrupt, label};
use crate::Result;
use crate::scene::{Channel, ChannelValues, NodeClip, Scene};

/// Steps a second at which curves are resampled.
const RATE: f32 = 60.0;
/// A jump takes this long, in seconds.
const JUMP: f32 = 1e-4;

/// Reads every animation. A channel that no viewer would play is left out with a warning, as its kind is not what makes a
/// model unusable; references past the file's end are refused.
pub(super) fn read(root: &Root, accessors: &Accessors<'_>, scene: &mut Scene) -> Result<()> {
    for (index, def) in root.animations.iter().enumerate() {
        let name = def.name.clone().unwrap_or_else(|| format!("clip {index}"));
        let mut clip = NodeClip { name, channels: Vec::with_capacity(def.channels.len().min(10_000)) };
        let mut dropped = 0_usize;
        for channel in &def.channels {
            match read_channel(root, index, def, channel, accessors)? {
                Some(channel) if !twice(&clip, &channel) => clip.channels.push(channel),
                _ => dropped += 1,
            }
        }
        if dropped > 0 {
            let name = label("animation", index, def.name.as_deref());
            scene.warn("clip_repaired", format!("{dropped} channels of {name} are unusable and left out"));
        }
        scene.clips.push(clip);
    }
    Ok(())
}

fn twice(clip: &NodeClip, channel: &Channel) -> bool {
    // Files list the channels of a node together.
    let near = clip.channels.iter().rev().take(8);
    let kind = std::mem::discriminant(&channel.values);
    near.clone().any(|c| c.node == channel.node && std::mem::discriminant(&c.values) == kind)
}

fn read_channel(
    root: &Root,
    index: usize,
    def: &AnimationDef,
    channel: &ChannelDef,
    accessors: &Accessors<'_>,
) -> Result<Option<Channel>> {
    // A channel without a node is meant for an extension.
    let Some(node) = channel.target.node else { return Ok(None) };
    let name = || label("animation", index, def.name.as_deref());
    let Some(target) = root.nodes.get(node) else {
        return Err(corrupt(format!("{} moves node {node}, which does not exist", name())));
    };
    let Some(sampler) = def.samplers.get(channel.sampler) else {
        return Err(corrupt(format!("{} names sampler {}, which does not exist", name(), channel.sampler)));
    };
    let times: Vec<f32> = accessors.floats::<1>(sampler.input)?.into_iter().map(|[t]| t).collect();
    let rising = times.windows(2).all(|w| matches!(w, [a, b] if a < b));
    if times.is_empty() || !rising || !times.iter().all(|t| t.is_finite() && *t >= 0.0) {
        return Ok(None);
    }
    let read = Curve::read(channel.target.path.as_str(), sampler, &times, accessors, || {
        let mesh = target.mesh.and_then(|m| root.meshes.get(m));
        mesh.and_then(|m| m.primitives.first()).map_or(0, |p| p.targets.len())
    })?;
    Ok(read.map(|(times, values)| Channel { node, times, values }))
}

/// Keyframes of `N` numbers, in the file's interpolation.
struct Curve<'a> {
    times: &'a [f32],
    /// Numbers a keyframe.
    width: usize,
    values: Vec<f32>,
    kind: Kind,
    rotation: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Linear,
    Step,
    Cubic,
}

impl<'a> Curve<'a> {
    fn read(
        path: &str,
        sampler: &SamplerDef,
        times: &'a [f32],
        accessors: &Accessors<'_>,
        targets: impl Fn() -> usize,
    ) -> Result<Option<(Vec<f32>, ChannelValues)>> {
        let kind = match sampler.interpolation.as_deref() {
            None | Some("LINEAR") => Kind::Linear,
            Some("STEP") => Kind::Step,
            Some("CUBICSPLINE") => Kind::Cubic,
            Some(_) => return Ok(None),
        };
        let (width, values): (usize, Vec<f32>) = match path {
            "translation" | "scale" => (3, accessors.floats::<3>(sampler.output)?.into_flattened()),
            "rotation" => (4, accessors.floats::<4>(sampler.output)?.into_flattened()),
            "weights" => (targets(), accessors.floats::<1>(sampler.output)?.into_flattened()),
            _ => return Ok(None),
        };
        let per_key = width * if kind == Kind::Cubic { 3 } else { 1 };
        let complete = per_key > 0 && values.len() == per_key.saturating_mul(times.len());
        if !complete || !values.iter().all(|v| v.is_finite()) {
            return Ok(None);
        }
        let curve = Curve { times, width, values, kind, rotation: path == "rotation" };
        let (times, values) = curve.straighten();
        let vectors = || values.chunks_exact(3).map(vector).collect();
        let values = match path {
            "translation" => ChannelValues::Translations(vectors()),
            "scale" => ChannelValues::Scales(vectors()),
            "rotation" => ChannelValues::Rotations(values.chunks_exact(4).map(quaternion).collect()),
            _ => ChannelValues::MorphWeights(values),
        };
        Ok(Some((times, values)))
    }

    /// The curve as straight lines: jumps become two keyframes, splines are sampled.
    fn straighten(&self) -> (Vec<f32>, Vec<f32>) {
        let (mut times, mut values) = (Vec::with_capacity(self.times.len()), Vec::new());
        let mut push = |time: f32, value: &[f32]| {
            if times.last().is_none_or(|last| *last < time) {
                times.push(time);
                values.extend_from_slice(value);
            }
        };
        for (key, &time) in self.times.iter().enumerate() {
            let next = self.times.get(key + 1).copied();
            push(time, self.at(key));
            match (self.kind, next) {
                (Kind::Step, Some(next)) => push(next - JUMP.min((next - time) / 2.0), self.at(key)),
                (Kind::Cubic, Some(next)) => {
                    let steps = ((next - time) * RATE).ceil().clamp(1.0, 600.0) as usize;
                    for step in 1..steps {
                        let s = step as f32 / steps as f32;
                        push(time + s * (next - time), &self.spline(key, next - time, s));
                    }
                }
                _ => {}
            }
        }
        (times, values)
    }

    fn part(&self, key: usize, part: usize) -> &[f32] {
        let from = (key * 3 + part) * self.width;
        self.values.get(from..from + self.width).unwrap_or_default()
    }

    fn at(&self, key: usize) -> &[f32] {
        if self.kind == Kind::Cubic {
            return self.part(key, 1);
        }
        self.values.get(key * self.width..(key + 1) * self.width).unwrap_or_default()
    }

    /// Cubic Hermite spline (glTF 2.0, Appendix C.5) at `s` of the way to the next keyframe, which is `span` seconds off.
    fn spline(&self, key: usize, span: f32, s: f32) -> Vec<f32> {
        let (s2, s3) = (s * s, s * s * s);
        let [from, out] = [self.part(key, 1), self.part(key, 2)];
        let [into, to] = [self.part(key + 1, 0), self.part(key + 1, 1)];
        let one = |(((a, m), n), b): (((&f32, &f32), &f32), &f32)| {
            (2.0 * s3 - 3.0 * s2 + 1.0) * a
                + span * (s3 - 2.0 * s2 + s) * m
                + span * (s3 - s2) * n
                + (3.0 * s2 - 2.0 * s3) * b
        };
        let mut value: Vec<f32> = from.iter().zip(out).zip(into).zip(to).map(one).collect();
        if self.rotation {
            let length = value.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            value.iter_mut().for_each(|v| *v /= length);
        }
        value
    }
}

fn vector(v: &[f32]) -> DVec3 {
    let [x, y, z] = *v else { return DVec3::ZERO };
    DVec3::new(x.into(), y.into(), z.into())
}

fn quaternion(v: &[f32]) -> DQuat {
    let [x, y, z, w] = *v else { return DQuat::IDENTITY };
    let v = DVec4::new(x.into(), y.into(), z.into(), w.into());
    let length = v.length();
    if length > 0.0 { DQuat::from_vec4(v / length) } else { DQuat::IDENTITY }
}
