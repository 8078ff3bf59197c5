//! From lines to meshes.

use std::collections::{BTreeMap, HashMap};

use glam::DVec3;

use super::parse::{File, NONE};
use super::polygon::triangulate;
use crate::read::repair;
use crate::scene::{Mesh, Node, Primitive, Scene};
use crate::{Limits, Result};

/// Faces that make a primitive.
struct Part {
    mesh: usize,
    material: u32,
    faces: Vec<usize>,
}

/// Makes meshes and nodes.
pub(super) fn meshes(file: &File, stem: &str, limits: &Limits, scene: &mut Scene) -> Result<()> {
    let (names, parts) = split(file, stem, limits, scene);
    for name in &names {
        scene.roots.push(scene.nodes.len());
        scene.nodes.push(Node { name: name.clone(), mesh: Some(scene.meshes.len()), ..Node::default() });
        scene.meshes.push(Mesh { name: name.clone(), ..Mesh::default() });
    }
    let colors = linear_colors(&file.colors);
    let mut builder = Builder::new(file, &colors, parts.len() == 1);
    for part in &parts {
        let mut primitive = builder.primitive(part);
        primitive.material = (part.material != NONE).then_some(part.material as usize);
        let name = names.get(part.mesh).map_or("", String::as_str);
        repair::primitive(
            &format!("object \"{}\"", crate::read::siblings::short(name)),
            &mut primitive,
            scene,
        )?;
        if let Some(mesh) = scene.meshes.get_mut(part.mesh) {
            mesh.primitives.push(primitive);
        }
    }
    Ok(())
}

/// Mesh names and parts, both in the order of their first face.
fn split(file: &File, stem: &str, limits: &Limits, scene: &mut Scene) -> (Vec<String>, Vec<Part>) {
    let by_object = !file.objects.list.is_empty();
    let names = if by_object { &file.objects } else { &file.groups };
    let too_many = names.list.len() as u64 >= u64::from(limits.meshes);
    if too_many {
        scene.warn(
            "groups_joined",
            format!("the {} groups of the file are joined into one mesh", names.list.len()),
        );
    }
    let key = |face: &super::parse::Face| match (too_many, by_object) {
        (true, _) => NONE,
        (false, true) => face.object,
        (false, false) => face.group,
    };
    let (mut mesh_of, mut part_of) = (BTreeMap::new(), BTreeMap::new());
    let (mut mesh_names, mut parts) = (Vec::new(), Vec::<Part>::new());
    for (index, face) in file.faces.iter().enumerate() {
        let key = key(face);
        let mesh = *mesh_of.entry(key).or_insert_with(|| {
            let name = names.list.get(key as usize).filter(|n| !n.is_empty());
            mesh_names.push(name.map_or_else(|| stem.to_owned(), Clone::clone));
            mesh_names.len() - 1
        });
        let part = *part_of.entry((mesh, face.material)).or_insert_with(|| {
            parts.push(Part { mesh, material: face.material, faces: Vec::new() });
            parts.len() - 1
        });
        if let Some(part) = parts.get_mut(part) {
            part.faces.push(index);
        }
    }
    parts.sort_by_key(|p| p.mesh);
    (mesh_names, parts)
}

/// Vertex colours as glTF wants them: linear, 0 to 1. Files give them as shown, from 0 to 1 or to 255.
fn linear_colors(colors: &[[f32; 3]]) -> Vec<[f32; 4]> {
    let bytes = colors.iter().flatten().any(|x| *x > 1.0 && x.is_finite());
    let linear = |x: f32| {
        let x = (if bytes { x / 255.0 } else { x }).clamp(0.0, 1.0);
        if x <= 0.04045 { x / 12.92 } else { libm::powf((x + 0.055) / 1.055, 2.4) }
    };
    colors
        .iter()
        .map(|c| {
            let [r, g, b] = c.map(linear);
            [r, g, b, 1.0]
        })
        .collect()
}

/// Gathers vertices, reusing its tables from part to part.
struct Builder<'a> {
    file: &'a File,
    colors: &'a [[f32; 4]],
    keep_all: bool,
    /// Number of the part that used a `v` line last, and what it made of it.
    stamps: Vec<u32>,
    firsts: Vec<Vertex>,
    current: u32,
}

/// The first UV and normal of a `v` line in a part, and the vertex they make.
#[derive(Clone, Copy)]
struct Vertex {
    uv: u32,
    normal: u32,
    index: u32,
}

impl<'a> Builder<'a> {
    fn new(file: &'a File, colors: &'a [[f32; 4]], keep_all: bool) -> Self {
        let count = file.positions.len();
        let none = Vertex { uv: NONE, normal: NONE, index: NONE };
        Self { file, colors, keep_all, stamps: vec![0; count], firsts: vec![none; count], current: 0 }
    }

    fn primitive(&mut self, part: &Part) -> Primitive {
        let order = self.claim(part);
        let mut corners: Vec<[u32; 3]> = order
            .iter()
            .map(|&v| {
                let first = self.first(v);
                [v, first.uv, first.normal]
            })
            .collect();
        let mut seams: HashMap<[u32; 3], u32> = HashMap::new();
        let mut primitive = Primitive::default();
        let (mut points, mut triangles, mut polygon) = (Vec::new(), Vec::new(), Vec::new());
        for &face in &part.faces {
            polygon.clear();
            for &corner in self.file.polygon(face) {
                let [v, uv, normal] = corner;
                let first = self.first(v);
                polygon.push(if (first.uv, first.normal) == (uv, normal) {
                    first.index
                } else {
                    *seams.entry(corner).or_insert_with(|| {
                        corners.push(corner);
                        corners.len() as u32 - 1
                    })
                });
            }
            points.clear();
            points.extend(self.file.polygon(face).iter().map(|c| self.position(c[0])));
            triangles.clear();
            triangulate(&points, &mut triangles);
            let index = |i: usize| polygon.get(i).copied().unwrap_or(0);
            primitive.indices.extend(triangles.iter().flat_map(|t| t.map(index)));
        }
        self.fill(&corners, &mut primitive);
        primitive
    }

    /// Marks the `v` lines a part uses and returns them in the order of its vertices.
    fn claim(&mut self, part: &Part) -> Vec<u32> {
        self.current += 1;
        let mut used = Vec::new();
        for &face in &part.faces {
            for &[v, uv, normal] in self.file.polygon(face) {
                let slots = self.stamps.get_mut(v as usize).zip(self.firsts.get_mut(v as usize));
                if let Some((stamp, first)) = slots
                    && *stamp != self.current
                {
                    *stamp = self.current;
                    *first = Vertex { uv, normal, index: NONE };
                    used.push(v);
                }
            }
        }
        if self.keep_all {
            used = (0..self.file.positions.len() as u32).collect();
        } else {
            used.sort_unstable();
        }
        for (index, &v) in (0u32..).zip(&used) {
            if let Some(first) = self.firsts.get_mut(v as usize) {
                first.index = index;
            }
        }
        used
    }

    fn first(&self, v: u32) -> Vertex {
        self.firsts.get(v as usize).copied().unwrap_or(Vertex { uv: NONE, normal: NONE, index: 0 })
    }

    fn position(&self, v: u32) -> DVec3 {
        self.file.positions.get(v as usize).map_or(DVec3::ZERO, |p| DVec3::from(p.map(f64::from)))
    }

    fn fill(&self, corners: &[[u32; 3]], primitive: &mut Primitive) {
        let file = self.file;
        let pick = |v: u32| file.positions.get(v as usize).copied().unwrap_or_default();
        primitive.positions = corners.iter().map(|c| pick(c[0])).collect();
        if corners.iter().any(|c| c[1] != NONE) {
            let uv = |c: &[u32; 3]| file.uvs.get(c[1] as usize).copied().unwrap_or_default();
            primitive.uvs.push(corners.iter().map(uv).collect());
        }
        if corners.iter().any(|c| c[2] != NONE) {
            // A vertex no face uses gets any unit normal; one whose face has none gets it from its faces.
            let used = |v: u32| self.stamps.get(v as usize) == Some(&self.current);
            let missing = |v: u32| if used(v) { [0.0; 3] } else { [0.0, 0.0, 1.0] };
            let normal =
                |c: &[u32; 3]| file.normals.get(c[2] as usize).copied().unwrap_or_else(|| missing(c[0]));
            primitive.normals = Some(corners.iter().map(normal).collect());
        }
        if !self.colors.is_empty() {
            let color = |c: &[u32; 3]| self.colors.get(c[0] as usize).copied().unwrap_or([1.0; 4]);
            primitive.colors.push(corners.iter().map(color).collect());
        }
    }
}
