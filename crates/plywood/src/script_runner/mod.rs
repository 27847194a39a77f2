//! Running a maintainer script that the manifest allows: in namespaces of its own, over a copy of the tree.
//!
//! The tree goes in and comes out as a tar stream, so that owners are right without root. The script has no network, a
//! `/dev` with the harmless devices, and a `/tmp` and `/run` that nobody keeps.

mod changes;
mod error;
mod namespace;
mod rootfs;

use std::collections::BTreeMap;
use std::io::{Seek as _, SeekFrom};

use plywood_core::debian::configure::{RunScript, ScriptRun};
use plywood_core::digest::Sha256Hash;
use plywood_core::platform::Platform;
use plywood_core::tree::{ReadContent, Tree, TreePath};

pub use error::ScriptRunnerError;

use crate::os;

/// Runs scripts in a chroot in namespaces of its own: needs Linux, and subordinate ids unless run by root.
pub struct NamespaceRunner<'r> {
    /// Reads contents that the tree only names.
    pub contents: &'r dyn ReadContent,
    /// The image's platform.
    pub platform: Platform,
    /// The time of everything that scripts write, in seconds since 1970: that of the lock.
    pub now: i64,
}

/// The hash of every regular file, by path: what the script has left alone is what it was.
type Hashes = BTreeMap<TreePath, Sha256Hash>;

impl RunScript for NamespaceRunner<'_> {
    fn run(&self, tree: Tree, run: ScriptRun<'_>) -> Result<Tree, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.run_script(tree, &run)?)
    }
}

impl NamespaceRunner<'_> {
    /// The tree after the script.
    ///
    /// # Errors
    /// When the machine cannot make the namespaces, the tree cannot be copied, or the script fails.
    pub fn run_script(&self, tree: Tree, run: &ScriptRun<'_>) -> Result<Tree, ScriptRunnerError> {
        if !os::runs(self.platform) {
            return Err(ScriptRunnerError::Platform { platform: self.platform });
        }
        let mut before = tempfile::tempfile().map_err(ScriptRunnerError::Temporary)?;
        let hashes = rootfs::write(&tree, self.contents, &mut before)?;
        before.seek(SeekFrom::Start(0)).map_err(ScriptRunnerError::Temporary)?;
        let after = namespace::run(before, run)?;
        changes::read_back(tree, &hashes, after, self.now)
    }
}
