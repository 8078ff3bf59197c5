//! A file that came with a skin of its own as a [`Character`].

use glam::{DMat3, DMat4};

use self::{
    bind::UsedSkin,
    motion::Motion,
    tree::{BoneNodes, Tree},
    weights::Faults,
};
use super::{Bone, Character, names::Names, recognise, stance};
use crate::{
    Limits, Result,
    motion::Clip,
    pose::rest::ORIGINAL_POSE,
    scene::{ChannelValues, Influences, NodeClip, Scene},
};

mod bind;
mod morphs;
mod motion;
mod tree;
mod weights;

/// See [`Character::from_scene`].
pub(super) fn character(mut scene: Scene, limits: &Limits) -> Result<Character> {
    let clips = std::mem::take(&mut scene.clips);
    let tree = Tree::new(&scene);
    let Some(nodes) = BoneNodes::find(&tree, &joints(&scene, &tree, &clips)) else {
        return still(scene, &clips, limits);
    };
    let (bind, disagreeing) = bind::worlds(&tree, &used_skins(&scene)?);
    if disagreeing > 0 {
        let message =
            format!("the skins hold {disagreeing} joints in different places; the larger skin decides");
        scene.warn("skins_disagree", message);
    }
    let (mut bones, renamed) = bones(&scene, &nodes, &bind);
    if renamed > 0 {
        scene.warn("bones_renamed", format!("{renamed} bones had the name of another one"));
    }
    let influences = influences(&mut scene, &tree, &nodes)?;
    let shown = morphs::shown(&scene)?;
    let motion = Motion { scene: &scene, tree: &tree, nodes: &nodes, bones: &bones, bind: &bind };
    let moving = clips.iter().filter_map(|c| morphs::joined(motion.clip(c), c, &shown));
    let mut moving: Vec<Clip> = moving.collect();
    if moving.iter().all(|c| c.tracks.is_empty()) {
        moving.extend(motion.standing(ORIGINAL_POSE));
    }
    warn_of_lost_motion(&mut scene, &clips, &moving);
    let (scene, _) = scene.flatten_at(&bind, limits)?;
    recognise::recognise(&bones).apply(&mut bones);
    let frame = stance::of(&scene, &bones);
    Ok(Character { scene, bones, influences, clips: moving, frame })
}

/// The bones alone.
pub(super) fn bones_of(scene: &Scene) -> Result<Vec<Bone>> {
    let tree = Tree::new(scene);
    let Some(nodes) = BoneNodes::find(&tree, &joints(scene, &tree, &[])) else { return Ok(Vec::new()) };
    let (bind, _) = bind::worlds(&tree, &used_skins(scene)?);
    Ok(bones(scene, &nodes, &bind).0)
}

/// A model without a skin and without a moving part.
fn still(mut scene: Scene, clips: &[NodeClip], limits: &Limits) -> Result<Character> {
    let shown = morphs::shown(&scene)?;
    let moving: Vec<Clip> = clips.iter().filter_map(|c| morphs::joined(None, c, &shown)).collect();
    warn_of_lost_motion(&mut scene, clips, &moving);
    let scene = scene.flatten(limits)?;
    let frame = stance::of_file(&scene);
    let influences = vec![Vec::new(); scene.meshes.len()];
    Ok(Character { scene, bones: Vec::new(), influences, clips: moving, frame })
}

/// Nodes that are bones for sure: joints of skins in use, and animated nodes with a mesh at or below them.
fn joints(scene: &Scene, tree: &Tree, clips: &[NodeClip]) -> Vec<bool> {
    let mut marked = vec![false; scene.nodes.len()];
    let mut shows = marked.clone();
    for (node, shows) in scene.nodes.iter().zip(&mut shows) {
        let skin = node.skin.filter(|_| node.mesh.is_some()).and_then(|s| scene.skins.get(s));
        *shows = node.mesh.is_some() && skin.is_none();
        for &joint in skin.iter().flat_map(|s| &s.joints) {
            if let Some(slot) = marked.get_mut(joint) {
                *slot = true;
            }
        }
    }
    let carries = tree.marked_below(&shows);
    for channel in clips.iter().flat_map(|c| &c.channels) {
        let turns = matches!(channel.values, ChannelValues::Rotations(_) | ChannelValues::Translations(_));
        if turns
            && carries.get(channel.node).is_some_and(|c| *c > 0)
            && let Some(slot) = marked.get_mut(channel.node)
        {
            *slot = true;
        }
    }
    marked
}

/// Each skin once, with the first node in the order of the hierarchy that shows a mesh with it.
fn used_skins(scene: &Scene) -> Result<Vec<UsedSkin<'_>>> {
    let mut used: Vec<Option<UsedSkin<'_>>> = scene.skins.iter().map(|_| None).collect();
    for instance in scene.instances()? {
        let Some(index) = scene.nodes.get(instance.node).and_then(|n| n.skin) else { continue };
        if let (Some(skin), Some(slot @ None)) = (scene.skins.get(index), used.get_mut(index)) {
            *slot = Some(UsedSkin { skin, node: instance.node });
        }
    }
    Ok(used.into_iter().flatten().collect())
}

/// Bones at rest, and how many had to be renamed.
fn bones(scene: &Scene, nodes: &BoneNodes, bind: &[DMat4]) -> (Vec<Bone>, usize) {
    let mut names = Names::default();
    let mut renamed = 0;
    let mut bones: Vec<Bone> = Vec::with_capacity(nodes.nodes.len());
    for (node, parent) in nodes.nodes.iter().zip(&nodes.parents) {
        let own = node.and_then(|n| scene.nodes.get(n)).map_or("root", |n| n.name.as_str());
        let name = names.unique(if own.is_empty() { "bone" } else { own });
        renamed += usize::from(name != own && !own.is_empty());
        let world = node.and_then(|n| bind.get(n)).copied().unwrap_or(DMat4::IDENTITY);
        let turn = bind::rotation(&DMat3::from_mat4(world));
        let rest = DMat4::from_mat3_translation(turn, world.w_axis.truncate());
        bones.push(Bone { name, parent: *parent, rest, canonical: None });
    }
    (bones, renamed)
}

/// `influences[mesh][primitive]` as the scene will have them once it is flattened.
fn influences(scene: &mut Scene, tree: &Tree, nodes: &BoneNodes) -> Result<Vec<Vec<Influences>>> {
    let mut all = Vec::new();
    let mut faults = Faults::default();
    for instance in scene.instances()? {
        let (Some(node), Some(mesh)) = (scene.nodes.get(instance.node), scene.meshes.get(instance.mesh))
        else {
            continue;
        };
        let home = nodes.above(tree, instance.node).unwrap_or(0);
        let skin = node.skin.and_then(|s| scene.skins.get(s)).filter(|s| !s.joints.is_empty());
        let bone = |joint: &usize| nodes.of_node.get(*joint).copied().flatten();
        let bones: Vec<Option<u16>> = skin.iter().flat_map(|s| &s.joints).map(bone).collect();
        let first = bones.iter().copied().flatten().min().unwrap_or(home);
        let of_primitive = |p: &crate::scene::Primitive| match (&p.influences, skin) {
            (Some(influences), Some(_)) => {
                let (clean, found) = weights::clean(influences, p.positions.len(), &bones, first);
                faults.broken += found.broken;
                faults.trimmed += found.trimmed;
                clean
            }
            _ => weights::rigid(p.positions.len(), home),
        };
        let list: Vec<Influences> =
            mesh.primitives.iter().filter(|p| p.is_drawn()).map(of_primitive).collect();
        if !list.is_empty() {
            all.push(list);
        }
    }
    if faults.broken > 0 {
        let message = format!("{} vertices had broken skin weights, which were repaired", faults.broken);
        scene.warn("weights_repaired", message);
    }
    if faults.trimmed > 0 {
        let message =
            format!("{} vertices followed more than 8 bones; the lightest were dropped", faults.trimmed);
        scene.warn("weights_trimmed", message);
    }
    Ok(all)
}

fn warn_of_lost_motion(scene: &mut Scene, clips: &[NodeClip], kept: &[Clip]) {
    let morphs =
        |c: &&NodeClip| c.channels.iter().any(|c| matches!(c.values, ChannelValues::MorphWeights(_)));
    let (had, has) =
        (clips.iter().filter(morphs).count(), kept.iter().filter(|c| !c.morphs.is_empty()).count());
    if had > has {
        let message = format!("{} animations move morph targets that no mesh has", had - has);
        scene.warn("morph_motion_dropped", message);
    }
    if kept.is_empty() && !clips.is_empty() {
        let list = clips.iter().take(20).map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        scene.warn("clips_dropped", format!("{} animations are not kept: {list}", clips.len()));
    }
}
