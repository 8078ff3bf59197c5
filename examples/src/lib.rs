//! Runnable stories of AutoRig. Each is a file beside this folder and is run by a test.
//!
//! * `embed`: rigging inside another Rust program, in about forty lines.
