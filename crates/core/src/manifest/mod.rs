//! `plywood.toml`: what a person writes.
