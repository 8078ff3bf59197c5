//! Autodesk FBX: binary, version 7.4, as Blender, three.js, Unity, Unreal and Maya read it.
//!
//! The writer takes a character that stands in the space of its target already (centimetres, along the target's axes) and
//! changes no number of it. There is no public specification; what is written here is what readers agree on: no scale on
//! any node, bones as limb nodes with attributes and `PreRotation`, a cluster for every bone, a bind pose that says the
//! same as the clusters, normals and UVs on the corners of polygons, images inside the file.
//!
//! | module | what |
//! | --- | --- |
//! | `tree` | records and their bytes |
//! | `rows` | typed settings of objects |
//! | `objects` | ids, counts, connections |
//! | `header` | what stands around the objects |
//! | `combine` | vertices to control points |
//! | `geometry`, `shape`, `skin` | meshes, morph targets, clusters |
//! | `skeleton` | bones and bind pose |
//! | `material` | Phong, embedded images |
//! | `animation`, `rotation` | baked curves of Euler angles |

use self::combine::Combined;
use self::material::Looks;
use self::names::Names;
use self::objects::{Objects, SCENE};
use self::skeleton::Limb;
use self::tree::Node;
use super::value::inconsistent;
use crate::scene::{Mesh, Scene};
use crate::{Character, Result};

mod animation;
mod combine;
mod geometry;
mod header;
mod material;
mod names;
mod objects;
mod rotation;
mod rows;
mod shape;
mod skeleton;
mod skin;
mod tree;

/// The axis that points up in the file. The character faces +Z with Y up and −Y with Z up, its left at +X in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UpAxis {
    /// As Maya, Unity and Mixamo have it.
    #[default]
    Y,
    /// As 3ds Max and Unreal's own exports have it.
    Z,
}

/// What an FBX file holds.
#[derive(Debug, Clone, Copy)]
pub struct FbxOptions<'a> {
    /// The axes that the character stands along already.
    pub up_axis: UpAxis,
    /// Meshes and their materials; without them the file is a skeleton, as Unreal wants its clips.
    pub mesh: bool,
    /// The character's clips, a stack each.
    pub clips: bool,
    /// Coarser levels of detail, finest first, skinned to the same bones. With any, meshes are called `Body_LOD0`,
    /// `Body_LOD1` and so on, the character itself being level 0.
    pub levels: &'a [&'a Character],
}

impl Default for FbxOptions<'_> {
    fn default() -> Self {
        Self { up_axis: UpAxis::Y, mesh: true, clips: true, levels: &[] }
    }
}

/// The character as binary FBX 7.4. It is in centimetres along the axes the options say. The same character gives
/// the same bytes. Names that the file cannot have twice are numbered; bones keep theirs.
///
/// # Errors
/// `internal` when the character is inconsistent, `limit_memory` when the file would pass 4 GB.
pub fn to_fbx(character: &Character, options: &FbxOptions<'_>) -> Result<Vec<u8>> {
    let mut objects = Objects::default();
    let mut names = Names::default();
    let limbs = skeleton::add(&mut objects, &mut names, &character.bones)?;
    let mut meshes = Vec::new();
    let mut shapes: Vec<Vec<i64>> = Vec::new();
    if options.mesh {
        let single = options.levels.is_empty();
        let levels = std::iter::once(character).chain(options.levels.iter().copied());
        let mut looks = Looks::new(&character.scene);
        for (level, character) in levels.enumerate() {
            // Levels of one character have its materials; they are written once for all.
            if !looks.fit(&character.scene) {
                looks = looks.next(&character.scene);
            }
            if character.bones.len() != limbs.len() {
                return Err(inconsistent("a level of detail has other bones"));
            }
            let level = (!single).then_some(level);
            let added = add_meshes(&mut objects, &mut names, &mut looks, (character, level), &limbs)?;
            meshes.extend(added.models);
            // Clips morph the character itself.
            shapes = if level.is_none_or(|level| level == 0) { added.shapes } else { shapes };
        }
    }
    if !limbs.is_empty() {
        skeleton::add_bind_pose(&mut objects, &limbs, &meshes);
    }
    let takes = if options.clips {
        animation::add(&mut objects, &character.clips, &limbs, &shapes)?
    } else {
        Vec::new()
    };
    tree::file(&header::records(objects, &takes, options))
}

/// Ids of what was written of one level.
#[derive(Default)]
struct Added {
    models: Vec<i64>,
    /// Blend shape channels of each of the scene's meshes.
    shapes: Vec<Vec<i64>>,
}

/// Adds the meshes of one level.
fn add_meshes(
    objects: &mut Objects,
    names: &mut Names,
    looks: &mut Looks<'_>,
    (character, level): (&Character, Option<usize>),
    limbs: &[Limb],
) -> Result<Added> {
    let scene = &character.scene;
    let mut written = Added { shapes: vec![Vec::new(); scene.meshes.len()], ..Added::default() };
    for (index, mesh) in scene.meshes.iter().enumerate() {
        let influences = match (limbs, character.influences.get(index)) {
            ([], _) => None,
            (_, Some(list)) => Some(list.as_slice()),
            (_, None) => return Err(inconsistent("there are not as many influences as meshes")),
        };
        let Some(combined) = Combined::new(mesh, influences)? else { continue };
        let given = mesh_name(scene, index, mesh);
        let wanted = level.map_or_else(|| given.to_owned(), |level| format!("{given}_LOD{level}"));
        // A part called as a bone is told from it as in GLB.
        let wanted = if names.has(&wanted) { format!("{wanted}_mesh") } else { wanted };
        let name = names.unique(&wanted, "Mesh");

        let (model, record) = objects.begin("Model", &name, "Model", "Mesh");
        let record = record
            .child(Node::new("Version").i32(232))
            .child(rows::properties70(rows::placed([0.0; 3], [0.0; 3])))
            .child(skeleton::shading())
            .child(Node::new("Culling").text("CullingOff"));
        objects.add("Model", record);
        objects.connect(model, SCENE);
        written.models.push(model);

        let slots = add_materials(objects, looks, &combined, model);
        let geometry = geometry::add(objects, &name, &combined, slots.as_deref());
        objects.connect(geometry, model);
        if !limbs.is_empty() {
            skin::add(objects, &name, &combined, limbs, geometry)?;
        }
        let channels = shape::add(objects, &name, mesh, &combined, geometry);
        if let Some(slot) = written.shapes.get_mut(index) {
            *slot = channels;
        }
    }
    Ok(written)
}

/// The name of the node the mesh stands on, else its own, else the usual one.
fn mesh_name<'a>(scene: &'a Scene, index: usize, mesh: &'a Mesh) -> &'a str {
    let node = scene.nodes.iter().find(|n| n.mesh == Some(index) && !n.name.is_empty());
    match node.map_or(mesh.name.as_str(), |n| n.name.as_str()) {
        "" => "Mesh",
        name => name,
    }
}

/// Connects the mesh's materials to its model and returns the slot of each part; `None` where no part has any.
fn add_materials(
    objects: &mut Objects,
    looks: &mut Looks<'_>,
    mesh: &Combined<'_>,
    model: i64,
) -> Option<Vec<i32>> {
    if mesh.parts.iter().all(|p| p.primitive.material.is_none()) {
        return None;
    }
    let mut order: Vec<Option<usize>> = Vec::new();
    let mut slots = Vec::with_capacity(mesh.parts.len());
    for part in &mesh.parts {
        let material = part.primitive.material;
        let slot = order.iter().position(|m| *m == material).unwrap_or_else(|| {
            let id = looks.material(objects, material);
            objects.connect(id, model);
            order.push(material);
            order.len() - 1
        });
        slots.push(slot as i32);
    }
    Some(slots)
}
