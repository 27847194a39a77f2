//! Why bytes are no NAR.

use std::io;

use bstr::BString;

use crate::digest::NarHash;
use crate::tree::TreePath;

/// What is wrong with the name of a directory's member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is `.` or `..`.
    #[error("it leads out of its directory")]
    Dots,
    /// It has a slash.
    #[error("it has a slash")]
    Slash,
    /// It has a NUL byte.
    #[error("it has a NUL byte")]
    Nul,
    /// It is longer than a file system takes.
    #[error("it is longer than 255 bytes")]
    TooLong,
    /// The directory has it already.
    #[error("the directory has it twice")]
    Duplicate,
    /// It comes after one that it should come before.
    #[error("it is out of order")]
    Order,
}

/// Why bytes are no NAR, or not read to the end.
#[derive(Debug, thiserror::Error)]
pub enum NarError {
    /// They could not be read.
    #[error("cannot read the NAR")]
    Read(#[source] io::Error),
    /// What it was read into did not take it.
    #[error("cannot take {path} from the NAR")]
    Sink {
        /// What was not taken.
        path: TreePath,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// They end too early.
    #[error("the NAR ends early, after {at} bytes")]
    Truncated {
        /// How many bytes there are.
        at: u64,
    },
    /// They do not start as a NAR does.
    #[error("this is no NAR")]
    Magic,
    /// Another word was due.
    #[error("the NAR has something else than {expected} at byte {at}")]
    Unexpected {
        /// What was due.
        expected: &'static str,
        /// Where, in bytes from the start.
        at: u64,
    },
    /// What fills up to eight bytes is not zero.
    #[error("the NAR has padding that is not zero before byte {at}")]
    Padding {
        /// Where it ends, in bytes from the start.
        at: u64,
    },
    /// A member's name is none.
    #[error("the NAR has the name `{name}` in {directory}: {fault}")]
    Name {
        /// The directory.
        directory: TreePath,
        /// The name, or what was read of it.
        name: BString,
        /// What is wrong.
        fault: NameFault,
    },
    /// A path or a symlink's target is too long, or the target is empty or has a NUL byte.
    #[error("the NAR has a path or symlink that no file system takes at {path}")]
    Path {
        /// Where.
        path: TreePath,
    },
    /// Directories go too deep.
    #[error("the NAR has more than {limit} directories in each other at {path}")]
    Depth {
        /// Where.
        path: TreePath,
        /// How deep they may go.
        limit: usize,
    },
    /// There is more in it than allowed.
    #[error("the NAR has more than {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
    /// Something follows the end.
    #[error("something follows the end of the NAR at byte {at}")]
    Trailing {
        /// Where the NAR ends, in bytes from the start.
        at: u64,
    },
    /// It is a NAR, but of another length than expected.
    #[error("the NAR has {found} bytes, not {expected}")]
    Size {
        /// How many it has.
        found: u64,
        /// How many were expected.
        expected: u64,
    },
    /// It is a NAR, but not the expected one.
    #[error("the NAR has the hash {found}, not {expected}")]
    Hash {
        /// The hash it has.
        found: NarHash,
        /// The hash that was expected.
        expected: NarHash,
    },
}
