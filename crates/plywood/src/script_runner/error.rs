//! What can go wrong with running a script.

use std::io;

use plywood_core::platform::Platform;
use plywood_core::tree::{TreeError, TreePath};

use crate::engine::{Complaint, EngineError};

/// Why a script's effects are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ScriptRunnerError {
    /// No interpreter for the platform's programs.
    #[error("programs for {platform} cannot be run here")]
    Platform {
        /// The image's platform.
        platform: Platform,
    },
    /// There is no place for the copy.
    #[error("cannot make temporary files")]
    Temporary(#[source] io::Error),
    /// A file's content is not at hand.
    #[error("cannot copy {path}")]
    Content {
        /// The file.
        path: TreePath,
        /// Why.
        #[source]
        source: TreeError,
    },
    /// The copy cannot be written.
    #[error("cannot write the copy of the image's files")]
    Write(#[source] io::Error),
    /// `unshare` cannot be run.
    #[error("cannot run unshare")]
    Start(#[source] io::Error),
    /// The namespaces cannot be made.
    #[error("cannot make the namespaces that a script is run in")]
    Namespace(#[source] Complaint),
    /// Namespaces were refused, and the engine failed too.
    #[error("cannot run the script in namespaces of its own, nor in a container")]
    Engine(#[source] EngineError),
    /// The script failed.
    #[error("{script} of {package} failed with status {status}")]
    Script {
        /// `postinst`, for example.
        script: &'static str,
        /// The package.
        package: String,
        /// Its exit status.
        status: i32,
        /// What it said last.
        #[source]
        source: Complaint,
    },
    /// What came back is no file system.
    #[error("cannot read back what the script left")]
    ReadBack(#[source] io::Error),
    /// What came back does not fit together.
    #[error("cannot take over what the script left")]
    Tree(#[from] TreeError),
}

impl ScriptRunnerError {
    /// What to do about it, as one sentence without a period.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Platform { .. } => {
                Some("`apt-get install qemu-user-static binfmt-support`, or build on that platform".to_owned())
            }
            Self::Start(_) | Self::Namespace(_) => {
                Some("`plywood doctor` says what namespaces need; podman or docker would do too".to_owned())
            }
            Self::Engine(error) => error.hint(),
            Self::Temporary(_) | Self::Write(_) => Some("TMPDIR names a folder with more room".to_owned()),
            Self::Content { .. } | Self::Script { .. } | Self::ReadBack(_) | Self::Tree(_) => None,
        }
    }
}
