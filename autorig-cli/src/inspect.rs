//! `autorig inspect`: what is in a model file, as text or as JSON.

use std::fmt::Write;

use autorig_engine::{
    Limits,
    read::read,
    scene::{Format, Scene, Warning},
};
use glam::{DMat4, DVec3};
use serde::Serialize;
use serde_json::json;

use crate::{
    args::InspectArgs,
    failure::{Exit, Failure, Result, display_name},
    input, interrupt,
    ui::{Outcome, Ui, clean},
};

/// Runs the verb.
pub(crate) fn run(args: &InspectArgs, ui: &Ui) -> Result<Outcome> {
    let limits = Limits::default();
    let source = input::open(&args.file, &limits)?;
    let scene = read(&source, &limits).map_err(|error| Failure::from(error).about(&args.file))?;
    interrupt::check()?;
    let contents = Contents::of(&scene);
    for warning in &contents.warnings {
        ui.warn(&warning.code, &warning.message, Some(&args.file));
    }
    if !ui.is_json() {
        ui.result(contents.text(&display_name(&args.file)).as_bytes())?;
    }
    let mut result = serde_json::to_value(&contents).map_err(|error| {
        Failure::new(
            Exit::Internal,
            "internal",
            error.to_string(),
            "report this with the file that causes it",
        )
    })?;
    if let Some(result) = result.as_object_mut() {
        result.insert("file".to_owned(), json!(display_name(&args.file)));
    }
    Ok(Outcome::ok(result))
}

/// What a file holds; the `result` of `inspect --json`.
#[derive(Debug, Serialize)]
struct Contents {
    format: Format,
    counts: Counts,
    bounds: Option<Bounds>,
    meshes: Vec<MeshInfo>,
    materials: Vec<MaterialInfo>,
    textures: Vec<TextureInfo>,
    joints: Vec<JointInfo>,
    clips: Vec<String>,
    extensions: Vec<String>,
    warnings: Vec<Warning>,
}

#[derive(Debug, Serialize)]
struct Counts {
    nodes: usize,
    meshes: usize,
    primitives: usize,
    vertices: usize,
    triangles: usize,
    materials: usize,
    textures: usize,
    images: usize,
    skins: usize,
    joints: usize,
    clips: usize,
}

/// The box around everything, in the file's frame and unit.
#[derive(Debug, Serialize)]
struct Bounds {
    min: [f64; 3],
    max: [f64; 3],
}

#[derive(Debug, Serialize)]
struct MeshInfo {
    name: String,
    primitives: usize,
    vertices: usize,
    triangles: usize,
    uv_sets: usize,
    color_sets: usize,
    morph_targets: Vec<String>,
    skinned: bool,
}

#[derive(Debug, Serialize)]
struct MaterialInfo {
    name: String,
    double_sided: bool,
    base_color_texture: Option<usize>,
}

#[derive(Debug, Serialize)]
struct TextureInfo {
    name: String,
    mime: Option<String>,
    bytes: usize,
}

#[derive(Debug, Serialize)]
struct JointInfo {
    name: String,
    parent: Option<String>,
    position: [f64; 3],
}

impl Contents {
    fn of(scene: &Scene) -> Self {
        let worlds = worlds(scene);
        let meshes: Vec<_> = scene.meshes.iter().map(MeshInfo::of).collect();
        let joints = joints(scene, &worlds);
        Self {
            format: scene.format,
            counts: Counts {
                nodes: scene.nodes.len(),
                meshes: meshes.len(),
                primitives: meshes.iter().map(|mesh| mesh.primitives).sum(),
                vertices: scene.vertex_count(),
                triangles: scene.triangle_count(),
                materials: scene.materials.len(),
                textures: scene.textures.len(),
                images: scene.images.len(),
                skins: scene.skins.len(),
                joints: joints.len(),
                clips: scene.clips.len(),
            },
            bounds: bounds(scene, &worlds),
            meshes,
            materials: scene
                .materials
                .iter()
                .map(|material| MaterialInfo {
                    name: material.name.clone(),
                    double_sided: material.double_sided,
                    base_color_texture: material.base_color_texture.as_ref().map(|used| used.texture),
                })
                .collect(),
            textures: scene.textures.iter().map(|texture| TextureInfo::of(texture, scene)).collect(),
            joints,
            clips: scene.clips.iter().map(|c| c.name.clone()).collect(),
            extensions: scene.extensions_used.clone(),
            warnings: scene.warnings.clone(),
        }
    }

    fn text(&self, file: &str) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text, file);
        text
    }

    fn write(&self, out: &mut String, file: &str) -> std::fmt::Result {
        let counts = &self.counts;
        let format = json!(self.format);
        writeln!(out, "{file}")?;
        writeln!(out, "format     {}", format.as_str().unwrap_or_default())?;
        writeln!(out, "triangles  {}", counts.triangles)?;
        writeln!(out, "vertices   {}", counts.vertices)?;
        writeln!(out, "nodes      {}", counts.nodes)?;
        if let Some(Bounds { min, max }) = &self.bounds {
            writeln!(out, "bounds     {} to {}", point(min), point(max))?;
        }
        section(out, "meshes", &self.meshes, |mesh| {
            let skin = if mesh.skinned { ", skinned" } else { "" };
            format!("{}: {} triangles, {} vertices{skin}", named(&mesh.name), mesh.triangles, mesh.vertices)
        })?;
        section(out, "materials", &self.materials, |material| named(&material.name))?;
        section(out, "textures", &self.textures, |texture| {
            let mime = texture.mime.as_deref().unwrap_or("no image");
            format!("{}: {}, {} bytes", named(&texture.name), clean(mime), texture.bytes)
        })?;
        section(out, "joints", &self.joints, |joint| {
            let parent = joint.parent.as_ref().map(|parent| format!(" < {}", named(parent)));
            format!("{}{}", named(&joint.name), parent.unwrap_or_default())
        })?;
        section(out, "clips", &self.clips, |clip| named(clip))?;
        section(out, "extensions", &self.extensions, |extension| named(extension))
    }
}

impl MeshInfo {
    fn of(mesh: &autorig_engine::scene::Mesh) -> Self {
        let primitives = &mesh.primitives;
        let most = |count: fn(&autorig_engine::scene::Primitive) -> usize| {
            primitives.iter().map(count).max().unwrap_or_default()
        };
        let targets = most(|primitive| primitive.morphs.len());
        Self {
            name: mesh.name.clone(),
            primitives: primitives.len(),
            vertices: primitives.iter().map(|primitive| primitive.positions.len()).sum(),
            triangles: primitives.iter().map(|primitive| primitive.indices.len() / 3).sum(),
            uv_sets: most(|primitive| primitive.uvs.len()),
            color_sets: most(|primitive| primitive.colors.len()),
            morph_targets: (0..targets)
                .map(|index| mesh.morph_names.get(index).cloned().unwrap_or_default())
                .collect(),
            skinned: primitives.iter().any(|primitive| primitive.influences.is_some()),
        }
    }
}

impl TextureInfo {
    fn of(texture: &autorig_engine::scene::Texture, scene: &Scene) -> Self {
        let image = texture.image.and_then(|index| scene.images.get(index));
        let own = Some(&texture.name).filter(|name| !name.is_empty());
        Self {
            name: own.or(image.map(|image| &image.name)).cloned().unwrap_or_default(),
            mime: image.map(|image| image.mime.clone()),
            bytes: image.map_or(0, |image| image.bytes.len()),
        }
    }
}

/// Node to world for every node that the scene reaches, and its parent.
fn worlds(scene: &Scene) -> Vec<Option<(DMat4, Option<usize>)>> {
    let mut worlds = vec![None; scene.nodes.len()];
    let mut stack: Vec<_> = scene.roots.iter().map(|&root| (root, DMat4::IDENTITY, None)).collect();
    while let Some((index, above, parent)) = stack.pop() {
        let (Some(node), Some(world)) = (scene.nodes.get(index), worlds.get_mut(index)) else { continue };
        // A node met twice is a cycle or a shared child; the first way to it stands.
        if world.is_some() {
            continue;
        }
        let own = above * node.local;
        *world = Some((own, parent));
        stack.extend(node.children.iter().map(|&child| (child, own, Some(index))));
    }
    worlds
}

fn bounds(scene: &Scene, worlds: &[Option<(DMat4, Option<usize>)>]) -> Option<Bounds> {
    let mut bounds: Option<(DVec3, DVec3)> = None;
    for (node, world) in scene.nodes.iter().zip(worlds) {
        let (Some((world, _)), Some(mesh)) = (world, node.mesh.and_then(|mesh| scene.meshes.get(mesh)))
        else {
            continue;
        };
        for primitive in &mesh.primitives {
            let used = primitive.indices.iter().filter_map(|&index| primitive.positions.get(index as usize));
            for &[x, y, z] in used {
                let p = world.transform_point3(DVec3::new(x.into(), y.into(), z.into()));
                bounds = Some(bounds.map_or((p, p), |(low, high)| (low.min(p), high.max(p))));
            }
        }
    }
    bounds.map(|(min, max)| Bounds { min: min.to_array(), max: max.to_array() })
}

/// The joints of all skins, each once, in the order of the skins; the parent is the nearest joint above.
fn joints(scene: &Scene, worlds: &[Option<(DMat4, Option<usize>)>]) -> Vec<JointInfo> {
    let mut order = Vec::new();
    let mut is_joint = vec![false; scene.nodes.len()];
    for &joint in scene.skins.iter().flat_map(|skin| &skin.joints) {
        if let Some(seen) = is_joint.get_mut(joint)
            && !std::mem::replace(seen, true)
        {
            order.push(joint);
        }
    }
    let name = |index: usize| scene.nodes.get(index).map(|node| node.name.clone()).unwrap_or_default();
    let above = |index: usize| worlds.get(index).copied().flatten().and_then(|(_, parent)| parent);
    order
        .into_iter()
        .map(|joint| {
            let ancestors = std::iter::successors(above(joint), |&index| above(index));
            let parent = ancestors.take(scene.nodes.len()).find(|&index| is_joint.get(index) == Some(&true));
            let world = worlds.get(joint).copied().flatten().map_or(DMat4::IDENTITY, |(world, _)| world);
            JointInfo {
                name: name(joint),
                parent: parent.map(name),
                position: world.transform_point3(DVec3::ZERO).to_array(),
            }
        })
        .collect()
}

fn section<T>(out: &mut String, title: &str, items: &[T], line: impl Fn(&T) -> String) -> std::fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title} ({})", items.len())?;
    items.iter().try_for_each(|item| writeln!(out, "  {}", line(item)))
}

fn named(name: &str) -> String {
    if name.is_empty() { "(no name)".to_owned() } else { clean(name) }
}

fn point([x, y, z]: &[f64; 3]) -> String {
    format!("({x:.3}, {y:.3}, {z:.3})")
}
