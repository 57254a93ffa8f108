//! The `fashion` command.
fn main() {}
