//! Where the joints lie in the body: inside or how far outside, and how thick the limb is there.

use glam::DVec3;

use crate::{
    analyse::{Body, nearest::Nearest},
    pose::Chain,
};

/// Directions that are felt around a joint.
const FEELERS: usize = 12;
/// How far they reach, as a share of the height.
const REACH: f64 = 0.2;
/// Points of the surface a joint outside is measured from, at most.
const SAMPLES: usize = 4_000;

/// What surrounds a joint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Surroundings {
    /// Distance from the surface of a joint that lies outside the solid, in metres; 0 inside.
    pub(super) outside: f64,
    /// Radius of the limb across its bone, in metres; 0 outside.
    pub(super) radius: f64,
}

/// Feels around every joint, across the bone that leads to its first child or from its parent. `surface` are points of
/// the mesh.
pub(super) fn surroundings(body: &Body, chain: &Chain, surface: &[DVec3]) -> Vec<Surroundings> {
    let step = (surface.len() / SAMPLES).max(1);
    let grid = Nearest::new(surface.iter().step_by(step).copied().collect());
    let child = |joint: usize| chain.parents.iter().position(|p| *p == Some(joint));
    (0..chain.positions.len())
        .map(|joint| {
            let at = chain.positions[joint];
            if !body.solid.contains(at) {
                let outside = grid.nearest(at).map_or(0.0, |(_, d)| d);
                return Surroundings { outside, radius: 0.0 };
            }
            let parent = chain.parents[joint].map(|p| chain.positions[p]);
            let next = child(joint).map(|c| chain.positions[c]);
            let along = next.unwrap_or(at) - parent.unwrap_or(at);
            Surroundings { outside: 0.0, radius: radius(body, at, along.normalize_or(DVec3::Y)) }
        })
        .collect()
}

/// The median way to the outside across a bone.
fn radius(body: &Body, at: DVec3, along: DVec3) -> f64 {
    let (u, v) = along.any_orthonormal_pair();
    let mut reaches: Vec<f64> = (0..FEELERS)
        .map(|i| {
            let angle = i as f64 / FEELERS as f64 * std::f64::consts::TAU;
            let direction = u * libm::cos(angle) + v * libm::sin(angle);
            body.solid.reach(at, direction, REACH * body.height)
        })
        .collect();
    reaches.sort_by(f64::total_cmp);
    reaches[FEELERS / 2]
}
