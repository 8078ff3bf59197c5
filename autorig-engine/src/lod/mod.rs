//! Levels of detail: fewer triangles over the same vertices, so that skin, UVs, colours and morph targets carry over as
//! they are.
//!
//! | module | what |
//! | --- | --- |
//! | `pool` | all primitives as one mesh, welded by position |
//! | `reduce` | edge collapses by meshoptimizer, seams kept where that suffices |
//! | `deviation` | how far the result is from the original, measured |
//!
//! Edge collapses with quadrics over positions and attributes (Garland and Heckbert 1998, "Simplifying Surfaces with Color
//! and Texture using Quadric Error Metrics"; Hoppe 1999, "New Quadric Metric for Simplifying Meshes with Appearance
//! Attributes"), as meshoptimizer does them. All primitives are reduced together, so that triangles are spent where the
//! error is, whatever mesh that is in. Skin weights are attributes like normals: where they change, edge loops stay.

use serde::{Deserialize, Serialize};

use crate::{Character, Code, Error, Result, scene::Scene};

mod deviation;
mod pool;
mod reduce;

pub use deviation::{Deviation, compare};
use pool::Pool;

/// The named levels and their triangle budgets.
pub const LEVELS: [(&str, usize); 3] = [("lod_100k", 100_000), ("lod_50k", 50_000), ("lod_10k", 10_000)];
/// Fewest triangles that can be asked for.
pub const FEWEST: usize = 20;

/// How a level was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Seams of UVs, normals and materials stayed where they were.
    SeamsKept,
    /// Seams of normals and colours were given up; those of UVs and materials stayed.
    NormalsMerged,
    /// Small loose parts were left out beside.
    PartsDropped,
    /// The surface was rebuilt coarsely from clusters of vertices: shape and weights are kept roughly, seams are not.
    Sloppy,
}

/// What a level is and what it costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LodReport {
    /// The budget.
    pub target_triangles: usize,
    /// Triangles of the original.
    pub triangles_before: usize,
    /// Triangles of the level.
    pub triangles: usize,
    /// Vertices of the level.
    pub vertices: usize,
    /// How it was reached.
    pub method: Method,
    /// How far it is from the original.
    pub deviation: Deviation,
}

/// The character with at most `target_triangles` triangles, and how far it is from the original.
///
/// Every vertex of the result is one of the original with all its attributes, so weights sum to 1 as before and morph targets
/// fit. A primitive keeps at least one triangle. Clips, bones and materials stay. A character that has no more than
/// the budget comes back as it is.
///
/// # Errors
/// `invalid_option` for a budget below [`FEWEST`] or below one triangle a primitive, `no_geometry` without triangles, and
/// those of welding (`degenerate_geometry`, `scale_out_of_range`, `precision_lost`).
pub fn simplify(character: &Character, target_triangles: usize) -> Result<(Character, LodReport)> {
    let primitives = character.scene.meshes.iter().flat_map(|m| &m.primitives);
    let parts = primitives.filter(|p| !p.indices.is_empty()).count();
    if target_triangles < FEWEST.max(parts) {
        let message = format!("a level of {target_triangles} triangles is too few for {parts} parts");
        return Err(Error::new(Code::InvalidOption, message)
            .with_remedy(format!("ask for at least {} triangles", FEWEST.max(parts))));
    }
    let pool = Pool::new(character)?;
    let before = character.scene.triangle_count();
    let (level, method) = if before <= target_triangles {
        (character.clone(), Method::SeamsKept)
    } else if pool.triangles() <= target_triangles {
        (pool.rebuild(character, &pool.indices), Method::SeamsKept)
    } else {
        let (indices, method) = reduce::reduce(&pool, target_triangles);
        (pool.rebuild(character, &indices), method)
    };
    // Measured on what is delivered, not on what was planned.
    let deviation = deviation::between(character, &pool, &level, &Pool::new(&level)?)?;
    let report = LodReport {
        target_triangles,
        triangles_before: before,
        triangles: level.scene.triangle_count(),
        vertices: level.scene.vertex_count(),
        method,
        deviation,
    };
    Ok((level, report))
}

/// Those of the named levels that are below the character's own count.
pub fn levels_below(scene: &Scene) -> Vec<(&'static str, usize)> {
    let count = scene.triangle_count();
    LEVELS.into_iter().filter(|(_, budget)| *budget < count).collect()
}

#[cfg(test)]
mod tests;
