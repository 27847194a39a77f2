//! Images of registries and layouts. As a base: named by `from`, pinned by the lock, fetched by digest, read once.
//! To be tested: the image of one platform, whole.
//!
//! Nothing of them is extracted or run. Their layers are put under ours as they are; what is in them is read into a tree,
//! of which what matters is known: users, the system, its packages.

mod error;
mod fetch_error;
mod image;
mod resolve;
mod source;
mod system;

pub use error::PullError;
pub use fetch_error::FetchError;
pub(crate) use image::RegistryImage;
pub(crate) use resolve::{image_over, resolve, with_facts};
pub(crate) use source::Puller;
pub(crate) use system::{PulledBase, distribution};
