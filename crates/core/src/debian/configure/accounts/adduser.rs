//! Debian's adduser(8) and addgroup(8) for system accounts: which id they choose and what they write.

use bstr::{BStr, BString};

use super::{Accounts, NewUser};
use crate::tree::TreeError;

/// Debian's range for ids allocated dynamically to system accounts (Debian Policy 9.2.2).
const SYSTEM_IDS: std::ops::RangeInclusive<u32> = 100..=999;
/// Debian's range for people's accounts (Debian Policy 9.2.2).
const USER_IDS: std::ops::RangeInclusive<u32> = 1000..=59_999;
/// The group of those that own nothing.
const NOGROUP: u32 = 65_534;

/// What `adduser --system` was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddSystemUser {
    /// Login name.
    pub name: BString,
    /// `--uid`.
    pub uid: Option<u32>,
    /// `--gid`.
    pub gid: Option<u32>,
    /// `--ingroup`.
    pub ingroup: Option<BString>,
    /// `--group`: a group of the same name too.
    pub own_group: bool,
    /// `--home`.
    pub home: Option<BString>,
    /// `--no-create-home`.
    pub no_create_home: bool,
    /// `--shell`.
    pub shell: Option<BString>,
    /// `--gecos` or `--comment`.
    pub gecos: Option<BString>,
    /// Whether uid and gid are chosen as one free pair, as adduser did before 3.137, or each for itself.
    pub paired_ids: bool,
}

/// Why an account could not be added.
#[derive(Debug, thiserror::Error)]
pub enum AddUserError {
    /// Every id of the range is taken.
    #[error("no free id is left for `{0}`")]
    NoFreeId(BString),
    /// The id is another's.
    #[error("id {id} for `{name}` is taken already")]
    IdTaken {
        /// The account to be added.
        name: BString,
        /// The id asked for.
        id: u32,
    },
    /// The named group does not exist.
    #[error("group `{0}` does not exist")]
    NoSuchGroup(BString),
    /// The tree could not be changed.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl Accounts<'_> {
    /// A free group id.
    ///
    /// # Errors
    /// [`AddUserError::NoFreeId`].
    pub fn free_gid(&self, name: &BStr, system: bool) -> Result<u32, AddUserError> {
        let groups = self.groups();
        let free = |gid: &u32| !groups.iter().any(|group| group.gid == *gid);
        let mut range = if system { SYSTEM_IDS } else { USER_IDS };
        range.find(|gid| free(gid)).ok_or_else(|| AddUserError::NoFreeId(name.into()))
    }

    /// A free user id; `also_gid` asks that it be free as a group id too.
    ///
    /// # Errors
    /// [`AddUserError::NoFreeId`].
    pub fn free_uid(&self, name: &BStr, system: bool, also_gid: bool) -> Result<u32, AddUserError> {
        let (users, groups) = (self.users(), self.groups());
        let free = |uid: &u32| {
            !(users.iter().any(|user| user.uid == *uid) || also_gid && groups.iter().any(|group| group.gid == *uid))
        };
        let mut range = if system { SYSTEM_IDS } else { USER_IDS };
        range.find(|uid| free(uid)).ok_or_else(|| AddUserError::NoFreeId(name.into()))
    }

    /// As `addgroup --system [--gid GID] NAME`; a group that exists stays.
    ///
    /// # Errors
    /// [`AddUserError`].
    pub fn add_group_like_adduser(&mut self, name: &BStr, gid: Option<u32>, system: bool) -> Result<(), AddUserError> {
        if self.groups().get(name).is_some() {
            return Ok(());
        }
        let gid = match gid {
            Some(id) if self.groups().iter().any(|group| group.gid == id) => {
                return Err(AddUserError::IdTaken { name: name.into(), id });
            }
            Some(gid) => gid,
            None => self.free_gid(name, system)?,
        };
        Ok(self.add_group(name, gid)?)
    }

    /// As `adduser --system`; a user that exists stays.
    ///
    /// # Errors
    /// [`AddUserError`].
    pub fn add_system_user(&mut self, wanted: &AddSystemUser) -> Result<(), AddUserError> {
        let name: &BStr = wanted.name.as_ref();
        if self.users().get(name).is_some() {
            return Ok(());
        }
        let own_group_exists = wanted.own_group && self.groups().get(name).is_some();
        let uid = match wanted.uid {
            Some(id) if self.users().iter().any(|user| user.uid == id) => {
                return Err(AddUserError::IdTaken { name: name.into(), id });
            }
            Some(uid) => uid,
            None => self.free_uid(name, true, wanted.paired_ids && wanted.own_group && !own_group_exists)?,
        };
        let gid = self.primary_group(wanted, uid)?;
        let home = wanted.home.clone().unwrap_or_else(|| "/nonexistent".into());
        let user = NewUser {
            name: wanted.name.clone(),
            uid,
            gid,
            gecos: BString::default(),
            shell: wanted.shell.clone().unwrap_or_else(|| "/usr/sbin/nologin".into()),
            system: true,
            password: "!".into(),
            expires: BString::default(),
            home,
        };
        self.add_user(&user)?;
        if let Some(gecos) = &wanted.gecos {
            self.change_user(name, |user| user.gecos = gecos.clone())?;
        }
        if !wanted.no_create_home && !user.home.starts_with(b"/nonexistent") {
            self.create_home(&user, 0o755, false)?;
        }
        Ok(())
    }

    /// The primary group's id; makes the group with `--group`.
    fn primary_group(&mut self, wanted: &AddSystemUser, uid: u32) -> Result<u32, AddUserError> {
        let name: &BStr = wanted.name.as_ref();
        if let Some(gid) = wanted.gid {
            return Ok(gid);
        }
        if let Some(group) = &wanted.ingroup {
            let groups = self.groups();
            return groups.get(group).map(|group| group.gid).ok_or_else(|| AddUserError::NoSuchGroup(group.clone()));
        }
        if !wanted.own_group {
            return Ok(NOGROUP);
        }
        if let Some(group) = self.groups().get(name) {
            return Ok(group.gid);
        }
        let gid = if wanted.paired_ids || wanted.uid.is_some() { uid } else { self.free_gid(name, true)? };
        self.add_group(name, gid)?;
        Ok(gid)
    }
}
