//! Skeleton and influences as glTF.

use serde_json::{Map, Value, json};

use super::buffer::Buffer;
use super::value::inconsistent;
use crate::Result;
use crate::scene::Influences;
use crate::skeleton::Skeleton;

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

/// Appends the joints as nodes and returns the skin; the first joint will be node `first`.
pub(super) fn skin(
    skeleton: &Skeleton,
    first: usize,
    nodes: &mut Vec<Value>,
    buffer: &mut Buffer,
) -> Result<Value> {
    let joints = &skeleton.joints;
    // Rounded once, so that node transforms and inverse bind matrices agree to the last bit.
    let positions: Vec<[f32; 3]> = joints.iter().map(|j| j.position.to_array().map(|x| x as f32)).collect();
    let mut children = vec![Vec::new(); joints.len()];
    for (index, joint) in joints.iter().enumerate() {
        match joint.parent {
            Some(parent) if parent < index => {
                if let Some(list) = children.get_mut(parent) {
                    list.push(first + index);
                }
            }
            None if index == 0 => {}
            _ => return Err(inconsistent("the skeleton is no tree with its root first")),
        }
    }
    for ((joint, position), children) in joints.iter().zip(&positions).zip(&children) {
        let parent = joint.parent.and_then(|p| positions.get(p)).copied().unwrap_or_default();
        let offset: Vec<f64> =
            position.iter().zip(&parent).map(|(x, p)| f64::from(*x) - f64::from(*p)).collect();
        let mut node = Map::new();
        node.insert("name".into(), joint.name.as_str().into());
        if offset.iter().any(|x| *x != 0.0) {
            node.insert("translation".into(), json!(offset));
        }
        if !children.is_empty() {
            node.insert("children".into(), json!(children));
        }
        nodes.push(node.into());
    }
    let inverse = |[x, y, z]: [f32; 3]| {
        // 0 − x and not −x: no negative zeros in the file.
        [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0 - x, 0.0 - y, 0.0 - z, 1.0]
    };
    let matrices: Vec<[f32; 16]> = positions.into_iter().map(inverse).collect();
    let accessor = buffer.matrices(&matrices)?;
    let all: Vec<usize> = (first..first + joints.len()).collect();
    Ok(json!({"inverseBindMatrices": accessor, "skeleton": first, "joints": all, "name": "Armature"}))
}
