//! Store paths from the local store and from binary caches, good and bad.

mod bad_input;
mod closure;
mod fixture;
mod kill;
mod local;
mod memory;
mod order;
mod push;
mod real;
