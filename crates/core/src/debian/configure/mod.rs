//! What Debian's maintainer scripts and triggers do, natively on the tree in memory.

pub mod accounts;
pub mod alternatives;
pub(crate) mod args;
pub mod certificates;
pub mod ldconfig;
