//! The client: what all registries and repositories share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use plywood_core::oci::RepositoryName;
use reqwest::{Client, Url, redirect};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use super::Repository;
use super::config::ClientConfig;
use super::error::RegistryError;
use super::failure::Failure;
use super::host::Host;
use super::request::Lookup;
use super::tls::Certificates;

/// A client of registries, cheap to clone. Connections, tokens and what is known of registries are shared by all its
/// clones. Its functions and those of [`Repository`] block; call them from outside of asynchronous code.
#[derive(Clone)]
pub struct RegistryClient {
    pub(super) inner: Arc<Inner>,
    runtime: Arc<Runtime>,
}

/// What requests share.
pub(super) struct Inner {
    pub(super) config: ClientConfig,
    hosts: Mutex<BTreeMap<String, Arc<Host>>>,
    connections: Mutex<BTreeMap<String, Client>>,
    /// How much may be under way at once.
    pub(super) transfers: Semaphore,
}

impl fmt::Debug for RegistryClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryClient").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl RegistryClient {
    /// Prepares to speak to registries; asks none yet.
    ///
    /// # Errors
    /// When this machine gives no threads.
    pub fn new(config: ClientConfig) -> Result<Self, RegistryError> {
        // Two threads keep the connections going while callers wait, compress or hash.
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let failed = RegistryError::of(|| "set up the registry client".to_owned());
        let runtime = runtime.map_err(Failure::Threads).map_err(failed)?;
        let inner = Inner {
            transfers: Semaphore::new(config.patience.parallel.max(1)),
            config,
            hosts: Mutex::default(),
            connections: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner), runtime: Arc::new(runtime) })
    }

    /// A repository; nothing is asked yet.
    pub fn repository(&self, name: &RepositoryName) -> Repository {
        Repository::new(self.clone(), name.clone())
    }

    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

impl Inner {
    /// The registry of a repository.
    pub(super) fn host(&self, registry: &str) -> Result<Arc<Host>, Failure> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(registry) {
            return Ok(host.clone());
        }
        let host = Arc::new(Host::new(registry, &self.config)?);
        hosts.insert(registry.to_owned(), host.clone());
        Ok(host)
    }

    /// Refuses what would go out without TLS and should not.
    pub(super) fn check_secure(&self, url: &Url) -> Result<(), Failure> {
        let host = authority(url);
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.config.is_plain(&host) => Ok(()),
            "http" => Err(Failure::Insecure { host }),
            _ => Err(Failure::Protocol("an address that is neither http nor https")),
        }
    }

    /// The connections to a host: one set for all that need the same certificates and proxies.
    pub(super) fn http(&self, url: &Url) -> Result<Client, Failure> {
        let authority = authority(url);
        let folder = self.config.certificates_of(&authority);
        let loopback = ClientConfig::is_loopback(&authority);
        let direct = loopback || self.config.direct.contains(&authority);
        // Without TLS no certificates need be read, which takes longer than asking a registry on this machine.
        let plain = loopback && url.scheme() == "http";
        let key = match &folder {
            Some(folder) => format!("{direct} {folder}"),
            None => format!("{direct} {plain}"),
        };
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = connections.get(&key) {
            return Ok(client.clone());
        }
        let mut certificates = Certificates::default();
        if !plain {
            self.config.certificates.iter().try_for_each(|path| certificates.add_file(path))?;
            folder.iter().try_for_each(|folder| certificates.add_folder(folder))?;
        }
        let client = self.connect(&certificates, direct, plain)?;
        connections.insert(key, client.clone());
        Ok(client)
    }

    fn connect(&self, certificates: &Certificates, direct: bool, plain: bool) -> Result<Client, Failure> {
        let builder = || {
            let mut builder = Client::builder()
                .user_agent(concat!("plywood/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(self.config.patience.connect)
                // Redirects are followed by hand: what may go where is decided in one place.
                .redirect(redirect::Policy::none())
                .referer(false)
                .dns_resolver(Lookup);
            if direct {
                builder = builder.no_proxy();
            }
            if let Some(identity) = &certificates.identity {
                builder = builder.identity(identity.clone());
            }
            builder
        };
        let only = || builder().tls_certs_only(certificates.trusted.clone()).build();
        let client = if plain {
            only()
        } else {
            // A machine without certificates can still speak to registries whose certificates are given.
            builder().tls_certs_merge(certificates.trusted.clone()).build().or_else(|_| only())
        };
        client.map_err(Failure::SetUp)
    }
}

/// Host, and the port if it is not the scheme's own.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
