//! Why a package is refused.

use std::io;

use bstr::BString;

use crate::debian::dpkg::ParseStanzaError;
use crate::tree::{ParseTreePathError, TreePath};

/// Why a package could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The outer archive is not that of a Debian package (deb(5)).
    #[error("not a Debian binary package")]
    Container(#[source] ContainerError),
    /// The package could not be read further, or a compressed member is damaged.
    #[error("cannot read `{member}` of the package")]
    Read {
        /// The member of the outer archive.
        member: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `control.tar` is unusable.
    #[error("the package's control.tar is unusable")]
    Control(#[source] ControlError),
    /// Something in `data.tar` is refused.
    #[error("package `{package}` has a bad entry `{path}`")]
    Entry {
        /// The package.
        package: String,
        /// The path as the package writes it.
        path: BString,
        /// What is wrong with it.
        #[source]
        problem: EntryProblem,
    },
    /// `data.tar` is damaged between its entries.
    #[error("the data.tar of package `{package}` is damaged after {entries} entries")]
    Data {
        /// The package.
        package: String,
        /// How many entries were read before.
        entries: usize,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It unpacks to far more than it claims: most likely a decompression bomb.
    #[error(
        "the data.tar of package `{package}` unpacks to more than {limit} bytes, for `Installed-Size: {installed_kib}`"
    )]
    TooLarge {
        /// The package.
        package: String,
        /// How many bytes were allowed.
        limit: u64,
        /// What the package claims, in KiB; 0 when it does not say.
        installed_kib: u64,
    },
    /// `data.tar` has more members than [`super::Limits::members`].
    #[error("package `{package}` has more than {limit} entries")]
    TooManyEntries {
        /// The package.
        package: String,
        /// How many were allowed.
        limit: usize,
    },
    /// The sink did not take an entry.
    #[error("cannot write the entry {path} of package `{package}`")]
    Write {
        /// The package.
        package: String,
        /// The entry.
        path: TreePath,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Why the outer ar archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// It could not be read.
    #[error("the archive cannot be read")]
    Read(#[from] io::Error),
    /// The first bytes are not `!<arch>`.
    #[error("it does not start with `!<arch>`")]
    Magic,
    /// A member header is malformed.
    #[error("the header of member {index} is malformed")]
    Header {
        /// Which member, from 0.
        index: usize,
    },
    /// A member has another name than this place demands.
    #[error("there is a member `{found}` where `{expected}` belongs")]
    Member {
        /// What is there.
        found: BString,
        /// What should be.
        expected: &'static str,
    },
    /// The archive ends too early.
    #[error("the member `{0}` is missing")]
    Missing(&'static str),
    /// A member's name says a compression that deb(5) does not know.
    #[error("the member `{0}` has an unknown compression")]
    Compression(BString),
    /// `debian-binary` says another format than 2.x.
    #[error("the format version is `{0}`, not 2.x")]
    Version(BString),
}

/// Why `control.tar` is refused.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It is no tar archive, or damaged.
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    /// A member is refused.
    #[error("bad member `{path}`")]
    Member {
        /// The path as the package writes it.
        path: BString,
        /// What is wrong with it.
        #[source]
        problem: EntryProblem,
    },
    /// It unpacks to more bytes or members than allowed.
    #[error("it holds more than {limit} {unit}")]
    TooLarge {
        /// How many were allowed.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// There is no file `control`.
    #[error("there is no file `control` in it")]
    NoControl,
    /// The file `control` is malformed.
    #[error("the file `control` is malformed")]
    Stanza(#[from] ParseStanzaError),
    /// A field that every package has is missing or malformed (Debian Policy 5.3).
    #[error("the field `{0}` of `control` is missing or malformed")]
    Field(&'static str),
    /// A line of `conffiles` is malformed.
    #[error("the line `{0}` of `conffiles` is malformed")]
    Conffile(BString),
}

/// What is wrong with one member of a tar archive.
#[derive(Debug, thiserror::Error)]
pub enum EntryProblem {
    /// The path leaves the tree, or is too long, or has a NUL byte.
    #[error(transparent)]
    Path(#[from] ParseTreePathError),
    /// The path starts with a slash.
    #[error("the path is absolute")]
    Absolute,
    /// dpkg's file lists hold one path a line.
    #[error("the path has a line break")]
    LineBreak,
    /// The same path came before.
    #[error("the path comes twice")]
    Duplicate,
    /// What is above it is not a directory in the same package.
    #[error("{0} above it is not a directory")]
    ParentNotADirectory(TreePath),
    /// A hard link to something that is not an earlier regular file of the package.
    #[error("it is a hard link to `{0}`, which is no earlier file of the package")]
    HardLinkTarget(BString),
    /// A type of member that packages do not have.
    #[error("it has the unknown tar type {0:#04x}")]
    Type(u8),
    /// A number of the header is malformed or out of range.
    #[error("its header has a malformed {0}")]
    Header(&'static str),
    /// Its extended header is malformed, too long or comes twice.
    #[error("its extended header is malformed")]
    Extension,
    /// A link without or with an over-long target.
    #[error("its link target is empty or too long")]
    LinkTarget,
    /// A file is larger than allowed.
    #[error("it has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// A control member that is no plain file below the top, or whose name dpkg keeps for itself.
    #[error("control.tar cannot have such a member")]
    NotControl,
}

impl DebError {
    /// What may help.
    pub fn hint(&self) -> Option<String> {
        match self {
            DebError::Container(_) | DebError::Read { .. } => {
                Some("the file may be damaged; `plywood cache prune` makes the next build fetch it again".to_owned())
            }
            DebError::TooLarge { .. } => {
                Some("the package is most likely broken or hostile; report it to its repository".to_owned())
            }
            _ => None,
        }
    }
}
