//! What every implementation of a trait must do. A new one is done when its suite passes.

mod blobs;
pub(crate) mod s3_server;
mod keys;
mod store;
