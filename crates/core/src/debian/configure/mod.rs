//! What Debian's maintainer scripts and triggers do, natively on the tree in memory.
//!
//! [`configure`] installs packages as dpkg does: the shell evaluates each script's own text, and Debian's commands are
//! native functions. What cannot be evaluated is refused by name, never guessed. Nothing here knows the archive, the
//! manifest or layers.

pub mod accounts;
pub mod alternatives;
mod args;
pub mod certificates;
mod commands;
pub mod debconf;
mod driver;
mod error;
mod finish;
pub mod ldconfig;
mod over;
pub mod pam;
mod prepare;
mod system;
pub mod systemd;
mod triggers;

pub use commands::{LEFT_OUT, LeftOut};
pub use driver::{ConfigureOptions, Configured, RunScript, ScriptRun, bootstrapped, configure};
pub use error::{ConfigureError, ScriptError};
pub use over::{BaseSystem, configure_over};
pub use system::System;
