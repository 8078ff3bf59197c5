//! The skin of a mesh: a cluster for every bone.

use glam::DMat4;

use super::combine::Combined;
use super::objects::Objects;
use super::skeleton::{Limb, matrix_record};
use super::tree::{Node, Property};
use crate::Result;
use crate::write::value::inconsistent;

/// Smaller weights are left out, as no reader can see them, and the rest of the vertex makes up for it.
const SMALLEST_WEIGHT: f64 = 1e-6;

/// Control points and weights of one bone.
type Cluster = (Vec<i32>, Vec<f64>);

/// Adds the skin of a mesh. Bones without weight get a cluster too: some readers know a bone's rest from its cluster alone.
pub(super) fn add(
    objects: &mut Objects,
    name: &str,
    mesh: &Combined<'_>,
    limbs: &[Limb],
    geometry: i64,
) -> Result<()> {
    let clusters = clusters(mesh, limbs.len())?;
    let (skin, record) = objects.begin("Deformer", name, "Deformer", "Skin");
    let record = record
        .child(Node::new("Version").i32(101))
        // The format's own spelling.
        .child(Node::new("Link_DeformAcuracy").f64(50.0))
        .child(Node::new("SkinningType").text("Linear"));
    objects.add("Deformer", record);
    objects.connect(skin, geometry);
    for (limb, (points, weights)) in limbs.iter().zip(clusters) {
        let (id, record) = objects.begin("Deformer", &limb.name, "SubDeformer", "Cluster");
        let mut record =
            record.child(Node::new("Version").i32(100)).child(Node::new("UserData").text("").text(""));
        if !points.is_empty() {
            record = record
                .child(Node::new("Indexes").with(Property::I32s(points)))
                .child(Node::new("Weights").with(Property::F64s(weights)));
        }
        // The mesh in the bone's frame; the mesh itself stands at the origin.
        let record = record
            .child(matrix_record("Transform", &limb.rest.inverse()))
            .child(matrix_record("TransformLink", &limb.rest))
            .child(matrix_record("TransformAssociateModel", &DMat4::IDENTITY));
        objects.add("Deformer", record);
        objects.connect(id, skin);
        objects.connect(limb.id, id);
    }
    Ok(())
}

fn clusters(mesh: &Combined<'_>, bones: usize) -> Result<Vec<Cluster>> {
    let mut clusters: Vec<Cluster> = vec![(Vec::new(), Vec::new()); bones];
    let mut places: Vec<(u16, f64)> = Vec::new();
    let mut parts = mesh.parts.iter().peekable();
    for (point, &vertex) in mesh.first.iter().enumerate() {
        let vertex = vertex as usize;
        // Control points come in the order of their vertices, so the parts are passed one after the other.
        while parts.peek().is_some_and(|p| vertex >= p.start + p.primitive.positions.len()) {
            parts.next();
        }
        let Some(influences) = parts.peek().and_then(|p| p.influences.map(|i| (i, vertex - p.start))) else {
            return Err(inconsistent("a vertex of a skinned mesh has no influences"));
        };
        let (influences, own) = influences;
        let range = own * influences.per_vertex..(own + 1) * influences.per_vertex;
        let joints = influences.joints.get(range.clone()).unwrap_or_default();
        let weights = influences.weights.get(range).unwrap_or_default();
        gather(joints, weights, &mut places)?;
        for (joint, weight) in &places {
            let cluster = clusters.get_mut(usize::from(*joint));
            let (points, weights) =
                cluster.ok_or_else(|| inconsistent("a vertex follows a bone that does not exist"))?;
            points.push(point as i32);
            weights.push(*weight);
        }
    }
    Ok(clusters)
}

/// The joints of a vertex, each once, with weights that sum to 1.
fn gather(joints: &[u16], weights: &[f32], places: &mut Vec<(u16, f64)>) -> Result<()> {
    places.clear();
    for (&joint, &weight) in joints.iter().zip(weights) {
        if !weight.is_finite() || weight < 0.0 {
            return Err(inconsistent("a skin weight is negative or not finite"));
        }
        match places.iter_mut().find(|p| p.0 == joint) {
            Some(place) => place.1 += f64::from(weight),
            None if weight > 0.0 => places.push((joint, f64::from(weight))),
            None => {}
        }
    }
    let heaviest = places.iter().map(|p| p.1).fold(0.0, f64::max);
    places.retain(|p| p.1 >= SMALLEST_WEIGHT * heaviest);
    let sum: f64 = places.iter().map(|p| p.1).sum();
    if sum <= 0.0 {
        return Err(inconsistent("a vertex follows no bone"));
    }
    places.iter_mut().for_each(|p| p.1 /= sum);
    Ok(())
}
