//! Diversions: files that a package moves out of the way of all others (dpkg-divert(1), Debian Policy appendix G).

use std::collections::BTreeMap;

use bstr::BString;

use crate::tree::TreePath;

/// One diversion. Paths are those that packages write, before merged /usr: `/bin/sh` and `/usr/bin/sh` are two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diversion {
    /// The file that is diverted.
    pub from: TreePath,
    /// Where other packages' version goes.
    pub to: TreePath,
    /// The package whose own version stays at `from`; `None` for a local diversion, which moves every package's.
    pub package: Option<String>,
}

/// Why a diversion cannot be added or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiversionError {
    /// It contradicts one that is there.
    #[error("the diversion of {from} to {to} clashes with that of {other_from} to {other_to}")]
    Clash {
        /// The file to divert.
        from: TreePath,
        /// Where to.
        to: TreePath,
        /// The file diverted already.
        other_from: TreePath,
        /// Where to.
        other_to: TreePath,
    },
    /// A file cannot be diverted to itself, nor a directory at all.
    #[error("{0} cannot be diverted")]
    NotDivertible(TreePath),
}

/// The diversions of a system, in the order of dpkg's file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diversions {
    list: Vec<Diversion>,
    by_from: BTreeMap<TreePath, usize>,
}

impl Diversions {
    /// Adds a diversion; `false` when the very same one is there already.
    ///
    /// # Errors
    /// When either path is part of another diversion, or both are the same.
    pub fn add(&mut self, new: Diversion) -> Result<bool, DiversionError> {
        if new.from == new.to {
            return Err(DiversionError::NotDivertible(new.from));
        }
        if self.list.contains(&new) {
            return Ok(false);
        }
        let touches = |path: &TreePath| *path == new.from || *path == new.to;
        if let Some(other) = self.list.iter().find(|other| touches(&other.from) || touches(&other.to)) {
            return Err(DiversionError::Clash {
                from: new.from,
                to: new.to,
                other_from: other.from.clone(),
                other_to: other.to.clone(),
            });
        }
        self.list.push(new);
        self.reindex();
        Ok(true)
    }

    /// Removes the diversion of a file and gives it back; `None` when there is none.
    pub fn remove(&mut self, from: &TreePath) -> Option<Diversion> {
        let index = *self.by_from.get(from)?;
        let removed = self.list.remove(index);
        self.reindex();
        Some(removed)
    }

    /// The diversion of a file.
    pub fn get(&self, from: &TreePath) -> Option<&Diversion> {
        self.by_from.get(from).and_then(|index| self.list.get(*index))
    }

    /// Where the file that `package` calls `path` goes.
    pub fn resolve<'p>(&'p self, path: &'p TreePath, package: &str) -> &'p TreePath {
        match self.get(path) {
            Some(diversion) if diversion.package.as_deref() != Some(package) => &diversion.to,
            _ => path,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All diversions, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Diversion> {
        self.list.iter()
    }

    /// dpkg's file `diversions`: three lines each, the package `:` for a local one.
    pub fn to_file(&self) -> BString {
        let mut text = BString::default();
        for Diversion { from, to, package } in &self.list {
            for line in [format!("/{}", from.as_bstr()), format!("/{}", to.as_bstr())] {
                text.extend_from_slice(line.as_bytes());
                text.push(b'\n');
            }
            text.extend_from_slice(package.as_deref().unwrap_or(":").as_bytes());
            text.push(b'\n');
        }
        text
    }

    fn reindex(&mut self) {
        self.by_from = self.list.iter().enumerate().map(|(index, one)| (one.from.clone(), index)).collect();
    }
}
