//! One mesh of a rig as numpy arrays; its primitives follow each other.

use autorig_engine::{
    Rig,
    scene::{Influences, Primitive},
};
use pyo3::prelude::*;

use crate::{arrays::read_only, error::internal};

/// A skinned mesh: N vertices, T triangles, K influences a vertex. The arrays are read-only.
#[pyclass(frozen, module = "autorig")]
pub(crate) struct Mesh {
    /// Name in the file, possibly empty.
    #[pyo3(get)]
    name: String,
    /// Vertex positions in the input's frame and unit, float32 [N, 3].
    #[pyo3(get)]
    positions: Py<PyAny>,
    /// Triangles, uint32 [T, 3].
    #[pyo3(get)]
    indices: Py<PyAny>,
    /// Joints each vertex follows, indices into Rig.joints, uint16 [N, K].
    #[pyo3(get)]
    joints: Py<PyAny>,
    /// How much it follows them, float32 [N, K]; rows sum to 1.
    #[pyo3(get)]
    weights: Py<PyAny>,
    vertices: usize,
    triangles: usize,
}

#[pymethods]
impl Mesh {
    fn __repr__(&self) -> String {
        format!("Mesh(name={:?}, vertices={}, triangles={})", self.name, self.vertices, self.triangles)
    }
}

/// Every mesh of a rig.
pub(crate) fn meshes(py: Python<'_>, rig: &Rig) -> PyResult<Vec<Py<Mesh>>> {
    if rig.influences.len() != rig.scene.meshes.len() {
        return Err(internal("the rig has not one skin a mesh"));
    }
    let meshes = rig.scene.meshes.iter().zip(&rig.influences);
    meshes.map(|(mesh, skin)| Py::new(py, convert(py, &mesh.name, &mesh.primitives, skin)?)).collect()
}

fn convert(py: Python<'_>, name: &str, primitives: &[Primitive], skin: &[Influences]) -> PyResult<Mesh> {
    let Joined { positions, indices, joints, weights, per_vertex } =
        py.detach(|| join(primitives, skin)).ok_or_else(|| internal("a skin does not fit its mesh"))?;
    let (vertices, triangles) = (positions.len() / 3, indices.len() / 3);
    Ok(Mesh {
        name: name.to_owned(),
        positions: read_only(py, positions, &[vertices, 3])?,
        indices: read_only(py, indices, &[triangles, 3])?,
        joints: read_only(py, joints, &[vertices, per_vertex])?,
        weights: read_only(py, weights, &[vertices, per_vertex])?,
        vertices,
        triangles,
    })
}

#[derive(Default)]
struct Joined {
    positions: Vec<f32>,
    indices: Vec<u32>,
    joints: Vec<u16>,
    weights: Vec<f32>,
    per_vertex: usize,
}

/// Puts primitives one after the other; `None` when the parts do not fit each other.
fn join(primitives: &[Primitive], skin: &[Influences]) -> Option<Joined> {
    let per_vertex = skin.iter().map(|influences| influences.per_vertex).max().unwrap_or_default();
    let mut joined = Joined { per_vertex, ..Joined::default() };
    if primitives.len() != skin.len() {
        return None;
    }
    for (primitive, influences) in primitives.iter().zip(skin) {
        let first = u32::try_from(joined.positions.len() / 3).ok()?;
        joined.positions.extend(primitive.positions.iter().flatten());
        for &index in &primitive.indices {
            joined.indices.push(index.checked_add(first)?);
        }
        for (joints, weights) in influences.iter() {
            joined.joints.extend(padded(joints, per_vertex));
            joined.weights.extend(padded(weights, per_vertex));
        }
    }
    let rows = joined.positions.len() / 3;
    (joined.weights.len() == rows * per_vertex && joined.joints.len() == rows * per_vertex).then_some(joined)
}

/// A row with as many places as the widest one.
fn padded<T: Copy + Default>(row: &[T], width: usize) -> impl Iterator<Item = T> {
    row.iter().copied().chain(std::iter::repeat(T::default())).take(width)
}
