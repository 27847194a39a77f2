//! Users and groups along the chain: one name per id, one id per name.

use std::collections::BTreeMap;

use super::{ResolvedImage, ResolvedUser};
use crate::manifest::model::{Group, Id, Image, User};
use crate::manifest::read::Problems;
use crate::manifest::{GroupName, ImageName, Owner, OwnerId, Problem, Spanned, UserName};
use crate::tree::TreePath;

/// The user id when the manifest names none: that of the first user of most machines, which suits bind mounts.
const DEFAULT_UID: u32 = 1000;

/// The users and groups of one image.
pub(super) struct Accounts {
    pub(super) user: Option<UserName>,
    pub(super) users: BTreeMap<u32, ResolvedUser>,
    pub(super) groups: BTreeMap<GroupName, u32>,
}

impl Accounts {
    /// Those of `image` over those of its parent.
    pub(super) fn merge(
        name: &ImageName,
        image: &Image,
        parent: Option<&ResolvedImage>,
        problems: &mut Problems,
    ) -> Self {
        let mut accounts = Self {
            user: parent.and_then(|parent| parent.user.clone()),
            users: parent.map(|parent| parent.users.clone()).unwrap_or_default(),
            groups: parent.map(|parent| parent.groups.clone()).unwrap_or_default(),
        };
        let place = Place { name, parent };
        if let Some(user) = &image.user {
            accounts.add_user(user, &image.groups, place, problems);
        }
        for (group, Group { gid }) in &image.groups {
            accounts.add_group(group, gid.value.0, &gid.span, place, problems);
        }
        accounts
    }

    fn add_user(
        &mut self,
        user: &User,
        groups: &BTreeMap<Spanned<GroupName>, Group>,
        place: Place<'_>,
        problems: &mut Problems,
    ) {
        self.user = Some(user.name.value.clone());
        if user.name.as_str() == "root" {
            return;
        }
        let uid = user.uid.map_or(DEFAULT_UID, |Id(uid)| uid);
        // A group of the user's own name goes with the user; one that was declared stays.
        if let Some(replaced) =
            self.users.remove(&uid).filter(|replaced| replaced.group.as_str() == replaced.name.as_str())
        {
            self.groups.remove(&replaced.group);
        }
        let Some(new) = filled_in(user, uid, groups, &self.groups) else { return };
        if let Some(other) = self.users.values().find(|other| other.name == new.name) {
            let problem = place.conflict("user", new.name.to_string(), new.uid, other.uid);
            return problems.add(user.name.span.clone(), problem);
        }
        self.add_group(&new.group, new.gid, &user.name.span, place, problems);
        self.users.insert(new.uid, new);
    }

    fn add_group(
        &mut self,
        name: &GroupName,
        gid: u32,
        span: &std::ops::Range<usize>,
        place: Place<'_>,
        problems: &mut Problems,
    ) {
        if let Some(other) = self.groups.get(name).filter(|other| **other != gid) {
            return problems.add(span.clone(), place.conflict("group", name.to_string(), gid, *other));
        }
        if let Some((other, _)) = self.groups.iter().find(|(other, id)| **id == gid && *other != name) {
            let problem = Problem::IdShared { name: name.to_string(), gid, other: other.to_string() };
            return problems.add(span.clone(), problem);
        }
        self.groups.insert(name.clone(), gid);
    }

    /// `owner` with the names of this image's users and groups replaced by their ids, and the group filled in where it is known.
    pub(super) fn numeric(&self, owner: &Owner) -> Owner {
        let user = match &owner.user {
            OwnerId::Name(name) if name.as_str() == "root" => OwnerId::Id(0),
            OwnerId::Name(name) => match self.users.values().find(|user| user.name == *name) {
                Some(user) => OwnerId::Id(user.uid),
                None => OwnerId::Name(name.clone()),
            },
            OwnerId::Id(uid) => OwnerId::Id(*uid),
        };
        let group = match (&owner.group, &user) {
            (Some(OwnerId::Name(name)), _) if name.as_str() == "root" => Some(OwnerId::Id(0)),
            (Some(OwnerId::Name(name)), _) => {
                Some(self.groups.get(name).map_or_else(|| OwnerId::Name(name.clone()), |gid| OwnerId::Id(*gid)))
            }
            (Some(OwnerId::Id(gid)), _) => Some(OwnerId::Id(*gid)),
            // A number without a user is taken for the group as well, as Dockerfiles do.
            (None, OwnerId::Id(uid)) => Some(OwnerId::Id(self.users.get(uid).map_or(*uid, |user| user.gid))),
            (None, OwnerId::Name(_)) => None,
        };
        Owner { user, group }
    }
}

/// Which image is at work, for messages.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a ImageName,
    parent: Option<&'a ResolvedImage>,
}

impl Place<'_> {
    fn conflict(self, what: &'static str, name: String, id: u32, other: u32) -> Problem {
        let image = self.parent.map_or(self.name, |parent| &parent.name).to_string();
        Problem::IdConflict { what, name, id, other, image }
    }
}

/// The user with its defaults: a group of its own name (or the one that has its id already), bash, a home below `/home`.
fn filled_in(
    user: &User,
    uid: u32,
    declared: &BTreeMap<Spanned<GroupName>, Group>,
    inherited: &BTreeMap<GroupName, u32>,
) -> Option<ResolvedUser> {
    let name = &user.name.value;
    let gid = user.gid.map_or(uid, |Id(gid)| gid);
    let declared = declared.iter().map(|(name, group)| (&name.value, group.gid.value.0));
    let mut known = declared.chain(inherited.iter().map(|(name, gid)| (name, *gid)));
    let mut existing = || known.find(|(_, other)| *other == gid).map(|(name, _)| name.clone());
    let group = user.group.clone().or_else(&mut existing).or_else(|| name.as_str().parse().ok())?;
    let home = user.home.clone().or_else(|| TreePath::parse(format!("/home/{name}")).ok())?;
    Some(ResolvedUser {
        name: name.clone(),
        uid,
        gid,
        group,
        shell: user.shell.clone().unwrap_or(TreePath::literal("bin/bash")),
        home,
        groups: user.groups.clone(),
        sudo: user.sudo.unwrap_or(false),
    })
}
