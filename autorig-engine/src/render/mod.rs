//! Pictures of a character: a deterministic software rasteriser, without a driver and without a clock.
//!
//! | module | what |
//! | --- | --- |
//! | [`image`](mod@image) | finished pictures, PNG and WebP |
//! | `stage` | vertices and triangles in canonical space, posed by linear blend skinning |
//! | `surface`, `texture` | materials and their maps |
//! | `camera` | the view that holds the whole character |
//! | `light`, `shade` | the studio and what surfaces make of it |
//! | `raster` | z-buffer over tiles, four places a pixel |
//! | `ground` | the shadow below |
//! | `overlay` | the skeleton over a picture |
//! | [`reel`] | a full turn and a clip, picture by picture |
//! | [`video`](mod@video) | that as MP4 or animated WebP |
//!
//! The same character gives the same bytes on every x86-64 machine and for any number of threads: tiles do not know each
//! other, sums have a fixed order, and transcendental functions come from `libm`.

use glam::{Mat3, Vec3};

use crate::{Character, Code, Error, Result};

mod camera;
mod film;
mod ground;
pub mod image;
mod light;
mod overlay;
mod pose;
mod raster;
pub mod reel;
mod shade;
mod stage;
mod surface;
mod texture;
pub mod video;

pub use image::Image;
pub use reel::Reel;
pub use video::{Video, VideoOptions, video};

use camera::{Camera, turned};
use film::Developer;
use ground::Ground;
use light::Studio;
use overlay::Joint;
use raster::Shot;
use shade::Shader;
use stage::{Stage, Vertices};

/// Largest picture that is made, in pixels a side.
pub const LARGEST: u32 = 4096;
/// Turn of the character in a still, in radians: a three-quarter view, its face towards the key light.
const THREE_QUARTER: f32 = -0.52;
/// A still is drawn this many times as fine as it is delivered.
const FINER: u32 = 2;

/// The character from three quarters in front on a transparent background, `size` pixels a side, with a soft shadow on
/// the ground; in bind pose.
///
/// # Errors
/// `invalid_option` for a size of 0 or above [`LARGEST`], `no_geometry` when there is nothing to draw.
pub fn thumbnail(character: &Character, size: u32) -> Result<Image> {
    let set = Set::new(character, size)?;
    Ok(set.still(None))
}

/// How strongly the vertices follow one bone: from dark blue (not at all) to yellow (wholly), a ramp that the colour-blind
/// read as well, as it rises evenly in lightness.
///
/// # Errors
/// Those of [`thumbnail`], and `invalid_option` when there is no such bone.
pub fn heat_map(character: &Character, bone: usize, size: u32) -> Result<Image> {
    if bone >= character.bones.len() {
        let message = format!("there is no bone {bone}; the character has {}", character.bones.len());
        return Err(Error::new(Code::InvalidOption, message));
    }
    let set = Set::new(character, size)?;
    let paint: Vec<Vec3> = weights_of(character, bone).into_iter().map(heat).collect();
    Ok(set.still(Some(&paint)))
}

/// The skeleton over the character, which is shown pale: left, right and middle told apart.
///
/// # Errors
/// Those of [`thumbnail`].
pub fn skeleton_picture(character: &Character, size: u32) -> Result<Image> {
    let set = Set::new(character, size)?;
    let pale = vec![PALE; set.stage.rest.positions.len()];
    let (mut image, camera, turn) = set.shot(Some(&pale));
    overlay::draw(&mut image, &camera, &set.joints(turn));
    Ok(image)
}

/// Linear grey of a character below its skeleton.
const PALE: Vec3 = Vec3::splat(0.32);

/// What all pictures of a character share.
struct Set<'a> {
    character: &'a Character,
    stage: Stage<'a>,
    studio: Studio,
    developer: Developer,
    size: u32,
}

impl<'a> Set<'a> {
    fn new(character: &'a Character, size: u32) -> Result<Self> {
        if size == 0 || size > LARGEST {
            let message = format!("a picture cannot be {size} pixels wide");
            return Err(Error::new(Code::InvalidOption, message)
                .with_remedy(format!("choose a size from 1 to {LARGEST}")));
        }
        let stage = Stage::new(character)?;
        Ok(Self { character, stage, studio: Studio::new(), developer: Developer::new(), size })
    }

    /// The bind pose from three quarters.
    fn still(&self, paint: Option<&[Vec3]>) -> Image {
        self.shot(paint).0
    }

    fn shot(&self, paint: Option<&[Vec3]>) -> (Image, Camera, Mat3) {
        let turn = turned(THREE_QUARTER);
        let mut vertices = self.stage.posed(&[]);
        vertices.turn(turn);
        let camera = Camera::holding(self.stage.corners(&vertices));
        let finer = if self.size * FINER <= LARGEST { FINER } else { 1 };
        (self.picture(&vertices, &camera, paint, finer), camera, turn)
    }

    /// One picture of vertices that stand before the camera.
    fn picture(&self, vertices: &Vertices, camera: &Camera, paint: Option<&[Vec3]>, finer: u32) -> Image {
        let (low, high) = self.extent(vertices);
        let ground = Ground::new(&self.stage, vertices, low, (high - low) * 0.6);
        let stage = &self.stage;
        let shader = Shader { stage, vertices, camera, studio: &self.studio, paint };
        let shot = Shot { stage, vertices, camera, shader, ground: Some(&ground) };
        self.developer.develop(&shot.take(self.size * finer), self.size, finer)
    }

    /// Lowest and highest point.
    fn extent(&self, vertices: &Vertices) -> (f32, f32) {
        let corners = self.stage.corners(vertices);
        corners.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), p| (low.min(p.y), high.max(p.y)))
    }

    /// The bones as they are drawn: what hangs on `root` is not joined to the ground.
    fn joints(&self, turn: Mat3) -> Vec<Joint> {
        let bones = &self.character.bones;
        let is_root = |i: usize| bones.get(i).is_some_and(|b| b.canonical.as_deref() == Some("root"));
        let joint = |bone: &crate::character::Bone| Joint {
            position: turn * self.stage.canonical(bone.position()),
            parent: bone.parent.filter(|p| !is_root(*p)),
            name: bone.canonical.clone().unwrap_or_else(|| bone.name.clone()),
        };
        bones.iter().map(joint).collect()
    }
}

/// The weight of one bone for each vertex of the stage.
fn weights_of(character: &Character, bone: usize) -> Vec<f32> {
    let mut weights = Vec::with_capacity(character.scene.vertex_count());
    for (index, mesh) in character.scene.meshes.iter().enumerate() {
        for (slot, primitive) in mesh.primitives.iter().enumerate() {
            let start = weights.len();
            let influences = character.influences.get(index).and_then(|m| m.get(slot));
            let own = |(joints, weights): (&[u16], &[f32])| {
                joints
                    .iter()
                    .zip(weights)
                    .filter(|(j, _)| usize::from(**j) == bone)
                    .map(|(_, w)| *w)
                    .sum::<f32>()
            };
            weights.extend(
                influences.into_iter().flat_map(|i| i.iter().map(own)).take(primitive.positions.len()),
            );
            weights.resize(start + primitive.positions.len(), 0.0);
        }
    }
    weights
}

/// Linear colour of a weight: five stops of even steps in lightness, from blue to yellow, which every kind of colour
/// vision tells apart.
fn heat(weight: f32) -> Vec3 {
    const STOPS: [[f32; 3]; 5] =
        [[0.09, 0.12, 0.28], [0.26, 0.32, 0.52], [0.50, 0.50, 0.50], [0.76, 0.67, 0.38], [1.0, 0.89, 0.22]];
    let at = weight.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let below = (at as usize).min(STOPS.len() - 2);
    let colour = Vec3::from(STOPS[below]).lerp(Vec3::from(STOPS[below + 1]), at - below as f32);
    Vec3::from(colour.to_array().map(texture::linear))
}

#[cfg(test)]
mod tests;
