//! glTF 2.0, as JSON or binary.

mod accessor;
mod animation;
mod buffers;
mod container;
mod extensions;
mod graph;
mod json;
mod material;
mod mesh;
mod unpack;

use self::accessor::Accessors;
use self::buffers::Buffers;
use self::json::{Root, corrupt};
use super::siblings::Resolver;
use crate::scene::{Format, Scene};
use crate::{Code, Error, Limits, Result};

pub(crate) use self::container::MAGIC;

/// Reads a GLB.
pub(crate) fn read_glb(bytes: &[u8], resolver: &Resolver<'_>, limits: &Limits) -> Result<Scene> {
    let chunks = container::split(bytes)?;
    read_root(json::parse(chunks.json)?, chunks.bin, Format::Glb, resolver, limits)
}

/// Reads glTF JSON.
pub(crate) fn read_json(text: &[u8], resolver: &Resolver<'_>, limits: &Limits) -> Result<Scene> {
    read_root(json::parse(text)?, None, Format::Gltf, resolver, limits)
}

fn read_root(
    mut root: Root,
    bin: Option<&[u8]>,
    format: Format,
    resolver: &Resolver<'_>,
    limits: &Limits,
) -> Result<Scene> {
    check_version(&root)?;
    extensions::check_required(&root)?;
    check_counts(&root, limits)?;
    let is_vrm = root.extensions_used.iter().any(|e| e == "VRM" || e == "VRMC_vrm");
    let mut scene = Scene {
        format: if is_vrm { Format::Vrm } else { format },
        copyright: root.asset.as_ref().and_then(|a| a.copyright.clone()),
        ..Scene::default()
    };
    graph::read(&root, &mut scene)?;
    let mut buffers = Buffers::load(&root, bin, resolver)?;
    unpack::unpack(&mut root, &mut buffers, limits)?;
    let root = &root;
    let accessors = Accessors::new(root, &buffers, limits);
    mesh::read(root, &accessors, limits, &mut scene)?;
    graph::read_skins(root, &accessors, &mut scene)?;
    material::read(root, &buffers, &accessors, resolver, limits, &mut scene)?;
    extensions::keep(root, &mut scene);
    animation::read(root, &accessors, &mut scene)?;
    Ok(scene)
}

fn check_version(root: &Root) -> Result<()> {
    match root.asset.as_ref().and_then(|a| a.version.as_deref()) {
        Some(version) if version.starts_with("2.") => Ok(()),
        Some(version) if version.starts_with("1.") => Err(Error::new(
            Code::UnsupportedFormat,
            format!("the file is glTF {}; only glTF 2 is read", super::siblings::short(version)),
        )),
        Some(version) => {
            Err(corrupt(format!("glTF version \"{}\" is unknown", super::siblings::short(version))))
        }
        // Some writers leave the asset out; what has meshes is taken for glTF 2.
        None if !root.meshes.is_empty() => Ok(()),
        None => Err(Error::new(
            Code::NotAModel,
            "the file is JSON, but not glTF: it has neither asset nor meshes",
        )),
    }
}

/// Declared numbers, before anything is allocated for them.
fn check_counts(root: &Root, limits: &Limits) -> Result<()> {
    if root.nodes.len() as u64 > u64::from(limits.nodes) {
        let message =
            format!("the model has {} nodes; at most {} are accepted", root.nodes.len(), limits.nodes);
        return Err(Error::new(Code::LimitNodes, message));
    }
    if root.meshes.len() as u64 > u64::from(limits.meshes) {
        let message =
            format!("the model has {} meshes; at most {} are accepted", root.meshes.len(), limits.meshes);
        return Err(Error::new(Code::LimitMeshes, message));
    }
    Ok(())
}
