//! The one door to what operating systems do differently.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

use std::io;

use camino::Utf8Path;

#[cfg(target_os = "linux")]
pub(crate) use linux::{effective_uid, foreign_binaries, subordinate_ids, user_namespaces};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{effective_uid, foreign_binaries, subordinate_ids, user_namespaces};

/// The bytes that an ordinary user may still write where `path` is, or will be.
pub(crate) fn free_space(path: &Utf8Path) -> io::Result<u64> {
    let existing = path.ancestors().find(|path| path.exists()).unwrap_or(Utf8Path::new("."));
    let figures = rustix::fs::statvfs(existing.as_std_path())?;
    Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
}
