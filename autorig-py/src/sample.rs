//! `autorig.sample`: a character made by procedure, as GLB.

use autorig_engine::{
    sample::{Sample, generate},
    write::scene_glb,
};
use pyo3::{prelude::*, types::PyBytes};

use crate::error::{exception, usage};

/// A character made by procedure, as the bytes of a GLB file.
///
/// `name` is human, cartoon, robot or quadruped; `triangles` about how many it shall have.
#[pyfunction]
#[pyo3(signature = (name, triangles = None))]
pub(crate) fn sample<'py>(
    py: Python<'py>,
    name: &str,
    triangles: Option<usize>,
) -> PyResult<Bound<'py, PyBytes>> {
    let Some(sample) = Sample::ALL.into_iter().find(|sample| sample.name() == name) else {
        let names: Vec<_> = Sample::ALL.iter().map(|sample| sample.name()).collect();
        let remedy = format!("choose one of: {}", names.join(", "));
        return Err(usage(format!("there is no sample named {name:?}"), &remedy));
    };
    let bytes = py.detach(|| scene_glb(&generate(sample, triangles)?)).map_err(exception)?;
    Ok(PyBytes::new(py, &bytes))
}
