//! A resolved image: plain values, defaults filled in.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::ResolvedBase;
use super::ResolvedNix;
use crate::manifest::model::{Auth, Check, DirectoryEntry, FileEntry, Healthcheck, ScriptPolicy, SlimRules};
use crate::manifest::{
    ByteSize, Component, Compression, EnvName, GroupName, HttpUrl, ImageName, LabelKey, LayerBudget, PackageName,
    PackagePattern, PackageRequest, Platform, Port, RepositoryName, RepositorySuite, Signal, SnapshotTime, Spanned,
    Suite, SymlinkTarget, UserName, WorkspacePath,
};
use crate::tree::TreePath;

/// An image with everything that it inherits. Serialized it is what decides about its bytes: tests do not, nor where in the manifest
/// something stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResolvedImage {
    /// Its name.
    pub name: ImageName,
    /// The images that it is built on, from the start of the chain down to its parent.
    pub parents: Vec<ImageName>,
    /// One line about it; its own, never inherited.
    pub description: Option<String>,
    /// The platforms that it is made for, sorted.
    pub platforms: Vec<Platform>,
    /// Where its Debian packages come from; `None` for an image without any Debian.
    pub debian: Option<DebianSource>,
    /// Whether recommended packages are installed too.
    pub recommends: bool,
    /// The packages asked for along the chain, the parents' first.
    pub packages: Vec<RequestedPackage>,
    /// What it has of Nix.
    pub nix: ResolvedNix,
    /// What to do with scripts that plywood cannot replay.
    pub scripts: BTreeMap<PackageName, ScriptPolicy>,
    /// The user that it runs as; `None` for root when no image of the chain says so.
    pub user: Option<UserName>,
    /// The users to create, by id. A user that another one of the same id has replaced is not among them.
    pub users: BTreeMap<u32, ResolvedUser>,
    /// The groups to create, by name, those of the users included.
    pub groups: BTreeMap<GroupName, u32>,
    /// Files, directories and symlinks to place on top of the packages, by path.
    #[serde(serialize_with = "as_pairs")]
    pub placements: BTreeMap<TreePath, Placement>,
    /// The environment, `PATH` included.
    pub env: BTreeMap<EnvName, String>,
    /// The labels that the manifest gives.
    pub labels: BTreeMap<LabelKey, String>,
    /// The ports that it serves.
    pub ports: Vec<Port>,
    /// The directories with data of their own.
    pub volumes: Vec<TreePath>,
    /// The working directory.
    pub workdir: TreePath,
    /// The program that always runs.
    pub entrypoint: Option<Vec<String>>,
    /// The default command.
    pub cmd: Option<Vec<String>>,
    /// How engines find out whether a container works.
    pub healthcheck: Option<Healthcheck>,
    /// The signal that stops a container.
    pub stop_signal: Option<Signal>,
    /// How its layers are compressed.
    pub compression: Compression,
    /// The most layers it may have over the whole chain.
    pub layers: LayerBudget,
    /// The most bytes its compressed layers may have; its own, never inherited.
    pub size_limit: Option<ByteSize>,
    /// What must hold in a container; its own, never inherited.
    #[serde(skip)]
    pub tests: Vec<Check>,
    /// PEM files of the workspace with further certificate authorities.
    pub certificates: Vec<WorkspacePath>,
    /// The image outside of the workspace that the chain starts from.
    pub base: Option<ResolvedBase>,
}

/// Paths are bytes, which are no keys in JSON.
fn as_pairs<S: Serializer>(placements: &BTreeMap<TreePath, Placement>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(placements)
}

impl ResolvedImage {
    /// Whether a system is there before the manifest puts anything on it: Debian's packages, or a base's.
    pub fn has_system(&self) -> bool {
        self.debian.is_some() || self.base.is_some()
    }
}

/// A package that the manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestedPackage {
    /// What is asked for, and where in the manifest.
    pub request: Spanned<PackageRequest>,
    /// The image that asks for it: this one or one that it is built on.
    pub image: ImageName,
}

/// A user to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResolvedUser {
    /// The login name.
    pub name: UserName,
    /// The user id.
    pub uid: u32,
    /// The id of the main group.
    pub gid: u32,
    /// The name of the main group.
    pub group: GroupName,
    /// The login shell.
    pub shell: TreePath,
    /// The home directory.
    pub home: TreePath,
    /// Further groups.
    pub groups: Vec<GroupName>,
    /// Whether everything may be run as root without a password.
    pub sudo: bool,
}

/// Something that the manifest puts at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Placement {
    /// A file, or a folder with what is in it. Names of the image's users in the owner are replaced by their ids.
    File(FileEntry),
    /// A directory. Names of the image's users in the owner are replaced by their ids.
    Directory(DirectoryEntry),
    /// A symlink.
    Symlink(SymlinkTarget),
}

/// The archive that an image's packages come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DebianSource {
    /// The suite or codename.
    pub suite: Suite,
    /// The components.
    pub components: Vec<Component>,
    /// Whether `<suite>-updates` is used.
    pub updates: bool,
    /// Whether `<suite>-security` is used.
    pub security: bool,
    /// The instant to take the archive at.
    pub snapshot: Option<SnapshotTime>,
    /// The mirrors to try in order; `None` for the default.
    pub mirrors: Option<Vec<HttpUrl>>,
    /// The security mirrors to try in order; `None` for the default.
    pub security_mirrors: Option<Vec<HttpUrl>>,
    /// Changes to plywood's list of what slim images leave out; `None` when the image is not slim.
    pub slim: Option<SlimRules>,
    /// Third-party repositories.
    pub repositories: BTreeMap<RepositoryName, ResolvedRepository>,
    /// The file of the workspace with the keys that sign the archive; `None` for those that plywood or the base has.
    pub key: Option<WorkspacePath>,
    /// The distribution's `ID` when it is not Debian.
    pub distribution: Option<String>,
}

/// A third-party repository with its defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResolvedRepository {
    /// Its address.
    pub url: HttpUrl,
    /// Its suite.
    pub suite: RepositorySuite,
    /// Its components; empty for a flat repository.
    pub components: Vec<Component>,
    /// The file of the workspace with the key that signs it.
    pub key: WorkspacePath,
    /// The packages that may come from it.
    pub packages: Vec<PackagePattern>,
    /// Where its credentials are.
    pub auth: Option<Auth>,
}
