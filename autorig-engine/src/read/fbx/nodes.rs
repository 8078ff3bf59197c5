//! Nodes and their places.

use super::number::matrix;
use crate::scene::{Node, Scene};
use crate::{Code, Error, Result};

/// The index of a node in the scene; `None` for the file's root, which the scene has not.
pub(super) fn index(node: &ufbx::Node) -> Option<usize> {
    (node.element.typed_id as usize).checked_sub(1)
}

/// Reads all nodes in the order of the file.
pub(super) fn read(file: &ufbx::Scene, scene: &mut Scene) -> Result<()> {
    for node in &file.nodes {
        let children: Vec<usize> = node.children.into_iter().filter_map(index).collect();
        if node.is_root {
            // Its transform is the identity: the conversion of axes and unit went into what hangs below.
            scene.roots = children;
            continue;
        }
        let local = matrix(&node.node_to_parent);
        if !local.is_finite() {
            let message = format!("node \"{}\" has a transform that is not finite", node.element.name);
            return Err(Error::new(Code::CorruptFile, message));
        }
        scene.nodes.push(Node { name: node.element.name.to_string(), local, children, ..Node::default() });
    }
    Ok(())
}
