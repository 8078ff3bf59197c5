//! Reading, flattening and writing: what comes in, what is refused, what survives.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod build;
mod corpus;
mod detect;
mod fbx_hostile;
mod fbx_read;
mod fbx_tree;
mod fbx_write;
mod flatten;
mod fuzz;
mod geometry;
mod obj;
mod output;
mod packed;
mod schema;
mod siblings;
mod simple;
