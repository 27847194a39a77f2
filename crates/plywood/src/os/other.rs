//! Systems other than Linux: containers run in a virtual machine of the engine's, so nothing here is asked for.

use plywood_core::platform::Platform;

/// Subordinate ids of the user; there are none here.
pub(crate) struct SubordinateIds {
    /// How many uids, and how many gids.
    pub(crate) counts: (u64, u64),
    /// Whether the programs that hand them out are there.
    pub(crate) helpers: bool,
}

/// The uid this program acts as.
pub(crate) fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether this user may make user namespaces.
pub(crate) fn user_namespaces() -> Result<(), String> {
    Err("only Linux has them".to_owned())
}

/// The subordinate ids of the user who runs this.
pub(crate) fn subordinate_ids() -> SubordinateIds {
    SubordinateIds { counts: (0, 0), helpers: false }
}

/// Whether programs of this platform can be run: the engine's virtual machine sees to it.
pub(crate) fn runs(_: Platform) -> bool {
    true
}
