//! The Python in which other implementations of signing live.

use std::path::PathBuf;
use std::process::Command;

use crate::require::skip;

/// The Python of `cargo xtask test --install`, which has PyPI's `sigstore`, `securesystemslib` and `PyNaCl`.
///
/// # Panics
/// When it is not there and [`crate::require::REQUIRE_ALL`] is set.
pub fn require_python() -> Option<PathBuf> {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python/bin/python");
    let mut command = Command::new(python);
    command.args(["-c", "import nacl.secret, securesystemslib.dsse, sigstore.dsse"]);
    let there = command.output().is_ok_and(|output| output.status.success());
    if !there {
        skip("needs target/python with sigstore, securesystemslib and PyNaCl");
    }
    there.then(|| PathBuf::from(python))
}
