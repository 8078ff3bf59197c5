//! Meshes where nodes show them.

use std::collections::BTreeMap;

use super::counter::Counter;
use super::material::Looks;
use super::nodes::index;
use super::vertices::Vertices;
use super::{morph, nodes};
use crate::read::repair;
use crate::scene::{Mesh, Scene};
use crate::{Code, Error, Result};

/// A mesh of the scene, and where it came from.
pub(super) struct Shown<'a> {
    pub(super) mesh: &'a ufbx::Mesh,
    /// The nodes of the scene that show it, in order.
    pub(super) nodes: Vec<usize>,
    /// Control points of the vertices of each primitive.
    pub(super) points: Vec<Vec<u32>>,
}

/// Reads every mesh that a node shows; `scene.meshes` and the result are parallel. A mesh is made once for each list of
/// materials that nodes show it with.
pub(super) fn read<'a>(
    file: &'a ufbx::Scene,
    looks: &Looks,
    counter: &mut Counter,
    scene: &mut Scene,
) -> Result<Vec<Shown<'a>>> {
    let mut shown: Vec<Shown<'a>> = Vec::new();
    let mut known: BTreeMap<(u32, Vec<u32>), usize> = BTreeMap::new();
    for node in &file.nodes {
        let (Some(mesh), Some(place)) = (node.mesh.as_ref(), nodes::index(node)) else { continue };
        let mesh: &ufbx::Mesh = mesh;
        let materials = if node.materials.is_empty() { &mesh.materials } else { &node.materials };
        let materials: Vec<u32> = materials.into_iter().map(|m| m.element.typed_id).collect();
        let key = (mesh.element.typed_id, materials);
        let at = match known.get(&key) {
            Some(at) => *at,
            None => {
                let (made, points) = build(mesh, &key.1, looks, counter, scene)?;
                scene.meshes.push(made);
                shown.push(Shown { mesh, nodes: Vec::new(), points });
                known.insert(key, shown.len() - 1);
                shown.len() - 1
            }
        };
        if let (Some(node), Some(shown)) = (scene.nodes.get_mut(place), shown.get_mut(at)) {
            node.mesh = Some(at);
            shown.nodes.push(place);
        }
    }
    Ok(shown)
}

/// A mesh with these materials, and the control points of its vertices.
fn build(
    mesh: &ufbx::Mesh,
    materials: &[u32],
    looks: &Looks,
    counter: &mut Counter,
    scene: &mut Scene,
) -> Result<(Mesh, Vec<Vec<u32>>)> {
    counter.triangles(mesh.num_triangles)?;
    let called = mesh_name(mesh);
    let dropped = mesh.num_empty_faces + mesh.num_point_faces + mesh.num_line_faces;
    if dropped > 0 {
        let message =
            format!("the file has {dropped} faces with less than three corners, which are left out");
        scene.warn("degenerate_face_dropped", message);
    }
    let mut made = Mesh { name: called.clone(), ..Mesh::default() };
    let mut points = Vec::new();
    for (slot, corners) in corners(mesh, counter)? {
        let vertices = Vertices::new(mesh, &corners)?;
        let sets = 12 * 3 + 4 + 8 * mesh.uv_sets.len() as u64 + 16 * mesh.color_sets.len() as u64;
        counter.take(vertices.points.len(), sets)?;
        let material = materials.get(slot as usize).and_then(|m| looks.material(*m));
        let mut primitive = vertices.primitive(mesh, material);
        morph::read(mesh, &vertices.points, counter, &mut primitive)?;
        repair::primitive(&format!("mesh \"{called}\""), &mut primitive, scene)?;
        made.primitives.push(primitive);
        points.push(vertices.points);
    }
    (made.morph_names, made.morph_weights) = morph::names_and_weights(mesh);
    Ok((made, points))
}

/// The mesh's own name, else that of the first node that shows it.
fn mesh_name(mesh: &ufbx::Mesh) -> String {
    let node = mesh.element.instances.into_iter().find(|n| index(n).is_some());
    let own: &str = &mesh.element.name;
    if own.is_empty() { node.map_or("", |n| &n.element.name) } else { own }.to_owned()
}

/// Corners of the triangles of each material slot, in the order of the file.
fn corners(mesh: &ufbx::Mesh, counter: &mut Counter) -> Result<BTreeMap<u32, Vec<u32>>> {
    counter.take(mesh.num_triangles, 3 * 4)?;
    let mut slots: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut triangles = Vec::new();
    for (index, face) in mesh.faces.iter().enumerate() {
        if face.num_indices < 3 {
            continue;
        }
        // A slot that no material fills is all one.
        let slot = mesh.face_material.get(index).copied().unwrap_or(0).min(mesh.materials.len() as u32);
        let corners = slots.entry(slot).or_default();
        if face.num_indices == 3 {
            corners.extend(face.index_begin..face.index_begin + 3);
            continue;
        }
        let needed = (face.num_indices as usize - 2) * 3;
        if needed > mesh.max_face_triangles.saturating_mul(3) {
            return Err(Error::new(Code::CorruptFile, "a polygon of the FBX file contradicts its mesh"));
        }
        triangles.resize(needed, 0);
        let count = ufbx::triangulate_face(&mut triangles, mesh, *face) as usize;
        corners.extend(triangles.iter().take(count * 3));
    }
    Ok(slots)
}
