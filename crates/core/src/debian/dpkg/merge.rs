//! Merging packages whose maintainer scripts do not matter.

use super::{Installer, MergeError};
use crate::debian::deb::UnpackedDeb;
use crate::platform::Platform;

/// Unpacks packages in this order and runs nothing between.
///
/// # Errors
/// As [`Installer::unpack_package`].
pub fn merge<'d>(
    platform: Platform,
    packages: impl IntoIterator<Item = &'d UnpackedDeb>,
) -> Result<Installer, MergeError> {
    let mut installer = Installer::new(platform);
    for package in packages {
        installer.unpack_package(package)?;
    }
    Ok(installer)
}
