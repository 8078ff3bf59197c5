//! Bones as limb nodes, and the bind pose.

use glam::{DMat3, DMat4, DQuat};

use super::names::Names;
use super::objects::{Objects, SCENE};
use super::rotation;
use super::rows::{self, placed, properties70};
use super::tree::{Node, Property};
use crate::Result;
use crate::character::Bone;
use crate::write::value::inconsistent;

/// A bone that was written.
pub(super) struct Limb {
    pub(super) id: i64,
    /// Its name in the file.
    pub(super) name: String,
    /// Bone to world in bind pose.
    pub(super) rest: DMat4,
    /// Place in the parent's frame, centimetres.
    pub(super) translation: [f64; 3],
    /// Rotation in the parent's frame: what `PreRotation` holds, so that a resting bone has no rotation of its own.
    pub(super) pre_rotation: DQuat,
}

/// Adds all bones with their attributes: readers take a limb node without attribute for no bone.
pub(super) fn add(objects: &mut Objects, names: &mut Names, bones: &[Bone]) -> Result<Vec<Limb>> {
    let mut limbs: Vec<Limb> = Vec::with_capacity(bones.len());
    for bone in bones {
        let rest = rigid(&bone.rest)?;
        let parent = match bone.parent {
            Some(parent) => {
                let limb = limbs.get(parent);
                Some(limb.ok_or_else(|| inconsistent("a bone comes before its parent"))?)
            }
            None => None,
        };
        let local = parent.map_or(rest, |p| p.rest.inverse() * rest);
        let angles = rotation::euler(DQuat::from_mat4(&local));
        let translation = local.w_axis.truncate().to_array().map(|x| x + 0.0);
        let name = names.unique(&bone.name, "Bone");
        let above = parent.map_or(SCENE, |p| p.id);

        let (id, record) = objects.begin("Model", &name, "Model", "LimbNode");
        let record = record
            .child(Node::new("Version").i32(232))
            .child(properties70(placed(translation, rotation::degrees(angles))))
            .child(shading())
            .child(Node::new("Culling").text("CullingOff"));
        objects.add("Model", record);
        objects.connect(id, above);
        add_attribute(objects, &name, id);
        limbs.push(Limb { id, name, rest, translation, pre_rotation: rotation::quaternion(angles) });
    }
    Ok(limbs)
}

/// How a model is drawn; every model says so.
pub(super) fn shading() -> Node {
    // The one place where a truth value takes one byte.
    Node::new("Shading").with(Property::Bool(true))
}

fn add_attribute(objects: &mut Objects, name: &str, bone: i64) {
    let (id, record) = objects.begin("NodeAttribute", name, "NodeAttribute", "LimbNode");
    let record = record
        .child(properties70([rows::double("Size", 1.0)]))
        .child(Node::new("TypeFlags").text("Skeleton"));
    objects.add("NodeAttribute", record);
    objects.connect(id, bone);
}

/// The rest frame without what rounding left of scale.
fn rigid(rest: &DMat4) -> Result<DMat4> {
    let axes = DMat3::from_mat4(*rest);
    let unit = |axis: glam::DVec3| (axis.length() - 1.0).abs() < 1e-3;
    let turned = (axes.determinant() - 1.0).abs() < 1e-2;
    if !rest.is_finite() || !turned || ![axes.x_axis, axes.y_axis, axes.z_axis].into_iter().all(unit) {
        return Err(inconsistent("the rest frame of a bone is no rotation and translation"));
    }
    let rotation = DQuat::from_mat3(&axes).normalize();
    Ok(DMat4::from_rotation_translation(rotation, rest.w_axis.truncate()))
}

/// Adds the bind pose: every bone and every mesh, where they stand.
pub(super) fn add_bind_pose(objects: &mut Objects, limbs: &[Limb], meshes: &[i64]) {
    let (_, record) = objects.begin("Pose", "BindPose", "Pose", "BindPose");
    let at = |(id, matrix): (i64, DMat4)| {
        Node::new("PoseNode").child(Node::new("Node").i64(id)).child(matrix_record("Matrix", &matrix))
    };
    let count = limbs.len() + meshes.len();
    let meshes = meshes.iter().map(|id| (*id, DMat4::IDENTITY));
    let record = record
        .child(Node::new("Type").text("BindPose"))
        .child(Node::new("Version").i32(100))
        .child(Node::new("NbPoseNodes").i32(count as i32))
        .children(meshes.chain(limbs.iter().map(|l| (l.id, l.rest))).map(at));
    objects.add("Pose", record);
}

/// Sixteen numbers column by column, the translation last.
pub(super) fn matrix_record(name: &'static str, matrix: &DMat4) -> Node {
    Node::new(name).with(Property::F64s(matrix.to_cols_array().map(|x| x + 0.0).to_vec()))
}
