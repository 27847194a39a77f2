//! What an image gets besides its store paths: a profile, an environment, Nix's state, and, where there is no Debian, the
//! few files of a system that programs ask for.
//!
//! Store paths never enter the tree of an image, or memory would grow with their closure. What of them is needed here,
//! the names in a profile and single files, is asked for through [`StoreFiles`].

mod closure;
mod environment;
mod files;
mod hooks;
mod keys;
mod profile;
mod state;
mod system;

pub use closure::{ImageClosure, NotLockedError, image_closure, platform_keys, split_store_path_item, store_path_item};
pub use environment::{Activation, MetadataError, activate};
pub use files::{Found, StoreFiles, StoreFilesError, find};
pub use hooks::{HookError, place_hooks, shell_files};
pub use keys::{NamedPath, StorePathKey, renamed_keys, store_path_keys};
pub use profile::{PROFILE, Profile, ProfileEntry, ProfileError, ProfileRoot, merge_profile};
pub use state::{NixState, place_state};
pub use system::{SystemError, SystemFiles, place_system_files};
