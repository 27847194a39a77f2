//! From a configured Debian tree to an image: the definition's users and files, the configuration that containers start
//! with, and what each item must look like in the image.

mod accounts;
mod apply;
mod apt;
mod bare;
mod config;
mod keys;
pub mod nix;

pub use accounts::AccountError;
pub use apply::{ApplyError, Sources, apply};
pub use apt::{DefaultMirrors, debian_sources, repository_preferences, repository_sources};
pub use bare::place_bare;
pub use config::{base_annotations, history_over, image_annotations, image_config};
pub use keys::package_key;
