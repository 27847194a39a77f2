//! `update-alternatives`: link groups under `/etc/alternatives` (update-alternatives(1)).

mod record;

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

pub use record::{Choice, LinkGroup, Mode, ParseLinkGroupError};

use crate::tree::{Content, Meta, Node, NodeKind, Tree, TreeError, TreePath};

/// Where the links of all groups lead through.
const LINKS: TreePath = TreePath::literal("etc/alternatives");
/// Where the groups are recorded.
const RECORDS: TreePath = TreePath::literal("var/lib/dpkg/alternatives");

/// Why a link group could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum AlternativesError {
    /// No such group.
    #[error("no alternatives for {0}")]
    NoSuchGroup(BString),
    /// The group does not have this choice.
    #[error("{path} is no choice of {name}")]
    NoSuchChoice {
        /// The group's name.
        name: BString,
        /// The path asked for.
        path: BString,
    },
    /// `--install` of a file that is not there.
    #[error("alternative path {0} does not exist")]
    NoSuchFile(BString),
    /// The record is damaged.
    #[error("alternatives of {name}")]
    Record {
        /// The group's name.
        name: BString,
        /// What is wrong.
        #[source]
        source: ParseLinkGroupError,
    },
    /// The tree could not be changed.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// What `--install` was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The group's name.
    pub name: BString,
    /// The generic path.
    pub link: BString,
    /// The choice, with a file for each slave.
    pub choice: Choice,
    /// The slaves' generic paths by name.
    pub slave_links: BTreeMap<BString, BString>,
}

/// The link groups of a tree.
#[derive(Debug)]
pub struct Alternatives<'t> {
    tree: &'t mut Tree,
    now: i64,
}

impl<'t> Alternatives<'t> {
    /// The link groups of `tree`, changed at `now` (seconds since 1970).
    pub fn new(tree: &'t mut Tree, now: i64) -> Self {
        Self { tree, now }
    }

    /// The group of this name; `None` when there is none.
    ///
    /// # Errors
    /// [`AlternativesError::Record`].
    pub fn get(&self, name: &BStr) -> Result<Option<LinkGroup>, AlternativesError> {
        let path = RECORDS.join(name).map_err(TreeError::from)?;
        let Some(Node { kind: NodeKind::File { content: Content::Inline(bytes), .. }, .. }) = self.tree.get(&path)
        else {
            return Ok(None);
        };
        let record = |source| AlternativesError::Record { name: name.into(), source };
        LinkGroup::parse(bytes).map(Some).map_err(record)
    }

    /// Where the group's link leads now.
    pub fn current(&self, name: &BStr) -> Option<BString> {
        match &self.tree.get(&LINKS.join(name).ok()?)?.kind {
            NodeKind::Symlink { target } => Some(target.clone()),
            _ => None,
        }
    }

    /// As `--install`.
    ///
    /// # Errors
    /// [`AlternativesError`].
    pub fn install(&mut self, wanted: Installation) -> Result<(), AlternativesError> {
        let name = wanted.name.as_bstr();
        if self.tree.lookup(&wanted.choice.path).is_none() {
            return Err(AlternativesError::NoSuchFile(wanted.choice.path));
        }
        let mut group = self.get(name)?.unwrap_or_else(|| LinkGroup {
            mode: Mode::Auto,
            link: wanted.link.clone(),
            slaves: BTreeMap::new(),
            choices: Vec::new(),
        });
        if group.link != wanted.link {
            self.remove_link(&group.link)?;
            group.link = wanted.link;
        }
        for (slave, link) in wanted.slave_links {
            if let Some(old) = group.slaves.insert(slave, link.clone()).filter(|old| *old != link) {
                self.remove_link(&old)?;
            }
        }
        match group.choices.iter_mut().find(|choice| choice.path == wanted.choice.path) {
            Some(choice) => *choice = wanted.choice,
            None => group.choices.push(wanted.choice),
        }
        self.settle(name, group, None)
    }

    /// As `--set`: the administrator's choice.
    ///
    /// # Errors
    /// [`AlternativesError`].
    pub fn set(&mut self, name: &BStr, path: &BStr) -> Result<(), AlternativesError> {
        let mut group = self.get(name)?.ok_or_else(|| AlternativesError::NoSuchGroup(name.into()))?;
        let choice = group.choices.iter().find(|choice| choice.path == path).cloned();
        let choice = choice.ok_or_else(|| AlternativesError::NoSuchChoice { name: name.into(), path: path.into() })?;
        group.mode = Mode::Manual;
        self.settle(name, group, Some(choice))
    }

    /// As `--auto`.
    ///
    /// # Errors
    /// [`AlternativesError`].
    pub fn auto(&mut self, name: &BStr) -> Result<(), AlternativesError> {
        let mut group = self.get(name)?.ok_or_else(|| AlternativesError::NoSuchGroup(name.into()))?;
        group.mode = Mode::Auto;
        self.settle(name, group, None)
    }

    /// As `--remove`: nothing happens when the group or the choice is unknown.
    ///
    /// # Errors
    /// [`AlternativesError`].
    pub fn remove(&mut self, name: &BStr, path: &BStr) -> Result<(), AlternativesError> {
        let Some(mut group) = self.get(name)? else { return Ok(()) };
        let before = group.choices.len();
        group.choices.retain(|choice| choice.path != path);
        if group.choices.len() == before {
            return Ok(());
        }
        if self.current(name).is_some_and(|current| current == path) {
            group.mode = Mode::Auto;
        }
        self.settle(name, group, None)
    }

    /// As `--remove-all`.
    ///
    /// # Errors
    /// [`AlternativesError`].
    pub fn remove_all(&mut self, name: &BStr) -> Result<(), AlternativesError> {
        let Some(mut group) = self.get(name)? else { return Ok(()) };
        group.choices.clear();
        self.settle(name, group, None)
    }

    /// Brings links and record in line with the group.
    fn settle(&mut self, name: &BStr, mut group: LinkGroup, chosen: Option<Choice>) -> Result<(), AlternativesError> {
        let used = |slave: &BString| group.choices.iter().any(|choice| choice.slaves.contains_key(slave));
        let unused: Vec<BString> = group.slaves.keys().filter(|slave| !used(slave)).cloned().collect();
        for slave in unused {
            if let Some(link) = group.slaves.remove(&slave) {
                self.drop_link(&slave, &link)?;
            }
        }
        let record = RECORDS.join(name).map_err(TreeError::from)?;
        if group.choices.is_empty() {
            self.drop_link(name, &group.link)?;
            self.tree.remove_all(&record);
            return Ok(());
        }
        let choice = match group.mode {
            Mode::Auto => group.best().cloned(),
            Mode::Manual => chosen,
        };
        if let Some(choice) = choice {
            self.point(name, &group.link, &choice.path)?;
            for (slave, link) in &group.slaves {
                match choice.slaves.get(slave).filter(|file| self.tree.lookup(file).is_some()) {
                    Some(file) => self.point(slave.as_bstr(), link, file)?,
                    None => self.drop_link(slave, link)?,
                }
            }
        }
        self.tree.create_dir_all(&RECORDS, &Meta::root(0o755, self.now))?;
        self.tree.insert(record, Node::file(Meta::root(0o644, self.now), group.to_bytes()))?;
        Ok(())
    }

    /// `link` → `/etc/alternatives/NAME` → `file`.
    fn point(&mut self, name: &BStr, link: &BString, file: &BString) -> Result<(), AlternativesError> {
        self.tree.create_dir_all(&LINKS, &Meta::root(0o755, self.now))?;
        let through = LINKS.join(name).map_err(TreeError::from)?;
        self.tree.insert(through, Node::symlink(file.clone(), self.now))?;
        let path = self.tree.resolve(&TreePath::ROOT, link, false)?;
        let target = BString::from([b"/etc/alternatives/", name.as_bytes()].concat());
        let replaceable = self.tree.get(&path).is_none_or(|node| matches!(node.kind, NodeKind::Symlink { .. }));
        if replaceable {
            self.tree.insert(path, Node::symlink(target, self.now))?;
        }
        Ok(())
    }

    /// Removes a group's links on both levels.
    fn drop_link(&mut self, name: &[u8], link: &BString) -> Result<(), AlternativesError> {
        self.remove_link(link)?;
        self.tree.remove_all(&LINKS.join(name).map_err(TreeError::from)?);
        Ok(())
    }

    /// Removes a generic path, but only when it is a link of ours.
    fn remove_link(&mut self, link: &BString) -> Result<(), AlternativesError> {
        let Ok(path) = self.tree.resolve(&TreePath::ROOT, link, false) else { return Ok(()) };
        let is_ours = |node: &Node| matches!(&node.kind, NodeKind::Symlink { target } if target.starts_with(b"/etc/alternatives/"));
        if self.tree.get(&path).is_some_and(is_ours) {
            self.tree.remove(&path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        ["usr/bin/mawk", "usr/bin/gawk", "usr/share/man/man1/mawk.1.gz", "etc/alternatives/README"]
            .into_iter()
            .map(|path| (TreePath::literal(path), Node::file(Meta::root(0o755, 0), *b"")))
            .collect()
    }

    fn awk(path: &str, priority: i32) -> Installation {
        Installation {
            name: "awk".into(),
            link: "/usr/bin/awk".into(),
            choice: Choice {
                path: path.into(),
                priority,
                slaves: BTreeMap::from([("awk.1.gz".into(), path.replace("/bin/", "/share/man/man1/").into())])
                    .into_iter()
                    .map(|(name, file): (BString, BString)| (name, [file.as_slice(), b".1.gz"].concat().into()))
                    .collect(),
            },
            slave_links: BTreeMap::from([("awk.1.gz".into(), "/usr/share/man/man1/awk.1.gz".into())]),
        }
    }

    #[test]
    fn the_best_choice_wins_until_one_is_set() {
        let mut tree = tree();
        let mut alternatives = Alternatives::new(&mut tree, 7);
        let current = |alternatives: &Alternatives<'_>| alternatives.current("awk".into()).map(|path| path.to_string());
        alternatives.install(awk("/usr/bin/mawk", 5)).expect("installed");
        assert_eq!(current(&alternatives).as_deref(), Some("/usr/bin/mawk"));
        assert!(alternatives.tree.lookup("/usr/share/man/man1/awk.1.gz").is_some());
        alternatives.install(awk("/usr/bin/gawk", 10)).expect("installed");
        assert_eq!(current(&alternatives).as_deref(), Some("/usr/bin/gawk"));
        assert!(!alternatives.tree.contains(&TreePath::literal("usr/share/man/man1/awk.1.gz")), "gawk has no page");
        alternatives.set("awk".into(), "/usr/bin/mawk".into()).expect("set");
        assert_eq!(current(&alternatives).as_deref(), Some("/usr/bin/mawk"));
        alternatives.remove("awk".into(), "/usr/bin/mawk".into()).expect("removed");
        assert_eq!(current(&alternatives).as_deref(), Some("/usr/bin/gawk"));
        alternatives.remove("awk".into(), "/usr/bin/gawk".into()).expect("removed");
        assert!(!alternatives.tree.contains(&TreePath::literal("usr/bin/awk")));
        assert!(!alternatives.tree.contains(&TreePath::literal("var/lib/dpkg/alternatives/awk")));
    }

    #[test]
    fn what_is_not_there_cannot_be_installed() {
        let error = Alternatives::new(&mut tree(), 0).install(awk("/usr/bin/busybox", 1));
        assert!(matches!(error, Err(AlternativesError::NoSuchFile(_))));
    }
}
