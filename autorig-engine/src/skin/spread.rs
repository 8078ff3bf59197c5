//! From the proxy's vertices to the scene's, the strongest few joints each.

use glam::DVec3;
use rayon::prelude::*;

use super::proxy::Proxy;
use crate::{
    analyse::{Body, nearest::Nearest, weld::UNUSED},
    scene::{Influences, Scene},
};

/// Weights under this are dropped.
const NEGLIGIBLE: f64 = 0.02;

/// From the proxy's vertices back to the welded ones; rows of `bones` weights.
pub fn to_welded(body: &Body, proxy: &Proxy, weights: Vec<f64>, bones: usize) -> Vec<f64> {
    if proxy.is_identity() {
        return weights;
    }
    let mut all = vec![0.0; body.vertices.len() * bones];
    all.par_chunks_mut(bones).enumerate().for_each(|(v, row)| {
        for (p, share) in proxy.neighbourhood(v, body.vertices[v]) {
            for (w, from) in row.iter_mut().zip(&weights[p * bones..(p + 1) * bones]) {
                *w += share * from;
            }
        }
    });
    all
}

/// From welded vertices to the scene's, the strongest few each. `joints` are those of the columns of `weights`, at least one.
pub fn influences(
    scene: &Scene,
    body: &Body,
    joints: &[u16],
    weights: &[f64],
    max_influences: usize,
) -> Vec<Vec<Influences>> {
    let per_vertex = max_influences.clamp(1, 8);
    let strongest: Vec<([u16; 8], [f32; 8])> =
        weights.par_chunks(joints.len()).map(|row| strongest(row, joints, per_vertex)).collect();
    let mut start = 0;
    let mut unused: Option<Nearest> = None;
    let mut all = Vec::with_capacity(scene.meshes.len());
    for mesh in &scene.meshes {
        let mut of_mesh = Vec::with_capacity(mesh.primitives.len());
        for primitive in &mesh.primitives {
            let n = primitive.positions.len();
            let mut of_primitive = Vec::with_capacity(n * per_vertex);
            let mut values = Vec::with_capacity(n * per_vertex);
            for (v, p) in body.welded.of_file_vertex[start..start + n].iter().zip(&primitive.positions) {
                // A vertex no triangle uses is never seen; it follows its nearest neighbour all the same.
                let v = if *v == UNUSED {
                    let grid = unused.get_or_insert_with(|| Nearest::new(body.welded.vertices.clone()));
                    let p = DVec3::new(p[0].into(), p[1].into(), p[2].into());
                    grid.nearest(p).map_or(0, |(i, _)| i)
                } else {
                    *v as usize
                };
                let (j, w) = &strongest[v];
                of_primitive.extend_from_slice(&j[..per_vertex]);
                values.extend_from_slice(&w[..per_vertex]);
            }
            of_mesh.push(Influences { per_vertex, joints: of_primitive, weights: values });
            start += n;
        }
        all.push(of_mesh);
    }
    all
}

/// The strongest joints of one vertex, heaviest first, weights summing to 1.
fn strongest(row: &[f64], columns: &[u16], count: usize) -> ([u16; 8], [f32; 8]) {
    let mut order: Vec<(f64, usize)> =
        row.iter().copied().zip(0..).filter(|(w, _)| *w >= NEGLIGIBLE).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    order.truncate(count);
    let (mut joints, mut weights) = ([0_u16; 8], [0.0_f32; 8]);
    let sum: f64 = order.iter().map(|(w, _)| w).sum();
    for ((slot, value), (w, bone)) in joints.iter_mut().zip(&mut weights).zip(&order) {
        (*slot, *value) = (columns[*bone], (w / sum) as f32);
    }
    if order.is_empty() {
        (joints[0], weights[0]) = (columns[0], 1.0);
    }
    (joints, weights)
}
