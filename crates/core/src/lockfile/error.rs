//! What can be wrong with a lock.

use super::Lockfile;

/// The text is no lock that this plywood reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the lock{}", line.map(|line| format!(" at line {line}")).unwrap_or_default())]
pub struct LockfileError {
    /// The line at fault, from 1; `None` when the whole is.
    pub line: Option<usize>,
    /// What is wrong.
    #[source]
    pub problem: LockfileProblem,
}

/// What is wrong with a lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockfileProblem {
    /// git left both sides of a merge.
    #[error("it has the marks of a merge that was not finished")]
    Conflict,
    /// A later plywood wrote it.
    #[error("it was made by a newer plywood: its format has version {found}, this one reads {}", Lockfile::VERSION)]
    Newer {
        /// The version of its format.
        found: u64,
    },
    /// No version, or one that never was.
    #[error("it names no version of its format")]
    NoVersion,
    /// Longer than [`Lockfile::MAX_LEN`].
    #[error("it is longer than {} bytes", Lockfile::MAX_LEN)]
    TooLong,
    /// Not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A key that a lock does not have.
    #[error("unknown key `{0}`")]
    UnknownKey(String),
    /// A key that a lock has.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A value that does not read as it should.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A line that is there already.
    #[error("`{0}` is listed twice")]
    Duplicate(String),
    /// An image has a package that is not locked, or a name that stands for several.
    #[error("`{0}` is not a package that is locked for this platform")]
    UnknownPackage(String),
    /// A store path that something needs and that is not locked.
    #[error("the store path `{0}` is not locked for this platform")]
    UnknownPath(String),
    /// One name and version that stands for two files.
    #[error("`{0}` stands for two different files")]
    Contradiction(String),
}

impl LockfileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.problem.hint()
    }
}

impl LockfileProblem {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            LockfileProblem::Conflict => {
                "take either side, then run `plywood lock`: it adds what is missing".to_owned()
            }
            LockfileProblem::Newer { .. } => "update plywood".to_owned(),
            LockfileProblem::Contradiction(_) => {
                "two repositories bring it: allow it from one of them only, with `packages`".to_owned()
            }
            _ => "restore it from version control, or delete it and run `plywood lock`".to_owned(),
        })
    }
}
