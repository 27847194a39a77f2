//! dpkg's rules and its database: how packages share one file system, and what dpkg remembers of it.
//!
//! [`Installer`] unpacks packages one after the other, as dpkg does, so that the maintainer scripts of one can divert or
//! create what the next one finds. [`database`] writes what a real dpkg would have left in `/var/lib/dpkg`.

pub mod database;
mod diversions;
mod error;
mod installer;
mod merge;
mod stanza;
mod statoverride;
mod status;
mod triggers;

pub use diversions::{Diversion, DiversionError, Diversions};
pub use error::MergeError;
pub use installer::{BaseSystemError, InstalledPackage, Installer};
pub use merge::merge;
pub use stanza::{MAX_STANZA, ParseStanzaError, Stanza, Stanzas};
pub use statoverride::{StatOverride, StatOverrides};
pub use status::{PackageState, ParsePackageStateError, ParseStatusError, StatusFile, state};
pub use triggers::{TriggerInterest, TriggerTarget};
