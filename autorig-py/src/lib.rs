//! The native half of the Python package `autorig`; private, as `autorig._autorig`.
//!
//! It converts and delegates, nothing else: Python objects to the engine's inputs (`source`, `options`),
//! the engine's progress to a callback (`watch`), its result to numpy arrays (`rig`, `mesh`), its errors
//! to exceptions (`error`).
//!
//! ```python
//! import autorig
//!
//! rig = autorig.rig("hero.glb")
//! print(rig.joints, rig.meshes[0].weights.shape)
//! rig.save("hero_rigged.glb")
//! ```
//!
//! The names are typed in `python/autorig/_autorig.pyi`, which `mypy.stubtest` holds against this module.

use pyo3::prelude::*;

mod arrays;
mod error;
mod mesh;
mod options;
mod rig;
mod sample;
mod save;
mod source;
mod watch;

/// The native half of `autorig`; import `autorig` instead.
#[pymodule(gil_used = false)]
mod _autorig {
    #[pymodule_export]
    use super::{
        mesh::Mesh,
        rig::{Rig, rig},
        sample::sample,
    };

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name Python programs look for")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
