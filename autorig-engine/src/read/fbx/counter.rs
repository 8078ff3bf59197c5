//! How much the file has unfolded into.

use crate::{Code, Error, Limits, Result};

/// Bytes of vertex attributes, indices and morph targets made so far.
pub(super) struct Counter {
    left: u64,
    limit: u64,
    triangles: u64,
    most_triangles: u64,
}

impl Counter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            left: limits.decoded_bytes,
            limit: limits.decoded_bytes,
            triangles: 0,
            most_triangles: limits.triangles,
        }
    }

    /// Counts `count` things of `bytes` each, before they are made.
    pub(super) fn take(&mut self, count: usize, bytes: u64) -> Result<()> {
        let wanted = (count as u64).saturating_mul(bytes);
        match self.left.checked_sub(wanted) {
            Some(left) => self.left = left,
            None => {
                let message = format!("the model unfolds into more than {} MB", self.limit >> 20);
                return Err(Error::new(Code::LimitMemory, message));
            }
        }
        Ok(())
    }

    /// Counts the triangles of a mesh that is made.
    pub(super) fn triangles(&mut self, count: usize) -> Result<()> {
        self.triangles = self.triangles.saturating_add(count as u64);
        if self.triangles > self.most_triangles {
            let message = format!("the model has more than {} triangles", self.most_triangles);
            return Err(Error::new(Code::LimitTriangles, message));
        }
        Ok(())
    }
}
