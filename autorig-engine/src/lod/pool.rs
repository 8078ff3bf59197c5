//! All primitives of a character as one mesh, and back.

use std::collections::BTreeMap;

use crate::{
    Character, Result,
    analyse::weld::{UNUSED, Welded},
    scene::{Influences, Mesh, Morph, Primitive, Scene},
};

/// Numbers that a bone's share of the skin is folded into.
const SKIN: usize = 8;
/// Attributes of a vertex: normal, UV, colour, skin.
pub(super) const ATTRIBUTES: usize = 3 + 2 + 3 + SKIN;
/// What a change of one counts against a change of position by the whole extent.
pub(super) const IMPORTANCE: [f32; ATTRIBUTES] = {
    let mut all = [0.25; ATTRIBUTES];
    // Seams of UVs hold most of the texture in place; inside a chart a slide is seen less than a dent.
    all[3] = 0.5;
    all[4] = 0.5;
    let mut i = 5;
    while i < 8 {
        all[i] = 0.2;
        i += 1;
    }
    while i < ATTRIBUTES {
        all[i] = 0.3;
        i += 1;
    }
    all
};

/// One mesh over all vertices of the file, in the file's order.
pub(super) struct Pool {
    /// Positions in the file's frame, those that the weld took for one made equal.
    pub(super) positions: Vec<[f32; 3]>,
    /// [`ATTRIBUTES`] numbers a vertex.
    pub(super) attributes: Vec<f32>,
    /// Corners of the triangles that have an area; of equal vertices the first.
    pub(super) indices: Vec<u32>,
    /// First vertex of each primitive, and the end.
    pub(super) starts: Vec<u32>,
    /// Vertices at which the UVs or the primitive change from one side of an edge to the other.
    pub(super) seams: Vec<bool>,
}

impl Pool {
    pub(super) fn new(character: &Character) -> Result<Self> {
        let scene = &character.scene;
        let welded = Welded::new(scene)?;
        let primitives: Vec<&Primitive> = scene.meshes.iter().flat_map(|m| &m.primitives).collect();
        let mut starts = vec![0_u32];
        for primitive in &primitives {
            starts.push(starts.last().copied().unwrap_or(0) + primitive.positions.len() as u32);
        }
        let mut positions: Vec<[f32; 3]> =
            primitives.iter().flat_map(|p| p.positions.iter().copied()).collect();
        for (position, &merged) in positions.iter_mut().zip(&welded.of_file_vertex) {
            if let Some(at) = welded.vertices.get(merged as usize).filter(|_| merged != UNUSED) {
                *position = at.as_vec3().to_array();
            }
        }
        let first = first_of_equals(character, &welded.of_file_vertex, &starts);
        let mut indices = Vec::with_capacity(welded.triangles.len() * 3);
        for (primitive, &start) in primitives.iter().zip(&starts) {
            let corners = |t: &[u32]| [t[0], t[1], t[2]].map(|v| (start + v) as usize);
            let before = indices.len();
            for t in primitive.indices.chunks_exact(3) {
                let [a, b, c] = corners(t).map(|v| welded.of_file_vertex.get(v).copied().unwrap_or(UNUSED));
                if a != b && b != c && c != a && ![a, b, c].contains(&UNUSED) {
                    indices.extend(corners(t).map(|v| first[v]));
                }
            }
            // A primitive of slivers alone keeps its first: writers expect every primitive to have a triangle.
            if let Some(t) = primitive.indices.get(..3).filter(|_| indices.len() == before) {
                indices.extend(corners(t).map(|v| v as u32));
            }
        }
        let seams = seams(character, &welded.of_file_vertex, &starts);
        Ok(Self { positions, attributes: attributes(character), indices, starts, seams })
    }

    pub(super) fn triangles(&self) -> usize {
        self.indices.len() / 3
    }

    /// Index of the primitive that a vertex belongs to.
    pub(super) fn primitive_of(&self, vertex: u32) -> usize {
        self.starts.partition_point(|start| *start <= vertex) - 1
    }

    /// The character with these triangles, and of its vertices those that they use, in the file's order.
    pub(super) fn rebuild(&self, character: &Character, indices: &[u32]) -> Character {
        let mut triangles: Vec<Vec<u32>> = vec![Vec::new(); self.starts.len() - 1];
        for t in indices.chunks_exact(3) {
            triangles[self.primitive_of(t[0])].extend(t);
        }
        let mut number = 0;
        let mut scene = without_meshes(&character.scene);
        let mut influences = Vec::with_capacity(character.influences.len());
        for (index, mesh) in character.scene.meshes.iter().enumerate() {
            let (mut primitives, mut followed) = (Vec::new(), Vec::new());
            for (slot, primitive) in mesh.primitives.iter().enumerate() {
                let own: Vec<u32> = triangles[number].iter().map(|v| v - self.starts[number]).collect();
                let kept = kept(primitive.positions.len(), &own);
                primitives.push(thinned(primitive, &own, &kept));
                if let Some(own) = character.influences.get(index).and_then(|m| m.get(slot)) {
                    followed.push(thinned_influences(own, &kept));
                }
                number += 1;
            }
            scene.meshes.push(Mesh { primitives, ..without_primitives(mesh) });
            influences.push(followed);
        }
        if character.influences.is_empty() {
            influences.clear();
        }
        Character {
            scene,
            influences,
            bones: character.bones.clone(),
            clips: character.clips.clone(),
            frame: character.frame,
        }
    }
}

/// Vertices in use, ascending.
fn kept(count: usize, indices: &[u32]) -> Vec<u32> {
    let mut used = vec![false; count];
    indices.iter().for_each(|i| used[*i as usize] = true);
    (0..count as u32).filter(|i| used[*i as usize]).collect()
}

fn thinned(primitive: &Primitive, indices: &[u32], kept: &[u32]) -> Primitive {
    let mut renamed = vec![0_u32; primitive.positions.len()];
    (0..).zip(kept).for_each(|(new, old)| renamed[*old as usize] = new);
    Primitive {
        positions: picked(&primitive.positions, kept),
        normals: primitive.normals.as_ref().map(|n| picked(n, kept)),
        tangents: primitive.tangents.as_ref().map(|t| picked(t, kept)),
        uvs: primitive.uvs.iter().map(|uvs| picked(uvs, kept)).collect(),
        colors: primitive.colors.iter().map(|c| picked(c, kept)).collect(),
        indices: indices.iter().map(|i| renamed[*i as usize]).collect(),
        material: primitive.material,
        morphs: primitive.morphs.iter().map(|m| thinned_morph(m, kept)).collect(),
        influences: primitive.influences.as_ref().map(|i| thinned_influences(i, kept)),
        extensions: primitive.extensions.clone(),
        extras: primitive.extras.clone(),
    }
}

fn thinned_morph(morph: &Morph, kept: &[u32]) -> Morph {
    Morph {
        positions: picked(&morph.positions, kept),
        normals: picked(&morph.normals, kept),
        tangents: picked(&morph.tangents, kept),
    }
}

fn thinned_influences(influences: &Influences, kept: &[u32]) -> Influences {
    let k = influences.per_vertex;
    let places = || kept.iter().flat_map(|v| *v as usize * k..(*v as usize + 1) * k);
    Influences {
        per_vertex: k,
        joints: places().filter_map(|i| influences.joints.get(i).copied()).collect(),
        weights: places().filter_map(|i| influences.weights.get(i).copied()).collect(),
    }
}

/// The kept entries of an attribute; an attribute that has none stays empty.
fn picked<T: Copy>(values: &[T], kept: &[u32]) -> Vec<T> {
    kept.iter().filter_map(|i| values.get(*i as usize).copied()).collect()
}

/// For each vertex the first of its primitive that equals it in everything, so that unindexed files are connected.
fn first_of_equals(character: &Character, merged: &[u32], starts: &[u32]) -> Vec<u32> {
    let mut first: Vec<u32> = (0..merged.len() as u32).collect();
    let mut seen: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
    let mut number = 0;
    for (index, mesh) in character.scene.meshes.iter().enumerate() {
        for (slot, primitive) in mesh.primitives.iter().enumerate() {
            let influences = character.influences.get(index).and_then(|m| m.get(slot));
            seen.clear();
            let shared = shared(&merged[starts[number] as usize..starts[number + 1] as usize]);
            for vertex in (0..primitive.positions.len()).filter(|v| shared[*v]) {
                let global = starts[number] + vertex as u32;
                let key = key(primitive, influences, vertex, merged[global as usize]);
                first[global as usize] = *seen.entry(key).or_insert(global);
            }
            number += 1;
        }
    }
    first
}

/// Which vertices share their place with another one.
fn shared(merged: &[u32]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..merged.len()).filter(|v| merged[*v] != UNUSED).collect();
    order.sort_unstable_by_key(|v| (merged[*v], *v));
    let mut shared = vec![false; merged.len()];
    for group in order.chunk_by(|a, b| merged[*a] == merged[*b]).filter(|g| g.len() > 1) {
        group.iter().for_each(|v| shared[*v] = true);
    }
    shared
}

/// Everything that tells a vertex from another, bit by bit.
fn key(primitive: &Primitive, influences: Option<&Influences>, vertex: usize, merged: u32) -> Vec<u32> {
    fn push<const N: usize>(key: &mut Vec<u32>, values: &[[f32; N]], vertex: usize) {
        key.extend(values.get(vertex).into_iter().flatten().map(|v| v.to_bits()));
    }
    let mut key = vec![merged];
    push(&mut key, primitive.normals.as_deref().unwrap_or_default(), vertex);
    push(&mut key, primitive.tangents.as_deref().unwrap_or_default(), vertex);
    primitive.uvs.iter().for_each(|uvs| push(&mut key, uvs, vertex));
    primitive.colors.iter().for_each(|c| push(&mut key, c, vertex));
    for morph in &primitive.morphs {
        push(&mut key, &morph.positions, vertex);
        push(&mut key, &morph.normals, vertex);
        push(&mut key, &morph.tangents, vertex);
    }
    if let Some(influences) = influences {
        let places = vertex * influences.per_vertex..(vertex + 1) * influences.per_vertex;
        key.extend(influences.joints.get(places.clone()).into_iter().flatten().map(|j| u32::from(*j)));
        key.extend(influences.weights.get(places).into_iter().flatten().map(|w| w.to_bits()));
    }
    key
}

/// Which vertices stand where another one has different UVs or belongs to another primitive.
fn seams(character: &Character, merged: &[u32], starts: &[u32]) -> Vec<bool> {
    let primitives: Vec<&Primitive> = character.scene.meshes.iter().flat_map(|m| &m.primitives).collect();
    let side = |vertex: usize| {
        let number = starts.partition_point(|s| *s as usize <= vertex) - 1;
        let local = vertex - starts[number] as usize;
        let uv = primitives[number].uvs.first().and_then(|uvs| uvs.get(local)).copied().unwrap_or_default();
        (number, uv.map(f32::to_bits))
    };
    let mut order: Vec<usize> = (0..merged.len()).filter(|v| merged[*v] != UNUSED).collect();
    order.sort_unstable_by_key(|v| (merged[*v], *v));
    let mut seams = vec![false; merged.len()];
    for group in order.chunk_by(|a, b| merged[*a] == merged[*b]).filter(|g| g.len() > 1) {
        let first = side(group[0]);
        if group.iter().any(|v| side(*v) != first) {
            group.iter().for_each(|v| seams[*v] = true);
        }
    }
    seams
}

/// Normal, UV, colour and skin of every vertex.
fn attributes(character: &Character) -> Vec<f32> {
    let mut all = Vec::with_capacity(character.scene.vertex_count() * ATTRIBUTES);
    let signs: Vec<[f32; SKIN]> = (0..character.bones.len() as u64).map(signature).collect();
    for (index, mesh) in character.scene.meshes.iter().enumerate() {
        for (slot, primitive) in mesh.primitives.iter().enumerate() {
            let influences = character.influences.get(index).and_then(|m| m.get(slot));
            for vertex in 0..primitive.positions.len() {
                let normal = primitive.normals.as_ref().and_then(|n| n.get(vertex)).copied();
                let uv = primitive.uvs.first().and_then(|uvs| uvs.get(vertex)).copied();
                let color = primitive.colors.first().and_then(|c| c.get(vertex)).copied();
                let skin = influences.map(|i| folded(i, vertex, &signs));
                all.extend(normal.unwrap_or_default());
                all.extend(uv.unwrap_or_default());
                all.extend(color.map_or([1.0; 3], |[r, g, b, _]| [r, g, b]));
                all.extend(skin.unwrap_or_default());
            }
        }
    }
    // Infinite or missing numbers of a careless file must not reach the quadrics.
    all.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0);
    all
}

/// A vertex's weights, each bone along a direction of its own. Distances between weights of many bones survive in few numbers
/// (Achlioptas 2003, "Database-friendly random projections").
fn folded(influences: &Influences, vertex: usize, signs: &[[f32; SKIN]]) -> [f32; SKIN] {
    let places = vertex * influences.per_vertex..(vertex + 1) * influences.per_vertex;
    let joints = influences.joints.get(places.clone()).unwrap_or_default();
    let weights = influences.weights.get(places).unwrap_or_default();
    joints.iter().zip(weights).fold([0.0; SKIN], |mut sum, (joint, weight)| {
        let direction = signs.get(usize::from(*joint)).copied().unwrap_or_default();
        sum.iter_mut().zip(direction).for_each(|(s, d)| *s += d * weight);
        sum
    })
}

fn signature(bone: u64) -> [f32; SKIN] {
    let mut random = crate::random::SplitMix::new(bone);
    let bits = random.next();
    let length = 1.0 / (SKIN as f32).sqrt();
    std::array::from_fn(|i| if bits >> (7 * i) & 1 == 0 { length } else { -length })
}

fn without_meshes(scene: &Scene) -> Scene {
    Scene {
        format: scene.format,
        nodes: scene.nodes.clone(),
        roots: scene.roots.clone(),
        meshes: Vec::with_capacity(scene.meshes.len()),
        materials: scene.materials.clone(),
        textures: scene.textures.clone(),
        images: scene.images.clone(),
        samplers: scene.samplers.clone(),
        skins: scene.skins.clone(),
        clips: scene.clips.clone(),
        extensions_used: scene.extensions_used.clone(),
        extensions_required: scene.extensions_required.clone(),
        extensions: scene.extensions.clone(),
        copyright: scene.copyright.clone(),
        warnings: scene.warnings.clone(),
    }
}

fn without_primitives(mesh: &Mesh) -> Mesh {
    Mesh {
        name: mesh.name.clone(),
        primitives: Vec::new(),
        morph_names: mesh.morph_names.clone(),
        morph_weights: mesh.morph_weights.clone(),
        extras: mesh.extras.clone(),
    }
}
