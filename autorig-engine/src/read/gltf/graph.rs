//! Nodes, scenes and skins.

use glam::{DMat4, DQuat, DVec3};

use super::accessor::Accessors;
use super::json::{NodeDef, Root, corrupt, label};
use crate::Result;
use crate::scene::{Node, Scene, Skin};

/// Reads the nodes and the roots of the scene that is shown.
pub(super) fn read(root: &Root, scene: &mut Scene) -> Result<()> {
    for (index, def) in root.nodes.iter().enumerate() {
        let node = read_node(root, index, def)?;
        scene.nodes.push(node);
    }
    let parents = parents(root)?;
    refuse_cycles(root, &parents)?;
    scene.roots = roots(root, &parents)?;
    if scene.nodes.is_empty() {
        // A library of meshes without any node: each is shown where it is.
        for (index, mesh) in root.meshes.iter().enumerate() {
            let name = mesh.name.clone().unwrap_or_default();
            scene.nodes.push(Node { name, mesh: Some(index), ..Node::default() });
            scene.roots.push(index);
        }
    }
    Ok(())
}

fn read_node(root: &Root, index: usize, def: &NodeDef) -> Result<Node> {
    let name = || label("node", index, def.name.as_deref());
    let check = |what: &str, target: Option<usize>, count: usize| match target {
        Some(target) if target >= count => {
            Err(corrupt(format!("{} refers to {what} {target}, but there are only {count}", name())))
        }
        _ => Ok(()),
    };
    check("mesh", def.mesh, root.meshes.len())?;
    check("skin", def.skin, root.skins.len())?;
    let local = local_matrix(def);
    if !local.to_cols_array().iter().all(|x| x.is_finite()) {
        return Err(corrupt(format!("{} has a transform that is not finite", name())));
    }
    Ok(Node {
        name: def.name.clone().unwrap_or_default(),
        local,
        children: def.children.clone(),
        mesh: def.mesh,
        skin: def.skin,
        morph_weights: def.weights.iter().map(|w| finite_or_zero(*w)).collect(),
    })
}

pub(super) fn finite_or_zero(value: f64) -> f32 {
    let value = value as f32;
    if value.is_finite() { value } else { 0.0 }
}

fn local_matrix(def: &NodeDef) -> DMat4 {
    if let Some(matrix) = &def.matrix {
        return DMat4::from_cols_array(matrix);
    }
    let translation = DVec3::from(def.translation.unwrap_or([0.0; 3]));
    let scale = DVec3::from(def.scale.unwrap_or([1.0; 3]));
    let [x, y, z, w] = def.rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]);
    // Writers round quaternions to single precision; unnormalised ones would scale the mesh.
    let length = (x * x + y * y + z * z + w * w).sqrt();
    let rotation = if length > 0.0 && length.is_finite() {
        DQuat::from_xyzw(x / length, y / length, z / length, w / length)
    } else {
        DQuat::IDENTITY
    };
    DMat4::from_scale_rotation_translation(scale, rotation, translation)
}

/// The parent of every node; each may have one at most.
fn parents(root: &Root) -> Result<Vec<Option<usize>>> {
    let mut parents = vec![None; root.nodes.len()];
    for (index, def) in root.nodes.iter().enumerate() {
        for &child in &def.children {
            let name = || label("node", index, def.name.as_deref());
            let Some(slot) = parents.get_mut(child) else {
                let count = root.nodes.len();
                return Err(corrupt(format!(
                    "{} has child {child}, but there are only {count} nodes",
                    name()
                )));
            };
            if let Some(other) = slot.replace(index) {
                return Err(corrupt(format!("node {child} is a child of both node {other} and {}", name())));
            }
        }
    }
    Ok(parents)
}

/// With one parent at most each, what cannot be reached from a node without parent hangs on a cycle.
fn refuse_cycles(root: &Root, parents: &[Option<usize>]) -> Result<()> {
    let mut seen = vec![false; parents.len()];
    let mut stack: Vec<usize> =
        (0..parents.len()).filter(|&i| matches!(parents.get(i), Some(None))).collect();
    while let Some(index) = stack.pop() {
        if let Some(slot) = seen.get_mut(index) {
            *slot = true;
        }
        if let Some(def) = root.nodes.get(index) {
            stack.extend(&def.children);
        }
    }
    match seen.iter().position(|s| !s) {
        Some(index) => {
            let name = root.nodes.get(index).and_then(|n| n.name.as_deref());
            Err(corrupt(format!("{} is its own ancestor", label("node", index, name))))
        }
        None => Ok(()),
    }
}

/// The roots of the default scene, else of the first, else every node without parent.
fn roots(root: &Root, parents: &[Option<usize>]) -> Result<Vec<usize>> {
    let Some(def) = (match root.scene {
        Some(index) => Some(root.scenes.get(index).ok_or_else(|| {
            corrupt(format!("the default scene is {index}, but there are only {}", root.scenes.len()))
        })?),
        None => root.scenes.first(),
    }) else {
        return Ok((0..parents.len()).filter(|&i| matches!(parents.get(i), Some(None))).collect());
    };
    let mut listed = vec![false; parents.len()];
    let mut roots = Vec::with_capacity(def.nodes.len());
    for &index in &def.nodes {
        let Some(slot) = listed.get_mut(index) else {
            return Err(corrupt(format!("a scene lists node {index}, but there are only {}", parents.len())));
        };
        if !std::mem::replace(slot, true) {
            roots.push(index);
        }
    }
    // A listed node below another listed one is shown by its ancestor already.
    let below_listed = |mut index: usize| {
        while let Some(parent) = parents.get(index).copied().flatten() {
            if listed.get(parent).copied().unwrap_or(false) {
                return true;
            }
            index = parent;
        }
        false
    };
    roots.retain(|&index| !below_listed(index));
    Ok(roots)
}

/// Reads the skins.
pub(super) fn read_skins(root: &Root, accessors: &Accessors<'_>, scene: &mut Scene) -> Result<()> {
    for (index, def) in root.skins.iter().enumerate() {
        let name = || label("skin", index, def.name.as_deref());
        if let Some(joint) = def.joints.iter().find(|&&joint| joint >= root.nodes.len()) {
            return Err(corrupt(format!("{} names node {joint} as joint, which does not exist", name())));
        }
        let mut inverse_bind = vec![DMat4::IDENTITY; def.joints.len()];
        if let Some(accessor) = def.inverse_bind_matrices {
            let matrices = accessors.floats::<16>(accessor)?;
            if matrices.len() < def.joints.len() {
                return Err(corrupt(format!(
                    "{} has {} joints, but {} inverse bind matrices",
                    name(),
                    def.joints.len(),
                    matrices.len()
                )));
            }
            for (slot, matrix) in inverse_bind.iter_mut().zip(&matrices) {
                *slot = DMat4::from_cols_array(&matrix.map(f64::from));
            }
            if !inverse_bind.iter().all(DMat4::is_finite) {
                inverse_bind.iter_mut().filter(|m| !m.is_finite()).for_each(|m| *m = DMat4::IDENTITY);
                scene.warn(
                    "skin_repaired",
                    format!("{} had inverse bind matrices that are not finite", name()),
                );
            }
        }
        scene.skins.push(Skin { joints: def.joints.clone(), inverse_bind });
    }
    Ok(())
}
