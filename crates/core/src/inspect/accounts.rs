//! passwd(5), group(5) and shadow(5), read leniently: a line that makes no sense is kept apart, not an error.

use bstr::ByteSlice as _;

use crate::tree::{ReadContent, Tree, TreePath};

/// Where the users are.
pub(super) const PASSWD: TreePath = TreePath::literal("etc/passwd");
/// Where the groups are.
pub(super) const GROUP: TreePath = TreePath::literal("etc/group");
/// Where the passwords are.
pub(super) const SHADOW: TreePath = TreePath::literal("etc/shadow");

/// A line of passwd(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub name: String,
    /// Whether its password is in shadow(5).
    pub is_shadowed: bool,
    /// Its number.
    pub uid: u32,
    /// The number of its main group.
    pub gid: u32,
    /// The home directory.
    pub home: String,
    /// The login shell; empty for `/bin/sh`.
    pub shell: String,
}

/// A line of group(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number.
    pub gid: u32,
    /// The names of the users it has besides those whose main group it is.
    pub members: Vec<String>,
}

/// What the three files hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Accounts {
    /// The users, in order.
    pub(super) users: Vec<Account>,
    /// The groups, in order.
    pub(super) groups: Vec<Group>,
    /// The names that shadow(5) has.
    pub(super) shadow: Vec<String>,
    /// Lines that are not what they should be, by file.
    pub(super) malformed: Vec<(TreePath, String)>,
}

impl Accounts {
    /// Reads what is there of the three files.
    pub(super) fn read(tree: &Tree, contents: &dyn ReadContent) -> Self {
        let mut accounts = Self::default();
        let Self { users, groups, shadow, malformed } = &mut accounts;
        let mut each = |path: &TreePath, take: &mut dyn FnMut(&[&str]) -> Option<()>| {
            let resolved = tree.resolve(&TreePath::ROOT, path.as_bytes(), true);
            let Ok(text) = resolved.and_then(|path| tree.read(&path, contents)) else { return };
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let line = line.to_str_lossy();
                let fields: Vec<&str> = line.split(':').collect();
                if take(&fields).is_none() {
                    malformed.push((path.clone(), line.chars().take(80).collect()));
                }
            }
        };
        each(&PASSWD, &mut |fields| {
            let [name, password, uid, gid, _, home, shell] = fields else { return None };
            let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
            let (home, shell) = ((*home).to_owned(), (*shell).to_owned());
            let is_shadowed = *password == "x";
            users.push(Account { name: named(name)?, is_shadowed, uid, gid, home, shell });
            Some(())
        });
        each(&GROUP, &mut |fields| {
            let [name, _, gid, members] = fields else { return None };
            let members = members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
            groups.push(Group { name: named(name)?, gid: gid.parse().ok()?, members });
            Some(())
        });
        each(&SHADOW, &mut |fields| {
            let [name, _, _, _, _, _, _, _, _] = fields else { return None };
            shadow.push(named(name)?);
            Some(())
        });
        accounts
    }

    /// The user of a number; the first one, as the C library has it.
    pub(super) fn user(&self, uid: u32) -> Option<&Account> {
        self.users.iter().find(|account| account.uid == uid)
    }

    /// A user's name, or its number when it has none.
    pub(super) fn name_of(&self, uid: u32) -> String {
        self.user(uid).map_or_else(|| uid.to_string(), |account| account.name.clone())
    }
}

/// A name that is one.
fn named(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}
