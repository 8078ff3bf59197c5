//! Skin weights: how much each joint moves each vertex.
//!
//! | module | what |
//! | --- | --- |
//! | [`mod@bones`] | segments that stand for the joints |
//! | [`proxy`] | a bounded stand-in for large meshes |
//! | [`laplacian`] | its cotangent Laplacian |
//! | [`sight`] | which bone each vertex sees |
//! | [`heat`] | weights by heat diffusion from the bones |
//! | [`prior`] | the network's opinion of which joint moves a point |
//! | [`rigid`] | parts that follow one joint: helmets, plates, robots |
//! | [`limbs`] | parts that do not follow a limb beside them |
//! | `chains` | tails, hair, cloth and eyes, whose vertices are known |
//! | [`mirror`] | mirrored weights where the mesh mirrors itself |
//! | [`spread`] | back to the vertices of the file |
//!
//! The recipe is heat diffusion (Baran & Popović 2007, §4) on the welded mesh with visibility taken from the voxel
//! solid, multiplied by the network's opinion of which joint moves a point, made crisp on rigid parts, and kept off parts that
//! are not of a limb.
//!
//! What depends on the mesh alone is made once, by [`Skinner::new`]; [`Skinner::skin`] does what depends on the joints.

use crate::{
    Error, Progress, Result, Stage,
    analyse::Body,
    rig::Symmetry,
    scene::{Influences, Scene},
    skeleton::{Skeleton, chains::Extra},
};

pub mod bones;
mod chains;
pub mod heat;
pub mod laplacian;
pub mod limbs;
pub mod mirror;
pub mod prior;
pub mod proxy;
pub mod rigid;
pub mod sight;
pub mod spread;

use bones::{Bone, bones};
use laplacian::Laplacian;
use mirror::Mirror;
use proxy::Proxy;
use rigid::Evidence;
use sight::Sight;

/// The skin of a body.
pub struct Skin {
    /// For each mesh and primitive of the scene, in order.
    pub influences: Vec<Vec<Influences>>,
    /// Parts that follow one joint.
    pub rigid_parts: usize,
    /// Vertices no bone reached, which copied their nearest neighbour.
    pub filled_vertices: usize,
    /// Whether the mesh and the joints mirror themselves, and so do the weights.
    pub mirrored: bool,
}

/// How weights are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkinOptions {
    /// Most joints a vertex may follow, 1 to 8.
    pub influences: usize,
    /// Whether a mesh that mirrors itself gets mirrored weights.
    pub symmetry: Symmetry,
}

impl Default for SkinOptions {
    fn default() -> Self {
        Self { influences: 4, symmetry: Symmetry::Auto }
    }
}

/// Weights for every vertex of the scene the body was found in, in one go; see [`Skinner::skin`].
///
/// # Errors
/// `cancelled`.
pub fn skin(
    scene: &Scene,
    body: &Body,
    skeleton: &Skeleton,
    options: &SkinOptions,
    progress: &mut dyn Progress,
) -> Result<Skin> {
    Skinner::new(body).skin(scene, body, skeleton, &[], options, progress)
}

/// What skinning a body needs to know of its mesh, whatever the joints: made once, used for every skeleton tried on it.
pub struct Skinner {
    proxy: Proxy,
    laplacian: Laplacian,
    sight: Sight,
    mirror: Option<Mirror>,
}

impl Skinner {
    /// From a body.
    pub fn new(body: &Body) -> Self {
        let proxy = Proxy::new(&body.vertices, &body.normals, &body.welded.triangles);
        let laplacian = Laplacian::new(&proxy.vertices, &proxy.triangles);
        let sight = Sight::new(&proxy);
        Self { proxy, laplacian, sight, mirror: Mirror::find(body) }
    }

    /// Weights for every vertex of the scene.
    ///
    /// `body` is the one this was made from, `scene` the one the body was found in; `skeleton` is any tree of joints in
    /// the file's frame, joint 0 its root, which moves nothing unless it is alone. `extras` are the chains whose joints are
    /// among those of the skeleton; of those that are not, nothing is heard.
    ///
    /// # Errors
    /// `cancelled`.
    pub fn skin(
        &self,
        scene: &Scene,
        body: &Body,
        skeleton: &Skeleton,
        extras: &[Extra],
        options: &SkinOptions,
        progress: &mut dyn Progress,
    ) -> Result<Skin> {
        let proxy = &self.proxy;
        let (core, whole) = chains::without(skeleton, extras);
        let (all, skeleton) = (skeleton, &core);
        let bones = bones(body, skeleton);
        if bones.is_empty() {
            let weights = vec![1.0; body.vertices.len()];
            let influences = spread::influences(scene, body, &[0], &weights, options.influences);
            return Ok(Skin {
                influences,
                rigid_parts: body.welded.parts,
                filled_vertices: 0,
                mirrored: false,
            });
        }
        let at = |progress: &mut dyn Progress, done: f32| {
            progress.report(Stage::Skin, Stage::Skin.overall(done));
            if progress.cancelled() { Err(Error::cancelled()) } else { Ok(()) }
        };

        let sources = self.sight.find(proxy, &bones, &body.solid);
        at(progress, 0.2)?;
        let (mut weights, filled_vertices) = heat::diffuse(proxy, &self.laplacian, bones.len(), &sources);
        at(progress, 0.6)?;
        let prior = prior::probabilities(body, proxy, skeleton, &bones);
        prior::advise(&prior, &mut weights);
        normalise_rows(&mut weights, bones.len());
        at(progress, 0.8)?;
        let evidence = Evidence { proxy, body, skeleton, bones: &bones, sources: &sources, prior: &prior };
        let rigid_parts = rigid::make_crisp(&evidence, &mut weights);
        limbs::keep_own(proxy, &self.laplacian.area, skeleton, &bones, &mut weights);
        let mut weights = spread::to_welded(body, proxy, weights, bones.len());
        let mirror = self.mirror.as_ref().filter(|_| options.symmetry == Symmetry::Auto);
        let image = mirror.and_then(|mirror| Some((mirror, columns_image(mirror, body, skeleton, &bones)?)));
        if let Some((mirror, image)) = &image {
            weights = mirror.average(&weights, image);
        }
        at(progress, 0.95)?;
        let joints = chains::hang(body, all, extras, &bones, &whole, &mut weights);
        let influences = spread::influences(scene, body, &joints, &weights, options.influences);
        Ok(Skin { influences, rigid_parts, filled_vertices, mirrored: image.is_some() })
    }
}

/// Which bone is the mirror image of which, if every joint has one.
fn columns_image(mirror: &Mirror, body: &Body, skeleton: &Skeleton, bones: &[Bone]) -> Option<Vec<usize>> {
    let image = mirror.joints(body, skeleton)?;
    bones.iter().map(|b| bones.iter().position(|other| other.joint == image[b.joint])).collect()
}

fn normalise_rows(weights: &mut [f64], bones: usize) {
    for row in weights.chunks_exact_mut(bones) {
        let sum: f64 = row.iter().sum();
        if sum > 0.0 {
            row.iter_mut().for_each(|w| *w /= sum);
        }
    }
}
