//! The one door to what operating systems do differently.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

use camino::Utf8Path;
use plywood_core::platform::Platform;

#[cfg(target_os = "linux")]
pub(crate) use linux::{effective_uid, runs, subordinate_ids, user_namespaces};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{effective_uid, runs, subordinate_ids, user_namespaces};

/// The bytes that an ordinary user may still write where `path` is, or will be.
pub(crate) fn free_space(path: &Utf8Path) -> io::Result<u64> {
    let existing = path.ancestors().find(|path| path.exists()).unwrap_or(Utf8Path::new("."));
    let figures = rustix::fs::statvfs(existing.as_std_path())?;
    Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
}

/// The platform whose containers run here without emulation: Linux on this processor, in a virtual machine elsewhere.
pub(crate) fn platform() -> Platform {
    if cfg!(target_arch = "aarch64") { Platform::LinuxArm64 } else { Platform::LinuxAmd64 }
}

/// Whether its owner may execute the file.
pub(crate) fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o100 != 0
}

/// Makes a new file that only its owner may read; one that is there is left alone.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], and as `open(2)`.
pub(crate) fn create_private(path: &Utf8Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Gives a temporary file the mode of a file for everybody, whatever the umask.
///
/// # Errors
/// As `fchmod(2)`.
pub(crate) fn make_readable_by_all(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o644))
}

/// Lets everybody run a file, whatever the umask.
///
/// # Errors
/// As `fchmod(2)`.
pub(crate) fn make_executable_by_all(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o755))
}
