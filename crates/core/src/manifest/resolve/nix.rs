//! What an image has of Nix.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ResolvedImage;
use crate::manifest::document::Document;
use crate::manifest::model::{Image, ImageNix};
use crate::manifest::read::Problems;
use crate::manifest::{Problem, SetName, ShellName, Spanned};

/// What an image has of Nix, defaults filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ResolvedNix {
    /// The sets whose packages it has, the parents' first; sets that are in others right before those, each once.
    pub sets: Vec<SetName>,
    /// The shell that is active in it. Its own sets are not among [`Self::sets`].
    pub shell: Option<ShellName>,
    /// Whether `/bin/sh` comes from its store paths.
    pub sh: bool,
    /// Whether `/usr/bin/env` comes from its store paths.
    pub env: bool,
    /// Whether certificates from its store paths are where programs look for them.
    pub certificates: bool,
    /// Whether `/usr/share/zoneinfo` comes from its store paths.
    pub time_zones: bool,
    /// Whether the loader and the libraries that foreign programs need are at their usual places.
    pub loader: bool,
    /// Whether Nix's database knows its store paths.
    pub database: bool,
    /// Whether `nix develop` works in it without a network.
    pub offline_develop: bool,
}

impl ResolvedNix {
    /// Whether it has store paths, which the lock must name.
    pub fn has_paths(&self) -> bool {
        !self.sets.is_empty() || self.shell.is_some()
    }
}

/// What `image` says over what its parent has. `debian` is whether the chain has Debian packages.
pub(super) fn merge(
    document: &Document,
    image: &Image,
    parent: Option<&ResolvedImage>,
    debian: bool,
    problems: &mut Problems,
) -> ResolvedNix {
    let inherited = parent.map(|parent| &parent.nix);
    let nothing = ImageNix::default();
    let own = image.nix.as_deref().unwrap_or(&nothing);
    let shell = image.shell.as_ref().map(|shell| shell.value.clone());
    let shell = shell.or_else(|| inherited.and_then(|nix| nix.shell.clone()));
    let asked = inherited.map(|nix| nix.sets.as_slice()).unwrap_or_default().iter();
    let system = |own: Option<bool>, inherited: Option<bool>, default: bool| own.or(inherited).unwrap_or(default);
    let switch = |own: &Option<Spanned<bool>>| own.as_ref().map(|switch| switch.value);
    let database = switch(&own.database).unwrap_or(shell.is_some() || inherited.is_some_and(|nix| nix.database));
    let offline_develop = switch(&own.offline_develop).unwrap_or(shell.is_some() && database);
    if let Some(offline) = own.offline_develop.as_ref().filter(|offline| offline.value) {
        let missing = [("shell", shell.is_some()), ("database", database)].into_iter().find(|(_, there)| !there);
        if let Some((needs, _)) = missing {
            problems.add(offline.span.clone(), Problem::Needs { key: "offline-develop", needs });
        }
    }
    ResolvedNix {
        sets: sets_within(document, asked.chain(image.sets.iter().map(|set| &set.value))),
        sh: system(own.sh, inherited.map(|nix| nix.sh), false),
        env: system(own.env, inherited.map(|nix| nix.env), !debian),
        certificates: system(own.certificates, inherited.map(|nix| nix.certificates), !debian),
        time_zones: system(own.time_zones, inherited.map(|nix| nix.time_zones), !debian),
        loader: system(own.loader, inherited.map(|nix| nix.loader), false),
        database,
        offline_develop,
        shell,
    }
}

/// These sets and all that are in them, each once, those that a set contains right before it. No set may contain itself.
pub(in crate::manifest) fn sets_within<'a>(
    document: &Document,
    asked: impl IntoIterator<Item = &'a SetName>,
) -> Vec<SetName> {
    let members: BTreeMap<&SetName, &[Spanned<SetName>]> =
        document.sets.iter().map(|(name, set)| (&name.value, &set.sets[..])).collect();
    let mut seen: BTreeSet<SetName> = BTreeSet::new();
    let mut within = Vec::new();
    for start in asked {
        let mut path: Vec<(&SetName, usize)> = Vec::new();
        if seen.insert(start.clone()) {
            path.push((start, 0));
        }
        while let Some((name, at)) = path.last_mut() {
            match members.get(name).and_then(|members| members.get(*at)) {
                Some(member) => {
                    *at += 1;
                    if seen.insert(member.value.clone()) {
                        path.push((&member.value, 0));
                    }
                }
                None => {
                    within.push((*name).clone());
                    path.pop();
                }
            }
        }
    }
    within
}
