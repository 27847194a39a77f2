//! What every command that speaks to registries takes.

use camino::Utf8PathBuf;
use clap::Args;
use plywood::attest::AttestError;
use plywood_oci::registry::{ClientConfig, RegistryClient};

use crate::failure::Failure;

/// How registries are spoken to.
#[derive(Debug, Args)]
pub(crate) struct RegistryArgs {
    /// Speak to the registry HOST without TLS (repeatable); this machine's own needs no permission
    #[arg(long = "plain-http", value_name = "HOST")]
    plain_http: Vec<String>,
    /// Trust the certificates in the PEM file FILE too (repeatable)
    #[arg(long = "certificate", value_name = "FILE")]
    certificates: Vec<Utf8PathBuf>,
}

impl RegistryArgs {
    /// A client with this machine's credentials.
    pub(crate) fn client(self) -> Result<RegistryClient, Failure> {
        let config = ClientConfig {
            plain_http: self.plain_http.into_iter().collect(),
            certificates: self.certificates,
            ..ClientConfig::from_environment()
        };
        Ok(RegistryClient::new(config).map_err(AttestError::from).map_err(plywood::Error::from)?)
    }
}
