//! systemd's units as far as installing packages touches them: which links enabling a unit makes, and presets.

mod preset;
mod tmpfiles;
mod unit;

pub use preset::{PresetAction, Presets};
pub use tmpfiles::{TmpfilesError, TmpfilesKind, TmpfilesLine, parse_tmpfiles};
pub use unit::{Scope, UnitLink, find_unit, install_links};
