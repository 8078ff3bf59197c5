//! Morph targets as blend shapes.

use super::combine::Combined;
use super::names::Names;
use super::objects::Objects;
use super::rows::{self, properties70};
use super::tree::{Node, Property};
use crate::scene::{Mesh, Morph};

/// Adds a blend shape channel for each morph target of a mesh, and returns their ids.
pub(super) fn add(
    objects: &mut Objects,
    name: &str,
    mesh: &Mesh,
    combined: &Combined<'_>,
    geometry: i64,
) -> Vec<i64> {
    let count = combined.parts.iter().map(|p| p.primitive.morphs.len()).max().unwrap_or(0);
    if count == 0 {
        return Vec::new();
    }
    let mut channels = Vec::with_capacity(count);
    let (deformer, record) = objects.begin("Deformer", name, "Deformer", "BlendShape");
    objects.add("Deformer", record.child(Node::new("Version").i32(101)));
    objects.connect(deformer, geometry);
    let mut names = Names::default();
    for index in 0..count {
        let given = mesh.morph_names.get(index).map(String::as_str).unwrap_or_default();
        let name = names.unique(given, &format!("Shape{}", index + 1));
        let weight = mesh.morph_weights.get(index).copied().unwrap_or(0.0);
        let percent = f64::from(weight) * 100.0;
        let (channel, record) = objects.begin("Deformer", &name, "SubDeformer", "BlendShapeChannel");
        let record = record
            .child(Node::new("Version").i32(100))
            .child(properties70([rows::number("DeformPercent", percent)]))
            .child(Node::new("DeformPercent").f64(percent))
            .child(Node::new("FullWeights").with(Property::F64s(vec![100.0])));
        objects.add("Deformer", record);
        objects.connect(channel, deformer);
        let shape = add_shape(objects, &name, combined, index);
        objects.connect(shape, channel);
        channels.push(channel);
    }
    channels
}

/// The control points that a target moves, and by how much.
fn add_shape(objects: &mut Objects, name: &str, mesh: &Combined<'_>, index: usize) -> i64 {
    let (mut points, mut offsets, mut normals) = (Vec::new(), Vec::new(), Vec::new());
    let mut parts = mesh.parts.iter().peekable();
    for (point, &vertex) in mesh.first.iter().enumerate() {
        let vertex = vertex as usize;
        while parts.peek().is_some_and(|p| vertex >= p.start + p.primitive.positions.len()) {
            parts.next();
        }
        let Some((part, morph)) = parts.peek().and_then(|p| p.primitive.morphs.get(index).map(|m| (p, m)))
        else {
            continue;
        };
        let of = |list: fn(&Morph) -> &Vec<[f32; 3]>| {
            let delta = list(morph).get(vertex - part.start).copied().unwrap_or_default();
            delta.map(|x| if x.is_finite() { f64::from(x) + 0.0 } else { 0.0 })
        };
        let (offset, normal) = (of(|m| &m.positions), of(|m| &m.normals));
        if offset != [0.0; 3] || normal != [0.0; 3] {
            points.push(point as i32);
            offsets.extend(offset);
            normals.extend(normal);
        }
    }
    // Unity crashes on a shape without points.
    if points.is_empty() {
        points.push(0);
        offsets.extend([0.0; 3]);
        normals.extend([0.0; 3]);
    }
    let (id, record) = objects.begin("Geometry", name, "Geometry", "Shape");
    let record = record
        .child(Node::new("Properties70"))
        .child(Node::new("Version").i32(100))
        .child(Node::new("Indexes").with(Property::I32s(points)))
        .child(Node::new("Vertices").with(Property::F64s(offsets)))
        .child(Node::new("Normals").with(Property::F64s(normals)));
    objects.add("Geometry", record);
    id
}
