//! `plywood.lock`: every input by hash, and the layout.
