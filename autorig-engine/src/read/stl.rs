//! STL, binary or text: triangles and nothing else.
//!
//! Corners at the same position become one vertex, in the order of first use: a file of loose triangles would be shaded
//! flat and could not be posed without tearing. The facets' normals say nothing the corners do not.

use std::collections::HashMap;

use super::repair;
use crate::scene::{Format, Mesh, Node, Primitive, Scene};
use crate::{Code, Error, Limits, Result};

/// Length of a binary file's header and count.
const HEADER: usize = 84;
/// Length of a binary triangle: a normal, three corners, two bytes of nothing.
const RECORD: usize = 50;

/// True for a binary STL, which has no mark, only a length that fits its count of triangles.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    let Some([a, b, c, d]) = bytes.get(80..HEADER) else { return false };
    let count = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    count > 0 && bytes.len() as u64 == HEADER as u64 + RECORD as u64 * count
}

/// Reads a binary STL.
pub(super) fn read_binary(name: &str, bytes: &[u8], limits: &Limits) -> Result<Scene> {
    let records = bytes.get(HEADER..).unwrap_or_default().as_chunks::<RECORD>().0;
    check(records.len() as u64, limits)?;
    let mut corners = Corners::with_capacity(records.len());
    for record in records {
        for corner in record.get(12..48).unwrap_or_default().as_chunks::<12>().0 {
            let number = |at: usize| match corner.get(at..at + 4) {
                Some([a, b, c, d]) => f32::from_le_bytes([*a, *b, *c, *d]),
                _ => 0.0,
            };
            corners.push([number(0), number(4), number(8)]);
        }
    }
    corners.into_scene(name)
}

/// Reads a text STL.
pub(super) fn read_text(name: &str, text: &[u8], limits: &Limits) -> Result<Scene> {
    let mut corners = Corners::with_capacity(0);
    for (line, content) in text.split(|b| *b == b'\n').enumerate() {
        let mut words = content.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        if !words.next().is_some_and(|w| w.eq_ignore_ascii_case(b"vertex")) {
            continue;
        }
        let mut number = || -> Option<f32> { std::str::from_utf8(words.next()?).ok()?.parse().ok() };
        let (Some(x), Some(y), Some(z)) = (number(), number(), number()) else {
            let message = format!("line {} of the STL is no vertex of three numbers", line + 1);
            return Err(Error::new(Code::CorruptFile, message));
        };
        corners.push([x, y, z]);
        check(corners.indices.len() as u64 / 3, limits)?;
    }
    if !corners.indices.len().is_multiple_of(3) {
        return Err(Error::new(Code::TruncatedFile, "the STL ends in the middle of a triangle"));
    }
    corners.into_scene(name)
}

fn check(triangles: u64, limits: &Limits) -> Result<()> {
    if triangles > limits.triangles {
        let message =
            format!("the model has {triangles} triangles; at most {} are accepted", limits.triangles);
        return Err(Error::new(Code::LimitTriangles, message));
    }
    Ok(())
}

/// Corners merged by position.
struct Corners {
    positions: Vec<[f32; 3]>,
    indices: Vec<u32>,
    /// Looked up only, never walked: its order does not matter.
    places: HashMap<[u32; 3], u32>,
}

impl Corners {
    fn with_capacity(triangles: usize) -> Self {
        Self {
            positions: Vec::with_capacity(triangles / 2),
            indices: Vec::with_capacity(triangles * 3),
            places: HashMap::with_capacity(triangles / 2),
        }
    }

    fn push(&mut self, position: [f32; 3]) {
        // Zero has two signs.
        let key = position.map(|x| (x + 0.0).to_bits());
        let next = self.positions.len() as u32;
        let index = *self.places.entry(key).or_insert(next);
        if index == next {
            self.positions.push(position);
        }
        self.indices.push(index);
    }

    fn into_scene(self, name: &str) -> Result<Scene> {
        scene_of(
            name,
            Format::Stl,
            Primitive { positions: self.positions, indices: self.indices, ..Primitive::default() },
        )
    }
}

/// A scene of one mesh, called like the file.
pub(super) fn scene_of(name: &str, format: Format, mut primitive: Primitive) -> Result<Scene> {
    let mut scene = Scene { format, ..Scene::default() };
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    repair::primitive("the mesh", &mut primitive, &mut scene)?;
    scene.nodes.push(Node { name: stem.clone(), mesh: Some(0), ..Node::default() });
    scene.roots.push(0);
    scene.meshes.push(Mesh { name: stem, primitives: vec![primitive], ..Mesh::default() });
    Ok(scene)
}
