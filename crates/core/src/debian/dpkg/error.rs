//! Why packages cannot be installed together.

use bstr::BString;

use crate::tree::{ParseTreePathError, TreeError, TreePath};

/// Why a package could not be unpacked over those before it.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// Two packages have the same file, and neither replaces the other (Debian Policy 7.6).
    #[error("cannot unpack `{package}`: {path} is also in package `{owner}`")]
    Conflict {
        /// The package to unpack.
        package: String,
        /// The package that has the file.
        owner: String,
        /// The file.
        path: TreePath,
    },
    /// A package has something else where there is a directory with entries.
    #[error("cannot unpack `{package}`: {path} is a directory already")]
    DirectoryInTheWay {
        /// The package to unpack.
        package: String,
        /// The directory.
        path: TreePath,
    },
    /// The way to a file leads through something that is no directory.
    #[error("cannot unpack `{package}`: {path} cannot be reached")]
    Unreachable {
        /// The package to unpack.
        package: String,
        /// The file.
        path: TreePath,
        /// Why.
        #[source]
        source: TreeError,
    },
    /// The package is unpacked already.
    #[error("the package `{0}` is to be unpacked twice")]
    Twice(String),
    /// A field of the package's control file is unreadable.
    #[error("the field `{field}` of package `{package}` cannot be read: `{value}`")]
    Field {
        /// The package.
        package: String,
        /// The field's name.
        field: &'static str,
        /// Its value.
        value: BString,
    },
    /// A path is too long.
    #[error("cannot unpack `{package}`")]
    Path {
        /// The package to unpack.
        package: String,
        /// Why.
        #[source]
        source: ParseTreePathError,
    },
}

impl MergeError {
    /// What may help.
    pub fn hint(&self) -> Option<String> {
        match self {
            MergeError::Conflict { package, owner, .. } => {
                Some(format!("install only one of `{package}` and `{owner}`"))
            }
            _ => None,
        }
    }
}
