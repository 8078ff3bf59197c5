//! `autorig.rig` and what it returns.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use autorig_engine as engine;
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict, PyList},
};

use crate::{
    arrays::read_only,
    error::{exception, internal, os_error},
    mesh::{Mesh, meshes},
    options::{Choices, options},
    save, source,
    watch::attend,
};

/// Rigs a character: finds its skeleton and its skin weights.
///
/// `source` is a path, the bytes of a model, or a file opened with mode 'rb'; `joints` places joints by
/// hand; `influences` is the most joints a vertex may follow; `fingers` is 'auto' or 'none', and so are
/// `extra_chains` (tails, ears, hair, capes, skirts) and `eyes`; `symmetry` is 'auto' or 'off', `rest_pose` 'as_is' or 't_pose'; `progress(stage, fraction)` is called from
/// the calling thread, and what it raises stops the work; `name` names the model in messages.
#[pyfunction]
#[pyo3(signature = (source, *, class_ = "auto", joints = None, influences = 4, fingers = "auto", extra_chains = "auto", eyes = "none", symmetry = "auto", rest_pose = "as_is", threads = None, progress = None, name = None))]
#[expect(clippy::needless_pass_by_value, reason = "what pyo3 extracts")]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of the Python function")]
pub(crate) fn rig(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    class_: &str,
    joints: Option<&Bound<'_, PyAny>>,
    influences: i64,
    fingers: &str,
    extra_chains: &str,
    eyes: &str,
    symmetry: &str,
    rest_pose: &str,
    threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    name: Option<String>,
) -> PyResult<Rig> {
    let choices = Choices { class: class_, fingers, extra_chains, eyes, symmetry, rest_pose };
    let options = options(&choices, joints, influences, threads)?;
    let source = source::open(source, name, &options.limits)?;
    let rig = attend(py, progress.as_ref(), |progress| engine::rig(&source, &options, progress))?;
    Ok(Rig { rig, meshes: PyOnceLock::new() })
}

/// A rigged character. The arrays are read-only.
#[pyclass(frozen, module = "autorig")]
pub(crate) struct Rig {
    rig: engine::Rig,
    meshes: PyOnceLock<Vec<Py<Mesh>>>,
}

#[pymethods]
impl Rig {
    /// Names of the joints, parents before children.
    #[getter]
    fn joints(&self) -> Vec<&str> {
        self.rig.skeleton.joints.iter().map(|joint| joint.name.as_str()).collect()
    }

    /// Index of each joint's parent, -1 for the root: int32 [J].
    #[getter]
    fn parents(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let parents = self.rig.skeleton.joints.iter().map(|joint| {
            joint
                .parent
                .map_or(Ok(-1), i32::try_from)
                .map_err(|_| internal("the skeleton has too many joints"))
        });
        let parents = parents.collect::<PyResult<Vec<i32>>>()?;
        let count = parents.len();
        read_only(py, parents, &[count])
    }

    /// Where the joints are, in the input's frame and unit: float64 [J, 3].
    #[getter]
    fn positions(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let joints = &self.rig.skeleton.joints;
        let positions: Vec<f64> = joints.iter().flat_map(|joint| joint.position.to_array()).collect();
        read_only(py, positions, &[joints.len(), 3])
    }

    /// Joint to world in rest, row-major for column vectors: float32 [J, 4, 4].
    #[getter]
    fn rest_global(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let joints = &self.rig.skeleton.joints;
        #[expect(clippy::cast_possible_truncation, reason = "float32 is what is documented")]
        let matrices = joints.iter().flat_map(|joint| {
            let [x, y, z] = joint.position.to_array().map(|number| number as f32);
            [1.0, 0.0, 0.0, x, 0.0, 1.0, 0.0, y, 0.0, 0.0, 1.0, z, 0.0, 0.0, 0.0, 1.0]
        });
        read_only(py, matrices.collect::<Vec<f32>>(), &[joints.len(), 4, 4])
    }

    /// How sure the engine is of each joint, 0 to 1: float32 [J].
    #[getter]
    fn confidence(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let confidence: Vec<f32> = self.rig.skeleton.joints.iter().map(|joint| joint.confidence).collect();
        let count = confidence.len();
        read_only(py, confidence, &[count])
    }

    /// The skinned meshes.
    #[getter]
    fn meshes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let meshes = self.meshes.get_or_try_init(py, || meshes(py, &self.rig))?;
        PyList::new(py, meshes)
    }

    /// What was found and done, as in `<name>_report.json`.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let text = serde_json::to_string(&self.rig.report).map_err(|error| internal(error.to_string()))?;
        Ok(py.import("json")?.call_method1("loads", (text,))?.cast_into::<PyDict>()?)
    }

    /// Writes the rig as GLB, FBX or VRM by the name's ending, whole or not at all.
    ///
    /// `preset` is a profile ('unity', 'unreal', 'mixamo', 'vrm', 'blender', 'godot', 'roblox', 'maya' or 'glb'); without it
    /// the ending decides. `names` names the bones as a profile does without its axes and unit; `triangles` is the most that
    /// a level of detail may have; `vrm_meta` is the licence of a VRM, as `meta` of VRM 1.0 has it.
    #[pyo3(signature = (path, overwrite = false, *, preset = None, names = None, triangles = None, vrm_meta = None))]
    #[expect(clippy::needless_pass_by_value, reason = "what pyo3 extracts")]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of the Python method")]
    fn save(
        &self,
        py: Python<'_>,
        path: PathBuf,
        overwrite: bool,
        preset: Option<String>,
        names: Option<String>,
        triangles: Option<usize>,
        vrm_meta: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let output = save::output(&path, preset.as_deref())?;
        let plan = save::plan(&path, names, vrm_meta)?;
        if !overwrite && path.symlink_metadata().is_ok() {
            return Err(os_error(&io::ErrorKind::AlreadyExists.into(), &path));
        }
        py.detach(|| {
            let bytes = save::encode(&self.rig, output, &plan, triangles)?;
            write(&path, &bytes, overwrite).map_err(|error| os_error(&error, &path))
        })
    }

    /// The rig as the bytes of a GLB file.
    fn to_glb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let glb = py.detach(|| self.rig.to_glb()).map_err(exception)?;
        Ok(PyBytes::new(py, &glb))
    }

    fn __repr__(&self) -> String {
        let report = &self.rig.report;
        let (joints, meshes) = (self.rig.skeleton.joints.len(), self.rig.scene.meshes.len());
        let (class, confidence) = (report.class.name(), report.confidence);
        format!("Rig(class={class:?}, joints={joints}, meshes={meshes}, confidence={confidence:.2})")
    }
}

/// Beside its place first, then renamed.
fn write(path: &Path, bytes: &[u8], overwrite: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".autorig-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(<std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let placed = if overwrite { file.persist(path) } else { file.persist_noclobber(path) };
    placed.map(drop).map_err(|error| error.error)
}
