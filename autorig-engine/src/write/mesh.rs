//! Meshes as glTF JSON.

use serde_json::{Map, Value, json};

use super::buffer::Buffer;
use super::material;
use super::skin::Sets;
use super::value::{inconsistent, number};
use crate::Result;
use crate::scene::{Mesh, Primitive, Scene};

/// A mesh with the influences of its primitives, if any; `None` when it has no triangle.
pub(super) fn mesh(
    scene: &Scene,
    mesh: &Mesh,
    sets: Option<&[Sets]>,
    buffer: &mut Buffer,
) -> Result<Option<Value>> {
    let mut primitives = Vec::with_capacity(mesh.primitives.len());
    for (index, primitive) in mesh.primitives.iter().enumerate() {
        if primitive.indices.is_empty() || primitive.positions.is_empty() {
            continue;
        }
        let sets = match sets {
            Some(sets) => Some(sets.get(index).ok_or_else(|| inconsistent("a primitive has no influences"))?),
            None => None,
        };
        primitives.push(write_primitive(scene, primitive, sets, buffer)?);
    }
    if primitives.is_empty() {
        return Ok(None);
    }
    let mut out = Map::new();
    if !mesh.name.is_empty() {
        out.insert("name".into(), mesh.name.as_str().into());
    }
    out.insert("primitives".into(), primitives.into());
    let targets = mesh.primitives.iter().map(|p| p.morphs.len()).max().unwrap_or(0);
    let mut extras = match &mesh.extras {
        Some(Value::Object(map)) => Some(map.clone()),
        _ => None,
    };
    if targets > 0 {
        let mut weights = mesh.morph_weights.clone();
        weights.resize(targets, 0.0);
        out.insert("weights".into(), weights.iter().map(|w| number(*w)).collect());
        if !mesh.morph_names.is_empty() {
            let mut names = mesh.morph_names.clone();
            names.resize(targets, String::new());
            extras.get_or_insert_default().insert("targetNames".into(), json!(names));
        }
    }
    if let Some(extras) = extras {
        out.insert("extras".into(), extras.into());
    } else if let Some(extras) = &mesh.extras {
        out.insert("extras".into(), extras.clone());
    }
    Ok(Some(out.into()))
}

fn write_primitive(
    scene: &Scene,
    primitive: &Primitive,
    sets: Option<&Sets>,
    buffer: &mut Buffer,
) -> Result<Value> {
    check(primitive)?;
    let count = primitive.positions.len();
    let mut attributes = Map::new();
    attributes.insert("POSITION".into(), buffer.positions(&primitive.positions)?.into());
    if let Some(normals) = &primitive.normals {
        attributes.insert("NORMAL".into(), buffer.floats(normals)?.into());
    }
    if let Some(tangents) = &primitive.tangents {
        attributes.insert("TANGENT".into(), buffer.floats(tangents)?.into());
    }
    for (set, uvs) in primitive.uvs.iter().enumerate() {
        attributes.insert(format!("TEXCOORD_{set}"), buffer.floats(uvs)?.into());
    }
    let material = match primitive.material {
        Some(index) => Some((
            index,
            scene.materials.get(index).ok_or_else(|| inconsistent("a material does not exist"))?,
        )),
        None => None,
    };
    // A textured material on a mesh without coordinates shows the texture's first pixel everywhere; zeros
    // say the same in a way every reader accepts.
    let needed = material.map_or(0, |(_, material)| material::uv_sets(material));
    for set in primitive.uvs.len()..needed {
        attributes.insert(format!("TEXCOORD_{set}"), buffer.zeros::<2>(count).into());
    }
    for (set, colors) in primitive.colors.iter().enumerate() {
        attributes.insert(format!("COLOR_{set}"), buffer.colors(colors)?.into());
    }
    if let Some(sets) = sets {
        sets.write(count, buffer, &mut attributes)?;
    }
    let mut out = Map::new();
    out.insert("attributes".into(), attributes.into());
    out.insert("indices".into(), buffer.indices(&primitive.indices, count).into());
    if let Some((index, _)) = material {
        out.insert("material".into(), index.into());
    }
    let targets = targets(primitive, buffer)?;
    if !targets.is_empty() {
        out.insert("targets".into(), targets.into());
    }
    material::extensions(&mut out, &primitive.extensions);
    if let Some(extras) = &primitive.extras {
        out.insert("extras".into(), extras.clone());
    }
    Ok(out.into())
}

fn targets(primitive: &Primitive, buffer: &mut Buffer) -> Result<Vec<Value>> {
    let mut out = Vec::with_capacity(primitive.morphs.len());
    for morph in &primitive.morphs {
        let mut target = Map::new();
        if !morph.positions.is_empty() {
            target.insert("POSITION".into(), buffer.deltas(&morph.positions, true)?.into());
        }
        if !morph.normals.is_empty() && primitive.normals.is_some() {
            target.insert("NORMAL".into(), buffer.deltas(&morph.normals, false)?.into());
        }
        if !morph.tangents.is_empty() && primitive.tangents.is_some() {
            target.insert("TANGENT".into(), buffer.deltas(&morph.tangents, false)?.into());
        }
        if target.is_empty() {
            target.insert("POSITION".into(), buffer.zeros::<3>(primitive.positions.len()).into());
        }
        out.push(target.into());
    }
    Ok(out)
}

/// Array lengths and indices, which scenes made by programs may get wrong.
fn check(primitive: &Primitive) -> Result<()> {
    let count = primitive.positions.len();
    let fits = |len: usize| len == count;
    let fits_or_empty = |len: usize| len == count || len == 0;
    let good = u32::try_from(count).is_ok()
        && primitive.normals.as_ref().is_none_or(|v| fits(v.len()))
        && primitive.tangents.as_ref().is_none_or(|v| fits(v.len()))
        && primitive.uvs.iter().all(|v| fits(v.len()))
        && primitive.colors.iter().all(|v| fits(v.len()))
        && primitive.morphs.iter().all(|m| {
            fits_or_empty(m.positions.len())
                && fits_or_empty(m.normals.len())
                && fits_or_empty(m.tangents.len())
        });
    if !good {
        return Err(inconsistent("a vertex attribute has another length than the positions"));
    }
    let top = primitive.indices.iter().copied().max().unwrap_or(0);
    if !primitive.indices.len().is_multiple_of(3) || top as usize >= count {
        return Err(inconsistent("a triangle refers to a vertex that does not exist"));
    }
    Ok(())
}
