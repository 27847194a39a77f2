//! Images outside of the workspace as a base: named by `from`, pinned by the lock, fetched by digest, read once.
//!
//! Nothing of them is extracted or run. Their layers are put under ours as they are; what is in them is read into a tree,
//! of which what matters is known: users, the system, its packages.

mod error;
mod resolve;
mod source;
mod system;

pub use error::PullError;
pub(crate) use resolve::{resolve, with_facts};
pub(crate) use source::Puller;
pub(crate) use system::{PulledBase, distribution};
