//! What bones do to the mesh.
//!
//! Linear blend skinning (Magnenat-Thalmann, Laperrière, Thalmann 1988, "Joint-dependent local deformations"), bones with
//! rest frames of any direction.

use glam::{DMat4, DQuat, DVec3};

use super::Character;

impl Character {
    /// What each bone does to a point of the bind pose when bones turn about axes of the world, each about its own
    /// place and on top of what its parent does. Needs no local axes, so that it is one and the same pose in every
    /// convention.
    pub fn turned(&self, turns: &[(usize, DQuat)]) -> Vec<DMat4> {
        let mut all: Vec<DMat4> = Vec::with_capacity(self.bones.len());
        for (index, bone) in self.bones.iter().enumerate() {
            let above = bone.parent.and_then(|p| all.get(p)).copied().unwrap_or(DMat4::IDENTITY);
            let own = turns.iter().filter(|(b, _)| *b == index).fold(DQuat::IDENTITY, |sum, (_, q)| *q * sum);
            let about = above.transform_point3(bone.position());
            let turn =
                DMat4::from_translation(about) * DMat4::from_quat(own) * DMat4::from_translation(-about);
            all.push(turn * above);
        }
        all
    }

    /// What each bone does to a point of the bind pose when these are their transforms to their parents.
    pub fn posed(&self, locals: &[DMat4]) -> Vec<DMat4> {
        let mut worlds: Vec<DMat4> = Vec::with_capacity(self.bones.len());
        for (bone, local) in self.bones.iter().zip(locals) {
            let above = bone.parent.and_then(|p| worlds.get(p)).copied().unwrap_or(DMat4::IDENTITY);
            worlds.push(above * *local);
        }
        worlds.iter().zip(&self.bones).map(|(world, bone)| *world * bone.rest.inverse()).collect()
    }

    /// Every vertex where the bones take it, `[mesh][primitive][vertex]`, morph targets at rest.
    pub fn deformed(&self, bones: &[DMat4]) -> Vec<Vec<Vec<DVec3>>> {
        let none = Vec::new();
        let mut all = Vec::with_capacity(self.scene.meshes.len());
        for (index, mesh) in self.scene.meshes.iter().enumerate() {
            let influences = self.influences.get(index).unwrap_or(&none);
            let mut primitives = Vec::with_capacity(mesh.primitives.len());
            for (place, primitive) in mesh.primitives.iter().enumerate() {
                let k = influences.get(place).map_or(1, |i| i.per_vertex.max(1));
                let lists = influences.get(place);
                let one = |(vertex, p): (usize, &[f32; 3])| {
                    let p = DVec3::from(p.map(f64::from));
                    let range = vertex * k..(vertex + 1) * k;
                    let joints = lists.and_then(|i| i.joints.get(range.clone())).unwrap_or_default();
                    let weights = lists.and_then(|i| i.weights.get(range)).unwrap_or_default();
                    blend(p, joints, weights, bones)
                };
                primitives.push(primitive.positions.iter().enumerate().map(one).collect());
            }
            all.push(primitives);
        }
        all
    }
}

fn blend(p: DVec3, joints: &[u16], weights: &[f32], bones: &[DMat4]) -> DVec3 {
    let (mut sum, mut total) = (DVec3::ZERO, 0.0);
    for (joint, weight) in joints.iter().zip(weights) {
        if let Some(bone) = bones.get(usize::from(*joint)).filter(|_| *weight > 0.0) {
            sum += bone.transform_point3(p) * f64::from(*weight);
            total += f64::from(*weight);
        }
    }
    if total > 0.0 { sum / total } else { p }
}
