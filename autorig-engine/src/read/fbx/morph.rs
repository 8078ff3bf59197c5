//! Blend shapes as morph targets.

use super::counter::Counter;
use super::number::{single, singles};
use crate::Result;
use crate::scene::{Morph, Primitive};

/// The channels of all blend shape deformers of a mesh that have a shape.
pub(super) fn channels(mesh: &ufbx::Mesh) -> impl Iterator<Item = (&ufbx::BlendChannel, &ufbx::BlendShape)> {
    let channels = mesh.blend_deformers.into_iter().flat_map(|d| &d.channels);
    channels.filter_map(|channel| channel.target_shape.as_ref().map(|shape| (channel, &**shape)))
}

/// Names and weights of a mesh's targets.
pub(super) fn names_and_weights(mesh: &ufbx::Mesh) -> (Vec<String>, Vec<f32>) {
    let one = |(channel, shape): (&ufbx::BlendChannel, &ufbx::BlendShape)| {
        let own: &str = &channel.element.name;
        let weight = single(channel.weight);
        let weight = if weight.is_finite() { weight } else { 0.0 };
        (if own.is_empty() { &shape.element.name } else { own }.to_owned(), weight)
    };
    channels(mesh).map(one).unzip()
}

/// Adds the targets to a primitive whose vertices have these control points.
pub(super) fn read(
    mesh: &ufbx::Mesh,
    points: &[u32],
    counter: &mut Counter,
    primitive: &mut Primitive,
) -> Result<()> {
    // The place of a control point's offset in the shape at hand, plus one.
    let mut places = vec![0u32; if mesh.blend_deformers.is_empty() { 0 } else { mesh.num_vertices }];
    for (_, shape) in channels(mesh) {
        counter.take(points.len(), 12)?;
        for (place, vertex) in (1..).zip(&shape.offset_vertices) {
            if let Some(slot) = places.get_mut(*vertex as usize) {
                *slot = place;
            }
        }
        let of = |offsets: &[ufbx::Vec3]| -> Vec<[f32; 3]> {
            let one = |point: &u32| {
                let place = places.get(*point as usize).copied().unwrap_or(0);
                let offset = (place as usize).checked_sub(1).and_then(|p| offsets.get(p));
                offset.map(singles).unwrap_or_default()
            };
            points.iter().map(one).collect()
        };
        let mut morph = Morph { positions: of(&shape.position_offsets), ..Morph::default() };
        let turns = shape.normal_offsets.iter().any(|n| singles(n) != [0.0; 3]);
        if turns && primitive.normals.is_some() {
            counter.take(points.len(), 12)?;
            morph.normals = of(&shape.normal_offsets);
        }
        primitive.morphs.push(morph);
        for vertex in &shape.offset_vertices {
            if let Some(slot) = places.get_mut(*vertex as usize) {
                *slot = 0;
            }
        }
    }
    Ok(())
}
