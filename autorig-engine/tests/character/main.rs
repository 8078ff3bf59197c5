//! Characters from files that are rigged already, and back.

mod build;
mod files;
mod recognition;
