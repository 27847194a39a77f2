//! The `.deb` format (deb(5)): reads a binary package once, from front to back, into an item's segment.
//!
//! A package comes from outside, so everything in it is bounded ([`Limits`]) and every refusal names the package and
//! the path. Paths below the directories that merged-/usr turned into links (`/bin`, `/lib`, …) arrive where those
//! links lead, as dpkg sees them on such a system.

mod ar;
mod codec;
mod collect;
mod control;
mod elf;
mod error;
mod filter;
mod fnmatch;
mod info;
mod inline;
mod limits;
mod options;
mod package;
mod scripts;
mod tar;
#[cfg(test)]
mod tests;
mod unpack;
mod usrmerge;
mod watch;

pub use elf::{ElfClass, ElfInfo};
pub use error::{ContainerError, ControlError, DebError, EntryProblem};
pub use filter::{FilterAction, ParsePathFilterError, PathFilter, PathFilters};
pub use fnmatch::fnmatch;
pub use limits::Limits;
pub use options::{UnpackOptions, deb_item_id};
pub use package::{Conffile, UnpackedDeb};
pub use scripts::{SCRIPTS, read_control_files, scripts_hash};
pub use unpack::unpack;
pub use usrmerge::{ALIASED_DIRECTORIES, is_aliased, merged_usr};
