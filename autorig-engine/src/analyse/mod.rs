//! Scene to [`Body`]: what the later stages need to know, in canonical space.
//!
//! | module | what |
//! | --- | --- |
//! | [`weld`] | one indexed mesh of all primitives, its connected parts |
//! | [`surface`] | points spread evenly over it |
//! | [`orientation`] | which way is up and forward |
//! | [`solid`] | voxels: what is inside |
//! | [`nearest`] | nearest-neighbour search |
//! | [`bvh`] | triangles a segment crosses |

use glam::{DMat3, DVec3};

use crate::{
    Code, Error, Result,
    scene::Scene,
    skeleton::predictor::{Cloud, POINTS},
};

pub mod bvh;
pub mod nearest;
pub mod orientation;
pub mod solid;
pub mod surface;
pub mod weld;

use orientation::{Orientation, orient};
use solid::Solid;
use weld::Welded;

/// Independent samplings of the surface; their disagreement tells how sure the network is.
const SAMPLINGS: u64 = 4;
/// Samplings that take part in the vote for the orientation.
const VOTING: usize = 2;

/// A character in canonical space: right-handed, +Y up, facing +Z, left is +X, metres, feet on Y = 0
/// (`conventions.md` §0).
pub struct Body {
    /// The welded mesh in the file's frame.
    pub welded: Welded,
    /// How the file's frame lies in canonical space.
    pub frame: Frame,
    /// How sure the orientation is, 0 to 1.
    pub orientation_confidence: f32,
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

/// The similarity from the file's frame to canonical space: `canonical = scale · rotation · (file − origin)`.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Rows are the character's left, up and forward in the file's frame.
    pub rotation: DMat3,
    /// Metres per unit of the file.
    pub scale: f64,
    /// The point between the feet, in the file's frame.
    pub origin: DVec3,
}

impl Frame {
    /// A point of the file in canonical space.
    pub fn to_canonical(&self, p: DVec3) -> DVec3 {
        self.rotation * (p - self.origin) * self.scale
    }

    /// A canonical point in the file's frame.
    pub fn to_file(&self, p: DVec3) -> DVec3 {
        self.rotation.transpose() * p / self.scale + self.origin
    }
}

/// Finds the body in a flattened scene; `known` is the orientation where the caller knows it.
///
/// # Errors
/// Those of [`Welded::new`].
pub fn analyse(scene: &Scene, known: Option<DMat3>) -> Result<Body> {
    let welded = Welded::new(scene)?;
    let character = welded.character_triangles();
    let samplings = samplings(&welded, &character);
    if samplings.iter().any(Vec::is_empty) {
        return Err(Error::new(
            Code::DegenerateGeometry,
            "the surface of the model has no area worth the name",
        ));
    }
    let file_clouds: Vec<Cloud> = samplings.iter().take(VOTING).map(|s| Cloud::new(s)).collect();
    let Orientation { rotation, confidence } =
        known.map_or_else(|| orient(&file_clouds), |rotation| Orientation { rotation, confidence: 1.0 });

    Ok(Body::standing(welded, &character, &samplings, rotation, confidence))
}

impl Body {
    /// The same body, standing as the rows of `rotation` say: its left, up and forward in the file's frame.
    #[must_use]
    pub fn reframed(&self, rotation: DMat3, confidence: f32) -> Self {
        let character = self.welded.character_triangles();
        let samplings = samplings(&self.welded, &character);
        Self::standing(self.welded.clone(), &character, &samplings, rotation, confidence)
    }

    fn standing(
        welded: Welded,
        character: &[[u32; 3]],
        samplings: &[Vec<surface::SurfacePoint>],
        rotation: DMat3,
        confidence: f32,
    ) -> Self {
        let frame = frame(&welded, character, rotation);
        let vertices: Vec<DVec3> = welded.vertices.iter().map(|v| frame.to_canonical(*v)).collect();
        let clouds = samplings
            .iter()
            .map(|points| {
                let turn = |p: &surface::SurfacePoint| surface::SurfacePoint {
                    position: frame.to_canonical(p.position),
                    normal: rotation * p.normal,
                };
                Cloud::new(&points.iter().map(turn).collect::<Vec<_>>())
            })
            .collect();
        let (mut lo, mut hi) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        for &v in character.iter().flatten() {
            (lo, hi) = (lo.min(vertices[v as usize]), hi.max(vertices[v as usize]));
        }
        let solid = Solid::new(&vertices, character);
        let normals = normals(&vertices, &welded.triangles);
        Self {
            welded,
            frame,
            orientation_confidence: confidence,
            vertices,
            normals,
            solid,
            clouds,
            height: hi.y - lo.y,
            width: hi.x - lo.x,
        }
    }
}

fn samplings(welded: &Welded, character: &[[u32; 3]]) -> Vec<Vec<surface::SurfacePoint>> {
    (0..SAMPLINGS).map(|seed| surface::sample(&welded.vertices, character, POINTS, seed)).collect()
}

fn frame(welded: &Welded, character: &[[u32; 3]], rotation: DMat3) -> Frame {
    let (mut lo, mut hi) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    for &v in character.iter().flatten() {
        let p = rotation * welded.vertices[v as usize];
        (lo, hi) = (lo.min(p), hi.max(p));
    }
    let ground = DVec3::new((lo.x + hi.x) / 2.0, lo.y, (lo.z + hi.z) / 2.0);
    Frame { rotation, scale: metres_per_unit(hi.y - lo.y), origin: rotation.transpose() * ground }
}

/// What one unit most likely is: a metre if that gives a character of ordinary size, else the power of ten that does.
fn metres_per_unit(height: f64) -> f64 {
    /// Heights in metres that are taken as they are: from a toddler to an ogre.
    const ORDINARY: std::ops::RangeInclusive<f64> = 0.4..=4.0;
    const ADULT: f64 = 1.7;
    if height <= 0.0 || ORDINARY.contains(&height) {
        return 1.0;
    }
    libm::pow(10.0, libm::round(libm::log10(ADULT / height)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_a_metre_for_ordinary_heights_and_a_power_of_ten_otherwise() {
        assert_eq!(metres_per_unit(1.8), 1.0);
        assert_eq!(metres_per_unit(180.0), 0.01);
        assert_eq!(metres_per_unit(0.0018), 1000.0);
        assert_eq!(metres_per_unit(0.0), 1.0);
    }

    #[test]
    fn going_to_canonical_space_and_back_changes_nothing() {
        let frame = Frame {
            rotation: orientation::cube_rotations()[7],
            scale: 0.01,
            origin: DVec3::new(100.0, -20.0, 3.0),
        };
        let p = DVec3::new(1.0, 2.0, 3.0);
        assert!(frame.to_file(frame.to_canonical(p)).distance(p) < 1e-12);
    }
}
