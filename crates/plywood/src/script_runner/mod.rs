//! Running a maintainer script that the manifest allows: in namespaces of its own, over a copy of the tree; where the
//! machine refuses those, in a container of podman or Docker.
//!
//! The tree goes in and comes out as a tar stream, so that owners are right without root. The script has no network, a
//! `/dev` with the harmless devices, and a `/tmp` and `/run` that nobody keeps.

mod changes;
mod container;
mod error;
mod namespace;
mod rootfs;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};

use plywood_core::debian::configure::{RunScript, ScriptRun};
use plywood_core::digest::Sha256Hash;
use plywood_core::platform::Platform;
use plywood_core::tree::{ReadContent, Tree, TreePath};

pub use error::ScriptRunnerError;

use crate::engine::Engine;
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
        let (before, hashes) = self.copy(&tree)?;
        match namespace::run(before, run) {
            Ok(after) => changes::read_back(tree, &hashes, after, self.now),
            Err(refused @ (ScriptRunnerError::Namespace(_) | ScriptRunnerError::Start(_))) => {
                // An engine may have rights that this program has not. Without one, the first reason is the one to tell.
                let Ok(engine) = Engine::find(None) else { return Err(refused) };
                self.run_in_container(&engine, tree, run)
            }
            Err(error) => Err(error),
        }
    }

    /// [`NamespaceRunner::run_script`] with an engine: slower, but the engine's rights are enough.
    ///
    /// # Errors
    /// When the engine fails, the tree cannot be copied, or the script fails.
    pub fn run_in_container(
        &self,
        engine: &Engine,
        tree: Tree,
        run: &ScriptRun<'_>,
    ) -> Result<Tree, ScriptRunnerError> {
        let (before, hashes) = self.copy(&tree)?;
        let after = container::run(engine, before, run)?;
        let read = changes::read_back(tree.clone(), &hashes, after, self.now)?;
        Ok(container::without_engines_files(&tree, read)?)
    }

    /// The tree as a tar stream, to be read from its start.
    fn copy(&self, tree: &Tree) -> Result<(File, Hashes), ScriptRunnerError> {
        let mut copy = tempfile::tempfile().map_err(ScriptRunnerError::Temporary)?;
        let hashes = rootfs::write(tree, self.contents, &mut copy)?;
        copy.seek(SeekFrom::Start(0)).map_err(ScriptRunnerError::Temporary)?;
        Ok((copy, hashes))
    }
}
