//! Debian: the archive's formats, the resolver, the `.deb` format, dpkg's rules and what maintainer scripts do.

pub mod configure;
pub mod control;
pub mod deb;
pub mod dpkg;
pub mod os_release;
pub mod packages_index;
pub mod relation;
pub mod release;
pub mod resolver;
pub mod version;
