//! From the manifest's `[debian]` to what [`Archive`](super::Archive) needs: keys read, credentials taken from the environment.

use std::fs::File;
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::debian::release::UnixTime;
use plywood_core::manifest::model::Auth;
use plywood_core::manifest::{DebianSource, RepositoryName, ResolvedRepository, WorkspacePath};

use super::config::{ArchiveConfig, Repository, Snapshot};
use super::keyring::{self, Keyring, KeyringError};
use super::mirror_url::ParseMirrorUrlError;
use super::mirrors::{MirrorError, Mirrors, NamedMirrors};
use crate::http::credentials::{Credentials, CredentialsError};

/// The manifest's Debian source cannot be used on this machine.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A mirror is no URL of one.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The address of a repository is no URL of one.
    #[error("cannot use the address of repository `{repository}`")]
    RepositoryUrl {
        /// The repository's name.
        repository: String,
        /// Why.
        source: ParseMirrorUrlError,
    },
    /// The key's file cannot be read.
    #[error("cannot read the key of repository `{repository}` at {path}")]
    ReadKey {
        /// The repository's name.
        repository: String,
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key's file holds no key.
    #[error("cannot use the key of repository `{repository}` at {path}")]
    Key {
        /// The repository's name.
        repository: String,
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: KeyringError,
    },
    /// The file with the archive's keys cannot be read.
    #[error("cannot read the keys of the archive at {path}")]
    ReadArchiveKey {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file with the archive's keys holds none.
    #[error("cannot use the keys of the archive at {path}")]
    ArchiveKey {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: KeyringError,
    },
    /// The keys that a base has cannot be used.
    #[error("cannot use the keys that the base has for its own archive")]
    BaseKeys(#[source] KeyringError),
    /// Nothing says where another distribution's archive is.
    #[error("nothing says where the archive of `{0}` is")]
    NoMirrors(String),
    /// The credentials are not in the environment.
    #[error("cannot identify at repository `{repository}`")]
    Credentials {
        /// The repository's name.
        repository: String,
        /// Why.
        source: CredentialsError,
    },
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::Credentials { source, .. } => source.hint(),
            ConfigError::ReadKey { .. } | ConfigError::Key { .. } => {
                Some("put the OpenPGP key that the repository's owner publishes there".to_owned())
            }
            ConfigError::ReadArchiveKey { .. } | ConfigError::ArchiveKey { .. } | ConfigError::BaseKeys(_) => Some(
                "put the OpenPGP keys that sign the archive into a file of the workspace and name it: `key` in the image's `debian`"
                    .to_owned(),
            ),
            ConfigError::NoMirrors(_) => Some("name its `mirrors` and its `key` in the image's `debian`".to_owned()),
            _ => None,
        }
    }
}

impl ArchiveConfig {
    /// What the manifest says, completed by this machine: mirrors by [`Mirrors::find`], keys from below `workspace`,
    /// credentials from the environment.
    ///
    /// # Errors
    /// When a mirror, key or credential cannot be used.
    pub fn from_manifest(source: &DebianSource, workspace: &Utf8Path) -> Result<Self, ConfigError> {
        let texts = |urls: &Option<Vec<_>>| urls.iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
        let named = NamedMirrors {
            debian: &texts(&source.mirrors),
            security: &texts(&source.security_mirrors),
            snapshot: source.snapshot.map(|time| Snapshot(UnixTime(time.unix_seconds()))),
        };
        let mirrors = match &source.distribution {
            None => Mirrors::find(&named)?,
            Some(id) if named.debian.is_empty() => return Err(ConfigError::NoMirrors(id.clone())),
            // This machine's mirrors and Debian's own have nothing of another distribution.
            Some(_) => Mirrors::named(&named)?,
        };
        let repositories = source.repositories.iter().map(|(name, repository)| read(name, repository, workspace));
        Ok(Self {
            updates: source.updates,
            security: source.security,
            components: source.components.iter().map(ToString::to_string).collect(),
            repositories: repositories.collect::<Result<_, _>>()?,
            keyring: source.key.as_ref().map_or_else(|| Ok(Keyring::debian()), |key| archive_keys(workspace, key))?,
            ..Self::debian(source.suite.to_string(), mirrors)
        })
    }
}

fn archive_keys(workspace: &Utf8Path, key: &WorkspacePath) -> Result<Keyring, ConfigError> {
    let path = workspace.join(key.as_str());
    let bytes = read_key(&path).map_err(|source| ConfigError::ReadArchiveKey { path: path.clone(), source })?;
    Keyring::parse(&bytes).map_err(|source| ConfigError::ArchiveKey { path, source })
}

fn read(name: &RepositoryName, found: &ResolvedRepository, workspace: &Utf8Path) -> Result<Repository, ConfigError> {
    let repository = name.to_string();
    let url = found.url.to_string().parse();
    let url = url.map_err(|source| ConfigError::RepositoryUrl { repository: repository.clone(), source })?;
    let path = workspace.join(found.key.as_str());
    let bytes = read_key(&path).map_err(|source| ConfigError::ReadKey {
        repository: repository.clone(),
        path: path.clone(),
        source,
    })?;
    let keyring =
        Keyring::parse(&bytes).map_err(|source| ConfigError::Key { repository: repository.clone(), path, source })?;
    let credentials = match &found.auth {
        None => None,
        Some(Auth::Basic { username_env, password_env }) => {
            Some(Credentials::basic_from_env(username_env.as_str(), password_env.as_str()))
        }
        Some(Auth::Bearer { token_env }) => Some(Credentials::bearer_from_env(token_env.as_str())),
    };
    let credentials = credentials
        .transpose()
        .map_err(|source| ConfigError::Credentials { repository: repository.clone(), source })?;
    Ok(Repository {
        url,
        suite: found.suite.to_string(),
        components: found.components.iter().map(ToString::to_string).collect(),
        keyring,
        credentials,
        name: repository,
    })
}

/// One byte more than a keyring may have shows that it has too many.
fn read_key(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(keyring::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
