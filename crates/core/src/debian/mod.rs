//! Debian: the archive's formats, the resolver, the `.deb` format, dpkg's rules and what maintainer scripts do.

pub mod deb;
pub mod dpkg;
