//! A POSIX shell over a tree in memory: evaluates maintainer scripts without running anything.
//!
//! A [`Machine`] holds the [`Tree`](crate::tree::Tree) and the [`Commands`] that scripts may use. The shell's own
//! builtins and the usual utilities are native functions ([`Commands::standard`]); what a package manager adds
//! (`update-alternatives`, `adduser` ...) is registered on top. A command is found as a real shell would find it,
//! through `PATH` in the tree; one that is there but has no native function is refused, unless it is itself a shell
//! script, which is then evaluated in turn.
//!
//! The reference is dash(1), Debian's `/bin/sh`; scripts for bash get the handful of extensions that packages use.
//! Everything is bounded by [`Limits`], so every script comes to an end.

mod builtins;
mod error;
mod eval;
mod files;
mod invocation;
mod limits;
mod machine;
mod state;
mod syntax;
mod utils;

#[cfg(test)]
mod tests;

pub use error::ShellError;
pub use invocation::Invocation;
pub use limits::Limits;
pub use machine::{CommandFn, Commands, Machine, ScriptOutcome, Status};
pub use state::Shell;
