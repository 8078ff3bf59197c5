//! The `autorig` binary as a shell, a script and a service manager see it.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod bad_input;
mod batch;
mod bytes;
mod describe;
mod envelope;
mod glb;
mod model;
mod outputs;
mod remote;
mod rigbench;
mod service;
mod shell;
