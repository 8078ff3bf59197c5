//! Skin weights: how much each joint moves each vertex.
//!
//! | module | what |
//! | --- | --- |
//! | [`mod@bones`] | segments that stand for the joints |
//! | [`proxy`] | a bounded stand-in for large meshes |
//! | [`heat`] | weights by heat diffusion from the bones |
//! | [`rigid`] | parts that follow one joint: helmets, plates, robots |
//!
//! The recipe is heat diffusion (Baran & Popović 2007, §4) on the welded mesh with visibility taken from the voxel
//! solid, multiplied by the network's opinion of which joint moves a point, and made crisp on rigid parts.

use glam::DVec3;
use rayon::prelude::*;

use crate::{
    Error, Progress, Result, Stage,
    analyse::{Body, nearest::Nearest, surface::SurfacePoint},
    scene::{Influences, Scene},
    skeleton::{
        Skeleton,
        predictor::{JOINTS, NAMES, joint_probabilities},
    },
};

pub mod bones;
pub mod heat;
pub mod proxy;
pub mod rigid;

use bones::{Bone, bones};
use heat::Sources;
use proxy::Proxy;

/// Weights under this are dropped.
const NEGLIGIBLE: f64 = 0.01;
/// The network's probabilities are raised to this power before they multiply the weights, so that they advise
/// and do not decide; the offset keeps a joint the network rules out possible.
const PRIOR_EXPONENT: f64 = 0.25;
/// See [`PRIOR_EXPONENT`].
const PRIOR_OFFSET: f64 = 0.03;
/// Samplings of the surface the network's opinion is taken from.
const PRIOR_SAMPLINGS: usize = 1;

/// The skin of a body.
pub struct Skin {
    /// For each mesh and primitive of the scene, in order.
    pub influences: Vec<Vec<Influences>>,
    /// Parts that follow one joint.
    pub rigid_parts: usize,
    /// Vertices no bone reached, which copied their nearest neighbour.
    pub filled_vertices: usize,
}

/// Weights for every vertex of the scene the body was found in.
///
/// `skeleton` is in the file's frame. At most `max_influences` joints a vertex.
///
/// # Errors
/// `cancelled`.
pub fn skin(
    scene: &Scene,
    body: &Body,
    skeleton: &Skeleton,
    max_influences: usize,
    progress: &mut dyn Progress,
) -> Result<Skin> {
    let bones = bones(body, skeleton);
    let proxy = Proxy::new(&body.vertices, &body.normals, &body.welded.triangles);
    let check = |progress: &dyn Progress| if progress.cancelled() { Err(Error::cancelled()) } else { Ok(()) };
    let at = |progress: &mut dyn Progress, done: f32| {
        progress.report(Stage::Skin, Stage::Skin.overall(done));
        check(progress)
    };

    let sources = Sources::find(&proxy, &bones, &body.solid);
    at(progress, 0.2)?;
    let (mut weights, filled) = heat::diffuse(&proxy, &bones, &sources);
    at(progress, 0.6)?;
    let prior = prior(body, &proxy, skeleton, &bones);
    for (w, p) in weights.iter_mut().zip(&prior) {
        *w *= libm::pow(p + PRIOR_OFFSET, PRIOR_EXPONENT);
    }
    normalise_rows(&mut weights, bones.len());
    at(progress, 0.8)?;
    let rigid_parts = rigid::make_crisp(&proxy, body, skeleton, &bones, &sources, &prior, &mut weights);
    let weights = spread(body, &proxy, weights, bones.len());
    at(progress, 0.95)?;
    Ok(Skin {
        influences: influences(scene, body, &bones, &weights, max_influences),
        rigid_parts,
        filled_vertices: filled,
    })
}

/// The network's probability for each proxy vertex and bone; even where a bone is not one the network knows.
fn prior(body: &Body, proxy: &Proxy, skeleton: &Skeleton, bones: &[Bone]) -> Vec<f64> {
    let at = |name: &str| {
        let joint = skeleton.joints.iter().find(|j| j.name == name);
        joint.map_or(DVec3::ZERO, |j| body.frame.to_canonical(j.position))
    };
    let joints: [DVec3; JOINTS] = std::array::from_fn(|j| at(NAMES[j]));
    let queries: Vec<SurfacePoint> = proxy
        .vertices
        .iter()
        .zip(&proxy.normals)
        .map(|(&position, &normal)| SurfacePoint { position, normal })
        .collect();
    let clouds = &body.clouds[..PRIOR_SAMPLINGS.min(body.clouds.len())];
    let probabilities = joint_probabilities(clouds, &joints, &queries);
    let column: Vec<Option<usize>> =
        bones.iter().map(|b| NAMES.iter().position(|n| *n == skeleton.joints[b.joint].name)).collect();
    let mut prior = Vec::with_capacity(queries.len() * bones.len());
    for row in probabilities.chunks_exact(JOINTS) {
        prior.extend(column.iter().map(|c| c.map_or(1.0 / JOINTS as f64, |c| f64::from(row[c]))));
    }
    prior
}

fn normalise_rows(weights: &mut [f64], bones: usize) {
    for row in weights.chunks_exact_mut(bones) {
        let sum: f64 = row.iter().sum();
        if sum > 0.0 {
            row.iter_mut().for_each(|w| *w /= sum);
        }
    }
}

/// From the proxy's vertices back to the welded ones.
fn spread(body: &Body, proxy: &Proxy, weights: Vec<f64>, bones: usize) -> Vec<f64> {
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

/// From welded vertices to the scene's, the strongest few each.
fn influences(
    scene: &Scene,
    body: &Body,
    bones: &[Bone],
    weights: &[f64],
    max_influences: usize,
) -> Vec<Vec<Influences>> {
    let per_vertex = max_influences.clamp(1, 8);
    let strongest: Vec<([u16; 8], [f32; 8])> =
        weights.par_chunks(bones.len()).map(|row| strongest(row, bones, per_vertex)).collect();
    let mut start = 0;
    let mut unused: Option<Nearest> = None;
    let mut all = Vec::with_capacity(scene.meshes.len());
    for mesh in &scene.meshes {
        let mut of_mesh = Vec::with_capacity(mesh.primitives.len());
        for primitive in &mesh.primitives {
            let n = primitive.positions.len();
            let mut joints = Vec::with_capacity(n * per_vertex);
            let mut values = Vec::with_capacity(n * per_vertex);
            for (v, p) in body.welded.of_file_vertex[start..start + n].iter().zip(&primitive.positions) {
                // A vertex no triangle uses is never seen; it follows its nearest neighbour all the same.
                let v = if *v == crate::analyse::weld::UNUSED {
                    let grid = unused.get_or_insert_with(|| Nearest::new(body.welded.vertices.clone()));
                    let p = DVec3::new(p[0].into(), p[1].into(), p[2].into());
                    grid.nearest(p).map_or(0, |(i, _)| i)
                } else {
                    *v as usize
                };
                let (j, w) = &strongest[v];
                joints.extend_from_slice(&j[..per_vertex]);
                values.extend_from_slice(&w[..per_vertex]);
            }
            of_mesh.push(Influences { per_vertex, joints, weights: values });
            start += n;
        }
        all.push(of_mesh);
    }
    all
}

/// The strongest joints of one vertex, heaviest first, weights summing to 1.
fn strongest(row: &[f64], bones: &[Bone], count: usize) -> ([u16; 8], [f32; 8]) {
    let mut order: Vec<(f64, usize)> =
        row.iter().copied().zip(0..).filter(|(w, _)| *w >= NEGLIGIBLE).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    order.truncate(count);
    let (mut joints, mut weights) = ([0_u16; 8], [0.0_f32; 8]);
    let sum: f64 = order.iter().map(|(w, _)| w).sum();
    for ((slot, value), (w, bone)) in joints.iter_mut().zip(&mut weights).zip(&order) {
        (*slot, *value) = (bones[*bone].joint as u16, (w / sum) as f32);
    }
    if order.is_empty() {
        (joints[0], weights[0]) = (bones.first().map_or(0, |b| b.joint as u16), 1.0);
    }
    (joints, weights)
}
