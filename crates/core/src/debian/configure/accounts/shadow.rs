//! What the shadow suite's programs do to the files: useradd(8), groupadd(8), usermod(8), userdel(8), gpasswd(1).

use bstr::BString;

use super::{Accounts, GROUP, GSHADOW, Group, Gshadow, PASSWD, SHADOW, Shadow, Table, User};
use crate::tree::{Content, Meta, Node, NodeKind, Tree, TreeError, TreePath};

/// A user to be added, every choice made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Login name.
    pub name: BString,
    /// Numeric user id.
    pub uid: u32,
    /// Numeric id of the primary group.
    pub gid: u32,
    /// Full name.
    pub gecos: BString,
    /// Home directory.
    pub home: BString,
    /// Login shell.
    pub shell: BString,
    /// A system account has no ageing fields in shadow(5) (useradd(8), `--system`).
    pub system: bool,
    /// The password field of shadow(5): `!` as useradd leaves it, `*`, `!*` or a hash.
    pub password: BString,
    /// shadow(5)'s expiry date in days since 1970; empty for never.
    pub expires: BString,
}

impl Accounts<'_> {
    /// As `groupadd -g GID NAME`: a record in group(5), and in gshadow(5) when there is one.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn add_group(&mut self, name: &[u8], gid: u32) -> Result<(), TreeError> {
        self.add_group_with_password(name, gid, b"!")
    }

    pub(super) fn add_group_with_password(&mut self, name: &[u8], gid: u32, password: &[u8]) -> Result<(), TreeError> {
        let mut groups = self.groups();
        groups.push(Group { name: name.into(), password: "x".into(), gid, members: Vec::new() });
        self.store(&GROUP, &groups, 0o644)?;
        if self.tree.contains(&GSHADOW) {
            let mut gshadow: Table<Gshadow> = self.load(&GSHADOW);
            let (administrators, members) = (Vec::new(), Vec::new());
            gshadow.push(Gshadow { name: name.into(), password: password.into(), administrators, members });
            self.store(&GSHADOW, &gshadow, 0o400)?;
        }
        Ok(())
    }

    /// As `useradd` without `-m`: a record in passwd(5), and in shadow(5) when there is one.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn add_user(&mut self, user: &NewUser) -> Result<(), TreeError> {
        let mut users = self.users();
        users.push(User {
            name: user.name.clone(),
            password: if self.tree.contains(&SHADOW) { "x".into() } else { user.password.clone() },
            uid: user.uid,
            gid: user.gid,
            gecos: user.gecos.clone(),
            home: user.home.clone(),
            shell: user.shell.clone(),
        });
        self.store(&PASSWD, &users, 0o644)?;
        if self.tree.contains(&SHADOW) {
            let mut shadow: Table<Shadow> = self.load(&SHADOW);
            let [minimum, maximum, warn] = if user.system { ["", "", ""] } else { ["0", "99999", "7"] };
            let ageing =
                [self.today(), minimum.into(), maximum.into(), warn.into(), "".into(), user.expires.clone(), "".into()];
            shadow.push(Shadow { name: user.name.clone(), password: user.password.clone(), ageing });
            self.store(&SHADOW, &shadow, 0o400)?;
        }
        Ok(())
    }

    /// As `usermod` with one of `-c`, `-d`, `-s`, `-u`, `-g`: changes passwd(5) alone. Says whether the user exists.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn change_user(&mut self, name: &[u8], change: impl FnOnce(&mut User)) -> Result<bool, TreeError> {
        let mut users = self.users();
        let Some(user) = users.get_mut(name) else { return Ok(false) };
        let before = user.clone();
        change(user);
        if *user != before {
            self.store(&PASSWD, &users, 0o644)?;
        }
        Ok(true)
    }

    /// Changes the password field as `usermod -p`, `usermod -L` and `passwd -l` do. Says whether the user exists.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn change_password(&mut self, name: &[u8], change: impl FnOnce(&mut Shadow)) -> Result<bool, TreeError> {
        let mut shadow: Table<Shadow> = self.load(&SHADOW);
        let Some(entry) = shadow.get_mut(name) else { return Ok(false) };
        let before = entry.clone();
        change(entry);
        if *entry != before {
            self.store(&SHADOW, &shadow, 0o400)?;
        }
        Ok(true)
    }

    /// As `usermod -a -G GROUP USER`. Says whether the group exists.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn add_member(&mut self, user: &[u8], group: &[u8]) -> Result<bool, TreeError> {
        self.change_members(group, |members| {
            if !members.iter().any(|member| member == user) {
                members.push(user.into());
            }
        })
    }

    /// As `gpasswd -d USER GROUP`. Says whether the group exists.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn remove_member(&mut self, user: &[u8], group: &[u8]) -> Result<bool, TreeError> {
        self.change_members(group, |members| members.retain(|member| member != user))
    }

    fn change_members(&mut self, name: &[u8], change: impl Fn(&mut Vec<BString>)) -> Result<bool, TreeError> {
        let mut groups = self.groups();
        let Some(group) = groups.get_mut(name) else { return Ok(false) };
        let before = group.members.clone();
        change(&mut group.members);
        if group.members != before {
            self.store(&GROUP, &groups, 0o644)?;
        }
        let mut gshadow: Table<Gshadow> = self.load(&GSHADOW);
        if let Some(group) = gshadow.get_mut(name) {
            let before = group.members.clone();
            change(&mut group.members);
            if group.members != before {
                self.store(&GSHADOW, &gshadow, 0o400)?;
            }
        }
        Ok(true)
    }

    /// As `userdel NAME`, with the user's own group when nobody else is in it. Says whether the user existed.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn delete_user(&mut self, name: &[u8]) -> Result<bool, TreeError> {
        let mut users = self.users();
        if !users.remove(name) {
            return Ok(false);
        }
        self.store(&PASSWD, &users, 0o644)?;
        let mut shadow: Table<Shadow> = self.load(&SHADOW);
        if shadow.remove(name) {
            self.store(&SHADOW, &shadow, 0o400)?;
        }
        let memberships: Vec<BString> = self.groups().iter().map(|group| group.name.clone()).collect();
        for group in memberships {
            self.remove_member(name, &group)?;
        }
        Ok(true)
    }

    /// As `groupdel NAME`. Says whether the group existed.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn delete_group(&mut self, name: &[u8]) -> Result<bool, TreeError> {
        let mut groups = self.groups();
        if !groups.remove(name) {
            return Ok(false);
        }
        self.store(&GROUP, &groups, 0o644)?;
        let mut gshadow: Table<Gshadow> = self.load(&GSHADOW);
        if gshadow.remove(name) {
            self.store(&GSHADOW, &gshadow, 0o400)?;
        }
        Ok(true)
    }

    /// As `groupmod -n NEW OLD`. Says whether the group exists.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn rename_group(&mut self, old: &[u8], new: &[u8]) -> Result<bool, TreeError> {
        let mut groups = self.groups();
        let Some(group) = groups.get_mut(old) else { return Ok(false) };
        group.name = new.into();
        self.store(&GROUP, &groups, 0o644)?;
        let mut gshadow: Table<Gshadow> = self.load(&GSHADOW);
        if let Some(group) = gshadow.get_mut(old) {
            group.name = new.into();
            self.store(&GSHADOW, &gshadow, 0o400)?;
        }
        Ok(true)
    }

    /// Makes a home directory with a copy of `/etc/skel`, as `useradd -m` and `adduser` do; one that is there stays.
    ///
    /// # Errors
    /// When something that is no directory is in the way.
    pub fn create_home(&mut self, user: &NewUser, mode: u16, with_skel: bool) -> Result<(), TreeError> {
        let home = self
            .tree
            .resolve(&TreePath::ROOT, &user.home, true)
            .or_else(|_| TreePath::parse(&user.home).map_err(TreeError::from))?;
        if self.tree.contains(&home) {
            return Ok(());
        }
        if let Some(parent) = home.parent() {
            self.tree.create_dir_all(&parent, &Meta::root(0o755, self.now))?;
        }
        let own = |mode| Meta { uid: user.uid, gid: user.gid, ..Meta::root(mode, self.now) };
        self.tree.insert(home.clone(), Node::directory(own(mode)))?;
        if with_skel {
            copy_skel(self.tree, &home, user)?;
        }
        Ok(())
    }
}

/// Copies `/etc/skel` into a home directory, owned by its user.
fn copy_skel(tree: &mut Tree, home: &TreePath, user: &NewUser) -> Result<(), TreeError> {
    let skel = TreePath::literal("etc/skel");
    let copies: Vec<(TreePath, Node)> = tree.below(&skel).map(|(path, node)| (path.clone(), node.clone())).collect();
    for (path, mut node) in copies {
        node.meta.uid = user.uid;
        node.meta.gid = user.gid;
        if let NodeKind::File { link, content: Content::Inline(_) | Content::Packed(_) } = &mut node.kind {
            *link = None;
        }
        tree.insert(home.join(path.strip_prefix(&skel).unwrap_or_default())?, node)?;
    }
    Ok(())
}
