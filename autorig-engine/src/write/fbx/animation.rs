//! Clips as animation stacks: curves of Euler angles and places, baked at 30 frames a second.

use glam::{DQuat, DVec3};

use super::names::Names;
use super::objects::Objects;
use super::rotation;
use super::rows::{self, properties70};
use super::skeleton::Limb;
use super::tree::{Node, Property};
use crate::Result;
use crate::motion::{Clip, MorphTrack, Track, Values};
use crate::write::value::inconsistent;

/// Ticks of a second.
const TICKS: f64 = 46_186_158_000.0;
const FRAME: i64 = 1_539_538_600;
const FRAMES_A_SECOND: f64 = 30.0;
/// Longest clip that is written, in seconds: a longer one is a wrong number.
const LONGEST: f32 = 36_000.0;

/// A clip that was written.
pub(super) struct Take {
    pub(super) name: String,
    /// Its end in ticks; it begins at 0.
    pub(super) end: i64,
}

/// Adds a stack for each clip.
///
/// `shapes` are the blend shape channels of each mesh.
pub(super) fn add(
    objects: &mut Objects,
    clips: &[Clip],
    limbs: &[Limb],
    shapes: &[Vec<i64>],
) -> Result<Vec<Take>> {
    let mut names = Names::default();
    let mut one = |clip: &Clip| add_clip(objects, names.unique(&clip.name, "Take"), clip, limbs, shapes);
    clips.iter().map(&mut one).collect()
}

fn add_clip(
    objects: &mut Objects,
    name: String,
    clip: &Clip,
    limbs: &[Limb],
    shapes: &[Vec<i64>],
) -> Result<Take> {
    check(clip, limbs)?;
    let times = frames(clip);
    let end = times.last().copied().unwrap_or(FRAME);
    let (stack, record) = objects.begin("AnimationStack", &name, "AnimStack", "");
    let span = [
        rows::time("LocalStart", 0),
        rows::time("LocalStop", end),
        rows::time("ReferenceStart", 0),
        rows::time("ReferenceStop", end),
    ];
    objects.add("AnimationStack", record.child(properties70(span)));
    let (layer, record) = objects.begin("AnimationLayer", "BaseLayer", "AnimLayer", "");
    objects.add("AnimationLayer", record);
    objects.connect(layer, stack);
    for track in &clip.tracks {
        let Some(limb) = limbs.get(track.joint) else { continue };
        let seconds = times.iter().map(|t| *t as f64 / TICKS);
        let (property, short, rest, values) = match &track.values {
            Values::Rotations(list) => {
                let angles = angles(seconds.map(|t| rotation_at(&clip.times, list, t)), limb);
                ("Lcl Rotation", "R", [0.0; 3], angles)
            }
            Values::Translations(list) => {
                let places = seconds.map(|t| place_at(&clip.times, list, t).to_array().map(|x| x + 0.0));
                ("Lcl Translation", "T", limb.translation, places.collect())
            }
        };
        if is_rest(&values, rest) {
            continue;
        }
        let node = add_curves(objects, short, &times, &values);
        objects.connect(node, layer);
        objects.connect_property(node, limb.id, property);
    }
    for track in &clip.morphs {
        add_morphs(
            objects,
            track,
            &times,
            layer,
            shapes.get(track.mesh).map(Vec::as_slice).unwrap_or_default(),
        );
    }
    Ok(Take { name, end })
}

/// A curve for each blend shape that changes, in per cent.
fn add_morphs(objects: &mut Objects, track: &MorphTrack, times: &[i64], layer: i64, channels: &[i64]) {
    for (target, &channel) in channels.iter().enumerate() {
        let weights = times.iter().map(|t| 100.0 * track.weight(target, (*t as f64 / TICKS) as f32));
        let weights: Vec<f32> = weights.collect();
        let first = weights.first().copied().unwrap_or(0.0);
        let (id, record) = objects.begin("AnimationCurveNode", "DeformPercent", "AnimCurveNode", "");
        let row = rows::number("d|DeformPercent", f64::from(first));
        objects.add("AnimationCurveNode", record.child(properties70([row])));
        let curve = add_curve(objects, times, weights);
        objects.connect_property(curve, id, "d|DeformPercent");
        objects.connect(id, layer);
        objects.connect_property(id, channel, "DeformPercent");
    }
}

fn check(clip: &Clip, limbs: &[Limb]) -> Result<()> {
    let rise = clip.times.windows(2).all(|w| matches!(w, [a, b] if a < b));
    let morphs = || clip.morphs.iter().flat_map(|m| &m.times);
    let bounded = clip.times.iter().chain(morphs()).all(|t| (0.0..LONGEST).contains(t));
    let empty = clip.times.is_empty() && (clip.morphs.is_empty() || !clip.tracks.is_empty());
    if empty || !rise || !bounded {
        return Err(inconsistent("the times of a clip do not rise"));
    }
    let fits = |track: &Track| {
        let (count, finite) = match &track.values {
            Values::Rotations(list) => {
                (list.len(), list.iter().all(|q| q.is_finite() && q.length_squared() > 0.0))
            }
            Values::Translations(list) => (list.len(), list.iter().all(|v| v.is_finite())),
        };
        track.joint < limbs.len() && count == clip.times.len() && finite
    };
    if !clip.tracks.iter().all(fits) {
        return Err(inconsistent("a track of a clip has no joint, or not one value for each keyframe"));
    }
    Ok(())
}

/// The keyframes in ticks: every frame, and the end of the clip where it lies between two. One frame at least, as some
/// readers drop a stack without length.
fn frames(clip: &Clip) -> Vec<i64> {
    let end = f64::from(clip.duration());
    let whole = (end * FRAMES_A_SECOND).round();
    // Times come in single precision.
    let is_whole = (end * FRAMES_A_SECOND - whole).abs() < 1e-3;
    let count = if is_whole { whole } else { (end * FRAMES_A_SECOND).floor() };
    let mut ticks: Vec<i64> = (0..=count.max(0.0) as i64).map(|frame| frame * FRAME).collect();
    if !is_whole {
        ticks.push((end * TICKS).round() as i64);
    }
    if ticks.len() < 2 {
        ticks.push(FRAME);
    }
    ticks
}

/// The keyframes around a time, and how far it is from the first to the second.
fn around(times: &[f32], time: f64) -> (usize, usize, f64) {
    let after = times.partition_point(|t| f64::from(*t) <= time);
    let last = times.len().saturating_sub(1);
    let (a, b) = (after.saturating_sub(1).min(last), after.min(last));
    let at = |i: usize| times.get(i).copied().map_or(0.0, f64::from);
    let span = at(b) - at(a);
    let part = if span > 0.0 { ((time - at(a)) / span).clamp(0.0, 1.0) } else { 0.0 };
    // A frame that meets a keyframe up to the rounding of single precision takes it as it is.
    let part = if part < 1e-4 {
        0.0
    } else if part > 1.0 - 1e-4 {
        1.0
    } else {
        part
    };
    (a, b, part)
}

fn rotation_at(times: &[f32], list: &[DQuat], time: f64) -> DQuat {
    let (a, b, part) = around(times, time);
    let at = |i: usize| list.get(i).copied().unwrap_or(DQuat::IDENTITY).normalize();
    if part == 0.0 { at(a) } else { at(a).slerp(at(b), part) }
}

fn place_at(times: &[f32], list: &[DVec3], time: f64) -> DVec3 {
    let (a, b, part) = around(times, time);
    let at = |i: usize| list.get(i).copied().unwrap_or_default();
    at(a).lerp(at(b), part)
}

/// Rotations as degrees after the bone's own, without jumps from key to key.
fn angles(rotations: impl Iterator<Item = DQuat>, limb: &Limb) -> Vec<[f64; 3]> {
    let back = limb.pre_rotation.inverse();
    let mut before = [0.0; 3];
    let mut next = |rotation: DQuat| {
        before = rotation::euler_near(back * rotation, before);
        rotation::degrees(before)
    };
    rotations.map(&mut next).collect()
}

/// True when the values never leave what the bone has without a curve.
fn is_rest(values: &[[f64; 3]], rest: [f64; 3]) -> bool {
    let near = |value: &[f64; 3]| value.iter().zip(rest).all(|(v, r)| (v - r).abs() < 1e-6);
    values.iter().all(near)
}

fn add_curves(objects: &mut Objects, name: &str, times: &[i64], values: &[[f64; 3]]) -> i64 {
    let first = values.first().copied().unwrap_or_default();
    let (id, record) = objects.begin("AnimationCurveNode", name, "AnimCurveNode", "");
    let axes = ["d|X", "d|Y", "d|Z"];
    let rows = axes.iter().zip(first).map(|(axis, value)| rows::number(axis, value));
    objects.add("AnimationCurveNode", record.child(properties70(rows)));
    for (axis, name) in axes.into_iter().enumerate() {
        let list: Vec<f32> = values.iter().filter_map(|v| v.get(axis)).map(|v| *v as f32).collect();
        let curve = add_curve(objects, times, list);
        objects.connect_property(curve, id, name);
    }
    id
}

/// A curve; one that never changes needs its ends only.
fn add_curve(objects: &mut Objects, times: &[i64], values: Vec<f32>) -> i64 {
    let constant = values.windows(2).all(|w| matches!(w, [a, b] if a == b));
    let (times, values) = match (constant, times, values.as_slice()) {
        (true, [first, .., last], [value, ..]) => (vec![*first, *last], vec![*value; 2]),
        _ => (times.to_vec(), values),
    };
    let count = times.len() as i32;
    let (id, record) = objects.begin("AnimationCurve", "", "AnimCurve", "");
    let record = record
        .child(Node::new("Default").f64(values.first().copied().map_or(0.0, f64::from)))
        .child(Node::new("KeyVer").i32(4008))
        .child(Node::new("KeyTime").with(Property::I64s(times)))
        .child(Node::new("KeyValueFloat").with(Property::F32s(values)))
        // Straight lines between keys, said once for all of them.
        .child(Node::new("KeyAttrFlags").with(Property::I32s(vec![4])))
        .child(Node::new("KeyAttrDataFloat").with(Property::F32s(vec![0.0; 4])))
        .child(Node::new("KeyAttrRefCount").with(Property::I32s(vec![count])));
    objects.add("AnimationCurve", record);
    id
}
