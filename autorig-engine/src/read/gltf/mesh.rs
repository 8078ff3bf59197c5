//! Meshes: primitives, morph targets, input influences.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::accessor::Accessors;
use super::graph::finite_or_zero;
use super::json::{MeshDef, PrimitiveDef, Root, corrupt, label};
use crate::read::repair;
use crate::scene::{Influences, Mesh, Morph, Primitive, Scene};
use crate::{Code, Error, Limits, Result};

/// Reads every mesh.
pub(super) fn read(root: &Root, accessors: &Accessors<'_>, limits: &Limits, scene: &mut Scene) -> Result<()> {
    check_triangles(root, accessors, limits)?;
    for (index, def) in root.meshes.iter().enumerate() {
        let mesh = read_mesh(root, accessors, index, def, scene)?;
        scene.meshes.push(mesh);
    }
    Ok(())
}

/// Counts triangles from what accessors declare, before anything is read.
fn check_triangles(root: &Root, accessors: &Accessors<'_>, limits: &Limits) -> Result<()> {
    let mut total = 0u64;
    for primitive in root.meshes.iter().flat_map(|m| &m.primitives) {
        let corners = match (primitive.indices, attribute(&primitive.attributes, "POSITION")) {
            (Some(accessor), _) | (None, Some(accessor)) => accessors.count(accessor)?,
            (None, None) => 0,
        };
        let triangles = match primitive.mode.unwrap_or(4) {
            4 => corners / 3,
            5 | 6 => corners.saturating_sub(2),
            _ => 0,
        };
        total = total.saturating_add(triangles);
    }
    if total > limits.triangles {
        let message = format!("the model has {total} triangles; at most {} are accepted", limits.triangles);
        return Err(Error::new(Code::LimitTriangles, message));
    }
    Ok(())
}

fn attribute(attributes: &Map<String, Value>, name: &str) -> Option<usize> {
    usize::try_from(attributes.get(name)?.as_u64()?).ok()
}

fn read_mesh(
    root: &Root,
    accessors: &Accessors<'_>,
    index: usize,
    def: &MeshDef,
    scene: &mut Scene,
) -> Result<Mesh> {
    let name = label("mesh", index, def.name.as_deref());
    let targets = def.primitives.first().map_or(0, |p| p.targets.len());
    let mut primitives = Vec::with_capacity(def.primitives.len());
    let shared = shared_positions(def);
    for primitive in &def.primitives {
        if let Some(material) = primitive.material.filter(|&m| m >= root.materials.len()) {
            let count = root.materials.len();
            return Err(corrupt(format!("{name} refers to material {material}, but there are only {count}")));
        }
        if let Some(mut read) = read_primitive(accessors, &name, primitive, scene)? {
            if read.morphs.len() != targets {
                scene.warn("morphs_differ", format!("the parts of {name} have different morph targets"));
                read.morphs.resize_with(targets, Morph::default);
            }
            if attribute(&primitive.attributes, "POSITION").is_some_and(|p| shared.contains(&p)) {
                keep_used(&mut read);
            }
            primitives.push(read);
        }
    }
    let (morph_names, extras) = split_extras(def.extras.as_ref(), targets);
    let mut morph_weights: Vec<f32> = def.weights.iter().map(|w| finite_or_zero(*w)).collect();
    morph_weights.resize(targets, 0.0);
    Ok(Mesh { name: def.name.clone().unwrap_or_default(), primitives, morph_names, morph_weights, extras })
}

/// Positions that several parts of a mesh draw from, as writers do that split by material.
fn shared_positions(mesh: &MeshDef) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let positions = mesh.primitives.iter().filter_map(|p| attribute(&p.attributes, "POSITION"));
    positions.filter(|p| !seen.insert(*p)).collect()
}

/// Leaves a part the vertices it uses, in their order: else each part of a shared mesh would carry all of them.
fn keep_used(primitive: &mut Primitive) {
    let mut used = vec![false; primitive.positions.len()];
    for &index in &primitive.indices {
        if let Some(slot) = used.get_mut(index as usize) {
            *slot = true;
        }
    }
    if used.iter().all(|u| *u) {
        return;
    }
    let mut places = Vec::with_capacity(used.len());
    let mut next = 0u32;
    for &used in &used {
        places.push(next);
        next += u32::from(used);
    }
    for index in &mut primitive.indices {
        *index = places.get(*index as usize).copied().unwrap_or(0);
    }
    retain(&mut primitive.positions, &used, 1);
    primitive.normals.iter_mut().for_each(|v| retain(v, &used, 1));
    primitive.tangents.iter_mut().for_each(|v| retain(v, &used, 1));
    primitive.uvs.iter_mut().for_each(|v| retain(v, &used, 1));
    primitive.colors.iter_mut().for_each(|v| retain(v, &used, 1));
    for morph in &mut primitive.morphs {
        for list in [&mut morph.positions, &mut morph.normals, &mut morph.tangents] {
            retain(list, &used, 1);
        }
    }
    if let Some(influences) = &mut primitive.influences {
        retain(&mut influences.joints, &used, influences.per_vertex);
        retain(&mut influences.weights, &used, influences.per_vertex);
    }
}

/// Keeps the values of used vertices, `per_vertex` each.
fn retain<T>(values: &mut Vec<T>, used: &[bool], per_vertex: usize) {
    let mut at = 0;
    values.retain(|_| {
        let keep = used.get(at / per_vertex.max(1)).copied().unwrap_or(false);
        at += 1;
        keep
    });
}

/// Takes `targetNames` out of a mesh's extras.
fn split_extras(extras: Option<&Value>, targets: usize) -> (Vec<String>, Option<Value>) {
    let Some(Value::Object(map)) = extras else { return (Vec::new(), extras.cloned()) };
    let mut map = map.clone();
    let names = match map.remove("targetNames") {
        Some(Value::Array(names)) => {
            names.iter().take(targets).map(|n| n.as_str().unwrap_or_default().to_owned()).collect()
        }
        _ => Vec::new(),
    };
    (names, (!map.is_empty()).then_some(Value::Object(map)))
}

/// Reads a primitive; `None` for what holds no triangle.
fn read_primitive(
    accessors: &Accessors<'_>,
    mesh: &str,
    def: &PrimitiveDef,
    scene: &mut Scene,
) -> Result<Option<Primitive>> {
    let mode = def.mode.unwrap_or(4);
    if mode < 4 {
        let what = if mode == 0 { "points" } else { "lines" };
        scene.warn("no_triangles_dropped", format!("{mesh} has {what}, which are left out"));
        return Ok(None);
    }
    if mode > 6 {
        return Err(corrupt(format!("{mesh} has primitives of unknown mode {mode}")));
    }
    let Some(position) = attribute(&def.attributes, "POSITION") else {
        scene.warn("no_triangles_dropped", format!("{mesh} has a part without positions, which is left out"));
        return Ok(None);
    };
    let positions = accessors.floats::<3>(position)?;
    let indices = read_indices(accessors, mesh, def, mode, positions.len(), scene)?;
    if indices.is_empty() {
        scene.warn("no_triangles_dropped", format!("{mesh} has a part without triangles, which is left out"));
        return Ok(None);
    }
    let mut primitive = Primitive {
        positions,
        indices,
        material: def.material,
        extras: def.extras.clone(),
        ..Primitive::default()
    };
    if let Some(variants) = def.extensions.get("KHR_materials_variants") {
        primitive.extensions.insert("KHR_materials_variants".to_owned(), variants.clone());
    }
    read_attributes(accessors, mesh, def, &mut primitive)?;
    read_morphs(accessors, mesh, def, &mut primitive)?;
    repair::primitive(mesh, &mut primitive, scene)?;
    Ok(Some(primitive))
}

fn read_attributes(
    accessors: &Accessors<'_>,
    mesh: &str,
    def: &PrimitiveDef,
    primitive: &mut Primitive,
) -> Result<()> {
    let count = primitive.positions.len();
    let find = |name: &str| attribute(&def.attributes, name);
    if let Some(accessor) = find("NORMAL") {
        primitive.normals = Some(same_length(accessors.floats(accessor)?, count, mesh, "NORMAL")?);
    }
    if let Some(accessor) = find("TANGENT") {
        primitive.tangents = Some(same_length(accessors.floats(accessor)?, count, mesh, "TANGENT")?);
    }
    for set in 0.. {
        let name = format!("TEXCOORD_{set}");
        let Some(accessor) = find(&name) else { break };
        primitive.uvs.push(same_length(accessors.floats(accessor)?, count, mesh, &name)?);
    }
    for set in 0.. {
        let name = format!("COLOR_{set}");
        let Some(accessor) = find(&name) else { break };
        primitive.colors.push(same_length(accessors.colors(accessor)?, count, mesh, &name)?);
    }
    let mut sets = Vec::new();
    for set in 0.. {
        let (joints, weights) = (format!("JOINTS_{set}"), format!("WEIGHTS_{set}"));
        let (Some(j), Some(w)) = (find(&joints), find(&weights)) else { break };
        sets.push((
            same_length(accessors.uints::<4>(j)?, count, mesh, &joints)?,
            same_length(accessors.floats::<4>(w)?, count, mesh, &weights)?,
        ));
    }
    primitive.influences = interleave(&sets, count, mesh)?;
    Ok(())
}

fn same_length<T>(values: Vec<T>, count: usize, mesh: &str, what: &str) -> Result<Vec<T>> {
    if values.len() == count {
        Ok(values)
    } else {
        Err(corrupt(format!("{mesh} has {count} positions, but {} of {what}", values.len())))
    }
}

type InfluenceSet = (Vec<[u32; 4]>, Vec<[f32; 4]>);

/// `JOINTS_n` and `WEIGHTS_n` side by side, four places a set.
fn interleave(sets: &[InfluenceSet], count: usize, mesh: &str) -> Result<Option<Influences>> {
    if sets.is_empty() {
        return Ok(None);
    }
    let per_vertex = sets.len() * 4;
    let mut joints = Vec::with_capacity(count * per_vertex);
    let mut weights = Vec::with_capacity(count * per_vertex);
    for vertex in 0..count {
        for (set_joints, set_weights) in sets {
            let (Some(j), Some(w)) = (set_joints.get(vertex), set_weights.get(vertex)) else { continue };
            for &joint in j {
                let joint = u16::try_from(joint)
                    .map_err(|_| corrupt(format!("{mesh} has joint {joint} at vertex {vertex}")))?;
                joints.push(joint);
            }
            weights.extend_from_slice(w);
        }
    }
    Ok(Some(Influences { per_vertex, joints, weights }))
}

fn read_morphs(
    accessors: &Accessors<'_>,
    mesh: &str,
    def: &PrimitiveDef,
    primitive: &mut Primitive,
) -> Result<()> {
    let count = primitive.positions.len();
    for target in &def.targets {
        let read = |name: &str| -> Result<Vec<[f32; 3]>> {
            match attribute(target, name) {
                Some(accessor) => {
                    same_length(accessors.floats(accessor)?, count, mesh, &format!("morph {name}"))
                }
                None => Ok(Vec::new()),
            }
        };
        primitive.morphs.push(Morph {
            positions: read("POSITION")?,
            normals: read("NORMAL")?,
            tangents: read("TANGENT")?,
        });
    }
    Ok(())
}

/// The triangles' vertex indices, each checked; strips and fans become triangles.
fn read_indices(
    accessors: &Accessors<'_>,
    mesh: &str,
    def: &PrimitiveDef,
    mode: u64,
    count: usize,
    scene: &mut Scene,
) -> Result<Vec<u32>> {
    let mut indices: Vec<u32> = match def.indices {
        Some(accessor) => accessors.uints::<1>(accessor)?.into_iter().map(|[i]| i).collect(),
        None => {
            let count = u32::try_from(count).map_err(|_| corrupt(format!("{mesh} has too many vertices")))?;
            accessors.budget().charge(u64::from(count), 4)?;
            (0..count).collect()
        }
    };
    let top = indices.iter().copied().max().unwrap_or(0);
    if !indices.is_empty() && top as usize >= count {
        return Err(corrupt(format!("{mesh} has a triangle at vertex {top}, but only {count} vertices")));
    }
    match mode {
        5 => {
            let strip = |(i, w): (usize, &[u32])| match (w, i % 2) {
                ([a, b, c], 0) => [*a, *b, *c],
                ([a, b, c], _) => [*b, *a, *c],
                _ => [0; 3],
            };
            Ok(indices.windows(3).enumerate().flat_map(strip).collect())
        }
        6 => {
            let Some((&hub, rim)) = indices.split_first() else { return Ok(indices) };
            let fan = |w: &[u32]| match w {
                [a, b] => [hub, *a, *b],
                _ => [hub; 3],
            };
            Ok(rim.windows(2).flat_map(fan).collect())
        }
        _ => {
            if !indices.len().is_multiple_of(3) {
                scene.warn("incomplete_triangle", format!("{mesh} ends with an incomplete triangle"));
                indices.truncate(indices.len() / 3 * 3);
            }
            Ok(indices)
        }
    }
}
