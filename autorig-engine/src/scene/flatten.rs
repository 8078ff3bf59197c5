//! Bakes node transforms into vertices.

use std::collections::BTreeSet;

use glam::{DMat3, DMat4, DVec3};

use super::pose::{self, Pose};
use super::{Mesh, Node, Primitive, Scene};
use crate::{Code, Error, Limits, Result};

impl Scene {
    /// Bakes every node's world transform into its mesh, so that the scene is what a viewer shows, with
    /// nothing left to evaluate: one root node with the identity transform per mesh in use, in the order of
    /// the hierarchy, and `nodes[i].mesh == Some(i)`.
    ///
    /// A mesh used by several nodes is copied for each. Skinned meshes are posed by linear blend skinning
    /// where their joint nodes stand now; then skins, influences and clips are dropped, and so are
    /// parts without a triangle. Normals, tangents and morph targets follow; a mirroring transform turns the
    /// triangles' winding. Vertex and triangle order stay, and what is not transformed stays bit for bit.
    ///
    /// # Errors
    /// `no_geometry` when no triangle is left, `limit_triangles`, `limit_meshes` and `limit_memory` with
    /// copies counted, `scale_out_of_range` when a transform throws vertices out of single precision,
    /// `corrupt_file` when a node refers to what does not exist.
    pub fn flatten(self, limits: &Limits) -> Result<Self> {
        let worlds = self.worlds();
        Ok(self.flatten_at(&worlds, limits)?.0)
    }

    /// [`Scene::flatten`] with nodes where `worlds` has them, and the nodes that the meshes hung on.
    pub(crate) fn flatten_at(mut self, worlds: &[DMat4], limits: &Limits) -> Result<(Self, Vec<usize>)> {
        let uses = self.instances()?;
        self.check(&uses, limits)?;
        let mut left = vec![0usize; self.meshes.len()];
        for instance in &uses {
            if let Some(count) = left.get_mut(instance.mesh) {
                *count += 1;
            }
        }
        let (mut nodes, mut meshes) = (Vec::with_capacity(uses.len()), Vec::with_capacity(uses.len()));
        let mut places = Vec::with_capacity(uses.len());
        for instance in &uses {
            let last = left.get_mut(instance.mesh).is_some_and(|count| {
                *count -= 1;
                *count == 0
            });
            let Some(slot) = self.meshes.get_mut(instance.mesh) else { continue };
            let mut mesh = if last { std::mem::take(slot) } else { slot.clone() };
            mesh.primitives.retain(Primitive::is_drawn);
            if mesh.primitives.is_empty() {
                continue;
            }
            self.bake(instance, worlds, &mut mesh)?;
            places.push(instance.node);
            nodes.push(Node {
                name: self.name_of(instance.node),
                mesh: Some(nodes.len()),
                ..Node::default()
            });
            meshes.push(mesh);
        }
        if meshes.is_empty() {
            return Err(Error::new(Code::NoGeometry, "the model has no triangles"));
        }
        if !self.clips.is_empty() {
            let clips = std::mem::take(&mut self.clips);
            let list = clips.iter().take(20).map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
            self.warn("clips_dropped", format!("{} animations are not kept: {list}", clips.len()));
        }
        self.roots = (0..nodes.len()).collect();
        self.nodes = nodes;
        self.meshes = meshes;
        self.skins = Vec::new();
        Ok((self, places))
    }

    fn name_of(&self, node: usize) -> String {
        self.nodes.get(node).map(|n| n.name.clone()).unwrap_or_default()
    }

    /// Where meshes are used, in the order of the hierarchy.
    pub(crate) fn instances(&self) -> Result<Vec<Instance>> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut stack: Vec<usize> = self.roots.iter().rev().copied().collect();
        while let Some(index) = stack.pop() {
            if !seen.insert(index) {
                return Err(Error::new(
                    Code::CorruptFile,
                    format!("node {index} hangs in the hierarchy twice"),
                ));
            }
            let node = self.nodes.get(index).ok_or_else(|| {
                Error::new(Code::CorruptFile, format!("node {index} is referred to, but does not exist"))
            })?;
            if let Some(mesh) = node.mesh {
                if mesh >= self.meshes.len() {
                    let message = format!("node {index} refers to mesh {mesh}, which does not exist");
                    return Err(Error::new(Code::CorruptFile, message));
                }
                found.push(Instance { node: index, mesh });
            }
            stack.extend(node.children.iter().rev());
        }
        Ok(found)
    }

    /// Limits and emptiness, copies counted, before anything is copied.
    fn check(&self, uses: &[Instance], limits: &Limits) -> Result<()> {
        let (mut triangles, mut bytes) = (0u64, 0u64);
        for primitive in uses.iter().filter_map(|u| self.meshes.get(u.mesh)).flat_map(|m| &m.primitives) {
            triangles += primitive.indices.len() as u64 / 3;
            bytes += primitive.byte_size();
        }
        if triangles == 0 {
            return Err(Error::new(Code::NoGeometry, "the model has no triangles"));
        }
        if triangles > limits.triangles {
            let message =
                format!("the model has {triangles} triangles; at most {} are accepted", limits.triangles);
            return Err(Error::new(Code::LimitTriangles, message));
        }
        if uses.len() as u64 > u64::from(limits.meshes) {
            let message =
                format!("the model shows {} meshes; at most {} are accepted", uses.len(), limits.meshes);
            return Err(Error::new(Code::LimitMeshes, message));
        }
        if bytes > limits.decoded_bytes {
            let message = format!("the model unfolds into more than {} MB", limits.decoded_bytes >> 20);
            return Err(Error::new(Code::LimitMemory, message));
        }
        Ok(())
    }

    /// Node to world for every node that hangs on a root or on another node.
    fn worlds(&self) -> Vec<DMat4> {
        let mut worlds: Vec<Option<DMat4>> = vec![None; self.nodes.len()];
        let mut is_child = vec![false; self.nodes.len()];
        for &child in self.nodes.iter().flat_map(|n| &n.children) {
            if let Some(slot) = is_child.get_mut(child) {
                *slot = true;
            }
        }
        // Joints may hang on nodes that the shown scene does not list, so every parentless node starts.
        let tops = (0..self.nodes.len()).filter(|&i| is_child.get(i) == Some(&false));
        let mut stack: Vec<(usize, DMat4)> =
            tops.chain(self.roots.iter().copied()).map(|i| (i, DMat4::IDENTITY)).collect();
        while let Some((index, parent)) = stack.pop() {
            let (Some(node), Some(slot @ None)) = (self.nodes.get(index), worlds.get_mut(index)) else {
                continue;
            };
            let world = parent * node.local;
            *slot = Some(world);
            stack.extend(node.children.iter().map(|&child| (child, world)));
        }
        worlds.into_iter().map(|w| w.unwrap_or(DMat4::IDENTITY)).collect()
    }

    fn bake(&mut self, instance: &Instance, worlds: &[DMat4], mesh: &mut Mesh) -> Result<()> {
        let Some(node) = self.nodes.get(instance.node) else { return Ok(()) };
        if !node.morph_weights.is_empty() {
            let count = mesh.morph_weights.len();
            mesh.morph_weights.clone_from(&node.morph_weights);
            mesh.morph_weights.resize(count, 0.0);
        }
        let world = worlds.get(instance.node).copied().unwrap_or(DMat4::IDENTITY);
        let skin = node.skin.and_then(|skin| self.skins.get(skin)).filter(|skin| !skin.joints.is_empty());
        let joints = skin.map(|skin| (pose::joint_matrices(skin, worlds), pose::reach(skin, worlds)));
        let mut strangers = 0;
        for primitive in &mut mesh.primitives {
            let influences = primitive.influences.take();
            match (&joints, influences) {
                (Some((joints, reach)), Some(influences)) => {
                    let pose = Pose::new(joints, *reach, &influences);
                    strangers += pose.strangers();
                    match pose.rigid() {
                        Some(matrix) => transform(primitive, &matrix),
                        None => pose.apply(primitive),
                    }
                }
                _ => transform(primitive, &world),
            }
        }
        let name = if mesh.name.is_empty() { node.name.clone() } else { mesh.name.clone() };
        if joints.is_none() && world.determinant() == 0.0 {
            let message = format!("mesh \"{name}\" is scaled to nothing in at least one direction");
            self.warn("singular_transform", message);
        }
        if strangers > 0 {
            self.warn(
                "weights_repaired",
                format!("mesh \"{name}\" followed joints that its skin does not have"),
            );
        }
        refuse_overflow(mesh, &name)
    }
}

/// A use of a mesh by a node.
pub(crate) struct Instance {
    pub(crate) node: usize,
    pub(crate) mesh: usize,
}

impl Primitive {
    /// It has something to show.
    pub(crate) fn is_drawn(&self) -> bool {
        !self.indices.is_empty() && !self.positions.is_empty()
    }

    /// Bytes its arrays take.
    fn byte_size(&self) -> u64 {
        let n = self.positions.len() as u64;
        let vectors = 12 + 12 * u64::from(self.normals.is_some()) + 16 * u64::from(self.tangents.is_some());
        let sets = 8 * self.uvs.len() as u64 + 16 * self.colors.len() as u64;
        let morphs: usize =
            self.morphs.iter().map(|m| m.positions.len() + m.normals.len() + m.tangents.len()).sum();
        n * (vectors + sets) + 12 * morphs as u64 + 4 * self.indices.len() as u64
    }
}

fn refuse_overflow(mesh: &Mesh, name: &str) -> Result<()> {
    let positions = mesh
        .primitives
        .iter()
        .flat_map(|p| p.positions.iter().chain(p.morphs.iter().flat_map(|m| m.positions.iter())));
    let mut all = positions.flatten();
    if all.all(|x| x.is_finite()) {
        return Ok(());
    }
    Err(Error::new(
        Code::ScaleOutOfRange,
        format!("the transforms of mesh \"{name}\" throw its vertices out of range"),
    ))
}

/// Applies a transform to everything in a primitive that has a direction or a place.
pub(crate) fn transform(primitive: &mut Primitive, matrix: &DMat4) {
    if *matrix == DMat4::IDENTITY {
        return;
    }
    let linear = Linear::new(matrix);
    for p in &mut primitive.positions {
        *p = matrix.transform_point3(wide(*p)).to_array().map(|x| x as f32);
    }
    for n in primitive.normals.iter_mut().flatten() {
        *n = linear.normal(*n);
    }
    for t in primitive.tangents.iter_mut().flatten() {
        *t = linear.tangent(*t);
    }
    for morph in &mut primitive.morphs {
        for d in morph.positions.iter_mut().chain(&mut morph.tangents) {
            *d = linear.vector(*d);
        }
        for d in &mut morph.normals {
            *d = linear.normal_delta(*d);
        }
    }
    if linear.mirrors {
        flip(&mut primitive.indices);
    }
}

/// Turns the winding of every triangle.
pub(super) fn flip(indices: &mut [u32]) {
    for triangle in indices.chunks_exact_mut(3) {
        triangle.swap(1, 2);
    }
}

/// The linear part of a transform and what it does to normals.
pub(super) struct Linear {
    linear: DMat3,
    normals: DMat3,
    scale: f64,
    pub(super) mirrors: bool,
}

impl Linear {
    pub(super) fn new(matrix: &DMat4) -> Self {
        let linear = DMat3::from_mat4(*matrix);
        let determinant = linear.determinant();
        let mirrors = determinant < 0.0;
        let sign = if mirrors { -1.0 } else { 1.0 };
        // The cofactors are the inverse transposed times the determinant: right for normals in
        // direction, and defined for singular transforms too.
        let (x, y, z) = (linear.x_axis, linear.y_axis, linear.z_axis);
        let normals = DMat3::from_cols(y.cross(z) * sign, z.cross(x) * sign, x.cross(y) * sign);
        // Differences of unit normals keep their size under a uniform scale.
        let size = determinant.abs();
        let scale = if size > 0.0 { 1.0 / libm::cbrt(size * size) } else { 0.0 };
        Self { linear, normals, scale, mirrors }
    }

    pub(super) fn vector(&self, v: [f32; 3]) -> [f32; 3] {
        (self.linear * wide(v)).to_array().map(|x| x as f32)
    }

    pub(super) fn normal(&self, n: [f32; 3]) -> [f32; 3] {
        super::normals::unit_or(self.normals * wide(n), wide(n))
    }

    pub(super) fn normal_delta(&self, d: [f32; 3]) -> [f32; 3] {
        (self.normals * wide(d) * self.scale).to_array().map(|x| x as f32)
    }

    pub(super) fn tangent(&self, [x, y, z, w]: [f32; 4]) -> [f32; 4] {
        let v = wide([x, y, z]);
        let [x, y, z] = super::normals::unit_or(self.linear * v, v);
        [x, y, z, if self.mirrors { -w } else { w }]
    }
}

pub(super) fn wide(v: [f32; 3]) -> DVec3 {
    DVec3::from(v.map(f64::from))
}
