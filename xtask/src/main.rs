//! The chores around the workspace.
fn main() {}
