//! Owners and modes that the administrator or a package sets for good (dpkg-statoverride(1)).

use std::collections::BTreeMap;

use bstr::BString;

use crate::tree::{Meta, TreePath};

/// The owner and mode that a path gets whatever packages say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatOverride {
    /// The user as dpkg's file writes it: a name, or `#` and a number.
    pub user: BString,
    /// The group, likewise.
    pub group: BString,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Permission and special bits.
    pub mode: u16,
}

/// The overrides of a system, in the order of dpkg's file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatOverrides {
    order: Vec<TreePath>,
    by_path: BTreeMap<TreePath, StatOverride>,
}

impl StatOverrides {
    /// Adds or replaces the override of a path.
    pub fn add(&mut self, path: TreePath, value: StatOverride) {
        if self.by_path.insert(path.clone(), value).is_none() {
            self.order.push(path);
        }
    }

    /// Removes the override of a path.
    pub fn remove(&mut self, path: &TreePath) -> Option<StatOverride> {
        self.order.retain(|other| other != path);
        self.by_path.remove(path)
    }

    /// The override of a path.
    pub fn get(&self, path: &TreePath) -> Option<&StatOverride> {
        self.by_path.get(path)
    }

    /// Whether there is none; dpkg then has no file `statoverride`.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// All overrides, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &StatOverride)> {
        self.order.iter().filter_map(|path| self.by_path.get_key_value(path))
    }

    /// dpkg's file `statoverride`: user, group, mode in octal and path a line.
    pub fn to_file(&self) -> BString {
        self.iter()
            .map(|(path, value)| format!("{} {} {:o} /{}\n", value.user, value.group, value.mode, path.as_bstr()))
            .collect::<String>()
            .into()
    }
}

impl StatOverride {
    /// Gives `meta` this owner and mode.
    pub fn apply(&self, meta: &mut Meta) {
        (meta.uid, meta.gid, meta.mode) = (self.uid, self.gid, self.mode);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_written_as_dpkg_does() {
        let mut overrides = StatOverrides::default();
        let entry = |mode| StatOverride { user: "root".into(), group: "#7".into(), uid: 0, gid: 7, mode };
        overrides.add(TreePath::literal("usr/bin/b"), entry(0o4755));
        overrides.add(TreePath::literal("usr/bin/a"), entry(0o700));
        overrides.add(TreePath::literal("usr/bin/b"), entry(0o2755));
        assert_eq!(overrides.to_file(), "root #7 2755 /usr/bin/b\nroot #7 700 /usr/bin/a\n");
        overrides.remove(&TreePath::literal("usr/bin/b"));
        assert_eq!(overrides.to_file(), "root #7 700 /usr/bin/a\n");
    }
}
