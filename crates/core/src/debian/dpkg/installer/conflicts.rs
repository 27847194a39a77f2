//! Whose file it is when several packages have the same path (Debian Policy 7.6).

use bstr::ByteSlice;

use super::Installer;
use crate::debian::dpkg::MergeError;
use crate::tree::{Content, Node, NodeKind, TreePath};

const INFO: TreePath = TreePath::literal("var/lib/dpkg/info");

/// What to do with an entry of a package.
pub(super) enum Decision {
    /// It goes there, and these packages lose theirs.
    Place { losers: Vec<usize> },
    /// A package before it replaces it in this path.
    KeepExisting,
}

impl Installer {
    /// Whether the package may put something at a name that others may have.
    pub(super) fn decide(&self, index: usize, name: &TreePath) -> Result<Decision, MergeError> {
        let owners = self.owners.get(name).map(Vec::as_slice).unwrap_or_default();
        let Some(package) = self.packages.get(index) else { return Ok(Decision::Place { losers: Vec::new() }) };
        let diverting = self.diversions.get(name).and_then(|diversion| diversion.package.as_deref());
        let others = owners.iter().filter(|owner| **owner != index);
        let others = others.filter_map(|owner| Some((*owner, self.packages.get(*owner)?)));
        let mut losers = Vec::new();
        for (owner, other) in others {
            let same = other.name() == package.name();
            let diverted = diverting.is_some_and(|by| by == package.name() || by == other.name());
            if same || diverted {
                continue;
            }
            if package.replaces(other) {
                losers.push(owner);
                continue;
            }
            if other.replaces(package) {
                return Ok(Decision::KeepExisting);
            }
            return Err(MergeError::Conflict {
                package: package.name().to_owned(),
                owner: other.name().to_owned(),
                path: name.clone(),
            });
        }
        Ok(Decision::Place { losers })
    }

    /// Strikes a path from the lists of packages that it was taken from.
    pub(super) fn take_over(&mut self, losers: &[usize], name: &TreePath) {
        for loser in losers {
            if let Some(owners) = self.owners.get_mut(name) {
                owners.retain(|owner| owner != loser);
            }
            self.strike_from_list(*loser, name);
        }
    }

    pub(super) fn strike_from_list(&mut self, index: usize, name: &TreePath) {
        let absolute = [b"/", name.as_bytes()].concat();
        self.strike_from_info(index, "list", |line| line == absolute);
    }

    /// Removes lines from an info file that dpkg wrote itself; those are the ones whose contents are at hand.
    pub(super) fn strike_from_info(&mut self, index: usize, file: &str, strike: impl Fn(&[u8]) -> bool) {
        let Some(package) = self.packages.get(index) else { return };
        let Ok(path) = INFO.join(format!("{}.{file}", package.qualified_name)) else { return };
        if let Some(Node { meta, kind: NodeKind::File { content: Content::Inline(lines), .. } }) = self.tree.get(&path)
        {
            let kept = lines.lines_with_terminator().filter(|line| !strike(line.strip_suffix(b"\n").unwrap_or(line)));
            let node = Node::file(meta.clone(), kept.collect::<Vec<_>>().concat());
            // The node is there, so its parents are.
            let _ = self.tree.insert(path, node);
        }
    }

    pub(super) fn own(&mut self, name: TreePath, index: usize) {
        self.owners.entry(name).or_default().push(index);
    }
}
