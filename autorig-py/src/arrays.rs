//! Rust vectors as read-only numpy arrays, without a copy.

use numpy::{
    Element, IntoPyArray,
    ndarray::{ArrayD, IxDyn},
};
use pyo3::{prelude::*, types::PyDict};

use crate::error::internal;

/// Gives `values` to numpy as an array of this shape that nobody may write to.
pub(crate) fn read_only<T: Element>(py: Python<'_>, values: Vec<T>, shape: &[usize]) -> PyResult<Py<PyAny>> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|error| internal(error.to_string()))?;
    let array = array.into_pyarray(py);
    // The array is kept and given out again: writing to it would change what others see.
    let flags = PyDict::new(py);
    flags.set_item("write", false)?;
    array.call_method("setflags", (), Some(&flags))?;
    Ok(array.into_any().unbind())
}
