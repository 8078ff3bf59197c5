//! How good a clip is, in numbers: do feet slide, does the loop close, does anything go through the floor.

use std::collections::BTreeMap;

use glam::{DMat4, DQuat, DVec3};

use super::clip::{Clip, Local, Values, apart};
use crate::{Character, scene::Influences};

/// A vertex of a sole that is lower than this, in metres on a figure of 1.8 m, is on the ground.
pub(super) const ON_GROUND: f64 = 0.006;
/// The height that sliding is scaled to, in metres.
pub(super) const HEIGHT: f64 = 1.8;
/// Vertices of a foot that are looked at, at most.
const MOST: usize = 3_000;

/// What was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measure {
    /// Way that a foot slides while it is on the ground, in centimetres a step on a figure of 1.8 m: the worst step.
    pub slide_cm: f64,
    /// Steps: times that a foot comes to the ground and leaves it, or stays there from end to end.
    pub steps: usize,
    /// Largest angle between the first keyframe and the last, in degrees.
    pub seam_degrees: f64,
    /// How far the mesh goes below where it stands at rest, in centimetres on a figure of 1.8 m.
    pub sunk_cm: f64,
    /// How far the lowest point goes above it.
    pub raised_cm: f64,
}

/// Bone to world in a pose, in the file's frame.
pub fn world(character: &Character, locals: &[Local]) -> Vec<DMat4> {
    let mut all: Vec<DMat4> = Vec::with_capacity(locals.len());
    for (bone, local) in character.bones.iter().zip(locals) {
        let above = bone.parent.and_then(|p| all.get(p)).copied().unwrap_or(DMat4::IDENTITY);
        all.push(above * local.matrix());
    }
    all
}

/// Where the bones stand at rest, as nodes have it.
pub fn rest(character: &Character) -> Vec<Local> {
    character.locals().iter().map(Local::new).collect()
}

/// Measures a clip on a character. `feet` are the bones whose vertices touch the ground.
pub fn measure(character: &Character, clip: &Clip, feet: &[usize]) -> Measure {
    let clip = clip.resampled(super::library::RATE as f32);
    let rest = rest(character);
    let poses: Vec<Vec<DMat4>> = clip
        .times
        .iter()
        .map(|t| {
            let world = world(character, &clip.sample(*t, &rest));
            world.iter().zip(&character.bones).map(|(w, b)| *w * b.rest.inverse()).collect()
        })
        .collect();
    let height = height(character);
    let scale = HEIGHT / height;
    let mut result = Measure { seam_degrees: seam(&clip), ..Measure::default() };
    let everywhere: Vec<Vertex> = vertices(character, |_| true, 4_000);
    for pose in &poses {
        let lowest = everywhere.iter().map(|v| v.posed(character, pose).y).fold(f64::INFINITY, f64::min);
        if lowest.is_finite() {
            result.sunk_cm = result.sunk_cm.max(-100.0 * scale * lowest);
            result.raised_cm = result.raised_cm.max(100.0 * scale * lowest);
        }
    }
    for &foot in feet {
        let below = below(character, foot);
        let sole = vertices(character, |b| below.get(b) == Some(&true), MOST);
        for slide in slides(character, &poses, &sole, ON_GROUND / scale) {
            result.steps += 1;
            result.slide_cm = result.slide_cm.max(100.0 * scale * slide);
        }
    }
    result
}

/// Height of the mesh at rest in metres, at least a millimetre.
pub(super) fn height(character: &Character) -> f64 {
    let points = character.scene.meshes.iter().flat_map(|m| &m.primitives).flat_map(|p| &p.positions);
    let y = |p: &[f32; 3]| character.frame.to_canonical(DVec3::from(p.map(f64::from))).y;
    points.map(y).fold(0.001, f64::max)
}

/// Angle between the first and the last keyframe, whatever bone differs most.
fn seam(clip: &Clip) -> f64 {
    let of = |values: &Values| match values {
        Values::Rotations(q) => match (q.first(), q.last()) {
            (Some(a), Some(b)) => apart(*a, *b),
            _ => 0.0,
        },
        Values::Translations(_) => 0.0,
    };
    clip.tracks.iter().map(|t| of(&t.values)).fold(0.0, f64::max)
}

/// A vertex with its bones.
struct Vertex {
    at: DVec3,
    bones: Vec<(usize, f64)>,
}

impl Vertex {
    /// Where a pose takes it, in canonical space (linear blend skinning).
    fn posed(&self, character: &Character, pose: &[DMat4]) -> DVec3 {
        let mut sum = DVec3::ZERO;
        for (bone, weight) in &self.bones {
            sum += pose.get(*bone).map_or(self.at, |m| m.transform_point3(self.at)) * *weight;
        }
        character.frame.to_canonical(sum)
    }
}

/// Vertices whose heaviest bone is wanted, about `most` of them evenly from all.
fn vertices(character: &Character, wanted: impl Fn(usize) -> bool, most: usize) -> Vec<Vertex> {
    let mut all = Vec::new();
    let mut add = |position: &[f32; 3], joints: &[u16], weights: &[f32]| {
        let mut bones: BTreeMap<usize, f64> = BTreeMap::new();
        for (joint, weight) in joints.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
            *bones.entry(usize::from(*joint)).or_default() += f64::from(*weight);
        }
        let total: f64 = bones.values().sum();
        let heaviest = bones.iter().fold((0, 0.0), |best, (b, w)| if *w > best.1 { (*b, *w) } else { best });
        if total > 0.0 && wanted(heaviest.0) {
            let bones = bones.into_iter().map(|(b, w)| (b, w / total)).collect();
            all.push(Vertex { at: DVec3::from(position.map(f64::from)), bones });
        }
    };
    let meshes = character.scene.meshes.iter().zip(&character.influences);
    let primitives = meshes.flat_map(|(m, i)| m.primitives.iter().zip(i));
    for (primitive, influences) in primitives {
        each(&primitive.positions, influences, &mut add);
    }
    let step = all.len().div_ceil(most.max(1)).max(1);
    all.into_iter().step_by(step).collect()
}

fn each(positions: &[[f32; 3]], influences: &Influences, add: &mut impl FnMut(&[f32; 3], &[u16], &[f32])) {
    for (position, (joints, weights)) in positions.iter().zip(influences.iter()) {
        add(position, joints, weights);
    }
}

/// How far a foot slides in each of its contacts, in metres: from keyframe to keyframe the vertex that is lowest in both.
fn slides(character: &Character, poses: &[Vec<DMat4>], sole: &[Vertex], ground: f64) -> Vec<f64> {
    let posed: Vec<Vec<DVec3>> =
        poses.iter().map(|pose| sole.iter().map(|v| v.posed(character, pose)).collect()).collect();
    let mut all = Vec::new();
    let mut now: Option<f64> = None;
    for pair in posed.windows(2) {
        let [a, b] = pair else { continue };
        let lowest = a.iter().zip(b).min_by(|x, y| x.0.y.max(x.1.y).total_cmp(&y.0.y.max(y.1.y)));
        match lowest.filter(|(a, b)| a.y.max(b.y) < ground) {
            Some((a, b)) => *now.get_or_insert(0.0) += (*b - *a).with_y(0.0).length(),
            None => all.extend(now.take()),
        }
    }
    all.extend(now);
    all
}

/// A bone and everything that hangs on it.
fn below(character: &Character, bone: usize) -> Vec<bool> {
    let mut below = vec![false; character.bones.len()];
    for (b, of) in character.bones.iter().enumerate() {
        below[b] = b == bone || of.parent.is_some_and(|p| below[p]);
    }
    below
}

/// Whether every rotation of a clip is a finite unit quaternion and every translation finite.
pub fn is_sound(clip: &Clip) -> bool {
    let unit = |q: &DQuat| q.is_finite() && (q.length() - 1.0).abs() < 1e-6;
    clip.times.windows(2).all(|w| matches!(w, [a, b] if a < b))
        && clip.tracks.iter().all(|t| match &t.values {
            Values::Rotations(q) => q.len() == clip.times.len() && q.iter().all(unit),
            Values::Translations(v) => v.len() == clip.times.len() && v.iter().all(|v| v.is_finite()),
        })
}
