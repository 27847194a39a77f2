//! `pwconv` and `grpconv`, with which `shadowconfig on` moves passwords into the shadow files.

use super::{Accounts, GROUP, GSHADOW, Group, Gshadow, PASSWD, Record as _, SHADOW, Shadow, Table};
use crate::tree::{TreeError, TreePath};

impl Accounts<'_> {
    /// As pwconv(8): every user gets a line in shadow(5) and `x` as password; the backup is root's alone.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn pwconv(&mut self) -> Result<(), TreeError> {
        let mut users = self.users();
        let mut shadow: Table<Shadow> = self.load(&SHADOW);
        for user in users.iter_mut() {
            if shadow.get(user.name()).is_none() {
                let ageing = [self.today(), "0".into(), "99999".into(), "7".into(), "".into(), "".into(), "".into()];
                shadow.push(Shadow { name: user.name.clone(), password: user.password.clone(), ageing });
            }
            user.password = "x".into();
        }
        self.store(&PASSWD, &users, 0o644)?;
        self.store(&SHADOW, &shadow, 0o400)?;
        self.tree.set_meta(&TreePath::literal("etc/passwd-"), |meta| meta.mode = 0o600)
    }

    /// As grpconv(8).
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn grpconv(&mut self) -> Result<(), TreeError> {
        let mut groups: Table<Group> = self.groups();
        let mut gshadow: Table<Gshadow> = self.load(&GSHADOW);
        for group in groups.iter_mut() {
            if gshadow.get(group.name()).is_none() {
                let (name, password, members) = (group.name.clone(), group.password.clone(), group.members.clone());
                gshadow.push(Gshadow { name, password, administrators: Vec::new(), members });
            }
            group.password = "x".into();
        }
        self.store(&GROUP, &groups, 0o644)?;
        self.store(&GSHADOW, &gshadow, 0o400)?;
        self.tree.set_meta(&TreePath::literal("etc/group-"), |meta| meta.mode = 0o600)
    }
}
