//! Motion of morph targets: which mesh of the character shows it.

use std::collections::BTreeMap;

use crate::{
    Result,
    motion::{Clip, MorphTrack},
    scene::{ChannelValues, NodeClip, Scene},
};

/// Meshes of the flattened scene by the node that shows them, with the number of their morph targets.
pub(super) type Shown = BTreeMap<usize, Vec<(usize, usize)>>;

/// What the scene will show once it is flattened: a mesh for each instance that has triangles.
pub(super) fn shown(scene: &Scene) -> Result<Shown> {
    let mut shown = Shown::new();
    let mut next = 0;
    for instance in scene.instances()? {
        let Some(mesh) = scene.meshes.get(instance.mesh) else { continue };
        let drawn = || mesh.primitives.iter().filter(|p| p.is_drawn());
        if drawn().next().is_some() {
            let targets = drawn().map(|p| p.morphs.len()).max().unwrap_or(0);
            shown.entry(instance.node).or_default().push((next, targets));
            next += 1;
        }
    }
    Ok(shown)
}

/// The clip of the bones with the file's motion of morph targets beside; `None` where there is neither.
pub(super) fn joined(bones: Option<Clip>, clip: &NodeClip, shown: &Shown) -> Option<Clip> {
    let mut morphs = Vec::new();
    for channel in &clip.channels {
        let ChannelValues::MorphWeights(weights) = &channel.values else { continue };
        for &(mesh, targets) in shown.get(&channel.node).into_iter().flatten() {
            let track = MorphTrack { mesh, times: channel.times.clone(), weights: weights.clone() };
            if targets > 0 && track.targets() == targets {
                morphs.push(track);
            }
        }
    }
    match bones {
        Some(bones) => Some(Clip { morphs, ..bones }),
        None if morphs.is_empty() => None,
        None => Some(Clip { name: clip.name.clone(), morphs, ..Clip::default() }),
    }
}
