//! Skin weights.
