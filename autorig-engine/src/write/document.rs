//! The whole GLB: nodes, sections, container.

use std::collections::BTreeSet;

use glam::DMat4;
use serde_json::{Map, Value, json};

use super::buffer::Buffer;
use super::skin::Sets;
use super::value::{inconsistent, number};
use super::{Skinned, clip, material, mesh, skin};
use crate::scene::Scene;
use crate::{Code, Error, Result};

/// A scene with its hierarchy.
pub(super) fn scene(scene: &Scene) -> Result<Vec<u8>> {
    let mut buffer = Buffer::default();
    let (meshes, places) = write_meshes(scene, None, &mut buffer)?;
    let mut nodes = Vec::with_capacity(scene.nodes.len());
    for node in &scene.nodes {
        let mut out = Map::new();
        if !node.name.is_empty() {
            out.insert("name".into(), node.name.as_str().into());
        }
        if node.local != DMat4::IDENTITY {
            out.insert("matrix".into(), json!(node.local.to_cols_array()));
        }
        if node.children.iter().any(|child| *child >= scene.nodes.len()) {
            return Err(inconsistent("a node has a child that does not exist"));
        }
        if !node.children.is_empty() {
            out.insert("children".into(), json!(node.children));
        }
        if let Some(index) = node.mesh {
            let place =
                places.get(index).ok_or_else(|| inconsistent("a node has a mesh that does not exist"))?;
            if let Some(place) = place {
                out.insert("mesh".into(), (*place).into());
                let has_targets = meshes.get(*place).is_some_and(|m| m.get("weights").is_some());
                if !node.morph_weights.is_empty() && has_targets {
                    let weights: Vec<Value> = node.morph_weights.iter().map(|w| number(*w)).collect();
                    out.insert("weights".into(), weights.into());
                }
            }
        }
        nodes.push(out.into());
    }
    if scene.roots.iter().any(|root| *root >= scene.nodes.len()) {
        return Err(inconsistent("a root does not exist"));
    }
    let parts =
        Parts { nodes, roots: scene.roots.clone(), meshes, skins: Vec::new(), animations: Vec::new() };
    finish(scene, parts, buffer)
}

/// A character with its bones, or a plain model where it has none.
pub(super) fn character(model: &Skinned<'_>) -> Result<Vec<u8>> {
    let scene = model.scene;
    let count = model.bones.len();
    if count > usize::from(u16::MAX) {
        return Err(inconsistent("the skeleton has too many joints"));
    }
    if scene.nodes.iter().any(|node| node.mesh.is_some() && node.local != DMat4::IDENTITY) {
        return Err(inconsistent("its nodes have transforms, which a skin would ignore"));
    }
    if count > 0 && model.influences.len() != scene.meshes.len() {
        return Err(inconsistent("there are not as many influences as meshes"));
    }
    let mut buffer = Buffer::default();
    let (meshes, places) = write_meshes(scene, (count > 0).then_some(model), &mut buffer)?;
    let taken: BTreeSet<&str> = model.bones.iter().map(|b| b.name.as_str()).collect();
    let mut nodes = Vec::with_capacity(scene.nodes.len() + count);
    let mut shown_by = vec![None; places.len()];
    for (index, place) in places.iter().enumerate() {
        let Some(place) = place else { continue };
        let mut out = Map::new();
        let name = mesh_node_name(scene, index, &taken);
        if !name.is_empty() {
            out.insert("name".into(), name.into());
        }
        out.insert("mesh".into(), (*place).into());
        if count > 0 {
            out.insert("skin".into(), 0.into());
        }
        if let Some(slot) = shown_by.get_mut(index) {
            *slot = Some(nodes.len());
        }
        nodes.push(Value::Object(out));
    }
    let first = nodes.len();
    let mut skins = Vec::new();
    if count > 0 {
        skins.push(skin::skin(model.bones, first, &mut nodes, &mut buffer)?);
    }
    let roots = (0..first + usize::from(count > 0)).collect();
    let stage = clip::Stage { first, joints: count, meshes: &scene.meshes, shown_by: &shown_by };
    let animations = clip::animations(model.clips, &stage, &mut buffer)?;
    finish(scene, Parts { nodes, roots, meshes, skins, animations }, buffer)
}

/// The name of the node a mesh stands on, made different from every joint's.
fn mesh_node_name(scene: &Scene, mesh: usize, taken: &BTreeSet<&str>) -> String {
    let node = scene.nodes.iter().find(|n| n.mesh == Some(mesh) && !n.name.is_empty());
    let own = scene.meshes.get(mesh).map(|m| m.name.clone()).unwrap_or_default();
    let name = node.map_or(own, |n| n.name.clone());
    if !taken.contains(name.as_str()) {
        return name;
    }
    let mut other = format!("{name}_mesh");
    while taken.contains(other.as_str()) {
        other.push('_');
    }
    other
}

/// Every mesh that has triangles, and where each of the scene's went.
type Meshes = (Vec<Value>, Vec<Option<usize>>);

fn write_meshes(scene: &Scene, model: Option<&Skinned<'_>>, buffer: &mut Buffer) -> Result<Meshes> {
    let (mut written, mut places) = (Vec::new(), Vec::with_capacity(scene.meshes.len()));
    for (index, mesh) in scene.meshes.iter().enumerate() {
        let sets = match model {
            Some(model) => {
                let influences = model.influences.get(index).map(Vec::as_slice).unwrap_or_default();
                let count = model.bones.len();
                Some(influences.iter().map(|i| Sets::new(i, count)).collect::<Result<Vec<_>>>()?)
            }
            None => None,
        };
        let out = mesh::mesh(scene, mesh, sets.as_deref(), buffer)?;
        places.push(out.is_some().then_some(written.len()));
        written.extend(out);
    }
    Ok((written, places))
}

/// What differs between the two kinds of document.
struct Parts {
    nodes: Vec<Value>,
    roots: Vec<usize>,
    meshes: Vec<Value>,
    skins: Vec<Value>,
    animations: Vec<Value>,
}

fn finish(scene: &Scene, parts: Parts, mut buffer: Buffer) -> Result<Vec<u8>> {
    let looks = material::sections(scene, &mut buffer);
    let mut root = Map::new();
    let mut asset = json!({"version": "2.0", "generator": concat!("AutoRig ", env!("CARGO_PKG_VERSION"))});
    if let (Some(copyright), Value::Object(asset)) = (&scene.copyright, &mut asset) {
        asset.insert("copyright".into(), copyright.as_str().into());
    }
    root.insert("asset".into(), asset);
    root.insert("scene".into(), 0.into());
    let mut shown = Map::new();
    if !parts.roots.is_empty() {
        shown.insert("nodes".into(), json!(parts.roots));
    }
    root.insert("scenes".into(), json!([shown]));
    let Buffer { bytes, views, accessors } = {
        buffer.pad();
        buffer
    };
    let buffers = if bytes.is_empty() { Vec::new() } else { vec![json!({"byteLength": bytes.len()})] };
    let sections = [
        ("nodes", parts.nodes),
        ("meshes", parts.meshes),
        ("skins", parts.skins),
        ("animations", parts.animations),
        ("accessors", accessors),
        ("bufferViews", views),
        ("buffers", buffers),
    ];
    for (key, list) in sections.into_iter().chain(looks) {
        // Empty lists are not allowed.
        if !list.is_empty() {
            root.insert(key.into(), list.into());
        }
    }
    material::extensions(&mut root, &scene.extensions);
    declare_extensions(scene, &mut root);
    pack(&sorted(root.into()), &bytes)
}

/// Lists the extensions that are really there.
fn declare_extensions(scene: &Scene, root: &mut Map<String, Value>) {
    let mut present = BTreeSet::new();
    for (key, value) in &*root {
        if key == "extensions" {
            present.extend(value.as_object().into_iter().flat_map(|e| e.keys().cloned()));
        }
        collect_extensions(value, &mut present);
    }
    let required: Vec<&String> = present.iter().filter(|e| scene.extensions_required.contains(e)).collect();
    let (used, required) = (json!(present), json!(required));
    for (key, list) in [("extensionsUsed", used), ("extensionsRequired", required)] {
        if list.as_array().is_some_and(|l| !l.is_empty()) {
            root.insert(key.into(), list);
        }
    }
}

fn collect_extensions(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| collect_extensions(v, found)),
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("extras", _) => {}
                    ("extensions", Value::Object(extensions)) => {
                        found.extend(extensions.keys().cloned());
                        extensions.values().for_each(|v| collect_extensions(v, found));
                    }
                    _ => collect_extensions(value, found),
                }
            }
        }
        _ => {}
    }
}

/// Keys in alphabetical order whatever map `serde_json` was built with, so that bytes do not depend on it.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().collect();
            pairs.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            pairs.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// The GLB container.
fn pack(json: &Value, bin: &[u8]) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec(json).map_err(|_| inconsistent("its JSON cannot be formed"))?;
    text.resize(text.len().next_multiple_of(4), b' ');
    let bin_chunk = if bin.is_empty() { 0 } else { 8 + bin.len() };
    let total = 12 + 8 + text.len() + bin_chunk;
    let too_big = |_| Error::new(Code::LimitMemory, "the result is larger than a GLB can be, 4 GB");
    let total = u32::try_from(total).map_err(too_big)?;
    let mut out = Vec::with_capacity(total as usize);
    out.extend_from_slice(b"glTF");
    for word in [2, total, text.len() as u32, 0x4E4F_534A] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&text);
    if !bin.is_empty() {
        for word in [bin.len() as u32, 0x004E_4942] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(bin);
    }
    Ok(out)
}
