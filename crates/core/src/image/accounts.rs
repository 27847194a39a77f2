//! The manifest's users and groups in the account files of an image.

use bstr::{BStr, ByteSlice as _};

use crate::debian::configure::accounts::{Accounts, GROUP, Group, NewUser, PASSWD, Table, User};
use crate::manifest::{ResolvedImage, ResolvedUser};
use crate::tree::{Meta, Node, NodeKind, Tree, TreeError, TreePath};

/// Ids below it are those of systems (Debian Policy 9.2.2).
const FIRST_PERSON: u32 = 1000;
const SKELETON: TreePath = TreePath::literal("etc/skel");
const SUDOERS: TreePath = TreePath::literal("etc/sudoers.d");

/// Why a user or group cannot be as the manifest says.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A package already uses the id or the name.
    #[error("the {what} `{name}` cannot have the id {id}: the packages have `{other}` with id {other_id}")]
    Taken {
        /// `user` or `group`.
        what: &'static str,
        /// The manifest's name.
        name: String,
        /// The manifest's id.
        id: u32,
        /// Who is in the way.
        other: String,
        /// And its id.
        other_id: u32,
    },
    /// A supplementary group that nobody makes.
    #[error("the user `{user}` cannot join the group `{group}`, which is not in the image")]
    NoGroup {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// `sudo = true` without sudo.
    #[error("the user `{0}` may use sudo, but the package `sudo` is not in the image")]
    NoSudo(String),
    /// The login shell is not there.
    #[error("the shell {shell} of the user `{user}` is not in the image")]
    NoShell {
        /// The user.
        user: String,
        /// The shell.
        shell: TreePath,
    },
    /// A file of the system cannot be written.
    #[error("cannot write the account of `{user}`")]
    Write {
        /// The user or group.
        user: String,
        /// Why.
        #[source]
        source: TreeError,
    },
}

impl AccountError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Taken { what, .. } => Some(format!("give the {what} another name or id in plywood.toml")),
            Self::NoGroup { group, .. } => Some(format!("declare it: groups.{group} = {{ gid = … }}")),
            Self::NoSudo(_) => Some("add \"sudo\" to the image's packages".to_owned()),
            Self::NoShell { shell, .. } => {
                Some(format!("add the package that has {shell} to the image's packages, or choose another shell"))
            }
            Self::Write { .. } => None,
        }
    }
}

/// Users and groups of a tree, for looking up owners.
pub(super) struct Known {
    users: Table<User>,
    groups: Table<Group>,
}

impl Known {
    pub(super) fn read(tree: &Tree) -> Self {
        let files = [PASSWD, GROUP].into_iter().filter_map(|path| Some((path.clone(), tree.get(&path)?.clone())));
        let mut tree: Tree = files.collect();
        let accounts = Accounts::new(&mut tree, 0);
        Self { users: accounts.users(), groups: accounts.groups() }
    }

    pub(super) fn user(&self, name: &BStr) -> Option<(u32, u32)> {
        self.users.get(name).map(|user| (user.uid, user.gid))
    }

    pub(super) fn gid_of_uid(&self, uid: u32) -> Option<u32> {
        self.users.iter().find(|user| user.uid == uid).map(|user| user.gid)
    }

    pub(super) fn group(&self, name: &BStr) -> Option<u32> {
        self.groups.get(name).map(|group| group.gid)
    }
}

/// Adds the image's groups and users, with their homes and their right to sudo.
pub(super) fn add(tree: &mut Tree, image: &ResolvedImage, now: i64) -> Result<(), AccountError> {
    if image.base.is_some() {
        image.users.values().try_for_each(|user| make_way(tree, user, now))?;
    }
    for (name, gid) in &image.groups {
        add_group(tree, name.as_str(), *gid, now)?;
    }
    for user in image.users.values() {
        add_user(tree, user, now)?;
    }
    Ok(())
}

/// A person's account of a base with the id of one of ours is replaced, as a parent's in the workspace is, with the group
/// of its own name. Its home stays: with the same id, the new user owns it.
fn make_way(tree: &mut Tree, user: &ResolvedUser, now: i64) -> Result<(), AccountError> {
    let failed = |source| AccountError::Write { user: user.name.to_string(), source };
    let mut accounts = Accounts::new(tree, now);
    let users = accounts.users();
    let Some(old) = users.iter().find(|old| old.uid == user.uid && old.uid >= FIRST_PERSON) else { return Ok(()) };
    accounts.delete_user(&old.name).map_err(failed)?;
    let groups = accounts.groups();
    let lonely = groups.get(&old.name).is_some_and(|group| group.gid == old.gid && group.members.is_empty());
    if lonely {
        accounts.delete_group(&old.name).map_err(failed)?;
    }
    Ok(())
}

fn add_group(tree: &mut Tree, name: &str, gid: u32, now: i64) -> Result<(), AccountError> {
    let mut accounts = Accounts::new(tree, now);
    let groups = accounts.groups();
    let other = groups.iter().find(|group| (group.name == name) != (group.gid == gid));
    if let Some(other) = other {
        let (other, other_id) = (other.name.to_string(), other.gid);
        return Err(AccountError::Taken { what: "group", name: name.to_owned(), id: gid, other, other_id });
    }
    if groups.get(name.as_bytes()).is_some() {
        return Ok(());
    }
    let failed = |source| AccountError::Write { user: name.to_owned(), source };
    accounts.add_group(name.as_bytes(), gid).map_err(failed)
}

fn add_user(tree: &mut Tree, user: &ResolvedUser, now: i64) -> Result<(), AccountError> {
    let name = user.name.as_str();
    let failed = |source| AccountError::Write { user: name.to_owned(), source };
    if !has_program(tree, &user.shell) {
        return Err(AccountError::NoShell { user: name.to_owned(), shell: user.shell.clone() });
    }
    let mut accounts = Accounts::new(tree, now);
    let users = accounts.users();
    if let Some(other) = users.iter().find(|other| other.name == name || other.uid == user.uid) {
        let (other, other_id) = (other.name.to_string(), other.uid);
        return Err(AccountError::Taken { what: "user", name: name.to_owned(), id: user.uid, other, other_id });
    }
    let new = NewUser {
        name: name.into(),
        uid: user.uid,
        gid: user.gid,
        gecos: "".into(),
        home: user.home.to_string().into(),
        shell: user.shell.to_string().into(),
        system: false,
        password: "!".into(),
        expires: "".into(),
    };
    accounts.add_user(&new).map_err(failed)?;
    for group in &user.groups {
        if !accounts.add_member(name.as_bytes(), group.as_str().as_bytes()).map_err(failed)? {
            return Err(AccountError::NoGroup { user: name.to_owned(), group: group.to_string() });
        }
    }
    add_home(tree, user).map_err(failed)?;
    if user.sudo {
        allow_sudo(tree, name)?;
    }
    Ok(())
}

/// Whether there is something at a path, links followed; a link into the Nix store leads to something, too, although a
/// tree has no store paths.
pub(super) fn has_program(tree: &Tree, path: &TreePath) -> bool {
    let in_store = |path: TreePath| match tree.get(&path).map(|node| &node.kind) {
        Some(NodeKind::Symlink { target }) => target.starts_with(b"/nix/store/"),
        _ => false,
    };
    tree.lookup(path.as_bytes()).is_some() || tree.resolve(&TreePath::ROOT, path.as_bytes(), false).is_ok_and(in_store)
}

/// As `useradd -m`: a home with what is in `/etc/skel`, all of it the user's own.
fn add_home(tree: &mut Tree, user: &ResolvedUser) -> Result<(), TreeError> {
    let own = |meta: &Meta| Meta { uid: user.uid, gid: user.gid, ..meta.clone() };
    if tree.contains(&user.home) {
        return Ok(());
    }
    if let Some(parent) = user.home.parent() {
        tree.create_dir_all(&parent, &Meta::root(0o755, 1))?;
    }
    // useradd's HOME_MODE in /etc/login.defs is 0700 on Debian; others of the container's users have no business there.
    tree.insert(user.home.clone(), Node::directory(own(&Meta::root(0o700, 1))))?;
    let skeleton: Vec<(TreePath, Node)> =
        tree.below(&SKELETON).map(|(path, node)| (path.clone(), node.clone())).collect();
    for (path, node) in skeleton {
        let relative = path.strip_prefix(&SKELETON).map(BStr::to_owned).unwrap_or_default();
        let target = user.home.join(relative.as_bytes())?;
        tree.insert(target, Node { meta: own(&node.meta), kind: node.kind })?;
    }
    Ok(())
}

fn allow_sudo(tree: &mut Tree, name: &str) -> Result<(), AccountError> {
    if !tree.get(&SUDOERS).is_some_and(Node::is_directory) {
        return Err(AccountError::NoSudo(name.to_owned()));
    }
    let failed = |source| AccountError::Write { user: name.to_owned(), source };
    let path = SUDOERS.join(sudoers_name(name)).map_err(|error| failed(error.into()))?;
    let rule = format!("{name} ALL=(ALL:ALL) NOPASSWD:ALL\n");
    tree.insert(path, Node::file(Meta::root(0o440, 1), rule.into_bytes())).map_err(failed)?;
    Ok(())
}

/// sudo skips files whose name has a dot or ends in `~` (sudoers(5), "Including other files").
fn sudoers_name(name: &str) -> String {
    name.replace(['.', '~'], "_")
}
