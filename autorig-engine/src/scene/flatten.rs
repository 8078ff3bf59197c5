//! Bakes node transforms into vertices.
