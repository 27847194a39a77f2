//! Why a script could not be evaluated.

use bstr::BString;

use crate::tree::TreeError;

/// Why evaluation stopped. A script that merely fails is no error: it has a [`Status`](super::Status).
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The script runs a program that is in the tree but that plywood cannot stand in for.
    #[error("line {line}: the command `{name}` has no native counterpart")]
    UnknownCommand {
        /// The command as the script names it.
        name: BString,
        /// The line of the script, from 1.
        line: u32,
    },
    /// The script uses something of the shell or of a known command that is not implemented.
    #[error("line {line}: {construct} is not supported")]
    Unsupported {
        /// The construct, such as `sed: the command w`.
        construct: String,
        /// The line of the script, from 1.
        line: u32,
    },
    /// The text is no shell script.
    #[error("line {line}: syntax error: {message}")]
    Syntax {
        /// What was expected or found.
        message: String,
        /// The line of the script, from 1.
        line: u32,
    },
    /// The script did not come to an end within its limits.
    #[error("line {line}: more than {limit}")]
    Limit {
        /// The limit with its unit, such as `1000000 steps`.
        limit: String,
        /// The line of the script, from 1.
        line: u32,
    },
    /// The tree could not be read or changed for a reason that no program would meet.
    #[error("cannot evaluate over the tree")]
    Tree(#[from] TreeError),
}

impl ShellError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ShellError::UnknownCommand { .. } | ShellError::Unsupported { .. } => {
                Some("allow this package's scripts to run by naming it under `scripts` in plywood.toml".to_owned())
            }
            _ => None,
        }
    }
}
