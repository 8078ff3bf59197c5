//! The `autorig` command.
fn main() {}
