//! Users and groups: the four account files, changed as the shadow suite, adduser and systemd-sysusers change them.
//!
//! Every change leaves the previous file under the same name with a `-` at the end, as shadow's `commonio` does; that
//! backup is part of what a bootstrap leaves, so the order and number of writes follow the real tools.

mod adduser;
mod pwconv;
mod record;
mod shadow;
mod sysusers;

use bstr::{BString, ByteSlice as _};

pub use adduser::{AddSystemUser, AddUserError};
pub use record::{Group, Gshadow, Record, Shadow, Table, User};
pub use shadow::NewUser;
pub use sysusers::{SysusersError, SysusersLine, parse_sysusers};

use crate::tree::{Content, Meta, Node, NodeKind, Tree, TreeError, TreePath};

/// `/etc/passwd`.
pub const PASSWD: TreePath = TreePath::literal("etc/passwd");
/// `/etc/group`.
pub const GROUP: TreePath = TreePath::literal("etc/group");
/// `/etc/shadow`.
pub const SHADOW: TreePath = TreePath::literal("etc/shadow");
/// `/etc/gshadow`.
pub const GSHADOW: TreePath = TreePath::literal("etc/gshadow");
/// The lock file of lckpwdf(3), which stays behind empty.
const PWD_LOCK: TreePath = TreePath::literal("etc/.pwd.lock");

/// Seconds in a day: shadow(5) counts days.
const DAY: i64 = 86_400;

/// The accounts of a tree.
#[derive(Debug)]
pub struct Accounts<'t> {
    tree: &'t mut Tree,
    /// Seconds since 1970: the time of what is written.
    now: i64,
}

impl<'t> Accounts<'t> {
    /// The accounts of `tree`, changed at `now` (seconds since 1970).
    pub fn new(tree: &'t mut Tree, now: i64) -> Self {
        Self { tree, now }
    }

    /// All users.
    pub fn users(&self) -> Table<User> {
        self.load(&PASSWD)
    }

    /// All groups.
    pub fn groups(&self) -> Table<Group> {
        self.load(&GROUP)
    }

    /// Reads a file of accounts; a missing one is empty, and packed contents cannot be: the files are never a package's.
    fn load<R: Record>(&self, path: &TreePath) -> Table<R> {
        match self.tree.get(path).map(|node| &node.kind) {
            Some(NodeKind::File { content: Content::Inline(bytes), .. }) => Table::parse(bytes),
            _ => Table::default(),
        }
    }

    /// Writes a file as `commonio_close` does: the old one becomes the backup, owner and mode stay.
    fn store<R: Record>(&mut self, path: &TreePath, table: &Table<R>, fresh_mode: u16) -> Result<(), TreeError> {
        let meta = match self.tree.get(path).cloned() {
            Some(old) => {
                let meta = Meta { mtime: self.now, ..old.meta.clone() };
                self.tree.insert(TreePath::parse([path.as_bytes(), b"-"].concat())?, old)?;
                meta
            }
            None => Meta::root(fresh_mode, self.now),
        };
        self.tree.insert(path.clone(), Node::file(meta, table.to_bytes()))?;
        if !self.tree.contains(&PWD_LOCK) {
            self.tree.insert(PWD_LOCK, Node::file(Meta::root(0o600, self.now), *b""))?;
        }
        Ok(())
    }

    /// Today, as shadow(5) writes it: days since 1970.
    fn today(&self) -> BString {
        (self.now.div_euclid(DAY)).to_string().into()
    }

    /// The user id of a name or a decimal number.
    pub fn uid_of(&self, text: &[u8]) -> Option<u32> {
        self.users().get(text).map(|user| user.uid).or_else(|| text.to_str().ok()?.parse().ok())
    }

    /// The group id of a name or a decimal number.
    pub fn gid_of(&self, text: &[u8]) -> Option<u32> {
        self.groups().get(text).map(|group| group.gid).or_else(|| text.to_str().ok()?.parse().ok())
    }
}
