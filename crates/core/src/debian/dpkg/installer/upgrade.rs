//! A newer version over one that a base has (dpkg's `unpack.c`; Debian Policy 6.6).

use std::collections::BTreeSet;

use md5::{Digest as _, Md5};

use super::Installer;
use crate::debian::deb::{Conffile, UnpackedDeb};
use crate::debian::dpkg::MergeError;
use crate::tree::{Node, NodeKind, ReadContent, TreePath};

const INFO: TreePath = TreePath::literal("var/lib/dpkg/info");

impl Installer {
    /// Unpacks a package over its other version. Files that only that one has go, but for conffiles; a conffile that
    /// somebody changed stays, and the new one is put beside it as `*.dpkg-dist`.
    ///
    /// # Errors
    /// As [`Installer::unpack_package`].
    pub fn replace_package(&mut self, deb: &UnpackedDeb, contents: &dyn ReadContent) -> Result<(), MergeError> {
        let Some(index) = self.packages.iter().position(|package| package.name() == deb.package()) else {
            return self.unpack_package(deb);
        };
        let old = self.packages.get(index).cloned();
        let (old_name, old_conffiles) =
            old.map(|package| (package.qualified_name, package.conffiles)).unwrap_or_default();
        let old_paths: BTreeSet<TreePath> =
            self.owners.iter().filter(|(_, owners)| owners.contains(&index)).map(|(path, _)| path.clone()).collect();
        let changed = self.changed_conffiles(&old_conffiles, deb, contents);
        for owners in self.owners.values_mut() {
            owners.retain(|owner| *owner != index);
        }
        self.remove_info(&old_name);
        self.unpack_at(deb, index)?;
        for (path, node) in changed {
            let new = self.tree.get(&path).cloned();
            let beside = TreePath::parse([path.as_bytes(), b".dpkg-dist"].concat());
            if let (Some(new), Ok(beside)) = (new, beside) {
                self.place(deb, beside, new)?;
            }
            self.place(deb, path, node)?;
        }
        let kept: BTreeSet<&TreePath> = old_conffiles.iter().map(|conffile| &conffile.path).collect();
        self.remove_orphans(&old_paths, &kept);
        let listed = |conffile: &Conffile| deb.conffiles.iter().any(|new| new.listed == conffile.listed);
        if let Some(package) = self.packages.get_mut(index) {
            package.obsolete_conffiles = old_conffiles.into_iter().filter(|conffile| !listed(conffile)).collect();
        }
        Ok(())
    }

    /// Conffiles of the new version that are not as the old one had them, as they are.
    fn changed_conffiles(
        &self,
        old: &[Conffile],
        deb: &UnpackedDeb,
        contents: &dyn ReadContent,
    ) -> Vec<(TreePath, Node)> {
        let changed = |conffile: &Conffile| {
            let node = self.tree.get(&conffile.path)?;
            let before = old.iter().find(|old| old.listed == conffile.listed)?.md5?;
            let there: [u8; 16] = Md5::digest(&*self.tree.read(&conffile.path, contents).ok()?).into();
            // What both versions have alike stays as it is, too: that is what dpkg does.
            (there != before && conffile.md5 != Some(there)).then(|| (conffile.path.clone(), node.clone()))
        };
        deb.conffiles.iter().filter_map(changed).collect()
    }

    fn remove_info(&mut self, qualified_name: &str) {
        let start = format!("{qualified_name}.");
        let of_package = |path: &TreePath| {
            path.file_name()
                .is_some_and(|name| name.strip_prefix(start.as_bytes()).is_some_and(|rest| !rest.contains(&b'.')))
        };
        let gone: Vec<TreePath> =
            self.tree.children(&INFO).map(|(path, _)| path.clone()).filter(|path| of_package(path)).collect();
        gone.iter().for_each(|path| _ = self.tree.remove_all(path));
    }

    /// Removes what no package has any more: files first, then directories that are empty.
    fn remove_orphans(&mut self, paths: &BTreeSet<TreePath>, kept: &BTreeSet<&TreePath>) {
        for path in paths.iter().rev() {
            if self.owners.get(path).is_some_and(|owners| !owners.is_empty()) {
                continue;
            }
            let Some(at) = self.location(path).filter(|at| !at.is_root() && !kept.contains(at)) else { continue };
            // A directory with something in it stays, and so does a file that another path of a package leads to.
            let owned = self.owners.get(&at).is_some_and(|owners| !owners.is_empty());
            let is_node =
                |kind: &NodeKind| !matches!(kind, NodeKind::Directory) || self.tree.below(&at).next().is_none();
            if !owned && self.tree.get(&at).is_some_and(|node| is_node(&node.kind)) {
                let _ = self.tree.remove(&at);
            }
        }
    }
}
