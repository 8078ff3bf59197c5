//! Bakes node transforms into vertices.

use super::Scene;
use crate::{Code, Error, Limits, Result};

impl Scene {
    /// Bakes every node's world transform into its mesh.
    ///
    /// # Errors
    /// `no_geometry`, `limit_triangles`, `limit_meshes`, `limit_memory`.
    pub fn flatten(self, limits: &Limits) -> Result<Self> {
        let _ = limits;
        Err(Error::new(Code::Internal, "being written"))
    }
}
