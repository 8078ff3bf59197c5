//! Fewer triangles: meshoptimizer's edge collapses, in the order of what they cost the looks.

use meshopt::{
    SimplifyOptions, SimplifyVertex, simplify_sloppy_decoder, simplify_with_attributes_and_locks_decoder,
};

use super::{
    Method,
    pool::{ATTRIBUTES, IMPORTANCE, Pool},
};

/// Error at which a collapse would be refused, relative to the extent: none is, as the budget is what was asked for and the
/// error is reported.
const ANY_ERROR: f32 = 1.0;
/// Parts that are larger than this against the whole are never dropped.
const LOOSE_PART: f32 = 0.03;

/// At most `target` triangles of the pool, and how that was reached. A primitive keeps at least one triangle.
pub(super) fn reduce(pool: &Pool, target: usize) -> (Vec<u32>, Method) {
    let no_locks = vec![SimplifyVertex::None; pool.positions.len()];
    // Room for the triangles that primitives may have to be given back.
    let budget = target.saturating_sub(pool.starts.len() - 1).max(target / 2);
    let kept = collapse(pool, &pool.indices, &no_locks, budget, SimplifyOptions::None, ANY_ERROR);
    if let Some(kept) = within(pool, kept.clone(), target) {
        return (kept, Method::SeamsKept);
    }
    // Flat-shaded and badly split meshes have a seam at every edge: those of normals alone may go.
    let locks: Vec<SimplifyVertex> =
        pool.seams.iter().map(|s| if *s { SimplifyVertex::Protect } else { SimplifyVertex::None }).collect();
    let merged = collapse(pool, &kept, &locks, budget, SimplifyOptions::Permissive, ANY_ERROR);
    if let Some(merged) = within(pool, merged.clone(), target) {
        return (merged, Method::NormalsMerged);
    }
    // Only now small loose parts may vanish as a whole: eyes and teeth are such parts.
    let options = SimplifyOptions::Permissive | SimplifyOptions::Prune;
    let pruned = collapse(pool, &merged, &locks, budget, options, LOOSE_PART);
    if let Some(pruned) = within(pool, pruned, target) {
        return (pruned, Method::PartsDropped);
    }
    (sloppy(pool, &merged, budget, target), Method::Sloppy)
}

fn collapse(
    pool: &Pool,
    indices: &[u32],
    locks: &[SimplifyVertex],
    target: usize,
    options: SimplifyOptions,
    error: f32,
) -> Vec<u32> {
    let stride = ATTRIBUTES * std::mem::size_of::<f32>();
    simplify_with_attributes_and_locks_decoder(
        indices,
        &pool.positions,
        &pool.attributes,
        &IMPORTANCE,
        stride,
        locks,
        target * 3,
        error,
        options,
        None,
    )
}

/// Clusters of vertices, primitive by primitive with budgets in proportion to what they have.
fn sloppy(pool: &Pool, indices: &[u32], budget: usize, target: usize) -> Vec<u32> {
    let mut share = budget as f64 / (indices.len() as f64 / 3.0);
    loop {
        let mut all = Vec::new();
        for own in by_primitive(pool, indices) {
            let wanted = ((own.len() as f64 / 3.0 * share) as usize).max(1);
            if own.len() / 3 <= wanted {
                all.extend(own);
            } else {
                all.extend(simplify_sloppy_decoder(&own, &pool.positions, wanted * 3, ANY_ERROR, None));
            }
        }
        if let Some(all) = within(pool, all, target) {
            return all;
        }
        // Clusters come in steps of a grid, and primitives are given a triangle back: ask for less until it fits.
        share *= 0.8;
    }
}

/// The indices with a triangle for each primitive that has lost all of its own, when that is within the budget.
fn within(pool: &Pool, mut indices: Vec<u32>, target: usize) -> Option<Vec<u32>> {
    let left = by_primitive(pool, &indices);
    for (original, left) in by_primitive(pool, &pool.indices).iter().zip(&left) {
        if left.is_empty() {
            indices.extend(largest(pool, original));
        }
    }
    (indices.len() / 3 <= target).then_some(indices)
}

fn by_primitive(pool: &Pool, indices: &[u32]) -> Vec<Vec<u32>> {
    let mut all = vec![Vec::new(); pool.starts.len() - 1];
    for t in indices.chunks_exact(3) {
        all[pool.primitive_of(t[0])].extend(t);
    }
    all
}

/// The triangle of the largest area, of equals the first.
fn largest(pool: &Pool, indices: &[u32]) -> Vec<u32> {
    let area = |t: &[u32]| {
        let [a, b, c] = [t[0], t[1], t[2]].map(|v| glam::Vec3::from(pool.positions[v as usize]).as_dvec3());
        (b - a).cross(c - a).length_squared()
    };
    let mut best: (f64, &[u32]) = (-1.0, &[]);
    for t in indices.chunks_exact(3) {
        if area(t) > best.0 {
            best = (area(t), t);
        }
    }
    best.1.to_vec()
}
