//! Feet that stand in the source stand on the target: where they touch, they stay, and nothing sinks into the floor.

use glam::{DQuat, DVec3};

use super::map::Mapping;
use crate::motion::{
    figure::{Figure, Leg, Side},
    kinematics::ease,
    puppet::{Posture, Stance},
    sole::{self, reach},
};

/// A point of the sole touches the ground below this height, as a share of the legs' length.
const LOW: f64 = 0.035;
/// And while it is slower than this, in leg lengths a second.
const SLOW: f64 = 0.35;
/// Seconds in which a foot that was held comes back to where it would be.
const RELEASE: f64 = 0.2;
/// What may be below the floor, as a share of the height of the hips: a mesh gives way where it lies.
const SUNK: f64 = 0.01;

/// Legs of two humanoids.
#[derive(Debug, Clone)]
pub(super) struct Feet {
    source: [Leg; 2],
    target: Figure,
}

/// Which part of a foot holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Free,
    Heel,
    Ball,
}

impl Feet {
    pub(super) fn new(source: Figure, target: Figure) -> Self {
        Self { source: source.legs, target }
    }

    /// Bones and offsets of the source's heels and balls.
    pub(super) fn source_soles(&self) -> Vec<(usize, DVec3)> {
        let under = |leg: &Leg| leg.ball.with_y(leg.heel.y);
        self.source.iter().flat_map(|l| [(l.foot, l.heel), (l.foot, under(l))]).collect()
    }

    /// Corrects the postures of the target.
    pub(super) fn plant(
        &self,
        mapping: &Mapping,
        times: &[f32],
        stances: &[Stance],
        postures: &mut [Posture],
        closes: bool,
    ) {
        let goals = Side::BOTH.map(|side| {
            let i = side.index();
            let ankles: Vec<(DVec3, DQuat)> = postures
                .iter()
                .map(|p| mapping.target.locate(p, self.target.legs[i].foot))
                .map(|(turn, at)| (at, turn))
                .collect();
            let holds = holds(&self.source[i], stances, times, closes);
            let foot = self.source[i].foot;
            let clearance: Vec<f64> = stances
                .iter()
                .map(|s| lowest(&self.source[i], &(s.at[foot], s.turns[foot])) * mapping.scale)
                .collect();
            let heights: Vec<f64> = (0..ankles.len())
                .map(|k| height(&self.target.legs[i], &ankles[k], holds[k], clearance[k]))
                .collect();
            let mut offsets = offsets(&self.target.legs[i], &ankles, &holds, times, closes);
            for (k, offset) in offsets.iter_mut().enumerate() {
                offset.y = smooth(&heights, k).max(-lowest(&self.target.legs[i], &ankles[k]));
            }
            ankles.iter().zip(offsets).map(|((at, turn), by)| (*at + by, *turn)).collect::<Vec<_>>()
        });
        let ([left, right], legs) = (&goals, &self.target.legs);
        for ((posture, left), right) in postures.iter_mut().zip(left).zip(right) {
            reach(&mapping.target, self.target.hips, legs, posture, [*left, *right]);
        }
        if closes && let [first, .., last] = postures {
            last.turns.clone_from(&first.turns);
        }
        sole::plant(&self.target, times, postures, None, closes);
        self.lift(postures);
    }

    /// Raises what went through the floor: bodies that lie are thicker than the source's.
    fn lift(&self, postures: &mut [Posture]) {
        let puppet = &self.target.puppet;
        let most = SUNK * puppet.normal[self.target.hips].y.abs();
        let sunk = |p: &Posture| (-puppet.lowest(&puppet.stance(p)) - most).max(0.0);
        let depths: Vec<f64> = postures.iter().map(sunk).collect();
        let near = |k: usize| {
            let near = depths.get(k.saturating_sub(2)..(k + 3).min(depths.len())).unwrap_or_default();
            near.iter().copied().fold(0.0, f64::max)
        };
        let wide: Vec<f64> = (0..depths.len()).map(near).collect();
        for (k, posture) in postures.iter_mut().enumerate() {
            let above =
                puppet.parents[self.target.hips].map_or(DQuat::IDENTITY, |p| puppet.locate(posture, p).0);
            posture.moves[self.target.hips] += above.inverse() * DVec3::Y * smooth(&wide, k);
        }
    }
}

/// Part of the foot that touches the ground in each keyframe of the source.
fn holds(leg: &Leg, stances: &[Stance], times: &[f32], closes: bool) -> Vec<Hold> {
    let point = |s: &Stance, offset: DVec3| s.at[leg.foot] + s.turns[leg.foot] * offset;
    let touches = |offset: DVec3| -> Vec<bool> {
        let places: Vec<DVec3> = stances.iter().map(|s| point(s, offset)).collect();
        let ground = offset.y - leg.heel.y;
        (0..places.len())
            .map(|i| {
                let (a, b) = (i.saturating_sub(1), (i + 1).min(places.len() - 1));
                let time = f64::from(times[b] - times[a]).max(1e-6);
                let speed = places[b].distance(places[a]) / time;
                places[i].y - ground < LOW * leg.length() && speed < SLOW * leg.length()
            })
            .collect()
    };
    let (heel, ball) = (touches(leg.heel), touches(leg.ball));
    let mut holds: Vec<Hold> = heel
        .iter()
        .zip(&ball)
        .map(|(heel, ball)| match (heel, ball) {
            (_, true) => Hold::Ball,
            (true, false) => Hold::Heel,
            _ => Hold::Free,
        })
        .collect();
    if closes && let [first, .., last] = holds.as_mut_slice() {
        *last = *first;
    }
    holds
}

/// How far the ankle is moved in each keyframe.
fn offsets(leg: &Leg, ankles: &[(DVec3, DQuat)], holds: &[Hold], times: &[f32], closes: bool) -> Vec<DVec3> {
    let point = |i: usize, hold: Hold| {
        let offset = if hold == Hold::Heel { leg.heel } else { leg.ball };
        ankles[i].0 + ankles[i].1 * offset
    };
    let mut now = DVec3::ZERO;
    let mut offsets = vec![DVec3::ZERO; ankles.len()];
    // Twice round a loop, so that its beginning knows its end.
    for _ in 0..if closes { 2 } else { 1 } {
        let mut held: Option<(Hold, DVec3)> = None;
        let mut released = (DVec3::ZERO, f64::NEG_INFINITY);
        if closes {
            released = (now, f64::from(times[0]));
        }
        for i in 0..ankles.len() {
            let time = f64::from(times[i]);
            if holds[i] == Hold::Free {
                if held.take().is_some() {
                    released = (now, time);
                }
                now = released.0 * (1.0 - ease(0.0, RELEASE, time - released.1));
            } else {
                let lock = match held {
                    Some((hold, lock)) if hold == holds[i] => lock,
                    _ => point(i, holds[i]) + now,
                };
                held = Some((holds[i], lock));
                now = lock - point(i, holds[i]);
            }
            now.y = 0.0;
            offsets[i] = now;
        }
    }
    offsets
}

/// How far a foot goes up or down: onto the floor where it is held, as clear of it as in the source where it is not.
fn height(leg: &Leg, ankle: &(DVec3, DQuat), hold: Hold, clearance: f64) -> f64 {
    let under = lowest(leg, ankle);
    if hold == Hold::Free { (clearance.max(0.0) - under).max(0.0) } else { -under }
}

/// Height of the lowest point of a sole. What is before the ball bends with the toes, and does not count where they do.
fn lowest(leg: &Leg, (at, turn): &(DVec3, DQuat)) -> f64 {
    let heel = (*at + *turn * leg.heel).y;
    let under_ball = leg.ball.y - leg.heel.y;
    let ball = (*at + *turn * leg.ball).y - under_ball;
    heel.min(ball)
}

/// The mean of a value and its neighbours.
fn smooth(values: &[f64], i: usize) -> f64 {
    let (from, to) = (i.saturating_sub(2), (i + 3).min(values.len()));
    let near = values.get(from..to).unwrap_or_default();
    near.iter().sum::<f64>() / near.len().max(1) as f64
}
