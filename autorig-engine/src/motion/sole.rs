//! Soles that stand: where the mesh of a foot touches the ground it stays in its place.
//!
//! Legs are posed by their bones, and what stands is the skin: a heel that follows the shin a little goes back with it, a
//! rounded one rolls elsewhere than its corner would. So the sole's vertices are followed through the motion; where the
//! lowest one touches the ground and is slow, its way is taken out of the ankle's, and what skims the ground in a swing is
//! raised (contacts by height and speed, as in Kovar, Schreiner, Gleicher 2002, "Footskate Cleanup for Motion Capture
//! Editing", sections 3 and 4; legs by two-bone inverse kinematics with the hips giving way).

use std::collections::BTreeMap;

use glam::{DQuat, DVec3};

use super::{
    figure::{Figure, Leg, Side},
    kinematics::{between, ease, frame, give_way, two_bones},
    measure::{HEIGHT, ON_GROUND},
    puppet::{Posture, Puppet, Stance},
};
use crate::Character;

/// Vertices of a sole that are followed, at most.
const MOST: usize = 500;
/// What lies higher over the ground than this share of the ankle's height is no sole.
const SOLE: f64 = 0.75;
/// A sole is slow below this, in leg lengths a second.
const SLOW: f64 = 0.45;
/// What skims the ground is raised to this share of the height that counts as touching it.
const CLEAR: f64 = 1.25;
/// The ankle's way changes what the skin does; after so many rounds nothing is left to see.
const ROUNDS: usize = 3;
/// Legs are stretched to this share of their length without the hips giving way.
const REACH: f64 = 0.995;
/// How soon the hips give way, as a share of the legs' length.
const SOFT: f64 = 0.004;

/// A vertex as its bones carry it: bone, offset in the normal pose, weight.
type Vertex = Vec<(usize, DVec3, f64)>;

/// The vertices of both soles.
#[derive(Debug, Clone)]
pub(super) struct Soles {
    of: [Vec<Vertex>; 2],
    /// What is lower than this, in metres, touches the ground.
    low: f64,
}

impl Soles {
    /// Those of a character, whose puppet stands in the normal pose.
    pub(super) fn new(character: &Character, puppet: &Puppet, legs: &[Leg; 2]) -> Self {
        let of = [0, 1].map(|i| {
            let foot = legs[i].foot;
            let under: Vec<bool> = (0..puppet.normal.len()).map(|b| puppet.hangs_on(b, foot)).collect();
            vertices(character, puppet, &under, SOLE * puppet.normal[foot].y)
        });
        Self { of, low: ON_GROUND * super::measure::height(character) / HEIGHT }
    }
}

/// Moves ankles so that soles stay where they touch the ground. `ground` is how the ground moves under an in-place gait, in
/// metres a second; found from the motion when absent. `closes`: the last posture is the first but for where the whole is.
pub(super) fn plant(
    figure: &Figure,
    times: &[f32],
    postures: &mut [Posture],
    ground: Option<DVec3>,
    closes: bool,
) {
    if postures.len() < 2 || times.len() != postures.len() {
        return;
    }
    for _ in 0..ROUNDS {
        let stances: Vec<Stance> = postures.iter().map(|p| figure.puppet.stance(p)).collect();
        let steps = Side::BOTH.map(|side| steps(figure, side, times, &stances));
        let slow = SLOW * figure.leg_length();
        let ground = ground.unwrap_or_else(|| treadmill(&steps, slow));
        let moves = Side::BOTH.map(|side| {
            let i = side.index();
            moves(&steps[i], ground, slow, figure.soles.low, closes)
        });
        let count = postures.len() - usize::from(closes);
        for (k, posture) in postures.iter_mut().enumerate().take(count) {
            let goals = Side::BOTH.map(|side| {
                let (turn, at) = figure.puppet.locate(posture, figure.leg(side).foot);
                (at + moves[side.index()][k], turn)
            });
            reach(&figure.puppet, figure.hips, &figure.legs, posture, goals);
        }
        if closes && let [first, .., last] = postures {
            last.turns.clone_from(&first.turns);
            last.moves[figure.hips].y = first.moves[figure.hips].y;
        }
    }
}

/// Bends both legs to these places and turns of their ankles, the hips as low as that takes.
pub(super) fn reach(
    puppet: &Puppet,
    hips: usize,
    legs: &[Leg; 2],
    posture: &mut Posture,
    goals: [(DVec3, DQuat); 2],
) {
    let too_high = |(leg, (ankle, _)): (&Leg, (DVec3, DQuat))| {
        let (_, hip) = puppet.locate(posture, leg.upper);
        let long = REACH * leg.length();
        let level = (hip - ankle).with_y(0.0).length();
        hip.y - ankle.y - (long * long - level * level).max(0.0).sqrt()
    };
    let down = give_way(legs.iter().zip(goals).map(too_high), SOFT * legs[0].length());
    let above = puppet.parents[hips].map_or(DQuat::IDENTITY, |p| puppet.locate(posture, p).0);
    posture.moves[hips] -= above.inverse() * DVec3::Y * down;
    for (leg, goal) in legs.iter().zip(goals) {
        step(puppet, leg, posture, goal);
    }
}

/// Bends a leg to an ankle's place; the knee stays on the side it is on and the foot as it is turned.
fn step(puppet: &Puppet, leg: &Leg, posture: &mut Posture, goal: (DVec3, DQuat)) {
    // A leg that is nearly straight bends where its knee looks.
    let looks = puppet.locate(posture, leg.upper).0 * DVec3::Z;
    bend(puppet, [leg.upper, leg.lower, leg.foot], leg.lengths, posture, goal, looks);
}

/// Bends a limb so that its end is at a place and turned so; its middle joint stays on the side it is on, or goes where
/// `looks` points as far as the limb is straight.
pub(super) fn bend(
    puppet: &Puppet,
    [first, second, last]: [usize; 3],
    lengths: (f64, f64),
    posture: &mut Posture,
    (goal, turn): (DVec3, DQuat),
    looks: DVec3,
) {
    let (upper, start) = puppet.locate(posture, first);
    let (lower, middle) = puppet.locate(posture, second);
    let (_, end) = puppet.locate(posture, last);
    let line = (end - start).normalize_or(DVec3::NEG_Y);
    let bent = (middle - start).reject_from_normalized(line);
    let looks = looks.reject_from_normalized(line).normalize_or(DVec3::Z);
    let shown = (bent.length() / (0.05 * (lengths.0 + lengths.1))).min(1.0);
    let pole = looks.lerp(bent.normalize_or(looks), shown);
    let solved = two_bones(start, lengths, goal, pole);
    // From where the bones point now, about the hinge they have now, to where they should.
    let hinge = pole.cross(line);
    let moved =
        |from: DVec3, to: DVec3, now: DQuat| between(frame(from, hinge), frame(to, solved.hinge)) * now;
    let turns = [
        (first, moved(middle - start, solved.upper, upper)),
        (second, moved(end - middle, solved.lower, lower)),
        (last, turn),
    ];
    for (bone, q) in turns {
        let above = puppet.parents[bone].map_or(DQuat::IDENTITY, |p| puppet.locate(posture, p).0);
        posture.turns[bone] = (above.inverse() * q).normalize();
    }
}

/// What the sole does from one keyframe to the next.
#[derive(Clone, Copy)]
struct Step {
    /// Seconds it takes.
    time: f64,
    /// How the vertex that is lowest in both moves, level.
    slide: DVec3,
    /// Whether it is low in both.
    low: bool,
    /// Heights of the sole's lowest vertex before and after.
    heights: [f64; 2],
}

fn steps(figure: &Figure, side: Side, times: &[f32], stances: &[Stance]) -> Vec<Step> {
    let soles = &figure.soles;
    let posed = |s: &Stance| -> Vec<DVec3> {
        let of = |v: &Vertex| v.iter().map(|(b, p, w)| (s.at[*b] + s.turns[*b] * *p) * *w).sum();
        soles.of[side.index()].iter().map(of).collect()
    };
    let points: Vec<Vec<DVec3>> = stances.iter().map(posed).collect();
    let lowest = |p: &[DVec3]| p.iter().map(|p| p.y).fold(f64::INFINITY, f64::min);
    let pairs = points.windows(2).zip(times.windows(2));
    pairs
        .filter_map(|(points, times)| {
            let ([a, b], [t0, t1]) = (points, times) else { return None };
            let near = a.iter().zip(b).min_by(|x, y| x.0.y.max(x.1.y).total_cmp(&y.0.y.max(y.1.y)));
            let (from, to) = near.map_or((DVec3::Y, DVec3::Y), |(a, b)| (*a, *b));
            Some(Step {
                time: f64::from(t1 - t0).max(1e-6),
                slide: (to - from).with_y(0.0),
                low: from.y.max(to.y) < soles.low,
                heights: [lowest(a), lowest(b)],
            })
        })
        .collect()
}

/// How the ground moves under a gait in place: as most soles that touch it do. None where they stand.
fn treadmill(steps: &[Vec<Step>; 2], slow: f64) -> DVec3 {
    let low = || steps.iter().flatten().filter(|s| s.low);
    let middle = |of: fn(DVec3) -> f64| {
        let mut all: Vec<f64> = low().map(|s| of(s.slide) / s.time).collect();
        all.sort_unstable_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    };
    let ground = DVec3::new(middle(|v| v.x), 0.0, middle(|v| v.z));
    if ground.length() < slow { DVec3::ZERO } else { ground }
}

/// How far the ankle is moved in each keyframe; of a motion that closes without the last one.
fn moves(steps: &[Step], ground: DVec3, slow: f64, low: f64, closes: bool) -> Vec<DVec3> {
    let slide = |s: &Step| s.slide - ground * s.time;
    let stands: Vec<bool> = steps.iter().map(|s| s.low && slide(s).length() < slow * s.time).collect();
    let count = steps.len() + usize::from(!closes);
    let mut level: Vec<Option<DVec3>> = vec![None; count];
    for run in runs(&stands, closes) {
        let mut way = DVec3::ZERO;
        let mut ways = vec![way];
        for &k in &run {
            way -= slide(&steps[k]);
            ways.push(way);
        }
        // A motion that stands all the time closes too.
        let whole = closes && run.len() == steps.len();
        let drift = if whole { way / run.len() as f64 } else { DVec3::ZERO };
        let middle = if whole { DVec3::ZERO } else { way / 2.0 };
        let frames = run.iter().copied().chain(run.last().map(|k| k + 1));
        for (place, (frame, way)) in frames.zip(&ways).enumerate() {
            level[frame % count] = Some(*way - drift * place as f64 - middle);
        }
    }
    let raised = raised(steps, &stands, &level, low);
    let level = filled(&level, closes);
    level.into_iter().zip(raised).map(|(level, up)| level + DVec3::Y * up).collect()
}

/// Runs of steps in which the sole stands, in order; the one over the seam of a motion that closes is one.
fn runs(stands: &[bool], closes: bool) -> Vec<Vec<usize>> {
    let count = stands.len();
    let start = if closes { stands.iter().position(|s| !s).map_or(0, |k| k + 1) } else { 0 };
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut open = false;
    for k in (0..count).map(|k| (start + k) % count.max(1)) {
        if stands[k] {
            match runs.last_mut().filter(|_| open) {
                Some(run) => run.push(k),
                None => runs.push(vec![k]),
            }
        }
        open = stands[k];
    }
    runs
}

/// Ways between two places where the sole stands go over from the one to the other.
fn filled(level: &[Option<DVec3>], closes: bool) -> Vec<DVec3> {
    let count = level.len();
    let known = |k: isize| -> Option<DVec3> {
        let k = if closes { k.rem_euclid(count as isize) } else { k };
        usize::try_from(k).ok().and_then(|k| level.get(k)).copied().flatten()
    };
    (0..count as isize)
        .map(|k| {
            let most = count as isize;
            let before = (0..most).find_map(|d| known(k - d).map(|v| (d as f64, v)));
            let after = (0..most).find_map(|d| known(k + d).map(|v| (d as f64, v)));
            match (before, after) {
                (Some((0.0, own)), _) => own,
                (Some((b, from)), Some((a, to))) => from.lerp(to, ease(0.0, 1.0, b / (a + b))),
                (Some((_, only)), None) | (None, Some((_, only))) => only,
                (None, None) => DVec3::ZERO,
            }
        })
        .collect()
}

/// How far what skims the ground in a swing is raised, its neighbours with it.
fn raised(steps: &[Step], stands: &[bool], level: &[Option<DVec3>], low: f64) -> Vec<f64> {
    let count = level.len();
    let free = |frame: usize| level[frame % count].is_none();
    let mut up = vec![0.0_f64; count];
    for (k, (step, stands)) in steps.iter().zip(stands).enumerate() {
        if !step.low || *stands {
            continue;
        }
        for (frame, height) in [(k + 1, step.heights[1]), (k, step.heights[0])] {
            if free(frame) {
                let slot = &mut up[frame % count];
                *slot = slot.max(CLEAR * low - height);
            }
        }
    }
    let near = |k: usize, by: usize| up[(k + by) % count].max(up[(k + count - by % count) % count]);
    let spread = |k: usize| up[k].max(0.6 * near(k, 1)).max(0.25 * near(k, 2));
    (0..count).map(|k| if free(k) { spread(k) } else { 0.0 }).collect()
}

/// Vertices whose heaviest bone is wanted and that lie lower than a height in the normal pose, some of them evenly from all.
fn vertices(character: &Character, puppet: &Puppet, wanted: &[bool], below: f64) -> Vec<Vertex> {
    let rest: Vec<DVec3> =
        character.bones.iter().map(|b| character.frame.to_canonical(b.position())).collect();
    let mut all = Vec::new();
    let meshes = character.scene.meshes.iter().zip(&character.influences);
    for (primitive, influences) in meshes.flat_map(|(m, i)| m.primitives.iter().zip(i)) {
        for (position, (joints, weights)) in primitive.positions.iter().zip(influences.iter()) {
            let mut bones: BTreeMap<usize, f64> = BTreeMap::new();
            for (joint, weight) in joints.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
                *bones.entry(usize::from(*joint)).or_default() += f64::from(*weight);
            }
            let total: f64 = bones.values().sum();
            let heaviest =
                bones.iter().fold((0, 0.0), |best, (b, w)| if *w > best.1 { (*b, *w) } else { best });
            if total <= 0.0 || wanted.get(heaviest.0) != Some(&true) {
                continue;
            }
            let at = character.frame.to_canonical(DVec3::from(position.map(f64::from)));
            let of = |(b, w): (usize, f64)| (b, puppet.align[b] * (at - rest[b]), w / total);
            let vertex: Vertex = bones.into_iter().filter(|(b, _)| *b < rest.len()).map(of).collect();
            let height: f64 = vertex.iter().map(|(b, p, w)| (puppet.normal[*b].y + p.y) * w).sum();
            if height < below {
                all.push(vertex);
            }
        }
    }
    let stride = all.len().div_ceil(MOST).max(1);
    all.into_iter().step_by(stride).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(slide: f64, low: bool) -> Step {
        let height = if low { 0.0 } else { 0.1 };
        Step { time: 0.1, slide: DVec3::X * slide, low, heights: [height; 2] }
    }

    /// Where the sole is after each step, with its moves.
    fn walked(steps: &[Step], moves: &[DVec3]) -> Vec<f64> {
        let places = steps.iter().scan(0.0, |x, s| {
            *x += s.slide.x;
            Some(*x)
        });
        let places = std::iter::once(0.0).chain(places).enumerate();
        places.map(|(k, x)| x + moves[k % moves.len()].x).collect()
    }

    #[test]
    fn a_sole_that_creeps_stands_and_goes_over_to_where_it_stands_next() {
        let steps = [0.01, 0.01, 0.5, 0.5, 0.02].map(|d| step(d, d < 0.1));
        let places = walked(&steps, &moves(&steps, DVec3::ZERO, 1.0, 0.01, false));
        assert!((places[0] - places[2]).abs() < 1e-12, "{places:?}");
        assert!((places[4] - places[5]).abs() < 1e-12, "{places:?}");
        assert!(places.windows(2).all(|w| w[1] - w[0] < 0.6), "{places:?}");
    }

    #[test]
    fn a_stance_over_the_seam_of_a_loop_is_one() {
        let steps = [0.01, 0.5, 0.5, 0.01].map(|d| step(d, d < 0.1));
        let moves = moves(&steps, DVec3::ZERO, 1.0, 0.01, true);
        assert_eq!(moves.len(), 4);
        // From the fourth keyframe over the first to the second it stands.
        assert!(
            (moves[3].x - 0.01 - moves[0].x).abs() < 1e-12 && (moves[0].x - 0.01 - moves[1].x).abs() < 1e-12
        );
    }

    #[test]
    fn a_treadmill_is_found_and_what_skims_the_ground_is_raised() {
        let gait = [-0.2, -0.2, -0.21, 0.6, 0.6].map(|d| step(d, true));
        let ground = treadmill(&[gait.to_vec(), gait.to_vec()], 1.0);
        assert!((ground.x + 2.0).abs() < 0.2, "{ground}");
        let found = moves(&gait, ground, 1.0, 0.01, true);
        assert!(found[4].y > 0.01 && found[1].y == 0.0, "{found:?}");
        assert_eq!(treadmill(&[vec![step(0.01, true)], Vec::new()], 1.0), DVec3::ZERO);
    }
}
