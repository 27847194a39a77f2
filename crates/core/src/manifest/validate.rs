//! The rules between tables: what refers to what.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::model::{Debian, DebianSetting, Image, Publish};
use super::read::{Problems, most_alike};
use super::spanned::Spanned;
use super::{BaseReference, Platform, Problem, RepositorySuite, SetName};

/// Notes the members of `list` that are there twice, by `identity`.
pub(super) fn no_duplicates<T>(list: &[Spanned<T>], identity: impl Fn(&T) -> String, problems: &mut Problems) {
    let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for member in list {
        let identity = identity(&member.value);
        match seen.get(&identity) {
            Some(first) => {
                problems.add_related(member.span.clone(), Problem::Duplicate(identity), first.clone(), "first here")
            }
            None => _ = seen.insert(identity, member.span.clone()),
        }
    }
}

/// A list of platforms has members, each once.
pub(super) fn platforms(platforms: &Spanned<Vec<Spanned<Platform>>>, problems: &mut Problems) {
    if platforms.is_empty() {
        problems.add(platforms.span.clone(), Problem::Empty("platforms"));
    }
    no_duplicates(platforms, Platform::to_string, problems);
}

/// The names that other tables may refer to, those included whose own tables are at fault.
#[derive(Debug)]
pub(super) struct Names {
    images: BTreeSet<String>,
    sets: BTreeSet<String>,
    shells: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(table: &DeTable<'_>) -> Self {
        let names = |kind: &str| match table.get(kind).map(|named| named.get_ref()) {
            Some(DeValue::Table(named)) => named.keys().map(|name| name.get_ref().to_string()).collect(),
            _ => BTreeSet::new(),
        };
        Self { images: names("images"), sets: names("sets"), shells: names("shells") }
    }
}

/// Checks what images, suites and lists refer to.
pub(super) fn document(document: &Document, names: &Names, problems: &mut Problems) {
    if let Some(list) = &document.workspace.platforms {
        platforms(list, problems);
    }
    no_duplicates(&document.workspace.certificates, ToString::to_string, problems);
    document.publish.iter().for_each(|table| publish(table, problems));
    if let Some(table) = &document.debian {
        debian(table, problems);
    }
    if let Some(nix) = &document.nix {
        no_duplicates(nix.substituters.as_deref().unwrap_or_default(), ToString::to_string, problems);
        no_duplicates(nix.trusted_public_keys.as_deref().unwrap_or_default(), ToString::to_string, problems);
    }
    let sets = document.sets.values().map(|set| &set.sets);
    let sets = sets.chain(document.shells.values().map(|shell| &shell.sets));
    for set in sets.chain(document.images.values().map(|image| &image.sets)).flatten() {
        known(set, "set", &names.sets, problems);
    }
    for (name, image) in &document.images {
        if let Some(table) = image.debian.as_ref().and_then(|setting| setting.table()) {
            debian(table, problems);
        }
        parent(image, &names.images, problems);
        if let Some(shell) = &image.shell {
            known(shell, "shell", &names.shells, problems);
        }
        if image.from.is_none() && !has_suite(document, image) {
            problems.add(name.span.clone(), Problem::NoSuite(name.to_string()));
        }
        paths(image, problems);
    }
}

/// Whether an image without `from` has a suite or needs none.
fn has_suite(document: &Document, image: &Image) -> bool {
    let suite = |table: &Debian| table.suite.is_some();
    match image.debian.as_deref() {
        Some(DebianSetting::Off) => true,
        Some(DebianSetting::On(table)) if suite(table) => true,
        _ => document.debian.as_ref().is_some_and(suite),
    }
}

/// The manifest has what is named here.
fn known<T: std::fmt::Display>(
    name: &Spanned<T>,
    what: &'static str,
    names: &BTreeSet<String>,
    problems: &mut Problems,
) {
    let text = name.to_string();
    if !names.contains(&text) {
        let suggestion = most_alike(&text, names.iter().map(String::as_str)).map(str::to_owned);
        problems.add(name.span.clone(), Problem::UnknownName { what, name: text, suggestion });
    }
}

fn publish(table: &Publish, problems: &mut Problems) {
    no_duplicates(&table.keys, ToString::to_string, problems);
    if let Some(tags) = &table.tags {
        if tags.is_empty() {
            problems.add(tags.span.clone(), Problem::Empty("tags"));
        }
        no_duplicates(tags, ToString::to_string, problems);
        let versioned = tags.iter().find(|tag| tag.as_str().contains("{version}"));
        if let Some(tag) = versioned.filter(|_| table.version.is_none()) {
            problems.add(tag.span.clone(), Problem::Needs { key: "{version}", needs: "version" });
        }
    }
}

fn debian(table: &Debian, problems: &mut Problems) {
    let repositories = table.repositories.values();
    let lists = repositories.clone().filter_map(|repository| repository.components.as_ref()).chain(&table.components);
    for components in lists.filter(|components| components.is_empty()) {
        problems.add(components.span.clone(), Problem::Empty("components"));
    }
    for repository in repositories.clone() {
        let flat = repository.suite.as_ref().is_some_and(RepositorySuite::is_flat);
        if let Some(components) = repository.components.as_ref().filter(|_| flat) {
            problems.add(components.span.clone(), Problem::FlatComponents);
        }
    }
    for packages in repositories.map(|repository| &repository.packages).filter(|packages| packages.is_empty()) {
        problems.add(packages.span.clone(), Problem::Empty("packages"));
    }
}

/// `from` names an image of the workspace or one outside of it, and what only the start of a chain decides is not set here.
fn parent(image: &Image, image_names: &BTreeSet<String>, problems: &mut Problems) {
    let Some(from) = &image.from else { return };
    if BaseReference::is_meant(from) {
        if let Err(error) = from.parse::<BaseReference>() {
            problems.add(from.span.clone(), error);
        }
        return;
    }
    if !image_names.contains(from.as_str()) {
        let suggestion = most_alike(from, image_names.iter().map(String::as_str)).map(str::to_owned);
        problems.add(from.span.clone(), Problem::UnknownImage { name: from.value.clone(), suggestion });
    }
    if let Some(table) = &image.debian {
        problems.add(table.span.clone(), Problem::OnlyInRoot { key: "debian" });
    }
}

/// One path is one thing.
fn paths(image: &Image, problems: &mut Problems) {
    let files = image.files.keys().map(|path| (path, "a file"));
    let directories = image.directories.keys().map(|path| (path, "a directory"));
    let symlinks = image.symlinks.keys().map(|path| (path, "a symlink"));
    let mut seen = BTreeMap::new();
    for (path, what) in files.chain(directories).chain(symlinks) {
        if path.is_root() && what != "a directory" {
            problems.add(
                path.span.clone(),
                Problem::PathTwice { path: "/".to_owned(), first: "a directory", second: what },
            );
        }
        if let Some((first, span)) = seen.insert(&path.value, (what, path.span.clone())) {
            let problem = Problem::PathTwice { path: path.to_string(), first, second: what };
            problems.add_related(path.span.clone(), problem, span, "first here");
        }
    }
}

/// Whether every `from` chain ends; notes each cycle once.
pub(super) fn chains_end(document: &Document, problems: &mut Problems) -> bool {
    let mut in_cycles: BTreeSet<&str> = BTreeSet::new();
    for start in document.images.keys() {
        let mut chain: Vec<&str> = vec![start.as_str()];
        let mut image = document.images.get(start);
        while let Some(from) = image.and_then(|image| image.from.as_ref()) {
            if let Some(begin) = chain.iter().position(|name| *name == from.as_str()) {
                let cycle = chain.split_off(begin);
                if !cycle.iter().any(|name| in_cycles.contains(name)) {
                    let names = cycle.iter().chain(cycle.first()).map(|name| (*name).to_owned()).collect();
                    problems.add(from.span.clone(), Problem::Cycle(names));
                }
                in_cycles.extend(cycle);
                break;
            }
            let Some((name, next)) = document.image(from) else { break };
            chain.push(name);
            image = Some(next);
        }
    }
    in_cycles.is_empty()
}

/// Whether no set contains itself; notes each cycle once.
pub(super) fn sets_end(document: &Document, problems: &mut Problems) -> bool {
    /// What has been seen of a set.
    #[derive(PartialEq)]
    enum Seen {
        Entered,
        Left,
    }
    let sets: BTreeMap<&SetName, &[Spanned<SetName>]> =
        document.sets.iter().map(|(name, set)| (&name.value, &set.sets[..])).collect();
    let mut seen: BTreeMap<&SetName, Seen> = BTreeMap::new();
    let mut ends = true;
    for start in document.sets.keys() {
        // The path from the start, each set with how many of its members have been looked at: no recursion, whatever the depth.
        let mut path: Vec<(&SetName, usize)> = Vec::new();
        if let Entry::Vacant(unseen) = seen.entry(&start.value) {
            unseen.insert(Seen::Entered);
            path.push((&start.value, 0));
        }
        while let Some((name, at)) = path.last_mut() {
            let member = sets.get(name).and_then(|members| members.get(*at));
            let Some(member) = member else {
                seen.insert(name, Seen::Left);
                path.pop();
                continue;
            };
            *at += 1;
            match seen.get(&member.value) {
                Some(Seen::Left) => {}
                Some(Seen::Entered) => {
                    let cycle = path.iter().map(|(name, _)| *name).skip_while(|name| **name != member.value);
                    let names = cycle.chain([&member.value]).map(ToString::to_string).collect();
                    problems.add(member.span.clone(), Problem::SetCycle(names));
                    ends = false;
                }
                None => {
                    seen.insert(&member.value, Seen::Entered);
                    path.push((&member.value, 0));
                }
            }
        }
    }
    ends
}

impl Document {
    /// The image of that name.
    pub(super) fn image(&self, name: &str) -> Option<(&str, &Image)> {
        self.images.iter().find(|(known, _)| known.as_str() == name).map(|(known, image)| (known.as_str(), image))
    }
}
