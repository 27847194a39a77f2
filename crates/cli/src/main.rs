//! The plywood command line.
fn main() {}
