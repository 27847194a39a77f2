//! What a client needs to know.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use camino::Utf8PathBuf;

use super::credentials::CredentialSources;
use super::patience::Patience;

/// How a [`RegistryClient`](super::RegistryClient) reaches registries.
#[derive(Debug, Clone, Default)]
pub struct ClientConfig {
    /// Where credentials are found.
    pub credentials: CredentialSources,
    /// Registries, with their port if it is not the usual one, that are spoken to without TLS. Those on this machine
    /// are in any case, unless there are certificates for them.
    pub plain_http: BTreeSet<String>,
    /// Registries, each with its port, that are reached without the proxy that the environment names. Those on this machine
    /// are in any case, and so are hosts that `NO_PROXY` has without a port.
    pub direct: BTreeSet<String>,
    /// PEM files with certificates that are trusted besides the machine's.
    pub certificates: Vec<Utf8PathBuf>,
    /// Folders that hold, by registry, certificates to trust (`*.crt`) and to show (`*.cert` with its `*.key`), as
    /// Docker and podman have them (containers-certs.d(5)); the first that has the registry counts.
    pub certificate_folders: Vec<Utf8PathBuf>,
    /// How long to wait, how often to try, how much at once.
    pub patience: Patience,
    /// How blobs are cut up.
    pub upload: UploadLimits,
}

/// How blobs are cut up for upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// Up to this many bytes a blob goes in one request.
    pub whole: u64,
    /// Above, in pieces of so many bytes, or more where the registry asks for more.
    pub chunk: u64,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self { whole: 512 << 20, chunk: 64 << 20 }
    }
}

impl ClientConfig {
    /// What this machine's environment says: credentials, and folders of certificates.
    pub fn from_environment() -> Self {
        let home = std::env::var("HOME").ok().filter(|home| !home.is_empty());
        let of_user = |suffix: &str| home.as_deref().map(|home| Utf8PathBuf::from(home).join(suffix));
        let folders = [
            of_user(".config/containers/certs.d"),
            Some("/etc/containers/certs.d".into()),
            Some("/etc/docker/certs.d".into()),
        ];
        Self {
            credentials: CredentialSources::from_environment(),
            certificate_folders: folders.into_iter().flatten().collect(),
            direct: ["NO_PROXY", "no_proxy"]
                .iter()
                .filter_map(|name| std::env::var(name).ok())
                .flat_map(with_ports)
                .collect(),
            ..Self::default()
        }
    }

    /// Whether a host, with or without a port, is this machine.
    pub(super) fn is_loopback(authority: &str) -> bool {
        let host = match authority.strip_prefix('[') {
            Some(rest) => return rest.split(']').next() == Some("::1"),
            None => authority.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// The folder with certificates for a registry.
    pub(super) fn certificates_of(&self, authority: &str) -> Option<Utf8PathBuf> {
        self.certificate_folders.iter().map(|folder| folder.join(authority)).find(|folder| folder.is_dir())
    }

    /// Whether a registry is spoken to without TLS.
    pub(super) fn is_plain(&self, authority: &str) -> bool {
        let here = Self::is_loopback(authority) && self.certificates_of(authority).is_none();
        here || self.plain_http.contains(authority)
    }
}

/// The entries of `NO_PROXY` that name a port, which Docker and podman know and our HTTP library does not.
fn with_ports(list: String) -> Vec<String> {
    let entries = list.split(',').map(str::trim);
    entries
        .filter(|entry| entry.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':')))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_may_be_passed_by_for_one_port() {
        let list = "localhost, registry.lan:5000,.lan,10.0.0.0/8,::1,*, other:1";
        assert_eq!(with_ports(list.to_owned()), ["registry.lan:5000", "other:1"]);
    }

    #[test]
    fn plain_http_is_for_this_machine_or_when_asked() {
        let config = ClientConfig { plain_http: ["registry.lan:5000".to_owned()].into(), ..ClientConfig::default() };
        for (authority, expect) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("[::1]:5000", true),
            ("registry.lan:5000", true),
            ("registry.lan", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("ghcr.io", false),
        ] {
            assert_eq!(config.is_plain(authority), expect, "{authority}");
        }
    }
}
