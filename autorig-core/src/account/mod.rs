//! Who calls, and what they may do.
//!
//! [`Caller`] is whoever makes a call, [`Need`] what a call asks of them, and [`access::check`] the one place that
//! compares the two. [`ApiKey`] and [`Session`] are the ways in; [`AccountService`] makes, finds and ends them.
//! Secrets are shown once and kept as their SHA-256 only: they are 256 random bits, so no slow hash is needed.

pub mod access;
pub mod key;
pub mod scope;

mod service;

pub use access::{Caller, Denied, Need, Via};
pub use key::{ApiKey, KeyId, Secret, Session};
pub use scope::{Scope, Scopes};
pub use service::{AccountService, Credentials, MadeKey, NewKey};
