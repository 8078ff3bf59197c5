//! Weights by heat diffusion from the bones (Baran & Popović 2007, "Automatic Rigging and Animation of 3D Characters", §4).
//!
//! Each vertex is heated by the nearest bone it can see, the heat spreads over the surface and comes to rest:
//! `(L + M·h) w = M·h·p` with the cotangent Laplacian `L`, vertex areas `M`, `h = c/d²`, and `p` = 1 where the bone is the
//! source. Each bone is one symmetric positive definite system, solved by conjugate gradients; the solutions of all bones
//! sum to 1 by construction.

use rayon::prelude::*;

use super::{laplacian::Laplacian, proxy::Proxy, sight::Sources};
use crate::analyse::nearest::Nearest;

/// Heat constant `c`; Baran & Popović use 1, a larger one keeps weights closer to their bone.
const HEAT: f64 = 3.0;

/// Weights, vertices × bones with rows summing to 1, and how many vertices had to copy a neighbour.
pub fn diffuse(proxy: &Proxy, laplacian: &Laplacian, bones: usize, sources: &Sources) -> (Vec<f64>, usize) {
    let heat: Vec<f64> = sources
        .source
        .iter()
        .zip(&laplacian.area)
        .map(|(s, area)| s.map_or(0.0, |(_, d)| area * HEAT / (d * d).max(1e-10)))
        .collect();
    let system = laplacian.plus_diagonal(&heat);
    let columns: Vec<Vec<f64>> = (0..bones)
        .into_par_iter()
        .map(|bone| {
            let right: Vec<f64> = sources
                .source
                .iter()
                .zip(&heat)
                .map(|(s, heat)| if s.is_some_and(|(b, _)| b == bone) { *heat } else { 0.0 })
                .collect();
            system.solve(&right)
        })
        .collect();
    let n = proxy.vertices.len();
    let mut weights = vec![0.0; n * bones];
    for (b, column) in columns.iter().enumerate() {
        for (row, w) in weights.chunks_exact_mut(bones).zip(column) {
            row[b] = w.max(0.0);
        }
    }
    let filled = fill_unheated(proxy, sources, &mut weights, bones);
    super::normalise_rows(&mut weights, bones);
    (weights, filled)
}

/// Parts that no bone heats copy, vertex by vertex, the nearest vertex of a part that is heated.
fn fill_unheated(proxy: &Proxy, sources: &Sources, weights: &mut [f64], bones: usize) -> usize {
    let mut heated = vec![false; proxy.parts];
    for (part, source) in proxy.part.iter().zip(&sources.source) {
        heated[*part as usize] |= source.is_some();
    }
    let known: Vec<usize> = (0..proxy.vertices.len()).filter(|&v| heated[proxy.part[v] as usize]).collect();
    if known.len() == proxy.vertices.len() {
        return 0;
    }
    let grid = Nearest::new(known.iter().map(|&v| proxy.vertices[v]).collect());
    let mut filled = 0;
    for v in (0..proxy.vertices.len()).filter(|&v| !heated[proxy.part[v] as usize]) {
        filled += 1;
        match grid.nearest(proxy.vertices[v]) {
            Some((i, _)) => weights.copy_within(known[i] * bones..(known[i] + 1) * bones, v * bones),
            // Not one bone sees anything: each vertex follows its nearest bone.
            None => weights[v * bones + sources.hard[v]] = 1.0,
        }
    }
    filled
}
