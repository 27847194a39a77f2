//! The places where credentials are looked for, in order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::oci::RepositoryName;
use plywood_core::oci::distribution::{AuthFile, Credential, Secret, parse_auth_list};

use super::helper::ask_helper;
use super::{CredentialsError, Found};

/// Variables that hold `host|user|token,…`; the second is that of dev container tools.
const LISTS: [&str; 2] = ["PLYWOOD_REGISTRY_AUTH", "DEVCONTAINERS_OCI_AUTH"];
const GITHUB_REGISTRY: &str = "ghcr.io";
/// More than a file of this kind ever has; what is longer is refused when it is parsed.
const MAX_FILE: u64 = (1 << 20) + 1;

/// The places where credentials are looked for; the first that has some for a registry counts.
#[derive(Debug, Clone, Default)]
pub struct CredentialSources {
    /// Given outright, by registry.
    pub given: BTreeMap<String, Credential>,
    /// Lists from the environment, by the variable's name.
    pub lists: Vec<(String, Secret)>,
    /// Files of podman and Docker; those that are not there are passed over.
    pub files: Vec<Utf8PathBuf>,
    /// For ghcr.io, when nothing else is found.
    pub github_token: Option<Secret>,
}

impl CredentialSources {
    /// Those of this process's environment.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Those that these variables name, in the order of podman with Docker's file after its own.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let lists = LISTS.iter().filter_map(|name| Some(((*name).to_owned(), Secret::new(set(name)?))));
        let home = set("HOME").map(Utf8PathBuf::from);
        let of_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let docker = set("DOCKER_CONFIG").map(Utf8PathBuf::from).or_else(|| of_home(".docker"));
        let docker = docker.map(|folder| folder.join("config.json"));
        let podman = match set("REGISTRY_AUTH_FILE") {
            Some(file) => vec![Some(file.into())],
            None => {
                let config = set("XDG_CONFIG_HOME").map(Utf8PathBuf::from).or_else(|| of_home(".config"));
                let folders = [set("XDG_RUNTIME_DIR").map(Utf8PathBuf::from), config];
                folders.into_iter().map(|folder| folder.map(|folder| folder.join("containers/auth.json"))).collect()
            }
        };
        // GITHUB_TOKEN of a GitHub Enterprise server is nothing to ghcr.io.
        let public = set("GITHUB_SERVER_URL").is_none_or(|url| url == "https://github.com");
        Self {
            given: BTreeMap::new(),
            lists: lists.collect(),
            files: podman.into_iter().chain([docker]).flatten().collect(),
            github_token: set("GITHUB_TOKEN").filter(|_| public).map(Secret::new),
        }
    }

    /// Looks for credentials for a repository. `patience` is for each helper.
    pub(in super::super) async fn find(
        &self,
        repository: &RepositoryName,
        patience: Duration,
    ) -> Result<Option<Found>, CredentialsError> {
        if let Some(credential) = self.given.get(repository.registry()) {
            return Ok(Some(Found { credential: credential.clone(), origin: "the command's options".to_owned() }));
        }
        for (name, list) in &self.lists {
            if let Some(credential) = parse_auth_list(list.expose(), repository) {
                return Ok(Some(Found { credential, origin: name.clone() }));
            }
        }
        for path in &self.files {
            if let Some(file) = read(path)?
                && let Some(found) = in_file(path, &file, repository, patience).await?
            {
                return Ok(Some(found));
            }
        }
        let github = self.github_token.as_ref().filter(|_| repository.registry() == GITHUB_REGISTRY);
        Ok(github.map(|token| Found {
            // The registry looks at the token only.
            credential: Credential::Basic { user: "github".to_owned(), password: token.clone() },
            origin: "GITHUB_TOKEN".to_owned(),
        }))
    }
}

async fn in_file(
    path: &Utf8Path,
    file: &AuthFile,
    repository: &RepositoryName,
    patience: Duration,
) -> Result<Option<Found>, CredentialsError> {
    for helper in [file.helper(repository), file.store()].into_iter().flatten() {
        let plain = helper.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !plain {
            return Err(CredentialsError::HelperName { path: path.to_owned() });
        }
        let program = format!("docker-credential-{helper}");
        if let Some(credential) = ask_helper(&program, repository.registry(), patience).await? {
            return Ok(Some(Found { credential, origin: program }));
        }
    }
    Ok(file.credential(repository).map(|credential| Found { credential, origin: path.to_string() }))
}

/// Reads a file, if there is one.
fn read(path: &Utf8Path) -> Result<Option<AuthFile>, CredentialsError> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(source) => return Err(CredentialsError::Read { path: path.to_owned(), source }),
    }
    // Podman makes the file empty before it writes it.
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    AuthFile::parse(&bytes).map(Some).map_err(|source| CredentialsError::Parse { path: path.to_owned(), source })
}
