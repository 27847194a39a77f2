//! What the manifest adds to a configured system: users, files, directories, links, certificates, apt's sources.
//!
//! A file of the manifest that takes the place of a package's is recorded as a local diversion (dpkg-divert(1)): the
//! package's own stays beside it as `*.distrib`, `dpkg --verify` stays clean and an upgrade keeps the manifest's.

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::ByteSlice as _;

use super::accounts::{self, AccountError, Known};
use crate::debian::dpkg::{Diversion, DiversionError, Installer};
use crate::manifest::model::{DirectoryEntry, FileContent, FileEntry};
use crate::manifest::{Owner, OwnerId, Placement, ResolvedImage, WorkspacePath};
use crate::tree::{Meta, Node, NodeKind, TreeError, TreePath};

/// The time of everything that comes from the workspace, in seconds since 1970: it has none of its own.
const MTIME: i64 = 1;

/// What the effects side read from the workspace for an image.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Each `source` of the manifest: the file itself at the root path, or a folder's entries below it. Modes are
    /// `0755` for what is executable and `0644` for the rest, owners are root, times are left to this module.
    pub trees: BTreeMap<WorkspacePath, Vec<(TreePath, Node)>>,
    /// Files that the image gets whatever its manifest's `files` say, such as apt's sources; those may replace them.
    pub system: BTreeMap<TreePath, Arc<[u8]>>,
    /// Each extra CA certificate, as PEM text, where `update-ca-certificates` looks for it. They are there before the
    /// packages are configured, so this module has nothing to do with them.
    pub certificates: BTreeMap<TreePath, Arc<[u8]>>,
}

/// Why the definition of an image cannot be put on its packages.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A user or group cannot be as the manifest says.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// An owner names a user or group that the image does not have.
    #[error("the owner `{owner}` of {path} is not in the image")]
    UnknownOwner {
        /// The owner as written.
        owner: String,
        /// Whose it should be.
        path: TreePath,
    },
    /// A `source` was not read beforehand; a mistake in the program.
    #[error("the workspace's `{0}` was not read")]
    Unread(WorkspacePath),
    /// Something else is at the path and cannot make way.
    #[error("cannot put {path} into the image")]
    Place {
        /// The path in the image.
        path: TreePath,
        /// Why.
        #[source]
        source: TreeError,
    },
    /// A package's file cannot make way for the manifest's.
    #[error("cannot divert the package's own {path}")]
    Divert {
        /// The path in the image.
        path: TreePath,
        /// Why.
        #[source]
        source: DiversionError,
    },
}

impl ApplyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownOwner { .. } => {
                Some("name the image's user, a user that a package creates, or a numeric id".to_owned())
            }
            Self::Account(error) => error.hint(),
            _ => None,
        }
    }
}

/// Puts the definition of `image` on top of its configured packages. `now` (seconds since 1970) dates the accounts.
///
/// # Errors
/// When users, owners or paths of the manifest do not fit what the packages brought.
pub fn apply(installer: &mut Installer, image: &ResolvedImage, sources: &Sources, now: i64) -> Result<(), ApplyError> {
    // Without Debian there are no packages whose accounts these would have to be added to: see `place_bare`.
    if image.has_system() {
        accounts::add(&mut installer.tree, image, now)?;
    }
    for (path, bytes) in &sources.system {
        let path = reach(installer, path)?;
        insert(installer, &path, Node::file(Meta::root(0o644, MTIME), bytes.clone()))?;
    }
    let known = Known::read(&installer.tree);
    for (path, placement) in &image.placements {
        let path = reach(installer, path)?;
        match placement {
            Placement::Directory(entry) => place_directory(installer, &known, &path, entry)?,
            Placement::Symlink(target) => {
                make_way(installer, &path)?;
                insert(installer, &path, Node::symlink(target.as_str(), MTIME))?;
            }
            Placement::File(entry) => place_file(installer, &known, &path, entry, sources)?,
        }
    }
    ensure_workdir(installer, image)
}

/// The path itself once links on the way to it are followed, its missing directories made.
fn reach(installer: &mut Installer, path: &TreePath) -> Result<TreePath, ApplyError> {
    let failed = |source| ApplyError::Place { path: path.clone(), source };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(TreePath::ROOT) };
    let mut at = TreePath::ROOT;
    for component in parent.components() {
        at = installer.tree.resolve(&at, component, true).map_err(failed)?;
        installer.tree.create_dir_all(&at, &Meta::root(0o755, MTIME)).map_err(failed)?;
    }
    at.join(name).map_err(|error| failed(error.into()))
}

fn insert(installer: &mut Installer, path: &TreePath, node: Node) -> Result<(), ApplyError> {
    let failed = |source| ApplyError::Place { path: path.clone(), source };
    installer.tree.insert(path.clone(), node).map(|_| ()).map_err(failed)
}

/// Moves a package's file or link away before the manifest's takes its place.
fn make_way(installer: &mut Installer, path: &TreePath) -> Result<(), ApplyError> {
    let is_file = installer.tree.get(path).is_some_and(|node| !node.is_directory());
    if !is_file || installer.owners(path).next().is_none() {
        return Ok(());
    }
    let failed = |source| ApplyError::Divert { path: path.clone(), source };
    let to = TreePath::parse([path.as_bytes(), b".distrib"].concat())
        .map_err(|error| ApplyError::Place { path: path.clone(), source: error.into() })?;
    installer.divert(Diversion { package: None, from: path.clone(), to }, true).map(|_| ()).map_err(failed)
}

fn place_directory(
    installer: &mut Installer,
    known: &Known,
    path: &TreePath,
    entry: &DirectoryEntry,
) -> Result<(), ApplyError> {
    let failed = |source| ApplyError::Place { path: path.clone(), source };
    installer.tree.create_dir_all(path, &Meta::root(0o755, MTIME)).map_err(failed)?;
    let owner = entry.owner.as_ref().map(|owner| numeric(known, owner, path)).transpose()?;
    let below: Vec<TreePath> = match entry.recursive {
        Some(true) => installer.tree.below(path).map(|(path, _)| path.clone()).collect(),
        _ => Vec::new(),
    };
    for (target, mode) in below.iter().map(|path| (path, None)).chain([(path, entry.mode)]) {
        let change = |meta: &mut Meta| {
            if let Some((uid, gid)) = owner {
                (meta.uid, meta.gid) = (uid, gid);
            }
            if let Some(mode) = mode {
                meta.mode = mode.bits();
            }
        };
        installer.tree.set_meta(target, change).map_err(failed)?;
    }
    Ok(())
}

fn place_file(
    installer: &mut Installer,
    known: &Known,
    path: &TreePath,
    entry: &FileEntry,
    sources: &Sources,
) -> Result<(), ApplyError> {
    let (uid, gid) = entry.owner.as_ref().map(|owner| numeric(known, owner, path)).transpose()?.unwrap_or_default();
    let dressed = |mut node: Node| {
        (node.meta.uid, node.meta.gid, node.meta.mtime) = (uid, gid, MTIME);
        if let NodeKind::File { .. } = node.kind {
            let default = if entry.executable { 0o755 } else { node.meta.mode };
            node.meta.mode = entry.mode.map_or(default, |mode| mode.bits());
        }
        node
    };
    match &entry.content {
        FileContent::Text(text) => {
            make_way(installer, path)?;
            insert(installer, path, dressed(Node::file(Meta::root(0o644, MTIME), text.as_bytes())))
        }
        FileContent::Source { path: source, .. } => {
            let tree = sources.trees.get(&source.value).ok_or_else(|| ApplyError::Unread(source.value.clone()))?;
            for (relative, node) in tree {
                let target = path
                    .join(relative.as_bytes())
                    .map_err(|error| ApplyError::Place { path: path.clone(), source: error.into() })?;
                if node.is_directory() && installer.tree.get(&target).is_some_and(Node::is_directory) {
                    continue;
                }
                make_way(installer, &target)?;
                insert(installer, &target, dressed(node.clone()))?;
            }
            Ok(())
        }
    }
}

/// Docker makes a missing working directory when a container starts, as root's; the image's user could not write there.
fn ensure_workdir(installer: &mut Installer, image: &ResolvedImage) -> Result<(), ApplyError> {
    if installer.tree.lookup(image.workdir.as_bytes()).is_some() {
        return Ok(());
    }
    let path = reach(installer, &image.workdir)?;
    let user = image.user.as_ref().and_then(|name| image.users.values().find(|user| user.name == *name));
    let mut meta = Meta::root(0o755, MTIME);
    if let Some(user) = user {
        (meta.uid, meta.gid) = (user.uid, user.gid);
    }
    insert(installer, &path, Node::directory(meta))
}

fn numeric(known: &Known, owner: &Owner, path: &TreePath) -> Result<(u32, u32), ApplyError> {
    let unknown = || ApplyError::UnknownOwner { owner: owner.to_string(), path: path.clone() };
    let (uid, own_gid) = match &owner.user {
        OwnerId::Id(uid) => (*uid, known.gid_of_uid(*uid).unwrap_or(*uid)),
        OwnerId::Name(name) => known.user(name.as_str().as_bytes().as_bstr()).ok_or_else(unknown)?,
    };
    let gid = match &owner.group {
        None => own_gid,
        Some(OwnerId::Id(gid)) => *gid,
        Some(OwnerId::Name(name)) => known.group(name.as_str().as_bytes().as_bstr()).ok_or_else(unknown)?,
    };
    Ok((uid, gid))
}
