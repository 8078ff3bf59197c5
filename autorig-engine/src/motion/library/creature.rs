//! Anything else with bones: it breathes and sways with what is free to move, and flies where it has wings.
//!
//! What touches the ground, and what carries something that does, stays still: without knowing how a body walks, standing
//! well is all that can be promised. A bird beats its wings in three parts, each later than the one it hangs on, its legs
//! drawn up, its body going up as the wings go down.

use std::collections::BTreeMap;

use glam::{DQuat, DVec3};

use super::{BIRD, CREATURE, RATE, Take};
use crate::{
    Character,
    motion::{
        kinematics::{about, pitch, roll, wave},
        measure,
        puppet::{Posture, Puppet},
    },
};

/// Seconds of the loop.
const SECONDS: f64 = 4.0;
/// What is lower than this share of the height stands on the ground.
const GROUND: f64 = 0.04;
/// How far the end of a chain sways up and down and to the side, in degrees in all: at ease, and in earnest.
const SWAY: (f64, f64) = (4.0, 7.0);
const SWING: (f64, f64) = (14.0, 30.0);
/// How much later the end of a chain sways than its beginning, as a share of the loop: at ease, and in earnest.
const LATE: (f64, f64) = (0.12, 0.35);
/// Seconds of a wing beat.
const BEAT: f64 = 0.6;
/// The parts of a wing: joint, degrees up and down, degrees they are raised by, how late they are.
const WING: [(&str, f64, f64, f64); 3] =
    [("UpperWing", 34.0, 8.0, 0.0), ("LowerWing", 22.0, -4.0, 0.12), ("WingHand", 16.0, -4.0, 0.22)];
/// Legs that are drawn up in flight, in degrees.
const LEG: [(&str, f64); 3] = [("UpperLeg", 35.0), ("LowerLeg", 30.0), ("Foot", 25.0)];
/// How far the body goes up and down in flight, as a share of its height.
const BOB: f64 = 0.04;

/// A body and its bones that are free to sway.
pub(super) struct Chains {
    pub(super) puppet: Puppet,
    free: Vec<Free>,
    /// Canonical name to bone.
    names: BTreeMap<String, usize>,
    /// In metres.
    height: f64,
}

struct Free {
    bone: usize,
    /// How far along its chain, from 0 at the bone that carries it, in bones, and how many there are.
    along: f64,
    of: f64,
    /// Axes of swaying up and to the side.
    axes: (DVec3, DVec3),
}

impl Chains {
    /// A character with bones that may move; `None` where there is none.
    pub(super) fn new(character: &Character) -> Option<Self> {
        let parents: Vec<Option<usize>> = character.bones.iter().map(|b| b.parent).collect();
        let carrier = parents.iter().position(Option::is_none);
        let puppet = Puppet::new(character, parents, &[], carrier);
        let free = free(&puppet);
        let named = character.bones.iter().enumerate().rev();
        let names: BTreeMap<String, usize> =
            named.filter_map(|(i, b)| b.canonical.clone().map(|n| (n, i))).collect();
        let height = measure::height(character);
        let chains = Self { puppet, free, names, height };
        (!chains.free.is_empty() || chains.has_wings()).then_some(chains)
    }

    /// Clips that can be made for it.
    pub(super) fn clips(&self) -> &'static [&'static str] {
        if self.has_wings() { BIRD } else { CREATURE }
    }

    fn has_wings(&self) -> bool {
        ["leftUpperWing", "rightUpperWing"].iter().all(|n| self.names.contains_key(*n))
    }

    /// A clip by its name.
    pub(super) fn take(&self, name: &str) -> Option<Take<'_>> {
        type Pose<'a> = Box<dyn Fn(f64) -> Posture + 'a>;
        let (seconds, pose): (f64, Pose<'_>) = match name {
            "idle" => (SECONDS, Box::new(|t| self.sway(t, SWAY, LATE.0))),
            "sway" => (SECONDS, Box::new(|t| self.sway(t, SWING, LATE.1))),
            "fly" if self.has_wings() => (BEAT, Box::new(|t| self.fly(t))),
            _ => return None,
        };
        Some(Take { frames: (seconds * RATE) as usize, looping: true, ground: DVec3::ZERO, pose })
    }

    fn sway(&self, t: f64, degrees: (f64, f64), late: f64) -> Posture {
        let mut posture = self.puppet.normal_pose();
        for free in &self.free {
            let late = t - late * free.along / free.of;
            let share = 1.0 / free.of;
            let up = about(free.axes.0, degrees.0 * share * wave(late));
            posture.turns[free.bone] =
                (up * about(free.axes.1, degrees.1 * share * wave(late + 0.2))).normalize();
        }
        posture
    }

    fn fly(&self, t: f64) -> Posture {
        let mut posture = self.puppet.normal_pose();
        for (side, sign) in [("left", 1.0), ("right", -1.0)] {
            let mut turn = |joint: &str, q: DQuat| {
                if let Some(bone) = self.names.get(&format!("{side}{joint}")) {
                    posture.turns[*bone] = q;
                }
            };
            for (joint, degrees, raised, late) in WING {
                turn(joint, roll(sign * (raised + degrees * wave(t - late + 0.25))));
            }
            for (joint, degrees) in LEG {
                turn(joint, pitch(degrees));
            }
        }
        // The stroke down lifts the body.
        posture.carried = DVec3::Y * (BOB * self.height * wave(t));
        posture
    }
}

/// The bones that carry nothing that stands on the ground, but for the root.
fn free(puppet: &Puppet) -> Vec<Free> {
    let count = puppet.normal.len();
    let heights = |b: usize| {
        let own = puppet.outline[b].iter().map(move |p| puppet.normal[b].y + p.y);
        own.chain([puppet.normal[b].y])
    };
    let (low, high) =
        (0..count).flat_map(heights).fold((f64::INFINITY, 0.0_f64), |(l, h), y| (l.min(y), h.max(y)));
    let ground = low + GROUND * (high - low);
    let mut stands: Vec<bool> = (0..count).map(|b| heights(b).any(|y| y <= ground)).collect();
    let mut depth_below = vec![0_usize; count];
    // Children come after their parents, so what they carry is known when the parent is looked at.
    for bone in (0..count).rev() {
        if let Some(p) = puppet.parents[bone] {
            stands[p] |= stands[bone];
            depth_below[p] = depth_below[p].max(depth_below[bone] + 1);
        }
    }
    let is_free = |b: usize| !stands[b] && puppet.parents[b].is_some();
    let mut along = vec![0_usize; count];
    for bone in 0..count {
        if let Some(p) = puppet.parents[bone].filter(|p| is_free(*p)) {
            along[bone] = along[p] + 1;
        }
    }
    (0..count)
        .filter(|b| is_free(*b))
        .map(|bone| {
            let of = (along[bone] + depth_below[bone] + 1) as f64;
            Free { bone, along: along[bone] as f64, of, axes: axes(puppet, bone) }
        })
        .collect()
}

/// Axes of a bone that raise it and swing it to the side; those of a pair mirror each other.
fn axes(puppet: &Puppet, bone: usize) -> (DVec3, DVec3) {
    let child = (0..puppet.normal.len()).find(|b| puppet.parents[*b] == Some(bone));
    let tip = child.map(|c| puppet.normal[c] - puppet.normal[bone]);
    let own = || puppet.outline[bone].iter().sum::<DVec3>();
    let along = tip.unwrap_or_else(own).normalize_or(DVec3::Y);
    let up = along.cross(DVec3::Y).normalize_or(DVec3::X);
    let side = up.cross(along).normalize_or(DVec3::Y);
    let mirrored = if along.x < -0.3 { -1.0 } else { 1.0 };
    (up, side * mirrored)
}
