//! The stable prefix: links to all that the image's sets and shell bring, under one path that updates never change.
//!
//! As Nix's own `buildEnv` (`src/libstore/builtins/buildenv.cc`): a directory that only one package has is one link,
//! shared ones are merged, of two files in one place that with the lower `meta.priority` wins.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BString, ByteSlice as _};

use super::files::{Found, StoreFiles, StoreFilesError, absolute, find};
use crate::nix::StorePath;
use crate::tree::{Content, Meta, Node, NodeKind, ReadContent, TreePath};

/// Where the profile of an image is.
pub const PROFILE: TreePath = TreePath::literal("nix/profile");

/// What stays out of profiles: each package has its own, for itself or for builds that use it.
const LEFT_OUT: [&str; 4] = ["/nix-support", "/propagated-build-inputs", "/log", "/manifest.json"];
/// The same wherever they are: indexes that each package writes of itself alone.
const LEFT_OUT_BELOW: [&str; 2] = ["/info/dir", "/perllocal.pod"];

/// Directories that are real even where one package alone has them: people and editors remember their paths.
const REAL: [TreePath; 4] =
    [TreePath::ROOT, TreePath::literal("bin"), TreePath::literal("etc"), TreePath::literal("etc/profile.d")];

/// The file by which a package brings others into a profile with it (nixpkgs, `propagatedUserEnvPkgs`).
const PROPAGATED: TreePath = TreePath::literal("nix-support/propagated-user-env-packages");

/// Files are compared up to this size, in bytes; larger ones of one name are never the same by chance.
const MAX_COMPARED: u64 = 1 << 20;

/// A store path that an image asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRoot {
    /// The path.
    pub path: StorePath,
    /// Who asks for it, as in "`nodejs_22` of the set `node`".
    pub owner: String,
    /// Which of two packages wins where both have a file: the lower (nixpkgs manual, `meta.priority`).
    pub priority: i64,
}

/// What is at a path of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileEntry {
    /// A directory of links.
    Directory,
    /// A link to what is at a path below a store path.
    Link {
        /// The store path.
        store_path: StorePath,
        /// Where below it.
        path: TreePath,
    },
}

/// A profile, by paths below its prefix; the prefix itself is at the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile(BTreeMap<TreePath, ProfileEntry>);

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Two packages have a file in one place.
    #[error("{first} and {second} both have {path}")]
    Collision {
        /// Below the prefix.
        path: TreePath,
        /// Who has it.
        first: String,
        /// Who has it, too.
        second: String,
    },
    /// The files of a store path are not at hand.
    #[error(transparent)]
    Files(#[from] StoreFilesError),
    /// A root is not among the image's store paths; a mistake in the program.
    #[error("{0} is not among the store paths of the image")]
    Missing(StorePath),
}

impl ProfileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = "take one of them out, or put it into a set of its own whose `priority` is lower than 5 to win, higher to \
                    lose";
        matches!(self, Self::Collision { .. }).then(|| hint.to_owned())
    }
}

impl Profile {
    /// The entries, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &ProfileEntry)> {
        self.0.iter()
    }

    /// As nodes of an image, by paths below the prefix.
    pub fn nodes(&self) -> impl Iterator<Item = (TreePath, Node)> {
        self.0.iter().map(|(path, entry)| {
            let node = match entry {
                ProfileEntry::Directory => Node::directory(Meta::root(0o755, 1)),
                ProfileEntry::Link { store_path, path } => Node::symlink(absolute(store_path, path), 1),
            };
            (path.clone(), node)
        })
    }

    /// What is at a path of the profile, links followed.
    ///
    /// # Errors
    /// As [`find`].
    pub fn find(&self, store: &dyn StoreFiles, path: &TreePath) -> Result<Option<Found>, StoreFilesError> {
        for at in [path.clone()].into_iter().chain(path.ancestors()) {
            let Some(ProfileEntry::Link { store_path, path: linked }) = self.0.get(&at) else { continue };
            let rest = path.strip_prefix(&at).unwrap_or_default();
            let Ok(below) = linked.join(rest.as_bytes()) else { return Ok(None) };
            return find(store, store_path, &below);
        }
        Ok(None)
    }
}

/// Merges the files of these roots, and of what they bring with them.
///
/// # Errors
/// [`ProfileError::Collision`] where priorities settle nothing and the files are not the same.
pub fn merge_profile(store: &dyn StoreFiles, roots: &[ProfileRoot]) -> Result<Profile, ProfileError> {
    let members = members(store, roots)?;
    let mut merge = Merge { store, members: &members, entries: BTreeMap::new() };
    let all = (0..members.len()).map(|member| Part {
        member,
        store_path: members[member].path.clone(),
        path: TreePath::ROOT,
    });
    let mut directories = Vec::new();
    for part in all {
        let found = find(store, &part.store_path, &part.path)?.ok_or(ProfileError::Missing(part.store_path.clone()))?;
        // A root that is a file, such as a script without a folder around it, has no place in a prefix.
        if found.node.is_directory() {
            directories.push(Part { store_path: found.store_path, path: found.path, ..part });
        }
    }
    merge.directory(&TreePath::ROOT, &directories)?;
    for path in REAL {
        merge.entries.entry(path).or_insert(ProfileEntry::Directory);
    }
    Ok(Profile(merge.entries))
}

/// A store path of a profile, asked for or brought along.
#[derive(Debug, Clone)]
struct Member {
    path: StorePath,
    owner: String,
    /// What is asked for wins over what is brought along, whatever its priority.
    rank: (usize, i64),
}

/// The roots, each once, and what they bring along, level by level.
fn members(store: &dyn StoreFiles, roots: &[ProfileRoot]) -> Result<Vec<Member>, ProfileError> {
    let mut members: Vec<Member> = Vec::new();
    for root in roots {
        let member = Member { path: root.path.clone(), owner: root.owner.clone(), rank: (0, root.priority) };
        match members.iter_mut().find(|known| known.path == root.path) {
            // Asked for twice: the more urgent request counts.
            Some(known) if member.rank < known.rank => *known = member,
            Some(_) => {}
            None => members.push(member),
        }
    }
    let mut known: BTreeSet<StorePath> = members.iter().map(|member| member.path.clone()).collect();
    let mut at = 0;
    while let Some(member) = members.get(at).cloned() {
        at += 1;
        for path in brought_along(store, &member.path)? {
            if store.files(&path)?.is_some() && known.insert(path.clone()) {
                let (level, priority) = member.rank;
                let owner = format!("what {} brings along ({})", member.owner, path.name());
                members.push(Member { path, owner, rank: (level + 1, priority) });
            }
        }
    }
    Ok(members)
}

fn brought_along(store: &dyn StoreFiles, path: &StorePath) -> Result<Vec<StorePath>, StoreFilesError> {
    let Some(found) = find(store, path, &PROPAGATED)? else { return Ok(Vec::new()) };
    let NodeKind::File { content, .. } = &found.node.kind else { return Ok(Vec::new()) };
    let text = read(content, store.contents())?;
    let names = text.to_str_lossy().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    Ok(names.iter().filter_map(|name| StorePath::from_absolute(name).ok()).collect())
}

fn read(content: &Content, contents: &dyn ReadContent) -> Result<std::sync::Arc<[u8]>, StoreFilesError> {
    Ok(match content {
        Content::Inline(bytes) => bytes.clone(),
        Content::Packed(packed) => contents.read(packed)?,
    })
}

/// What a member has at a place of the profile, links followed.
#[derive(Debug, Clone)]
struct Part {
    member: usize,
    store_path: StorePath,
    path: TreePath,
}

/// Whether no profile has what is at this place.
fn left_out(place: &TreePath) -> bool {
    let text = place.to_string();
    LEFT_OUT.contains(&text.as_str()) || LEFT_OUT_BELOW.iter().any(|end| text.ends_with(end))
}

struct Merge<'s> {
    store: &'s dyn StoreFiles,
    members: &'s [Member],
    entries: BTreeMap<TreePath, ProfileEntry>,
}

/// What members have under one name: where it is for them, and what that leads to.
struct Named {
    part: Part,
    found: Option<Found>,
}

impl Named {
    fn is_directory(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.node.is_directory())
    }
}

impl Merge<'_> {
    /// Merges directories of several members at one place.
    fn directory(&mut self, at: &TreePath, parts: &[Part]) -> Result<(), ProfileError> {
        self.entries.insert(at.clone(), ProfileEntry::Directory);
        let mut names: BTreeMap<BString, Vec<Part>> = BTreeMap::new();
        for part in parts {
            let Some(files) = self.store.files(&part.store_path)? else { continue };
            for (path, _) in files.children(&part.path) {
                let name = path.file_name().unwrap_or_default().to_owned();
                names.entry(name).or_default().push(Part { path: path.clone(), ..part.clone() });
            }
        }
        for (name, parts) in names {
            let Ok(place) = at.join(&name) else { continue };
            if !left_out(&place) {
                self.place(&place, parts)?;
            }
        }
        Ok(())
    }

    fn place(&mut self, at: &TreePath, parts: Vec<Part>) -> Result<(), ProfileError> {
        let mut named = Vec::with_capacity(parts.len());
        for part in parts {
            let found = find(self.store, &part.store_path, &part.path)?;
            named.push(Named { part, found });
        }
        let winners = self.winners(at, &named)?;
        let real = REAL.contains(at) && winners[0].is_directory();
        let one_place = |a: &Named, b: &Named| match (&a.found, &b.found) {
            (Some(a), Some(b)) => (&a.store_path, &a.path) == (&b.store_path, &b.path),
            _ => false,
        };
        if !real && winners.iter().all(|other| std::ptr::eq(winners[0], *other) || one_place(winners[0], other)) {
            let Part { store_path, path, .. } = winners[0].part.clone();
            self.entries.insert(at.clone(), ProfileEntry::Link { store_path, path });
            return Ok(());
        }
        if !winners[0].is_directory() {
            let Part { store_path, path, .. } = winners[0].part.clone();
            self.entries.insert(at.clone(), ProfileEntry::Link { store_path, path });
            return Ok(());
        }
        let directories: Vec<Part> = winners
            .iter()
            .filter_map(|named| {
                let found = named.found.as_ref()?;
                let (store_path, path) = (found.store_path.clone(), found.path.clone());
                Some(Part { member: named.part.member, store_path, path })
            })
            .collect();
        self.directory(at, &directories)
    }

    /// Of what has one name the directories to merge, or the one file to link; there is at least one.
    fn winners<'n>(&self, at: &TreePath, named: &'n [Named]) -> Result<Vec<&'n Named>, ProfileError> {
        let rank = |named: &Named| self.members[named.part.member].rank;
        let mut sorted: Vec<&Named> = named.iter().collect();
        sorted.sort_by_key(|named| rank(named));
        let first = sorted[0];
        if first.is_directory() {
            let files = sorted.iter().find(|other| !other.is_directory() && rank(other) == rank(first));
            return match files {
                Some(other) => Err(self.collision(at, first, other)),
                None => Ok(sorted.into_iter().filter(|named| named.is_directory()).collect()),
            };
        }
        for other in sorted.iter().skip(1).take_while(|other| rank(other) == rank(first)) {
            if !self.same(first, other)? {
                return Err(self.collision(at, first, other));
            }
        }
        Ok(vec![first])
    }

    fn collision(&self, at: &TreePath, first: &Named, second: &Named) -> ProfileError {
        let owner = |named: &Named| self.members[named.part.member].owner.clone();
        ProfileError::Collision { path: at.clone(), first: owner(first), second: owner(second) }
    }

    /// Whether two things of one name are one file, or files with the same content.
    fn same(&self, a: &Named, b: &Named) -> Result<bool, ProfileError> {
        let (Some(a), Some(b)) = (&a.found, &b.found) else { return Ok(false) };
        if (&a.store_path, &a.path) == (&b.store_path, &b.path) {
            return Ok(true);
        }
        let (NodeKind::File { content: x, .. }, NodeKind::File { content: y, .. }) = (&a.node.kind, &b.node.kind)
        else {
            return Ok(false);
        };
        if a.node.meta.mode != b.node.meta.mode || x.size() != y.size() || x.size() > MAX_COMPARED {
            return Ok(false);
        }
        let contents = self.store.contents();
        Ok(read(x, contents)? == read(y, contents)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::tests::{TestStore, store_path};
    use super::*;

    fn root(name: &str, priority: i64) -> ProfileRoot {
        ProfileRoot { path: store_path(name), owner: format!("`{name}`"), priority }
    }

    /// The profile as lines: `path`, or `path -> store path's name and path`.
    fn check(store: &[(&str, &[&str])], roots: &[ProfileRoot], expect: Result<&[&str], &str>) {
        let profile = merge_profile(&TestStore::new(store), roots);
        let lines = profile.map_err(|error| error.to_string()).map(|profile| {
            let line = |(path, entry): (&TreePath, &ProfileEntry)| match entry {
                ProfileEntry::Directory => path.to_string(),
                ProfileEntry::Link { store_path, path: to } => format!("{path} -> {}{to}", store_path.name()),
            };
            let always = ["/", "/bin", "/etc", "/etc/profile.d"];
            profile.iter().map(line).filter(|line| !always.contains(&line.as_str())).collect::<Vec<_>>()
        });
        assert_eq!(lines, expect.map(|lines| lines.iter().map(ToString::to_string).collect()).map_err(str::to_owned));
    }

    #[test]
    fn shared_directories_are_merged_and_others_linked() {
        let store: &[(&str, &[&str])] = &[
            ("python", &["bin/python3", "lib/python3/os.py", "share/man/man1/python3.1", "nix-support/x", "log"]),
            ("node", &["bin/node", "include/node/v8.h", "share/doc/node", "share/info/dir"]),
        ];
        let expect = [
            "/bin/node -> node/bin/node",
            "/bin/python3 -> python/bin/python3",
            "/include -> node/include",
            "/lib -> python/lib",
            "/share",
            "/share/doc -> node/share/doc",
            "/share/info",
            "/share/man -> python/share/man",
        ];
        // A directory that turns out to have nothing to link is there all the same, as buildEnv leaves it.
        let linked: Vec<&str> = expect.iter().copied().filter(|line| *line != "/share/info").collect();
        let mut with_link = linked.clone();
        with_link.insert(6, "/share/info -> node/share/info");
        check(store, &[root("python", 5), root("node", 5)], Ok(&with_link));
    }

    #[test]
    fn collisions_name_both_or_are_settled() {
        let store: &[(&str, &[&str])] = &[
            ("a", &["bin/x = one", "share/same = text"]),
            ("b", &["bin/x = two", "share/same = text"]),
            ("alias", &["bin/x -> {a}/bin/x"]),
        ];
        check(store, &[root("a", 5), root("b", 5)], Err("`a` and `b` both have /bin/x"));
        let settled = ["/bin/x -> b/bin/x", "/share", "/share/same -> b/share/same"];
        check(store, &[root("a", 5), root("b", 4)], Ok(&settled));
        let aliases: &[(&str, &[&str])] = &[("a", &["bin/x = one"]), ("alias", &["bin/x -> /nix/store/{a}/bin/x"])];
        check(aliases, &[root("a", 5), root("alias", 5)], Ok(&["/bin/x -> a/bin/x"]));
        let mixed: &[(&str, &[&str])] = &[("a", &["share/x/y"]), ("b", &["share/x = file"])];
        check(mixed, &[root("a", 5), root("b", 5)], Err("`a` and `b` both have /share/x"));
        check(mixed, &[root("a", 5), root("b", 6)], Ok(&["/share", "/share/x -> a/share/x"]));
    }

    #[test]
    fn what_is_brought_along_gives_way() {
        let propagated = format!("nix-support/propagated-user-env-packages = {}", store_path("b").absolute());
        let a = ["bin/x = one", propagated.as_str()];
        let store: &[(&str, &[&str])] = &[("a", &a), ("b", &["bin/x = two", "bin/y"])];
        check(store, &[root("a", 5)], Ok(&["/bin/x -> a/bin/x", "/bin/y -> b/bin/y"]));
    }

    #[test]
    fn what_a_profile_links_to_is_found() {
        let store = TestStore::new(&[("a", &["etc/ssl/certs/ca-bundle.crt", "bin/sh -> bash", "bin/bash"])]);
        let profile = merge_profile(&store, &[root("a", 5)]).expect("merged");
        let check = |path, expect: Option<&str>| {
            let found = profile.find(&store, &TreePath::literal(path)).expect("listed");
            assert_eq!(found.map(|found| found.path.to_string()).as_deref(), expect, "{path}");
        };
        check("etc/ssl/certs/ca-bundle.crt", Some("/etc/ssl/certs/ca-bundle.crt"));
        check("bin/sh", Some("/bin/bash"));
        check("bin/zsh", None);
    }
}
