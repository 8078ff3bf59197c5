//! Bend tests: the character is put into standard poses and the skin is measured.

use glam::DVec3;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    place::Surroundings,
    probe::{Bones, Probe},
};
use crate::{
    analyse::{Body, nearest::Nearest},
    pose::{
        bends::{Bend, bends},
        blend,
    },
    skeleton::Skeleton,
};

/// An edge that grows by this share of the height, and to [`TORN_RATIO`] times its length, is torn.
const TORN: f64 = 0.02;
/// See [`TORN`].
const TORN_RATIO: f64 = 2.5;
/// A place that moves by this share of the height moves visibly.
const MOVED: f64 = 0.01;
/// A place belongs elsewhere when another bone is nearer than this share of the distance to the limb.
const ELSEWHERE: f64 = 0.5;
/// The volume around a joint is taken within so many radii of the limb.
const AROUND: f64 = 1.5;
/// Triangles around a joint that it takes to speak of a volume.
const CONES: usize = 24;
/// A point is inside another part when it is deeper than this share of the height.
const DEEP: f64 = 0.01;
/// Places near the bend fold into each other on every body; they count from so many radii away.
const FOLD: f64 = 3.0;
/// Points of the surface that are tried for self-intersection, at most.
const TRIED: usize = 3_000;
/// Vertices named for each kind of problem.
const NAMED: usize = 12;

/// One pose and what it did to the skin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BendReport {
    /// The pose: `arms_raised`, `elbows`, …, or `chain_` and the last joint of a chain.
    pub pose: String,
    /// The joints that were turned.
    pub joints: Vec<String>,
    /// Surface whose edges tear (grow by 2 % of the height and to 2.5 times their length), in per cent of the whole.
    pub stretch_pct: f32,
    /// The largest growth of an edge, in per cent of the height.
    pub longest_pct: f32,
    /// Surface whose area grows to more than 2.5 times, in per cent of the whole.
    pub area_pct: f32,
    /// Volume around the bent joint that is lost, in per cent; the worst of the turned joints.
    pub collapse_pct: f32,
    /// Surface that clearly belongs elsewhere and moves by 1 % of the height or more, in per cent of the whole.
    pub bleed_pct: f32,
    /// Surface that ends up inside a part of the body that does not move, in per cent of the whole.
    pub intersection_pct: f32,
}

/// A vertex that a viewer should mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    /// `stretch`, `bleed` or `self_intersection`.
    pub(super) code: &'static str,
    /// Index among the probe's points.
    pub(super) point: usize,
    /// How bad: the larger, the worse, within one code.
    pub(super) amount: f64,
}

/// One pose measured, with what the report does not hold.
pub(super) struct Bent {
    pub(super) report: BendReport,
    /// The turned joint nearest to the edge that grows most.
    pub(super) stretched_at: usize,
    /// The turned joint with the largest loss of volume.
    pub(super) collapsed_at: usize,
    /// The first of the turned joints, which stands for the pose.
    pub(super) bent_first: Option<usize>,
    pub(super) spots: Vec<Spot>,
}

/// Tries every standard pose.
pub(super) fn measure(body: &Body, skeleton: &Skeleton, probe: &Probe, around: &[Surroundings]) -> Vec<Bent> {
    let bones = Bones::new(&probe.chain, body.height);
    let poses = bends(skeleton, &probe.chain);
    let trial = Trial { body, skeleton, probe, around, bones: &bones };
    poses.par_iter().map(|bend| trial.run(bend)).collect()
}

/// Tries one pose.
pub(super) fn measure_one(
    body: &Body,
    skeleton: &Skeleton,
    probe: &Probe,
    around: &[Surroundings],
    bend: &Bend,
) -> BendReport {
    let bones = Bones::new(&probe.chain, body.height);
    Trial { body, skeleton, probe, around, bones: &bones }.run(bend).report
}

struct Trial<'a> {
    body: &'a Body,
    skeleton: &'a Skeleton,
    probe: &'a Probe,
    around: &'a [Surroundings],
    bones: &'a Bones,
}

impl Trial<'_> {
    fn run(&self, bend: &Bend) -> Bent {
        let transforms = self.probe.chain.transforms(&bend.rotations(self.skeleton.joints.len()));
        let posed = blend(&self.probe.points, &self.probe.binding, &transforms);
        let joints: Vec<usize> = bend.turns.iter().map(|(j, _)| *j).collect();
        let mut spots = Vec::new();
        let stretch = self.stretch(&posed, &joints, &mut spots);
        let (lost, collapsed_at) = self.collapse(&posed, &transforms, &joints);
        let moving = self.moving(&joints);
        let bleed = self.bleed(&posed, &joints, &moving, &mut spots);
        let intersection = self.intersection(&posed, &joints, &moving, &mut spots);
        // Finite whatever the mesh: JSON has no infinity.
        let percent = |share: f64| (100.0 * share).min(1e6) as f32;
        Bent {
            report: BendReport {
                pose: bend.name.clone(),
                joints: joints.iter().map(|j| self.skeleton.joints[*j].name.clone()).collect(),
                stretch_pct: percent(stretch.torn),
                longest_pct: percent(stretch.longest),
                area_pct: percent(stretch.grown),
                collapse_pct: percent(lost),
                bleed_pct: percent(bleed),
                intersection_pct: percent(intersection),
            },
            stretched_at: stretch.at,
            collapsed_at,
            bent_first: joints.first().copied(),
            spots,
        }
    }

    /// The turned joint nearest to a place.
    fn nearest_turned(&self, joints: &[usize], p: DVec3) -> usize {
        let distance = |j: &usize| self.probe.chain.positions[*j].distance_squared(p);
        joints.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
    }

    fn stretch(&self, posed: &[DVec3], joints: &[usize], spots: &mut Vec<Spot>) -> Stretch {
        let height = super::size(self.body);
        let mut found = Stretch { at: joints.first().copied().unwrap_or(0), ..Stretch::default() };
        for (t, corners) in self.probe.triangles.iter().enumerate() {
            let corners = corners.map(|i| i as usize);
            let (rest, now) = (corners.map(|i| self.probe.points[i]), corners.map(|i| posed[i]));
            let area = |[a, b, c]: [DVec3; 3]| (b - a).cross(c - a).length();
            if area(now) > TORN_RATIO * area(rest) {
                found.grown += self.probe.area[t];
            }
            let mut torn = 0.0_f64;
            for e in 0..3 {
                let before = rest[e].distance(rest[(e + 1) % 3]);
                let growth = (now[e].distance(now[(e + 1) % 3]) - before) / height;
                if growth > found.longest {
                    found.longest = growth;
                    found.at = self.nearest_turned(joints, self.probe.middle(t));
                }
                if growth > TORN && growth * height > (TORN_RATIO - 1.0) * before {
                    torn = torn.max(growth);
                }
            }
            if torn > 0.0 {
                found.torn += self.probe.area[t];
                spots.push(Spot { code: "stretch", point: corners[0], amount: torn });
            }
        }
        keep_worst(spots, "stretch");
        found
    }

    /// The volume between a joint and the surface around it, before and after: the sum of the cones from the joint to the
    /// triangles near it. What faces backwards counts against, so it means the same on open and nested shells.
    fn collapse(&self, posed: &[DVec3], transforms: &[glam::DAffine3], joints: &[usize]) -> (f64, usize) {
        let mut worst = (0.0, joints.first().copied().unwrap_or(0));
        for &joint in joints {
            let radius = self.around[joint].radius;
            if radius <= 0.0 {
                continue;
            }
            let at = self.probe.chain.positions[joint];
            let there = transforms[joint].transform_point3(at);
            let (mut before, mut after, mut cones) = (0.0, 0.0, 0);
            for (t, corners) in self.probe.triangles.iter().enumerate() {
                if self.probe.middle(t).distance_squared(at) > (AROUND * radius) * (AROUND * radius) {
                    continue;
                }
                let cone = |points: &[DVec3], from: DVec3| {
                    let [a, b, c] = corners.map(|i| points[i as usize] - from);
                    a.dot(b.cross(c)) / 6.0
                };
                cones += 1;
                before += cone(&self.probe.points, at);
                after += cone(posed, there);
            }
            // Of a soup or of a few large triangles the volume says nothing.
            let ball = 4.0 / 3.0 * std::f64::consts::PI * radius * radius * radius;
            let lost = if cones >= CONES && before.abs() > 0.1 * ball { 1.0 - after / before } else { 0.0 };
            if lost > worst.0 {
                worst = (lost.min(1.0), joint);
            }
        }
        worst
    }

    /// Which joints the pose moves.
    fn moving(&self, joints: &[usize]) -> Vec<bool> {
        let mut moving = vec![false; self.skeleton.joints.len()];
        for &joint in joints {
            self.probe.chain.below(joint).iter().zip(&mut moving).for_each(|(below, all)| *all |= below);
        }
        moving
    }

    fn bleed(&self, posed: &[DVec3], joints: &[usize], moving: &[bool], spots: &mut Vec<Spot>) -> f64 {
        let height = super::size(self.body);
        let beside: Vec<bool> = (0..moving.len())
            .map(|j| moving[j] || joints.iter().any(|t| self.probe.chain.parents[*t] == Some(j)))
            .collect();
        let mut wrong = vec![false; posed.len()];
        for (v, (&rest, &now)) in self.probe.points.iter().zip(posed).enumerate() {
            let shift = rest.distance(now);
            if shift < MOVED * height || beside[usize::from(self.probe.region[v])] {
                continue;
            }
            let (own, limb) =
                (self.bones.distance(rest, |j| !beside[j]), self.bones.distance(rest, |j| beside[j]));
            if own < ELSEWHERE * limb {
                wrong[v] = true;
                spots.push(Spot { code: "bleed", point: v, amount: shift / height });
            }
        }
        keep_worst(spots, "bleed");
        self.share(&wrong)
    }

    /// Surface of the moving part that ends up deep under the surface of what stays.
    fn intersection(&self, posed: &[DVec3], joints: &[usize], moving: &[bool], spots: &mut Vec<Spot>) -> f64 {
        let height = super::size(self.body);
        let step = (posed.len() / TRIED).max(1);
        let stays = |v: &usize| posed[*v].distance(self.probe.points[*v]) < MOVED * height;
        let rests: Vec<usize> = (0..posed.len()).step_by(step).filter(stays).collect();
        if rests.is_empty() {
            return 0.0;
        }
        let grid = Nearest::new(rests.iter().map(|v| self.probe.points[*v]).collect());
        let mut inside = vec![false; posed.len()];
        for v in (0..posed.len()).step_by(step) {
            let (rest, now) = (self.probe.points[v], posed[v]);
            let joint = self.nearest_turned(joints, rest);
            let fold = FOLD * self.around[joint].radius.max(DEEP * height);
            if !moving[self.probe.binding.strongest(v)]
                || rest.distance(self.probe.chain.positions[joint]) < fold
                || !self.body.solid.contains(now)
            {
                continue;
            }
            let Some((near, distance)) = grid.nearest(now) else { continue };
            let near = rests[near];
            let depth = (self.probe.points[near] - now).dot(self.probe.normals[near]);
            // Deep under a surface that faces away, and not in the place the limb itself has left.
            if depth > DEEP * height && depth > 0.5 * distance && !self.was_here(now, moving) {
                inside[v] = true;
                spots.push(Spot { code: "self_intersection", point: v, amount: depth / height });
            }
        }
        keep_worst(spots, "self_intersection");
        (self.share(&inside) * step as f64).min(1.0)
    }

    /// The place belonged to the moving limb before it moved.
    fn was_here(&self, p: DVec3, moving: &[bool]) -> bool {
        self.bones.distance(p, |j| moving[j]) < self.bones.distance(p, |j| !moving[j])
    }

    /// Share of the surface around the chosen vertices: a third of each triangle a corner.
    fn share(&self, chosen: &[bool]) -> f64 {
        let corners = |t: &[u32; 3]| t.iter().filter(|i| chosen[**i as usize]).count() as f64 / 3.0;
        self.probe.triangles.iter().zip(&self.probe.area).map(|(t, area)| corners(t) * area).sum()
    }
}

/// Shares of the surface that tear and grow, the largest growth of an edge as a share of the height, and where.
#[derive(Default)]
struct Stretch {
    torn: f64,
    grown: f64,
    longest: f64,
    at: usize,
}

/// Keeps the worst few of one kind.
fn keep_worst(spots: &mut Vec<Spot>, code: &str) {
    let (mut of_code, rest): (Vec<Spot>, Vec<Spot>) = spots.drain(..).partition(|s| s.code == code);
    of_code.sort_by(|a, b| b.amount.total_cmp(&a.amount).then(a.point.cmp(&b.point)));
    of_code.dedup_by_key(|s| s.point);
    of_code.truncate(NAMED);
    spots.extend(rest);
    spots.extend(of_code);
}
