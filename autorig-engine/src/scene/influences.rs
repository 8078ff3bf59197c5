//! Skin influences as flat arrays.

/// Up to `per_vertex` joints and weights for each vertex, heaviest first.
///
/// `joints` and `weights` have `N × per_vertex` entries, vertex by vertex. Unused places have joint 0
/// and weight 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Influences {
    /// K: places a vertex has.
    pub per_vertex: usize,
    /// Joint indices, N × K.
    pub joints: Vec<u16>,
    /// Weights, N × K; those of a vertex sum to 1.
    pub weights: Vec<f32>,
}

impl Influences {
    /// Joints and weights vertex by vertex.
    pub fn iter(&self) -> impl Iterator<Item = (&[u16], &[f32])> {
        let k = self.per_vertex.max(1);
        self.joints.chunks_exact(k).zip(self.weights.chunks_exact(k))
    }
}
