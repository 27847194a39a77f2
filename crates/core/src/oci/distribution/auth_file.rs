//! Where credentials are kept: Docker's `config.json`, podman's `auth.json` (containers-auth.json(5)), and lists in the
//! environment.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;

use super::{Credential, Secret};
use crate::oci::RepositoryName;

/// The largest file that is read, in bytes.
const MAX_LENGTH: usize = 1 << 20;

/// Why a file is refused. Nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseAuthFileError {
    /// It is larger than any such file.
    #[error("it is larger than 1 MiB")]
    TooLong,
    /// It is no JSON of the expected shape.
    #[error("line {0} is not what Docker or podman write")]
    Json(usize),
}

/// A file with credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthFile {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: Option<Secret>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<Secret>,
    #[serde(default)]
    identitytoken: Option<Secret>,
    #[serde(default)]
    registrytoken: Option<Secret>,
}

impl AuthFile {
    /// Parses the file.
    ///
    /// # Errors
    /// When it is too large or none.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseAuthFileError> {
        if bytes.len() > MAX_LENGTH {
            return Err(ParseAuthFileError::TooLong);
        }
        serde_json::from_slice(bytes).map_err(|error| ParseAuthFileError::Json(error.line()))
    }

    /// The helper that is meant for a repository's registry in particular.
    pub fn helper(&self, repository: &RepositoryName) -> Option<&str> {
        best(&self.cred_helpers, repository).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The helper that keeps everything.
    pub fn store(&self) -> Option<&str> {
        self.creds_store.as_deref().filter(|name| !name.is_empty())
    }

    /// What the file itself holds for a repository: of several matching keys the longest, as podman does.
    pub fn credential(&self, repository: &RepositoryName) -> Option<Credential> {
        best(&self.auths, repository).and_then(Entry::credential)
    }
}

impl Entry {
    fn credential(&self) -> Option<Credential> {
        let given = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.is_empty());
        if let Some(token) = given(&self.identitytoken) {
            return Some(Credential::Identity(token));
        }
        if let Some(token) = given(&self.registrytoken) {
            return Some(Credential::Bearer(token));
        }
        if let Some(auth) = given(&self.auth) {
            let text = String::from_utf8(BASE64.decode(auth.expose().trim().as_bytes()).ok()?).ok()?;
            let (user, password) = text.split_once(':')?;
            // Docker pads with zero bytes.
            return basic(user, password.trim_matches('\0'));
        }
        basic(self.username.as_deref()?, self.password.as_ref()?.expose())
    }
}

/// User and password, if they can be sent.
fn basic(user: &str, password: &str) -> Option<Credential> {
    let fits = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
    let credential = || Credential::Basic { user: user.to_owned(), password: Secret::new(password) };
    (fits(user) && fits(password) && !user.contains(':')).then(credential)
}

/// The value of the longest key that a repository lies under. Docker's keys may be URLs of its old API.
fn best<'m, T>(map: &'m BTreeMap<String, T>, repository: &RepositoryName) -> Option<&'m T> {
    let full = repository.to_string();
    let under = |key: &str| full.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let matching = map.iter().filter_map(|(key, value)| {
        let key = normalised(key);
        under(&key).then_some((key.len(), value))
    });
    // Of equals the last in order: the URL, which is what Docker itself writes.
    matching.max_by_key(|(length, _)| *length).map(|(_, value)| value)
}

fn normalised(key: &str) -> String {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    let (host, path) = key.split_once('/').map_or((key, None), |(host, path)| (host, Some(path)));
    let host = if matches!(host, "index.docker.io" | "registry-1.docker.io") { "docker.io" } else { host };
    path.map_or_else(|| host.to_owned(), |path| format!("{host}/{path}"))
}

/// Finds a repository's registry in `host|user|token,host|user|token…`, the form that dev container tools take.
pub fn parse_auth_list(list: &str, repository: &RepositoryName) -> Option<Credential> {
    list.split(',').find_map(|entry| {
        let mut parts = entry.trim().splitn(3, '|');
        let (host, user, token) = (parts.next()?, parts.next()?, parts.next()?);
        (normalised(host) == repository.registry()).then(|| basic(user, token)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = r#"{
      "auths": {
        "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
        "quay.io": {"username": "q", "password": "pw"},
        "quay.io/team": {"auth": "dGVhbTpwd2E6Yg=="},
        "quay.io/team/app": {"identitytoken": "id"},
        "ghcr.io": {},
        "bad.example": {"auth": "%%%"},
        "localhost:5000": {"registrytoken": "rt"}
      },
      "credHelpers": {"gcr.io": "gcloud"}, "credsStore": "secretservice", "HttpHeaders": {"x": "y"}
    }"#;

    fn name(text: &str) -> RepositoryName {
        text.parse().expect("a repository")
    }

    fn shown(credential: Option<Credential>) -> Option<String> {
        credential.map(|credential| match credential {
            Credential::Basic { user, password } => format!("{user}:{}", password.expose()),
            Credential::Identity(token) => format!("id {}", token.expose()),
            Credential::Bearer(token) => format!("bearer {}", token.expose()),
        })
    }

    #[test]
    fn the_longest_key_wins() {
        let file = AuthFile::parse(FILE.as_bytes()).expect("read");
        for (repository, expect) in [
            ("debian", Some("hub:pw")),
            ("quay.io/other/x", Some("q:pw")),
            ("quay.io/team/x", Some("team:pwa:b")),
            ("quay.io/team/app", Some("id id")),
            ("quay.io/team/app/x", Some("id id")),
            ("quay.io/teams/x", Some("q:pw")),
            ("ghcr.io/x/y", None),
            ("bad.example/x", None),
            ("localhost:5000/x", Some("bearer rt")),
            ("localhost:5001/x", None),
        ] {
            assert_eq!(shown(file.credential(&name(repository))).as_deref(), expect, "{repository}");
        }
        assert_eq!((file.helper(&name("gcr.io/x/y")), file.helper(&name("x/y"))), (Some("gcloud"), None));
        assert_eq!(file.store(), Some("secretservice"));
        assert!(!format!("{file:?}").contains("aHViOnB3"));
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        assert_eq!(AuthFile::parse(b"{\n\"auths\": 1}"), Err(ParseAuthFileError::Json(2)));
        assert_eq!(AuthFile::parse(&vec![b' '; MAX_LENGTH + 1]), Err(ParseAuthFileError::TooLong));
        assert_eq!(AuthFile::parse(b"{}"), Ok(AuthFile::default()));
    }

    #[test]
    fn lists_name_hosts() {
        let list = "ghcr.io|anna|a|b, localhost:5000|u|t,docker.io|hub|pw,bad";
        for (repository, expect) in [
            ("ghcr.io/a/b", Some("anna:a|b")),
            ("localhost:5000/a", Some("u:t")),
            ("debian", Some("hub:pw")),
            ("quay.io/a", None),
        ] {
            assert_eq!(shown(parse_auth_list(list, &name(repository))).as_deref(), expect, "{repository}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100), list in "\\PC{0,60}") {
            let _ = AuthFile::parse(&bytes);
            let _ = parse_auth_list(&list, &name("debian"));
        }
    }
}
