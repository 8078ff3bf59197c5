//! Wavefront OBJ with its material files.
//!
//! Objects (`o`) become meshes, each on a node of its own; in a file without objects the groups (`g`) do. Faces of
//! one material make a primitive, polygons become triangles.
//!
//! **Vertex order.** A vertex of the result is a `v` line with one texture coordinate and one normal. A file
//! that ends up as a single primitive keeps every `v` line, used or not: vertex *i* is the *i*-th `v` line. With several primitives
//! each has the lines it uses, in the file's order. Where faces give a `v` line a second coordinate or normal (a
//! seam), the copy is appended behind all of those, in the order of first use.

mod build;
mod materials;
mod parse;
mod polygon;

use super::siblings::Resolver;
use crate::scene::{Format, Scene};
use crate::{Limits, Result};

/// Reads an OBJ.
pub(crate) fn read(name: &str, text: &[u8], resolver: &Resolver<'_>, limits: &Limits) -> Result<Scene> {
    let file = parse::parse(text, limits)?;
    let mut scene = Scene { format: Format::Obj, ..Scene::default() };
    for (count, code, what) in [
        (file.lines_dropped, "no_triangles_dropped", "points, lines or curves, which are left out"),
        (
            file.faces_dropped,
            "degenerate_face_dropped",
            "faces with less than three corners, which are left out",
        ),
    ] {
        if count > 0 {
            scene.warn(code, format!("the file has {count} {what}"));
        }
    }
    materials::read(&file, resolver, limits, &mut scene)?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    build::meshes(&file, stem, limits, &mut scene)?;
    Ok(scene)
}
