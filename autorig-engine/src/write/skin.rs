//! Bones and influences as glTF.

use glam::{DMat3, DQuat, DVec3};
use serde_json::{Map, Value, json};

use super::buffer::Buffer;
use super::value::inconsistent;
use crate::Result;
use crate::character::Bone;
use crate::scene::Influences;

/// `JOINTS_n` and `WEIGHTS_n` of one primitive.
pub(super) struct Sets {
    joint_count: usize,
    sets: Vec<Set>,
}

/// Four places a vertex.
type Set = (Vec<[u16; 4]>, Vec<[f32; 4]>);

impl Sets {
    /// Orders, merges and normalises the influences of every vertex as glTF wants them: heaviest first, no joint
    /// twice, a sum of 1, joint 0 in empty places.
    pub(super) fn new(influences: &Influences, joint_count: usize) -> Result<Self> {
        let k = influences.per_vertex;
        if k == 0
            || influences.joints.len() != influences.weights.len()
            || !influences.joints.len().is_multiple_of(k)
        {
            return Err(inconsistent("the influences of a primitive have unequal lengths"));
        }
        let count = influences.joints.len() / k;
        let mut sets = vec![(vec![[0u16; 4]; count], vec![[0f32; 4]; count]); k.div_ceil(4)];
        let mut places: Vec<(u16, f64)> = Vec::with_capacity(k);
        for (vertex, (joints, weights)) in influences.iter().enumerate() {
            places.clear();
            for (&joint, &weight) in joints.iter().zip(weights) {
                add(&mut places, joint, weight, joint_count)?;
            }
            places.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let sum: f64 = places.iter().map(|p| p.1).sum();
            if sum <= 0.0 {
                return Err(inconsistent("a vertex follows no joint"));
            }
            for (place, (joint, weight)) in places.iter().enumerate() {
                let slot =
                    sets.get_mut(place / 4).and_then(|(j, w)| j.get_mut(vertex).zip(w.get_mut(vertex)));
                let slot = slot.and_then(|(j, w)| j.get_mut(place % 4).zip(w.get_mut(place % 4)));
                let weight = (weight / sum) as f32;
                // A weight that rounds to zero must not name a joint.
                if let Some((j, w)) = slot
                    && weight > 0.0
                {
                    (*j, *w) = (*joint, weight);
                }
            }
        }
        Ok(Self { joint_count, sets })
    }

    /// Adds the attributes to a primitive of `count` vertices.
    pub(super) fn write(
        &self,
        count: usize,
        buffer: &mut Buffer,
        attributes: &mut Map<String, Value>,
    ) -> Result<()> {
        for (set, (joints, weights)) in self.sets.iter().enumerate() {
            if joints.len() != count {
                return Err(inconsistent("a primitive has not as many influences as vertices"));
            }
            attributes.insert(format!("JOINTS_{set}"), buffer.joints(joints, self.joint_count).into());
            attributes.insert(format!("WEIGHTS_{set}"), buffer.floats(weights)?.into());
        }
        Ok(())
    }
}

fn add(places: &mut Vec<(u16, f64)>, joint: u16, weight: f32, joint_count: usize) -> Result<()> {
    if !weight.is_finite() || weight < 0.0 {
        return Err(inconsistent("a skin weight is negative or not finite"));
    }
    if weight == 0.0 {
        return Ok(());
    }
    if usize::from(joint) >= joint_count {
        return Err(inconsistent("a vertex follows a joint that does not exist"));
    }
    match places.iter_mut().find(|p| p.0 == joint) {
        Some(place) => place.1 += f64::from(weight),
        None => places.push((joint, f64::from(weight))),
    }
    Ok(())
}

/// Appends the bones as nodes and returns the skin; the first bone will be node `first`.
pub(super) fn skin(
    bones: &[Bone],
    first: usize,
    nodes: &mut Vec<Value>,
    buffer: &mut Buffer,
) -> Result<Value> {
    let rests: Vec<Rest> = bones.iter().map(Rest::new).collect();
    let mut children = vec![Vec::new(); bones.len()];
    for (index, bone) in bones.iter().enumerate() {
        match bone.parent {
            Some(parent) if parent < index => {
                if let Some(list) = children.get_mut(parent) {
                    list.push(first + index);
                }
            }
            None if index == 0 => {}
            _ => return Err(inconsistent("the skeleton is no tree with its root first")),
        }
    }
    for ((bone, rest), children) in bones.iter().zip(&rests).zip(&children) {
        let above = bone.parent.and_then(|p| rests.get(p));
        let (translation, rotation) = rest.below(above);
        let mut node = Map::new();
        node.insert("name".into(), bone.name.as_str().into());
        if translation != DVec3::ZERO {
            node.insert("translation".into(), json!(translation.to_array()));
        }
        if rotation != DQuat::IDENTITY {
            node.insert("rotation".into(), json!(rotation.to_array()));
        }
        if !children.is_empty() {
            node.insert("children".into(), json!(children));
        }
        nodes.push(node.into());
    }
    let matrices: Vec<[f32; 16]> = rests.iter().map(Rest::inverse).collect();
    let accessor = buffer.matrices(&matrices)?;
    let all: Vec<usize> = (first..first + bones.len()).collect();
    Ok(json!({"inverseBindMatrices": accessor, "skeleton": first, "joints": all, "name": "Armature"}))
}

/// A bone's rest frame. Its place is rounded to single precision once, so that node transforms and inverse bind matrices
/// of unturned bones agree to the last bit.
struct Rest {
    rotation: DQuat,
    position: DVec3,
}

impl Rest {
    fn new(bone: &Bone) -> Self {
        let linear = DMat3::from_mat4(bone.rest);
        let turned = linear != DMat3::IDENTITY;
        let rotation = if turned { DQuat::from_mat3(&linear).normalize() } else { DQuat::IDENTITY };
        Self { rotation, position: bone.position().to_array().map(|x| f64::from(x as f32)).into() }
    }

    /// Translation and rotation in the frame of the parent.
    fn below(&self, above: Option<&Self>) -> (DVec3, DQuat) {
        let Some(above) = above else { return (self.position, self.rotation) };
        let offset = self.position - above.position;
        if above.rotation == self.rotation {
            let offset =
                if above.rotation == DQuat::IDENTITY { offset } else { above.rotation.inverse() * offset };
            return (offset, DQuat::IDENTITY);
        }
        let back = above.rotation.inverse();
        let rotation = (back * self.rotation).normalize();
        (back * offset, if rotation.w < 0.0 { -rotation } else { rotation })
    }

    /// World to bone, column by column.
    fn inverse(&self) -> [f32; 16] {
        let linear = DMat3::from_quat(self.rotation).transpose();
        let moved = linear * self.position;
        // 0 − x and not −x: no negative zeros in the file.
        let [x, y, z] = moved.to_array().map(|v| 0.0 - v as f32);
        let [a, b, c] = [linear.x_axis, linear.y_axis, linear.z_axis].map(|v| v.to_array().map(|v| v as f32));
        [a[0], a[1], a[2], 0.0, b[0], b[1], b[2], 0.0, c[0], c[1], c[2], 0.0, x, y, z, 1.0]
    }
}
