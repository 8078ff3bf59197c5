//! The hierarchy of a file's nodes, and which of them are bones.

use glam::DMat4;

use crate::scene::Scene;

/// Nodes with their parents, in an order that has parents first.
pub(super) struct Tree {
    /// Every node that hangs on a top one, depth first; what only refers to itself in a circle is not there.
    pub(super) order: Vec<usize>,
    pub(super) parents: Vec<Option<usize>>,
    /// Node to world where the nodes stand now.
    pub(super) worlds: Vec<DMat4>,
}

impl Tree {
    pub(super) fn new(scene: &Scene) -> Self {
        let count = scene.nodes.len();
        let mut is_child = vec![false; count];
        for &child in scene.nodes.iter().flat_map(|n| &n.children) {
            if let Some(slot) = is_child.get_mut(child) {
                *slot = true;
            }
        }
        let mut tree = Self {
            order: Vec::with_capacity(count),
            parents: vec![None; count],
            worlds: vec![DMat4::IDENTITY; count],
        };
        let mut seen = vec![false; count];
        let tops = (0..count).rev().filter(|&i| is_child.get(i) == Some(&false));
        let mut stack: Vec<(usize, Option<usize>)> = tops.map(|i| (i, None)).collect();
        while let Some((index, parent)) = stack.pop() {
            let (Some(node), Some(met @ false)) = (scene.nodes.get(index), seen.get_mut(index)) else {
                continue;
            };
            *met = true;
            tree.order.push(index);
            let above = parent.and_then(|p| tree.worlds.get(p)).copied().unwrap_or(DMat4::IDENTITY);
            if let (Some(slot), Some(world)) = (tree.parents.get_mut(index), tree.worlds.get_mut(index)) {
                (*slot, *world) = (parent, above * node.local);
            }
            stack.extend(node.children.iter().rev().map(|&child| (child, Some(index))));
        }
        tree
    }

    pub(super) fn parent(&self, node: usize) -> Option<usize> {
        self.parents.get(node).copied().flatten()
    }

    pub(super) fn world(&self, node: usize) -> DMat4 {
        self.worlds.get(node).copied().unwrap_or(DMat4::IDENTITY)
    }

    /// How many nodes at or below each are marked.
    pub(super) fn marked_below(&self, marked: &[bool]) -> Vec<usize> {
        let mut below: Vec<usize> = marked.iter().map(|m| usize::from(*m)).collect();
        for &node in self.order.iter().rev() {
            let own = below.get(node).copied().unwrap_or(0);
            if let Some(slot) = self.parent(node).and_then(|p| below.get_mut(p)) {
                *slot += own;
            }
        }
        below
    }

    /// The node itself and what it hangs on, upwards.
    pub(super) fn upwards(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(node), |n| self.parent(*n))
    }
}

/// The nodes that become bones.
pub(super) struct BoneNodes {
    /// Parents first. `None` is a root of our own above several trees.
    pub(super) nodes: Vec<Option<usize>>,
    /// Parents as indices into `nodes`.
    pub(super) parents: Vec<Option<usize>>,
    /// Node to bone.
    pub(super) of_node: Vec<Option<u16>>,
}

impl BoneNodes {
    /// The marked nodes, those between them, and the node that joins them; `None` without any or with more than an
    /// influence can name.
    pub(super) fn find(tree: &Tree, marked: &[bool]) -> Option<Self> {
        let below = tree.marked_below(marked);
        let count = |node: usize| below.get(node).copied().unwrap_or(0);
        let tops: Vec<usize> =
            tree.order.iter().copied().filter(|&n| tree.parent(n).is_none() && count(n) > 0).collect();
        if tops.is_empty() {
            return None;
        }
        // Down to where the marked nodes part, everything is a place to hang them on and no bone: the last node in depth
        // first order with all of its tree's marked ones at or below it.
        let mut joins = vec![false; marked.len()];
        let (mut top, mut last) = (0, None);
        for &node in &tree.order {
            if tree.parent(node).is_none() {
                (top, last) = (node, None);
            }
            if count(node) == 0 || count(node) < count(top) {
                continue;
            }
            if let Some(slot) = last.replace(node).and_then(|n: usize| joins.get_mut(n)) {
                *slot = false;
            }
            if let Some(slot) = joins.get_mut(node) {
                *slot = true;
            }
        }
        Self::gather(tree, &joins, &count, tops.len() > 1)
    }

    fn gather(tree: &Tree, joins: &[bool], count: &dyn Fn(usize) -> usize, several: bool) -> Option<Self> {
        let root = usize::from(several);
        let mut bones =
            Self { nodes: vec![None; root], parents: vec![None; root], of_node: vec![None; joins.len()] };
        for &node in &tree.order {
            let parent = tree.parent(node).and_then(|p| bones.of_node.get(p)).copied().flatten();
            if count(node) == 0 || !(joins.get(node) == Some(&true) || parent.is_some()) {
                continue;
            }
            let bone = u16::try_from(bones.nodes.len()).ok()?;
            if let Some(slot) = bones.of_node.get_mut(node) {
                *slot = Some(bone);
            }
            bones.nodes.push(Some(node));
            bones.parents.push(parent.map(usize::from).or(several.then_some(0)));
        }
        Some(bones)
    }

    /// The bone a node is, or the nearest one it hangs on.
    pub(super) fn above(&self, tree: &Tree, node: usize) -> Option<u16> {
        tree.upwards(node).find_map(|n| self.of_node.get(n).copied().flatten())
    }
}
