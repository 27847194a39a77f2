//! Ctrl-C: undo what is half done, then leave.

use crate::exit::INTERRUPTED;

/// From now on an interrupt removes temporary folders and containers before the program ends.
///
/// Whatever enters the cache does so by one rename, so nothing else has to be undone.
pub(crate) fn install() {
    // Without a handler the default action ends the program just the same; only leftovers may stay.
    let _ = ctrlc::set_handler(|| {
        plywood::interrupt::undo_all();
        std::process::exit(INTERRUPTED);
    });
}
