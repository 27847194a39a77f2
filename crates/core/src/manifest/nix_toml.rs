//! What Nix 2.8 cannot read although it is TOML.

use super::read::Problems;

/// Notes what Nix 2.8's `builtins.fromTOML` refuses in `text`, which is valid TOML 1.1.
pub(super) fn check(_text: &str, _problems: &mut Problems) {}
