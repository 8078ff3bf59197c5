//! Scene to [`Body`]: what the later stages need to know, in canonical space.

pub mod surface;
