//! The core's behaviour, as its callers see it. Each implementation of a trait runs the conformance suite.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

#[path = "../cluster/mod.rs"]
mod cluster;
#[path = "../conformance/mod.rs"]
mod conformance;

mod accounts;
mod again;
mod crashes;
mod data_dir;
mod dispatcher;
mod leases;
mod lifecycle;
mod nodes;
mod outbound;
mod service;
mod support;
mod sweep;
mod uploads;
