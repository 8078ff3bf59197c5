//! Characters from files that are rigged already, and back.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod build;
mod existing;
mod figure;
mod files;
mod morphs;
mod profiles;
mod recognition;
mod vrm;
