//! Which way is up, and where the character faces.
//!
//! A file says neither reliably. The network tells front and up for any turn of the cloud, so it is asked for all 24
//! turns that map axes to axes; the answers, turned back, are votes for the same two directions. The turn that agrees
//! best with all of them wins, and the margin to the next tells how sure that is.

use glam::{DMat3, DVec3};
use rayon::prelude::*;

use crate::skeleton::predictor::{Cloud, front_and_up, predict};

/// How a file's frame lies in canonical space.
#[derive(Debug, Clone, Copy)]
pub struct Orientation {
    /// File to canonical: rows are the character's left, up and forward in the file's frame.
    pub rotation: DMat3,
    /// 0 to 1.
    pub confidence: f32,
}

/// The 24 rotations of a cube: rows are left, up, forward.
pub fn cube_rotations() -> Vec<DMat3> {
    let axes = [DVec3::X, DVec3::NEG_X, DVec3::Y, DVec3::NEG_Y, DVec3::Z, DVec3::NEG_Z];
    let mut turns = Vec::with_capacity(24);
    for up in [2, 4, 0, 5, 3, 1].map(|i: usize| axes[i]) {
        for forward in [4, 5, 0, 1, 2, 3].map(|i: usize| axes[i]) {
            if up.dot(forward) == 0.0 {
                turns.push(DMat3::from_cols(up.cross(forward), up, forward).transpose());
            }
        }
    }
    turns
}

/// A vote that wins by this much needs no second look.
const CLEAR_MARGIN: f64 = 0.6;
/// Candidates that get a second look.
const CANDIDATES: usize = 6;
/// One percent of the height that the predicted joints scatter counts as much as this share of the vote.
const SPREAD_WEIGHT: f64 = 0.3;

/// Votes over the 24 turns of the first cloud. Where the vote is close, the joints are predicted in each of the best
/// turns: in a wrong one the passes contradict each other, so the steadiest wins.
pub fn orient(clouds: &[Cloud]) -> Orientation {
    let turns = cube_rotations();
    let Some(first) = clouds.first() else {
        return Orientation { rotation: DMat3::IDENTITY, confidence: 0.0 };
    };
    let votes: Vec<(DVec3, DVec3)> = turns.par_iter().map(|&turn| front_and_up(first, turn)).collect();
    let front: DVec3 = votes.iter().map(|v| v.0).sum::<DVec3>() / votes.len() as f64;
    let up: DVec3 = votes.iter().map(|v| v.1).sum::<DVec3>() / votes.len() as f64;
    let score = |turn: &DMat3| turn.row(2).dot(front) + turn.row(1).dot(up);
    let mut ranked: Vec<(f64, DMat3)> = turns.iter().map(|turn| (score(turn), *turn)).collect();
    // A stable sort: of equals the earlier turn wins, and the file's own frame comes first.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    if ranked[0].0 - ranked[1].0 < CLEAR_MARGIN {
        ranked.truncate(CANDIDATES);
        for (score, turn) in &mut ranked {
            let turned: Vec<Cloud> = clouds.iter().map(|c| c.turned(*turn)).collect();
            *score -= SPREAD_WEIGHT * predict(&turned).relative_spread() * 100.0;
        }
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    }
    let margin = ranked[0].0 - ranked[1].0;
    Orientation { rotation: ranked[0].1, confidence: margin.clamp(0.0, 1.0) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cube_has_24_different_rotations_and_the_first_changes_nothing() {
        let turns = cube_rotations();
        assert_eq!(turns.len(), 24);
        assert_eq!(turns[0], DMat3::IDENTITY);
        for (i, a) in turns.iter().enumerate() {
            assert_eq!(a.determinant(), 1.0);
            assert!(turns[..i].iter().all(|b| a != b));
        }
    }
}
