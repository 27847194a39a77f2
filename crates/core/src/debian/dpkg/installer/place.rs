//! Where an entry of a package goes, and what it finds there.

use super::Installer;
use super::conflicts::Decision;
use crate::debian::deb::{UnpackedDeb, merged_usr};
use crate::debian::dpkg::MergeError;
use crate::tree::{Meta, Node, NodeKind, TreeError, TreePath};

impl Installer {
    pub(super) fn unpack_entry(
        &mut self,
        deb: &UnpackedDeb,
        index: usize,
        (path, node): &(TreePath, Node),
        kept: &mut Vec<TreePath>,
    ) -> Result<(), MergeError> {
        let name = deb.dpkg_path(path);
        let used = self.diversions.resolve(&name, deb.package()).clone();
        let merged = if used == name { path.clone() } else { self.merged(deb, &used)? };
        let at = self.reach(deb, &merged)?;
        if node.is_directory() {
            self.own(name, index);
            return self.unpack_directory(deb, at, node);
        }
        if let NodeKind::Symlink { target } = &node.kind
            && self.is_link_to_same_directory(&at, target)
        {
            self.own(name, index);
            return Ok(());
        }
        match self.decide(index, &name)? {
            Decision::KeepExisting => {
                kept.push(name);
                Ok(())
            }
            Decision::Place { losers } => {
                if self.tree.get(&at).is_some_and(Node::is_directory) {
                    return Err(MergeError::DirectoryInTheWay { package: deb.package().to_owned(), path: at });
                }
                let mut node = node.clone();
                if let Some(stat) = self.statoverrides.get(&name) {
                    stat.apply(&mut node.meta);
                }
                self.take_over(&losers, &name);
                self.own(name, index);
                self.place(deb, at, node)
            }
        }
    }

    /// A directory that is there, or a link to one, keeps its metadata.
    fn unpack_directory(&mut self, deb: &UnpackedDeb, at: TreePath, node: &Node) -> Result<(), MergeError> {
        match self.tree.lookup(at.as_bytes()) {
            Some((_, there)) if there.is_directory() => Ok(()),
            _ if self.tree.contains(&at) => Err(MergeError::Unreachable {
                package: deb.package().to_owned(),
                path: at.clone(),
                source: TreeError::NotADirectory(at),
            }),
            _ => {
                let mut node = node.clone();
                if let Some(stat) = self.statoverrides.get(&at) {
                    stat.apply(&mut node.meta);
                }
                self.place(deb, at, node)
            }
        }
    }

    /// A symbolic link changes nothing where there is a directory, or a link that leads to the same one.
    fn is_link_to_same_directory(&self, at: &TreePath, target: &[u8]) -> bool {
        let Some(there) = self.tree.get(at) else { return false };
        if there.is_directory() {
            return true;
        }
        if self.generated_links.contains(at) || !matches!(there.kind, NodeKind::Symlink { .. }) {
            return false;
        }
        let parent = at.parent().unwrap_or(TreePath::ROOT);
        let old = self.tree.resolve(&TreePath::ROOT, at.as_bytes(), true).ok();
        let new = self.tree.resolve(&parent, target, true).ok();
        old.is_some() && old == new && old.and_then(|path| self.tree.get(&path)).is_some_and(Node::is_directory)
    }

    fn merged(&self, deb: &UnpackedDeb, path: &TreePath) -> Result<TreePath, MergeError> {
        merged_usr(path).map_err(|source| MergeError::Path { package: deb.package().to_owned(), source })
    }

    /// Where a path leads when the links above it are followed; missing directories are made, as dpkg does.
    fn reach(&mut self, deb: &UnpackedDeb, path: &TreePath) -> Result<TreePath, MergeError> {
        if let Some(name) = path.components().nth(1).filter(|_| path.starts_with(&TreePath::literal("usr")))
            && deb.aliased.contains(path)
        {
            // A rarer one, such as /lib32: without the link its files could not be found by the name they have.
            if let Ok(alias) = TreePath::parse(name)
                && !self.tree.contains(&alias)
            {
                self.link_into_usr(&alias);
            }
        }
        let unreachable =
            |source| MergeError::Unreachable { package: deb.package().to_owned(), path: path.clone(), source };
        match self.tree.resolve(&TreePath::ROOT, path.as_bytes(), false) {
            Err(TreeError::NotFound(missing)) => {
                let parent = path.parent().unwrap_or(TreePath::ROOT);
                // Behind a dangling link there is nothing to make.
                if !parent.starts_with(&missing) {
                    return Err(unreachable(TreeError::NotFound(missing)));
                }
                self.tree.create_dir_all(&parent, &Meta::root(0o755, 0)).map_err(unreachable)?;
                Ok(path.clone())
            }
            other => other.map_err(unreachable),
        }
    }

    pub(super) fn ensure_directory(
        &mut self,
        deb: &UnpackedDeb,
        path: &TreePath,
        meta: &Meta,
    ) -> Result<(), MergeError> {
        let at = self.reach(deb, path)?;
        if self.tree.contains(&at) { Ok(()) } else { self.place(deb, at, Node::directory(meta.clone())) }
    }

    pub(super) fn place(&mut self, deb: &UnpackedDeb, at: TreePath, node: Node) -> Result<(), MergeError> {
        self.generated_links.remove(&at);
        match self.tree.insert(at.clone(), node) {
            Ok(_) => Ok(()),
            Err(TreeError::IsADirectory(path)) => {
                Err(MergeError::DirectoryInTheWay { package: deb.package().to_owned(), path })
            }
            Err(source) => Err(MergeError::Unreachable { package: deb.package().to_owned(), path: at, source }),
        }
    }

    /// Makes the link `name -> usr/name` and the directory it leads to.
    pub(super) fn link_into_usr(&mut self, name: &TreePath) {
        let target = [b"usr/", name.as_bytes()].concat();
        if let Ok(directory) = TreePath::parse(&target)
            && self.tree.create_dir_all(&directory, &Meta::root(0o755, 0)).is_ok()
            && self.tree.insert(name.clone(), Node::symlink(target, 0)).is_ok()
        {
            self.generated_links.insert(name.clone());
        }
    }
}
