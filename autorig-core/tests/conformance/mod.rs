//! What every implementation of a trait must do. A new one is done when its suite passes.

mod blobs;
mod keys;
mod queue;
mod quotas;
mod records;
pub(crate) mod s3_server;
mod store;

pub(crate) use blobs::outsider;
