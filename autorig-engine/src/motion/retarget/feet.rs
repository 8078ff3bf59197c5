//! Feet that stand in the source stand on the target: where they touch, they stay, and nothing sinks into the floor.

use glam::{DQuat, DVec3};

use super::map::Mapping;
use crate::motion::{
    figure::{Figure, Leg, Side},
    kinematics::{between, ease, frame, give_way, two_bones},
    puppet::{Posture, Puppet, Stance},
};

/// A point of the sole touches the ground below this height, as a share of the legs' length.
const LOW: f64 = 0.035;
/// And while it is slower than this, in leg lengths a second.
const SLOW: f64 = 0.35;
/// Seconds in which a foot that was held comes back to where it would be.
const RELEASE: f64 = 0.2;
/// Legs are stretched to this share of their length without the hips giving way.
const REACH: f64 = 0.995;
/// How soon the hips give way, as a share of the legs' length.
const SOFT: f64 = 0.004;

/// Legs of two humanoids.
#[derive(Debug, Clone)]
pub(super) struct Feet {
    source: [Leg; 2],
    target: [Leg; 2],
    hips: usize,
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
        Self { source: source.legs, hips: target.hips, target: target.legs }
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
                .map(|p| mapping.target.locate(p, self.target[i].foot))
                .map(|(turn, at)| (at, turn))
                .collect();
            let holds = holds(&self.source[i], stances, times, closes);
            let foot = self.source[i].foot;
            let clearance: Vec<f64> = stances
                .iter()
                .map(|s| lowest(&self.source[i], &(s.at[foot], s.turns[foot])) * mapping.scale)
                .collect();
            let heights: Vec<f64> = (0..ankles.len())
                .map(|k| height(&self.target[i], &ankles[k], holds[k], clearance[k]))
                .collect();
            let mut offsets = offsets(&self.target[i], &ankles, &holds, times, closes);
            for (k, offset) in offsets.iter_mut().enumerate() {
                offset.y = smooth(&heights, k).max(-lowest(&self.target[i], &ankles[k]));
            }
            ankles.iter().zip(offsets).map(|((at, turn), by)| (*at + by, *turn)).collect::<Vec<_>>()
        });
        let [left, right] = &goals;
        for ((posture, left), right) in postures.iter_mut().zip(left).zip(right) {
            self.lower(&mapping.target, posture, [left.0, right.0]);
            step(&mapping.target, &self.target[0], posture, *left);
            step(&mapping.target, &self.target[1], posture, *right);
        }
        if closes && let [first, .., last] = postures {
            last.turns.clone_from(&first.turns);
        }
    }

    /// Lowers the hips where a leg would not reach its ankle's place.
    fn lower(&self, puppet: &Puppet, posture: &mut Posture, ankles: [DVec3; 2]) {
        let too_high = |(leg, ankle): (&Leg, DVec3)| {
            let (_, hip) = puppet.locate(posture, leg.upper);
            let long = REACH * leg.length();
            let level = (hip - ankle).with_y(0.0).length();
            hip.y - ankle.y - (long * long - level * level).max(0.0).sqrt()
        };
        let soft = SOFT * self.target[0].length();
        let down = give_way(self.target.iter().zip(ankles).map(too_high), soft);
        let above = puppet.parents[self.hips].map_or(DQuat::IDENTITY, |p| puppet.locate(posture, p).0);
        posture.moves[self.hips] -= above.inverse() * DVec3::Y * down;
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

/// Bends a leg to an ankle's place; the knee stays on the side it is on and the foot as it is turned.
fn step(puppet: &Puppet, leg: &Leg, posture: &mut Posture, (goal, turn): (DVec3, DQuat)) {
    let (upper, hip) = puppet.locate(posture, leg.upper);
    let (lower, knee) = puppet.locate(posture, leg.lower);
    let (_, ankle) = puppet.locate(posture, leg.foot);
    let line = (ankle - hip).normalize_or(DVec3::NEG_Y);
    let bent = (knee - hip).reject_from_normalized(line);
    // A leg that is nearly straight bends where its knee looks.
    let looks = (upper * DVec3::Z).reject_from_normalized(line).normalize_or(DVec3::Z);
    let shown = (bent.length() / (0.05 * leg.length())).min(1.0);
    let pole = looks.lerp(bent.normalize_or(looks), shown);
    let solved = two_bones(hip, leg.lengths, goal, pole);
    // From where the bones point now, about the hinge they have now, to where they should.
    let hinge = pole.cross(line);
    let moved =
        |from: DVec3, to: DVec3, now: DQuat| between(frame(from, hinge), frame(to, solved.hinge)) * now;
    let turns = [
        (leg.upper, moved(knee - hip, solved.upper, upper)),
        (leg.lower, moved(ankle - knee, solved.lower, lower)),
        (leg.foot, turn),
    ];
    for (bone, q) in turns {
        let above = puppet.parents[bone].map_or(DQuat::IDENTITY, |p| puppet.locate(posture, p).0);
        posture.turns[bone] = (above.inverse() * q).normalize();
    }
}
