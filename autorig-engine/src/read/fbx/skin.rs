//! Clusters as skins.

use std::collections::BTreeMap;

use glam::DMat4;

use super::mesh::Shown;
use super::nodes::index;
use super::number::matrix;
use crate::scene::{Influences, Scene, Skin};

/// Most joints a vertex keeps.
const MOST_INFLUENCES: usize = 8;

/// Reads the skins of all meshes and the influences of their vertices.
pub(super) fn read(shown: &[Shown<'_>], scene: &mut Scene) {
    for (at, shown) in shown.iter().enumerate() {
        if shown.mesh.skin_deformers.is_empty() {
            continue;
        }
        let mut skin = Joints::new(shown);
        let mut lists = Vec::with_capacity(shown.points.len());
        for points in &shown.points {
            lists.push(points.iter().map(|p| skin.of_point(*p)).collect::<Vec<_>>());
        }
        let Joints { joints, inverse_bind, reduced, .. } = skin;
        if joints.is_empty() {
            continue;
        }
        let Some(mesh) = scene.meshes.get_mut(at) else { continue };
        for (primitive, lists) in mesh.primitives.iter_mut().zip(lists) {
            primitive.influences = Some(influences(&lists));
        }
        if reduced > 0 {
            let message = format!(
                "mesh \"{}\" had {reduced} vertices that follow more than {MOST_INFLUENCES} joints; the lightest are left out",
                mesh.name
            );
            scene.warn("weights_trimmed", message);
        }
        for &node in &shown.nodes {
            if let Some(node) = scene.nodes.get_mut(node) {
                node.skin = Some(scene.skins.len());
            }
        }
        scene.skins.push(Skin { joints, inverse_bind });
    }
}

/// Joints of one mesh under construction.
struct Joints<'a> {
    shown: &'a Shown<'a>,
    joints: Vec<usize>,
    inverse_bind: Vec<DMat4>,
    /// The joint of each cluster of each deformer.
    clusters: Vec<Vec<Option<u16>>>,
    /// The node that shows the mesh as a joint: what vertices without weight follow.
    own: Option<u16>,
    /// Vertices that lost influences.
    reduced: usize,
}

impl<'a> Joints<'a> {
    fn new(shown: &'a Shown<'a>) -> Self {
        let (mut joints, mut inverse_bind) = (Vec::new(), Vec::new());
        // A bone of two deformers is one joint where both bind it in one place.
        let mut known: BTreeMap<(usize, [u64; 16]), u16> = BTreeMap::new();
        let mut clusters = Vec::new();
        for deformer in &shown.mesh.skin_deformers {
            let one = |cluster: &ufbx::SkinCluster| {
                let node = cluster.bone_node.as_ref().and_then(|n| index(n))?;
                let inverse = matrix(&cluster.geometry_to_bone);
                if !inverse.is_finite() {
                    return None;
                }
                let key = (node, inverse.to_cols_array().map(f64::to_bits));
                if let Some(joint) = known.get(&key) {
                    return Some(*joint);
                }
                let joint = u16::try_from(joints.len()).ok()?;
                joints.push(node);
                inverse_bind.push(inverse);
                known.insert(key, joint);
                Some(joint)
            };
            clusters.push(deformer.clusters.into_iter().map(one).collect());
        }
        Self { shown, joints, inverse_bind, clusters, own: None, reduced: 0 }
    }

    /// Joints and weights of a control point, heaviest first; weights sum to 1.
    fn of_point(&mut self, point: u32) -> Vec<(u16, f64)> {
        let mut found: Vec<(u16, f64)> = Vec::new();
        for (deformer, joints) in self.shown.mesh.skin_deformers.into_iter().zip(&self.clusters) {
            let Some(vertex) = deformer.vertices.get(point as usize) else { continue };
            let begin = vertex.weight_begin as usize;
            let weights = deformer.weights.get(begin..begin.saturating_add(vertex.num_weights as usize));
            for weight in weights.unwrap_or_default() {
                let joint = joints.get(weight.cluster_index as usize).copied().flatten();
                if let Some(joint) = joint
                    && weight.weight > 0.0
                    && weight.weight.is_finite()
                {
                    found.push((joint, weight.weight));
                }
            }
        }
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        found.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        self.reduced += usize::from(found.len() > MOST_INFLUENCES);
        found.truncate(MOST_INFLUENCES);
        let sum: f64 = found.iter().map(|f| f.1).sum();
        if sum > 0.0 && sum.is_finite() {
            found.iter_mut().for_each(|f| f.1 /= sum);
            return found;
        }
        self.own().map(|own| (own, 1.0)).into_iter().collect()
    }

    /// The joint that is the mesh's own node.
    fn own(&mut self) -> Option<u16> {
        if self.own.is_none() && !self.joints.is_empty() {
            let node = self.shown.nodes.first()?;
            self.own = u16::try_from(self.joints.len()).ok();
            self.own?;
            self.joints.push(*node);
            self.inverse_bind.push(DMat4::IDENTITY);
        }
        self.own
    }
}

/// Lists of joints and weights as flat arrays.
fn influences(lists: &[Vec<(u16, f64)>]) -> Influences {
    let per_vertex = lists.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let mut out = Influences { per_vertex, ..Influences::default() };
    for list in lists {
        let filled = list.iter().copied().chain(std::iter::repeat((0, 0.0))).take(per_vertex);
        for (joint, weight) in filled {
            out.joints.push(joint);
            out.weights.push(weight as f32);
        }
    }
    out
}
