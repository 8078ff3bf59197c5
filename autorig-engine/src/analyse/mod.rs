//! Scene to [`Body`]: what the later stages need to know, in canonical space.
//!
//! | module | what |
//! | --- | --- |
//! | [`weld`] | one indexed mesh of all primitives, its connected parts |
//! | [`merge`] | positions that are meant to be one |
//! | [`surface`] | points spread evenly over it |
//! | [`mirror`] | its planes of symmetry |
//! | [`orientation`] | which way is up and forward |
//! | [`frame`](mod@frame) | from the file's frame to canonical space |
//! | [`solid`] | voxels: what is inside |
//! | [`nearest`] | nearest-neighbour search |
//! | [`bvh`] | triangles a segment crosses |
//! | [`axes`] | principal axes |
//!
//! Turning, moving or scaling the file changes nothing in canonical space but the last digits: no step looks at the
//! file's own axes.

use glam::{DMat3, DVec3};

use crate::{
    Code, Error, Result,
    scene::Scene,
    skeleton::predictor::{Cloud, POINTS},
};

pub mod axes;
pub mod bvh;
pub mod frame;
pub mod merge;
pub mod mirror;
pub mod nearest;
pub mod orientation;
pub mod solid;
pub mod surface;
pub mod weld;

pub use frame::Frame;
use orientation::{Orientation, orient};
use solid::Solid;
use surface::SurfacePoint;
use weld::{Face, Welded};

/// Independent samplings of the surface; their disagreement tells how sure the network is. A front and a back that look
/// alike come out even on fewer.
const SAMPLINGS: u64 = 8;

/// A character in canonical space: right-handed, +Y up, facing +Z, left is +X, metres, feet on Y = 0
/// (`conventions.md` §0).
pub struct Body {
    /// The welded mesh in the file's frame.
    pub welded: Welded,
    /// How the file's frame lies in canonical space, by the body's own directions: the plane of symmetry is X = 0.
    pub frame: Frame,
    /// The orientation as the file's author most likely meant it: [`Frame::rotation`] with up and left on the file's own
    /// axes where they are close. For what people see; joints and weights do not depend on it.
    pub file_axes: DMat3,
    /// How likely up and forward are right, 0 to 1.
    pub orientation_confidence: f32,
    /// How sure the unit is, 0 to 1.
    pub unit_confidence: f32,
    /// The welded vertices in canonical space.
    pub vertices: Vec<DVec3>,
    /// Area-weighted unit normals of the vertices; zero where undefined.
    pub normals: Vec<DVec3>,
    /// The solid, without backdrops.
    pub solid: Solid,
    /// Samplings of the surface, for the network, in canonical space.
    pub clouds: Vec<Cloud>,
    /// Height in metres.
    pub height: f64,
    /// Width from the character's left to its right, in metres.
    pub width: f64,
}

/// Finds the body in a flattened scene; `known` is about how it stands where the caller knows it, as
/// [`Frame::rotation`].
///
/// # Errors
/// Those of [`Welded::new`].
pub fn analyse(scene: &Scene, known: Option<DMat3>) -> Result<Body> {
    let welded = Welded::new(scene)?;
    let character = welded.character_faces();
    let samplings = samplings(&welded, &character);
    if samplings.iter().any(Vec::is_empty) {
        return Err(Error::new(
            Code::DegenerateGeometry,
            "the surface of the model has no area worth the name",
        ));
    }
    let orientation = orient(&samplings, known);
    Ok(Body::new(welded, &character, &samplings, &orientation))
}

impl Body {
    fn new(
        welded: Welded,
        character: &[Face],
        samplings: &[Vec<SurfacePoint>],
        orientation: &Orientation,
    ) -> Self {
        let (frame, unit_confidence) = stand(&welded, character, orientation);
        let vertices: Vec<DVec3> = welded.vertices.iter().map(|v| frame.to_canonical(*v)).collect();
        let clouds = samplings
            .iter()
            .map(|points| {
                let turn = |p: &SurfacePoint| SurfacePoint {
                    position: frame.to_canonical(p.position),
                    normal: frame.rotation * p.normal,
                    ..*p
                };
                Cloud::new(&points.iter().map(turn).collect::<Vec<_>>())
            })
            .collect();
        let (lo, hi) = bounds(&vertices, character);
        let triangles: Vec<[u32; 3]> = character.iter().map(|f| f.corners).collect();
        let solid = Solid::new(&vertices, &triangles);
        let normals = normals(&vertices, &welded.triangles);
        Self {
            welded,
            frame,
            file_axes: frame::file_axes(frame.rotation),
            orientation_confidence: orientation.confidence,
            unit_confidence,
            vertices,
            normals,
            solid,
            clouds,
            height: hi.y - lo.y,
            width: hi.x - lo.x,
        }
    }

    /// The same body, standing as the rows of `rotation` say: its left, up and forward in the file's frame.
    #[must_use]
    pub fn reframed(&self, rotation: DMat3, confidence: f32) -> Self {
        let character = self.welded.character_faces();
        let samplings = samplings(&self.welded, &character);
        let orientation = Orientation { rotation, confidence, middle: None };
        Self::new(self.welded.clone(), &character, &samplings, &orientation)
    }

    /// Whether an orientation that someone knows, rows left, up and forward, is about the one found.
    pub fn stands_as(&self, known: DMat3) -> bool {
        orientation::alike(self.frame.rotation, known)
    }
}

fn samplings(welded: &Welded, character: &[Face]) -> Vec<Vec<SurfacePoint>> {
    (0..SAMPLINGS).map(|seed| surface::sample(&welded.vertices, character, POINTS, seed)).collect()
}

/// The frame of a body that stands in the given orientation, and how sure its unit is.
fn stand(welded: &Welded, character: &[Face], orientation: &Orientation) -> (Frame, f32) {
    let rotation = orientation.rotation;
    let turned: Vec<DVec3> = welded.vertices.iter().map(|v| rotation * *v).collect();
    let (lo, hi) = bounds(&turned, character);
    let middle = orientation.middle.unwrap_or((lo.x + hi.x) / 2.0);
    let ground = DVec3::new(middle, lo.y, (lo.z + hi.z) / 2.0);
    let (scale, confidence) = frame::metres_per_unit(hi.y - lo.y);
    (Frame { rotation, scale, origin: rotation.transpose() * ground }, confidence)
}

/// Lower and upper corner of the box around the faces.
fn bounds(vertices: &[DVec3], faces: &[Face]) -> (DVec3, DVec3) {
    faces.iter().flat_map(|f| f.corners).fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(lo, hi), v| {
        let p = vertices[v as usize];
        (lo.min(p), hi.max(p))
    })
}

fn normals(vertices: &[DVec3], triangles: &[[u32; 3]]) -> Vec<DVec3> {
    let mut normals = vec![DVec3::ZERO; vertices.len()];
    for t in triangles {
        let [a, b, c] = t.map(|i| vertices[i as usize]);
        let n = (b - a).cross(c - a);
        for &i in t {
            normals[i as usize] += n;
        }
    }
    normals.into_iter().map(DVec3::normalize_or_zero).collect()
}
