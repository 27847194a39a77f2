//! What can be wrong with a manifest.

mod advice;
mod for_nix;

use std::fmt;
use std::ops::Range;

use super::ParseValueError;
pub use for_nix::NotForNix;

/// One fault of a manifest and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ManifestError {
    /// The bytes of the manifest that are at fault.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub problem: Problem,
    /// A second place that matters, and what it is: "first declared here".
    pub related: Option<(Range<usize>, &'static str)>,
}

/// What is wrong at one place of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Not TOML at all.
    #[error("the manifest is not TOML: {0}")]
    Syntax(String),
    /// TOML that Nix 2.8's `builtins.fromTOML` refuses or reads otherwise.
    #[error("Nix cannot read {0}")]
    NotForNix(NotForNix),
    /// Longer than [`super::Manifest::MAX_LEN`].
    #[error("the manifest is longer than {} bytes", super::Manifest::MAX_LEN)]
    TooLong,
    /// A key that plywood does not have.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The known key that looks most like it.
        suggestion: Option<&'static str>,
        /// All keys that are known here.
        known: Vec<&'static str>,
    },
    /// A key that a later version of plywood will have.
    #[error("`{0}` is reserved for a later version of plywood: not yet supported")]
    Reserved(String),
    /// A value of another type than the key's.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What the key takes, with its article.
        expected: &'static str,
        /// What is there, with its article.
        found: &'static str,
    },
    /// A text that is not a value of the key's type.
    #[error(transparent)]
    Value(#[from] ParseValueError),
    /// A number outside its range.
    #[error("{value} is out of range: {min} to {max}")]
    OutOfRange {
        /// The number as written.
        value: String,
        /// The smallest allowed.
        min: i64,
        /// The largest allowed.
        max: i64,
    },
    /// A key that has to be there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A list that needs a member.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// The same thing twice in a list.
    #[error("`{0}` is listed twice")]
    Duplicate(String),
    /// Keys of which one shuts out the other.
    #[error("`{0}` and `{1}` exclude each other")]
    Exclusive(&'static str, &'static str),
    /// A key without which another has no meaning.
    #[error("`{key}` needs `{needs}`")]
    Needs {
        /// The key that is there.
        key: &'static str,
        /// The key that is not.
        needs: &'static str,
    },
    /// `from` names no image of the workspace.
    #[error("there is no image `{name}`")]
    UnknownImage {
        /// The name as written.
        name: String,
        /// The image whose name looks most like it.
        suggestion: Option<String>,
    },
    /// A name that the manifest gives to nothing of that kind.
    #[error("there is no {what} `{name}`")]
    UnknownName {
        /// `set` or `shell`.
        what: &'static str,
        /// The name as written.
        name: String,
        /// The one whose name looks most like it.
        suggestion: Option<String>,
    },
    /// Sets that contain each other.
    #[error("sets contain each other: {}", .0.join(" → "))]
    SetCycle(Vec<String>),
    /// A shell that sets its own `PATH`.
    #[error("the `PATH` of a shell is that of its packages")]
    ShellPath,
    /// A key that only Debian's packages give a meaning to.
    #[error("`{key}` needs Debian, which this image does not have")]
    NoDebian {
        /// The key.
        key: &'static str,
    },
    /// Images that are built from each other.
    #[error("images are built from each other: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// A key that an image takes from its parent.
    #[error("`{key}` cannot be set in an image that has `from`")]
    OnlyInRoot {
        /// The key.
        key: &'static str,
    },
    /// A platform that the parent is not made for.
    #[error("`{parent}` is not made for {platform}")]
    ParentPlatform {
        /// The parent image.
        parent: String,
        /// The missing platform.
        platform: String,
    },
    /// No `[debian]` says where packages come from.
    #[error("no Debian suite is named for image `{0}`")]
    NoSuite(String),
    /// Two users or groups that cannot be in one image.
    #[error("{what} `{name}` has the id {id} here and {other} in image `{image}`")]
    IdConflict {
        /// "user" or "group".
        what: &'static str,
        /// Its name.
        name: String,
        /// The id here.
        id: u32,
        /// The id there.
        other: u32,
        /// The image above that declares it.
        image: String,
    },
    /// Components of a repository that is flat.
    #[error("a flat repository has no components")]
    FlatComponents,
    /// Two groups of one image with one id.
    #[error("group `{name}` has the id {gid} of group `{other}`")]
    IdShared {
        /// The group.
        name: String,
        /// The id.
        gid: u32,
        /// The group that has it already.
        other: String,
    },
    /// A user that is root by name or by id, but not by both.
    #[error("only `root` has the id 0, and it has no other")]
    RootId,
    /// sudo for the user who needs none.
    #[error("`root` needs no sudo")]
    RootSudo,
    /// One path declared as two things.
    #[error("`{path}` is declared as {first} and as {second}")]
    PathTwice {
        /// The path.
        path: String,
        /// What it is elsewhere, with its article.
        first: &'static str,
        /// What it is here, with its article.
        second: &'static str,
    },
    /// A path below something that is no directory.
    #[error("`{path}` is below `{parent}`, which is {what}")]
    BelowFile {
        /// The path.
        path: String,
        /// What it is below.
        parent: String,
        /// What that is, with its article.
        what: &'static str,
    },
}

/// All faults of a manifest, in the order of the text; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestErrors(Vec<ManifestError>);

impl ManifestErrors {
    pub(super) fn new(mut errors: Vec<ManifestError>) -> Self {
        errors.sort_by_key(|error| (error.span.start, error.span.end));
        errors.dedup();
        Self(errors)
    }

    /// The faults, in the order of the text.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ManifestError> {
        self.0.iter()
    }
}

impl std::error::Error for ManifestErrors {}

impl fmt::Display for ManifestErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => write!(f, "the manifest has a fault: {only}"),
            [first, rest @ ..] => write!(f, "the manifest has {} faults, the first: {first}", rest.len() + 1),
            [] => f.write_str("the manifest has faults"),
        }
    }
}
