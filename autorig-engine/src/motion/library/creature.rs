//! Anything else with bones: it breathes with what is free to move.
//!
//! What touches the ground, and what carries something that does, stays still: without knowing how a body walks, standing
//! well is all that can be promised.

use glam::DVec3;

use super::{RATE, Take};
use crate::{
    Character,
    motion::{
        kinematics::{about, wave},
        puppet::{Posture, Puppet},
    },
};

/// Seconds of the loop.
const SECONDS: f64 = 4.0;
/// What is lower than this share of the height stands on the ground.
const GROUND: f64 = 0.04;
/// How far the end of a chain sways up and down and to the side, in degrees in all.
const SWAY: (f64, f64) = (4.0, 7.0);

/// A body and its bones that are free to sway.
pub(super) struct Chains {
    pub(super) puppet: Puppet,
    free: Vec<Free>,
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
        (!free.is_empty()).then_some(Self { puppet, free })
    }

    /// A clip by its name.
    pub(super) fn take(&self, name: &str) -> Option<Take<'_>> {
        let frames = (SECONDS * RATE) as usize;
        (name == "idle").then(|| Take { frames, looping: true, pose: Box::new(|t| self.idle(t)) })
    }

    fn idle(&self, t: f64) -> Posture {
        let mut posture = self.puppet.normal_pose();
        for free in &self.free {
            let late = t - 0.12 * free.along / free.of;
            let share = 1.0 / free.of;
            let up = about(free.axes.0, SWAY.0 * share * wave(late));
            posture.turns[free.bone] =
                (up * about(free.axes.1, SWAY.1 * share * wave(late + 0.2))).normalize();
        }
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
