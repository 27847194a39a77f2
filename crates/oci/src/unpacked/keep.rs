//! Which contents are kept with a layer's entries, because whoever builds on it reads or changes them.

use plywood_core::tree::TreePath;

/// Files of the configuration stay up to this size, in bytes.
const MAX_CONFIGURATION: u64 = 1 << 20;
/// Files of a package manager's database stay up to this size, in bytes.
const MAX_DATABASE: u64 = 32 << 20;

/// Whether the content of a file of this size, in bytes, is kept; `small` ones are, wherever they are.
pub(super) fn keep(path: &TreePath, size: u64, small: u64) -> bool {
    let below = |directory: &str| {
        path.as_bytes().strip_prefix(directory.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
    };
    match size {
        _ if size <= small => true,
        ..=MAX_CONFIGURATION if below("etc") || below("usr/share/keyrings") => true,
        ..=MAX_DATABASE => below("var/lib/dpkg") || below("var/lib/apt") || below("var/cache/debconf"),
        _ => false,
    }
}
