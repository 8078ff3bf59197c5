//! What can be mended is mended, and said; what cannot is refused.

use crate::scene::{Influences, Primitive, Scene};
use crate::{Code, Error, Result};

/// Mends a primitive; its indices are in range.
pub(crate) fn primitive(mesh: &str, primitive: &mut Primitive, scene: &mut Scene) -> Result<()> {
    positions(mesh, primitive, scene)?;
    let Primitive { positions, normals, tangents, uvs, colors, indices, morphs, influences, .. } = primitive;
    if let Some(normals) = normals {
        let bad = unit_normals(normals, positions, indices);
        say(scene, "normals_repaired", mesh, bad, "normals that are no unit vectors");
    }
    if let Some(tangents) = tangents {
        let bad = unit_tangents(tangents);
        say(scene, "tangents_repaired", mesh, bad, "tangents that are no unit vectors");
    }
    let bad: usize = uvs.iter_mut().map(|set| zero_non_finite(set)).sum();
    say(scene, "uvs_repaired", mesh, bad, "texture coordinates that are not finite");
    let bad: usize = colors.iter_mut().map(|set| zero_non_finite(set)).sum();
    say(scene, "colors_repaired", mesh, bad, "colours that are not finite");
    let bad: usize = morphs
        .iter_mut()
        .map(|m| {
            zero_non_finite(&mut m.positions)
                + zero_non_finite(&mut m.normals)
                + zero_non_finite(&mut m.tangents)
        })
        .sum();
    say(scene, "morphs_repaired", mesh, bad, "morph target values that are not finite");
    if let Some(influences) = influences {
        let bad = normalise(influences);
        say(scene, "weights_repaired", mesh, bad, "vertices whose skin weights do not sum to 1");
    }
    Ok(())
}

fn say(scene: &mut Scene, code: &str, mesh: &str, count: usize, what: &str) {
    if count > 0 {
        scene.warn(code, format!("{mesh} had {count} {what}"));
    }
}

/// Refuses positions that a triangle uses and that are not finite; sets unused ones to zero.
fn positions(mesh: &str, primitive: &mut Primitive, scene: &mut Scene) -> Result<()> {
    let bad = |p: &[f32; 3]| !p.iter().all(|x| x.is_finite());
    let count = primitive.positions.iter().filter(|p| bad(p)).count();
    if count == 0 {
        return Ok(());
    }
    let used = |i: &&u32| primitive.positions.get(**i as usize).is_some_and(bad);
    if let Some(index) = primitive.indices.iter().find(used) {
        return Err(Error::new(
            Code::NonFinitePositions,
            format!(
                "{mesh} has {count} positions that are NaN or infinite, the first in use at vertex {index}"
            ),
        ));
    }
    for position in primitive.positions.iter_mut().filter(|p| bad(p)) {
        *position = [0.0; 3];
    }
    say(scene, "positions_repaired", mesh, count, "unused positions that are NaN or infinite");
    Ok(())
}

fn zero_non_finite<const N: usize>(values: &mut [[f32; N]]) -> usize {
    let mut bad = 0;
    for value in values {
        if !value.iter().all(|x| x.is_finite()) {
            bad += 1;
            for x in value.iter_mut().filter(|x| !x.is_finite()) {
                *x = 0.0;
            }
        }
    }
    bad
}

/// How far from 1 a length may be before it is mended; eight-bit normals are within it.
const UNIT_TOLERANCE: f64 = 6e-3;

fn length(v: [f32; 3]) -> f64 {
    let [x, y, z] = v.map(f64::from);
    (x * x + y * y + z * z).sqrt()
}

fn scaled(v: [f32; 3], by: f64) -> [f32; 3] {
    v.map(|x| (f64::from(x) * by) as f32)
}

fn is_unit(v: [f32; 3]) -> bool {
    (length(v) - 1.0).abs() <= UNIT_TOLERANCE
}

fn unit_normals(normals: &mut [[f32; 3]], positions: &[[f32; 3]], indices: &[u32]) -> usize {
    let mut bad = 0;
    let mut lost = Vec::new();
    for (at, normal) in normals.iter_mut().enumerate() {
        if is_unit(*normal) {
            continue;
        }
        bad += 1;
        let length = length(*normal);
        if length > 1e-20 && length.is_finite() {
            *normal = scaled(*normal, 1.0 / length);
        } else {
            *normal = [0.0; 3];
            lost.push(at);
        }
    }
    if !lost.is_empty() {
        let from_faces = crate::scene::vertex_normals(positions, indices);
        for at in lost {
            if let (Some(slot), Some(normal)) = (normals.get_mut(at), from_faces.get(at)) {
                *slot = *normal;
            }
        }
    }
    bad
}

fn unit_tangents(tangents: &mut [[f32; 4]]) -> usize {
    let mut bad = 0;
    for tangent in tangents {
        let [x, y, z, w] = *tangent;
        let good_sign = w == 1.0 || w == -1.0;
        if is_unit([x, y, z]) && good_sign {
            continue;
        }
        bad += 1;
        let length = length([x, y, z]);
        let [x, y, z] = if length > 1e-20 && length.is_finite() {
            scaled([x, y, z], 1.0 / length)
        } else {
            [1.0, 0.0, 0.0]
        };
        *tangent = [x, y, z, if w < 0.0 { -1.0 } else { 1.0 }];
    }
    bad
}

/// Makes the weights of each vertex sum to 1; a vertex without any follows its first joint.
fn normalise(influences: &mut Influences) -> usize {
    let k = influences.per_vertex.max(1);
    let mut bad = 0;
    for weights in influences.weights.chunks_mut(k) {
        let mut off = false;
        for weight in weights.iter_mut().filter(|w| !(w.is_finite() && **w >= 0.0)) {
            *weight = 0.0;
            off = true;
        }
        let sum: f64 = weights.iter().map(|w| f64::from(*w)).sum();
        if sum > 0.0 {
            off |= (sum - 1.0).abs() > 1e-3;
            weights.iter_mut().for_each(|w| *w = (f64::from(*w) / sum) as f32);
        } else if let Some(first) = weights.first_mut() {
            *first = 1.0;
            off = true;
        }
        bad += usize::from(off);
    }
    bad
}
